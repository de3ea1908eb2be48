"""Mappings over HTTP: versions with preconditions, in force at once, tried without a trace, and open to their roles alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import yaml
from nextwave_contracts.mappings import MappingVersion
from nextwave_contracts.topics import MAPPINGS
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.mappings import desk
from nextwave_ingest.mappings.document import read
from nextwave_ingest.records import Record
from unit.ingest.fakes import NOW, Stand, basic, stand

CALLS = """
name: acme
description: Calls of ACME's telephone system
tables: {queues: {}}
touchpoints:
  - when: {$.event: [abandoned]}
    type: call.abandoned
    id: "{{ item.call }}"
    identifiers: {phone: $.caller}
    data: {queue: $.queue}
"""
GERMANY = "{name: germany, extends: acme, tables: {queues: {verkauf: sales}}}"
COMPLAINTS = CALLS.replace("call.abandoned", "complaint.opened")
SHIPPED = CALLS.replace("name: acme", "name: plain-calls").replace("ACME's", "any")
ABANDONED = {"event": "abandoned", "call": "c-1", "caller": "+14155550100", "queue": "sales"}
YAML = {"content-type": "application/yaml"}


@pytest.fixture
def ingest(tmp_path: Path) -> Stand:
    """An application with one mapping that comes with it."""
    return stand(tmp_path, documents=[read(SHIPPED.encode())])


async def ask(ingest: Stand, method: str, path: str, role: str = "editor", **request: Any) -> httpx.Response:
    request["headers"] = {"authorization": f"Bearer at_{role}", **request.get("headers", {})}
    async with ingest.client() as client:
        return await client.request(method, f"/v1/mappings{path}", **request)


async def put(ingest: Stand, text: str, name: str = "acme", **headers: str) -> httpx.Response:
    return await ask(ingest, "PUT", f"/{name}", content=text, headers=YAML | {h.replace("_", "-"): value for h, value in headers.items()})


async def post(ingest: Stand, body: Any = ABANDONED, mapping: str = "acme") -> httpx.Response:
    return await ingest.post(f"/v1/inbound/callcentre/{mapping}", body, headers={"authorization": basic("wk_calls")})


def rival(version: int, document: str = CALLS, name: str = "acme", *, retired: bool = False) -> bytes:
    """What another replica's writer leaves on the topic."""
    text = "" if retired else msgspec.json.encode(yaml.safe_load(document)).decode()
    return encode(MappingVersion(id=f"rival-{version}", name=name, version=version, document=text, by="rival", at=NOW, retired=retired))


async def test_a_mapping_that_was_put_is_in_force_at_once_and_read_as_it_was_written(ingest: Stand) -> None:
    assert (await post(ingest)).status_code == 404
    made = await put(ingest, CALLS, if_none_match="*")
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    assert (await post(ingest)).json()["accepted"] == 1
    assert [one.type for one in ingest.committer.touchpoints] == ["call.abandoned"]
    read = await ask(ingest, "GET", "/acme", "viewer")
    assert (read.json(), read.headers["etag"]) == (yaml.safe_load(CALLS), '"1"')
    as_yaml = await ask(ingest, "GET", "/acme", "viewer", headers={"accept": "application/yaml"})
    assert (yaml.safe_load(as_yaml.text), as_yaml.headers["content-type"]) == (yaml.safe_load(CALLS), "application/yaml")


