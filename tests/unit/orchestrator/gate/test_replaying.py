"""Decisions that are asked again: those of the build before too, whose records name fewer checks and numbers."""

from __future__ import annotations

from base64 import b85decode
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from nextwave_contracts.decisions import Check, Decision
from nextwave_contracts.wire import decode
from nextwave_orchestrator.campaigns.definition import Cap, Policy
from nextwave_orchestrator.candidate import GateInput
from nextwave_orchestrator.decisions import Answer, answer, answer_in
from nextwave_orchestrator.replaying import added, is_same
from unit.orchestrator.decision_world import House, campaign, catalogue, wave

RECORD = (
    '{"type":"decision","decision_id":"008ee616728ed0d24fefd033a889c260","customer_id":"c-1","campaign":"winter","version":1,"wave":"'
    'tell","run_id":"2c78a6b25ef8d6f68c50817dc8f0027a","segment":"*","purpose":"marketing","at":"2026-06-15T12:00:00Z","result":"act"'
    ',"reason":"permitted","channel":"sms","action_id":"5eb54bf11744fe432cf03acf684f9943","attempts":[{"channel":"sms","code":"permit'
    'ted","checks":[{"code":"campaign_stopped","passed":true},{"code":"holdout","passed":true},{"code":"no_consent","passed":true},{"'
    'code":"suppressed","passed":true},{"code":"no_address","passed":true},{"code":"complaint_open","passed":true},{"code":"hold","pa'
    'ssed":true},{"code":"unsatisfied","passed":true},{"code":"not_ready","passed":true},{"code":"hours","passed":true},{"code":"cap"'
    ',"passed":true},{"code":"not_worth_it","passed":true},{"code":"expired","passed":true}]}],"numbers":{"risk":0.4,"goal_value":120'
    '00.0,"lever":1.0,"cost":8.0,"response_rate":0.08,"expected_margin":960.0,"cap_used_1_per_86400s":0.0},"caused_by":"t1"}'
)
GIVEN = (
    "-T)h`V|8<MZ*66AUuk5cV=XbLV_|J@VQFV>rgv#>bY*g<c4cyNX>V=;q<3L<Wu$avY;2}-b#7m2WZ57xV>dWqHexb0Wo9^JHfA<BV>K{1F*jsmIA$;~GB;tTaCLHUZ*y"
    "g-ZDDe2Wprt7XQOU!ch>)EFX=$3Zf|s7VP<q?a@PN9GK@f_b97;JWvOs=Vr*%1Xk}!ib75?BsBUF=ba!EPWvFOxY-DeBbaRrDp(@J&000000001zrgv#>bY*hO000000"
    "0000rf+6uWpZ<og{Na^VQy|^Y@>5+bEjcsWO8M5bFM2iIWaXcF)}kWH8wXmq+@S$bO^0-Wpi+EZgXW{a$$63%RjVw;YY3%d!}!2bYE$1!>D6#ZgXXBbaRn}r(<YgZf<3"
    "4pr>$ka&T{RWuT{La$#<CWn{ymVRY92X}Ll`rD$(#WOI<OZ*XO9Ut@1=aBN{|Zgg`1t95R3VRUJ8W@%+)!l`a=bYF61VPtubrFw5}Wpk0OMRjs-aAhw-WpZq3Zl_~!b#"
    "8QWd7?x`rgCLxX>V?zq+?-lbCHz+%Ru!Q000000HC0$ZDDe2Wprt7XRLB%b7gXNVRUJ4ZgY^Qa%FRLX>MnLq+?}lY@$h4q;hF<Ys){`nVFfHnVPC+Z((d-c42IFWz8<&"
    "rEFz(Wpc|u@Bjb+0000"
)
"""As the build before scores stored them, with a cap of one per day: the input in base 85."""


@pytest.fixture(name="before")
def _before() -> Answer:
    return answer_in(decode(RECORD.encode(), Decision))


@pytest.fixture(name="again")
def _again() -> Answer:
    return answer(msgspec.msgpack.decode(b85decode(GIVEN), type=GateInput))


def test_a_decision_of_the_build_before_comes_out_the_same_and_what_is_new_is_told_apart(before: Answer, again: Answer) -> None:
    assert before != again
    assert is_same(before, again)
    told = added(before, again)
    assert told["checks"] == ["budget", "capacity", "outranked"]
    assert {"score", "full_cost", "cap_used_1_per_86400s_purpose_marketing"} <= set(told["numbers"])


@pytest.mark.parametrize(
    "change",
    [
        {"result": "withhold"},
        {"reason": "cap"},
        {"channel": "email"},
        {"attempts": ()},
        {"numbers": {"cost": 9.0}},
        {"numbers": {"cap_used_1_per_86400s": 1.0}},
        {"numbers": {"luck": 0.0}},
    ],
)
def test_a_record_that_says_anything_else_is_not_the_same(before: Answer, again: Answer, change: dict[str, Any]) -> None:
    assert not is_same(replace(before, **change), again)


def test_a_check_that_came_out_otherwise_is_not_the_same(before: Answer, again: Answer) -> None:
    (attempt,) = before.attempts
    other = replace(attempt, checks=(*attempt.checks, Check(code="hours", passed=False)))
    assert not is_same(replace(before, attempts=(other,)), again)


def test_a_record_of_this_build_is_the_same_only_with_its_score() -> None:
    house = House(catalogue(campaign("a", wave("tell", "sms"))))
    house.touch("cart.updated")
    (judged,) = house.unit.judged
    made, again = answer_in(judged.decision), answer(judged.given)
    assert is_same(made, again)
    assert added(made, again) == {"checks": [], "numbers": []}
    assert not is_same(replace(made, attempts=(replace(made.attempts[0], score=0.0),)), again)


def test_the_numbers_of_two_caps_that_differ_only_in_whom_they_count_are_both_told() -> None:
    policy = Policy(caps=(Cap(most=1, per="24h", purpose=""), Cap(most=1, per="24h", channel="email", purpose="")))
    mail = campaign("b", wave("tell", "email"), entry={"on": {"event": "product.viewed"}})
    house = House(catalogue(campaign("a", wave("tell", "sms")), mail, policy=policy))
    house.touch("cart.updated")
    house.touch("product.viewed")
    numbers = house.decisions[-1].numbers
    assert (numbers["cap_used_1_per_86400s"], numbers["cap_used_1_per_86400s_channel_email"]) == (1, 0)
