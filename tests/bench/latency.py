"""The ring's latency: from a touchpoint on its topic to the contact that it causes on the topic of actions, by the broker's time stamps."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
from ring.ring import Ring, campaign
from stack import create_database, create_topics

from bench.echo import TABLE, Asked
from bench.processes import Meter, of_stack
from bench.programs import BenchError, post, run
from bench.report import Measure, Part, Round, part_of, percentile
from bench.stand import Bench
from bench.throughput import counts, door_of, sign_up
from bench.traffic import Call, names, track, views

SLOW_RATE, LIVE_RATE = 200.0, 1_000.0
RATE_MAX = 10_000.0
"""The load generator's part of a machine is bounded; a faster ring is measured at this rate."""
CONTACTS_PER_SECOND = 20
"""Touchpoints that cause a contact, spread evenly among those that do not; deliveries and their outcomes are part of the ring's load."""
QUIET_SECONDS = 0.7
ECHO_TOPICS = ["bench.echo.v1", "bench.hop.v1", "bench.skip.v1", "bench.jump.v1"]
LIMIT = "three bare hops through the same Kafka with one PostgreSQL commit each, in one process, nothing decoded or decided"


@dataclass
class Pace:
    """One rate, what was seen at it round by round: events posted, the echo's milliseconds, processor time."""

    label: str
    rate: float
    echoes: list[list[float]] = field(default_factory=list)
    cpu: list[dict[str, float]] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)

    def key(self, number: int) -> str:
        """The campaign of a round."""
        return f"bench-{self.label}-{number}"


async def measure(bench: Bench, ring: Ring, throughput: float) -> list[Part]:
    """At half of the throughput (`ring_latency`), at 200 (`ring_latency_200`), and up to scoring alone at 1,000 (`live_update`)."""
    live = Pace("live", LIVE_RATE)
    paces = [Pace("half", min(throughput / 2, RATE_MAX)), Pace("200", SLOW_RATE), live]
    bench.say(f"publishing campaigns; half of the throughput is {paces[0].rate:.0f} touchpoints a second")
    await _publish(bench, ring, paces)
    await _in_turns(bench, ring, paces)
    found = _latencies(ring)
    through = [part for pace in paces if pace is not live for part in _parts(bench, pace, found)]
    return [*through, _live_update(bench, live, _updates(ring))]


async def measure_live(bench: Bench, ring: Ring, label: str = "live") -> Part:
    """Up to scoring at 1,000 a second alone. By the label `alone` orchestrator and channels have machines of their own."""
    await sign_up(bench, ring)
    pace = Pace(label, LIVE_RATE)
    if label == "live":
        await _publish(bench, ring, [pace])
    await _in_turns(bench, ring, [pace])
    return _live_update(bench, pace, _updates(ring))


async def _publish(bench: Bench, ring: Ring, paces: list[Pace]) -> None:
    await ring.api("orchestrator", "PUT", "/v1/policy", {"caps": []})
    keys = [pace.key(number) for pace in paces for number in range(bench.rounds)]
    await asyncio.gather(*(ring.publish(campaign(key, f"{key}.asked")) for key in keys))


async def _in_turns(bench: Bench, ring: Ring, paces: list[Pace]) -> None:
    await create_topics(ring.endpoints["kafka"], ECHO_TOPICS)
    dsn = await create_database(ring.endpoints["postgres"], "bench_echo")
    connection = await asyncpg.connect(dsn)
    await connection.execute(TABLE)
    await connection.close()
    for number in range(bench.rounds):
        for pace in paces:
            bench.begin(f"latency at {pace.rate:.0f}/s ({pace.label})", number)
            await _ring(bench, ring, pace, number)
            pace.echoes.append(await _echo(bench, ring, dsn, pace.rate))
    bench.say("reading the topics")


async def _ring(bench: Bench, ring: Ring, pace: Pace, number: int) -> None:
    calls = _calls(bench, ring, pace, number)
    meter = Meter(of_stack(ring.endpoints["pids"]))
    door = door_of(ring)
    posted = await post(door, door.singles(calls), rate=pace.rate)
    await _quiet(ring)
    pace.cpu.append(meter.per_event(len(calls)) | {"load": posted.cpu_seconds / len(calls) * 1e6})
    pace.late_ms.append(posted.late_ms)


def _calls(bench: Bench, ring: Ring, pace: Pace, number: int) -> list[Call]:
    """Views of products, and evenly among them the event of the round's campaign, each by another customer."""
    key, customers, count = pace.key(number), names(bench.customers), int(pace.rate * bench.seconds)
    at, every = ring.now(), max(1, int(pace.rate / CONTACTS_PER_SECOND))
    calls = views(key, customers, count, at)
    for index, customer in zip(range(0, count, every), customers, strict=False):
        calls[index] = track(f"{key}-{index}", customer, f"{key}.asked", at)
    return calls


