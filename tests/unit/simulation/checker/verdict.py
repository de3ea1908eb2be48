"""The whole slow check of one simulated life: every fault that is found in what came out of it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unit.simulation.checker import sending, taking
from unit.simulation.checker.gate import Gate
from unit.simulation.checker.runs import Runs
from unit.simulation.history import Step


def faults(steps: Sequence[Step], key: bytes) -> Iterator[str]:
    """None for a life that keeps every promise. `key` is the secret of the hashed names in contacts."""
    yield from (f"taking in: {fault}" for fault in taking.faults(steps))
    yield from (f"run: {fault}" for fault in Runs(steps).faults())
    yield from (f"decision: {fault}" for fault in Gate(key).faults(steps))
    yield from (f"sending: {fault}" for fault in sending.faults(steps))
