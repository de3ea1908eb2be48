"""A mapping: what items report by its rules, and what is wrong with one that nobody can use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nextwave_contracts.faults import FaultyError
from nextwave_ingest.admission import RefusedError, Report
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.document import Document, read
from nextwave_ingest.mappings.extending import WRAP_UP_FIELDS
from nextwave_ingest.mappings.library import Library
from unit.ingest.fakes import NOW

CONNECT = b"""
name: connect
tables:
  wrapups: {COMPLAINT: {complaint: true}, NOT_INTERESTED: {refusal: true}}
touchpoints:
  - when: {$.detail.eventType: [DISCONNECTED], $.detail.queueInfo: {exists: true}, $.detail.agentInfo: {exists: false}}
    type: call.abandoned
    id: "{{ item.id }}/abandoned"
    occurred_at: $.time
    identifiers: {phone: $.detail.customerEndpoint.address, external: "connect:{{ item.detail.contactId }}"}
    data: {queue: $.detail.queueInfo.queueArn, wait_seconds: {seconds_between: [$.detail.began, $.time]}, nothing: $.detail.none}
  - when: {$.detail.wrapup: {exists: true}}
    type: call.wrapped_up
    identifiers: {phone: $.detail.customerEndpoint.address}
    data: {code: $.detail.wrapup, "*": {table: wrapups, key: $.detail.wrapup}}
