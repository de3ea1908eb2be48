"""The harness over whole stacks: every promise holds under fixed seeds and a fresh one, and each mechanism left out is found."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from faults.background import Background, Ran

SEEDS = (156, 175, 162)
"""Together they do every kind of harm; `test_plan.py` holds it."""
FRESH = random.SystemRandom().randrange(10_000)
"""Another one each time; a failing test's name says it."""
MINUTES = 0.8


class Hunt(NamedTuple):
    """A mechanism left out: the faults that it protects from, whom they strike, for how long, and which promises break first."""

    without: str
    kinds: str
    targets: str
    minutes: str
    seed: int
    breaks: frozenset[str]
    rest: str = "5"
    """Seconds to come to rest: few where the harm is seen at once, and what is lost never comes to rest."""
    replicas: str = "1"
    """Of each service: as many as the harm needs."""


HUNTS = (
    Hunt("seen", "none", "scoring", "0.2", 11, frozenset({"P4"})),
    Hunt("marks", "kill", "scoring,orchestrator,channels", "0.4", 12, frozenset({"P4"})),
    Hunt("fence", "freeze", "scoring,orchestrator", "0.6", 13, frozenset({"P1", "P4"}), replicas="2"),
    Hunt("outbox", "kill", "scoring,orchestrator", "0.5", 14, frozenset({"P1"}), rest="20"),
    Hunt("watermark", "kill,freeze", "scoring", "0.6", 15, frozenset({"P18"})),
    Hunt("clock", "jump", "orchestrator,channels", "0.6", 18, frozenset({"P11", "P12"}), rest="15"),
    Hunt("gate", "kill,freeze", "scoring", "0.6", 16, frozenset({"P7"}), rest="15"),
    Hunt("acknowledgement", "kill,blackhole,cut", "ingest", "0.6", 17, frozenset({"P1"}), rest="15"),
)


UPGRADE = ("--faults", "roll,kill", "--minutes", "0.8", "--seed", "31")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """All runs of this file, in the order of its tests."""
    background = Background(tmp_path_factory.mktemp("faults"))
    for seed in (*SEEDS, FRESH):
        background.begin(f"seed-{seed}", "--minutes", str(MINUTES), "--seed", str(seed))
    background.begin("upgrade", *UPGRADE)
    for hunt in HUNTS:
        given = {"--without": hunt.without, "--faults": hunt.kinds, "--targets": hunt.targets, "--minutes": hunt.minutes}
        given |= {"--seed": str(hunt.seed), "--rest": hunt.rest, "--replicas": hunt.replicas}
        background.begin(hunt.without, *(word for pair in given.items() for word in pair))
    yield background
    background.close()


def held(runs: Background, name: str) -> Ran:
    """A run in which every promise held. A broken one is told loudly and tried again (a busy machine cannot judge seconds); twice fails."""
    ran = runs.wait(name)
    if ran.code:
        warnings.warn(f"{name} broke a promise; look at it:\n{ran.printed}", stacklevel=2)
        ran = runs.again(name)
    assert ran.code == 0, ran.printed
    return ran


@pytest.mark.parametrize("seed", [*SEEDS, FRESH])
def test_every_promise_holds_whatever_breaks(runs: Background, seed: int) -> None:
    held(runs, f"seed-{seed}")


def test_the_previous_build_and_this_one_work_side_by_side_in_one_group(runs: Background) -> None:
    assert "held   P13" in held(runs, "upgrade").printed


@pytest.mark.parametrize("hunt", HUNTS, ids=lambda hunt: hunt.without)
def test_the_harness_finds_a_mechanism_that_is_left_out(runs: Background, hunt: Hunt) -> None:
    ran = runs.wait(hunt.without)
    if not ran.broken & hunt.breaks:
        ran = runs.again(hunt.without, "--seed", str(hunt.seed + 1000))
    assert ran.code == 1, ran.printed
    assert ran.broken & hunt.breaks, ran.printed
