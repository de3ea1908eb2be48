"""How fast this machine is now: the same small Python loop again and again, so that figures of two runs can be compared at all."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

LOOPS = 1_000_000


@dataclass
class Calibration:
    """Samples taken between the rounds, million loops a second."""

    samples: list[float] = field(default_factory=list)
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])

    def sample(self) -> float:
        """Runs the loop once."""
        started = perf_counter()
        total = 0
        for number in range(LOOPS):
            total += number
        self.samples.append(LOOPS / (perf_counter() - started) / 1e6)
        return self.samples[-1]

    def report(self) -> dict[str, Any]:
        """For the JSON report."""
        return {
            "unit": "million additions a second in one Python loop",
            "median": round(median(self.samples), 2),
            "min": round(min(self.samples), 2),
            "max": round(max(self.samples), 2),
            "samples": len(self.samples),
            "cpus": os.cpu_count(),
            "load_before": round(self.load_before, 2),
            "load_after": round(os.getloadavg()[0], 2),
            "python": platform.python_version(),
        }
