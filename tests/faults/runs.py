"""What CI runs of the harness: fixed seeds, a fresh one, and a hunt for each mechanism that is left out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from faults.background import Background
from faults.plan import KINDS, USUAL, Kind

SEEDS: Mapping[int, Sequence[Kind]] = {156: USUAL, 335: KINDS}
"""By seed the kinds of harm; together they do every one, `test_plan.py` holds it. The last rolls replicas to the previous build, too."""
FRESH = random.SystemRandom().randrange(10_000)
"""Another one each time; a failing test's name says it."""
MINUTES = 0.8


class Hunt(NamedTuple):
    """Mechanisms left out, each with the promise that it alone keeps among these, so that one run tells of all of them."""

    breaks: Mapping[str, str]
    options: str
    """Faults that the mechanisms protect from, whom they strike, for how long."""
    seeds: tuple[int, int]
    """The second is tried for what the first did not show."""


HUNTS = (
    Hunt(
        {"gate": "P7", "acknowledgement": "P1"},
        "--faults kill,freeze,blackhole --targets ingest,scoring,channels --minutes 0.8 --rest 10 --replicas 1",
        (5888, 699),
    ),
    Hunt({"watermark": "P18"}, "--faults freeze --targets scoring --minutes 0.6 --rest 10 --replicas 1", (21, 22)),
    Hunt({"clock": "P12"}, "--faults jump --targets orchestrator,channels --minutes 0.6 --rest 10 --replicas 1", (18, 19)),
)
MECHANISMS_LEFT_OUT = [(hunt, mechanism) for hunt in HUNTS for mechanism in hunt.breaks]


def begin_all(background: Background) -> None:
    """Puts all of them into the queue."""
    for seed, kinds in {**SEEDS, FRESH: USUAL}.items():
        background.begin(f"seed-{seed}", "--minutes", str(MINUTES), "--seed", str(seed), "--faults", ",".join(kinds))
    for hunt in HUNTS:
        background.begin(name_of(hunt), "--without", ",".join(hunt.breaks), "--seed", str(hunt.seeds[0]), *hunt.options.split())


def name_of(hunt: Hunt) -> str:
    """Of its run."""
    return "-".join(hunt.breaks)
