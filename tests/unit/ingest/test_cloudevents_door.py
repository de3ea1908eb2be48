"""CloudEvents over HTTP: three modes, the handshake, and call-centre words."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from nextwave_ingest.admission import ITEMS_MAX
from unit.ingest.fakes import NOW, Stand

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "/crm",
    "type": "satisfaction.rated",
    "time": "2026-11-22T09:00:00Z",
    "data": {"rating": 5, "identifiers": ["email:Ann@Example.com"]},
}
TEXTED_STOP = EVENT | {"id": "e-2", "type": "sms.received", "data": {"body": "STOP", "identifiers": ["phone:+1 415 555 0100"]}}
GRANT = {"type": "consent.granted", "data": {"channel": "sms", "purpose": "care", "identifiers": ["email:a@b.c"]}}
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCHED = {"content-type": "application/cloudevents-batch+json"}
BINARY = {
    "ce-specversion": "1.0",
    "ce-id": "e%201",
    "ce-source": '"/crm"',
    "ce-type": "call.wrapup",
    "ce-subject": "phone:%2B14155550100",
    "content-type": "application/json",
}


@pytest.mark.parametrize("path", ["/v1/touchpoints", "/v1/calls"])
async def test_a_structured_event_is_a_touchpoint(ingest: Stand, path: str) -> None:
    answer = await ingest.post(path, EVENT, headers=STRUCTURED)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    (seen,) = ingest.committer.touchpoints
    assert (seen.id, seen.source, seen.type, seen.identifiers, seen.data) == (
        "e-1",
        "shop//crm",
        "satisfaction.rated",
        ("email:ann@example.com",),
        {"rating": 5},
    )
    assert seen.occurred_at < seen.received_at == NOW


async def test_a_binary_event_carries_its_attributes_in_headers(ingest: Stand) -> None:
    wrap_up = {"disposition": "refused", "refusal": True, "complaint": True, "reference": "T-1"}
    answer = await ingest.post("/v1/calls", wrap_up, headers=BINARY)
    assert answer.status_code == 202
    (seen,) = ingest.committer.touchpoints
    assert (seen.id, seen.type, seen.identifiers, seen.data) == ("e 1", "call.wrapped_up", ("phone:+14155550100",), wrap_up)
    assert [(h.kind, h.channel, h.reference) for h in ingest.committer.holds] == [("complaint", "", "T-1"), ("opt_out", "call", "")]


async def test_a_batch_keeps_its_good_events_and_says_what_is_wrong_with_the_others(ingest: Stand) -> None:
    answer = await ingest.post("/v1/touchpoints", [EVENT, EVENT | {"id": ""}, EVENT | {"data": {}}], headers=BATCHED)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 1
    assert [(r["index"], r["pointer"]) for r in answer.json()["rejected"]] == [(1, "/id"), (2, "/data/identifiers")]
    assert (len(ingest.committer.touchpoints), len(ingest.committer.rejected)) == (1, 2)


async def test_a_batch_of_too_many_events_is_one_problem_before_any_event_is_looked_at(ingest: Stand) -> None:
    answer = await ingest.post("/v1/touchpoints", [1] * (ITEMS_MAX + 1), headers=BATCHED)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:nextwave:problem:too-large")
    assert str(ITEMS_MAX) in answer.json()["detail"]
    assert ingest.committer.records == []


async def test_a_batch_may_be_empty(ingest: Stand) -> None:
    assert (await ingest.post("/v1/touchpoints", [], headers=BATCHED)).json() == {"accepted": 0, "rejected": []}


async def test_a_stop_by_text_is_a_hold_on_texts(ingest: Stand) -> None:
    await ingest.post("/v1/touchpoints", TEXTED_STOP, headers=STRUCTURED)
    (hold,) = ingest.committer.holds
    assert (hold.kind, hold.channel, hold.purpose) == ("opt_out", "sms", "")
    assert ingest.committer.touchpoints[0].data == {"body": "STOP", "wish": "opt_out"}


@pytest.mark.parametrize("kind", ["customer.identified", "customer.registered"])
async def test_a_stop_from_the_phone_that_an_event_told_finds_its_owner(ingest: Stand, kind: str) -> None:
    known = {"email": "Ann@Example.com", "phone": "+1 415 555 0100", "identifiers": ["customer_id:7"]}
    await ingest.post("/v1/touchpoints", EVENT | {"type": kind, "data": known}, headers=STRUCTURED)
    await ingest.post("/v1/touchpoints", TEXTED_STOP, headers=STRUCTURED)
    told, stopped = ingest.committer.touchpoints
    assert told.identifiers == ("customer_id:7", "email:ann@example.com", "phone:+14155550100")
    assert set(stopped.identifiers) <= set(told.identifiers)


async def test_data_may_be_base64(ingest: Stand) -> None:
    event = {key: value for key, value in EVENT.items() if key != "data"} | {"subject": "customer_id:7"}
    encoded = base64.b64encode(b'{"rating":4}').decode()
    await ingest.post("/v1/touchpoints", event | {"data_base64": encoded}, headers=STRUCTURED)
    assert ingest.committer.touchpoints[0].data == {"rating": 4}


@pytest.mark.parametrize("time", ["yesterday", True, {}])
@pytest.mark.parametrize("stop", [{"type": "consent.withdrawn"}, TEXTED_STOP])
async def test_a_stop_is_lost_to_no_unreadable_time(ingest: Stand, stop: dict[str, Any], time: Any) -> None:
    assert (await ingest.post("/v1/touchpoints", EVENT | stop | {"time": time}, headers=STRUCTURED)).status_code == 202
    assert [hold.kind for hold in ingest.committer.holds] == ["opt_out"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"time": "soon"}, "/time"),
        (GRANT | {"time": "soon"}, "/time"),
        ({"id": "a\x00"}, "/id"),
        ({"data": {"identifiers": "email:a@b.c"}}, "/data/identifiers"),
        ({"data": {"identifiers": ["Ann"]}}, "/data/identifiers/0"),
        ({"data": [1]}, "/data"),
        ({"data": {"identifiers": ["email:a@b.c"], "n": 2**63}}, "/data/n"),
        ({"data_base64": base64.b64encode(b'{"n":-9223372036854775808}').decode()}, "/data/n"),
        ({"data_base64": base64.b64encode(b'{"n":' + b"[" * 64 + b"]" * 64 + b"}").decode()}, ""),
        ({"data_base64": "\u00e4"}, "/data_base64"),
        ({"data_base64": "YQ==", "data": {}}, "/data_base64"),
        ({"datacontenttype": "image/png"}, "/datacontenttype"),
        ({"datacontenttype": "text/plain"}, "/data"),
        ({"datacontenttype": "text/plain; charset=utf-7", "data_base64": "YQ=="}, "/datacontenttype"),
        ({"datacontenttype": "text/plain", "data_base64": "/w=="}, "/data"),
        ({"type": "order.placed", "data": {"amount": 1.5, "identifiers": ["email:a@b.c"]}}, "/data/amount"),
    ],
)
async def test_a_wrong_event_is_a_problem_that_points_at_the_field(ingest: Stand, change: dict[str, Any], pointer: str) -> None:
    event = {key: value for key, value in EVENT.items() if key != "data" or "data_base64" not in change} | change
    answer = await ingest.post("/v1/touchpoints", event, headers=STRUCTURED)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert ingest.committer.records == []


async def test_attributes_that_are_no_utf8_are_refused(ingest: Stand) -> None:
    answer = await ingest.post("/v1/touchpoints", {}, headers=BINARY | {"ce-id": "%FF"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/ce-id")
    extended = msgspec.json.encode(EVENT | {"region": "?"}).replace(b'"?"', b'"\xff"')
    assert (await ingest.post("/v1/touchpoints", content=extended, headers=STRUCTURED)).status_code == 400
    assert ingest.committer.records == []


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("plain", "plain"),
        ("a%20b", "a b"),
        ("100%2525", "100%25"),
        ("%C3%BC", "ü"),
        ("50%", "50%"),
        (r'"a \"b\" \\c"', r'a "b" \c'),
        ('"%22x%22"', '"x"'),
        ('a"b', 'a"b'),
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
    ],
)
async def test_a_header_is_unquoted_and_then_decoded_once(ingest: Stand, written: str, means: str) -> None:
    answer = await ingest.post("/v1/touchpoints", {}, headers=BINARY | {"ce-id": written})
    assert (answer.status_code, [t.id for t in ingest.committer.touchpoints]) == (202, [means])


@pytest.mark.parametrize(
    ("kind", "content", "body"),
    [
        ("text/plain", b"STOP", "STOP"),
        ("text/plain; charset=ISO-8859-1", "schön".encode("latin-1"), "schön"),
        ('text/plain; charset="utf-8"', "schön".encode(), "schön"),
        ("application/xml", b"<a/>", "<a/>"),
        ("application/atom+xml", b"<a/>", "<a/>"),
    ],
)
@pytest.mark.parametrize("mode", ["binary", "structured", "base64"])
async def test_data_that_is_a_text_is_kept_as_body(ingest: Stand, mode: str, kind: str, content: bytes, body: str) -> None:
    event = {key: value for key, value in TEXTED_STOP.items() if key != "data"} | {"subject": "phone:+14155550100", "datacontenttype": kind}
    if mode == "binary":
        headers = BINARY | {"ce-type": "sms.received", "content-type": kind}
        answer = await ingest.post("/v1/touchpoints", content=content, headers=headers)
    else:
        carried = {"data": body} if mode == "structured" else {"data_base64": base64.b64encode(content).decode()}
        answer = await ingest.post("/v1/touchpoints", event | carried, headers=STRUCTURED)
    assert answer.status_code == 202, answer.text
    (seen,) = ingest.committer.touchpoints
    assert (seen.data["body"], seen.data["content_type"]) == (body, kind)
    assert [h.kind for h in ingest.committer.holds] == (["opt_out"] if body == "STOP" else [])


async def test_an_event_may_have_no_data_attributes_of_its_own_and_nulls(ingest: Stand) -> None:
    event = {key: value for key, value in EVENT.items() if key not in ("data", "time")}
    more = {"subject": "customer_id:7", "dataschema": "https://example.com/s", "partitionkey": "7", "retries": 3, "sampled": True}
    for nothing in ({}, {"data": None, "time": None, "datacontenttype": "text/plain"}, {"data_base64": None}):
        answer = await ingest.post("/v1/touchpoints", event | more | nothing, headers=STRUCTURED)
        assert answer.status_code == 202, answer.text
    assert [t.data for t in ingest.committer.touchpoints] == [{}, {}, {}]
    assert {t.identifiers for t in ingest.committer.touchpoints} == {("customer_id:7",)}


@pytest.mark.parametrize("by", ["header", "ce-header", "attribute"])
async def test_a_trace_is_followed_wherever_the_event_carries_it(ingest: Stand, by: str) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    if by == "attribute":
        await ingest.post("/v1/touchpoints", EVENT | {"traceparent": trace}, headers=STRUCTURED)
    else:
        await ingest.post("/v1/touchpoints", {}, headers=BINARY | {"traceparent" if by == "header" else "ce-traceparent": trace})
    (record,) = ingest.committer.records
    assert dict(record.headers)["traceparent"].split(b"-")[1] == trace.split("-")[1].encode()


@pytest.mark.parametrize("said", [7, None, [], "soon"])
async def test_a_trace_that_is_none_harms_no_event(ingest: Stand, said: Any) -> None:
    assert (await ingest.post("/v1/touchpoints", EVENT | {"traceparent": said}, headers=STRUCTURED)).status_code == 202


@pytest.mark.parametrize("kind", ["application/cloudevents+xml", "application/cloudevents+avro", "application/cloudevents-batch+protobuf"])
async def test_an_event_format_other_than_json_is_named_with_the_fix(ingest: Stand, kind: str) -> None:
    answer = await ingest.post("/v1/touchpoints", EVENT, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:nextwave:problem:unknown-format")
    assert "application/cloudevents+json" in answer.json()["detail"]


async def test_a_request_that_is_no_event_learns_the_modes(ingest: Stand) -> None:
    answer = await ingest.post("/v1/touchpoints", EVENT, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "cloudevents" in answer.json()["detail"]


async def test_an_unknown_key_and_a_request_too_large_are_refused(ingest: Stand) -> None:
    assert (await ingest.post("/v1/touchpoints", EVENT, headers=STRUCTURED | {"authorization": ""})).status_code == 401
    assert (await ingest.post("/v1/touchpoints", content=b" " * 512_001, headers=STRUCTURED)).status_code == 413


async def test_the_webhook_handshake_lets_any_origin_send(ingest: Stand) -> None:
    async with ingest.client() as client:
        answer = await client.options(
            "/v1/touchpoints", headers={"webhook-request-origin": "eventgrid.azure.net", "webhook-request-rate": "120"}
        )
    assert (answer.status_code, answer.headers["webhook-allowed-origin"], answer.headers["webhook-allowed-rate"]) == (
        200,
        "eventgrid.azure.net",
        "120",
    )


@pytest.mark.parametrize(("asked", "allowed"), [("", "*"), ("0", "*"), ("-1", "*"), ("many", "*"), ("1", "1")])
async def test_the_handshake_allows_a_rate_that_is_one(ingest: Stand, asked: str, allowed: str) -> None:
    async with ingest.client() as client:
        answer = await client.options("/v1/calls", headers={"webhook-request-origin": "a.example", "webhook-request-rate": asked})
    assert answer.headers["webhook-allowed-rate"] == allowed


async def test_another_method_is_told_which_ones_there_are(ingest: Stand) -> None:
    async with ingest.client() as client:
        answer = await client.get("/v1/touchpoints")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("call.started", "call.offered"),
        ("call.queued", "call.queued"),
        ("call.answered", "call.answered"),
        ("call.transferred", "call.transferred"),
        ("call.ended", "call.ended"),
        ("call.abandoned", "call.abandoned"),
        ("call.wrapup", "call.wrapped_up"),
        ("call.complaint", "complaint.opened"),
    ],
)
async def test_every_event_of_a_call_is_kept_and_the_call_names_its_caller_too(ingest: Stand, sent: str, kept: str) -> None:
    data = {"call_id": "c-1", "queue": "sales", "wait_seconds": 40, "direction": "inbound", "identifiers": ["phone:+14155550100"]}
    answer = await ingest.post("/v1/calls", EVENT | {"type": sent, "data": data}, headers=STRUCTURED)
    assert answer.json() == {"accepted": 1, "rejected": []}
    (seen,) = ingest.committer.touchpoints
    assert (seen.type, seen.identifiers) == (kept, ("phone:+14155550100", "external:call:shop:c-1"))
    assert seen.data == {name: value for name, value in data.items() if name != "identifiers"}


async def test_what_nobody_is_named_for_is_told_of_its_call(ingest: Stand) -> None:
    answer = await ingest.post("/v1/calls", EVENT | {"type": "call.wrapup", "data": {"call_id": 17, "complaint": True}}, headers=STRUCTURED)
    assert answer.status_code == 202
    assert [t.identifiers for t in ingest.committer.touchpoints] == [("external:call:shop:17",)]
    assert [hold.kind for hold in ingest.committer.holds] == ["complaint"]
    wrong: list[dict[str, Any]] = [{}, {"call_id": ""}, {"call_id": True}, {"call_id": {}}]
    for data in wrong:
        answer = await ingest.post("/v1/calls", EVENT | {"type": "call.ended", "data": data}, headers=STRUCTURED)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/data/identifiers")
    answer = await ingest.post("/v1/calls", EVENT | {"type": "satisfaction.rated", "data": {"call_id": "c"}}, headers=STRUCTURED)
    assert answer.status_code == 400


async def test_a_call_that_the_company_placed_is_told_by_its_end_alone(ingest: Stand) -> None:
    data = {"call_id": "c-1", "direction": "outbound", "identifiers": ["phone:+14155550100"], "refusal": True}
    for sent in ("call.started", "call.queued", "call.answered", "call.abandoned"):
        answer = await ingest.post("/v1/calls", EVENT | {"type": sent, "data": data}, headers=STRUCTURED)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/data/direction")
    for sent in ("call.ended", "call.transferred", "call.wrapup", "call.complaint"):
        assert (await ingest.post("/v1/calls", EVENT | {"type": sent, "data": data}, headers=STRUCTURED)).status_code == 202
