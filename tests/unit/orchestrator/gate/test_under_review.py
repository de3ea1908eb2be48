"""Words that may be a refusal, which nobody has read yet, hold one channel and no other."""

from __future__ import annotations

from msgspec.structs import replace
from nextwave_contracts.customers import HeldBy, UnderReview
from nextwave_orchestrator.gate import Act, Withhold, decide, stopped
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave
from unit.orchestrator.gate.test_gate import DAY, MAIL, SMS, asked

WAITING = UnderReview(reference="sms-1", channel="sms", since=MONDAY_NOON - DAY)


def test_words_that_may_be_a_refusal_hold_their_channel_and_the_next_one_is_tried() -> None:
    assert decide(asked(SMS, reviews=(WAITING,))).ruling == Withhold("hold")
    assert decide(asked(SMS, MAIL, reviews=(WAITING,))).ruling == Act(1)
    assert decide(asked(MAIL, reviews=(WAITING,))).ruling == Act(0)
    assert decide(asked(SMS, MAIL, reviews=(replace(WAITING, channel=""),))).ruling == Withhold("hold")
    assert decide(asked(SMS, MAIL, holds=(HeldBy(kind="legal", since=MONDAY_NOON),))).ruling == Withhold("hold")


def test_they_hold_everything_but_what_the_customer_asked_for_and_take_back_what_is_queued() -> None:
    held = {p: decide(asked(SMS, reviews=(WAITING,), purpose=p)).attempts[0].code for p in ("marketing", "care", "recovery", "service")}
    assert held == {"marketing": "hold", "care": "hold", "recovery": "hold", "service": "permitted"}
    assert isinstance(decide(asked(SMS, reviews=(WAITING,), purpose="transactional")).ruling, Act)
    assert stopped(asked(SMS, reviews=(WAITING,))) == "hold"
    assert stopped(asked(MAIL, reviews=(WAITING,))) is None


def test_what_the_profile_says_is_under_review_is_what_the_gate_asks() -> None:
    house = House(catalogue(campaign("a", wave("tell", "sms", "email"))), profile=snapshot(reviews=(WAITING,)))
    house.touch("cart.updated")
    [decision] = house.decisions
    assert (decision.result, decision.channel) == ("act", "email")
    assert [attempt.code for attempt in decision.attempts] == ["hold", "permitted"]
