"""What was rejected can be found, looked at by whom it concerns, and sent on its way again after a fix."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import OUTCOMES, REJECTED, TOUCHPOINTS
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.admission import EVENT_BYTES_MAX
from nextwave_ingest.doors.cloudevents import CloudEventsDoor
from nextwave_ingest.doors.inbound import InboundDoor
from nextwave_ingest.doors.posthog import PostHogDoor
from nextwave_ingest.doors.segment import SegmentDoor
from nextwave_ingest.mappings.document import Document, read
from nextwave_ingest.mappings.library import Library
from nextwave_ingest.reception import Reception
from nextwave_ingest.records import Record
from nextwave_ingest.rejected import entries
from nextwave_ingest.rejected.api import rejected_router
from nextwave_ingest.rejected.entries import Bounds, Entry, Place, Wanted, entry_of
from nextwave_ingest.rejected.log import Page
from nextwave_ingest.rejected.redriver import Redriver
from nextwave_ingest.rejected.redriving import PROCESSOR_BYTES_MAX
from nextwave_runtime import problem
from nextwave_runtime.auth import ROLES, Keyring
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import IDENTIFIER_KEY, NOW, FixedClock, MemoryCommitter, Stand, basic, key_of, stand, write_keys

LATER = NOW + timedelta(hours=3)
"""When somebody redrives."""
BATCH = {"content-type": "application/cloudevents-batch+json", "authorization": basic("wk_erp")}
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


class MemoryLog:
    """The rejected topic in memory: what a committer was given, in two partitions."""

    def __init__(self, committer: MemoryCommitter) -> None:
        self._committer = committer

    def _all(self) -> list[tuple[Place, Rejected]]:
        kept = [decode(r.value, Rejected) for r in self._committer.records if r.topic == REJECTED.name]
        return [(Place(n % 2, n // 2), one) for n, one in enumerate(kept)]

    async def page(self, wanted: Wanted, *, since: datetime | None, bounds: Bounds | None, limit: int) -> Page:
        below = {0: 10**9, 1: 10**9} if bounds is None else dict(bounds)
        found: list[Entry] = []
        for place, kept in reversed(self._all()):
            if len(found) == limit:
                return Page(found, below)
            if place.offset < below[place.partition]:
                below[place.partition] = place.offset
                found += [entry for entry in [entry_of(kept, place)] if wanted.fits(entry) and (since is None or kept.at >= since)]
        return Page(found, None)

    async def read(self, places: Sequence[Place]) -> AsyncGenerator[Rejected | None, None]:
        kept = dict(self._all())
        for place in places:
            yield kept.get(place)


@dataclass
class Office:
    """Doors that refused something, and the routes over it as another replica has them, hours later."""

    doors: Stand
    api: FastAPI

    async def call(self, method: str, path: str, role: str = "operator", **more: Any) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.api), base_url="http://ingest") as client:
            return await client.request(method, path, headers={"authorization": f"Bearer at_{role}"}, **more)


def office(folder: Path, doors: Stand, *, documents: Sequence[Document] = (), **settings: Any) -> Office:
    keyring = Keyring(folder / "keys.json")
    reception = Reception(doors.committer, keyring, FixedClock(LATER), identifier_key=IDENTIFIER_KEY.encode(), trace_ratio=0.0)
    complaints = settings.get("complaint_events", {})
    judges = (
        SegmentDoor(reception, complaint_events=complaints, currency="EUR"),
        PostHogDoor(reception, complaint_events=complaints, currency="EUR"),
        CloudEventsDoor(reception),
        InboundDoor(reception, Library(documents), secrets={}, url=""),
    )
    api = FastAPI()
    problem.install(api)
    redriver = Redriver(MemoryLog(doors.committer), {judge.name: judge for judge in judges}, doors.committer)
    api.include_router(rejected_router(keyring, redriver))
    return Office(doors, api)


def event(kind: str, number: int = 1, **data: Any) -> dict[str, Any]:
    about = {"specversion": "1.0", "id": f"e{number}", "source": "/erp", "type": kind, "subject": "email:ann@example.com"}
    return {**about, "data": {"note": "call +12125550177", "email": "ann@example.com", "amount_due": 5, **data}}


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
    assert told == {"accepted": 1, "ignored": 0, "touchpoints": 1, "refused": [], "next": None}
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
    assert "no mapping 'calls' any more" in refused["detail"]


def kept_of(topic: str, payload: bytes, **more: Any) -> Record:
    about: dict[str, Any] = {"reason": "fold_failed", "detail": "KeyError", "processor": "scoring", "partition": 3, "offset": 9, "at": NOW}
    kept = Rejected(**{**about, "topic": topic, "payload": payload, "key": "customer_id:7", **more})
    return Record(REJECTED.name, b"k", encode(kept), [])


async def test_a_touchpoint_that_a_processor_rejected_comes_again_with_its_own_bytes(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("order.placed")], headers=BATCH)
    (first,) = [r for r in bounded.committer.records if r.topic == TOUCHPOINTS.name]
    bounded.committer.records.append(kept_of(TOUCHPOINTS.name, first.value))
    answer = await office(tmp_path, bounded).call("POST", "/v1/rejected:redrive", json={"processor": "scoring"})
    assert answer.json()["touchpoints"] == 1
    again = bounded.committer.records[-1]
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
        ("door:telex", 5, "no door 'telex'"),
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


async def test_the_list_is_narrowed_by_each_of_its_fields(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("visit.completed"), {"specversion": "1.0"}], headers=BATCH)
    await bounded.post("/v1/batch", {"batch": [{"type": "track"}]})
    bounded.committer.records.append(kept_of(OUTCOMES.name, b"{}", at=LATER))
    rooms = office(tmp_path, bounded)
    for asked, ids in {
        "": ["1-1", "0-1", "1-0", "0-0"],
        "source=erp": ["1-0", "0-0"],
        "source=shop": ["0-1"],
        "reason=not_allowed": ["0-0"],
        "processor=scoring": ["1-1"],
        "topic=door:cloudevents": ["1-0", "0-0"],
        "mapping=none": [],
        "since=2026-11-22T12:00:00Z": ["1-1"],
    }.items():
        answer = await rooms.call("GET", f"/v1/rejected?{asked}", "viewer")
        assert [item["id"] for item in answer.json()["items"]] == ids, asked


async def test_pages_follow_each_other_without_a_gap_or_a_repetition(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("visit.completed", n) for n in range(9)], headers=BATCH)
    rooms, seen, query = office(tmp_path, bounded), [], "?limit=2"
    for _ in range(9):
        page = (await rooms.call("GET", f"/v1/rejected{query}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        query = f"?limit=2&cursor={page['next']}"
    assert seen == [str(Place(n % 2, n // 2)) for n in reversed(range(9))]
    more, redriven = {"limit": 4}, 0
    while more:
        told = (await rooms.call("POST", "/v1/rejected:redrive", json=more)).json()
        redriven += len(told["refused"])
        more = {"limit": 4, "cursor": told["next"]} if told["next"] else {}
    assert redriven == 9


async def test_only_who_may_see_addresses_sees_them(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("visit.completed")], headers=BATCH)
    rooms = office(tmp_path, bounded)
    masked, whole = [(await rooms.call("GET", "/v1/rejected/0-0", role)).json() for role in ("viewer", "privacy")]
    assert (masked["masked"], whole["masked"]) == (True, False)
    assert "ann@example.com" in whole["text"]
    assert "ann@example.com" not in masked["text"]
    assert "2125550177" not in masked["text"]
    assert '"amount_due":5' in masked["text"]
    assert masked["meaning"] == "the source's write key may not report this type"


async def test_bytes_that_are_no_json_are_shown_to_whom_they_concern_alone(tmp_path: Path, bounded: Stand) -> None:
    bounded.committer.records += [
        kept_of(TOUCHPOINTS.name, payload, detail="near ann@example.com") for payload in (b"From: ann@x", b"\xff\x00")
    ]
    rooms = office(tmp_path, bounded)
    for place, text, binary in (("0-0", "From: ann@x", None), ("1-0", None, base64.b64encode(b"\xff\x00").decode())):
        masked, whole = [(await rooms.call("GET", f"/v1/rejected/{place}", role)).json() for role in ("editor", "privacy")]
        assert (masked["text"], masked["base64"], masked["masked"]) == (None, None, True)
        assert (whole["text"], whole["base64"], whole["masked"]) == (text, binary, False)
        assert ("ann@" in masked["detail"], "ann@" in whole["detail"]) == (False, True)
    listed = (await rooms.call("GET", "/v1/rejected", "viewer")).json()
    assert not any("ann@" in item["detail"] for item in listed["items"])


RIGHTS = {
    ("GET", "/v1/rejected"): {"viewer", "editor", "approver", "operator", "privacy"},
    ("GET", "/v1/rejected/0-0"): {"viewer", "editor", "approver", "operator", "privacy"},
    ("POST", "/v1/rejected/0-0:redrive"): {"operator"},
    ("POST", "/v1/rejected:redrive"): {"operator"},
}


@pytest.mark.parametrize(("method", "path"), RIGHTS)
async def test_each_route_is_open_to_its_roles_alone(tmp_path: Path, bounded: Stand, method: str, path: str) -> None:
    rooms = office(tmp_path, bounded)
    answers = {role: (await rooms.call(method, path, role, json={})).status_code for role in ROLES}
    assert {role for role, status in answers.items() if status != 403} == RIGHTS[method, path]
    assert (await rooms.call(method, path, "nobody", json={})).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/rejected/9-9", 404),
        ("POST", "/v1/rejected/9-9:redrive", 404),
        ("GET", "/v1/rejected/x", 422),
        ("GET", "/v1/rejected?cursor=x", 422),
        ("GET", "/v1/rejected?limit=0", 422),
        ("GET", "/v1/rejected?reasons=invalid", 422),
        ("GET", "/v1/rejected?reason=ugly", 422),
    ],
)
async def test_what_makes_no_sense_is_a_problem(tmp_path: Path, bounded: Stand, method: str, path: str, status: int) -> None:
    answer = await office(tmp_path, bounded).call(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_redrive_while_kafka_is_away_can_be_repeated(tmp_path: Path, bounded: Stand) -> None:
    await bounded.post("/v1/touchpoints", [event("visit.completed")], headers=BATCH)
    write_keys(tmp_path, key_of("erp"))
    rooms = office(tmp_path, bounded)
    bounded.committer.problem = Problem(503, "log-unavailable", "away", retry_after_seconds=2)
    answer = await rooms.call("POST", "/v1/rejected:redrive", json={})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    bounded.committer.problem = None
    assert (await rooms.call("POST", "/v1/rejected:redrive", json={})).json()["accepted"] == 1


@given(st.dictionaries(st.integers(0, 99), st.integers(0, 10**15), min_size=1))
def test_a_cursor_says_where_it_stands(bounds: dict[int, int]) -> None:
    assert entries.bounds(entries.cursor(bounds)) == bounds


@given(st.text())
def test_no_text_breaks_the_reading_of_cursors_and_places(text: str) -> None:
    assert entries.bounds(text) is None or entries.bounds(entries.cursor(entries.bounds(text) or {})) == entries.bounds(text)
    assert entries.place(text) is None or str(entries.place(text)) == text or text.startswith("0") or "-0" in text
