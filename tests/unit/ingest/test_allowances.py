"""What a source's keys let it do: types, pages and rate; and what whoever may not is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_ingest.allowances import RETRY_SECONDS_MAX, Allowances, Bucket
from nextwave_runtime import auth
from nextwave_runtime.auth import Keyring, Rate
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import NOW, Stand, basic, key_of, stand, write_keys

ORDER = {"type": "track", "event": "Order Completed", "userId": "7", "properties": {"revenue": 5, "currency": "EUR"}}
VIEW = {"type": "page", "userId": "7"}
PAGE = "https://shop.example"
CORS = "access-control-allow-origin"


def caller(name: str, origin: str = "") -> dict[str, str]:
    return {"authorization": basic(f"wk_{name}")} | ({"origin": origin} if origin else {})


def event(kind: str, **more: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": kind, "source": "/erp", "type": kind, "subject": "customer_id:7", **more}


@pytest.fixture
def bounded(tmp_path: Path) -> Stand:
    return stand(
        tmp_path,
        key_of("erp", types=("order.*", "page.viewed")),
        key_of("page", origins=(PAGE, "https://m.shop.example")),
        key_of("slow", rate=Rate(2, 10)),
        key_of("free"),
    )


async def test_a_type_that_the_key_may_not_report_is_kept_with_the_reason_and_the_rest_of_the_batch_goes_on(bounded: Stand) -> None:
    wrong = {"type": "track", "event": "Product Viewed", "userId": "7"}
    answer = await bounded.post("/v1/batch", {"batch": [ORDER, wrong, VIEW]}, headers=caller("erp"))
    assert [one.type for one in bounded.committer.touchpoints] == ["order.placed", "page.viewed"]
    (told,) = answer.json()["rejected"]
    assert (told["index"], told["pointer"]) == (1, "/type")
    assert "order.*, page.viewed only" in told["detail"]
    assert told["detail"].endswith("`nextwave keys change write NAME --add-types product.viewed`")
    (kept,) = bounded.committer.rejected
    assert (kept.reason, kept.key) == ("not_allowed", "erp")


@pytest.mark.parametrize(
    ("kind", "status"), [("order.placed", 202), ("order.returned", 202), ("page.viewed", 202), ("page.left", 400), ("orders.x", 400)]
)
async def test_a_subject_covers_its_types_and_no_others(bounded: Stand, kind: str, status: int) -> None:
    headers = caller("erp") | {"content-type": "application/cloudevents+json"}
    assert (await bounded.post("/v1/touchpoints", event(kind), headers=headers)).status_code == status
    assert (await bounded.post("/v1/touchpoints", event(kind), headers=headers | caller("free"))).status_code == 202


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://shop.example", "https://shop.example:8443", "https://shop.example.evil", "null"]
)
async def test_a_foreign_page_gets_no_cors_headers_and_nothing_of_it_is_taken(bounded: Stand, origin: str) -> None:
    for path, body in (("/v1/p", VIEW), ("/v1/batch", {"batch": [VIEW]}), ("/v1/inbound/page/chat", {})):
        answer = await bounded.post(path, body, headers=caller("page", origin))
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:nextwave:problem:origin-not-allowed")
        assert not [name for name in answer.headers if name.startswith("access-control")]
    assert bounded.committer.records == []
    assert bounded.telling.book.tally("page", replica="0", since=NOW, at=NOW).turned_away == 3


@pytest.mark.parametrize("origin", [PAGE, "https://m.shop.example", ""])
async def test_the_pages_of_the_key_and_clients_that_are_no_pages_go_on(bounded: Stand, origin: str) -> None:
    answer = await bounded.post("/v1/p", VIEW, headers=caller("page", origin))
    assert (answer.status_code, answer.headers[CORS]) == (200, "*")


async def test_a_key_without_origins_is_for_every_page(bounded: Stand) -> None:
    assert (await bounded.post("/v1/p", VIEW, headers=caller("free", "https://any.example"))).status_code == 200


async def test_the_key_in_the_body_is_held_to_its_pages_too(bounded: Stand) -> None:
    answer = await bounded.post("/v1/p", VIEW | {"writeKey": "wk_page"}, headers={"authorization": "", "origin": "https://evil.example"})
    assert answer.status_code == 403


async def test_the_browser_settings_of_a_key_are_for_its_pages(bounded: Stand) -> None:
    async with bounded.client() as client:
        asked = [await client.get("/v1/projects/wk_page/settings", headers={"origin": o}) for o in (PAGE, "https://evil.example")]
    assert [(answer.status_code, answer.headers.get(CORS)) for answer in asked] == [(200, "*"), (403, None)]


async def test_beyond_its_rate_a_source_is_told_when_to_send_the_same_again_and_others_go_on(bounded: Stand) -> None:
    batch = {"batch": [VIEW] * 8}
    assert (await bounded.post("/v1/batch", batch, headers=caller("slow"))).status_code == 200
    turned = await bounded.post("/v1/batch", batch, headers=caller("slow"))
    assert (turned.status_code, turned.json()["type"], turned.headers["retry-after"]) == (429, "urn:nextwave:problem:rate-exceeded", "3")
    assert turned.headers[CORS] == "*", "a page must be able to read that it is to wait"
    assert len(bounded.committer.records) == 8, "nothing of a request that is turned away is taken"
    assert (await bounded.post("/v1/batch", batch, headers=caller("free"))).status_code == 200


def test_a_bucket_fills_again_with_time_and_never_beyond_its_burst() -> None:
    bucket = Bucket(Rate(2, 10))
    assert [bucket.take(5, 0.0), bucket.take(5, 0.0)] == [0, 0]
    assert bucket.take(4, 1.0) == pytest.approx(1.0), "2 of 4 are there; the others take a second"
    assert bucket.take(4, 2.0) == 0
    assert bucket.take(10, 1000.0) == 0
    assert bucket.take(1, 1000.0) == pytest.approx(0.5)


def test_a_request_larger_than_the_burst_is_taken_from_a_full_bucket_and_paid_for_afterwards() -> None:
    bucket = Bucket(Rate(10, 5))
    assert bucket.take(100, 0.0) == 0
    assert bucket.take(1, 0.0) == pytest.approx((100 - 5 + 1) / 10)
    assert bucket.take(1, 9.61) == 0


@given(
    per_second=st.floats(0.1, 1000),
    burst=st.integers(1, 500),
    asks=st.lists(st.tuples(st.integers(1, 200), st.floats(0, 5)), min_size=1, max_size=60),
)
def test_whatever_comes_when_no_more_is_taken_than_the_rate_and_one_burst_and_who_waits_as_told_is_taken(
    per_second: float, burst: int, asks: list[tuple[int, float]]
) -> None:
    bucket, now, taken = Bucket(Rate(per_second, burst)), 0.0, 0
    for items, pause in asks:
        now += pause
        if (wait := bucket.take(items, now)) == 0:
            taken += items
            assert taken <= burst + now * per_second + items + 1e-6
        else:
            now += wait + 1e-6
            assert bucket.take(items, now) == 0
            taken += items


def test_a_long_wait_is_told_in_steps_that_clients_keep_and_a_changed_rate_counts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "RELOAD_SECONDS", 0.0)
    bounds = Allowances(Keyring(write_keys(tmp_path, key_of("slow", rate=Rate(0.001, 1)))), lambda: 0.0)
    bounds.spend("slow", 1)
    with pytest.raises(Problem) as turned:
        bounds.spend("slow", 1)
    assert turned.value.retry_after_seconds == RETRY_SECONDS_MAX
    write_keys(tmp_path, key_of("slow", rate=Rate(5, 5)))
    bounds.spend("slow", 5)
    with pytest.raises(Problem):
        bounds.spend("slow", 1)
