"""PostHog's routes as its library for pages and the newer protocol of its libraries for servers use them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from nextwave_runtime.auth import Rate
from nextwave_runtime.problem import Problem
from unit.ingest.fakes import NOW, WRITE_KEY, Stand, key_of, stand

NOBODY = {"authorization": ""}
BEARER = {"authorization": f"Bearer {WRITE_KEY}"}
BY_EVENT = "/i/v1/analytics/events"
EVENT = {"event": "Song Played", "distinct_id": "7", "uuid": "u-1", "timestamp": NOW.isoformat(), "properties": {"artist": "Ann"}}
BROWSER = {"distinct_id": "d-1", "$device_id": "d-1"}
"""What a page says of somebody who was never identified."""


async def sent(ingest: Stand, *events: dict[str, Any]) -> list[Any]:
    """The touchpoints that a batch of a page becomes."""
    answer = await ingest.post("/e/", {"api_key": WRITE_KEY, "batch": list(events)}, headers=NOBODY)
    assert (answer.status_code, answer.json()) == (200, {"status": 1})
    return ingest.committer.touchpoints


@pytest.mark.parametrize(
    ("event", "properties", "names"),
    [
        ("$set", {"$set": {"plan": "x"}}, ("anonymous_id:d-1",)),
        ("$groupidentify", {"$group_type": "company", "$group_key": "acme"}, ("anonymous_id:d-1",)),
        ("$create_alias", {"alias": "42"}, ("anonymous_id:d-1", "anonymous_id:42", "customer_id:42")),
        ("last", {"distinct_id": "d-2", "$is_identified": False}, ("anonymous_id:d-2",)),
        ("$identify", {"distinct_id": "42", "$anon_distinct_id": "d-1"}, ("customer_id:42", "anonymous_id:d-1")),
    ],
)
async def test_a_browsers_own_id_is_nobodys_customer_number(
    ingest: Stand, event: str, properties: dict[str, Any], names: tuple[str, ...]
) -> None:
    (seen,) = await sent(ingest, {"event": event, "uuid": "u-1", "properties": BROWSER | properties})
    assert seen.identifiers == names


async def test_a_name_that_all_visitors_without_cookies_share_joins_nobody(ingest: Stand) -> None:
    cookieless = "$posthog_cookieless"
    nobody = {"event": "x", "uuid": "u-1", "properties": {"distinct_id": cookieless, "$device_id": cookieless, "$cookieless_mode": True}}
    known = {"event": "$identify", "uuid": "u-2", "properties": {"distinct_id": "42", "$anon_distinct_id": cookieless}}
    (seen,) = await sent(ingest, nobody, nobody | {"distinct_id": cookieless, "properties": {}}, known)
    assert seen.identifiers == ("customer_id:42",)
    assert ingest.committer.rejected == []


async def test_where_nothing_led_to_a_page_it_has_no_referrer(ingest: Stand) -> None:
    came = [{"$referrer": "$direct"}, {"$referrer": "https://search.example/"}]
    seen = await sent(ingest, *({"event": "$pageview", "uuid": f"u-{n}", "properties": BROWSER | more} for n, more in enumerate(came)))
    assert [t.data.get("referrer") for t in seen] == [None, "https://search.example/"]


async def test_what_is_left_out_is_counted_as_ignored(ingest: Stand) -> None:
    await sent(ingest, {"event": "$exception", "properties": BROWSER}, {"event": "x", "properties": BROWSER})
    await ingest.telling.tell()
    async with ingest.client() as client:
        told = await client.get("/v1/sources/shop", headers={"authorization": "Bearer at_viewer"})
    (door,) = told.json()["doors"]
    assert (door["door"], door["ignored"], door["accepted"], told.json()["ignored"]) == ("posthog", 1, 1, 1)


@pytest.mark.parametrize("trouble", [Problem(429, "overloaded", "later", retry_after_seconds=3), Problem(408, "slow-body", "later")])
async def test_a_page_hears_no_4xx_of_our_own_trouble_since_its_library_drops_what_it_sent_then(ingest: Stand, trouble: Problem) -> None:
    ingest.committer.problem = trouble
    answer = await ingest.post("/e/", {"api_key": WRITE_KEY, "batch": [EVENT]}, headers=NOBODY)
    assert (answer.status_code, answer.json()["type"]) == (503, f"urn:nextwave:problem:{trouble.kind}")
    assert answer.headers["retry-after"] == str(trouble.retry_after_seconds or 1)


async def test_so_is_what_is_beyond_a_sources_rate(tmp_path: Any) -> None:
    ingest = stand(tmp_path, key_of("slow", rate=Rate(0.1, 1)))
    answers = [await ingest.post("/e/", {"api_key": "wk_slow", "batch": [EVENT]}, headers=NOBODY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 503]
    assert answers[1].json()["type"] == "urn:nextwave:problem:rate-exceeded"


async def test_a_page_gets_settings_by_which_it_sends_nothing_but_its_events(ingest: Stand) -> None:
    async with ingest.client() as client:
        told, script = [await client.get(f"/array/{WRITE_KEY}/{name}") for name in ("config", "config.js")]
        hostile = await client.get('/array/");alert(1);("/config.js')
        other, asked = await client.get("/array/x/array.js"), await client.options("/array/x/config", headers={"origin": "https://shop"})
    assert (told.status_code, told.json()["hasFeatureFlags"], "surveys" in told.json()) == (200, False, False)
    assert script.headers["content-type"].startswith("text/javascript")
    start, settings = script.text.split(", ", 1)
    assert start == "Object.assign((window._POSTHOG_REMOTE_CONFIG ??= {})"
    assert msgspec.json.decode(settings.removesuffix(");")) == {WRITE_KEY: {"config": told.json(), "siteApps": []}}
    assert {told.headers["access-control-allow-origin"], script.headers["access-control-allow-origin"]} == {"*"}
    assert list(msgspec.json.decode(hostile.text.split(", ", 1)[1].removesuffix(");"))) == ['");alert(1);("']
    assert (other.status_code, asked.status_code) == (404, 204)


@pytest.mark.parametrize("route", ["/e/", "/flags/", "/array/x/config"])
async def test_a_page_whose_library_sends_credentials_along_is_named_to_its_browser(ingest: Stand, route: str) -> None:
    page = {"origin": "https://shop.example"}
    async with ingest.client() as client:
        asked = await client.options(route, headers=page | {"access-control-request-method": "POST"})
        answer = await client.request("GET" if "array" in route else "POST", route, content=b"{}", headers=page)
        nobody = await client.options(route)
    for told in (asked, answer):  # of /e/ the second is 401, which a page should be able to read too
        assert (told.headers["access-control-allow-origin"], told.headers["access-control-allow-credentials"]) == (page["origin"], "true")
        assert "origin" in told.headers["vary"]
    assert nobody.headers["access-control-allow-origin"] == "*"


async def test_a_page_that_may_not_use_the_key_is_not_named(tmp_path: Any) -> None:
    ingest = stand(tmp_path, key_of("page", origins=("https://shop.example",)))
    body = {"api_key": "wk_page", "batch": [EVENT]}
    answers = [await ingest.post("/e/", body, headers=NOBODY | {"origin": f"https://{host}.example"}) for host in ("shop", "other")]
    assert [(answer.status_code, answer.headers.get("access-control-allow-origin")) for answer in answers] == [
        (200, "https://shop.example"),
        (403, None),
    ]


async def test_the_newer_protocol_says_of_each_event_what_became_of_it(ingest: Stand) -> None:
    nameless = EVENT | {"uuid": "u-2", "distinct_id": ""}
    profileless = EVENT | {"uuid": "u-3", "options": {"process_person_profile": False}}
    events = [EVENT, nameless, profileless, EVENT | {"uuid": "u-4", "event": "$exception"}, EVENT | {"uuid": None}]
    answer = await ingest.post(BY_EVENT, {"created_at": NOW.isoformat(), "batch": events}, headers=BEARER)
    dropped = {"result": "drop", "details": "/distinct_id: is missing: name the customer"}
    ok = {"result": "ok"}
    assert (answer.status_code, answer.json()) == (200, {"results": {"u-1": ok, "u-2": dropped, "u-3": ok, "u-4": ok}})
    assert [t.identifiers for t in ingest.committer.touchpoints][:2] == [("customer_id:7",), ("anonymous_id:7",)]
    assert [r.reason for r in ingest.committer.rejected] == ["invalid"]


async def test_its_clock_is_set_right_by_the_time_of_each_attempt(ingest: Stand) -> None:
    fast = timedelta(hours=3)
    batch = [EVENT | {"timestamp": (NOW + fast - timedelta(minutes=5)).isoformat()}]
    now = {"posthog-request-timestamp": (NOW + fast).isoformat()}
    await ingest.post(BY_EVENT, {"created_at": (NOW + fast - timedelta(minutes=4)).isoformat(), "batch": batch}, headers=BEARER | now)
    assert ingest.committer.touchpoints[0].occurred_at == NOW - timedelta(minutes=5)
    await ingest.post(BY_EVENT, {"batch": [EVENT]}, headers=BEARER | {"posthog-request-timestamp": "soon"})
    assert ingest.committer.touchpoints[1].occurred_at == NOW


async def test_events_of_language_models_are_taken_at_their_own_route_and_left_out(ingest: Stand) -> None:
    body = {"api_key": WRITE_KEY, "batch": [EVENT | {"event": "$ai_generation"}]}
    answer = await ingest.post("/i/v0/ai/batch/", body, headers=NOBODY)
    assert (answer.status_code, answer.json(), ingest.committer.records) == (200, {"status": 1}, [])
