"""Values can be worked out by hand from `docs/value.md` alone: what it says is shipped is what the code assumes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from nextwave_contracts.touchpoints import TOUCHPOINT_TYPES
from nextwave_scoring.instants import micros
from nextwave_scoring.lifecycle import Lifecycle
from nextwave_scoring.relationship import Scale
from nextwave_scoring.settings import ScoringSettings
from nextwave_scoring.value.assumptions import Economics
from nextwave_scoring.value.thresholds import ThresholdRule
from nextwave_scoring.value.trade import trade_of

from .making import START, folded, touchpoint

TEXT = (Path(__file__).parents[3] / "docs" / "value.md").read_text(encoding="utf-8")
BY_SETTINGS = {"currency", "current_min", "potential_min"}
"""Set by settings, not by the house file."""


@pytest.mark.parametrize("table", [Economics, Lifecycle, Scale])
def test_the_document_tells_every_value_as_it_is_shipped(table: type) -> None:
    header = f"| {table.__name__.lower()} | as shipped | meaning |\n"
    lines = re.findall(r"^\| `(\w+)` \| `(.+?)` \|", TEXT.partition(header)[2].partition("\n\n")[0], re.MULTILINE)
    told = tomllib.loads("\n".join(f"{name} = {value}" for name, value in lines))
    shipped = msgspec.to_builtins(table())
    assert told == {name: list(value) if isinstance(value, tuple) else value for name, value in shipped.items() if name not in BY_SETTINGS}


def test_the_document_tells_what_settings_ship() -> None:
    fields, rule = ScoringSettings.model_fields, ThresholdRule()
    assert f"`NEXTWAVE_CURRENCY` ({fields['currency'].default})" in TEXT
    assert f"`NEXTWAVE_VALUE_THRESHOLDS_BY` (`{fields['value_thresholds_by'].default}`)" in TEXT
    assert f"`NEXTWAVE_VALUE_THRESHOLDS` (`{list(fields['value_thresholds'].default)}`" in TEXT
    assert (rule.current, rule.potential) == fields["value_thresholds"].default


def test_the_document_tells_which_touchpoints_are_service() -> None:
    told = re.findall(r"`(\w+\.\w+)`", TEXT.partition("**What counts as service**")[2].partition("So a call")[0])
    served = [kind for kind in TOUCHPOINT_TYPES if trade_of(folded([touchpoint(kind)]), micros(START), Economics()).served_per_day > 0]
    assert sorted(told) == sorted(served)
