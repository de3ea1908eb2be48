"""One run from the ready stack to the report: campaigns, the play, the way to rest, the count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from nextwave_contracts.clock import ClockSetting

from nextwave_local.demo import witness
from nextwave_local.demo.driver import Driver
from nextwave_local.demo.evidence import Evidence
from nextwave_local.demo.habits import behaviour
from nextwave_local.demo.live import View
from nextwave_local.demo.owner import Owner
from nextwave_local.demo.panel import Panel
from nextwave_local.demo.report import Given, Report, Seconds, report
from nextwave_local.demo.script import Script
from nextwave_local.demo.standing import Standing

LOOK_SECONDS = 1.0
"""Between two questions to the services: their answers cost them queries, and the machine may be small."""
DOOR_SECONDS = 20.0
"""For one answer of a door."""
TAIL_SECONDS = 1.5
"""After the last row was taken in, before the campaigns end."""
DRAIN_SECONDS_MAX = 90.0
"""A few seconds are usual; a machine that has much else to do takes longer."""
CALM_LOOKS = 3
"""So many equal answers in a row, with nothing waiting anywhere, are rest."""
WATERMARKS_MAX = 500
"""Messages before the orchestrator that may be watermarks on their way; real ones among them would change the next answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the play is given: a running stack and what it takes to speak to it."""

    endpoints: Mapping[str, Any]
    clock: ClockSetting
    keys: Mapping[str, str]
    seed: int
    started_seconds: float


async def give(stage: Stage, script: Script, view: View) -> Report:
    """Gives the play once and counts. Raises `OwnerError`, and `httpx.HTTPError` when a service does not answer."""
    panel = Panel(stage.endpoints)
    owner = Owner(str(stage.endpoints["orchestrator"]), str(stage.endpoints["api_token"]))
    try:
        await panel.behave(behaviour(stage.seed, script.people))
        campaigns = await asyncio.to_thread(owner.publish_all)
        view.say(f"published {', '.join(campaigns)}; {len(script.items):,} posts to come")
        driver = Driver(script.items, stage.clock, stage.keys)
        begun = time.monotonic()
        await _play(stage, driver, panel, view)
        last = await panel.read()
        await asyncio.to_thread(owner.end, campaigns)
        drained = time.monotonic()
        standing, settled = await _rest(panel, driver, view)
        counted = time.monotonic()
        evidence = Evidence()
        await witness.read_all(str(stage.endpoints["kafka"]), evidence)
        await panel.read_ledger(evidence)
    finally:
        owner.close()
        await panel.close()
    seconds = Seconds(start=stage.started_seconds, replay=drained - begun, drain=counted - drained, count=time.monotonic() - counted)
    return report(
        Given(
            posted=driver.posted,
            last=last,
            standing=standing,
            evidence=evidence,
            settled=settled,
            seed=stage.seed,
            speed=stage.clock.speed,
            seconds=seconds,
        )
    )


async def _play(stage: Stage, driver: Driver, panel: Panel, view: View) -> None:
    watching = asyncio.create_task(_watch(stage.clock, driver, panel, view))
    try:
        async with httpx.AsyncClient(base_url=str(stage.endpoints["ingest"]), timeout=DOOR_SECONDS) as ingest:
            await driver.play(ingest)
        await _catch_up(driver, panel)
        await asyncio.sleep(TAIL_SECONDS)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _catch_up(driver: Driver, panel: Panel) -> None:
    """Waits until scoring has taken all rows in, so that no row comes after the end of the campaigns; not for ever."""
    limit = time.monotonic() + DRAIN_SECONDS_MAX
    while time.monotonic() < limit:
        if (await panel.read()).taken_in >= len(driver.posted.accepted):
            return
        await asyncio.sleep(LOOK_SECONDS / 2)


async def _watch(clock: ClockSetting, driver: Driver, panel: Panel, view: View) -> None:
    """Shows the numbers until cancelled; a service that does not answer just now is asked again."""
    standing = Standing()
    while True:
        try:
            standing = await panel.read()
        except httpx.HTTPError as away:
            view.say(f"a service does not answer: {away!r}")
        view.show(clock.at(time.time()), len(driver.posted.accepted), standing)
        await asyncio.sleep(LOOK_SECONDS)


async def _rest(panel: Panel, driver: Driver, view: View) -> tuple[Standing, bool]:
    """Waits until nothing is on its way any more; the last numbers, and whether rest was reached in time."""
    view.say("the last row is in; waiting until the ring has come to rest")
    limit = time.monotonic() + DRAIN_SECONDS_MAX
    before, calm = Standing(), 0
    while calm < CALM_LOOKS and time.monotonic() < limit:
        standing = await panel.read(with_lag=True)
        missing = len(driver.posted.accepted) + standing.people_accepted - standing.taken_in
        calm = calm + 1 if _same(standing, before) and not missing and not _waiting(standing) else 0
        before = standing
        await asyncio.sleep(LOOK_SECONDS / 2)
    return before, calm >= CALM_LOOKS


def _waiting(standing: Standing) -> bool:
    lag = standing.lag.get("scoring", 0) + standing.lag.get("channels", 0)
    return bool(standing.people_waiting or standing.unsettled or lag) or standing.lag.get("orchestrator", 0) > WATERMARKS_MAX


def _same(one: Standing, other: Standing) -> bool:
    """Whether nothing was counted in between. Bands move by silence alone, so they do not count here."""
    return (one.taken_in, one.candidates, one.deliveries, one.outcomes) == (
        other.taken_in,
        other.candidates,
        other.deliveries,
        other.outcomes,
    )
