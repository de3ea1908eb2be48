"""Builders of what scoring takes in, and Hypothesis strategies of histories, for the tests of scoring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome, OutcomeKind
from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Taken
from nextwave_scoring.profile import outcomes, touch
from nextwave_scoring.profile.record import Profile
from nextwave_scoring.rates import read_rates

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RATES = read_rates("currency,date,rate\nUSD,2026-01-01,0.9\nUSD,2026-06-01,0.8\nJPY,2026-03-01,0.0061", "EUR")
"""KWD has none, and the yen none at first."""


def touchpoint(
    kind: str = "page.viewed", *, after: float = 0.0, names: tuple[str, ...] = ("email:ann@example.com",), late: float = 0.0, **data: Any
) -> Touchpoint:
    """A touchpoint `after` days from START, received `late` days after that."""
    at = START + timedelta(days=after)
    return Touchpoint(
        id=f"{kind}-{after}",
        source="shop/web",
        type=kind,
        identifiers=names,
        occurred_at=at,
        received_at=at + timedelta(days=late, seconds=1),
        data=data,
    )


def outcome(kind: OutcomeKind, *, customer_id: str = "", after: float = 0.0, action: str = "a1", channel: str = "email") -> Outcome:
    """An outcome `after` days from START."""
    return Outcome(
        id=f"{action}-{kind}", action_id=action, customer_id=customer_id, campaign="winter", version=1, wave="tell", run_id="r",
        channel=channel, kind=kind, at=START + timedelta(days=after),
    )  # fmt: skip


def taken(message: Touchpoint | Outcome) -> Taken:
    """As the processor hands it over, appended when it was received."""
    if isinstance(message, Outcome):
        return Taken(OUTCOMES, 0, 0, message.at, message)
    return Taken(TOUCHPOINTS, 0, 0, message.received_at, message)


def folded(events: list[Touchpoint | Outcome]) -> Profile:
    """The profile of these events, in this order."""
    profile = Profile()
    for event in events:
        if isinstance(event, Outcome):
            outcomes.take(profile, event, RATES)
        else:
            touch.take(profile, event, RATES)
    return profile


_DAYS = st.integers(0, 400 * 24).map(lambda hours: hours / 24)
_LATE = st.sampled_from([0.0, 0.0, 2.0, 20_000.0])
_ACTIONS = st.integers(0, 15).map(lambda n: f"a{n}")
_REFERENCES = st.sampled_from(["", "t1", "t2"])
_REVIEWS = st.sampled_from(["email-1", "email-2", "all-3"])
_CATEGORIES = st.integers(0, 40).map(lambda n: f"category {n}")
_DATES = st.sampled_from(["2025-05-01", "2026-11-30T12:00:00Z", "soon", ""])
_CONTRACTS = st.fixed_dictionaries({"reference": st.integers(0, 11).map(str)}, optional={"ends": _DATES, "starts": _DATES})
_TAKEN_BACK = st.fixed_dictionaries(
    {"amount": st.integers(0, 60_000), "currency": st.sampled_from(["EUR", "USD", "KWD"])}, optional={"order_id": st.integers(1, 4)}
)
_DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "page.viewed": st.just({}),
    "session.ended": st.just({}),
    "wishlist.changed": st.just({}),
    **{f"game.level_{n}": st.just({}) for n in range(20)},
    "order.placed": st.fixed_dictionaries(
        {"amount": st.sampled_from([0, *range(1, 100_000, 999)]), "currency": st.sampled_from(["EUR", "USD", "JPY", "KWD"])},
        optional={
            "order_id": st.integers(1, 4),
            "margin": st.integers(-500, 900),
            "products": st.lists(st.fixed_dictionaries({"category": _CATEGORIES}), max_size=9),
        },
    ),
    "contract.renewed": _CONTRACTS,
    "contract.cancelled": _CONTRACTS,
    "contract.signed": _CONTRACTS,
    "product.registered": st.fixed_dictionaries({"name": st.sampled_from("abcdefghijkl"), "purchase_date": _DATES}),
    "referral.made": st.just({}),
    "customer.registered": st.fixed_dictionaries({"acquisition_cost": st.integers(0, 900), "currency": st.sampled_from(["EUR", "KWD"])}),
    "email.clicked": st.just({}),
    "order.returned": _TAKEN_BACK,
    "order.cancelled": _TAKEN_BACK,
    "payment.failed": st.just({}),
    "sms.received": st.fixed_dictionaries({"wish": st.sampled_from(["opt_out", "opt_in"])}),
    "email.received": st.fixed_dictionaries({"wish": st.sampled_from(["opt_out", "review", ""]), "review": _REVIEWS}),
    "refusal.reviewed": st.fixed_dictionaries({"reference": _REVIEWS, "refused": st.booleans()}),
    "call.abandoned": st.just({}),
    "call.wrapped_up": st.fixed_dictionaries({"satisfaction": st.integers(1, 5), "refusal": st.booleans(), "complaint": st.booleans()}),
    "complaint.opened": st.fixed_dictionaries({"reference": _REFERENCES}),
    "complaint.resolved": st.fixed_dictionaries({"reference": _REFERENCES, "satisfied": st.booleans()}),
    "service.requested": st.fixed_dictionaries({"reference": _REFERENCES}),
    "service.completed": st.fixed_dictionaries({"reference": _REFERENCES}),
    "satisfaction.rated": st.fixed_dictionaries({"rating": st.integers(1, 5)}),
    "consent.granted": st.fixed_dictionaries(
        {"channel": st.sampled_from(["", "email", "sms"]), "purpose": st.sampled_from(["", "marketing"])}
    ),
    "consent.withdrawn": st.fixed_dictionaries(
        {"channel": st.sampled_from(["", "email", "sms"]), "purpose": st.sampled_from(["", "marketing"])}
    ),
    "customer.identified": st.fixed_dictionaries(
        {},
        optional={
            "email": st.sampled_from(["ann@example.com", "ann@example.org"]),
            "timezone": st.sampled_from(["Europe/Berlin", "America/New_York", "Moon/Base"]),
            "plan": st.sampled_from(["a", "b"]),
            "email_verified": st.booleans(),
            "contract_end": _DATES,
            "address": st.fixed_dictionaries({"country": st.sampled_from(["US", "DE"]), "state": st.sampled_from(["TX", "NY"])}),
        },
    ),
}


@st.composite
def touchpoints(draw: st.DrawFn) -> Touchpoint:
    """Any touchpoint with built-in meaning, somewhere in a year and a bit."""
    kind = draw(st.sampled_from(sorted(_DATA)))
    return touchpoint(kind, after=draw(_DAYS), late=draw(_LATE), **draw(_DATA[kind]))


@st.composite
def outcome_messages(draw: st.DrawFn) -> Outcome:
    """Any outcome of one of a few contacts."""
    kinds: list[OutcomeKind] = ["accepted", "delivered", "opened", "clicked", "replied", "answered", "refused", "bounced", "failed"]
    made = outcome(draw(st.sampled_from(kinds)), after=draw(_DAYS), action=draw(_ACTIONS))
    return msgspec.structs.replace(made, cost=draw(st.integers(0, 90)), currency=draw(st.sampled_from(["EUR", "USD"])))


histories = st.lists(st.one_of(touchpoints(), outcome_messages()), max_size=24)
crowded = st.lists(st.one_of(touchpoints(), outcome_messages()), min_size=40, max_size=90)
"""Long enough to come to the bounds of what is kept."""
