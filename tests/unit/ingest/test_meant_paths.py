"""What a mapping may say and surely does not mean is told when it is saved."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from nextwave_contracts.faults import FaultyError
from nextwave_ingest.mappings.document import Document, read
from nextwave_ingest.mappings.library import Library, shipped
from unit.ingest.test_mappings import CONNECT, rule


@pytest.mark.parametrize(
    ("change", "pointer", "fix"),
    [
        ({"occurred_at": "detail.time"}, "occurred_at", "write $.detail.time "),
        ({"occurred_at": 1795338000}, "occurred_at", "like $.detail.time"),
        ({"occurred_at": {"local_time": "at", "zone": "UTC"}}, "occurred_at/local_time", "write $.at "),
        ({"sent_at": {"first_of": ["$.sent", "item.now"]}}, "sent_at/first_of/1", "write $.now "),
        ({"id": "id"}, "id", "write $.id "),
        ({"id": {"table": "codes", "key": "code"}}, "id/key", "write $.code "),
        ({"identifiers": {"phone": "$.from", "customer_id": "customer.ids[0]"}}, "identifiers/customer_id", "write $.customer.ids[0] "),
        ({"identifiers": {"phone": {"e164": "from", "country": "DE"}}}, "identifiers/phone/e164", "write $.from "),
        ({"identifiers": {"external": ["acme:{{ item.no }}", "acme no"]}}, "identifiers/external/1", "like $.detail.time"),
        ({"data": {"s": {"seconds_between": ["began", "$.ended"]}}}, "data/s/seconds_between/0", "write $.began "),
        ({"data": {"m": [{"minor_units": "total", "currency": "EUR"}]}}, "data/m/0/minor_units", "write $.total "),
        ({"data": {"m": {"minor_units": "$.total", "currency": "order.currency"}}}, "data/m/currency", "write $.order.currency "),
        ({"data": {"*": {"table": "codes", "key": "detail.code"}}}, "data/*/key", "write $.detail.code "),
        ({"data": {"x": {"y": {"e164": "caller"}}}}, "data/x/y/e164", "write $.caller "),
    ],
)
def test_a_constant_that_was_meant_as_a_path_is_told_when_it_is_saved_and_stays_in_force_once_it_was(
    change: dict[str, Any], pointer: str, fix: str
) -> None:
    library, document = Library([]), msgspec.structs.replace(rule(**change), tables={"codes": {"7": "x"}})
    with pytest.raises(FaultyError) as wrong:
        library.checked(document)
    assert [fault.pointer for fault in wrong.value.faults] == [f"/touchpoints/0/{pointer}"]
    assert fix in f"{wrong.value.faults[0].fix} "
    library.lay("one", document)
    assert library.fault("one") == ""


@pytest.mark.parametrize(
    "change",
    [
        {"data": {"channel": "email", "version": "detail.v2", "n": 7, "text": "detail.text", "e164": "x", "currency": "coins"}},
        {
            "data": {
                "s": {"seconds_between": [0, "$.wait"]},
                "m": {"minor_units": 7, "currency": "EUR"},
                "x": {"table": "codes", "key": "7"},
            }
        },
        {"id": "{{ item.a }}/ended", "occurred_at": {"first_of": ["$.a", "{{ item.b }}"]}, "sent_at": None},
        {"identifiers": {"phone": [{"e164": "$.from", "country": "DE"}], "external": "acme:{{ item.no }}"}},
    ],
)
def test_a_constant_that_may_be_meant_is_saved(change: dict[str, Any]) -> None:
    Library([]).checked(msgspec.structs.replace(rule(**change), tables={"codes": {"7": "x"}}))


@pytest.mark.parametrize("document", shipped(), ids=lambda document: document.name)
def test_what_is_shipped_could_be_saved(document: Document) -> None:
    Library(shipped()).checked(document)


def test_an_answer_that_is_no_success_is_told_what_it_would_do() -> None:
    with pytest.raises(FaultyError) as wrong:
        read(b"name: x\nanswer: {status: 404}\n" + CONNECT.partition(b"\n")[2].partition(b"\n")[2])
    (fault,) = wrong.value.faults
    assert ("send it all again" in fault.detail, fault.fix) == (True, "write a number from 200 to 299; what is rejected is kept")


def test_every_shipped_mapping_is_in_force() -> None:
    library = Library(shipped())
    assert {name for name in library.names() if library.find(name) is None} == set()
