"""What was rejected can be found and looked at by whom it concerns."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.rejected import Rejected
from nextwave_contracts.topics import OUTCOMES, TOUCHPOINTS
from nextwave_contracts.wire import decode
from nextwave_ingest.rejected import entries, log
from nextwave_ingest.rejected.entries import Place, Wanted, entry_of
from nextwave_ingest.rejected.log import RejectedLog
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import Stand, key_of, stand
from unit.ingest.office import BATCH, LATER, event, kept_of, office


@pytest.fixture
def bounded(tmp_path: Path) -> Stand:
    """A shop's system that may report orders only."""
    return stand(tmp_path, key_of("erp", types=("order.*",)))


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


@given(st.dictionaries(st.integers(0, 99), st.integers(0, 10**15), min_size=1))
def test_a_cursor_says_where_it_stands(bounds: dict[int, int]) -> None:
    assert entries.bounds(entries.cursor(bounds)) == bounds


@given(st.text())
def test_no_text_breaks_the_reading_of_cursors_and_places(text: str) -> None:
    assert entries.bounds(text) is None or entries.bounds(entries.cursor(entries.bounds(text) or {})) == entries.bounds(text)
    assert entries.place(text) is None or str(entries.place(text)) == text or text.startswith("0") or "-0" in text


class Slow(RejectedLog):
    """A topic of one partition, whose `quick` newest records come at once, and those below never."""

    def __init__(self, quick: int) -> None:
        super().__init__("nowhere:9092", lambda instant: instant.timestamp())
        self._quick = quick

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Any]:
        yield None

    async def _strands(self, *_asked: Any) -> Any:
        return {3: _Strand(self._quick)}


class _Strand:
    def __init__(self, quick: int) -> None:
        self.bound = 9_000
        self._quick = quick

    async def newest(self) -> Any:
        if self._quick == 0:
            await asyncio.Event().wait()
        kept = decode(kept_of(OUTCOMES.name, b"{}", at=LATER).value, Rejected)
        return log._Read(self.bound, self.bound - 1, entry_of(kept, Place(3, self.bound - 1)))

    def take(self) -> None:
        self._quick -= 1
        self.bound -= 1


async def test_a_page_whose_time_is_over_ends_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "ANSWER_SECONDS", 0.01)
    page = await Slow(quick=2).page(Wanted().fits, since=None, bounds=None, limit=50)
    assert ([entry.id for entry in page.entries], page.rest) == (["3-8999", "3-8998"], {3: 8_998})
    with pytest.raises(Problem) as problem:
        await Slow(quick=0).page(Wanted().fits, since=None, bounds=None, limit=50)
    assert problem.value.status == 503
