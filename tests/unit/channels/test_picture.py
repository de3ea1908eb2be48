"""The picture of a delivery's states is the one that the code draws, and it leaves nothing out."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from nextwave_channels import delivery, picture
from nextwave_channels.delivery import EVIDENCE, RANK, STATES, State

PUBLISHED = Path(__file__).parents[3] / "docs" / "delivery-states.md"


def test_the_published_picture_is_what_the_state_machine_does() -> None:
    assert PUBLISHED.read_text() == picture.text(), "run `make docs`"


def test_every_transition_of_the_state_machine_is_drawn() -> None:
    made = {name for name, function in inspect.getmembers(delivery, inspect.isfunction) if _is_transition(name, function)}
    assert made == {*picture.TRANSITIONS, "learn"}, "draw the new function in picture.py, or remove the old one there"


def _is_transition(name: str, function: object) -> bool:
    here = getattr(function, "__module__", "") == delivery.__name__ and not name.startswith("_")
    return here and "Step" in str(inspect.signature(function).return_annotation)  # type: ignore[arg-type]


def test_every_state_has_its_meaning_and_its_row() -> None:
    assert set(picture.MEANINGS) == set(STATES)
    rows = [line for line in picture.text().splitlines() if line.startswith("| ") and "`" in line]
    assert [row.split("`")[1] for row in rows] == list(STATES)


@pytest.mark.parametrize("before", STATES)
def test_evidence_lifts_a_delivery_to_every_higher_rank_and_to_no_other(before: State) -> None:
    """The table says only from which rank on, so there must be no gap."""
    assert picture.raises(before) == [state for state in STATES if state in EVIDENCE and RANK[state] > RANK[before]]


def test_only_a_sure_refusal_leads_back_to_the_queue() -> None:
    back = {(before, name) for before in STATES for name, after in picture.moves(before).items() if after == "due" and before != "due"}
    assert back == {("sending", "surely refused, not now"), ("sending", "nobody asked after all, last try")}