"""
EVENT: dict[str, Any] = {
    "id": "e-1",
    "time": "2026-11-22T09:00:00Z",
    "detail": {
        "eventType": "DISCONNECTED",
        "contactId": "c-1",
        "queueInfo": {"queueArn": "sales"},
        "agentInfo": None,
        "customerEndpoint": {"address": "+14155550100"},
        "began": "2026-11-22T08:59:20Z",
    },
}


def rule(**change: Any) -> Document:
    """A mapping of one rule."""
    written = {"type": "call.ended", "identifiers": {"phone": "$.from"}, **change}
    return read(msgspec.json.encode({"name": "one", "touchpoints": [written]}))


def reports(document: Document, item: Any) -> list[Report | RefusedError]:
    mapping = Compiled(document)
    (one,) = mapping.items(msgspec.json.encode(item))
    return mapping.understand_all(one, source="acd", received_at=NOW)


def report(document: Document, item: Any) -> Report:
    (found,) = reports(document, item)
    assert isinstance(found, Report), found
    return found


def refusal(document: Document, item: Any) -> RefusedError:
    (found,) = reports(document, item)
    assert isinstance(found, RefusedError), found
    return found


def test_an_item_reports_what_the_rule_says_of_it_without_what_it_does_not_have() -> None:
    found = report(read(CONNECT), EVENT)
    assert (found.id, found.source, found.type) == ("e-1/abandoned", "acd", "call.abandoned")
    assert found.identifiers == ("phone:+14155550100", "external:connect:c-1")
    assert found.data == {"queue": "sales", "wait_seconds": 40}
    assert (NOW - found.occurrence.at).total_seconds() == 1800


def test_every_rule_that_holds_makes_a_touchpoint_and_none_makes_none() -> None:
    detail = EVENT["detail"] | {"wrapup": "COMPLAINT"}
    kinds = [found.type for found in reports(read(CONNECT), EVENT | {"detail": detail}) if isinstance(found, Report)]
    assert kinds == ["call.abandoned", "call.wrapped_up"]
    assert reports(read(CONNECT), EVENT | {"detail": detail | {"eventType": "QUEUED", "wrapup": ""}}) == []


def test_codes_that_a_table_knows_say_more_and_others_only_themselves() -> None:
    wrapped = {"detail": {"customerEndpoint": {"address": "+14155550100"}, "wrapup": "NOT_INTERESTED"}}
    assert report(read(CONNECT), wrapped).data == {"code": "NOT_INTERESTED", "refusal": True}
    wrapped["detail"]["wrapup"] = "HAPPY"
    assert report(read(CONNECT), wrapped).data == {"code": "HAPPY"}


def test_an_item_without_an_id_is_named_by_what_it_says() -> None:
    detail = {"customerEndpoint": {"address": "+14155550100"}, "wrapup": "HAPPY"}
    once, again, other = (report(read(CONNECT), {"detail": detail, **more}).id for more in ({}, {"sentAt": 1}, {"x": 1}))
    assert once == again != other
    assert once.endswith("/call.wrapped_up")


def test_an_identifier_with_something_missing_in_it_names_nobody() -> None:
    named = rule(identifiers={"phone": "$.from", "external": "acd:{{ item.contact }}"})
    assert report(named, {"from": "+14155550100", "contact": None}).identifiers == ("phone:+14155550100",)
    assert report(named, {"from": "anonymous", "contact": 7}).identifiers == ("external:acd:7",)
    assert "names no customer" in refusal(named, {"from": "anonymous"}).detail


def test_what_is_missing_can_have_a_default_and_otherwise_makes_the_whole_value_missing() -> None:
    def said(text: str) -> Any:
        return report(rule(data={"said": text}), {"from": "+14155550100", "b": "B", "n": 3}).data.get("said")

    assert [said("{{ item.a | default: item.b }}"), said("{{ item.c.d | default: 'none' }}")] == ["B", "none"]
    assert said("{{ item.n | plus: 1 }}") == "4"
    assert [
        said(text) for text in ("{{ item.a }}/x", "{{ item.a | plus: 1 }}", "{{ item.a | upcase }}", "{{ item.a | default: item.c }}")
    ] == ([None] * 4)


def test_a_mapping_that_extends_another_lays_its_tables_over() -> None:
    library = Library([read(CONNECT)])
    library.lay("ours", read(b"name: ours\nextends: connect\ntables: {wrapups: {HAPPY: {satisfaction: 5}, COMPLAINT: {complaint: false}}}"))
    mapping = library.find("ours")
    assert mapping is not None
    assert mapping.document.tables["wrapups"] == {
        "COMPLAINT": {"complaint": False},
        "NOT_INTERESTED": {"refusal": True},
        "HAPPY": {"satisfaction": 5},
    }


@pytest.mark.parametrize(
    ("tables", "pointer", "said"),
    [
        ({}, "/tables", "wrapups"),
        ({"wrapup": {"A": {"refusal": True}}}, "/tables/wrapup", "did you mean wrapups?"),
        ({"zzz": {"A": {"refusal": True}}}, "/tables/zzz", "use one of connect: wrapups"),
        ({"wrapups": {"A/1": "refusal"}}, "/tables/wrapups/A~11", "write an object"),
        ({"wrapups": {"A": {"refussal": True}}}, "/tables/wrapups/A/refussal", "did you mean refusal?"),
        ({"wrapups": {"A": {"zzz": 1}}}, "/tables/wrapups/A/zzz", "complaint, disposition"),
    ],
)
@pytest.mark.parametrize("base", [CONNECT, CONNECT.replace(b"{COMPLAINT: {complaint: true}, NOT_INTERESTED: {refusal: true}}", b"{}")])
def test_tables_that_would_say_nothing_are_not_saved(base: bytes, tables: dict[str, Any], pointer: str, said: str) -> None:
    written = msgspec.json.encode({"name": "ours", "extends": "connect", "tables": tables})
    with pytest.raises(FaultyError) as wrong:
        Library([read(base)]).checked(read(written))
    assert [fault.pointer for fault in wrong.value.faults] == [pointer]
    assert said in wrong.value.faults[0].detail + wrong.value.faults[0].fix


def test_a_code_that_yaml_reads_as_a_number_or_flag_is_to_be_put_in_quotes() -> None:
    for code in (b"5", b"true", b"~"):
        with pytest.raises(FaultyError, match=f"key {code.decode()} is no text: put it in quotes"):
            read(CONNECT.replace(b"COMPLAINT:", code + b":"))
    with pytest.raises(FaultyError, match="'COMPLAINT' stands twice"):
        read(CONNECT.replace(b"NOT_INTERESTED:", b"COMPLAINT:"))


def test_an_entry_may_say_what_the_entries_it_is_laid_beside_say() -> None:
    library = Library([read(CONNECT.replace(b"{complaint: true}", b"{complaint: true, team: red}"))])
    mapping = library.checked(
        read(b"name: ours\nextends: connect\ntables: {wrapups: {A: {team: blue, callback: true, reason_code: price}}}")
    )
    assert mapping.document.tables["wrapups"]["A"] == {"team": "blue", "callback": True, "reason_code": "price"}


def test_every_field_that_is_documented_of_a_wrap_up_may_stand_in_a_table() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "touchpoints.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:`call\.wrapped_up`|reasons) \|((?: `\w+`)+) \|", guide, re.MULTILINE)
    documented = {field for row in rows for field in re.findall(r"\w+", row)}
    assert {"satisfaction", "reason_code", "competitor"} <= documented <= WRAP_UP_FIELDS


def test_a_stored_mapping_counts_before_the_shipped_one_of_its_name_until_it_is_lifted() -> None:
    library = Library([rule()])
    library.lay("one", rule(type="call.offered"))
    laid = library.find("one")
    library.lift("one")
    before = library.find("one")
    assert laid is not None
    assert before is not None
    assert (laid.document.touchpoints[0].type, before.document.touchpoints[0].type) == ("call.offered", "call.ended")
    assert library.find("two") is None


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"type": "Call"}, "/touchpoints/0/type"),
        ({"identifiers": {}}, "/touchpoints/0/identifiers"),
        ({"identifiers": {"fax": "$.from"}}, "/touchpoints/0/identifiers/fax"),
        ({"id": "$.a..b..c"}, "/touchpoints/0/id"),
        ({"id": "$.a[?match(@.b, 'x*')]"}, "/touchpoints/0/id"),
        ({"id": "{{ itm.id }}"}, "/touchpoints/0/id"),
        ({"id": "{{ item.id"}, "/touchpoints/0/id"),
        ({"when": {"a/b": 1}}, "/touchpoints/0/when/a~1b"),
        ({"when": {"$.a": {"like": "x"}}}, "/touchpoints/0/when/$.a/like"),
        ({"when": {"$.a": [None]}}, "/touchpoints/0/when/$.a"),
        ({"data": {"x": {"table": "codes", "key": "$.a"}}}, "/touchpoints/0/data/x/table"),
        ({"data": {"x": {"seconds_between": ["$.a"]}}}, "/touchpoints/0/data/x/seconds_between"),
        ({"data": {"x": [{"minor_units": "$.a"}]}}, "/touchpoints/0/data/x/0"),
        ({"data": {"x": {"y": {"first_of": []}}}}, "/touchpoints/0/data/x/y/first_of"),
        ({"colour": "red"}, "/touchpoints/0/colour"),
    ],
)
def test_a_fault_is_told_with_its_pointer_and_a_fix(change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(FaultyError) as wrong:
        Compiled(rule(**change))
    assert [fault.pointer for fault in wrong.value.faults] == [pointer]
    assert wrong.value.faults[0].fix


@pytest.mark.parametrize(
    ("written", "pointer"),
    [
        ({"name": "A b"}, "/name"),
        ({"tables": {"A/b": {}}}, "/tables/A~1b"),
        ({"headers": ["Authorization"]}, "/headers/0"),
        ({"headers": ["X Topic"]}, "/headers/0"),
        ({"signature": {"scheme": "hmac"}}, "/signature/header"),
        ({"signature": {"scheme": "twilio", "header": "X-Sig"}}, "/signature/header"),
        ({"touchpoints": []}, "/touchpoints"),
        ({"extends": "one"}, "/touchpoints"),
        ({"extends": "one", "touchpoints": [], "body": "form"}, "/body"),
        ({"extends": "mine", "touchpoints": []}, "/extends"),
        ({"extends": "none", "touchpoints": []}, "/extends"),
        ({"items": "orders"}, "/items"),
        ({"answer": {"status": 404}}, "/answer/status"),
        ({"answer": {"status": 100}}, "/answer/status"),
        ({"answer": {"status": 204, "body": "ok"}}, "/answer/body"),
        ({"answer": {"status": "200"}}, "/answer/status"),
        ({"answer": {"content_type": "text/xml\n"}}, "/answer/content_type"),
        ({"unmatched": "drop"}, "/unmatched"),
    ],
)
def test_a_fault_of_the_whole_document_is_told_so_too(written: dict[str, Any], pointer: str) -> None:
    document = {"name": "mine", "touchpoints": [{"type": "call.ended", "identifiers": {"phone": "$.from"}}], **written}
    with pytest.raises(FaultyError) as wrong:
        Library([rule()]).checked(read(msgspec.json.encode(document)))
    assert pointer in [fault.pointer for fault in wrong.value.faults]
    assert all(fault.fix for fault in wrong.value.faults)


def test_all_that_is_wrong_with_values_constants_and_types_is_told_at_once() -> None:
    wrong = {"type": "Order.Placed", "id": "A-1", "identifiers": {"phone": "$.from"}, "data": {"x": "{{ item.y | nothing }}"}}
    codes = {"A": 1, "a": 2}
    with pytest.raises(FaultyError) as told:
        Library([]).checked(read(msgspec.json.encode({"name": "mine", "touchpoints": [wrong], "tables": {"codes": codes}})))
    rule = "/touchpoints/0"
    assert {fault.pointer for fault in told.value.faults} == {f"{rule}/type", f"{rule}/id", f"{rule}/data/x", "/tables/codes/a"}


def test_a_mapping_extends_one_that_is_whole_by_itself() -> None:
    library = Library([rule()])
    library.lay("between", read(b"name: between\nextends: one"))
    with pytest.raises(FaultyError, match="extends a mapping itself"):
        library.checked(read(b"name: mine\nextends: between"))


def test_an_id_that_is_too_long_is_as_if_there_were_none() -> None:
    named = rule(id="$.id")
    assert report(named, {"from": "+14155550100", "id": "x" * 256}).id == "x" * 256
    assert report(named, {"from": "+14155550100", "id": "x" * 257}).id.endswith("/call.ended")


def test_what_no_rule_fits_may_be_rejected() -> None:
    mapping = Compiled(msgspec.structs.replace(rule(when={"$.kind": "a"}), unmatched="reject"))
    (found,) = mapping.understand_all(b'{"kind":"b"}', source="acd", received_at=NOW)
    assert isinstance(found, RefusedError)


def test_a_condition_on_an_unknown_table_names_the_tables_there_are() -> None:
    written = CONNECT.replace(b"{exists: false}", b"{in_table: nope}")
    with pytest.raises(FaultyError) as wrong:
        Compiled(read(written))
    told = [(fault.pointer, fault.detail, fault.fix) for fault in wrong.value.faults]
    assert told == [("/touchpoints/0/when/$.detail.agentInfo/in_table", "there is no table 'nope'", "use one of: wrapups")]
