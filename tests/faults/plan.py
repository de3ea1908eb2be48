"""The schedule of faults, drawn from a seed and nothing else: what goes wrong, with whom, when and for how long. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

Kind = Literal[
    "kill", "freeze", "leave", "cut", "blackhole", "half", "slow", "jump",
    "provider", "poison", "broker", "database", "servers", "stall", "disk", "roll",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
MEANINGS: Mapping[Kind, str] = {
    "kill": "SIGKILL of a replica; the supervisor starts it again",
    "freeze": "SIGSTOP of a replica, then SIGCONT: it wakes up with old work in hand",
    "leave": "SIGTERM of a replica: it drains, its partitions move, it comes back",
    "cut": "every connection of a replica to Kafka, PostgreSQL or both is reset, new ones too",
    "blackhole": "no byte passes between a replica and Kafka, PostgreSQL or both; connections stay",
    "half": "requests of a replica arrive, answers do not",
    "slow": "every byte between a replica and Kafka, PostgreSQL or both is late",
    "jump": "the wall clock of a replica jumps by hours, and back",
    "provider": "the provider refuses, throttles, hangs, lies, or its callbacks are lost, doubled, late",
    "poison": "strangers write bytes that nobody can read to every topic",
    "broker": "SIGKILL of Kafka",
    "database": "SIGKILL of PostgreSQL",
    "servers": "SIGKILL of Kafka and PostgreSQL together",
    "stall": "SIGSTOP of Kafka or PostgreSQL, then SIGCONT: connections stay, nobody answers",
    "disk": "no more bytes can be written to the disk of Kafka or PostgreSQL",
    "roll": "a replica is replaced by the previous commit's build, or back by this one",
}
USUAL: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind != "roll")
"""What a run does unless it is told otherwise; rolling needs another build."""
WEIGHTS: Mapping[Kind, int] = {
    "kill": 6, "freeze": 4, "jump": 3, "provider": 3, "leave": 2, "cut": 2, "blackhole": 2, "half": 2, "slow": 2,
    "roll": 6,
}  # fmt: skip
"""How often a kind stands in a deck; 1 where nothing is said: while a server is away nothing else can go wrong."""
CLIENTS = ("ingest", "scoring", "orchestrator", "channels")
DATABASE_CLIENTS = ("scoring", "orchestrator", "channels")
JUMPS_HOURS = (-26.05, -13.1, 13.1, 26.05)
"""At 120 times real time these are months and half or a quarter of a day: another hour of the day, not only another date."""
PROVIDER_TROUBLES = (
    "refuse", "throttle", "unavailable", "accept_then_timeout", "accept_then_reset", "half_open", "slow_first_byte", "truncated_json",
    "callback_lost", "callback_duplicated", "callback_reordered", "callback_unsigned", "callback_unknown_id",
)  # fmt: skip
PAUSE_SECONDS_MEAN = 3.0
SLOWEST_MS = 400.0
"""The most that a slow connection delays every byte."""
WARM_SECONDS = 4.0
"""Nothing goes wrong before that, so that every kind meets work in progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: `at` and `seconds` are wall seconds since the load began; `target` is a replica, a server, or empty.

    `way` says which connections, which trouble or which build; `amount` is hours of a jump, milliseconds of slowness, a share.
    """

    at: float
    kind: Kind
    target: str = ""
    seconds: float = 0.0
    way: str = ""
    amount: float = 0.0

    def __str__(self) -> str:
        """One line of the report."""
        unit = {"jump": "hours", "slow": "ms", "provider": "of calls"}.get(self.kind, "")
        parts = (f"{self.at:6.1f} s", self.kind, self.target, self.way, f"for {self.seconds:.1f} s" if self.seconds else "")
        return " ".join(part for part in parts if part) + (f" ({self.amount:g} {unit})" if self.amount else "")


def plan(
    seed: int, seconds: float, *, kinds: Sequence[Kind] = USUAL, replicas: Mapping[str, int], slowest: float = SLOWEST_MS
) -> tuple[Fault, ...]:
    """The faults of a run in order of time, all over before `seconds`. Kinds are dealt from a shuffled deck: none is left out long."""
    chance = random.Random(f"plan {seed}")
    faults: list[Fault] = []
    deck: list[Kind] = []
    rolled: set[str] = set()
    at = WARM_SECONDS
    while kinds:
        at += chance.expovariate(1 / PAUSE_SECONDS_MEAN)
        if not deck:
            deck = [kind for kind in kinds for _ in range(WEIGHTS.get(kind, 1))]
            chance.shuffle(deck)
        fault = _draw(chance, Fault(at=at, kind=deck.pop()), replicas, slowest)
        if fault.at + fault.seconds >= seconds:
            break
        if fault.kind == "roll":
            fault = replace(fault, way="this" if fault.target in rolled else "previous")
            rolled ^= {fault.target}
        faults.append(fault)
    return tuple(faults)


def _draw(chance: random.Random, fault: Fault, replicas: Mapping[str, int], slowest: float) -> Fault:
    match fault.kind:
        case "kill" | "leave":
            fault = replace(fault, target=_replica(chance, CLIENTS, replicas))
        case "roll":
            services = [service for service in DATABASE_CLIENTS if service in replicas]
            fault = replace(fault, target=_replica(chance, services, replicas))
        case "freeze":
            fault = replace(fault, target=_replica(chance, CLIENTS, replicas), seconds=chance.choice((0.5, 2.0, 5.0, 9.0, 12.0)))
        case "cut" | "blackhole" | "half" | "slow":
            fault = _network(chance, fault, replicas, slowest)
        case "jump":
            target, hours = _replica(chance, CLIENTS, replicas), chance.choice(JUMPS_HOURS)
            fault = replace(fault, target=target, seconds=chance.uniform(4, 15), amount=hours)
        case "provider":
            fault = replace(
                fault, seconds=chance.uniform(3, 12), way=chance.choice(PROVIDER_TROUBLES), amount=chance.choice((0.2, 0.5, 1.0))
            )
        case "stall":
            fault = replace(fault, target=chance.choice(("kafka", "postgres")), seconds=chance.choice((1.0, 4.0, 8.0)))
        case "disk":
            fault = replace(fault, target=chance.choice(("kafka", "postgres")), seconds=chance.uniform(2, 6))
    return fault


def _network(chance: random.Random, fault: Fault, replicas: Mapping[str, int], slowest: float) -> Fault:
    target = _replica(chance, CLIENTS, replicas)
    ways = ("kafka",) if target.startswith("ingest") else ("kafka", "postgres", "both")
    seconds = chance.choice((1.0, 4.0, 8.0, 13.0))
    amount = chance.choice((20.0, 100.0, slowest)) if fault.kind == "slow" else 0.0
    return replace(fault, target=target, seconds=seconds, way=chance.choice(ways), amount=amount)


def _replica(chance: random.Random, services: Sequence[str], replicas: Mapping[str, int]) -> str:
    service = chance.choice([service for service in services if replicas.get(service)])
    return f"{service}-{chance.randrange(replicas[service])}"
