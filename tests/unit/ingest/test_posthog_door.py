"""PostHog's routes from outside: which touchpoints its events become, and what its clients are told."""

from __future__ import annotations

import base64
import gzip
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from nextwave_ingest.doors.posthog import BYTES_MAX
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import NOW, WRITE_KEY, Stand

NOBODY = {"authorization": ""}
EVENT = {"event": "Song Played", "distinct_id": "7", "uuid": "u-1", "timestamp": NOW.isoformat(), "properties": {"artist": "Ann"}}


async def sent(ingest: Stand, *events: dict[str, Any], **more: Any) -> list[Any]:
    """The touchpoints that a batch of these events becomes."""
    body = {"api_key": WRITE_KEY, "batch": [EVENT | event for event in events], **more}
    answer = await ingest.post("/batch/", body, headers=NOBODY)
    assert (answer.status_code, answer.json()) == (200, {"status": 1})
    return ingest.committer.touchpoints


@pytest.mark.parametrize("route", ["/batch/", "/batch", "/capture/", "/e/", "/i/v0/e/"])
async def test_each_route_takes_a_batch_a_list_and_a_single_event(ingest: Stand, route: str) -> None:
    listed = EVENT | {"uuid": "u-2", "properties": {"token": WRITE_KEY, "artist": "Ann"}}
    for body in ({"api_key": WRITE_KEY, "batch": [EVENT]}, [5, listed], EVENT | {"api_key": WRITE_KEY, "uuid": "u-3"}):
        assert (await ingest.post(route, body, headers=NOBODY)).status_code == 200
    assert [(t.id, t.source, t.type, t.identifiers) for t in ingest.committer.touchpoints] == [
        (f"u-{n}", "shop", "Song Played", ("customer_id:7",)) for n in (1, 2, 3)
    ]
    assert len(ingest.committer.rejected) == 1


async def test_gzip_is_taken_whether_a_header_or_the_query_says_so(ingest: Stand) -> None:
    body = gzip.compress(msgspec.json.encode([EVENT | {"properties": {"token": WRITE_KEY}}]))
    answer = await ingest.post("/e/?compression=gzip-js&ver=1", content=body, headers=NOBODY | {"content-type": "text/plain"})
    encoded = {"content-encoding": "gzip", "content-type": "application/json"}
    assert (await ingest.post("/batch/", content=body, headers=NOBODY | encoded)).status_code == answer.status_code == 200
    assert len(ingest.committer.touchpoints) == 2


async def test_an_event_in_a_forms_base64_is_taken(ingest: Stand) -> None:
    event = base64.b64encode(msgspec.json.encode(EVENT | {"api_key": WRITE_KEY, "properties": {"x": "?>~"}})).decode()
    for data in (quote(event, safe=""), event):
        assert (await ingest.post("/e/", content=f"data={data}".encode(), headers=NOBODY)).status_code == 200
    assert [t.data for t in ingest.committer.touchpoints] == [{"x": "?>~"}] * 2
    assert (await ingest.post("/e/", content=b"data=!", headers=NOBODY)).json()["errors"][0]["pointer"] == "/data"


KNOWN = {"plan": "x", "via": "z"}
URL = "https://shop.example/renew?x=1"
GROUP = {"$group_type": "company", "$group_key": "acme", "$group_set": {"size": 9}}
SEVEN = ("customer_id:7",)


