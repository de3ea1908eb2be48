"""What a touchpoint costs where a million customers are known, against the same ring with those alone who signed up."""

from __future__ import annotations

import asyncpg
from ring.ring import Ring

from bench.crowd import known_to_scoring, known_to_the_orchestrator
from bench.report import Measure, Part, Round, part_of
from bench.stand import Bench
from bench.throughput import passage, sign_up
from bench.traffic import names

GOAL = 1 / 1.2


async def measure(bench: Bench, ring: Ring) -> list[Part]:
    """First the few, then the crowd: who is there cannot be taken away again, so the two are not measured in turns."""
    await sign_up(bench, ring)
    few = [await _passage(bench, ring, f"few-{number}", names(bench.customers)) for number in range(bench.rounds)]
    bench.say(f"growth: {bench.crowd} customers")
    await _grow(bench, ring)
    everybody = names(bench.crowd)
    rounds = []
    for number, limit in enumerate(few):
        some = everybody[number :: max(1, bench.crowd // bench.events)]
        subject = await _passage(bench, ring, f"many-{number}", some)
        cpu = {name: cost for name, cost in subject.items() if name != "load"}
        rounds.append(Round(subject=sum(cpu.values()), limit=sum(v for k, v in limit.items() if k != "load"), cpu=cpu))
    subject_is = f"the ring's processor time for a touchpoint of one of {bench.crowd:,} customers, each of another one"
    limit_is = f"the same of one of {bench.customers:,} customers"
    unit = "µs of processor time per touchpoint"
    return [part_of(Measure(name="growth", unit=unit, subject=subject_is, limit=limit_is, goal=GOAL, less_is_better=True), rounds)]


async def _passage(bench: Bench, ring: Ring, run: str, customers: list[str]) -> dict[str, float]:
    bench.say(f"growth: {bench.events} touchpoints, {run}")
    return (await passage(bench, ring, run, customers)).cpu


async def _grow(bench: Bench, ring: Ring) -> None:
    numbers = range(bench.customers, bench.crowd)
    scoring, orchestrator = [await asyncpg.connect(dsn) for dsn in databases(ring)]
    await known_to_scoring(scoring, numbers, ("customer_id:bench-?",), digits=6)
    await known_to_the_orchestrator(orchestrator, numbers)
    for connection in (scoring, orchestrator):
        await connection.close()


def databases(ring: Ring) -> list[str]:
    """Of scoring and orchestrator."""
    return [f"{ring.endpoints['postgres'].rpartition('/')[0]}/{name}" for name in ("scoring", "orchestrator")]
