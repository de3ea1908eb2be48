"""When something else judges customers than before, the silent ones hear of it too, each once, by the owner of their partition."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from integration.scoring.desk import FOLD, PARTITIONS, START, Desk, seen
from nextwave_contracts.clock import ClockSetting
from nextwave_contracts.customers import CustomerUpdated
from nextwave_contracts.topics import TOPICS, partition_of
from nextwave_runtime.application import Timer
from nextwave_runtime.clock import SystemClock
from nextwave_scoring import rejudging, store
from nextwave_scoring.application import Scoring
from nextwave_scoring.changeover import Changeover
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.registry.registry import Registry
from nextwave_scoring.rejudging import PAUSE, REJUDGE, first_pages
from stack import Stack, create_topics

GLOOMY = Registry(Baseline(replace(DEFAULT, leaving_per_day=DEFAULT.leaving_per_day * 40), name="gloomy"))
CLOCK = SystemClock(ClockSetting(epoch_seconds=0, origin=START, speed=1e-9))


async def walk(desk: Desk) -> list[CustomerUpdated]:
    """Every page of every partition, in due order."""
    said: list[CustomerUpdated] = []
    waiting = first_pages(START + timedelta(days=1), PARTITIONS)
    while waiting:
        for timer in waiting:
            said += await desk.work(partition=timer.partition, timers=[timer])
        waiting = [timer for timer in await desk.due() if timer.kind == REJUDGE]
    return said


@pytest.fixture
async def crowd(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Twenty customers who came once, in pages of three."""
    for module in (store, rejudging):
        monkeypatch.setattr(module, "PAGE_MAX", 3)
    await desk.work(*(seen(n, f"customer_id:{n}") for n in range(20)))
    await desk.due()
    return desk


async def test_another_model_is_heard_of_by_every_silent_customer_once(crowd: Desk) -> None:
    before = await crowd.rows("select id::text, band from customers")
    crowd.scoring = Scoring(Fold(Judge(GLOOMY)))
    said = await walk(crowd)
    assert sorted(each.customer_id for each in said) == sorted(customer for customer, _ in before)
    assert {change.field for each in said for change in each.changes} >= {"churn.band"}
    assert {each.profile.churn.model for each in said} == {"gloomy"}
    assert all(each.touchpoint is None and each.at == START + timedelta(days=1) for each in said if each.at.day == 3)
    assert await walk(crowd) == []


async def test_where_nothing_changes_nothing_is_said_but_the_walk_goes_on_to_the_end(crowd: Desk) -> None:
    assert await walk(crowd) == []
    page = await crowd.work(partition=0, timers=[Timer(0, START, "", REJUDGE)])
    (follows,) = [timer for timer in await crowd.due() if timer.kind == REJUDGE]
    ids = sorted(customer for (customer,) in await crowd.rows("select id::text from customers"))
    assert (page, follows.key, follows.due_at) == ([], ids[2], START + PAUSE)


async def test_each_customer_is_judged_by_the_owner_of_its_partition_and_the_absorbed_by_nobody(crowd: Desk) -> None:
    await crowd.work(seen(30, "customer_id:0", "email:a@example.com"), seen(31, "email:b@example.com", "anonymous_id:d1"))
    await crowd.work(seen(32, "email:a@example.com", "anonymous_id:d1"))
    crowd.scoring = Scoring(Fold(Judge(GLOOMY)))
    for partition in range(PARTITIONS):
        said = await crowd.work(partition=partition, timers=[Timer(partition, START + timedelta(days=1), "", REJUDGE)])
        assert {partition_of(each.customer_id.encode(), PARTITIONS) for each in said} <= {partition}
    absorbed = {customer for (customer,) in await crowd.rows("select id::text from customers where merged_into is not null")}
    assert not absorbed & {each.customer_id for each in await walk(crowd)}


async def test_a_changeover_is_ordered_once_by_whichever_replica_sees_it_first_and_by_a_build_that_starts_with_it(
    stack: Stack, desk: Desk
) -> None:
    await create_topics(stack.bootstrap, [topic.name for topic in TOPICS])

    def replica(registry: Registry | None = None) -> Callable[[], Awaitable[bool]]:
        judge = FOLD.judge if registry is None else Judge(registry)
        return Changeover(judge, desk.database, CLOCK, stack.bootstrap).look

    one, other = replica(), replica()
    assert [await one(), await other(), await one()] == [True, False, False]
    assert sorted(timer.partition for timer in await desk.due() if timer.kind == REJUDGE) == list(range(PARTITIONS))
    assert [await replica()(), await replica(GLOOMY)(), await replica(GLOOMY)()] == [False, True, False]
    assert len([timer for timer in await desk.due() if timer.kind == REJUDGE]) == PARTITIONS
