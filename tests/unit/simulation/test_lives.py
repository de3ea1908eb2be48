"""Many simulated lives, each under its own weather: the slow checker finds no broken promise in what came out of the real pure code."""

from __future__ import annotations

import os

import msgspec
import pytest
from nextwave_channels.delivery import Delivery
from nextwave_contracts.decisions import RunEnded
from nextwave_orchestrator.candidate import GateInput
from nextwave_orchestrator.decisions import answer, answer_in
from unit.simulation.checker.verdict import faults
from unit.simulation.history import Key, Rang
from unit.simulation.house import KEY
from unit.simulation.replay import differences, replayed
from unit.simulation.world import Lived, World

FIXED = (22, 23, 95)
"""Seeds that once found something: an event from before its entry as a goal, word of an absorbed customer that came late, its lost caps."""
AGAIN = "NEXTWAVE_SIMULATION_SEEDS={} .venv/bin/python -m pytest tests/unit/simulation/test_lives.py"


def seeds() -> list[int]:
    """A range and a few that once found something; or those that are asked for, `7` or `200-299`."""
    first, _, last = os.environ.get("NEXTWAVE_SIMULATION_SEEDS", "").partition("-")
    return list(range(int(first), int(last or first) + 1)) if first else sorted({*range(14), *FIXED})


@pytest.fixture(scope="module", params=seeds(), ids="seed-{}".format)
def lived(request: pytest.FixtureRequest) -> tuple[Key, Lived]:
    """A life, for all tests of it."""
    key = Key(request.param)
    return key, World(key).live()


def test_a_life_by_chance_keeps_every_promise(lived: tuple[Key, Lived]) -> None:
    key, life = lived
    found = list(faults(life.steps, KEY))
    assert not found, f"{len(found)} faults; run it again with\n{AGAIN.format(key.seed)}\n" + "\n".join(found[:20])


def test_every_stored_decision_of_a_life_answers_the_same_again(lived: tuple[Key, Lived]) -> None:
    key, life = lived
    for judged in life.judged:
        assert answer(_stored(judged.given)) == answer_in(judged.decision), AGAIN.format(key.seed)


def test_the_same_history_in_another_weather_gives_the_same_profiles(lived: tuple[Key, Lived]) -> None:
    key, life = lived
    other = replayed(life, Key(key.seed, weather=1))
    assert differences(life.profiles, other) == [], AGAIN.format(key.seed)


def test_the_same_key_gives_the_same_life() -> None:
    assert World(Key(3, people=10)).live().steps == World(Key(3, people=10)).live().steps


def test_lives_are_full_of_what_is_to_be_checked() -> None:
    """Else the checker would find nothing to look at, and nobody would know."""
    lives = [World(Key(seed)).live() for seed in (0, 2, 3)]
    reasons = {judged.decision.reason for life in lives for judged in life.judged}
    assert reasons >= {"permitted", "no_consent", "complaint_open", "hours", "cap", "no_address", "holdout", "unsatisfied"}
    took = {type(step.took).__name__ for life in lives for step in life.steps}
    assert took >= {"CustomersMerged", "CustomerAbsorbed", "Withdraw", "StopCampaign", "ResumeCampaign", "OptedOut", "Rang"}
    rang = {step.took.kind for life in lives for step in life.steps if isinstance(step.took, Rang)}
    assert rang >= {"close", "retry", "estate", "last_word", "patience"}
    assert "merged" in {said.reason for life in lives for step in life.steps for said in step.said if isinstance(said, RunEnded)}
    assert isinstance(next(iter(lives[0].deliveries.values())), Delivery)
    assert {d.state for life in lives for d in life.deliveries.values()} >= {"delivered", "failed", "withdrawn", "unknown", "refused"}


def _stored(given: GateInput) -> GateInput:
    """As the database gives it back."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(given), type=GateInput)