@pytest.mark.parametrize(
    ("event", "properties", "touchpoint"),
    [
        (
            "$identify",
            {"$anon_distinct_id": "a-1", "$set": {"plan": "x"}, "$set_once": {"plan": "y", "via": "z"}},
            ("customer.identified", (*SEVEN, "anonymous_id:a-1"), KNOWN),
        ),
        ("$set", {"$set": KNOWN}, ("customer.identified", SEVEN, KNOWN)),
        (
            "$create_alias",
            {"distinct_id": "7", "alias": "old"},
            ("identities.linked", (*SEVEN, "anonymous_id:7", "anonymous_id:old", "customer_id:old"), {}),
        ),
        ("$groupidentify", GROUP, ("account.joined", SEVEN, {"group_type": "company", "size": 9, "group_id": "acme"})),
        (
            "$pageview",
            {"$current_url": URL, "title": "Größe"},
            ("page.viewed", SEVEN, {"url": URL, "path": "/renew", "$current_url": URL, "title": "Größe", "name": "Größe"}),
        ),
        ("$pageview", {"$current_url": "https://["}, ("page.viewed", SEVEN, {"url": "https://[", "$current_url": "https://["})),
        ("$screen", {"$screen_name": "Home"}, ("page.viewed", SEVEN, {"$screen_name": "Home", "name": "Home"})),
        ("order completed", {"revenue": "12.50"}, ("order.placed", SEVEN, {"revenue": "12.50", "amount": 1250, "currency": "EUR"})),
        ("x", {"$process_person_profile": False}, ("x", ("anonymous_id:7",), {"$process_person_profile": False})),
        ("$pageleave", {"$device_id": "7"}, ("$pageleave", ("anonymous_id:7",), {"$device_id": "7"})),
        ("x", {"$device_id": "d"}, ("x", SEVEN, {"$device_id": "d"})),
    ],
)
async def test_an_event_is_the_touchpoint_that_says_the_same(
    ingest: Stand, event: str, properties: dict[str, Any], touchpoint: tuple[str, tuple[str, ...], dict[str, Any]]
) -> None:
    (seen,) = await sent(ingest, {"event": event, "properties": properties})
    assert (seen.type, seen.identifiers, seen.data) == touchpoint


@pytest.mark.parametrize("event", ["$set", "$set_once"])
async def test_traits_may_stand_beside_the_properties_as_the_python_library_writes_them(ingest: Stand, event: str) -> None:
    (seen,) = await sent(ingest, {"event": event, event: {"plan": "gold"}})
    assert (seen.type, seen.data) == ("customer.identified", {"plan": "gold"})


async def test_an_opt_out_is_a_hold_and_an_event_of_the_sources_list_a_complaint(ingest: Stand) -> None:
    await sent(ingest, {"event": "Unsubscribed"}, {"event": "Support Ticket Created"})
    assert [hold.kind for hold in ingest.committer.holds] == ["opt_out", "complaint"]


async def test_the_time_of_an_event_is_set_right_by_the_time_of_sending(ingest: Stand) -> None:
    fast = timedelta(hours=3)
    (seen,) = await sent(ingest, {"timestamp": (NOW + fast - timedelta(minutes=5)).isoformat()}, sent_at=(NOW + fast).isoformat())
    assert (seen.occurred_at, seen.time_suspect) == (NOW - timedelta(minutes=5), False)


async def test_an_offset_counts_back_from_the_reception(ingest: Stand) -> None:
    (seen,) = await sent(ingest, {"offset": 1500, "timestamp": None})
    assert seen.occurred_at == NOW - timedelta(seconds=1.5)


@pytest.mark.parametrize("wrong", [{"sent_at": True}, {"sent_at": {}}, {"sent_at": "soon"}, {"token": 5}])
async def test_no_field_beside_the_events_loses_them(ingest: Stand, wrong: dict[str, Any]) -> None:
    assert len(await sent(ingest, {}, **wrong)) == 1


@pytest.mark.parametrize("fault", [{"timestamp": True}, {"timestamp": None, "offset": "x"}, {"timestamp": None, "offset": 1e30}])
async def test_a_stop_is_lost_to_no_unreadable_time(ingest: Stand, fault: dict[str, Any]) -> None:
    (seen,) = await sent(ingest, {"event": "Unsubscribed"} | fault)
    assert (seen.occurred_at, [hold.kind for hold in ingest.committer.holds]) == (NOW, ["opt_out"])


async def test_an_event_without_an_id_gets_the_same_one_when_it_is_repeated(ingest: Stand) -> None:
    await sent(ingest, {"uuid": None}, sent_at=NOW.isoformat())
    first, second = await sent(ingest, {"uuid": None}, sent_at=(NOW + timedelta(seconds=9)).isoformat())
    assert first.id == second.id


