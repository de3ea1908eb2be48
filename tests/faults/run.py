"""One run of the harness: load and faults by a seed, healing, rest, and the observer's verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from faults import questions
from faults.inflict import Inflicter
from faults.load.driver import ATTEMPT_SECONDS, Doors, Driver
from faults.load.lives import checkups, lives
from faults.observer.book import Book
from faults.observer.evidence import Clock, Evidence, Person
from faults.observer.finding import Finding
from faults.observer.reading import Reading
from faults.observer.service import unfinished
from faults.observer.verdict import judge
from faults.plan import CLIENTS, SLOWEST_MS, USUAL, Fault, Kind, plan
from faults.sampling import Sample, Sampler
from faults.stand import SPEED, Stand
from faults.world import WINDOW, publish, rules_of

LIVES_PER_SECOND = 3.0
FINISH_SECONDS = 60.0
CHECKUPS = 5
PATIENCE_SECONDS = 30.0
"""So long a post is tried before it counts as never accepted; one that was begun later was only given up early."""
REST_SECONDS = 150.0
PARTITIONS = 4


@dataclass(frozen=True, kw_only=True)
class Order:
    """What shall be done. `seconds` is the length of the load."""

    seed: int
    seconds: float
    kinds: Sequence[Kind] = USUAL
    targets: Sequence[str] = CLIENTS
    """The services whose replicas are harmed."""
    rate: float = LIVES_PER_SECOND
    slowest: float = SLOWEST_MS
    rest_seconds: float = REST_SECONDS
    previous: Path | None = None
    say: Callable[[str], None] = print


@dataclass(kw_only=True)
class Result:
    """What came of it."""

    order: Order
    evidence: Evidence
    findings: list[Finding]
    faults: list[tuple[float, Fault]]
    samples: list[Sample]
    began: float
    healed: float
    rested: float
    without: Sequence[str]
    replicas: Mapping[str, int]


async def attack(stand: Stand, order: Order) -> Result:
    """Runs one order on a stand and judges it."""
    run = f"s{order.seed}"
    rules = rules_of(run)
    await publish(stand, run, rules)
    clock = _clock(stand)
    doors = Doors(urls=stand.urls("ingest"), write_key=stand.endpoints["write_key"])
    inflicter = Inflicter(stand, previous=order.previous)
    book = Book()
    people: dict[str, Person] = {}
    async with httpx.AsyncClient(timeout=ATTEMPT_SECONDS, limits=httpx.Limits(max_connections=400)) as client:
        driver = Driver(doors, client, random.Random(f"driver {order.seed}"), lambda: clock.at(time.time()))
        evidence = Evidence(clock=clock, rules=rules, posted=driver.posted, people=people, book=book, statuses=driver.statuses)
        harmed = {service: stand.replicas[service] for service in order.targets}
        faults = plan(order.seed, order.seconds, kinds=order.kinds, replicas=harmed, slowest=order.slowest)
        sampler = Sampler(stand, evidence)
        async with _reading(stand) as reading, sampler.running(reading):
            began, since = time.monotonic(), time.time()
            story = lives(run, order.seed, window_seconds=WINDOW.total_seconds() / SPEED)
            await asyncio.gather(driver.live(story, order.rate, began + order.seconds), inflicter.carry_out(faults, began, order.say))
            await stand.heal()
            healed = time.time()
            order.say(f"healed after {healed - since:.0f} s; {len(driver.posted)} touchpoints of {len(driver.lives)} customers")
            evidence.unready = await stand.ready()
            await _check_up(run, order, driver, evidence)
            people.update(_people(driver))
            await _rest(evidence, time.monotonic() + order.rest_seconds)
            await asyncio.to_thread(reading.catch_up)
            rested = time.time()
            order.say(f"at rest {rested - healed:.0f} s after healing" if not unfinished(evidence) else "not at rest in time")
        await _ask(stand, evidence)
        _listen(stand, driver, evidence)
        evidence.rolled, evidence.memory = inflicter.rolled, sampler.most()
        evidence.did = frozenset(fault.kind for _, fault in inflicter.done)
    return Result(
        order=order, evidence=evidence, findings=judge(evidence), faults=inflicter.done, samples=sampler.samples,
        began=since, healed=healed, rested=rested, without=stand.equipment.without,
        replicas=stand.replicas,
    )  # fmt: skip


async def _check_up(run: str, order: Order, driver: Driver, evidence: Evidence) -> None:
    """Lets some people ask now that all is healed, and all lives end."""
    patients = checkups(run, order.seed, CHECKUPS)
    evidence.checkups = [post.id for life in patients for step in life.steps for post in step.posts if post.kind == "ask"]
    await driver.begin(patients)
    await driver.finish(FINISH_SECONDS)


async def _ask(stand: Stand, evidence: Evidence) -> None:
    """What only the running system can say."""
    evidence.calls = await questions.ledger(stand)
    evidence.ended = stand.ended()
    evidence.replays = await questions.replays(stand, evidence)
    evidence.timelines = await questions.timelines(stand, evidence)


async def _rest(evidence: Evidence, deadline: float) -> None:
    """Until everything has come to its end, with two seconds more for what should not come."""
    while unfinished(evidence) and time.monotonic() < deadline:  # noqa: ASYNC110  (what is waited for happens in other processes)
        await asyncio.sleep(0.5)
    await asyncio.sleep(2)


@asynccontextmanager
async def _reading(stand: Stand) -> Any:
    reading = Reading(stand.endpoints["kafka"], PARTITIONS)
    reading.start()
    try:
        yield reading
    finally:
        await asyncio.to_thread(reading.stop)


def _clock(stand: Stand) -> Clock:
    setting = stand.folder.layout().clock
    return Clock(setting.epoch_seconds, setting.origin, setting.speed)


def _people(driver: Driver) -> dict[str, Person]:
    """Everybody, by name and by address."""
    found: dict[str, Person] = {}
    for life in driver.lives:
        person = Person(name=life.name, group=life.group, email=life.email, phone=life.phone, zone=life.zone)
        found |= dict.fromkeys((life.name, life.email, life.phone), person)
    return found


def _listen(stand: Stand, driver: Driver, evidence: Evidence) -> None:
    """What only the driver knows."""
    late = driver.gave_up_at - PATIENCE_SECONDS
    evidence.whole = frozenset(driver.whole)
    evidence.unaccepted = [p.id for p in driver.posted.values() if not p.accepted_at and p.first_at < late]
    evidence.unanswered = _unexplained(stand, driver)


def _unexplained(stand: Stand, driver: Driver) -> list[tuple[str, float]]:
    """Requests without an answer to a replica of ingest that was neither ended nor stopped then."""
    found = []
    for number, began, ended in driver.unanswered:
        name = f"ingest-{number}"
        if not any(who == name and since < ended and began < until for who, since, until in stand.harmed):
            found.append((name, ended - began))
    return found
