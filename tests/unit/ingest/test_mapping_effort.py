"""What the paths of a mapping may look at in one item."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from nextwave_ingest.admission import RefusedError, Report
from nextwave_ingest.mappings import effort
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.conditions import conditions
from nextwave_ingest.mappings.document import read
from nextwave_ingest.mappings.effort import Meter, measured
from nextwave_ingest.mappings.paths import Path
from nextwave_ingest.mappings.values import WRITTEN_MAX, Reader
from unit.ingest.fakes import API_TOKEN, NOW, Stand

VIEWER = {"authorization": f"Bearer {API_TOKEN}"}
EFFORT = 5_000
LINES = [{"k": n % 10, "in": {}} for n in range(EFFORT // 5)]
WIDE = {
    "name": "wide",
    "touchpoints": [
        *[{"when": {f"$.lines[?@.k == {100 + n}]": {"exists": True}}, "type": "a.b", "identifiers": {"phone": "$.p"}} for n in range(2)],
        {"when": {"$.stop": True}, "type": "consent.withdrawn", "identifiers": {"phone": "$.p"}},
        {"type": "a.c", "identifiers": {"phone": "$.p"}, "data": {"all": "$.lines[*]"}},
    ],
}


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "EFFORT_MAX", EFFORT * effort.LOOK)


def test_conditions_are_bounded_with_the_values() -> None:
    reader = Reader({})
    reader.fields({str(n): n for n in range(WRITTEN_MAX - 1)} | {"none": None}, "/data")
    conditions({"$.a": 1}, reader, "/when")
    assert reader.faults == []
    conditions({"$.b": 1}, reader, "/when")
    assert [(fault.pointer, fault.fix) for fault in reader.faults] == [("/when/$.b", "split the mapping: a source may use several")]


@pytest.mark.parametrize(
    ("path", "item", "times"),
    [
        ("$[?@.k == 100]", LINES, 0),
        ("$[?@.k == 100]", LINES[:-1], 1),
        ("$[*].none", LINES, 4),
        ("$[*].k", LINES, 2),
        ("$..none", LINES, 1),
        ("$..[?@.k == 100]", LINES[: len(LINES) // 8], 2),
        ("$[:].none", LINES, 4),
        ("$.list[?$.a == $.b]", {"list": [1] * 30, "a": [1] * 200, "b": [1] * 199 + [2]}, 0),
        ("$.list[?$.a == $.b]", {"list": [1] * 20, "a": [1] * 200, "b": [1] * 199 + [2]}, 1),
        ("$['k', 'in']", LINES[0], EFFORT // 3),
    ],
)
def test_paths_look_at_a_bounded_number_of_values_of_an_item(path: str, item: Any, times: int) -> None:
    asked = Path(path)
    with measured(meter := Meter()):
        for _ in range(times):
            asked.values(item)
        with pytest.raises(RefusedError, match=re.escape(path)) as spent:
            asked.values(item)
        assert (spent.value.reason, "5,000 values" in spent.value.detail) == ("too_large", True)
        with pytest.raises(RefusedError):
            Path("$[*]").value([1])
        meter.at_an_item()
        assert Path("$[*]").value([1]) == [1]


def test_an_item_in_which_paths_look_at_too_much_is_refused_with_the_path_and_a_stop_in_it_is_heard() -> None:
    wide = Compiled(read(msgspec.json.encode(WIDE)))
    large = msgspec.json.encode({"p": "+14155550100", "stop": True, "lines": [{"k": 1}] * (EFFORT // 5)})
    found = wide.understand_all(large, source="shop", received_at=NOW)
    assert [one.type for one in found if isinstance(one, Report)] == ["consent.withdrawn"]
    refused = [one.detail for one in found if isinstance(one, RefusedError)]
    assert [path in detail for path, detail in zip(("k == 100", "k == 101", "lines[*]"), refused, strict=True)] == [True] * 3
    assert refused[0].startswith("mapping wide, /touchpoints/0: ")
    small = msgspec.json.encode({"p": "+14155550100", "lines": [{"k": 1}] * (EFFORT // 15)})
    for _ in range(3):  # each item has its own
        (other,) = wide.understand_all(small, source="shop", received_at=NOW)
        assert isinstance(other, Report)
        assert len(other.data["all"]) == EFFORT // 15


def test_the_path_to_the_items_is_bounded_too() -> None:
    mapping = Compiled(read(msgspec.json.encode(WIDE | {"items": "$[?@.k == 100]"})))
    body = msgspec.json.encode([{"k": 1}] * (EFFORT // 5))
    for _ in range(2):
        with pytest.raises(RefusedError, match="k == 100"):
            mapping.items(body)
    assert mapping.items(msgspec.json.encode([{"k": 100}] * 7)) == [b'{"k":100}'] * 7


async def test_a_trial_in_which_paths_look_at_too_much_says_so(ingest: Stand) -> None:
    lines = "$.lines[?@.k == 9]"
    rule = {"when": {"$.stop": True, lines: {"exists": True}}, "type": "a.b", "identifiers": {"phone": "$.p"}}
    body = {"stop": True, "lines": [{"k": 1}] * (EFFORT // 5)}
    trial = {"document": {"name": "wide", "touchpoints": [rule]}, "body": body}
    (told,) = (await ingest.post("/v1/mappings:try", trial, headers=VIEWER)).json()["items"]
    assert [(one["found"], one["holds"]) for one in told["rules"][0]["conditions"]] == [([True], True), ([], False)]
    assert [lines in refusal["detail"] for refusal in told["refusals"]] == [True]
    trial |= {"document": {"name": "wide", "touchpoints": [rule | {"when": {lines: {"exists": False}}}]}}
    trial |= {"body": [{"lines": [{"k": 1}] * (EFFORT // 6)}] * 2}
    items = (await ingest.post("/v1/mappings:try", trial, headers=VIEWER)).json()["items"]
    assert [one["rules"][0]["holds"] for one in items] == [True, True]
