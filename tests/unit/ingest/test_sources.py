"""How a source is: counted by every replica, the same answer from any of them, however their tallies came."""

from __future__ import annotations

import math
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.sources import ClockTally, DoorTally, ItemRefused, SourceTally
from nextwave_contracts.topics import SOURCES
from nextwave_contracts.wire import decode, encode
from nextwave_ingest.admission import Ignored
from nextwave_ingest.mappings.document import read
from nextwave_ingest.sources.api import Source
from nextwave_ingest.sources.board import Board, SourceSum, summed
from nextwave_ingest.sources.book import DETAIL_MAX
from nextwave_ingest.sources.distances import LEAST_SECONDS, class_of, quantile
from nextwave_ingest.sources.notes import RECENT_MAX
from nextwave_ingest.sources.telling import Telling
from nextwave_runtime.auth import Rate
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import NOW, MemoryCommitter, Stand, basic, key_of, stand

VIEW = {"type": "page", "userId": "7"}
SEEN = "2026-11-22T09:30:00Z"
RINGING = Ignored("other_value", "/state", "no rule")
CALLS = """
name: calls
body: json
items: $.calls
touchpoints:
  - {when: {$.state: [over]}, type: call.ended, id: $.id, identifiers: {phone: $.from}}
"""


async def source(ingest: Stand, name: str) -> dict[str, Any]:
    await ingest.telling.tell()
    async with ingest.client() as client:
        answer = await client.get(f"/v1/sources/{name}", headers={"authorization": "Bearer at_viewer"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def caller(name: str) -> dict[str, str]:
    return {"authorization": basic(f"wk_{name}")}


async def test_a_source_is_told_by_door_with_its_reasons_and_its_bounds(tmp_path: Path) -> None:
    key = key_of("erp", types=("page.*",), origins=("https://a.example",), rate=Rate(2, 6))
    ingest = stand(tmp_path, key, documents=[read(CALLS.encode())])
    await ingest.post(
        "/v1/batch", {"batch": [VIEW, {"type": "track", "event": "x", "userId": "7"}, {"type": "page"}]}, headers=caller("erp")
    )
    calls = [{"id": "1", "state": "over", "from": "+12125550177"}, {"state": "ringing"}]
    await ingest.post("/v1/inbound/erp/calls", {"calls": calls}, headers=caller("erp"))
    assert (await ingest.post("/v1/batch", {"batch": [VIEW] * 5}, headers=caller("erp"))).status_code == 429
    told = await source(ingest, "erp")
    assert (told["accepted"], told["ignored"], told["rejected"]) == (1, 1, {"not_allowed": 2, "invalid": 1})
    assert (told["turned_away"], told["last_seen_at"], told["has_key"]) == (1, SEEN, True)
    assert (told["types"], told["origins"], told["rate"]) == (["page.*"], ["https://a.example"], {"per_second": 2.0, "burst": 6})
    by_door = {one["door"]: (one["accepted"], one["ignored"], one["rejected"]) for one in told["doors"]}
    assert by_door == {"segment": (1, 0, {"not_allowed": 1, "invalid": 1}), "inbound/calls": (0, 1, {"not_allowed": 1})}
    assert [(one["door"], one["pointer"]) for one in told["recent_refusals"]][:1] == [("segment", "/userId")]


@pytest.mark.parametrize(
    ("path", "body", "more"),
    [
        ("/v1/p", {"type": "page"}, {}),
        ("/v1/touchpoints", {"specversion": "1.0"}, {"content-type": "application/cloudevents+json"}),
        ("/i/v0/e/", {"event": "x", "distinct_id": ""}, {}),
    ],
)
async def test_a_single_item_that_was_refused_at_once_is_counted_too(ingest: Stand, path: str, body: Any, more: dict[str, str]) -> None:
    assert (await ingest.post(path, body, headers=more)).status_code == 400
    told = await source(ingest, "shop")
    assert (told["accepted"], told["rejected"]) == (0, {"invalid": 1})
    assert ingest.committer.rejected == []


@pytest.mark.parametrize(
    ("key", "shown"),
    [("ann@example.com", "/properties/•••"), ("+1/212/5550177", "/properties/•••"), ("n" * 500, "/properties/" + "n" * 88)],
)
async def test_where_an_item_is_wrong_is_told_without_an_address_and_within_a_bound(ingest: Stand, key: str, shown: str) -> None:
    call = {"type": "track", "event": "x", "userId": "7", "properties": {key: 2**63}}
    await ingest.post("/v1/batch", {"batch": [call]})
    (refused,) = (await source(ingest, "shop"))["recent_refusals"]
    assert refused["pointer"] == shown


async def test_how_far_the_clock_is_off_is_measured_once_for_each_request(ingest: Stand) -> None:
    for minutes, number in ((0, 18), (10, 1), (-60, 1)):
        for _ in range(number):
            sent = (NOW - timedelta(minutes=minutes)).isoformat()
            await ingest.post("/v1/batch", {"batch": [VIEW | {"timestamp": sent}] * 3, "sentAt": sent})
    await ingest.post("/v1/batch", {"batch": [VIEW]})
    clocks = (await source(ingest, "shop"))["clocks"]
    assert (clocks["requests"], clocks["median_seconds"], clocks["ahead"]) == (20, 0.0, 1)
    assert clocks["p95_seconds"] == pytest.approx(600, rel=0.125)


async def test_a_source_that_nobody_knows_is_a_404_and_one_that_sent_nothing_has_zeros(ingest: Stand) -> None:
    async with ingest.client() as client:
        answer = await client.get("/v1/sources/nobody", headers={"authorization": "Bearer at_viewer"})
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:nextwave:problem:unknown-source")
    told = await source(ingest, "callcentre")
    assert (told["accepted"], told["rejected"], told["last_seen_at"], told["clocks"], told["doors"]) == (0, {}, None, None, [])


async def test_only_what_changed_is_told_and_what_could_not_be_told_is_told_next_time(ingest: Stand) -> None:
    def told() -> list[str]:
        return [decode(r.value, SourceTally).source for r in ingest.committer.records if r.topic == SOURCES.name]

    await ingest.post("/v1/p", VIEW)
    ingest.committer.problem = Problem(503, "log-unavailable", "away", retry_after_seconds=2)
    await ingest.telling.tell()
    ingest.committer.problem = None
    assert told() == []
    await ingest.telling.tell()
    await ingest.telling.tell()
    assert told() == ["shop"]
    await ingest.telling.tell(everything=True)
    assert told() == ["shop", "shop"]


async def test_every_replica_tells_the_same_of_what_all_of_them_heard() -> None:
    committer = MemoryCommitter()
    replicas = [Telling(committer, name, lambda: NOW) for name in "ab"]

    def tell_all(value: bytes) -> None:
        for replica in replicas:
            replica.take(value)

    committer.told = tell_all
    for number, replica in enumerate(replicas, start=1):
        replica.book.ignored("shop", "inbound/calls", [RINGING] * number, NOW)
        replica.book.turned_away("shop", "segment", Problem(429, "rate-exceeded", "wait"), NOW)
        await replica.tell()
    first, second = (replica.board.sums(NOW)["shop"] for replica in replicas)
    assert first == second
    assert (first.turned_away, first.doors["inbound/calls"].ignored) == (2, 3)
    assert [(one.reason, one.times) for one in (*first.turned_away_last, *first.ignored_last)] == [("rate-exceeded", 2), ("other_value", 3)]


TALLIES = st.builds(
    SourceTally,
    replica=st.sampled_from(["a", "b", "c"]),
    source=st.sampled_from(["shop", "erp"]),
    since=st.just(NOW - timedelta(days=3)),
    at=st.integers(0, 40).map(lambda hours: NOW - timedelta(hours=hours)),
    doors=st.dictionaries(
        st.sampled_from(["segment", "inbound/calls"]),
        st.builds(DoorTally, last_seen_at=st.just(NOW), accepted=st.integers(0, 9), rejected=st.just({"invalid": 2})),
    ),
    clock=st.builds(ClockTally, distances=st.dictionaries(st.integers(0, 9), st.integers(1, 9)), ahead=st.integers(0, 3)),
    turned_away=st.integers(0, 5),
    refusals=st.integers(0, 9).map(
        lambda n: tuple(ItemRefused(at=NOW, door="segment", reason="invalid", pointer=f"/{i}", detail="d") for i in range(n))
    ),
)


@given(tallies=st.lists(TALLIES, max_size=12, unique_by=lambda t: (t.replica, t.source, t.at)), seed=st.integers())
def test_the_answer_is_the_same_in_whatever_order_and_however_often_tallies_come(tallies: list[SourceTally], seed: int) -> None:
    one, other = Board(), Board()
    shuffled = tallies * 2
    random.Random(seed).shuffle(shuffled)
    for tally in tallies:
        one.take(decode(encode(tally), SourceTally))
    for tally in shuffled:
        other.take(tally)
    newest = {(t.replica, t.source): t for t in sorted(tallies, key=lambda t: t.at) if NOW - t.at < timedelta(days=1)}
    sums = one.sums(NOW)
    assert sums == other.sums(NOW)
    for source_name in {name for _, name in newest}:
        kept = [t for (_, name), t in newest.items() if name == source_name]
        assert sums[source_name].turned_away == sum(t.turned_away for t in kept)
        accepted = sum(d.accepted for d in sums[source_name].doors.values())
        assert accepted == sum(d.accepted for t in kept for d in t.doors.values())


def test_a_replica_that_was_not_heard_of_for_a_day_counts_no_more_and_its_next_life_adds_to_the_one_before() -> None:
    def tally(life: str, hours_ago: int, turned_away: int) -> SourceTally:
        at = NOW - timedelta(hours=hours_ago)
        return SourceTally(replica=f"a/{life}", source="shop", since=at, at=at, turned_away=turned_away)

    board = Board()
    for one in (tally("1", 24, 100), tally("2", 23, 10), tally("3", 1, 1)):
        board.take(one)
    total = board.sums(NOW)["shop"]
    assert (total.turned_away, total.since) == (11, NOW - timedelta(hours=23))
    assert board.sums(NOW + timedelta(days=2)) == {}
    assert summed([]) == SourceSum()


async def test_refusals_are_bounded_in_number_and_length(ingest: Stand) -> None:
    await ingest.post("/v1/batch", {"batch": [{"type": "x" * 900}] * (RECENT_MAX + 30)})
    told = await source(ingest, "shop")
    assert len(told["recent_refusals"]) == RECENT_MAX
    assert all(len(one["detail"]) <= DETAIL_MAX for one in told["recent_refusals"])
    assert told["rejected"] == {"invalid": RECENT_MAX + 30}


@given(st.floats(min_value=-1e12, max_value=1e12))
def test_a_distance_is_told_within_an_eighth(seconds: float) -> None:
    found = quantile({class_of(seconds): 1}, 0.5)
    assert found is not None
    assert 0 <= class_of(seconds) <= 120
    if abs(seconds) <= LEAST_SECONDS:
        assert found == 0
    elif abs(seconds) < 1e10:
        assert math.isclose(found, abs(seconds), rel_tol=0.126, abs_tol=0.001)


def test_a_quantile_counts_requests() -> None:
    distances = {class_of(1): 94, class_of(60): 2, class_of(3600): 4}
    assert quantile(distances, 0.5) == pytest.approx(1, rel=0.125)
    assert quantile(distances, 0.95) == pytest.approx(60, rel=0.125)
    assert quantile(distances, 0.99) == pytest.approx(3600, rel=0.125)
    assert quantile({}, 0.5) is None


def test_the_guide_names_every_field_of_a_source() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "doors.md").read_text(encoding="utf-8")
    section = guide.partition("\n## Sources and their keys\n")[2].partition("\n## ")[0]
    assert [name for name in Source.model_fields if f"`{name}`" not in section] == ["source"]
