"""What was rejected is sent on its way again after a fix, as what it was, and is told where that cannot be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from nextwave_contracts.rejected import PROCESSOR_BYTES_MAX
from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS
from nextwave_ingest.admission import EVENT_BYTES_MAX
from nextwave_ingest.mappings.document import read
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import NOW, Stand, basic, key_of, stand, write_keys
from unit.ingest.office import BATCH, event, kept_of, office

CALLS = """
name: calls
body: json
items: $.calls
unmatched: reject
touchpoints:
  - when: {$.state: [%s]}
    type: call.ended
    id: $.id
    identifiers: {phone: $.from}
"""


@pytest.fixture
def bounded(tmp_path: Path) -> Stand:
    """A shop's system that may report orders only."""
    return stand(tmp_path, key_of("erp", types=("order.*",)))


async def test_what_was_refused_counts_after_the_fix_with_its_own_source_id_and_time(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("visit.completed"), event("order.cancelled", 2)], headers=BATCH)
    assert [one.type for one in bounded.committer.touchpoints] == ["order.cancelled"]
    write_keys(tmp_path, key_of("erp", types=("order.*", "visit.*")))
    rooms = office(tmp_path, bounded)
    told = (await rooms.call("POST", "/v1/rejected:redrive", json={"reason": "not_allowed"})).json()
    assert told == {"accepted": 1, "ignored": 0, "touchpoints": 1, "repeated": 0, "refused": [], "next": None}
    again = bounded.committer.touchpoints[-1]
    assert (again.type, again.id, again.source, again.received_at) == ("visit.completed", "e1", "erp//erp", NOW)
    assert (await rooms.call("POST", "/v1/rejected/0-0:redrive")).json()["accepted"] == 1
    assert bounded.committer.touchpoints[-1] == again, "whatever takes it in tells by its source and id that it is the same"
    assert len(bounded.committer.rejected) == 1


async def test_what_is_still_wrong_is_told_and_rejected_no_second_time(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("visit.completed"), {"specversion": "1.0"}], headers=BATCH)
    told = (await office(tmp_path, bounded).call("POST", "/v1/rejected:redrive", json={})).json()
    assert (told["accepted"], told["touchpoints"]) == (0, 0)
    assert [(one["id"], one["reason"], one["pointer"]) for one in told["refused"]] == [
        ("0-0", "not_allowed", "/type"),
        ("1-0", "invalid", "/id"),
    ]
    assert (len(bounded.committer.rejected), bounded.committer.touchpoints) == (2, [])


async def test_a_call_of_a_batch_is_understood_as_its_batch_said(tmp_path: Path) -> None:
    doors = stand(tmp_path, key_of("erp", types=("order.*",)))
    call = {"type": "identify", "userId": "7", "traits": {"plan": "a"}, "timestamp": "2026-11-22T08:00:00Z", "messageId": "m"}
    sent = {"batch": [call], "sentAt": "2026-11-22T08:30:00Z", "context": {"timezone": "Europe/Vienna"}}
    await doors.post("/v1/batch", sent, headers={"authorization": basic("wk_erp")})
    write_keys(tmp_path, key_of("erp"))
    await office(tmp_path, doors).call("POST", "/v1/rejected:redrive", json={"source": "erp", "topic": "door:segment"})
    await doors.post("/v1/batch", sent)
    redriven, direct = doors.committer.touchpoints
    assert (redriven.occurred_at, redriven.data) == (direct.occurred_at, direct.data)
    assert redriven.occurred_at == NOW - timedelta(minutes=30)
    assert redriven.data["timezone"] == "Europe/Vienna"


async def test_an_event_of_posthog_is_understood_again(tmp_path: Path) -> None:
    doors = stand(tmp_path, key_of("erp", types=("order.*",)))
    sent = {"api_key": "wk_erp", "batch": [{"event": "$pageview", "distinct_id": "7", "properties": {}, "uuid": "u"}]}
    await doors.post("/batch/", sent, headers={"authorization": ""})
    assert [one.topic for one in doors.committer.rejected] == ["door:posthog"]
    write_keys(tmp_path, key_of("erp"))
    assert (await office(tmp_path, doors).call("POST", "/v1/rejected/0-0:redrive")).json()["accepted"] == 1
    assert [(one.type, one.id) for one in doors.committer.touchpoints] == [("page.viewed", "u")]


@pytest.mark.parametrize(("state", "told"), [("over", (1, 0)), ("other", (0, 1))])
async def test_a_mended_mapping_judges_again(tmp_path: Path, state: str, told: tuple[int, int]) -> None:
    wrong, right = read((CALLS % "ended").encode()), read((CALLS % state).encode())
    doors = stand(tmp_path, key_of("pbx"), documents=[wrong])
    body = {"calls": [{"id": "c1", "state": "over", "from": "+12125550177"}]}
    await doors.post("/v1/inbound/pbx/calls", body, headers={"authorization": basic("wk_pbx")})
    (kept,) = doors.committer.rejected
    assert kept.said == {"mapping": "calls"}
    rooms = office(tmp_path, doors, documents=[right])
    answer = (await rooms.call("POST", "/v1/rejected:redrive", json={"mapping": "calls"})).json()
    assert (answer["accepted"], len(answer["refused"])) == told
    assert [(one.id, one.source) for one in doors.committer.touchpoints] == [("c1", "pbx")] * told[0]


