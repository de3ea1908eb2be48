"""Words that may be a refusal hold the customer's channel, by every name, until the review of the same reference ends."""

from __future__ import annotations

import random
from itertools import permutations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_contracts.identifiers import INTERNAL
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.profile import consents, matters
from nextwave_scoring.profile.matters import REVIEWS_MAX
from nextwave_scoring.profile.record import Profile

from .ledger import Ledger
from .making import folded, touchpoint

SMS_1, SMS_2, ALL_3 = "sms-0001", "sms-0002", "all-0003"
KINDS = {SMS_1: "sms.received", SMS_2: "sms.received", ALL_3: "message.left"}
ANN, BOB, PHONE = "customer_id:ann", "customer_id:bob", "phone:+493012345678"


def asked(reference: str, after: float = 1, **who: Any) -> Touchpoint:
    return touchpoint(KINDS[reference], after=after, wish="review", review=reference, **who)


def verdict(reference: str, after: float = 2, *, refused: bool = False, **data: Any) -> Touchpoint:
    return touchpoint("refusal.reviewed", after=after, reference=reference, refused=refused, **data)


def waiting(profile: Profile) -> dict[str, str]:
    return {review.reference: review.channel for review in matters.reviews(profile.matters)}


def withdrawn(profile: Profile) -> set[str]:
    return {fact.channel for fact in consents.view(profile.consents) if not fact.granted}


def test_each_review_is_of_its_channel_and_ends_by_its_own_verdict() -> None:
    said = [asked(SMS_1), asked(SMS_2, 1.5), asked(ALL_3, 1.6)]
    assert waiting(folded([*said])) == {SMS_1: "sms", SMS_2: "sms", ALL_3: ""}
    for history in permutations([*said, verdict(SMS_1)]):
        profile = folded(list(history))
        assert waiting(profile) == {SMS_2: "sms", ALL_3: ""}
        assert not withdrawn(profile)


def test_it_is_no_complaint_and_no_open_matter_and_does_not_lapse() -> None:
    profile = folded([asked(SMS_1), touchpoint("page.viewed", after=900)])
    assert waiting(profile) == {SMS_1: "sms"}
    assert not matters.holds(profile.matters)
    assert matters.count_open(profile.matters, matters.COMPLAINT) == matters.count_open(profile.matters, matters.SERVICE) == 0


def test_a_complaint_that_is_closed_ends_no_review_and_no_grant_does() -> None:
    after = [touchpoint("complaint.resolved", after=3), touchpoint("sms.received", after=4, wish="opt_in")]
    assert waiting(folded([asked(SMS_1), *after])) == {SMS_1: "sms"}


@pytest.mark.parametrize(
    ("reference", "data", "channel"),
    [(SMS_1, {}, "sms"), (SMS_1, {"channel": "email"}, "email"), (ALL_3, {}, ""), (SMS_1, {"channel": "x"}, "")],
)
def test_a_refusal_becomes_a_withdrawal(reference: str, data: dict[str, Any], channel: str) -> None:
    profile = folded([asked(reference), verdict(reference, refused=True, **data)])
    assert (waiting(profile), withdrawn(profile)) == ({}, {channel})


def test_a_verdict_of_a_slow_clock_ends_the_review_all_the_same() -> None:
    assert waiting(folded([asked(SMS_1, 5), verdict(SMS_1, 2, late=4)])) == {}


@pytest.mark.parametrize(
    ("kind", "data", "channel"),
    [
        ("email.received", {}, "email"),
        ("chat.message_received", {}, "chat"),
        ("message.left", {}, ""),
        ("chat.message_received", {"everywhere": True}, ""),
    ],
)
def test_a_stop_in_a_customer_s_own_words_withdraws_its_channel(kind: str, data: dict[str, Any], channel: str) -> None:
    assert withdrawn(folded([touchpoint(kind, after=1, wish="opt_out", **data)])) == {channel}