@pytest.mark.parametrize("event", ["$feature_flag_called", "$exception", "$ai_generation", "$snapshot"])
async def test_what_tells_of_the_software_only_is_taken_and_left_out(ingest: Stand, event: str) -> None:
    assert [t.type for t in await sent(ingest, {"event": event}, {})] == ["Song Played"]


async def test_refused_events_harm_no_other_and_are_named_in_posthogs_words(ingest: Stand) -> None:
    large = {"properties": {"x": "y" * 33_000}}
    bad: list[dict[str, Any]] = [{"event": "$exception"}, {"distinct_id": None}, {"event": None}, large, {"uuid": "\0"}]
    body = {"api_key": WRITE_KEY, "batch": [EVENT | event for event in bad] + [EVENT]}
    told = (await ingest.post("/batch/", body, headers=NOBODY)).json()
    assert (told["status"], told["rejected_count"]) == (1, 4)
    assert [(r["index"], r["pointer"]) for r in told["rejected"]] == [(1, "/distinct_id"), (2, "/event"), (3, ""), (4, "/id")]
    assert [t.id for t in ingest.committer.touchpoints] == ["u-1"]


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        ({"event": "$create_alias"}, "/properties/alias"),
        ({"event": "$groupidentify", "properties": {"$group_type": "company"}}, "/properties/$group_key"),
        (
            {"event": "$groupidentify", "distinct_id": "$company_a", "properties": {"$group_type": "company", "$group_key": "a"}},
            "/distinct_id",
        ),
        ({"distinct_id": "a\x00"}, "/distinct_id"),
        ({"timestamp": "yesterday"}, "/timestamp"),
        ({"properties": [1]}, "/properties"),
        ({"offset": 1e30, "timestamp": None}, "/offset"),
    ],
)
async def test_a_single_refused_event_is_a_problem_that_names_the_field(ingest: Stand, event: dict[str, Any], pointer: str) -> None:
    answer = await ingest.post("/capture/", EVENT | {"api_key": WRITE_KEY} | event, headers=NOBODY)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert ingest.committer.records == []


async def test_a_hundred_of_the_largest_events_are_taken_and_more_is_413_which_makes_a_client_send_less(ingest: Stand) -> None:
    large = EVENT | {"properties": {"x": "y" * 32_500}}
    fits = await ingest.post("/batch/", {"api_key": WRITE_KEY, "batch": [large] * 100}, headers=NOBODY)
    assert (fits.status_code, fits.json()) == (200, {"status": 1})
    too_large = {"api_key": WRITE_KEY, "batch": [EVENT | {"properties": {"x": "y" * BYTES_MAX}}]}
    assert (await ingest.post("/batch/", too_large, headers=NOBODY)).status_code == 413


@pytest.mark.parametrize("key", ["", "wk_other", None])
async def test_an_unknown_key_is_a_401(ingest: Stand, key: str | None) -> None:
    assert (await ingest.post("/batch/", {"api_key": key, "batch": [EVENT]}, headers=NOBODY)).status_code == 401


async def test_our_own_trouble_is_never_the_clients_fault(ingest: Stand) -> None:
    ingest.committer.problem = Problem(503, "trouble", "later", retry_after_seconds=2)
    answer = await ingest.post("/batch/", {"api_key": WRITE_KEY, "batch": [EVENT]}, headers=NOBODY)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


@pytest.mark.parametrize("route", ["/flags/?v=2", "/flags", "/decide/?v=3"])
async def test_whoever_asks_for_flags_gets_none_and_may_ask_from_a_page(ingest: Stand, route: str) -> None:
    answer = await ingest.post(route, {"token": WRITE_KEY, "distinct_id": "7"}, headers=NOBODY)
    assert (answer.status_code, answer.json()["flags"], answer.json()["errorsWhileComputingFlags"]) == (200, {}, False)
    async with ingest.client() as client:
        asked = await client.options(route, headers={"origin": "https://shop", "access-control-request-method": "POST"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "https://shop")


async def test_a_page_may_post_events(ingest: Stand) -> None:
    async with ingest.client() as client:
        asked = await client.options("/e/", headers={"origin": "https://shop", "access-control-request-method": "POST"})
        got = await client.get("/e/")
    assert (asked.status_code, got.status_code) == (204, 405)
