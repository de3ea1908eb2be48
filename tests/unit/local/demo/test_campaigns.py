"""The demo's campaigns are such as an owner may publish: read, checked and linted by the orchestrator's own code."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest
from nextwave_contracts.documents import read_as, read_document
from nextwave_local.demo.owner import DOCUMENTS, _by_key
from nextwave_orchestrator.campaigns.checks import campaign_faults, policy_faults, segment_faults
from nextwave_orchestrator.campaigns.definition import Campaign, Policy, Segment, Template
from nextwave_orchestrator.campaigns.lint import Surroundings, lint
from nextwave_orchestrator.templates import template_faults

T = TypeVar("T")
CAMPAIGNS = sorted(_by_key(DOCUMENTS).keys() - {"policy"})


def _read(folder: Any, key: str, kind: type[T]) -> T:
    document = read_document((folder / f"{key}.yaml").read_bytes(), "application/yaml")
    return read_as(document | ({} if kind is Policy else {"key": key}), kind)


def _around() -> Surroundings:
    templates = {key: _read(DOCUMENTS / "templates", key, Template) for key in _by_key(DOCUMENTS / "templates")}
    segments = {key: _read(DOCUMENTS / "segments", key, Segment) for key in _by_key(DOCUMENTS / "segments")}
    policy = _read(DOCUMENTS, "policy", Policy)
    assert [template_faults(one) for one in templates.values()] == [[]] * len(templates)
    assert [segment_faults(one) for one in segments.values()] == [[]] * len(segments)
    assert policy_faults(policy) == []
    return Surroundings(segments=segments, templates=templates, systems=frozenset(), policy=policy)


@pytest.mark.parametrize("key", CAMPAIGNS)
def test_a_campaign_of_the_demo_is_publishable_without_a_warning(key: str) -> None:
    campaign = _read(DOCUMENTS, key, Campaign)
    assert campaign_faults(campaign) == []
    assert lint(campaign, _around()) == []


def test_the_retention_campaign_tells_calls_and_goes_on_differently_with_missed_and_refused() -> None:
    campaign = _read(DOCUMENTS, "retention", Campaign)
    tell, call, missed = campaign.waves
    assert {mix.segment for mix in tell.mixes} >= {"let-down", "loyal-buyers", "window-shoppers"}
    assert len({mix.channels for mix in tell.mixes}) == len(tell.mixes)
    assert any(step.channel == "call" for mix in call.mixes for step in mix.channels)
    assert missed.enter is not None
    assert missed.enter.on["missed"] != missed.enter.on["refused"]


def test_no_template_and_no_segment_lies_about_unused() -> None:
    used = b"".join((DOCUMENTS / f"{key}.yaml").read_bytes() for key in CAMPAIGNS)
    assert [key for folder in ("templates", "segments") for key in _by_key(DOCUMENTS / folder) if key.encode() not in used] == []
