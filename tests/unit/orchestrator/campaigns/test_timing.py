"""Triggers by time as they are written: each mistake is refused at its place with the fix, and what would go wrong is told."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest
from nextwave_contracts.documents import read_as
from nextwave_contracts.faults import FaultyError
from nextwave_orchestrator.campaigns.checks import campaign_faults
from nextwave_orchestrator.campaigns.compile import compile_campaign
from nextwave_orchestrator.campaigns.definition import Campaign, DateOf, Schedule
from nextwave_orchestrator.campaigns.lint import lint
from nextwave_orchestrator.campaigns.timing import date_in_words, schedule_in_words
from nextwave_orchestrator.triggers.dates import DateTrigger
from nextwave_orchestrator.triggers.timetable import Timetable
from unit.orchestrator.campaigns.winter import around, put, written

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
BIRTHDAY = {"of": "birthday"}
DAILY = {"at": "2026-12-01T09:00", "every": "day"}


def on(**trigger: Any) -> Campaign:
    return read_as(put(written(), "/entry/on", trigger), Campaign)


def test_dates_and_schedules_as_the_guide_writes_them_have_no_faults() -> None:
    for date in (BIRTHDAY, {"of": "contract_end", "before": "30d", "at": "18:30"}, {"of": "traits.a.b", "after": "2w", "yearly": True}):
        assert campaign_faults(on(date=date)) == []
    weekly = {"at": "2026-12-01T09:00:30", "every": "week", "on": ["mon", "thu"], "zone": "Europe/Berlin", "pace": 600}
    for schedule in (DAILY, weekly, {"at": "2026-12-31T09:00", "every": "month"}, {"at": "2026-12-01T09:00"}):
        assert campaign_faults(on(schedule=schedule)) == []


@pytest.mark.parametrize(
    ("trigger", "pointer"),
    [
        ({}, "/entry/on"),
        ({"date": BIRTHDAY, "schedule": DAILY}, "/entry/on"),
        ({"event": "order.placed", "date": BIRTHDAY}, "/entry/on"),
        ({"date": {"of": "wedding"}}, "/entry/on/date/of"),
        ({"date": {"of": "traits."}}, "/entry/on/date/of"),
        ({"date": BIRTHDAY | {"before": "1d", "after": "1d"}}, "/entry/on/date"),
        ({"date": BIRTHDAY | {"before": "36h"}}, "/entry/on/date/before"),
        ({"date": BIRTHDAY | {"after": "367d"}}, "/entry/on/date/after"),
        ({"date": BIRTHDAY | {"before": "soon"}}, "/entry/on/date/before"),
        ({"date": BIRTHDAY | {"at": "24:00"}}, "/entry/on/date/at"),
        ({"date": BIRTHDAY | {"at": "9:00"}}, "/entry/on/date/at"),
        ({"date": {"of": "contract_end", "yearly": True}}, "/entry/on/date/yearly"),
        ({"schedule": {"at": "2026-12-01T09:00Z"}}, "/entry/on/schedule/at"),
        ({"schedule": {"at": "2026-12-01"}}, "/entry/on/schedule/at"),
        ({"schedule": {"at": "2026-13-01T09:00"}}, "/entry/on/schedule/at"),
        ({"schedule": DAILY | {"on": ["mon"]}}, "/entry/on/schedule/on"),
        ({"schedule": DAILY | {"every": "week", "on": ["mon", "mon"]}}, "/entry/on/schedule/on"),
        ({"schedule": DAILY | {"zone": "Europe/Atlantis"}}, "/entry/on/schedule/zone"),
        ({"schedule": DAILY | {"pace": -1}}, "/entry/on/schedule/pace"),
    ],
)
def test_a_mistake_is_refused_at_its_place_with_the_fix(trigger: dict[str, Any], pointer: str) -> None:
    faults = campaign_faults(on(**trigger))
    assert [fault.pointer for fault in faults] == [pointer]
    assert faults[0].fix


@pytest.mark.parametrize("day", ["noday", "Mon"])
def test_a_day_of_the_week_is_one_of_seven_words(day: str) -> None:
    with pytest.raises(FaultyError) as refused:
        on(schedule=DAILY | {"every": "week", "on": [day]})
    assert refused.value.faults[0].pointer == "/entry/on/schedule/on/0"
    assert "mon, sat" in refused.value.faults[0].fix


def test_only_products_key_an_entry_without_an_event() -> None:
    cases: tuple[tuple[str, str, list[str]], ...] = (
        ("product_birthday", "product", []),
        ("birthday", "product", ["/entry/key"]),
        ("product_birthday", "serial", ["/entry/key"]),
    )
    for of, key, pointers in cases:
        keyed = read_as(put(put(written(), "/entry/on", {"date": {"of": of}}), "/entry/key", key), Campaign)
        assert [fault.pointer for fault in campaign_faults(keyed)] == pointers


@pytest.mark.parametrize(
    ("trigger", "reentry", "codes"),
    [
        ({"date": BIRTHDAY}, "300d", []),
        ({"date": BIRTHDAY}, "", ["enters_once"]),
        ({"date": BIRTHDAY}, "365d", ["skips_years"]),
        ({"date": {"of": "contract_end", "before": "30d"}}, "", []),
        ({"schedule": DAILY | {"at": "2026-12-01T09:00"}}, "", ["enters_once"]),
        ({"schedule": DAILY | {"at": "2020-01-01T09:00"}}, "1h", []),
        ({"schedule": {"at": "2026-12-02T09:00"}}, "", []),
        ({"schedule": {"at": "2026-11-30T22:00"}}, "", ["partly_past"]),
        ({"schedule": {"at": "2026-11-29T22:00"}}, "", ["past"]),
        ({"schedule": {"at": "2026-11-30T12:59", "zone": "Europe/Berlin"}}, "", ["past"]),
        ({"schedule": {"at": "2026-11-30T13:01", "zone": "Europe/Berlin"}}, "", []),
    ],
)
def test_what_would_go_wrong_is_told(trigger: dict[str, Any], reentry: str, codes: list[str]) -> None:
    plan = put(put(written(), "/entry/on", trigger), "/entry/reentry", {"after": reentry} if reentry else ...)
    assert [finding.code for finding in lint(read_as(plan, Campaign), around(now=NOW))] == codes


def test_what_is_written_is_what_runs() -> None:
    date = compile_campaign(on(date={"of": "contract_end", "before": "4w", "at": "18:30"}), 1, "published").date
    assert date == DateTrigger("contract_end", -28, time(18, 30), yearly=False)
    weekly = compile_campaign(on(schedule=DAILY | {"every": "week"}), 1, "published").schedule
    assert weekly == Timetable(datetime.fromisoformat("2026-12-01T09:00"), "week", frozenset({1}))


def test_a_trigger_is_told_in_words() -> None:
    assert date_in_words(DateOf(of="contract_end", before="30d")) == "30d before the end of the contract, at 09:00 on their clock"
    weekly = Schedule(at="2026-12-01T09:00", every="week", on=("mon", "thu"), pace=600)
    assert schedule_in_words(weekly) == "every week on mon, thu from 2026-12-01T09:00 on their clock, at most 600 a minute"
    assert schedule_in_words(Schedule(at="2026-12-01T09:00", zone="Europe/Berlin")) == "once, 2026-12-01T09:00 in Europe/Berlin"
