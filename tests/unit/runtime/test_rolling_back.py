"""What cannot be rolled back as it should is thrown away: nobody gets a connection that is broken or still in another's transaction."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import asyncpg
import pytest
from nextwave_runtime import database
from nextwave_runtime.database import _roll_back


class Driver:
    """asyncpg's part: what its rollback does, and whether it is closed by then."""

    def __init__(self, fault: BaseException | None = None, *, closed: bool = False, hangs: bool = False) -> None:
        self.fault, self.closed, self.hangs = fault, closed, hangs
        self.said: list[str] = []

    def is_closed(self) -> bool:
        return self.closed

    async def execute(self, sql: str) -> str:
        self.said.append(sql)
        if self.hangs:
            await asyncio.sleep(60)
        if self.fault is not None:
            raise self.fault
        return sql.upper()


class Pooled:
    """SQLAlchemy's part."""

    def __init__(self) -> None:
        self.thrown_away = False

    async def invalidate(self, _error: Exception | None = None) -> None:
        self.thrown_away = True


async def rolled_back(driver: Driver) -> Pooled:
    pooled = Pooled()
    await _roll_back(cast("Any", pooled), driver)
    return pooled


async def test_a_connection_that_rolls_back_is_used_again() -> None:
    driver = Driver()
    assert not (await rolled_back(driver)).thrown_away
    assert driver.said == ["rollback"]


@pytest.mark.parametrize("fault", [asyncpg.InterfaceError("busy"), asyncpg.InternalClientError("busy"), OSError("cut"), TimeoutError()])
async def test_one_that_fails_to_roll_back_is_thrown_away(fault: Exception) -> None:
    assert (await rolled_back(Driver(fault))).thrown_away


async def test_one_that_does_not_answer_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "ROLL_BACK_SECONDS", 0.01)
    assert (await rolled_back(Driver(hangs=True))).thrown_away


async def test_one_that_is_found_closed_is_thrown_away_and_not_spoken_to() -> None:
    driver = Driver(closed=True)
    assert (await rolled_back(driver)).thrown_away
    assert driver.said == []


async def test_a_cancellation_meanwhile_throws_it_away_and_goes_on_being_one() -> None:
    pooled = Pooled()
    with pytest.raises(asyncio.CancelledError):
        await _roll_back(cast("Any", pooled), Driver(asyncio.CancelledError()))
    assert pooled.thrown_away
