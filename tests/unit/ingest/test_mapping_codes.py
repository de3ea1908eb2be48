"""Codes of a mapping's tables as people and systems write them: in any case, and several at once. No stop among them is lost."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.document import read
from nextwave_ingest.mappings.library import Library
from unit.ingest.fakes import NOW
from unit.ingest.one_rule import faults, mapping

ANN = "+14155550100"


CODES = {
    "NEVER_AGAIN": {"refusal": True, "note": "a"},
    "angry": {"complaint": True, "note": "b"},
    "OK": {"refusal": False, "satisfaction": 5},
}


def wrapped(key: str, item: dict[str, Any], **tables: dict[str, Any]) -> Any:
    compiled = Compiled(read(mapping(f"type: call.wrapped_up, data: {key}", **(tables or {"codes": CODES})).encode()))
    [found] = compiled.understand_all(compiled.items(msgspec.json.encode({"id": "1", "from": ANN} | item))[0], source="s", received_at=NOW)
    return found


@pytest.mark.parametrize(
    ("codes", "data"),
    [
        (["NEVER_AGAIN"], {"refusal": True, "note": "a"}),
        (["OK", "unheard of", "NEVER_AGAIN"], {"refusal": True, "satisfaction": 5, "note": "a"}),
        (["NEVER_AGAIN", "OK"], {"refusal": True, "satisfaction": 5, "note": "a"}),
        (["angry", "NEVER_AGAIN"], {"complaint": True, "refusal": True, "note": "b"}),
        (["unheard of"], {}),
        (" Never_Again ", {"refusal": True, "note": "a"}),
        ("ANGRY", {"complaint": True, "note": "b"}),
    ],
)
def test_all_of_several_codes_count_in_any_case_and_a_stop_among_them_wins(codes: Any, data: dict[str, Any]) -> None:
    assert wrapped("{'*': {table: codes, key: $.codes}}", {"codes": codes}).data == data
    if isinstance(codes, list):
        tags = {"tags": [{"name": code} for code in codes]}
        assert wrapped("{'*': {table: codes, key: '$.tags[*].name'}}", tags).data == data


def test_codes_that_say_contrary_things_reject_the_item_unless_one_of_them_is_a_yes() -> None:
    refusals, teams = {"x": True, "y": False}, {"x": "north", "y": "south", "z": "north"}
    assert wrapped("{refusal: {table: t, key: $.codes}}", {"codes": ["y", "x"]}, t=refusals).data == {"refusal": True}
    assert wrapped("{team: {table: t, key: $.codes}}", {"codes": ["x", "z"]}, t=teams).data == {"team": "north"}
    contrary = wrapped("{team: {table: t, key: $.codes}}", {"codes": ["x", "y"]}, t=teams)
    assert "x, y stand for different things" in contrary.detail


def test_two_codes_that_differ_in_nothing_but_case_are_refused_when_they_are_saved() -> None:
    document = mapping("type: call.wrapped_up", codes={"complaint": {"complaint": True}, "Complaint ": {}})
    assert faults(document) == ["/tables/codes/Complaint "]
    assert wrapped("{'*': {table: t, key: $.c}}", {"c": "B"}, t={"b": {"note": "1"}, "B": {"note": "2"}}).data == {"note": "2"}, "in force"


def test_a_code_laid_over_another_mapping_s_counts_in_whatever_case_it_is_written() -> None:
    base = read(mapping("type: call.wrapped_up, data: {'*': {table: codes, key: $.c}}", codes={"REFUSED": {"refusal": True}}).encode())
    library = Library([base])
    compiled = library.checked(read(b"name: more\nextends: ours\ntables: {codes: {refused: {complaint: true}}}"))
    assert compiled.document.tables == {"codes": {"refused": {"complaint": True}}}