async def _quiet(ring: Ring) -> None:
    """Waits until scoring and orchestrator take nothing in any more: outcomes of the contacts come behind."""
    now = await counts(ring)
    while True:
        before = now
        await asyncio.sleep(QUIET_SECONDS)
        now = await counts(ring)
        if now == before:
            return


async def _echo(bench: Bench, ring: Ring, dsn: str, rate: float) -> list[float]:
    asked = Asked(kafka=ring.endpoints["kafka"], postgres=dsn, topics=ECHO_TOPICS, rate=rate, seconds=bench.seconds)
    return msgspec.json.decode(await run("echo", msgspec.json.encode(asked)), type=list[float])


class _Named(msgspec.Struct):
    id: str


class _Seen(msgspec.Struct):
    """The fields of touchpoints, profiles, decisions and actions that are looked at."""

    type: str
    touchpoint: _Named | None = None
    id: str = ""
    campaign: str = ""
    decision_id: str = ""
    caused_by: str = ""


def _latencies(ring: Ring) -> dict[str, list[float]]:
    """Milliseconds of every contact, by campaign."""
    posted = {seen.id: at for seen, at in _read(ring, "touchpoints")}
    causes = {seen.decision_id: seen.caused_by for seen, _ in _read(ring, "decisions") if seen.type == "decision"}
    contacts: dict[str, tuple[str, int]] = {}
    for seen, at in _read(ring, "actions"):
        if seen.type == "contact":
            contacts.setdefault(seen.decision_id, (seen.campaign, at))
    found: dict[str, list[float]] = {}
    for decision, (key, at) in contacts.items():
        found.setdefault(key, []).append(float(at - posted[causes[decision]]))
    return found


def _updates(ring: Ring) -> dict[str, list[float]]:
    """Milliseconds from each touchpoint to the profile that it changed, by campaign of its round."""
    posted = {seen.id: at for seen, at in _read(ring, "touchpoints")}
    found: dict[str, list[float]] = {}
    for seen, at in _read(ring, "customers"):
        if seen.touchpoint and seen.touchpoint.id in posted:
            found.setdefault(seen.touchpoint.id.rpartition("-")[0], []).append(float(at - posted[seen.touchpoint.id]))
    return found


def _live_update(bench: Bench, pace: Pace, found: dict[str, list[float]]) -> Part:
    seen = [found.get(pace.key(number), []) for number in range(bench.rounds)]
    if not all(seen):
        raise BenchError(f"no profile changed at {pace.rate:.0f}/s in some round: {[len(some) for some in seen]}")
    more = {"rate": pace.rate, "updates": sum(map(len, seen)) / bench.rounds}
    rounds = [_round(pace, number, percentile(some, 0.99), 0.99, more) for number, some in enumerate(seen)]
    where = "; orchestrator and channels are not on this machine" if pace.label == "alone" else ""
    subject = f"touchpoint to changed profile on its topic at {pace.rate:.0f} touchpoints a second, p99{where}"
    return part_of(_measure("live_update_p99" if not where else "live_update_alone_p99", subject, 1_000.0), rounds)


def _read(ring: Ring, short: str) -> list[tuple[_Seen, int]]:
    decode: Any = msgspec.json.Decoder(_Seen).decode
    return [(decode(record.value), record.timestamp_ms) for record in ring.records(short)]


def _parts(bench: Bench, pace: Pace, found: dict[str, list[float]]) -> list[Part]:
    seen = [found.get(pace.key(number), []) for number in range(bench.rounds)]
    if not all(seen):
        raise BenchError(f"no contact came at {pace.rate:.0f}/s in some round: {[len(some) for some in seen]}")
    pooled = [value for some in seen for value in some]
    suffix = "" if pace.label == "half" else f"_{pace.label}"
    parts = []
    for name, share, goal in (("p50", 0.5, 20.0), ("p99", 0.99, 60.0)):
        more = {"rate": pace.rate, "contacts": len(pooled) / bench.rounds, "pooled_ms": percentile(pooled, share)}
        rounds = [_round(pace, number, percentile(some, share), share, more) for number, some in enumerate(seen)]
        subject = f"the ring at {pace.rate:.0f} touchpoints a second: touchpoint to contact, {name}"
        parts.append(part_of(_measure(f"ring_latency{suffix}{'_p99' if name == 'p99' else ''}", subject, goal), rounds))
    return parts


def _measure(name: str, subject: str, goal: float) -> Measure:
    return Measure(name=name, unit="ms", subject=subject, limit=LIMIT, goal=goal, goal_of="subject", less_is_better=True)


def _round(pace: Pace, number: int, subject: float, share: float, more: dict[str, float]) -> Round:
    limit = max(percentile(pace.echoes[number], share), 1.0)
    return Round(subject=max(subject, 1.0), limit=limit, cpu=pace.cpu[number], more=more | {"late_ms": pace.late_ms[number]})
