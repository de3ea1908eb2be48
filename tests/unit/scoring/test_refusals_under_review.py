"""Words that may be a refusal hold the customer's channel, by every name, until the review of the same reference ends."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.profile import consents, matters
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


def test_what_was_said_by_a_shared_name_holds_all_who_share_it_until_it_is_reviewed() -> None:
    ledger = Ledger()
    ledger.see(touchpoint(after=0, names=(ANN, PHONE)), touchpoint(after=0.5, names=(BOB, PHONE)))
    ledger.see(asked(SMS_1, names=(PHONE,)))
    assert [waiting(ledger.profile(name)) for name in (ANN, BOB, PHONE)] == [{SMS_1: "sms"}] * 3
    ledger.see(verdict(SMS_1, names=(PHONE,)))
    assert [waiting(ledger.profile(name)) for name in (ANN, BOB, PHONE)] == [{}] * 3
