"""The gate: which check answers, with which code, and that the same input gives the same answer again."""

from __future__ import annotations

from dataclasses import replace as with_values
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nextwave_contracts.actions import Contact
from nextwave_contracts.customers import Consent, ContactPoint, HeldBy, Value
from nextwave_contracts.decisions import Rival
from nextwave_orchestrator.campaigns.definition import Cap, Policy, Template, Variant
from nextwave_orchestrator.candidate import GateInput, Offer, own_quiet_hours
from nextwave_orchestrator.caps import CapRule
from nextwave_orchestrator.checks import CHECKS
from nextwave_orchestrator.decisions import answer, answer_in
from nextwave_orchestrator.gate import NEXT_CHANNEL, Act, Defer, Withhold, decide
from nextwave_orchestrator.holdout import draw, held_out
from nextwave_orchestrator.replaying import is_same
from nextwave_orchestrator.state import Reservation
from nextwave_orchestrator.templates import Templates
from unit.orchestrator.decision_world import MONDAY_NOON, House, campaign, catalogue, snapshot, wave

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
NIGHT = MONDAY_NOON + 12 * HOUR
MAIL = Offer(channel="email", address="ann@example.com", opt_in=True)
SMS = Offer(channel="sms", address="+4915112345678", cost=8, response_rate=0.08, opt_in=True)
GRANTED = Consent(channel="", purpose="", granted=True, at=MONDAY_NOON - DAY)


def asked(*offers: Offer, **changes: Any) -> GateInput:
    known: dict[str, Any] = {
        "customer_id": "c-1",
        "campaign": "winter",
        "version": 1,
        "wave": "tell",
        "run_id": "r",
        "purpose": "marketing",
        "now": MONDAY_NOON,
        "not_after": MONDAY_NOON + 2 * DAY,
        "state": "published",
        "salt": "s",
        "holdouts": (),
        "offers": offers or (SMS,),
        "consents": (GRANTED,),
        "holds": (),
        "open_complaints": 0,
        "unsatisfied": False,
        "not_ready": (),
        "zones": ("Europe/Berlin",),
        "country": "DE",
        "region": "",
        "caps": (),
        "reservations": (),
        "resting": {},
        "cell": "IV",
        "risk": 0.4,
        "goal_value": 12_000,
        "lever": 1.0,
    }
    return GateInput(**{**known, **changes})


HELD = HeldBy(kind="complaint", since=MONDAY_NOON - DAY)
RICHER = Rival(
    run_id="other", campaign="spring", wave="tell", channel="email", purpose="marketing", at=MONDAY_NOON, priority=100,
    response=0.5, value=9_000, weight=1.0, lever=1.0, cost=0, score=4_500,
)  # fmt: skip
FAULTS: list[tuple[str, dict[str, Any], Offer]] = [
    ("campaign_stopped", {"state": "paused"}, SMS),
    ("holdout", {"holdouts": (("*", 1.0),)}, SMS),
    ("no_consent", {"consents": ()}, SMS),
    ("suppressed", {}, replace(SMS, address="", bounced=True)),
    ("no_address", {}, replace(SMS, address="")),
    ("complaint_open", {"holds": (HELD,)}, SMS),
    ("complaint_open", {"open_complaints": 1}, SMS),
    ("hold", {"holds": (HeldBy(kind="legal", since=MONDAY_NOON),)}, SMS),
    ("unsatisfied", {"unsatisfied": True}, SMS),
    ("not_ready", {"not_ready": ("payment",)}, SMS),
    ("not_ready", {}, replace(SMS, wanting="template x")),
    ("hours", {"now": NIGHT}, SMS),
    ("cap", {"caps": (CapRule(1, 3600.0),), "reservations": (Reservation("x", "w", "sms", "marketing", MONDAY_NOON),)}, SMS),
    ("not_worth_it", {"goal_value": 99}, SMS),
    ("budget", {"budget_left": 7}, SMS),
    ("capacity", {}, replace(SMS, capacity_free_at=MONDAY_NOON + HOUR)),
    ("not_worth_it", {"cell": "I"}, SMS),
    ("outranked", {"caps": (CapRule(1, 3600.0),), "rivals": (RICHER,)}, SMS),
    ("expired", {"not_after": MONDAY_NOON}, SMS),
]


@pytest.mark.parametrize(("code", "changes", "offer"), FAULTS)
def test_each_fault_alone_gives_its_own_code(code: str, changes: dict[str, Any], offer: Offer) -> None:
    judgement = decide(asked(offer, **changes))
    assert judgement.attempts[-1].code == code
    assert not isinstance(judgement.ruling, Act)
    assert [check.passed for check in judgement.attempts[-1].checks[:-1]] == [True] * (len(judgement.attempts[-1].checks) - 1)
    assert isinstance(decide(asked(SMS)).ruling, Act)


def test_every_check_has_a_case_above() -> None:
    assert {code for code, _, _ in FAULTS} == {code for code, _ in CHECKS}


