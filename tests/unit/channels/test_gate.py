"""The claim's checks as a table, and the rules by which the newest word counts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from channel_contacts import DAY, HOUR, NOON, a_contact
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_channels.gate import Claim, Fact, Later, Never, Stops, check, facts_of, forbidden, newest, opening
from nextwave_contracts.actions import Contact, Span
from nextwave_contracts.holds import COMPLAINT_HOLDS_FOR, Hold

SECOND = timedelta(seconds=1)
OPEN = Stops(facts={}, campaigns=frozenset())


def a_fact(**changes: Any) -> Fact:
    known: dict[str, Any] = {"subject": "hash-ann-mail", "kind": "opt", "stopped": True, "at": NOON}
    return Fact(**{**known, **changes})


def stops(*facts: Fact, campaigns: tuple[str, ...] = ()) -> Stops:
    by_subject: dict[str, tuple[Fact, ...]] = {}
    for fact in newest((), facts):
        by_subject[fact.subject] = (*by_subject.get(fact.subject, ()), fact)
    return Stops(facts=by_subject, campaigns=frozenset(campaigns))


@pytest.mark.parametrize(
    ("known", "ruling"),
    [
        (OPEN, Claim()),
        (stops(campaigns=("renewal",)), Never("withdrawn", "campaign_stopped")),
        (stops(campaigns=("other",)), Claim()),
        (stops(a_fact()), Never("withdrawn", "suppressed")),
        (stops(a_fact(subject="hash-ann-id")), Never("withdrawn", "suppressed")),
        (stops(a_fact(subject="hash-bob")), Claim()),
        (stops(a_fact(channel="email")), Never("withdrawn", "suppressed")),
        (stops(a_fact(channel="sms")), Claim()),
        (stops(a_fact(purpose="marketing")), Never("withdrawn", "suppressed")),
        (stops(a_fact(purpose="service")), Claim()),
        (stops(a_fact(channel="email", purpose="service")), Claim()),
        (stops(a_fact(), a_fact(stopped=False, channel="email", at=NOON + HOUR)), Claim()),
        (stops(a_fact(), a_fact(stopped=False, channel="email")), Never("withdrawn", "suppressed")),
        (stops(a_fact(), a_fact(subject="hash-ann-id", stopped=False, at=NOON + HOUR)), Claim()),
        (stops(a_fact(kind="complaint", reference="T1")), Never("withdrawn", "complaint_open")),
        (stops(a_fact(kind="complaint", reference="T1"), a_fact(kind="complaint", reference="T1", stopped=False, at=NOON + HOUR)), Claim()),
        (
            stops(a_fact(kind="complaint", reference="T1"), a_fact(kind="complaint", reference="T2", stopped=False, at=NOON + HOUR)),
            Never("withdrawn", "complaint_open"),
        ),
        (
            stops(a_fact(kind="complaint", reference="T1"), a_fact(kind="complaint", stopped=False, at=NOON + HOUR)),
            Claim(),
        ),
        (
            stops(a_fact(kind="complaint", reference="T1", at=NOON + HOUR), a_fact(kind="complaint", stopped=False)),
            Never("withdrawn", "complaint_open"),
        ),
        (
            stops(a_fact(kind="complaint"), a_fact(kind="complaint", subject="hash-ann-id", stopped=False, at=NOON + HOUR)),
            Claim(),
        ),
        (stops(a_fact(kind="complaint"), a_fact(), campaigns=("renewal",)), Never("withdrawn", "campaign_stopped")),
    ],
)
def test_the_gate_rules_by_the_first_check_that_fails(known: Stops, ruling: object) -> None:
    assert check(a_contact(), known, NOON, NOON) == ruling


@pytest.mark.parametrize(
    ("purpose", "held"), [("marketing", True), ("care", True), ("recovery", False), ("service", False), ("transactional", False)]
)
def test_an_open_complaint_stops_selling_and_care_only(purpose: str, held: bool) -> None:
    reason = forbidden(a_contact(purpose=purpose), stops(a_fact(kind="complaint")), NOON)
    assert (reason == "complaint_open") is held


CLOSED = a_fact(kind="address", channel="email")


@pytest.mark.parametrize(
    ("known", "addressed", "reason"),
    [
        (stops(CLOSED), "hash-ann-mail", "suppressed"),
        (stops(CLOSED), "hash-ann-other-mail", None),
        (stops(CLOSED), "", "suppressed"),
        (stops(a_fact(kind="address", channel="sms")), "hash-ann-mail", None),
        (stops(a_fact(kind="address")), "hash-ann-mail", "suppressed"),
        (stops(CLOSED, a_fact(kind="opt", stopped=False, channel="email", at=NOON + HOUR)), "hash-ann-mail", "suppressed"),
        (stops(CLOSED, a_fact(kind="address", channel="email", stopped=False, at=NOON + HOUR)), "hash-ann-mail", None),
        (stops(CLOSED, a_fact(kind="address", stopped=False, at=NOON + HOUR)), "hash-ann-mail", None),
    ],
)
def test_a_dead_address_stops_every_purpose_but_no_other_address_and_no_consent_revives_it(
    known: Stops, addressed: str, reason: str | None
) -> None:
    for purpose in ("marketing", "transactional"):
        contact = a_contact(purpose=purpose, address_subject=addressed, subjects=("hash-ann-id", "hash-ann-mail", "hash-ann-other-mail"))
        assert forbidden(contact, known, NOON + 2 * HOUR) == reason


@pytest.mark.parametrize(
    ("channel", "reason"),
    [("email", "suppressed"), ("call", "suppressed"), ("onsite", None), ("visit", None), ("letter", None), ("webhook", None)],
)
def test_an_address_closed_on_every_channel_closes_none_that_is_reached_without_it(channel: str, reason: str | None) -> None:
    closed = stops(a_fact(kind="address"))
    contact = a_contact(channel=channel, address_subject="", subjects=("hash-ann-id", "hash-ann-mail"))
    assert forbidden(contact, closed, NOON) == reason


SAID_STOP = a_fact(channel="sms")
SAID_START = a_fact(channel="sms", stopped=False, at=NOON + HOUR)
TEXT = a_contact(channel="sms", purpose="transactional")
CONFIRMING = a_contact(action_id="stop-confirmation-1", channel="sms", purpose="transactional")


@pytest.mark.parametrize(
    ("contact", "known", "reason"),
    [
        (CONFIRMING, stops(SAID_STOP), None),
        (CONFIRMING, stops(SAID_STOP, a_fact(kind="complaint")), None),
        (CONFIRMING, OPEN, "suppressed"),
        (CONFIRMING, stops(SAID_STOP, SAID_START), "suppressed"),
        (CONFIRMING, stops(SAID_STOP, a_fact(kind="address", channel="sms")), "suppressed"),
        (TEXT, stops(SAID_STOP), "suppressed"),
        (replace(CONFIRMING, channel="call"), stops(a_fact()), "suppressed"),
        (replace(CONFIRMING, purpose="marketing"), stops(SAID_STOP), "suppressed"),
        (replace(CONFIRMING, purpose="service"), stops(SAID_STOP), "suppressed"),
    ],
)
def test_what_confirms_a_stop_goes_out_only_while_the_stop_is_in_force_and_nothing_else_does(
    contact: Contact, known: Stops, reason: str | None
) -> None:
    assert forbidden(contact, known, NOON + 2 * HOUR) == reason


def test_a_complaint_that_nobody_closes_lapses_and_a_newer_one_does_not() -> None:
    known, lapses = stops(a_fact(kind="complaint", reference="a")), NOON + COMPLAINT_HOLDS_FOR
    assert forbidden(a_contact(), known, lapses - timedelta(microseconds=1)) == "complaint_open"
    assert forbidden(a_contact(), known, lapses) is None
    both = stops(a_fact(kind="complaint", reference="a"), a_fact(kind="complaint", reference="b", at=NOON + HOUR))
    assert forbidden(a_contact(), both, lapses) == "complaint_open"


@pytest.mark.parametrize(
    ("now", "ruling"),
    [
        (NOON - 2 * HOUR, Later(NOON - HOUR)),
        (NOON - HOUR, Claim()),
        (NOON + 8 * HOUR - timedelta(microseconds=1), Claim()),
        (NOON + 8 * HOUR, Later(NOON + DAY)),
        (NOON + DAY + HOUR, Never("expired", "expired")),
        (NOON + 3 * DAY, Never("expired", "expired")),
    ],
)
def test_a_contact_goes_out_inside_its_spans_only(now: Any, ruling: object) -> None:
    assert check(a_contact(), OPEN, now, now) == ruling


def test_a_contact_is_not_postponed_to_a_span_that_begins_at_its_latest_time() -> None:
    contact = a_contact(not_after=NOON + DAY)
    assert check(contact, OPEN, NOON + 9 * HOUR, NOON + 9 * HOUR) == Never("expired", "expired")


@pytest.mark.parametrize(
    ("left", "not_after", "ruling"),
    [
        (SECOND, NOON + 2 * DAY, Later(NOON + DAY)),
        (2 * SECOND, NOON + 2 * DAY, Claim()),
        (HOUR, NOON + 7 * HOUR + SECOND, Never("expired", "expired")),
        (HOUR, NOON + 7 * HOUR + 2 * SECOND, Claim()),
    ],
)
def test_what_may_begin_after_the_hours_or_its_latest_time_is_not_claimed(left: timedelta, not_after: Any, ruling: object) -> None:
    now = NOON + 8 * HOUR - left
    assert check(a_contact(not_after=not_after), OPEN, now, now + SECOND) == ruling


def test_no_permitted_span_means_never() -> None:
    assert check(a_contact(permitted=()), OPEN, NOON, NOON) == Never("expired", "expired")


hours = st.integers(0, 72)
spans = st.lists(st.tuples(hours, hours), max_size=6).map(
    lambda pairs: tuple(Span(start=NOON + a * HOUR, end=NOON + b * HOUR) for a, b in pairs)
)


@settings(deadline=None)
@given(spans, hours)
def test_the_opening_is_the_first_permitted_instant(permitted: tuple[Span, ...], at: int) -> None:
    every = [NOON + n * HOUR for n in range(at, 73)]
    expected = next((t for t in every if any(s.start <= t < s.end for s in permitted)), None)
    assert opening(permitted, NOON + at * HOUR, NOON + at * HOUR) == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_facts_may_be_heard_in_any_order_and_number(said: list[tuple[bool, int]], random: Any) -> None:
    facts = [a_fact(stopped=stopped, at=NOON + n * HOUR) for stopped, n in said]
    shuffled = [*facts, *facts]
    random.shuffle(shuffled)
    assert newest((), facts) == newest((), shuffled)


def test_a_complaint_and_an_opt_out_become_facts_of_every_name() -> None:
    hold = Hold(id="1", source="s", kind="opt_out", subjects=("a", "b", "a"), at=NOON, channel="sms", reference="x", reason="sms.received")
    assert {f.reason for f in facts_of(hold, NOON)} == {"sms.received"}
    assert [(f.subject, f.kind, f.channel, f.reference, f.stopped) for f in facts_of(hold, NOON)] == [
        ("a", "opt", "sms", "", True),
        ("b", "opt", "sms", "", True),
    ]
    lifted = Hold(id="2", source="s", kind="complaint_lifted", subjects=("a",), at=NOON, channel="sms", reference="T1")
    assert [(f.kind, f.channel, f.reference, f.stopped) for f in facts_of(lifted, NOON)] == [("complaint", "", "T1", False)]


DOORS_OFF = st.sampled_from([-26, -1, 0, 1, 26]).map(lambda hours: hours * HOUR)


@settings(deadline=None)
@given(DOORS_OFF, DOORS_OFF, st.sampled_from([("opt_in", "opt_out"), ("complaint_lifted", "complaint")]))
def test_whatever_the_doors_clocks_say_a_stop_never_loses_to_what_was_said_before_it(
    grant_off: timedelta, stop_off: timedelta, kinds: tuple[Any, Any]
) -> None:
    lifting, stopping = kinds
    before = Hold(id="1", source="s", kind=lifting, subjects=("a",), at=NOON + grant_off, reference="T1")
    after = Hold(id="2", source="s", kind=stopping, subjects=("a",), at=NOON + HOUR + stop_off, reference="T1")
    said = facts_of(before, NOON), facts_of(after, NOON + HOUR)
    for order in (said, reversed(said)):
        assert [fact.stopped for fact in newest((), [fact for facts in order for fact in facts])] == [True]


def test_a_stop_counts_from_the_later_and_its_lifting_from_the_earlier_of_its_own_time_and_the_brokers() -> None:
    times = {}
    for kind in ("opt_out", "complaint", "opt_in", "complaint_lifted"):
        for own in (NOON - HOUR, NOON + HOUR):
            hold = Hold(id="1", source="s", kind=kind, subjects=("a",), at=own)
            times[kind, own < NOON] = facts_of(hold, NOON)[0].at
    assert {kind: at for (kind, early), at in times.items() if early} == {
        "opt_out": NOON, "complaint": NOON, "opt_in": NOON - HOUR, "complaint_lifted": NOON - HOUR,
    }  # fmt: skip
    assert {kind: at for (kind, early), at in times.items() if not early} == {
        "opt_out": NOON + HOUR, "complaint": NOON + HOUR, "opt_in": NOON, "complaint_lifted": NOON,
    }  # fmt: skip


UNDER_REVIEW = a_fact(kind="review", channel="email", reference="email-1")
OVER = a_fact(kind="review", reference="email-1", subject="hash-ann-id", stopped=False, at=NOON + HOUR)


@pytest.mark.parametrize(
    ("known", "channel", "reason"),
    [
        (stops(UNDER_REVIEW), "email", "hold"),
        (stops(UNDER_REVIEW), "sms", None),
        (stops(a_fact(kind="review", reference="all-1")), "sms", "hold"),
        (stops(UNDER_REVIEW, OVER), "email", None),
        (stops(UNDER_REVIEW, a_fact(kind="review", reference="email-2", stopped=False)), "email", "hold"),
        (stops(UNDER_REVIEW, OVER, a_fact(kind="review", channel="email", reference="email-2")), "email", "hold"),
        (stops(UNDER_REVIEW, a_fact(kind="opt", channel="email", stopped=False, at=NOON + HOUR)), "email", "hold"),
    ],
)
def test_a_possible_refusal_holds_its_channel_until_its_own_review_is_over(known: Stops, channel: str, reason: str | None) -> None:
    assert forbidden(a_contact(channel=channel), known, NOON + 365 * 24 * HOUR) == reason


@pytest.mark.parametrize(
    ("purpose", "held"), [("marketing", True), ("care", True), ("recovery", True), ("service", False), ("transactional", False)]
)
def test_a_possible_refusal_stops_all_but_what_the_customer_asked_for(purpose: str, held: bool) -> None:
    assert (forbidden(a_contact(purpose=purpose), stops(UNDER_REVIEW), NOON) == "hold") is held


def test_a_review_counts_from_the_broker_s_stamp_and_so_does_its_end() -> None:
    [begun], [ended] = (
        facts_of(Hold(id="h", source="s", kind=kind, subjects=("a",), at=NOON, channel="sms", reference="sms-1"), NOON + HOUR)
        for kind in ("review", "review_lifted")
    )
    assert (begun.kind, begun.channel, begun.reference, begun.stopped, begun.at) == ("review", "sms", "sms-1", True, NOON + HOUR)
    assert (ended.kind, ended.channel, ended.reference, ended.stopped, ended.at) == ("review", "", "sms-1", False, NOON + HOUR)
