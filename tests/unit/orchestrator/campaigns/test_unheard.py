"""What a wave waits for and its channels never report is found, since nobody would ever answer."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_contracts.documents import read_as
from nextwave_orchestrator.campaigns.definition import Campaign, Step
from nextwave_orchestrator.campaigns.lint import lint
from nextwave_orchestrator.campaigns.unheard import unheard
from unit.orchestrator.campaigns.winter import around, put, winter, written

VISIT = {"channel": "visit", "team": "north", "script": "Bring the new catalogue"}
ONSITE = {"channel": "onsite", "template": "renew"}


def calling(*steps: dict[str, Any]) -> Campaign:
    """The winter campaign whose second wave, of which `answered` is a response, uses these channels."""
    return read_as(put(written(), "/waves/1/mixes/0/channels", list(steps)), Campaign)


def places(campaign: Campaign) -> list[str]:
    return [found.pointer for found in unheard(campaign)]


def test_the_product_own_example_hears_everything() -> None:
    assert places(winter()) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((VISIT,), []),
        ((ONSITE,), ["/waves/1/response", "/waves/2/enter/on/missed", "/waves/2/enter/on/refused"]),
        (({"channel": "letter", "template": "renew"},), ["/waves/1/response"]),
        ((ONSITE, VISIT), []),
        (({"channel": "webhook", "template": "renew"},), []),
    ],
)
def test_an_outcome_is_heard_if_any_channel_of_the_wave_reports_it(steps: tuple[dict[str, Any], ...], expected: list[str]) -> None:
    assert places(calling(*steps)) == expected


def test_a_finding_says_what_could_be_asked_instead() -> None:
    (first, *_) = unheard(calling(ONSITE))
    assert (first.level, first.code) == ("warning", "never_reported")
    assert "clicked" in first.fix
    assert "answered" in first.detail


def test_a_visit_needs_a_team_and_no_template_and_a_day() -> None:
    assert lint(calling(VISIT), around()) == []
    alone = calling({**VISIT, "team": ""})
    assert [(found.code, found.fix) for found in lint(alone, around())] == [("no_team", "name who carries it out: team: <name>")]
    short = read_as(put(put(written(), "/waves/1/mixes/0/channels", [VISIT]), "/waves/1/window", "8h"), Campaign)
    assert [found.code for found in lint(short, around())] == ["window_too_short"]


def test_who_carries_a_step_out_is_one_of_its_fields() -> None:
    assert {"list", "team"} <= set(Step.__struct_fields__)
