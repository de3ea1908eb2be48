"""What a mapping's values give of an item, and that no item and no path costs more than it may."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from nextwave_ingest.admission import RefusedError
from nextwave_ingest.mappings.conditions import conditions
from nextwave_ingest.mappings.paths import VALUES_MAX, Path, PathError
from nextwave_ingest.mappings.values import Reader

ITEM: dict[str, Any] = {
    "a": {"b": [1, 2, {"c": "x"}], "two words": True, "t": "2026-11-22T09:00:00Z"},
    "list": [{"k": "v", "n": 1}, {"k": "w", "n": 2}, {"n": 3}],
    "code": 7,
    "yes": True,
    "money": "12.50",
    "currency": "jpy",
    "number": "0171 1234567",
    "local": "2026-07-01 10:00:00",
    "country": "de",
}
TABLES = {"codes": {"7": {"seven": True}, "true": "yes", "x": ["list"]}}


def value(written: Any) -> Any:
    reader = Reader(TABLES)
    read = reader.value(written, "")
    assert reader.faults == []
    return read(ITEM)


def holds(test: Any, path: str = "$.code") -> bool:
    reader = Reader(TABLES)
    condition = conditions({path: test}, reader, "")
    assert reader.faults == []
    return condition.failing(ITEM) is None


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.a.b[2].c", "x"),
        ("$.a['two words']", True),
        ("$.a.b[-1].c", "x"),
        ("$.a.b[9]", UNSET),
        ("$.a.b.c", UNSET),
        ("$.code.more", UNSET),
        ("$.list[*].k", ["v", "w"]),
        ("$.list[?@.k == 'w'].n", [2]),
        ("$.list[?length(@.k) == 1 && @.n > 1].n", [2]),
        ("$..c", ["x"]),
        ("$.list[*].none", UNSET),
        ("$.list[0, 1].n", [1, 2]),
    ],
)
def test_a_path_gives_what_lies_there(path: str, found: Any) -> None:
    assert Path(path).value(ITEM) == found


@pytest.mark.parametrize(
    "path",
    [
        "a.b",
        "$.",
        "$.a..b..c",
        "$.a[?@..b]",
        "$.a[?@.b[*] == 1]",
        "$.a[?count(@.*) > 1]",
        "$.a[?match(@.b, '(a+)+')]",
        "$.a[?search(@.b, 'a')]",
        "$.a | $.b",
        "$" + "[*, *]" * 10,
        "$" + "['a', 'a']" * 5,
        "$." + "a" * 1_000,
        "$[?" + "!" * 100 + "@.a]",
        "$[?" + "@.a && " * 100 + "@.a]",
        "$[?" + "(" * 490 + "@.a" + ")" * 490 + "]",
        "$.a[",
        "$.a.~b",
        "",
    ],
)
def test_a_path_that_could_cost_much_or_is_none_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        Path(path)


def test_a_path_gives_a_bounded_number_of_values() -> None:
    assert len(Path("$..a").value([{"a": 1}] * (VALUES_MAX + 5))) == VALUES_MAX


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (7, 7),
        (None, UNSET),
        ("text", "text"),
        ("$.code", 7),
        ("{{ item.code }}/x", "7/x"),
        ("{{ item.none }}/x", UNSET),
        ("{{ item.none.more | upcase }}", UNSET),
        ("{{ item.none | default: 'd' }}/x", "d/x"),
        ("{% if item.none %}a{% else %}b{% endif %}", "b"),
        ("{% if item.none == 'x' %}a{% endif %}", UNSET),
        ("{{ item.list | map: 'k' | join: ',' }}", "v,w,"),
        ("{% for i in (1..1000) %}{% for j in (1..1000) %}x{% endfor %}{% endfor %}", UNSET),
        (["$.code", "$.none", {"x": "$.none"}], [7, {}]),
        ({"x": "$.code", "y": {"z": "$.none"}}, {"x": 7, "y": {}}),
        ({"first_of": ["$.none", "{{ item.none }}", "$.code"]}, 7),
        ({"first_of": ["$.none"]}, UNSET),
        ({"table": "codes", "key": "$.code"}, {"seven": True}),
        ({"table": "codes", "key": "$.yes"}, "yes"),
        ({"table": "codes", "key": "$.none"}, UNSET),
        ({"table": "codes", "key": "$.list"}, UNSET),
        ({"x": 1, "*": {"table": "codes", "key": "$.code"}}, {"x": 1, "seven": True}),
        ({"x": 1, "*": {"table": "codes", "key": "$.a.b[2].c"}}, {"x": 1}),
        ({"x": 1, "*": {"x": 2, "y": 3}}, {"x": 1, "y": 3}),
        ({"seconds_between": ["$.a.t", "2026-11-22T09:00:01.500Z"]}, 1.5),
        ({"seconds_between": ["$.a.t", "2026-11-22T08:00:00Z"]}, UNSET),
        ({"seconds_between": ["$.a.t", "$.none"]}, UNSET),
        ({"seconds_between": ["$.a.t", "Sun, 22 Nov 2026 10:01:00 +0100"]}, 60),
        ({"local_time": "$.local", "zone": "Europe/Berlin"}, "2026-07-01T08:00:00+00:00"),
        ({"local_time": "Wed, 1 Jul 2026 10:00:00", "zone": "America/New_York"}, "2026-07-01T14:00:00+00:00"),
        ({"local_time": "2026-10-25T02:30:00", "zone": "Europe/Berlin"}, "2026-10-25T00:30:00+00:00"),
        ({"local_time": "$.a.t", "zone": "Europe/Berlin"}, "2026-11-22T09:00:00+00:00"),
        ({"local_time": 1795338000, "zone": "Europe/Berlin"}, "2026-11-22T09:00:00+00:00"),
        ({"local_time": "$.none", "zone": "Europe/Berlin"}, UNSET),
        ({"local_time": "soon", "zone": "Europe/Berlin"}, "soon"),
        ({"seconds_between": [{"local_time": "$.local", "zone": "Europe/Berlin"}, "2026-07-01T08:01:00Z"]}, 60),
        ({"minor_units": "$.money", "currency": "EUR"}, 1250),
        ({"minor_units": "$.code", "currency": "$.currency"}, 7),
        ({"minor_units": "$.none", "currency": "EUR"}, UNSET),
        ({"minor_units": "$.money", "currency": "$.none"}, UNSET),
        ({"e164": "$.number", "country": "$.country"}, "+491711234567"),
        ({"e164": "$.number"}, UNSET),
        ({"e164": "+1 415 555 0100"}, "+14155550100"),
        ({"e164": "$.code"}, UNSET),
        ({"each": "$.list", "give": {"k": "$.k", "t": "{{ item.n }}!"}}, [{"k": "v", "t": "1!"}, {"k": "w", "t": "2!"}, {"t": "3!"}]),
        ({"each": "$.list[*].k", "give": "$"}, ["v", "w"]),
        ({"each": "$.none", "give": "$"}, UNSET),
    ],
)
def test_a_value_gives_what_the_item_has_and_nothing_where_it_has_none(written: Any, found: Any) -> None:
    assert value(written) == found


def test_a_long_text_goes_through_liquid_and_what_takes_too_much_effort_has_no_value() -> None:
    long = {"text": "Stop <b>now</b> " * 1_000}
    render = Reader({}).value
    assert render("{{ item.text | downcase | truncate: 20000 }}", "")(long) == long["text"].lower().strip()
    assert render("{{ item.text | replace: 'o', 'oooooooooooooooooooo' }}", "")(long) is UNSET


def test_money_that_is_none_is_refused() -> None:
    with pytest.raises(RefusedError):
        value({"minor_units": "$.number", "currency": "EUR"})


@pytest.mark.parametrize(
    ("test", "path", "is_so"),
    [
        (7, "$.code", True),
        ("7", "$.code", False),
        ([1, 7], "$.code", True),
        (True, "$.yes", True),
        (1, "$.yes", False),
        ({"exists": True}, "$.code", True),
        ({"exists": False}, "$.code", False),
        ({"exists": False}, "$.none", True),
        ({"not": 7}, "$.code", False),
        ({"not": [8]}, "$.none", True),
        ({"starts_with": "12"}, "$.money", True),
        ({"ends_with": ".50", "contains": "3"}, "$.money", False),
        ({"contains": "."}, "$.money", True),
        ({"starts_with": "7"}, "$.code", False),
        ({"in_table": "codes"}, "$.code", True),
        ({"in_table": "codes"}, "$.none", False),
        ("w", "$.list[*].k", True),
        ({"not": "w"}, "$.list[*].k", False),
        ({"not_word": ["W", "x"]}, "$.list[*].k", False),
        ({"not_word": "x"}, "$.list[*].k", True),
        ({"not_word": "x"}, "$.none", True),
        ({"not_word": "7"}, "$.code", True),
    ],
)
def test_a_condition_asks_what_lies_at_a_path(test: Any, path: str, is_so: bool) -> None:
    assert holds(test, path) is is_so


def test_a_mapping_has_a_bounded_number_of_values() -> None:
    reader = Reader({})
    reader.fields({str(n): n for n in range(2_000)}, "/data")
    assert [fault.fix for fault in reader.faults] == ["split the mapping: a source may use several"]


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
WRITTEN: tuple[Any, ...] = (
    "$.a.b",
    "$..a",
    "$.a[?@.b > 1]",
    "{{ item.a.b | upcase }}",
    {"seconds_between": ["$.a", "$.b"]},
    {"e164": "$.a", "country": "$.b"},
    {"each": "$.a", "give": "$.b"},
    {"local_time": "$.a", "zone": "Europe/Berlin"},
    {"table": "codes", "key": "$.a"},
)


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abk$"), inner, max_size=4), max_leaves=10
    )
)
def test_every_value_of_every_item_is_there_or_is_not(item: Any) -> None:
    reader = Reader(TABLES)
    for read in [reader.value(one, "") for one in WRITTEN]:
        read(item)


def test_a_mapping_walks_through_an_item_a_few_times_at_most() -> None:
    reader = Reader(TABLES)
    reader.value([f"$..a{n}" for n in range(5)], "/data")
    assert [fault.pointer for fault in reader.faults] == ["/data/4"]
    reader = Reader(TABLES)
    reader.value({"each": "$..list", "give": "$..n"}, "/data")
    assert [fault.pointer for fault in reader.faults] == ["/data/give"]
