"""`nextwave.touchpoints.v1`: something that happened between a customer and the company, as a door accepted it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from nextwave_contracts.wire import Message

AGE_MAX = timedelta(days=30)
"""A touchpoint that is older when it is received is history: it triggers nothing."""


class Touchpoint(Message, frozen=True, kw_only=True):
    """One accepted touchpoint. `(source, id)` is its identity: the same pair again is the same touchpoint."""

    id: str
    source: str
    type: str
    identifiers: tuple[str, ...]
    occurred_at: datetime
    received_at: datetime
    """By the clock of the door on `touchpoints`; by the broker's stamp, which all doors share, from scoring on."""
    data: dict[str, Any] = {}
    claimed: bool = False
    """`occurred_at` is what the source's clock said; else it was measured by the door's, back from `received_at`."""
    time_suspect: bool = False
    """True when its own time is too far off (30 days old, 24 h ahead, skew above 24 h): kept, but triggers nothing."""


TOUCHPOINT_TYPES: dict[str, str] = {
    "page.viewed": "a page or screen was seen",
    "product.viewed": "a product or list of products was seen",
    "product.searched": "products were searched",
    "cart.updated": "the cart was changed or looked at",
    "checkout.started": "the checkout was begun or went a step on",
    "session.ended": "a visit ended",
    "onsite.shown": "an on-site message was shown",
    "onsite.clicked": "an on-site message was clicked",
    "onsite.dismissed": "an on-site message was dismissed",
    "form.submitted": "a form was sent",
    "message.left": "a message was left on the board",
    "customer.registered": "the customer signed up",
    "customer.identified": "traits or contact points of the customer became known",
    "identities.linked": "two identifiers were declared to be one customer",
    "identities.separated": "identifiers were declared to be another customer's (`identifiers` in the data)",
    "preference.changed": "the customer changed a preference",
    "consent.granted": "the customer agreed to a channel and purpose",
    "consent.withdrawn": "the customer withdrew from a channel and purpose",
    "referral.made": "the customer referred somebody",
    "order.placed": "an order was placed",
    "order.cancelled": "an order was cancelled",
    "order.returned": "an order was sent back or refunded",
    "payment.failed": "a payment failed",
    "delivery.delayed": "a delivery is late",
    "contract.renewed": "a contract was renewed",
    "contract.cancelled": "a contract was cancelled",
    "call.offered": "a call came in",
    "call.answered": "a call was answered by an agent",
    "call.abandoned": "the caller hung up before an answer",
    "call.transferred": "a call was handed on",
    "call.ended": "a call ended",
    "call.wrapped_up": "the agent noted disposition, satisfaction, complaint, refusal, callback wish",
    "offer.accepted": "the customer took an offer that an agent made (`campaign` in the data)",
    "offer.declined": "the customer declined an offer that an agent made; it rests (`campaign` in the data)",
    "sms.received": "a text came from the customer",
    "email.received": "an e-mail came from the customer",
    "email.auto_replied": "a machine answered an e-mail of ours (absence, bounce)",
    "email.opened": "an e-mail of ours was opened",
    "email.clicked": "a link in a message of ours was followed",
    "chat.started": "a chat began",
    "chat.message_received": "a chat message came",
    "chat.ended": "a chat ended",
    "refusal.reviewed": "somebody read words that may be a refusal, and said whether they are one",
    "complaint.opened": "the customer complained",
    "complaint.resolved": "a complaint was closed, satisfied or not",
    "service.requested": "the customer asked for service",
    "service.completed": "a service matter was done",
    "satisfaction.rated": "the customer gave a rating",
    "visit.completed": "a visit to the customer took place",
    "product.registered": "the customer registered a product",
}
"""Types with built-in meaning; any other `subject.past_tense` is kept and usable in rules."""
