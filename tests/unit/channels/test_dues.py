"""What is asked together is asked once."""

from __future__ import annotations

import asyncio

import pytest
from nextwave_channels.dues import SHARED_SECONDS, Shared


class Question:
    """Counts how often it is asked; answers when it may."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def ask(self) -> int:
        self.asked += 1
        await self.may_answer.wait()
        return self.asked


async def test_loops_that_ask_together_share_one_answer_and_a_later_one_asks_again() -> None:
    now, question = 0.0, Question()
    shared = Shared(question.ask, lambda: now)
    question.may_answer.set()
    assert list(await asyncio.gather(shared.look(), shared.look())) == [1, 1]
    now += SHARED_SECONDS * 1.01
    assert await shared.look() == 2


async def test_a_loop_that_is_cancelled_takes_the_answer_from_no_other() -> None:
    question = Question()
    shared = Shared(question.ask, lambda: 0.0)
    leaving, staying = asyncio.create_task(shared.look()), asyncio.create_task(shared.look())
    await asyncio.sleep(0)
    leaving.cancel()
    question.may_answer.set()
    assert await staying == 1


async def test_a_question_that_failed_is_asked_anew() -> None:
    now = 0.0
    away = [True, False]

    async def ask() -> int:
        if away.pop(0):
            raise OSError("away")
        return 7

    shared = Shared(ask, lambda: now)
    with pytest.raises(OSError, match="away"):
        await shared.look()
    now += SHARED_SECONDS * 1.01
    assert await shared.look() == 7
