"""What the policy says of the arbiter's formula must name parts, functions and values that there are, and weights that weigh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from nextwave_contracts.customers import Band, Cell, Stage
from nextwave_contracts.faults import Fault, step

from nextwave_orchestrator.campaigns.definition import Policy
from nextwave_orchestrator.parts import PARTS

WEIGHED: Mapping[str, tuple[str, ...]] = {"churn.band": get_args(Band), "stage": get_args(Stage), "value.cell": get_args(Cell)}
"""What of a customer can be weighed, and its values."""
MOST_WEIGHT = 1000


def score_faults(policy: Policy) -> Iterator[Fault]:
    """Every fault of `context` and `score`."""
    for name, weights in policy.context.items():
        at = "/context" + step(name)
        if name not in WEIGHED:
            yield Fault(at, f"{name!r:.40} is not weighed", f"use one of {', '.join(WEIGHED)}")
            continue
        for value, weight in weights.items():
            if value not in WEIGHED[name]:
                yield Fault(at + step(value), f"{name} is never {value!r:.40}", f"use {', '.join(WEIGHED[name])}")
            if not 0 < weight <= MOST_WEIGHT:
                yield Fault(at + step(value), f"{weight} weighs wrongly", f"give a number above 0, at most {MOST_WEIGHT}")
    for name, chosen in policy.score.items():
        if name not in PARTS:
            yield Fault("/score" + step(name), f"{name!r:.40} is no part of the score", f"use one of {', '.join(PARTS)}")
        elif chosen not in PARTS[name]:
            yield Fault("/score" + step(name), f"{chosen!r:.40} is no {name}", f"use one of {', '.join(PARTS[name])}")
