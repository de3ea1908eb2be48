"""The clickstream as the shop's analytics library reports it: anonymous on every new device, known from sign-up or log-in on. PURE."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from nextwave_local.demo.datasets import Row
from nextwave_local.demo.items import Item, call, event
from nextwave_local.demo.people import Person
from nextwave_local.simulator.draws import draw, exponential

CURRENCY = "EUR"
BASKET_MIN = 9.0
BASKET_MORE_MEAN = 55.0
"""The data set names no amounts: an order is worth the least plus an exponential rest (synthetic)."""
ACCOUNT_EVENTS = frozenset({"account_page", "shipping_details", "payment_details", "purchase", "wishlist_add", "support_chat"})
"""For these the shop asks the visitor to sign up or log in."""
PAGES: Mapping[str, str] = {
    "home": "/",
    "promo_page": "/offers",
    "account_page": "/account",
    "review_page": "/reviews",
    "compare": "/compare",
    "error_page": "/error",
}
TRACKS: Mapping[str, str] = {
    "product_view": "Product Viewed",
    "catalog": "Product List Viewed",
    "filter_results": "Product List Filtered",
    "search": "Products Searched",
    "add_to_cart": "Product Added",
    "wishlist_add": "Product Added to Wishlist",
    "cart": "Cart Viewed",
    "shipping_details": "Checkout Started",
    "payment_details": "Checkout Step Completed",
    "support_chat": "Live Chat Conversation Started",
    "payment_error": "payment.failed",
    "checkout_bug": "checkout.failed",
    "purchase": "Order Completed",
}
"""Events of the data set in the words of the Segment protocol, or in our own where it has none."""
SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class _Visitor:
    """How far one user is: events so far, whether signed up, and the devices on which the shop knows who they are."""

    person: Person
    events: int = 0
    signed_up: bool = False
    devices: set[str] = field(default_factory=set)


class Shop:
    """Turns rows in event-time order into calls. `signed_up` is, by user, the row at which they signed up."""

    def __init__(self, seed: int, people: Mapping[str, Person]) -> None:
        self._seed = seed
        self._visitors = {user: _Visitor(person) for user, person in people.items()}
        self.signed_up: dict[str, Row] = {}

    def calls(self, rows: Iterable[Row]) -> Iterator[Item]:
        """The calls of all rows, nearly in order: what a sign-up brings with it stands beside its row."""
        for row in rows:
            yield from self._calls(row)

    def _calls(self, row: Row) -> Iterator[Item]:
        visitor = self._visitors[row.user]
        device = f"{row.user}-{row.platform}"
        visitor.events += 1
        asked = row.event in ACCOUNT_EVENTS
        if not visitor.person.is_guest and not visitor.signed_up and (asked or visitor.events > visitor.person.patience):
            visitor.signed_up = True
            self.signed_up[row.user] = row
            yield from self._sign_up(row, visitor.person, device)
            visitor.devices.add(device)
        elif visitor.signed_up and asked and device not in visitor.devices:
            visitor.devices.add(device)
            yield self._identify(row, {}, device)
        known = {"userId": row.user} if device in visitor.devices else {}
        yield call(row.at, f"row-{row.number}", {**self._said(row), **known, "anonymousId": device})

    def _sign_up(self, row: Row, person: Person, device: str) -> Iterator[Item]:
        traits = {**person.traits(), "acquisition": row.acquisition, "cohort": row.cohort}
        yield self._identify(row, traits, device)
        registered = {"type": "track", "event": "Signed Up", "userId": row.user, "anonymousId": device}
        yield call(row.at - SECOND, f"signup-{row.user}", registered)
        for channel in person.agreed:
            data = {"channel": channel, "purpose": "marketing", "identifiers": [f"customer_id:{row.user}"]}
            yield event(row.at + SECOND, "preferences", f"consent-{row.user}-{channel}", "consent.granted", data)

    def _identify(self, row: Row, traits: dict[str, Any], device: str) -> Item:
        fields = {"type": "identify", "userId": row.user, "anonymousId": device, "traits": traits}
        return call(row.at - 2 * SECOND, f"identify-{row.number}", fields)

    def _said(self, row: Row) -> dict[str, Any]:
        context = {"session_id": row.session, "platform": row.platform}
        if row.event in PAGES:
            return {"type": "page", "name": row.event, "properties": {**context, "path": PAGES[row.event]}}
        properties = context | (self._order(row) if row.event == "purchase" else {})
        return {"type": "track", "event": TRACKS[row.event], "properties": properties}

    def _order(self, row: Row) -> dict[str, Any]:
        amount = BASKET_MIN + exponential(BASKET_MORE_MEAN, draw(self._seed, row.number, "basket"))
        return {"order_id": f"order-{row.number}", "total": round(amount, 2), "currency": CURRENCY}
