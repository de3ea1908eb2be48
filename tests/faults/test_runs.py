"""The harness over whole stacks: every promise holds under fixed seeds and a fresh one, and each mechanism left out is found."""

from __future__ import annotations

import pytest

from faults.background import Background
from faults.runs import FRESH, MECHANISMS_LEFT_OUT, SEEDS, Hunt, name_of


@pytest.mark.parametrize("seed", [*SEEDS, FRESH])
def test_every_promise_holds_whatever_breaks(fault_runs: Background, seed: int) -> None:
    ran = fault_runs.wait(f"seed-{seed}")
    assert ran.code == 0, ran.printed


def test_the_previous_build_and_this_one_work_side_by_side_in_one_group(fault_runs: Background) -> None:
    assert "held   P13" in fault_runs.wait("seed-335").printed


@pytest.mark.parametrize(("hunt", "mechanism"), MECHANISMS_LEFT_OUT, ids=[mechanism for _, mechanism in MECHANISMS_LEFT_OUT])
def test_the_harness_finds_a_mechanism_that_is_left_out(fault_runs: Background, hunt: Hunt, mechanism: str) -> None:
    ran = fault_runs.wait(name_of(hunt))
    if hunt.breaks[mechanism] not in ran.broken:
        ran = fault_runs.again(name_of(hunt), "--seed", str(hunt.seeds[1]))
    assert hunt.breaks[mechanism] in ran.broken, ran.printed
