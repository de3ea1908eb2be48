"""Every channel's terms are said once, and fit what the rest of the ring knows of channels."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from nextwave_contracts.actions import Channel
from nextwave_contracts.channels import CHANNELS, OURS, Terms
from nextwave_contracts.identifiers import identifier
from nextwave_contracts.outcomes import OutcomeKind
from nextwave_orchestrator.hours.rules import CHANNELS_WITH_HOURS

ADDRESSES = {"email": "ann@example.com", "phone": "+4930123456", "device_token": "token-1"}


def test_every_channel_has_terms() -> None:
    assert set(CHANNELS) == set(get_args(Channel))


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_reports_outcomes_that_there_are_and_always_what_we_say_ourselves(channel: Channel) -> None:
    assert OURS <= CHANNELS[channel].reports <= set(get_args(OutcomeKind))


def test_legal_hours_are_those_that_have_rules() -> None:
    assert {name for name, terms in CHANNELS.items() if terms.hours == "legal"} == CHANNELS_WITH_HOURS


def test_an_addresss_kind_is_one_that_the_doors_write() -> None:
    kinds = {terms.identifier for terms in CHANNELS.values() if terms.identifier}
    assert {identifier(kind, ADDRESSES[kind]).partition(":")[0] for kind in kinds} == kinds


def test_the_guides_table_says_what_the_terms_say() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "channels.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in guide.splitlines() if line.startswith("| `")]
    table = {row[0].strip("`"): row[1:] for row in rows if len(row) == 8}
    assert table == {name: in_cells(terms) for name, terms in CHANNELS.items()}


def in_cells(terms: Terms) -> list[str]:
    minutes = int(terms.arrives_within.total_seconds()) // 60
    arrives = f"{minutes // 1440} d" if minutes >= 1440 else f"{minutes} min"
    consent = "opt-in" if terms.needs_consent else ""
    told = ", ".join(sorted(terms.reports - OURS))
    return [terms.identifier or "own id", terms.hours, consent, terms.place, str(terms.cost), arrives, told]
