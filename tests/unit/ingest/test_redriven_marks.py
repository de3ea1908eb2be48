"""Who redrives sees what was redriven before, by whom and when, and may ask for what was not."""

from __future__ import annotations

from pathlib import Path

import pytest
from nextwave_contracts.redriven import Redriven
from nextwave_contracts.topics import REDRIVEN
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.rejected import marks as marks_module
from nextwave_ingest.rejected.entries import Entry
from nextwave_ingest.rejected.marks import Marks
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import NOW, Stand, key_of, stand, write_keys
from unit.ingest.office import BATCH, LATER, Office, event, office


@pytest.fixture
async def rooms(tmp_path: Path) -> Office:
    """Three visits that a key might not say, which may now; the third is still none of a customer's."""
    doors = stand(tmp_path, key_of("erp", types=("order.*",)))
    await doors.post("/v1/touchpoints", [event("visit.completed", 1), event("visit.completed", 2), {"specversion": "1.0"}], headers=BATCH)
    write_keys(tmp_path, key_of("erp"))
    return office(tmp_path, doors)


async def listed(rooms: Office, **asked: object) -> list[str]:
    return [one["id"] for one in (await rooms.call("GET", "/v1/rejected", params=asked)).json()["items"]]


def told(doors: Stand) -> list[Redriven]:
    return [decode(record.value, Redriven) for record in doors.committer.records if record.topic == REDRIVEN.name]


async def test_what_was_redriven_says_when_and_by_whom_and_the_rest_can_be_asked_for(rooms: Office) -> None:
    await rooms.call("POST", "/v1/rejected/0-0:redrive")
    items = {one["id"]: one for one in (await rooms.call("GET", "/v1/rejected", role="viewer")).json()["items"]}
    assert [(items[at]["redriven_at"], items[at]["redriven_by"]) for at in ("0-0", "1-0")] == [
        ("2026-11-22T12:30:00Z", "operator"),
        (None, ""),
    ]
    assert (await rooms.call("GET", "/v1/rejected/0-0")).json()["redriven_by"] == "operator"
    assert (await listed(rooms, redriven=True), await listed(rooms, redriven=False)) == (["0-0"], ["0-1", "1-0"])
    assert told(rooms.doors) == [Redriven(id="0-0", at=LATER, by="operator", touchpoints=1)]


async def test_a_redrive_may_leave_out_what_was_redriven_and_twice_is_told_and_harmless(rooms: Office) -> None:
    await rooms.call("POST", "/v1/rejected/0-0:redrive")
    rest = (await rooms.call("POST", "/v1/rejected:redrive", json={"redriven": False})).json()
    assert (rest["accepted"], rest["repeated"], [one["id"] for one in rest["refused"]]) == (1, 0, ["0-1"])
    assert await listed(rooms, redriven=False) == ["0-1"], "what is refused again was not redriven"
    twice = (await rooms.call("POST", "/v1/rejected:redrive", json={"redriven": True})).json()
    assert (twice["accepted"], twice["repeated"]) == (2, 2)
    assert {one.id for one in rooms.doors.committer.touchpoints} == {"e1", "e2"}


async def test_what_was_not_sent_has_no_mark(rooms: Office) -> None:
    rooms.doors.committer.problem = Problem(503, "log-unavailable", "away", retry_after_seconds=2)
    assert (await rooms.call("POST", "/v1/rejected/0-0:redrive")).status_code == 503
    rooms.doors.committer.problem = None
    assert (told(rooms.doors), await listed(rooms, redriven=True)) == ([], [])


def a_mark(number: int, *, minutes: int = 0) -> bytes:
    return encode(Redriven(id=f"0-{number}", at=NOW.replace(minute=minutes), by="anna", touchpoints=1))


def an_entry(number: int) -> Entry:
    return Entry(
        id=f"0-{number}", at=NOW, reason="invalid", detail="", processor="ingest", topic="door:segment", partition=0, offset=number,
        source="", mapping="", size_bytes=1, cut=False,
    )  # fmt: skip


def test_the_newest_mark_counts_in_whatever_order_they_are_heard_and_old_ones_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks_module, "MARKS_MAX", 3)
    marks = Marks()
    for value in (a_mark(1, minutes=7), a_mark(1, minutes=3), a_mark(2), a_mark(1, minutes=5), a_mark(3), a_mark(4)):
        marks.take(value)
    found = [marks.on(an_entry(number)).redriven_at for number in (1, 2, 3, 4)]
    assert found == [NOW.replace(minute=7), None, NOW.replace(minute=0), NOW.replace(minute=0)]


async def test_while_not_all_marks_are_heard_nobody_is_told_that_something_was_never_redriven(
    rooms: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Marks, "fault", "waiting for the topic")
    answer = await rooms.call("GET", "/v1/rejected", params={"redriven": "false"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert len(await listed(rooms)) == 3