@settings(max_examples=150, deadline=None)
@given(chosen=st.sets(st.integers(0, len(FAULTS) - 1), min_size=2))
def test_of_several_faults_the_first_in_gate_order_answers(chosen: set[int]) -> None:
    order = [code for code, _ in CHECKS]
    changes: dict[str, Any] = {}
    offer = SMS
    for index in sorted(chosen):
        _, more, other = FAULTS[index]
        changes |= more
        if other != SMS:
            offer = other
    first = min((code for code in order if _fails(code, changes, offer)), key=order.index)
    assert decide(asked(offer, **changes)).attempts[-1].code == first


def _fails(code: str, changes: dict[str, Any], offer: Offer) -> bool:
    given = asked(offer, **changes)
    return next(check for name, check in CHECKS if name == code)(given, offer) is not None


def test_a_fault_of_the_channel_tries_the_next_and_any_other_fault_ends_the_search() -> None:
    no_address = replace(SMS, address="")
    assert decide(asked(no_address, MAIL)).ruling == Act(1)
    assert decide(asked(no_address, replace(MAIL, bounced=True, address=""))).ruling == Withhold("no_address")
    night = decide(asked(SMS, MAIL, now=NIGHT))
    assert night.ruling == Defer(datetime.fromisoformat("2026-06-16T06:00:00Z"), "hours")
    assert {"no_consent", "suppressed", "no_address", "not_worth_it"} == NEXT_CHANNEL


def test_what_would_pass_only_after_the_latest_time_is_withheld() -> None:
    assert decide(asked(SMS, now=NIGHT, not_after=NIGHT + HOUR)).ruling == Withhold("hours")
    assert decide(asked(SMS, now=NIGHT, zones=())).ruling == Withhold("hours")


def test_withdrawn_beats_granted_at_the_same_instant_and_the_newest_fact_wins() -> None:
    def ruling(*facts: tuple[str, str, bool, int]) -> object:
        consents = tuple(Consent(channel=c, purpose=p, granted=g, at=MONDAY_NOON - at * HOUR) for c, p, g, at in facts)
        return decide(asked(SMS, consents=consents)).attempts[0].code

    assert ruling(("sms", "marketing", True, 5), ("sms", "marketing", False, 5)) == "no_consent"
    assert ruling(("sms", "marketing", False, 5), ("sms", "marketing", True, 4)) == "permitted"
    assert ruling(("sms", "marketing", True, 5), ("", "", False, 4)) == "no_consent"
    assert ruling(("", "", False, 5), ("sms", "", True, 4)) == "permitted"
    assert ruling(("email", "", True, 5)) == "no_consent"
    assert ruling(("sms", "care", True, 5)) == "no_consent"


def test_a_complaint_stops_marketing_and_care_but_not_what_the_customer_is_owed() -> None:
    codes = {
        p: decide(asked(SMS, holds=(HELD,), purpose=p)).attempts[0].code
        for p in ("marketing", "care", "service", "recovery", "transactional")
    }
    assert codes == {
        "marketing": "complaint_open",
        "care": "complaint_open",
        "service": "permitted",
        "recovery": "permitted",
        "transactional": "permitted",
    }
    over = HeldBy(kind="complaint", since=MONDAY_NOON - DAY, until=MONDAY_NOON)
    assert isinstance(decide(asked(SMS, holds=(over,))).ruling, Act)


def test_what_is_owed_has_no_cost_gate_and_transactional_no_hours() -> None:
    assert isinstance(decide(asked(SMS, purpose="recovery", goal_value=0, cell="I")).ruling, Act)
    assert decide(asked(SMS, purpose="recovery", now=NIGHT)).attempts[0].code == "hours"
    assert isinstance(decide(asked(SMS, purpose="transactional", now=NIGHT, zones=())).ruling, Act)


def test_the_expected_margin_must_cover_the_cost() -> None:
    assert isinstance(decide(asked(SMS, goal_value=100)).ruling, Act)
    assert decide(asked(SMS, goal_value=100)).numbers["expected_margin"] == pytest.approx(8.0)
    assert decide(asked(replace(SMS, cost=9), goal_value=100)).ruling == Withhold("not_worth_it")


@settings(max_examples=60)
@given(ids=st.lists(st.uuids(), min_size=1, max_size=20), share=st.floats(0, 1))
def test_the_holdout_is_fixed_by_the_salt_and_grows_with_its_share(ids: list[object], share: float) -> None:
    for one in ids:
        assert held_out("s", "*", str(one), share) == (draw("s", "*", str(one)) < share)
        assert not held_out("s", "*", str(one), 0.0)
        assert held_out("s", "*", str(one), 1.0)


def test_the_holdout_has_about_its_share_and_scopes_are_independent() -> None:
    people = [f"c-{n}" for n in range(20_000)]
    house = {p for p in people if held_out("s", "*", p, 0.1)}
    winter = {p for p in people if held_out("s", "winter", p, 0.1)}
    assert 1_850 < len(house) < 2_150
    assert 140 < len(house & winter) < 260


