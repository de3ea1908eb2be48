"""The Segment routes from outside: what is answered, and what was durable before that."""

from __future__ import annotations

import gzip
from typing import Any

import msgspec
import pytest
from nextwave_ingest.admission import ITEMS_MAX
from nextwave_ingest.doors.segment import REJECTED_MAX
from nextwave_runtime.problem import Problem
from prometheus_client import REGISTRY
from unit.ingest.fakes import NOW, WRITE_KEY, Stand, basic

TRACK = {"type": "track", "event": "Song Played", "userId": "7", "messageId": "m-1"}
ROUTES = {
    "track": "Song Played",
    "identify": "customer.identified",
    "page": "page.viewed",
    "screen": "page.viewed",
    "group": "account.joined",
    "alias": "identities.linked",
}


@pytest.mark.parametrize("route", [*ROUTES, *(word[0] for word in ROUTES)])
async def test_each_route_takes_its_call_whatever_the_content_type(ingest: Stand, route: str) -> None:
    kind = next(word for word in ROUTES if word.startswith(route))
    call = {"event": "Song Played", "userId": "7", "groupId": "g", "previousId": "p", "messageId": "m"}
    answer = await ingest.post(f"/v1/{route}", call, headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [(t.id, t.source, t.type, t.received_at) for t in ingest.committer.touchpoints] == [("m", "shop", ROUTES[kind], NOW)]


@pytest.mark.parametrize(("route", "body"), [("track", TRACK), ("batch", {"batch": [TRACK]}), ("nothing", TRACK)])
async def test_a_slash_at_the_end_of_a_route_changes_nothing(ingest: Stand, route: str, body: dict[str, Any]) -> None:
    answers = [await ingest.post(f"/v1/{route}{end}", body) for end in ("", "/")]
    assert [(one.status_code, one.json()) for one in answers] == [(answers[0].status_code, answers[0].json())] * 2
    assert [t.id for t in ingest.committer.touchpoints] == ([] if route == "nothing" else ["m-1"] * 2)


@pytest.mark.parametrize("route", ["batch", "import", "b"])
async def test_a_gzip_batch_under_a_wrong_content_type_is_taken_whole(ingest: Stand, route: str) -> None:
    body = gzip.compress(msgspec.json.encode({"batch": [TRACK, TRACK | {"messageId": "m-2"}], "sentAt": "2026-11-22T09:30:00Z"}))
    headers = {"content-encoding": "gzip", "content-type": "application/x-www-form-urlencoded"}
    answer = await ingest.post(f"/v1/{route}", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [t.id for t in ingest.committer.touchpoints] == ["m-1", "m-2"]


async def test_a_bad_item_goes_to_rejected_and_harms_no_other(ingest: Stand) -> None:
    bad: list[Any] = [TRACK | {"userId": None}, TRACK | {"userId": "a\x00b"}, 5, TRACK | {"properties": {"x": "y" * 33_000}}]
    answer = await ingest.post("/v1/batch", {"batch": [*bad, TRACK]})
    assert (answer.status_code, answer.json()["success"], answer.json()["rejected_count"]) == (200, True, 4)
    assert [(r["index"], r["pointer"]) for r in answer.json()["rejected"]] == [(0, "/userId"), (1, "/userId"), (2, ""), (3, "")]
    assert [t.id for t in ingest.committer.touchpoints] == ["m-1"]
    assert [r.reason for r in ingest.committer.rejected] == ["invalid", "invalid", "invalid", "too_large"]
    first = ingest.committer.rejected[0]
    assert (first.topic, first.offset, first.detail) == ("door:segment", -1, "/userId: send userId or anonymousId")
    assert msgspec.json.decode(first.payload) == bad[0]


async def test_a_batch_of_too_many_items_is_one_problem_before_any_item_is_looked_at(ingest: Stand) -> None:
    tiny = gzip.compress(b'{"batch":[' + b"1," * 249_000 + b"1]}")
    answer = await ingest.post("/v1/batch", content=tiny)
    problem = answer.json()
    assert (answer.status_code, [e["pointer"] for e in problem["errors"]]) == (400, ["/batch"])
    assert str(ITEMS_MAX) in problem["detail"]
    assert ingest.committer.records == []


async def test_a_batch_of_as_many_items_as_are_allowed_is_taken(ingest: Stand) -> None:
    assert (await ingest.post("/v1/batch", content=b'{"batch":[' + b"1," * (ITEMS_MAX - 1) + b"1]}")).status_code == 200
    assert len(ingest.committer.rejected) == ITEMS_MAX


async def test_the_answer_to_a_batch_names_the_first_hundred_refused_items_and_counts_all(ingest: Stand) -> None:
    told = (await ingest.post("/v1/batch", {"batch": [{"type": "dance"}] * 101})).json()
    assert (told["rejected_count"], len(told["rejected"])) == (101, REJECTED_MAX)
    assert len(ingest.committer.rejected) == 101


async def test_an_empty_batch_is_a_success_that_leaves_nothing(ingest: Stand) -> None:
    assert (await ingest.post("/v1/batch", {"batch": []})).status_code == 200
    assert ingest.committer.records == []


@pytest.mark.parametrize(
    ("path", "content", "pointer"),
    [
        ("/v1/track", b"{", ""),
        ("/v1/track", b"\xff\xfe", ""),
        ("/v1/track", b'{"event":"x"}', "/userId"),
        ("/v1/batch", b'{"batch":5}', "/batch"),
        ("/v1/batch", b"[]", ""),
        ("/v1/batch", b'{"batch":[' + b"[" * 20_000 + b"]" * 20_000 + b"]}", ""),
    ],
)
async def test_a_malformed_request_is_a_problem_that_names_the_field(ingest: Stand, path: str, content: bytes, pointer: str) -> None:
    answer = await ingest.post(path, content=content)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert answer.headers["access-control-allow-origin"] == "*"
    assert ingest.committer.records == []


@pytest.mark.parametrize(
    "headers",
    [{"authorization": basic(WRITE_KEY)}, {"authorization": "", "x-write-key": WRITE_KEY}, {"authorization": f"Bearer {WRITE_KEY}"}],
)
async def test_the_write_key_may_stand_in_any_of_the_headers(ingest: Stand, headers: dict[str, str]) -> None:
    assert (await ingest.post("/v1/track", TRACK, headers=headers)).status_code == 200


async def test_the_write_key_may_stand_in_the_body(ingest: Stand) -> None:
    nobody = {"authorization": ""}
    assert (await ingest.post("/v1/t", TRACK | {"writeKey": WRITE_KEY}, headers=nobody)).status_code == 200
    assert (await ingest.post("/v1/b", {"batch": [TRACK], "writeKey": WRITE_KEY}, headers=nobody)).status_code == 200
    assert len(ingest.committer.touchpoints) == 2


async def test_the_key_in_the_body_counts_where_the_header_is_not_for_us(ingest: Stand) -> None:
    oauth = {"authorization": "Bearer of-the-clients-oauth"}
    assert (await ingest.post("/v1/batch", {"batch": [TRACK], "writeKey": WRITE_KEY}, headers=oauth)).status_code == 200
    assert (await ingest.post("/v1/batch", {"batch": [TRACK], "writeKey": "wk_other"}, headers=oauth)).status_code == 401


async def test_a_known_source_is_told_what_is_malformed_and_its_health_shows_it(ingest: Stand) -> None:
    assert (await ingest.post("/v1/track", content=b'{"event":')).status_code == 400
    told = ingest.telling.book.tally("shop", replica="r", since=NOW, at=NOW)
    assert told.doors["segment"].rejected == {"invalid": 1}
    assert ingest.committer.records == []


async def test_answers_and_items_are_counted_for_the_metrics(ingest: Stand) -> None:
    wanted = (
        ("nextwave_ingest_items_total", {"source": "shop", "verdict": "admitted"}, 2),
        ("nextwave_ingest_items_total", {"source": "shop", "verdict": "refused"}, 1),
        ("nextwave_ingest_answers_total", {"door": "segment", "status": "200"}, 1),
        ("nextwave_ingest_answers_total", {"door": "segment", "status": "401"}, 1),
    )
    before = [REGISTRY.get_sample_value(name, labels) or 0 for name, labels, _ in wanted]
    await ingest.post("/v1/batch", {"batch": [TRACK, TRACK, 5]})
    await ingest.post("/v1/batch", {"batch": [TRACK]}, headers={"authorization": basic("wk_other")})
    after = [REGISTRY.get_sample_value(name, labels) or 0 for name, labels, _ in wanted]
    assert [new - old for new, old in zip(after, before, strict=True)] == [more for _, _, more in wanted]


@pytest.mark.parametrize("authorization", ["", "Basic !!!", "Basic", basic("wk_other"), basic("at_viewer")])
async def test_an_unknown_write_key_is_a_401(ingest: Stand, authorization: str) -> None:
    answer = await ingest.post("/v1/track", TRACK, headers={"authorization": authorization})
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:nextwave:problem:unknown-write-key")


@pytest.mark.parametrize(("status", "retry_after"), [(429, 1), (503, 2)])
async def test_our_own_trouble_is_never_the_clients_fault(ingest: Stand, status: int, retry_after: int) -> None:
    ingest.committer.problem = Problem(status, "trouble", "later", retry_after_seconds=retry_after)
    answer = await ingest.post("/v1/track", TRACK)
    assert (answer.status_code, answer.headers["retry-after"]) == (status, str(retry_after))


async def test_the_limits_of_the_protocol_are_400(ingest: Stand) -> None:
    big = TRACK | {"properties": {"x": "y" * 32_768}}
    batch = {"batch": [TRACK | {"properties": {"x": "y" * 30_000}}] * 18}
    assert (await ingest.post("/v1/track", big)).status_code == 400
    assert (await ingest.post("/v1/batch", batch)).status_code == 400


@pytest.mark.parametrize(("size", "read"), [(600_000, 3), (40_000_000, 0)])
async def test_a_client_that_sends_somewhat_too_much_may_end_before_it_hears_so(ingest: Stand, size: int, read: int) -> None:
    """A connection that is reset while its client still sends has no answer: the client sends the same again and again."""
    parts = [{"type": "http.request", "body": b"x" * 200_000, "more_body": more} for more in (True, True, False)]
    told: list[Any] = []

    async def receive() -> Any:
        return parts.pop(0)

    async def send(message: Any) -> None:
        told.append((message, len(parts)))

    headers = [(b"content-length", str(size).encode())]
    await ingest.app({"type": "http", "method": "POST", "path": "/v1/batch", "headers": headers}, receive, send)
    assert [(message["status"], 3 - left) for message, left in told if "status" in message] == [(400, read)]


async def test_a_gzip_bomb_is_refused_before_it_is_unfolded(ingest: Stand) -> None:
    answer = await ingest.post("/v1/batch", content=gzip.compress(b'{"batch":[' + b" " * 50_000_000 + b"]}"))
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:nextwave:problem:too-large")


@pytest.mark.parametrize("content", [gzip.compress(b"{}", mtime=0)[:-4], b"\x1f\x8bnonsense", gzip.compress(b"{}", mtime=0) + b"more"])
async def test_a_broken_gzip_stream_is_refused(ingest: Stand, content: bytes) -> None:
    assert (await ingest.post("/v1/batch", content=content)).status_code == 400


@pytest.mark.parametrize("content", [b"plain words", b"\x78\x9cdeflated", b'"text"'])
async def test_a_body_that_is_not_the_gzip_its_header_says_is_refused_by_that_name(ingest: Stand, content: bytes) -> None:
    answer = await ingest.post("/v1/batch", content=content, headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:nextwave:problem:malformed-gzip")
    assert "Content-Encoding" in answer.json()["detail"]


async def test_a_body_that_a_gateway_inflated_without_changing_the_header_is_taken(ingest: Stand) -> None:
    assert (await ingest.post("/v1/track", TRACK, headers={"content-encoding": "gzip"})).status_code == 200


async def test_a_call_without_an_id_gets_the_same_id_when_it_is_repeated(ingest: Stand) -> None:
    call = {"event": "x", "userId": "7", "timestamp": "2026-11-22T09:00:00Z"}
    for sent_at in ("2026-11-22T09:30:00Z", "2026-11-22T09:30:10Z"):
        await ingest.post("/v1/track", call | {"sentAt": sent_at})
    first, second = ingest.committer.touchpoints
    assert first.id == second.id


async def test_the_time_of_sending_of_a_batch_corrects_its_calls(ingest: Stand) -> None:
    late = TRACK | {"timestamp": "2026-11-22T11:20:00Z"}
    await ingest.post("/v1/batch", {"batch": [late], "sentAt": "2026-11-22T11:30:00Z"})
    assert ingest.committer.touchpoints[0].occurred_at.isoformat() == "2026-11-22T09:20:00+00:00"


@pytest.mark.parametrize("wrong", [{"context": "x"}, {"context": 5}, {"sentAt": True}, {"sentAt": {}}, {"sentAt": "soon"}, {"writeKey": 5}])
async def test_no_field_beside_the_calls_loses_them(ingest: Stand, wrong: dict[str, Any]) -> None:
    assert (await ingest.post("/v1/batch", {"batch": [TRACK]} | wrong)).json() == {"success": True}
    assert [t.id for t in ingest.committer.touchpoints] == ["m-1"]


async def test_a_stop_is_committed_with_its_touchpoint(ingest: Stand) -> None:
    await ingest.post("/v1/track", TRACK | {"event": "Unsubscribed"})
    (touchpoint,), (hold,) = ingest.committer.touchpoints, ingest.committer.holds
    assert (touchpoint.type, hold.kind, hold.channel, hold.id) == ("consent.withdrawn", "opt_out", "email", "m-1/opt_out")
    assert "7" not in hold.subjects
    assert len(hold.subjects[0]) == 32


async def test_records_are_keyed_by_the_strongest_identifier_and_typed(ingest: Stand) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    await ingest.post("/v1/track", TRACK | {"anonymousId": "a"}, headers={"traceparent": trace})
    record = ingest.committer.records[0]
    assert record.key == b"customer_id:7"
    assert record.headers == [("content-type", b"application/json"), ("traceparent", trace.encode())]


@pytest.mark.parametrize("route", ["/v1/t", "/v1/b", "/api/s/track", f"/v1/projects/{WRITE_KEY}/settings"])
async def test_a_browser_may_ask_and_post_from_any_page_with_any_header(ingest: Stand, route: str) -> None:
    asking = {"origin": "https://shop", "access-control-request-method": "POST", "access-control-request-private-network": "true"}
    wanted = "authorization,content-type,sentry-trace,x-retry-count"
    async with ingest.client() as client:
        asked = await client.options(route, headers=asking | {"access-control-request-headers": wanted})
        plain = await client.options(route, headers={"origin": "https://shop", "access-control-request-method": "POST"})
    assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, "*")
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert asked.headers["access-control-allow-headers"] == wanted
    assert asked.headers["access-control-allow-private-network"] == "true"
    assert "authorization" in plain.headers["access-control-allow-headers"]
    assert "access-control-allow-private-network" not in plain.headers


async def test_a_page_may_read_when_to_come_again(ingest: Stand) -> None:
    ingest.committer.problem = Problem(429, "trouble", "later", retry_after_seconds=1)
    answer = await ingest.post("/v1/t", TRACK)
    assert (answer.headers["retry-after"], answer.headers["access-control-expose-headers"]) == ("1", "retry-after")
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("place", ["/api/s/", "/api/s/s2s/"])
@pytest.mark.parametrize("route", ROUTES)
async def test_each_route_of_jitsu_takes_its_call_under_a_key_with_a_second_part(ingest: Stand, place: str, route: str) -> None:
    call = {"event": "Song Played", "userId": "7", "groupId": "g", "previousId": "p", "messageId": "m", "writeKey": f"{WRITE_KEY}:***"}
    answer = await ingest.post(f"{place}{route}", call, headers={"authorization": "", "x-write-key": f"{WRITE_KEY}:jitsu"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [(t.id, t.source, t.type) for t in ingest.committer.touchpoints] == [("m", "shop", ROUTES[route])]


async def test_the_browser_client_learns_where_to_send(ingest: Stand) -> None:
    async with ingest.client() as client:
        known = await client.get(f"/v1/projects/{WRITE_KEY}/settings")
        unknown = await client.get("/v1/projects/wk_other/settings")
    assert known.json()["integrations"]["Segment.io"] == {"apiKey": WRITE_KEY, "apiHost": "ingest/v1", "protocol": "http"}
    assert (unknown.status_code, known.json()["metrics"]) == (404, {"sampleRate": 0})


@pytest.mark.parametrize(("told", "scheme"), [("https", "https"), ("https, http", "https"), ("gopher", "http"), ("", "http")])
async def test_the_browser_client_comes_again_by_the_scheme_it_came_by(ingest: Stand, told: str, scheme: str) -> None:
    async with ingest.client() as client:
        known = await client.get(f"/v1/projects/{WRITE_KEY}/settings", headers={"x-forwarded-proto": told})
    assert known.json()["integrations"]["Segment.io"]["protocol"] == scheme


async def test_the_context_of_a_batch_is_that_of_its_calls(ingest: Stand) -> None:
    identify = {"type": "identify", "userId": "7", "messageId": "m"}
    batch = {"batch": [identify], "context": {"timezone": "Europe/Berlin"}, "integrations": {"All": False}}
    assert (await ingest.post("/v1/batch", batch)).status_code == 200
    assert (await ingest.post("/v1/batch", batch | {"context": []})).status_code == 200
    assert [t.data for t in ingest.committer.touchpoints] == [{"timezone": "Europe/Berlin"}, {}]


async def test_another_method_is_refused_with_advice(ingest: Stand) -> None:
    async with ingest.client() as client:
        assert (await client.get("/v1/track")).status_code == 405
