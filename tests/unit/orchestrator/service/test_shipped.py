"""What is shipped can be used as it stands: every document is right, and every campaign would work where all of it is installed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from nextwave_orchestrator.campaigns.checks import campaign_faults, segment_faults
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment
from nextwave_orchestrator.campaigns.lint import Surroundings, lint
from nextwave_orchestrator.shipped import named_by, shipped, with_what_they_name
from nextwave_orchestrator.templates import template_faults
from unit.orchestrator.service.shipped_house import ALL, CAMPAIGNS, SEGMENTS, TEMPLATES

MANUAL = (Path(__file__).parents[4] / "docs" / "service.md").read_text()
AROUND = Surroundings(segments=SEGMENTS, templates=TEMPLATES, systems=frozenset(), policy=Policy(), others=tuple(CAMPAIGNS.values()))


def faults_of(one: Any) -> list[Any]:
    if isinstance(one, Campaign):
        return campaign_faults(one)
    return segment_faults(one) if isinstance(one, Segment) else template_faults(one)


@pytest.mark.parametrize("path", sorted(ALL))
def test_every_document_has_no_faults(path: str) -> None:
    assert faults_of(ALL[path]) == []


@pytest.mark.parametrize("key", sorted(CAMPAIGNS))
def test_every_campaign_lints_clean(key: str) -> None:
    assert [f"{f.code} {f.detail}" for f in lint(CAMPAIGNS[key], AROUND)] == []


def test_nothing_is_shipped_that_no_campaign_names_but_the_segment_of_the_recovered() -> None:
    named = {path for campaign in CAMPAIGNS.values() for path in named_by(campaign)}
    assert set(ALL) - named - {f"campaigns/{key}" for key in CAMPAIGNS} == {"segments/recovered"}
    assert named <= set(ALL)


def test_a_campaign_comes_with_what_it_names_and_nothing_else() -> None:
    paths = {one.path for one in with_what_they_name(shipped(), ["hesitating-visitor"])}
    assert paths == {"campaigns/hesitating-visitor", "segments/hesitating", "templates/hesitate-invite"}


def test_only_campaigns_that_sell_are_for_marketing() -> None:
    assert {key for key, campaign in CAMPAIGNS.items() if campaign.purpose == "marketing"} == {"win-back", "renewal"}


def test_the_manual_names_every_campaign_that_is_shipped_and_no_other() -> None:
    table = MANUAL[MANUAL.index("| campaign | begins |") : MANUAL.index("The segment `recovered`")]
    columns = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    named = [name for column in columns for name in re.findall(r"`([a-z-]+)`", column)]
    assert sorted(named) == sorted(CAMPAIGNS)