def test_a_stored_decision_runs_again_to_the_same_answer() -> None:
    policy = Policy(caps=(Cap(most=1, per="24h"),))
    poor = snapshot(value=Value(cell="I"), contact_points=(ContactPoint(channel="sms", address="+49151"),))
    worlds = [
        House(catalogue(campaign("a", wave("tell", "sms", "email")), campaign("b"), policy=policy)),
        House(catalogue(campaign("a", wave("tell", "call", "sms")), policy=policy), now=NIGHT),
        House(catalogue(campaign("a", wave("tell", "sms", "email")), policy=policy), profile=poor),
        House(catalogue(campaign("a", wave("tell", mixes=[{"segment": "*", "channels": [{"channel": "email", "template": "missing"}]}])))),
    ]
    for house in worlds:
        house.touch("cart.updated")
        house.wait(house.now + 3 * DAY)
        assert house.unit.judged
        for judged in house.unit.judged:
            stored = msgspec.msgpack.decode(msgspec.msgpack.encode(judged.given), type=GateInput)
            assert stored == judged.given
            assert answer(stored) == answer_in(judged.decision)


def test_a_channel_whose_template_is_missing_is_not_ready_and_nothing_is_sent() -> None:
    house = House(
        catalogue(campaign("a", wave("tell", mixes=[{"segment": "*", "channels": [{"channel": "email", "template": "missing"}]}])))
    )
    house.touch("cart.updated")
    assert [(d.result, d.reason) for d in house.decisions] == [("defer", "not_ready")]
    assert house.all(Contact) == []


def test_a_template_that_fails_is_told_with_the_reason() -> None:
    mixes = [{"segment": "*", "channels": [{"channel": "email", "template": "t"}]}]
    templates = Templates([Template(key="t", text="{{ 1 | divided_by: 0 }}")])
    house = House(catalogue(campaign("a", wave("tell", mixes=mixes)), render=templates))
    house.touch("cart.updated")
    (attempt,) = house.decisions[0].attempts
    assert (attempt.code, attempt.checks[-1].detail) == ("not_ready", "not ready: template t: divided_by: can't divide by 0")


def test_what_a_channel_cannot_carry_is_not_sent_and_the_next_one_may() -> None:
    mixes = [{"segment": "*", "channels": [{"channel": "sms", "template": "t"}, {"channel": "email", "template": "t"}], "pick": "best"}]
    templates = Templates([Template(key="t", text="{{ traits.long }}")])
    rules = catalogue(campaign("a", wave("tell", mixes=mixes)), render=templates)
    house = House(rules, profile=snapshot(traits={"long": "x" * 460}))
    house.touch("cart.updated")
    (decision,) = house.decisions
    by_text = next(attempt for attempt in decision.attempts if attempt.channel == "sms")
    assert (by_text.code, by_text.checks[-1].detail) == (
        "not_ready",
        "not ready: template t: the text takes 4 SMS segments, of at most 3",
    )
    assert (decision.result, decision.channel) == ("act", "email")
    short = House(with_values(rules, policy=replace(rules.policy, sms_segments=4)), profile=house.profile)
    short.touch("cart.updated")
    assert {attempt.channel: attempt.code for attempt in short.decisions[0].attempts}["sms"] == "permitted"


def test_the_decision_says_in_which_language_and_a_replay_says_the_same() -> None:
    mixes = [{"segment": "*", "channels": [{"channel": "email", "template": "t"}]}]
    templates = Templates([Template(key="t", text="Hello", languages={"de": Variant(text="Hallo")})])
    house = House(catalogue(campaign("a", wave("tell", mixes=mixes)), render=templates), profile=snapshot(language="de-AT"))
    house.touch("cart.updated")
    ((contact,), (decision,)) = house.all(Contact), house.decisions
    assert (contact.content.text, contact.content.language, decision.language) == ("Hallo", "de", "de")
    (judged,) = house.unit.judged
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(judged.given), type=GateInput)
    assert answer(stored) == answer_in(decision)
    assert not is_same(replace(answer_in(decision), language="fr"), answer(stored))


def test_a_campaign_waits_for_the_systems_it_needs() -> None:
    house = House(catalogue(campaign("a", needs=["payment"])))
    house.touch("cart.updated")
    assert [(d.result, d.reason) for d in house.decisions] == [("defer", "not_ready")]
    house.change(ready={"payment": True})
    house.wait(MONDAY_NOON + HOUR)
    assert [d.result for d in house.decisions] == ["defer", "act"]


def test_own_quiet_hours_are_read_tolerantly() -> None:
    assert own_quiet_hours({"quiet_hours": [["22:00", "08:00"], ["x"], 7, ["25:00", "26:00"], [1, 2]]}) == (("22:00", "08:00"),)
    assert own_quiet_hours({"quiet_hours": "always"}) == ()
    house = House(catalogue(campaign("a", wave("tell", "sms"))), profile=snapshot(traits={"quiet_hours": [["12:00", "16:00"]]}))
    house.touch("cart.updated")
    assert house.decisions[0].until == MONDAY_NOON + 2 * HOUR
