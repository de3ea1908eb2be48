"""The clock that services live by: the database's, carried on by one that never jumps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.clock import ClockSetting
from nextwave_runtime import clock as clock_module
from nextwave_runtime.clock import AGREE_SECONDS, DatabaseClock
from nextwave_runtime.timers import Gates, gates
from prometheus_client import REGISTRY

JUMP = 26 * 3600.0
START = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class World:
    """True time passes; each clock shows it with an error of its own. A question takes `there` and `back` seconds."""

    passed: float = 0.0
    database_off: float = 0.0
    own_off: float = 0.0
    there: float = 0.0
    back: float = 0.0
    away: int = 0

    async def ask(self) -> float:
        if self.away:
            self.away -= 1
            raise OSError("the database is away")
        self.passed += self.there
        said = START + self.passed + self.database_off
        self.passed += self.back
        return said

    def clock(self, setting: ClockSetting | None = None) -> DatabaseClock:
        return DatabaseClock(
            setting or ClockSetting(), self.ask, steady=lambda: 500.0 + self.passed, own=lambda: START + self.passed + self.own_off
        )


def shown(clock: str) -> float | None:
    return REGISTRY.get_sample_value("nextwave_clock_off_seconds", {"clock": clock})


async def test_a_jump_of_the_process_own_clock_moves_no_business_time_and_is_told() -> None:
    world = World(own_off=JUMP)
    clock = world.clock()
    await clock.set()
    assert (clock.now(), clock.today(), clock.sure) == (NOON, date(2026, 3, 2), True)
    world.own_off = -JUMP
    world.passed += 60
    await clock.look()
    assert (clock.wall(), clock.sure) == (START + 60, True)
    assert shown("own") == -JUMP


async def test_between_looks_and_while_the_database_is_away_time_is_carried_on() -> None:
    world = World()
    clock = world.clock(ClockSetting(epoch_seconds=START, origin=NOON, speed=60))
    await clock.set()
    world.passed, world.away = 90.0, 1
    with pytest.raises(OSError, match="away"):
        await clock.look()
    assert (clock.now() - NOON).total_seconds() == 90 * 60
    assert clock.at(START) == NOON


async def test_the_first_look_waits_for_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "LOOK_SECONDS", 0.0)
    world = World(away=3)
    clock = world.clock()
    await clock.set()
    assert (world.away, clock.wall()) == (0, START)


@pytest.mark.parametrize("off", [AGREE_SECONDS - 1, -AGREE_SECONDS + 1])
async def test_a_small_difference_is_followed(off: float) -> None:
    world = World()
    clock = world.clock()
    await clock.set()
    world.database_off = off
    await clock.look()
    assert (clock.wall(), clock.sure) == (START + off, True)


@pytest.mark.parametrize("off", [JUMP, -JUMP, AGREE_SECONDS + 1])
async def test_when_the_databases_clock_jumps_the_carried_time_goes_on_unsure_until_they_agree_again(off: float) -> None:
    world = World()
    clock = world.clock()
    await clock.set()
    world.database_off = off
    for minutes in (1, 2):
        world.passed = minutes * 60.0
        await clock.look()
        assert (clock.wall(), clock.sure, shown("database")) == (START + minutes * 60, False, off)
    again = world.clock()
    await again.set()
    assert (again.wall(), again.sure) == (START + 120 + off, True), "a restarted service believes the database"
    world.database_off = 2.0
    await clock.look()
    assert (clock.wall(), clock.sure) == (START + 122, True)


async def test_the_alarm_is_raised_and_ended_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    clock = world.clock()
    await clock.set()
    for world.own_off in (JUMP, JUMP, 0.0, 0.0):
        await clock.look()
    said = capsys.readouterr().out
    assert (said.count("clock_disagrees"), said.count("clock_agrees_again")) == (1, 1)


async def test_an_answer_that_took_a_day_moves_nothing_and_is_no_jump() -> None:
    world = World()
    clock = world.clock()
    await clock.set()
    for world.there, world.back in ((JUMP, 0.0), (0.0, JUMP), (400.0, 400.0)):
        await clock.look()
        assert (clock.wall(), clock.sure) == (START + world.passed, True)


@given(st.lists(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 3)), min_size=1, max_size=8))
def test_it_is_never_ahead_of_the_database_nor_further_behind_than_its_quickest_answer(looks: list[tuple[float, float, float]]) -> None:
    world = World()
    clock = world.clock()

    async def look() -> None:
        await clock.look()

    for world.there, world.back, pause in looks:
        _run(look())
        world.passed += pause
    truth = START + world.passed
    assert truth - min(back for _, back, _ in looks) - 1e-5 <= clock.wall() <= truth + 1e-5


def _run(coroutine: Any) -> None:
    """Its ports never wait, so one step is all of it."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def test_while_the_clock_is_not_sure_only_its_own_timers_wait() -> None:
    opened = gates(NOON, NOON, sure=False, hands_over=frozenset({"word"}))
    assert [opened.open_for(wait, NOON) for wait in ("clock", "watermark", "handed_over")] == [False, True, True]
    assert opened.open_for("handed_over", NOON.replace(hour=13))
    assert not gates(NOON, NOON, sure=False).open_for("handed_over", NOON)
    assert gates(NOON, NOON, sure=True).open_for("clock", NOON)


def test_no_timer_fires_before_its_time_whatever_the_watermark_says() -> None:
    later = NOON.replace(hour=13)
    assert gates(NOON, later, sure=True) == Gates(NOON, NOON)
    assert not gates(NOON, later, sure=True).open_for("watermark", later)
    assert not gates(NOON, None, sure=True).open_for("watermark", NOON)
