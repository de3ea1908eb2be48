"""CloudEvents over HTTP: three modes, the handshake, and call-centre words."""

from __future__ import annotations

import base64
from typing import Any

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


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"time": "soon"}, "/time"),
        ({"id": "a\x00"}, "/id"),
        ({"data": {"identifiers": "email:a@b.c"}}, "/data/identifiers"),
        ({"data": {"identifiers": ["Ann"]}}, "/data/identifiers/0"),
        ({"data": [1]}, "/data"),
        ({"data": {"identifiers": ["email:a@b.c"], "n": 2**63}}, "/data/n"),
        ({"data_base64": base64.b64encode(b'{"n":-9223372036854775808}').decode()}, "/data/n"),
        ({"data_base64": base64.b64encode(b'{"n":' + b"[" * 64 + b"]" * 64 + b"}").decode()}, ""),
        ({"data_base64": "\u00e4"}, "/data_base64"),
        ({"datacontenttype": "text/xml"}, "/datacontenttype"),
        ({"type": "order.placed", "data": {"amount": 1.5, "identifiers": ["email:a@b.c"]}}, "/data/amount"),
    ],
)
async def test_a_wrong_event_is_a_problem_that_points_at_the_field(ingest: Stand, change: dict[str, Any], pointer: str) -> None:
    answer = await ingest.post("/v1/touchpoints", EVENT | change, headers=STRUCTURED)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)
    assert ingest.committer.records == []


async def test_attributes_that_are_no_utf8_are_refused(ingest: Stand) -> None:
    answer = await ingest.post("/v1/touchpoints", {}, headers=BINARY | {"ce-id": "%FF"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/ce-id")


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