@pytest.mark.parametrize("ours", [False, True])
def test_what_was_said_by_a_shared_name_holds_all_who_share_it_until_it_is_reviewed(ours: bool) -> None:
    ledger = Ledger()
    ledger.see(touchpoint(after=0, names=(ANN, PHONE)), touchpoint(after=0.5, names=(BOB, PHONE)))
    ledger.see(asked(SMS_1, names=(PHONE,)))
    assert [waiting(ledger.profile(name)) for name in (ANN, BOB, PHONE)] == [{SMS_1: "sms"}] * 3
    ledger.see(verdict(SMS_1, names=(INTERNAL + str(ledger.unit.root_of_name(PHONE)) if ours else PHONE,), refused=True))
    assert [withdrawn(ledger.profile(name)) for name in (ANN, BOB, PHONE)] == [{"sms"}] * 3
    assert [waiting(ledger.profile(name)) for name in (ANN, BOB, PHONE)] == [{}] * 3


def many(count: int, channel: str = "sms") -> list[Touchpoint]:
    """So many doubtful messages, one a day."""
    kind = {"sms": "sms.received", "email": "email.received"}[channel]
    return [touchpoint(kind, after=1 + n, wish="review", review=f"{channel}-{n:04}") for n in range(count)]


def verdicts(asked: list[Touchpoint], after: float = 90) -> list[Touchpoint]:
    return [verdict(said.data["review"], after + n / 100, names=said.identifiers) for n, said in enumerate(asked)]


@pytest.mark.parametrize("names", [(ANN,), (ANN, PHONE)])
def test_however_many_wait_they_hold_their_channel_alone_and_whoever_is_shown_can_be_ended(names: tuple[str, ...]) -> None:
    said = [msgspec.structs.replace(told, identifiers=(names[n % len(names)],)) for n, told in enumerate(many(2 * REVIEWS_MAX + 9))]
    said.insert(0, touchpoint(after=0, names=names))
    read: list[Touchpoint] = []
    for _ in names:
        held = waiting(folded([*said, *read]))
        assert set(held.values()) == {"sms"}
        assert held.keys() <= {message.data.get("review") for message in said}, "no reference that no list has"
        read += verdicts([msgspec.structs.replace(told, identifiers=names) for told in said if told.data.get("review") in held])
    assert waiting(folded([*said, *read])) == {}


def test_many_verdicts_on_one_channel_end_no_review_on_another() -> None:
    said = many(REVIEWS_MAX + 9)
    unread = touchpoint("email.received", after=0.5, wish="review", review="email-0001")
    assert waiting(folded([unread, *said, *verdicts(said)])) == {"email-0001": "email"}


def test_the_last_of_many_is_not_ended_by_the_verdicts_on_those_before() -> None:
    said = many(REVIEWS_MAX + 1)
    assert waiting(folded([*said, *verdicts(said[:-1])])) == {said[-1].data["review"]: "sms"}


def test_more_verdicts_than_are_kept_count_what_was_written_before_them_as_read() -> None:
    said = many(REVIEWS_MAX + 2)
    assert waiting(folded([*said, *verdicts(said[:-1])])) == {}, "the channels hold it, and the list has it (docs/doors.md)"


def test_verdicts_by_several_names_end_what_waits_by_all_of_them() -> None:
    said = many(REVIEWS_MAX + 9)
    both = touchpoint(after=0, names=(ANN, "email:ann@example.com"))
    read = [msgspec.structs.replace(told, identifiers=(ANN,)) if n % 2 else told for n, told in enumerate(verdicts(said))]
    assert waiting(folded([both, *said, *read])) == {}


_TOLD = st.lists(
    st.tuples(st.booleans(), st.sampled_from(["sms", "email", "x"]), st.integers(0, 50), st.integers(-2, 120)), min_size=60, max_size=160
)


def known(told: list[tuple[bool, str, int, int]]) -> matters.Matters:
    found: matters.Matters = {}
    for is_opening, channel, number, at in told:
        (matters.opened if is_opening else matters.closed)(found, matters.REVIEW, f"{channel}-{number}", at)
    return found


@settings(max_examples=50, deadline=None)
@given(_TOLD, st.randoms())
def test_what_waits_is_the_same_in_any_order_and_grouping(told: list[tuple[bool, str, int, int]], chance: random.Random) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)
    cut = chance.randrange(len(told))
    assert known(told) == known(shuffled) == matters.merge(known(shuffled[:cut]), known(shuffled[cut:]))
