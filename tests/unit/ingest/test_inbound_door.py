"""The inbound door: who may post to it, what becomes of a body, and what a provider is answered."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from nextwave_contracts.topics import TOUCHPOINTS
from nextwave_ingest.admission import BATCH_BYTES_MAX, ITEMS_MAX
from nextwave_ingest.mappings import bodies, compiled
from nextwave_ingest.mappings.document import read
from nextwave_ingest.mappings.mail import mail_of
from nextwave_runtime.problem import Problem
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator
from unit.ingest.fakes import NOW, WRITE_KEY, Stand, basic, stand

PUBLIC = "https://in.example.com"
SECRET = "s3cret"
CALL = {"event": "abandoned", "call": "c-1", "caller": "+14155550100", "queue": "sales", "at": "2026-11-22T09:00:00Z"}
TEXTS = b"""
name: texts
body: form
signature: {scheme: twilio}
touchpoints:
  - type: sms.received
    id: $.MessageSid
    identifiers: {phone: $.From}
    data: {body: $.Body}
answer: {content_type: text/xml, body: "<Response/>"}
"""
ORDERS = b"""
name: orders
headers: [X-WC-Webhook-Topic]
signature: {scheme: woocommerce}
items: $.orders
touchpoints:
  - when: {"$._headers['x-wc-webhook-topic']": order.created}
    type: order.placed
    id: "order/{{ item.id }}"
    occurred_at: $.at
    identifiers: {email: $.email}
    data: {amount: {minor_units: $.total, currency: $.currency}, currency: "{{ item.currency | upcase }}"}
  - when: {$.refused: true}
    type: consent.withdrawn
    occurred_at: $.at
    identifiers: {email: $.email}
"""


CALLS = b"""
touchpoints:
  - when: {$.event: abandoned}
    type: call.abandoned
    id: "{{ item.call }}/abandoned"
    occurred_at: $.at
    identifiers: {phone: $.caller}
    data: {queue: $.queue}
