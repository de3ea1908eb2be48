"""What a batch says for all of its items costs no more for being said over many of them, and no batch keeps others waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nextwave_ingest.admission import RefusedError, Report
from nextwave_ingest.commit import RECORD_OVERHEAD_BYTES, GroupCommit
from nextwave_ingest.doors.exchange import Request, Room
from nextwave_ingest.occurrence import Occurrence
from nextwave_ingest.reception import SAID_BYTES_MAX, Reception
from nextwave_ingest.records import Record
from nextwave_ingest.turns import TURN_SECONDS
from nextwave_runtime.auth import Keyring
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import NOW, WRITE_KEY, FixedClock, MemoryCommitter, Stand, write_keys

ITEMS = 300
LARGE = "x" * 100_000
GOOD = {"timezone": "Europe/Vienna", "locale": "de-AT", "device": {"token": "wp_1"}}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/batch", {"sent_at": LARGE}),
        ("/v1/batch", {"sentAt": LARGE}),
        ("/v1/batch", {"context": {"traits": LARGE, "app": LARGE}}),
        ("/v1/batch", {"context": {"timezone": LARGE, "locale": LARGE, "device": {"token": "wp_" + LARGE}}}),
        ("/v1/batch", {"context": {"device": {"token": "wp_1", "name": LARGE}}}),
    ],
)
async def test_what_a_batch_says_is_kept_with_each_refused_item_within_a_bound(ingest: Stand, path: str, said: dict[str, Any]) -> None:
    await ingest.post(path, {"api_key": WRITE_KEY, "batch": [0] * ITEMS} | said)
    kept = [record.value for record in ingest.committer.records]
    assert len(kept) == ITEMS
    assert sum(map(len, kept)) < ITEMS * (SAID_BYTES_MAX + 500)


async def test_what_is_used_of_a_batchs_words_is_kept(ingest: Stand) -> None:
    said = {"sentAt": "2026-11-22T08:30:00Z", "context": GOOD | {"ip": "10.0.0.1", "traits": {"a": 1}}}
    await ingest.post("/v1/batch", {"batch": [{"type": "dance"}]} | said)
    (kept,) = ingest.committer.rejected
    assert kept.said == {"sent_at": "2026-11-22T08:30:00Z", "context": GOOD}


async def test_what_is_longer_than_any_time_or_language_is_none_and_leaves_room_for_the_rest(ingest: Stand) -> None:
    long = GOOD | {"timezone": "x" * 65, "locale": "x" * 65}
    said = {"sentAt": f"2026-11-22T08:30:00.{'0' * 45}Z", "context": long}
    await ingest.post("/v1/batch", {"batch": [{"type": "dance"}]} | said)
    (kept,) = ingest.committer.rejected
    assert kept.said == {"sent_at": None, "context": {"device": {"token": "wp_1"}}}


async def test_whatever_a_door_says_of_a_request_is_bounded_in_one_place(tmp_path: Path) -> None:
    committer = MemoryCommitter()
    reception = desk(tmp_path, committer)
    request = Request({"method": "POST", "path": "/", "headers": []}, nobody, Room(1))
    request.said = {"mapping": "calls", "other": LARGE, "last": 1}
    verdicts = await reception.judge([b"["], refusing, "shop", NOW)
    await reception.take(request, verdicts, door="inbound", source="shop", at=NOW)
    assert committer.rejected[0].said == {"mapping": "calls", "last": 1}


async def test_no_more_records_are_made_than_there_is_room_for() -> None:
    commit = GroupCommit("", linger_seconds=0.001, timeout_seconds=1.0, pending_bytes_max=10 * (RECORD_OVERHEAD_BYTES + 100))
    made = []

    def records() -> Iterator[Record]:
        for number in range(1000):
            made.append(number)
            yield Record("t", b"k", b"v" * 100, [])

    with pytest.raises(Problem) as full:
        await commit.commit(records())
    assert (full.value.status, len(made)) == (429, 11)


async def test_others_have_their_turn_while_a_batch_is_judged(tmp_path: Path) -> None:
    reception, order = desk(tmp_path, MemoryCommitter()), []

    def slow(item: bytes) -> Report:
        order.append("item")
        time.sleep(TURN_SECONDS * 1.2)  # as a long text takes that is searched for phrases
        return Report(item.decode(), "shop", "page.viewed", ("customer_id:7",), Occurrence(NOW, suspect=False), {})

    async def other() -> None:
        order.append("other")

    waiting = asyncio.create_task(other())
    verdicts = await reception.judge([b"1", b"2", b"3"], slow, "shop", NOW)
    assert order == ["item", "other", "item", "item"]
    assert len(verdicts) == 3
    await waiting


def desk(folder: Path, committer: MemoryCommitter) -> Reception:
    return Reception(committer, Keyring(write_keys(folder)), FixedClock(), identifier_key=b"i" * 32, trace_ratio=0.0)


def refusing(_item: bytes) -> Report:
    raise RefusedError("", "is none")


async def nobody() -> dict[str, Any]:
    return {}
