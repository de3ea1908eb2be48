"""Ingest alone: the real service on the real Kafka, against one on the same server that keeps nothing, and one as it is usually written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.processes import Meter, of_stack
from bench.programs import post, serving
from bench.report import Measure, Part, Round, part_of
from bench.stand import Bench, standing
from bench.traffic import BATCH, Door, names, views

SINGLES = 4_000
"""Different requests; they are posted again and again."""
WARM_UP_SECONDS = 2.0
NOT_RUN = ("scoring", "orchestrator", "channels")

SINGLE = Measure(
    name="ingest_single",
    unit="requests per processor second",
    subject="ingest: one Segment track call a request, 64 connections, acknowledged by Kafka before it is answered",
    limit="the same requests to an ASGI application that reads the body and answers a constant, on the same server and loop",
    goal=0.55,
)
HUNDRED = Measure(
    name="ingest_batch_100",
    unit="events per processor second",
    subject="ingest: Segment batches of 100 track calls, 64 connections, acknowledged by Kafka before they are answered",
    limit="the same requests to an ASGI application that decodes the body into 100 typed calls in one go and appends 100 records to an"
    " aiokafka batch; nothing is checked, encoded or sent",
    goal=0.6,
)
USUAL = Measure(
    name="ingest_usual",
    unit="requests per processor second",
    subject=SINGLE.subject,
    limit="the same requests to FastAPI with a pydantic model and aiokafka's send_and_wait, acknowledged as they are at ingest",
    goal=4.5,
)


@dataclass(frozen=True)
class Target:
    """A server under load: its process, and the processes that work for it."""

    door: Door
    server: str
    pids: dict[str, int]
    requests: Sequence[bytes]


@dataclass(frozen=True)
class Rate:
    """What a target did. `per_core` is events per second of its own processor time."""

    per_core: float
    per_second: float
    cpu: dict[str, float]


async def measure(bench: Bench) -> list[Part]:
    """All three parts; single calls are posted to all three servers in each round."""
    bench.say("starting Kafka and ingest")
    without = [option for service in NOT_RUN for option in ("--replicas", f"{service}=0")]
    async with (
        standing(bench.folder / "ingest", *without) as ring,
        serving("null_service", bench.folder, {}) as null,
        serving("usual_service", bench.folder, {"KAFKA": ring.endpoints["kafka"]}) as usual,
    ):
        endpoints = ring.endpoints
        door, nothing = Door(endpoints["ingest"], endpoints["write_key"]), Door(null.url, endpoints["write_key"])
        common = Door(usual.url, endpoints["write_key"])
        pids = {name: pid for name, pid in of_stack(endpoints["pids"]).items() if name in ("ingest-0", "kafka")}
        calls = views("single", names(bench.customers), SINGLES, datetime.now(UTC))
        singles = (
            Target(door, "ingest-0", pids, door.singles(calls)),
            Target(nothing, "null", {"null": null.pid}, nothing.singles(calls, "/null")),
            Target(common, "usual", {"usual": usual.pid}, common.singles(calls)),
        )
        hundreds = (
            Target(door, "ingest-0", pids, door.batches(calls)),
            Target(nothing, "null", {"null": null.pid}, nothing.batches(calls, "/append")),
        )
        return [*await _compare(bench, (SINGLE, USUAL), singles, 1), *await _compare(bench, (HUNDRED,), hundreds, BATCH)]


async def _compare(bench: Bench, measures: Sequence[Measure], targets: Sequence[Target], events: int) -> list[Part]:
    """The first target against each of the others, by one measure each."""
    for target in targets:
        await post(target.door, target.requests, seconds=min(WARM_UP_SECONDS, bench.seconds))
    rounds: list[list[Round]] = [[] for _ in measures]
    for number in range(bench.rounds):
        bench.begin(measures[0].name, number)
        order = [(number + index) % len(targets) for index in range(len(targets))]  # who goes first changes from round to round
        rates = {index: await _rate(targets[index], events, bench.seconds) for index in order}
        for index, seen in enumerate(rounds, 1):
            seen.append(_round(rates[0], rates[index]))
    return [part_of(measure, seen) for measure, seen in zip(measures, rounds, strict=True)]


def _round(subject: Rate, limit: Rate) -> Round:
    more = {
        "subject_per_second": subject.per_second,
        "limit_per_second": limit.per_second,
        "wall_ratio": subject.per_second / limit.per_second,
        "limit_cpu_us_per_event": 1e6 / limit.per_core,
    }
    return Round(subject=subject.per_core, limit=limit.per_core, cpu=subject.cpu, more=more)


async def _rate(target: Target, events: int, seconds: float) -> Rate:
    meter = Meter(target.pids)
    posted = await post(target.door, target.requests, seconds=seconds)
    total = posted.answered * events
    cpu = meter.per_event(total)
    return Rate(1e6 / cpu[target.server], total / posted.seconds, cpu | {"load": posted.cpu_seconds / total * 1e6})