"""
RULES = b"\ntouchpoints:\n"


@pytest.fixture
def door(tmp_path: Path) -> Stand:
    made = stand(tmp_path, ingest_url=PUBLIC, source_secrets={"shop": {"twilio": SECRET, "woocommerce": f"old {SECRET}"}})
    for written in (TEXTS, ORDERS, b"name: calls\n" + CALLS, b"name: twice\n" + CALLS + CALLS.removeprefix(RULES)):
        document = read(written)
        made.mappings.library.lay(document.name, document)
    return made


async def post(door: Stand, path: str, content: bytes, **headers: str) -> httpx.Response:
    async with door.client() as client:
        return await client.post(path, content=content, headers={name.replace("_", "-"): value for name, value in headers.items()})


def signature(body: bytes, secret: str = SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


async def test_an_item_becomes_the_touchpoint_of_its_rule_and_source(door: Stand) -> None:
    answer = await door.post("/v1/inbound/shop/calls", CALL)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "ignored": 0, "rejected": []})
    (seen,) = door.committer.touchpoints
    assert (seen.id, seen.source, seen.type, seen.data) == ("c-1/abandoned", "shop", "call.abandoned", {"queue": "sales"})


async def test_a_list_keeps_its_good_items_counts_the_ignored_and_names_the_bad(door: Stand) -> None:
    answer = await door.post("/v1/inbound/shop/calls", [CALL | {"event": "ringing"}, CALL, 7, CALL | {"caller": "anonymous"}])
    assert (answer.json()["accepted"], answer.json()["ignored"]) == (1, 1)
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [2, 3]
    assert "names no customer" in answer.json()["rejected"][1]["detail"]
    kept = door.committer.rejected
    assert [one.said for one in kept] == [{"mapping": "calls"}] * 2
    assert msgspec.json.decode(kept[1].payload) == CALL | {"caller": "anonymous"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": basic(WRITE_KEY)}, 202),
        ({"authorization": "Basic " + base64.b64encode(f"connect:{WRITE_KEY}".encode()).decode()}, 202),
        ({"authorization": f"Bearer {WRITE_KEY}"}, 202),
        ({"x-write-key": WRITE_KEY}, 202),
        ({"x-write-key": "wk_calls"}, 401),
        ({"authorization": basic("wk_nobody")}, 401),
        ({}, 401),
    ],
)
async def test_a_write_key_of_the_source_opens_the_door_and_another_sources_does_not(
    door: Stand, headers: dict[str, str], status: int
) -> None:
    answer = await post(door, "/v1/inbound/shop/calls", msgspec.json.encode(CALL), **headers)
    assert answer.status_code == status
    assert len(door.committer.touchpoints) == (status == 202)


@pytest.mark.parametrize("port", ["", ":443"])
async def test_a_text_that_twilio_signed_needs_no_key_and_is_answered_as_twilio_wants(door: Stand, port: str) -> None:
    form = {"MessageSid": "SM1", "From": "+14155550100", "Body": "STOP \u00e4 & more"}
    path = "/v1/inbound/shop/texts?lang=en%20us"
    signed = RequestValidator(SECRET).compute_signature(PUBLIC + port + path, form)
    answer = await post(
        door, path, str(httpx.QueryParams(form)).encode(), content_type="application/x-www-form-urlencoded", x_twilio_signature=signed
    )
    assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, "text/xml", "<Response/>")
    assert door.committer.touchpoints[0].data["body"] == form["Body"]
    assert [hold.kind for hold in door.committer.holds] == ["opt_out"]
    other = await post(door, path, b"MessageSid=SM2&From=%2B14155550100&Body=x", x_twilio_signature=signed)
    assert other.status_code == 401


async def test_a_signature_of_another_source_or_body_opens_nothing(door: Stand) -> None:
    body = msgspec.json.encode({"orders": []})
    good = {"x_wc_webhook_signature": signature(body), "x_wc_webhook_topic": "order.created"}
    assert (await post(door, "/v1/inbound/shop/orders", body, **good)).status_code == 202
    assert (await post(door, "/v1/inbound/shop/orders", body + b" ", **good)).status_code == 401
    assert (await post(door, "/v1/inbound/callcentre/orders", body, **good)).status_code == 401
    assert (await post(door, "/v1/inbound/shop/calls", body, **good)).status_code == 401


async def test_a_request_header_says_what_the_items_are(door: Stand) -> None:
    order = {"id": 7, "email": "Ann@Example.com", "total": "12.50", "currency": "eur", "at": "2026-11-22T09:00:00Z"}
    body = msgspec.json.encode({"orders": [order]})
    for topic, ignored in (("order.created", 0), ("order.updated", 1)):
        answer = await post(door, "/v1/inbound/shop/orders", body, x_wc_webhook_signature=signature(body), x_wc_webhook_topic=topic)
        assert answer.json()["ignored"] == ignored
    (seen,) = door.committer.touchpoints
    assert (seen.id, seen.data) == ("order/7", {"amount": 1250, "currency": "EUR"})


async def test_a_stop_is_never_lost_for_its_time_and_anything_else_is_refused_for_it(door: Stand) -> None:
    order = {"id": 7, "email": "ann@example.com", "refused": True, "at": "soon"}
    body = msgspec.json.encode({"orders": [order]})
    answer = await post(door, "/v1/inbound/shop/orders", body, x_wc_webhook_signature=signature(body), x_wc_webhook_topic="order.created")
    assert (answer.json()["accepted"], len(answer.json()["rejected"])) == (1, 1)
    assert "occurred_at" in answer.json()["rejected"][0]["detail"]
    assert [hold.kind for hold in door.committer.holds] == ["opt_out"]


async def test_an_error_of_ours_costs_no_neighbour_and_tells_no_value(door: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "moment", datetime.fromisoformat)
    failed = ("nextwave_ingest_rules_failed_total", {"mapping": "calls"})
    before = REGISTRY.get_sample_value(*failed) or 0
    with capture_logs() as logs:
        answer = await door.post("/v1/inbound/shop/calls", [CALL | {"at": "Ann Smith"}, CALL])
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    (kept,) = door.committer.rejected
    assert (kept.reason, msgspec.json.decode(kept.payload)["at"]) == ("fold_failed", "Ann Smith")
    assert "ValueError" in kept.detail
    assert [(log["event"], log["source"], "Ann" in str(log)) for log in logs] == [("mapping_failed", "shop", False)]
    assert (REGISTRY.get_sample_value(*failed) or 0) - before == 1


async def test_headers_are_cut_and_many_items_with_them_are_as_bounded_as_bodies(door: Stand) -> None:
    async def posted(orders: int, topic: str) -> httpx.Response:
        body = msgspec.json.encode({"orders": [{"id": n} for n in range(orders)]})
        return await post(door, "/v1/inbound/shop/orders", body, x_wc_webhook_signature=signature(body), x_wc_webhook_topic=topic)

    assert (await posted(1_000, "x" * 10_000)).json()["ignored"] == 1_000
    assert (await posted(2_500, "x" * 256)).json()["type"] == "urn:nextwave:problem:too-large"


async def test_the_unsigned_ping_of_woocommerce_is_answered_and_says_nothing(door: Stand) -> None:
    assert (await post(door, "/v1/inbound/shop/orders", b"webhook_id=12")).status_code == 200
    assert (await post(door, "/v1/inbound/shop/orders", b"webhook_id=12&x=y")).status_code == 401
    assert (await post(door, "/v1/inbound/shop/texts", b"webhook_id=12")).status_code == 401
    assert door.committer.records == []


async def test_what_cannot_be_read_is_a_problem_and_leaves_nothing(door: Stand) -> None:
    for content in (b"", b"{", b"<xml/>", b"\xff", b"[" * 100_000):
        assert (await door.post("/v1/inbound/shop/calls", content=content)).status_code == 400
    assert (await door.post("/v1/inbound/shop/calls", content=b"[" + b"1," * 60_000 + b"1]")).status_code == 400
    assert (await door.post("/v1/inbound/shop/calls", content=b" " * (BATCH_BYTES_MAX + 1))).status_code == 413
    assert door.committer.records == []


async def test_an_unknown_mapping_is_told_to_those_with_a_key_only(door: Stand) -> None:
    assert (await door.post("/v1/inbound/shop/nothing", CALL)).status_code == 404
    assert (await post(door, "/v1/inbound/shop/nothing", b"{}")).status_code == 401


async def test_an_unknown_mapping_is_told_to_a_provider_that_signs(door: Stand) -> None:
    body = b"{}"
    assert (await post(door, "/v1/inbound/shop/nothing", body, x_wc_webhook_signature=signature(body))).status_code == 404
    assert (await post(door, "/v1/inbound/shop/nothing", body, x_wc_webhook_signature=signature(body, "wrong"))).status_code == 401
    assert (await post(door, "/v1/inbound/callcentre/nothing", body, x_wc_webhook_signature=signature(body))).status_code == 401


async def test_who_shows_neither_key_nor_signature_learns_of_no_mapping(tmp_path: Path) -> None:
    signing = b"name: signed\nsignature: {scheme: hmac, header: X-Sum}\n" + CALLS
    door = stand(tmp_path, ingest_url=PUBLIC, source_secrets={"shop": {"hmac": SECRET, "woocommerce": SECRET}})
    for written in (signing, b"name: calls\n" + CALLS):
        door.mappings.library.lay(read(written).name, read(written))
    body = msgspec.json.encode(CALL)
    good = {"x_sum": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}
    assert (await post(door, "/v1/inbound/shop/signed", body, **good)).status_code == 202
    told = set()
    for name in ("signed", "calls", "nothing"):
        for headers in ({}, {"x_sum": "0"}, good if name == "nothing" else {}):
            answer = await post(door, f"/v1/inbound/shop/{name}", body, **headers)
            told.add((answer.status_code, answer.text.replace(name, "...")))
    assert [status for status, _ in told] == [401]


async def test_who_is_turned_away_is_told_the_address_that_was_checked_and_counted(door: Stand) -> None:
    answer = await post(door, "/v1/inbound/shop/texts?a=b", b"Body=x", x_twilio_signature="x")
    assert f"{PUBLIC}/v1/inbound/shop/texts" in answer.json()["detail"]
    assert (await post(door, "/v1/inbound/shop/calls", b"{}")).status_code == 401
    assert (await post(door, "/v1/inbound/nobody/calls", b"{}")).status_code == 401
    counted = door.telling.book.tally("shop", replica="0", since=NOW, at=NOW).turned_away
    assert (counted, list(door.telling.book.untold(everything=True))) == (2, ["shop"])


async def test_many_touchpoints_of_few_items_are_as_bounded_as_many_items(door: Stand) -> None:
    answer = await door.post("/v1/inbound/shop/twice", [CALL | {"call": n} for n in range(ITEMS_MAX // 2 + 1)])
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:nextwave:problem:too-large")
    assert (await door.post("/v1/inbound/shop/calls", [CALL | {"call": n} for n in range(ITEMS_MAX // 2 + 1)])).status_code == 202
    assert (await door.post("/v1/inbound/shop/calls", [1] * (ITEMS_MAX + 1))).status_code == 400


async def test_our_own_trouble_is_never_a_clients_fault(door: Stand) -> None:
    door.committer.problem = Problem(503, "log-unavailable", "later", retry_after_seconds=2)
    answer = await door.post("/v1/inbound/shop/calls", CALL)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_the_handshake_is_that_of_cloudevents_and_other_methods_are_refused(door: Stand) -> None:
    async with door.client() as client:
        answer = await client.options("/v1/inbound/shop/calls", headers={"webhook-request-origin": "eventgrid.azure.net"})
        assert answer.headers["webhook-allowed-origin"] == "eventgrid.azure.net"
        assert (await client.get("/v1/inbound/shop/calls")).status_code == 405


async def test_an_item_may_be_larger_than_what_it_reports(door: Stand) -> None:
    large: dict[str, Any] = CALL | {"recording": "x" * 100_000}
    assert (await door.post("/v1/inbound/shop/calls", large)).json()["accepted"] == 1
    refused = await door.post("/v1/inbound/shop/calls", CALL | {"queue": "x" * 40_000})
    assert refused.json()["accepted"] == 0
    assert [record.topic == TOUCHPOINTS.name for record in door.committer.records] == [True, False]


async def test_a_mail_may_have_large_attachments_and_no_other_body(door: Stand) -> None:
    mail = b"From: ann@example.com\r\nSubject: stop\r\nMessage-ID: <1@x>\r\n\r\nstop\r\n" + b"x" * 72 * 10_000
    answer = await door.post("/v1/inbound/shop/email-mime", content=mail)
    assert answer.json() == {"accepted": 1, "ignored": 0, "rejected": []}
    assert [hold.channel for hold in door.committer.holds] == ["email"]
    assert (await door.post("/v1/inbound/shop/calls", content=mail)).status_code == 413


async def test_a_mail_is_read_beside_the_loop_however_small_it_is(door: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    read_in: list[threading.Thread] = []

    def reading(raw: bytes) -> dict[str, Any]:
        read_in.append(threading.current_thread())
        return mail_of(raw)

    monkeypatch.setattr(bodies, "mail_of", reading)
    answer = await door.post("/v1/inbound/shop/email-mime", content=b"From: ann@example.com\r\nMessage-ID: <1@x>\r\n\r\nstop\r\n")
    assert answer.json()["accepted"] == 1
    assert len(read_in) == 1
    assert threading.main_thread() not in read_in
