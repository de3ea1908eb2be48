"""Builders of what scoring takes in, and Hypothesis strategies of histories, for the tests of scoring."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome, OutcomeKind
from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_runtime.application import Taken
from nextwave_scoring.profile import outcomes, touch
from nextwave_scoring.profile.record import Profile

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


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
            outcomes.take(profile, event)
        else:
            touch.take(profile, event)
    return profile


_DAYS = st.integers(0, 400 * 24).map(lambda hours: hours / 24)
_LATE = st.sampled_from([0.0, 0.0, 2.0, 20_000.0])
_REFERENCES = st.sampled_from(["", "t1", "t2"])
_DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "page.viewed": st.just({}),
    "session.ended": st.just({}),
    "wishlist.changed": st.just({}),
    "order.placed": st.fixed_dictionaries({"amount": st.integers(0, 100_000), "currency": st.sampled_from(["EUR", "USD"])}),
    "order.returned": st.fixed_dictionaries({"amount": st.integers(0, 1_000), "currency": st.just("EUR")}),
    "payment.failed": st.just({}),
    "sms.received": st.fixed_dictionaries({"wish": st.sampled_from(["opt_out", "opt_in"])}),
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
    kinds: list[OutcomeKind] = ["accepted", "delivered", "opened", "clicked", "refused", "bounced", "failed"]
    kind = draw(st.sampled_from(kinds))
    return outcome(kind, after=draw(_DAYS), action=draw(st.sampled_from(["a1", "a2", "a3"])))


histories = st.lists(st.one_of(touchpoints(), outcome_messages()), max_size=24)