async def test_an_item_whose_mapping_is_gone_says_so(tmp_path: Path) -> None:
    doors = stand(tmp_path, key_of("pbx"), documents=[read((CALLS % "ended").encode())])
    await doors.post("/v1/inbound/pbx/calls", {"calls": [{"state": "x"}]}, headers={"authorization": basic("wk_pbx")})
    (refused,) = (await office(tmp_path, doors).call("POST", "/v1/rejected/0-0:redrive")).json()["refused"]
    assert "no mapping calls any more" in refused["detail"]


async def test_a_touchpoint_that_a_processor_rejected_comes_again_with_its_own_bytes(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("order.placed")], headers=BATCH)
    (first,) = [r for r in bounded.committer.records if r.topic == TOUCHPOINTS.name]
    bounded.committer.records.append(kept_of(TOUCHPOINTS.name, first.value))
    answer = await office(tmp_path, bounded).call("POST", "/v1/rejected:redrive", json={"processor": "scoring"})
    assert answer.json()["touchpoints"] == 1
    *_, again, _ = bounded.committer.records
    assert (again.topic, again.key, again.value, again.headers) == (first.topic, first.key, first.value, first.headers)


@pytest.mark.parametrize("payload", [b"{", b"{}", b"\xff", b'{"id": 1}'])
async def test_bytes_that_are_no_touchpoint_are_refused_again(tmp_path: Path, bounded: Stand, payload: bytes) -> None:
    bounded.committer.records.append(kept_of(TOUCHPOINTS.name, payload, reason="undecodable"))
    (refused,) = (await office(tmp_path, bounded).call("POST", "/v1/rejected/0-0:redrive")).json()["refused"]
    assert refused["reason"] == "undecodable"
    assert bounded.committer.touchpoints == []


@pytest.mark.parametrize(
    ("topic", "size", "why"),
    [
        (OUTCOMES.name, 5, "has its place among those of its processor"),
        ("timers", 5, "has its place among those of its processor"),
        ("door:segment", EVENT_BYTES_MAX, "only the beginning was kept"),
        (TOUCHPOINTS.name, PROCESSOR_BYTES_MAX, "only the beginning was kept"),
        ("door:telex", 5, "no door telex"),
    ],
)
async def test_what_cannot_be_redriven_says_why_before_and_after(tmp_path: Path, bounded: Stand, topic: str, size: int, why: str) -> None:
    bounded.committer.records.append(kept_of(topic, b"x" * size))
    rooms = office(tmp_path, bounded)
    assert why in (await rooms.call("GET", "/v1/rejected/0-0")).json()["cannot_be_redriven"]
    alone = await rooms.call("POST", "/v1/rejected/0-0:redrive")
    assert (alone.status_code, alone.json()["type"]) == (409, "urn:nextwave:problem:cannot-be-redriven")
    assert why in alone.json()["detail"]
    (refused,) = (await rooms.call("POST", "/v1/rejected:redrive", json={})).json()["refused"]
    assert refused["reason"] == "cannot_be_redriven"
    assert len(bounded.committer.records) == 1


@pytest.mark.parametrize(("size", "cut"), [(EVENT_BYTES_MAX, False), (EVENT_BYTES_MAX + 1, True)])
async def test_an_item_of_just_as_much_as_is_kept_is_whole(tmp_path: Path, bounded: Stand, size: int, cut: bool) -> None:
    item = event("order.placed") | {"type": "visit.completed"}
    item["data"]["fill"] = "x" * (size - len(msgspec.json.encode(item | {"data": item["data"] | {"fill": ""}})))
    await bounded.post("/v1/touchpoints", [item], headers=BATCH)
    rooms = office(tmp_path, bounded)
    (listed,) = (await rooms.call("GET", "/v1/rejected")).json()["items"]
    assert (listed["size_bytes"], listed["cut"]) == (size, cut)
    why = (await rooms.call("GET", "/v1/rejected/0-0")).json()["cannot_be_redriven"]
    assert why == (f"only the beginning was kept, 32,768 of {size:,} bytes; let the source send it smaller" if cut else "")


async def test_a_redrive_while_kafka_is_away_can_be_repeated(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("visit.completed")], headers=BATCH)
    write_keys(tmp_path, key_of("erp"))
    rooms = office(tmp_path, bounded)
    bounded.committer.problem = Problem(503, "log-unavailable", "away", retry_after_seconds=2)
    answer = await rooms.call("POST", "/v1/rejected:redrive", json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    bounded.committer.problem = None
    assert (await rooms.call("POST", "/v1/rejected:redrive", json={})).json()["accepted"] == 1
