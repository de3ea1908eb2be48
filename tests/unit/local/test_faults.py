"""The fault menu: for whom it strikes, repeatably."""

from __future__ import annotations

import msgspec
import pytest
from nextwave_local.simulator.draws import draw
from nextwave_local.simulator.faults import Attempt, Fault, Menu, afterwards, of_answer


def _attempt(number: int = 0, action: str = "a1", kind: str = "sms", to: str = "+14155550111") -> Attempt:
    return Attempt("smtp" if kind == "email" else "twilio", kind, to, action, number)


def test_an_empty_menu_lets_everything_go_well() -> None:
    assert of_answer(Menu(), _attempt()) is None
    assert afterwards(Menu(), _attempt()) == {}


@pytest.mark.parametrize(
    ("provider", "strikes"), [("*", True), ("twilio", True), ("sms", True), ("call", False), ("email", False), ("smtp", False)]
)
def test_a_fault_strikes_only_at_its_provider(provider: str, strikes: bool) -> None:
    menu = msgspec.convert({"faults": [{"kind": "unavailable", "provider": provider}]}, Menu)
    assert (of_answer(menu, _attempt()) is not None) == strikes


def test_a_fault_for_one_recipient_leaves_others_alone() -> None:
    menu = Menu((Fault(kind="refuse", recipient="+14155550111"),))
    assert of_answer(menu, _attempt()) is not None
    assert of_answer(menu, _attempt(to="+14155550112")) is None


def test_a_share_strikes_about_so_often_and_the_same_ones_each_time() -> None:
    menu = Menu((Fault(kind="throttle", share=0.3, seed=7),))
    struck = [of_answer(menu, _attempt(action=f"a{n}")) is not None for n in range(2000)]
    assert 0.26 < sum(struck) / len(struck) < 0.34
    assert struck == [of_answer(menu, _attempt(action=f"a{n}")) is not None for n in range(2000)]


def test_another_seed_strikes_others() -> None:
    one, two = (Menu((Fault(kind="throttle", share=0.5, seed=seed),)) for seed in (1, 2))
    assert [of_answer(one, _attempt(action=f"a{n}")) for n in range(50)] != [of_answer(two, _attempt(action=f"a{n}")) for n in range(50)]


def test_a_repeated_attempt_draws_anew_so_that_a_passing_fault_passes() -> None:
    menu = Menu((Fault(kind="unavailable", share=0.5),))
    assert {of_answer(menu, _attempt(number)) is None for number in range(30)} == {True, False}


def test_the_first_fault_of_an_answer_wins_and_all_faults_afterwards_apply() -> None:
    menu = Menu((Fault(kind="callback_lost"), Fault(kind="throttle"), Fault(kind="refuse"), Fault(kind="stop_after_accept")))
    first = of_answer(menu, _attempt())
    assert first is not None
    assert first.kind == "throttle"
    assert set(afterwards(menu, _attempt())) == {"callback_lost", "stop_after_accept"}


def test_a_fault_that_is_not_on_the_menu_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"faults": [{"kind": "explode"}]}, Menu)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"faults": [{"kind": "refuse", "sharing": 1}]}, Menu)


def test_draws_are_spread_evenly() -> None:
    values = sorted(draw(3, "x", n) for n in range(4000))
    assert all(abs(value - n / 4000) < 0.03 for n, value in enumerate(values))
