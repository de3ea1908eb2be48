"""The harness over whole stacks: every promise holds under fixed seeds and a fresh one, and each mechanism left out is found."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pytest

from faults.background import Background
from faults.plan import KINDS, USUAL, Kind

SEEDS: Mapping[int, Sequence[Kind]] = {156: USUAL, 175: USUAL, 335: KINDS}
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
        {"marks": "P4", "gate": "P7", "acknowledgement": "P1", "watermark": "P18"},
        "--faults kill,freeze,blackhole --targets ingest,scoring,channels --minutes 0.8 --rest 10 --replicas 1",
        (5888, 699),
    ),
    Hunt({"seen": "P4", "outbox": "P1"}, "--faults kill --targets scoring,orchestrator --minutes 0.4 --rest 10 --replicas 1", (379, 14)),
    Hunt({"clock": "P12"}, "--faults jump --targets orchestrator,channels --minutes 0.6 --rest 10 --replicas 1", (18, 19)),
    Hunt({"fence": "P4"}, "--faults slow,freeze --targets scoring --minutes 0.6 --rest 10 --rate 5 --slowest 700", (3801, 2578)),
)
MECHANISMS_LEFT_OUT = [(hunt, mechanism) for hunt in HUNTS for mechanism in hunt.breaks]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """All runs of this file, in the order of its tests."""
    background = Background(tmp_path_factory.mktemp("faults"))
    for seed, kinds in {**SEEDS, FRESH: USUAL}.items():
        background.begin(f"seed-{seed}", "--minutes", str(MINUTES), "--seed", str(seed), "--faults", ",".join(kinds))
    for hunt in HUNTS:
        background.begin(name_of(hunt), "--without", ",".join(hunt.breaks), "--seed", str(hunt.seeds[0]), *hunt.options.split())
    yield background
    background.close()


def name_of(hunt: Hunt) -> str:
    """Of its run."""
    return "-".join(hunt.breaks)


@pytest.mark.parametrize("seed", [*SEEDS, FRESH])
def test_every_promise_holds_whatever_breaks(runs: Background, seed: int) -> None:
    ran = runs.wait(f"seed-{seed}")
    assert ran.code == 0, ran.printed


def test_the_previous_build_and_this_one_work_side_by_side_in_one_group(runs: Background) -> None:
    assert "held   P13" in runs.wait("seed-335").printed


@pytest.mark.parametrize(("hunt", "mechanism"), MECHANISMS_LEFT_OUT, ids=[mechanism for _, mechanism in MECHANISMS_LEFT_OUT])
def test_the_harness_finds_a_mechanism_that_is_left_out(runs: Background, hunt: Hunt, mechanism: str) -> None:
    ran = runs.wait(name_of(hunt))
    if hunt.breaks[mechanism] not in ran.broken:
        ran = runs.again(name_of(hunt), "--seed", str(hunt.seeds[1]))
    assert hunt.breaks[mechanism] in ran.broken, ran.printed
