"""What somebody who looks after a source must know at once: why it is turned away, ignored, or warned, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nextwave_ingest.mappings.document import read
from nextwave_ingest.sources.book import SourceBook
from nextwave_ingest.sources.notes import RECENT_MAX
from nextwave_runtime.auth import Rate
from nextwave_runtime.problem import Problem
from structlog.testing import capture_logs
from unit.ingest.fakes import NOW, Stand, basic, key_of, stand
from unit.ingest.test_sources import CALLS, VIEW, caller, source


async def test_who_is_turned_away_reads_by_what_and_what_to_do(tmp_path: Path) -> None:
    key = key_of("erp", origins=("https://a.example",), rate=Rate(2, 2))
    ingest = stand(tmp_path, key)
    foreign = caller("erp") | {"origin": "https://b.example"}
    await ingest.post("/v1/batch", {"batch": [VIEW] * 2}, headers=caller("erp"))
    for _ in range(2):
        await ingest.post("/v1/batch", {"batch": [VIEW] * 2}, headers=caller("erp"))
    await ingest.post("/v1/p", VIEW, headers=foreign)
    await ingest.post("/v1/inbound/erp/chat", {}, headers={"authorization": basic("wk_of_another")})
    await ingest.post("/v1/inbound/erp/chta", {}, headers=caller("erp"))
    told = await source(ingest, "erp")
    reasons = {"rate-exceeded": 2, "origin-not-allowed": 1, "unknown-write-key": 1, "unknown-mapping": 1}
    assert (told["turned_away"], told["turned_away_for"]) == (5, reasons)
    last = [(one["door"], one["reason"], one["times"]) for one in told["recently_turned_away"]]
    assert sorted(last) == [
        ("inbound", "unknown-mapping", 1),
        ("inbound", "unknown-write-key", 1),
        ("segment", "origin-not-allowed", 1),
        ("segment", "rate-exceeded", 2),
    ]
    assert "2 items a second" in next(one["detail"] for one in told["recently_turned_away"] if one["reason"] == "rate-exceeded")


async def test_the_log_says_once_a_minute_that_a_source_is_turned_away_and_strange_addresses_take_no_more_room() -> None:
    seconds, book = [0.0], SourceBook(lambda: seconds[0])
    with capture_logs() as lines:
        for second in (*range(50), 61, 62):
            seconds[0] = second
            book.turned_away("shop", "inbound", Problem(401, "unknown-write-key", f"for /v1/inbound/shop/{second}"), NOW)
    told = book.tally("shop", replica="a", since=NOW, at=NOW)
    assert [(line["event"], line["source"], line["times"]) for line in lines] == [("turned_away", "shop", 1), ("turned_away", "shop", 51)]
    assert (told.turned_away, len(told.turned_away_last)) == (52, RECENT_MAX)


@pytest.mark.parametrize(
    ("topic", "reason", "words"),
    [
        ({}, "no_header", "the header x-shopify-topic is not there"),
        ({"x-shopify-topic": "orders/edited"}, "other_value", '"orders/edited"'),
        ({"x-shopify-topic": "orders/create"}, "other_value", 'true at "$.test"'),
    ],
)
async def test_why_nothing_came_of_a_shops_webhook_is_told_in_one_look(
    ingest: Stand, topic: dict[str, str], reason: str, words: str
) -> None:
    for _ in range(2):
        answer = await ingest.post("/v1/inbound/shop/shopify", {"id": 1, "email": "ann@example.com", "test": True}, headers=topic)
        assert (answer.status_code, answer.json()["ignored"]) == (202, 1)
    told = await source(ingest, "shop")
    assert (told["ignored"], told["ignored_for"], told["doors"][0]["ignored_for"]) == (2, {reason: 2}, {reason: 2})
    (one,) = told["recently_ignored"]
    assert (one["door"], one["reason"], one["times"]) == ("inbound/shopify", reason, 2)
    assert words in one["detail"]


async def test_what_may_be_somebodys_is_hidden_among_what_was_ignored(tmp_path: Path) -> None:
    ingest = stand(tmp_path, documents=[read(CALLS.encode())])
    await ingest.post("/v1/inbound/shop/calls", {"calls": [{"state": "Ann Lee of Hamburg"}, {}, {"state": ["x"]}]})
    told = await source(ingest, "shop")
    assert told["ignored_for"] == {"other_value": 2, "no_value": 1}
    assert "Ann" not in str(told["recently_ignored"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/track", {"event": "order.place", "userId": "7"}),
        ("/v1/batch", {"batch": [{"type": "track", "event": "order.place", "userId": "7"}]}),
        ("/batch", {"batch": [{"event": "order.place", "distinct_id": "7"}], "api_key": "wk_shop"}),
    ],
)
async def test_what_may_have_been_meant_otherwise_is_answered_and_counted_at_every_door(ingest: Stand, path: str, body: Any) -> None:
    answer = (await ingest.post(path, body)).json()
    assert [(one["index"], one["pointer"]) for one in answer["warnings"]] == [(0, "/type")]
    told = await source(ingest, "shop")
    (one,) = told["recent_warnings"]
    assert (told["accepted"], told["warned"], one["times"], "order.placed" in one["detail"]) == (1, 1, 1, True)