async def test_a_change_is_a_new_version_and_the_same_again_is_none(ingest: Stand) -> None:
    await put(ingest, CALLS)
    assert (await put(ingest, CALLS)).headers["etag"] == '"1"'
    changed = await put(ingest, COMPLAINTS, if_match='"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    await post(ingest)
    assert [one.type for one in ingest.committer.touchpoints] == ["complaint.opened"]
    listed = (await ask(ingest, "GET", "/acme/versions", "viewer")).json()["items"]
    assert [(one["version"], one["by"], one["retired"]) for one in listed] == [(1, "editor", False), (2, "editor", False)]
    assert (await ask(ingest, "GET", "/acme/versions/1")).json() == yaml.safe_load(CALLS)
    assert (await ask(ingest, "GET", "/acme/versions/3")).status_code == 404


async def test_of_two_writers_at_once_the_log_decides_and_the_other_is_told_to_read_again(ingest: Stand) -> None:
    await put(ingest, CALLS)
    ingest.committer.before = lambda: ingest.mappings.take(rival(2, CALLS))
    lost = await put(ingest, COMPLAINTS, if_match='"1"')
    assert (lost.status_code, lost.json()["type"]) == (412, "urn:nextwave:problem:changed-meanwhile")
    assert (await ask(ingest, "GET", "/acme")).json() == yaml.safe_load(CALLS)
    assert [one["by"] for one in (await ask(ingest, "GET", "/acme/versions")).json()["items"]] == ["editor", "rival"]


async def test_many_at_once_on_one_replica_make_one_version_after_the_other_without_a_gap(ingest: Stand) -> None:
    texts = [CALLS.replace("c-1", f"{n}").replace("ACME's", f"{n}") for n in range(8)]
    answers = await asyncio.gather(*(put(ingest, text) for text in texts))
    won = [answer.status_code for answer in answers].count(201)
    assert {answer.status_code for answer in answers} <= {200, 201, 412}
    assert won == 1
    versions = (await ask(ingest, "GET", "/acme/versions")).json()["items"]
    assert [one["version"] for one in versions] == list(range(1, len(versions) + 1))


async def test_a_write_that_does_not_come_back_is_a_503(ingest: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nextwave_ingest.mappings.log.HEARD_SECONDS", 0.01)
    ingest.committer.heard = lambda _record: None
    answer = await put(ingest, CALLS)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_retired_mapping_is_gone_and_what_is_shipped_under_its_name_comes_back(ingest: Stand) -> None:
    assert (await ask(ingest, "DELETE", "/acme")).status_code == 404
    assert (await ask(ingest, "DELETE", "/plain-calls")).status_code == 409
    await put(ingest, CALLS)
    assert (await ask(ingest, "DELETE", "/acme", headers={"if-match": '"9"'})).status_code == 412
    assert (await ask(ingest, "DELETE", "/acme", headers={"if-match": '"1"'})).status_code == 204
    assert (await post(ingest)).status_code == (await ask(ingest, "GET", "/acme")).status_code == 404
    again = await put(ingest, CALLS, if_none_match="*")
    assert (again.status_code, again.headers["etag"]) == (201, '"3"')

    shipped = (await ask(ingest, "GET", "/plain-calls")).json()
    own = CALLS.replace("name: acme", "name: plain-calls")
    assert (await put(ingest, own, "plain-calls", if_none_match="*")).status_code == 412, "it is there, as it is shipped"
    assert (await put(ingest, own, "plain-calls", if_match='"0"')).headers["etag"] == '"1"'
    assert (await ask(ingest, "GET", "/plain-calls")).json() == yaml.safe_load(own)
    assert (await ask(ingest, "DELETE", "/plain-calls")).status_code == 204
    back = await ask(ingest, "GET", "/plain-calls")
    (listed,) = (await ask(ingest, "GET", "")).json()["items"][1:]
    assert (back.json(), back.headers["etag"], listed["version"]) == (shipped, '"0"', 0)
    assert (await put(ingest, own, "plain-calls", if_match='"0"')).headers["etag"] == '"3"'


async def test_the_list_tells_what_is_shipped_what_is_written_and_by_whom(ingest: Stand) -> None:
    await put(ingest, CALLS)
    found = {one["name"]: one for one in (await ask(ingest, "GET", "", "viewer")).json()["items"]}
    assert (found["acme"]["version"], found["acme"]["by"], found["acme"]["shipped"]) == (1, "editor", False)
    assert found["acme"]["description"] == "Calls of ACME's telephone system"
    assert (found["plain-calls"]["version"], found["plain-calls"]["shipped"], found["plain-calls"]["fault"]) == (0, True, "")


async def test_the_list_tells_which_sources_used_a_mapping_and_when(ingest: Stand) -> None:
    await put(ingest, CALLS)
    await post(ingest)
    await post(ingest, mapping="plain-calls")
    await post(ingest, {"event": "ringing"})
    await ingest.telling.tell()
    found = {one["name"]: one for one in (await ask(ingest, "GET", "", "viewer")).json()["items"]}
    assert found["acme"]["used_by"] == found["plain-calls"]["used_by"] == [{"source": "callcentre", "last_seen_at": "2026-11-22T09:30:00Z"}]
    await put(ingest, CALLS.replace("acme", "unused"), "unused")
    assert (await ask(ingest, "GET", "", "viewer")).json()["items"][-1]["used_by"] == []


async def test_a_faulty_document_is_refused_with_every_pointer_and_nothing_is_written(ingest: Stand) -> None:
    wrong = CALLS.replace("phone: $.caller", "fone: $.caller").replace("queue: $.queue", "queue: '$.queue['")
    answer = await put(ingest, wrong)
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert (answer.status_code, pointers) == (422, {"/touchpoints/0/identifiers/fone", "/touchpoints/0/data/queue"})
    assert ingest.committer.records == []
    other = await put(ingest, CALLS, "other")
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (422, "/name")
    assert (await put(ingest, "x: [", "acme")).status_code == 422
    unnamed = await put(ingest, CALLS, "No-Name")
    assert (unnamed.status_code, unnamed.json()["errors"][0]["pointer"]) == (422, "/name")
    assert "1 to 63 of a-z" in unnamed.json()["errors"][0]["detail"]


async def test_a_document_is_as_large_as_its_json_with_aliases_written_out(ingest: Stand) -> None:
    def of(texts: int) -> str:
        return CALLS.replace("[abandoned]", f"[abandoned, &x {'n' * 10_000}{', *x' * texts}]")

    large = await put(ingest, of(6))
    assert (large.status_code, large.json()["errors"][0]["detail"][:25]) == (422, "larger than 64 KB as JSON")
    assert ingest.committer.records == []
    assert (await put(ingest, of(5))).status_code == 201
    assert (await post(ingest)).json()["accepted"] == 1


async def test_what_others_extend_can_neither_go_nor_extend_another(ingest: Stand) -> None:
    await put(ingest, CALLS)
    assert (await put(ingest, "{name: germany, extends: nowhere}", "germany")).json()["errors"][0]["pointer"] == "/extends"
    assert (await put(ingest, GERMANY, "germany")).status_code == 201
    assert (await post(ingest, mapping="germany")).json()["accepted"] == 1
    assert (await ask(ingest, "DELETE", "/acme")).status_code == 409
    assert (await put(ingest, "{name: acme, extends: plain-calls, tables: {queues: {a: b}}}")).json()["errors"][0]["pointer"] == "/extends"
    await put(ingest, COMPLAINTS)
    await post(ingest, mapping="germany")
    assert [one.type for one in ingest.committer.touchpoints] == ["call.abandoned", "complaint.opened"], "it follows what it extends"


async def test_a_mapping_whose_table_nobody_would_look_up_is_not_saved(ingest: Stand) -> None:
    await put(ingest, CALLS)
    answer = await put(ingest, GERMANY.replace("queues", "queue"), "germany")
    wrong = {"pointer": "/tables/queue", "detail": "acme has no table queue; did you mean queues?"}
    assert (answer.status_code, answer.json()["errors"], len(ingest.committer.records)) == (422, [wrong], 1)


async def test_a_version_that_this_build_cannot_read_is_left_out_by_name_and_stops_nothing(ingest: Stand) -> None:
    await put(ingest, CALLS)
    ingest.mappings.take(rival(2, "{name: acme, hologram: true, touchpoints: []}"))
    found = {one["name"]: one for one in (await ask(ingest, "GET", "")).json()["items"]}
    assert "hologram" in found["acme"]["fault"]
    assert (await ask(ingest, "GET", "/acme")).json()["hologram"] is True
    waiting = await post(ingest)
    assert (waiting.status_code, "retry-after" in waiting.headers) == (503, True), "another replica may read it: nothing is lost"
    assert (await post(ingest, {"event": "ringing"}, "plain-calls")).status_code == 202
    assert (await put(ingest, COMPLAINTS, if_match='"2"')).headers["etag"] == '"3"'
    assert (await post(ingest)).json()["accepted"] == 1


async def test_what_a_base_was_changed_to_may_leave_out_what_extends_it_until_it_fits_again(ingest: Stand) -> None:
    await put(ingest, CALLS)
    await put(ingest, GERMANY, "germany")
    ingest.mappings.take(rival(2, retired=True))
    assert (await post(ingest, mapping="germany")).status_code == 503
    ingest.mappings.take(rival(3))
    assert (await post(ingest, mapping="germany")).json()["accepted"] == 1


async def test_until_all_that_was_written_is_heard_nobody_is_told_that_there_is_no_mapping(ingest: Stand) -> None:
    ingest.mappings.follower("nowhere:9092")
    for mapping in ("acme", "plain-calls"):
        waiting = await post(ingest, mapping=mapping)
        assert (waiting.status_code, waiting.headers["retry-after"]) == (503, "5"), "it may be written, or written over what is shipped"


async def test_there_is_a_limit_to_names(ingest: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "NAMES_MAX", 1)
    await put(ingest, CALLS)
    assert (await put(ingest, CALLS.replace("acme", "more"), "more")).status_code == 409
    assert (await put(ingest, COMPLAINTS)).status_code == 200


async def test_a_written_mapping_is_one_record_with_its_name_as_key(ingest: Stand) -> None:
    await put(ingest, CALLS)
    (record,) = ingest.committer.records
    written = decode(record.value, MappingVersion)
    assert (record.topic, record.key, written.version, written.by, written.at) == (MAPPINGS.name, b"acme", 1, "editor", NOW)
    assert isinstance(record, Record)


async def test_a_trial_says_of_each_rule_what_was_wanted_and_what_was_there_and_commits_nothing(ingest: Stand) -> None:
    await put(ingest, COMPLAINTS)
    before = len(ingest.committer.records)
    told = (
        await ask(ingest, "POST", "/acme:try?source=callcentre", "viewer", json=[ABANDONED, {"event": "ringing"}, {"event": "abandoned"}])
    ).json()
    assert (told["mapping"], told["item_count"]) == ("acme", 3)
    opened, ignored, refused = told["items"]
    assert (opened["touchpoints"][0]["type"], opened["touchpoints"][0]["source"]) == ("complaint.opened", "callcentre")
    assert [hold["kind"] for hold in opened["holds"]] == ["complaint"]
    assert ignored["ignored"] is True
    wanted = {"path": "$.event", "wanted": ["abandoned"], "found": ["ringing"], "holds": False}
    assert ignored["rules"] == [{"rule": 0, "holds": False, "conditions": [wanted]}]
    assert (refused["ignored"], refused["touchpoints"]) == (False, [])
    assert "names no customer" in refused["refusals"][0]["detail"]
    assert len(ingest.committer.records) == before


async def test_a_mapping_can_be_tried_before_it_is_saved_with_the_headers_that_it_asks_for(ingest: Stand) -> None:
    document = CALLS.replace("touchpoints:", "headers: [X-Topic]\ntouchpoints:").replace(
        "$.event: [abandoned]", "\"$._headers['x-topic']\": lost"
    )
    trial = {"document": document, "body": ABANDONED, "headers": {"X-Topic": "lost"}, "source": "acd"}
    told = (await ask(ingest, "POST", ":try", "viewer", json=trial)).json()
    assert [one["id"] for one in told["items"][0]["touchpoints"]] == ["c-1"]
    told = (await ask(ingest, "POST", ":try", "viewer", json=trial | {"headers": {"X-Other": "lost"}})).json()
    assert told["items"][0]["rules"][0]["conditions"][0]["found"] == []
    as_form = {"document": {"name": "f", "body": "form", "touchpoints": [{"type": "call.ended", "identifiers": {"phone": "$.From"}}]}}
    told = (await ask(ingest, "POST", ":try", "viewer", json=as_form | {"body": "From=%2B14155550100"})).json()
    assert told["items"][0]["touchpoints"][0]["identifiers"] == ["phone:+14155550100"]
    unreadable = (await ask(ingest, "POST", ":try", "viewer", json={"document": CALLS, "body": "no json"})).json()
    assert (unreadable["items"], len(unreadable["refusals"])) == ([], 1)
    faulty: list[Any] = [{"document": CALLS}, {"document": {"name": "x"}, "body": {}}, [], {"document": CALLS, "body": {}, "hedaers": {}}]
    for wrong in faulty:
        assert (await ask(ingest, "POST", ":try", "viewer", json=wrong)).status_code == 422
    assert ingest.committer.records == []
