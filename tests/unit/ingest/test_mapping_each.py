"""What `each` gives of many elements, and that neither many of them nor one within the other cost more than they may."""

from __future__ import annotations

from typing import Any

from nextwave_ingest.mappings.paths import VALUES_MAX
from nextwave_ingest.mappings.values import Reader

TABLES: dict[str, dict[str, Any]] = {}


def test_each_within_each_gives_an_element_a_few_times_at_most() -> None:
    four = "$['a', 'a', 'a', 'a']"
    deep: Any = {"each": four, "give": {"each": four, "give": {"x": "$.b", "y": {"each": "$['a', 'a']", "give": "$"}}}}
    reader = Reader(TABLES)
    reader.value(deep, "/data")
    assert [fault.pointer for fault in reader.faults] == ["/data/give/give/y/each"]
    reader = Reader(TABLES)
    read = reader.value({"one": {"each": four, "give": {"each": four, "give": "$"}}, "other": {"each": four, "give": "$"}}, "/data")
    assert reader.faults == []
    item = {"a": {"a": 1}}
    assert [len(values) for values in (read(item)["one"], read(item)["one"][0], read(item)["other"])] == [4, 4, 4]


def test_each_looks_at_a_bounded_number_of_elements_with_each_within_it() -> None:
    read = Reader(TABLES).value({"each": "$.list", "give": {"n": "$.n", "in": {"each": "$.in", "give": "$"}}}, "")
    assert len(read({"list": [{"n": n} for n in range(VALUES_MAX + 5)]})) == VALUES_MAX
    found = read({"list": [{"n": n, "in": list(range(9))} for n in range(VALUES_MAX)]})
    assert (len(found), sum(len(one["in"]) for one in found)) == (VALUES_MAX // 10, VALUES_MAX * 9 // 10)
    assert read({"list": [{"n": 1, "in": [7]}]}) == [{"n": 1, "in": [7]}]
    flat = Reader(TABLES).value([{"each": "$.list", "give": "$"}] * 2, "")
    assert [len(one) for one in flat({"list": list(range(VALUES_MAX))})] == [VALUES_MAX, VALUES_MAX]
