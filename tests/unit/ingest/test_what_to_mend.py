"""What a new user does wrong at first, and whether the answer says what to do instead, in their own words."""

from __future__ import annotations

from typing import Any

import pytest
from nextwave_ingest.doors.inbound import MAIL_BYTES_MAX
from nextwave_ingest.mappings import mail
from unit.ingest.fakes import Stand, basic

OPERATOR = {"authorization": "Bearer at_operator"}


@pytest.mark.parametrize(
    ("properties", "pointer", "words"),
    [
        ({"revenue": -3, "currency": "EUR"}, "/properties/revenue", "0 or more"),
        ({"total": "-3"}, "/properties/total", "0 or more"),
        ({"amount": -3, "currency": "EUR"}, "/properties/amount", "minor units"),
        ({"revenue": 3, "currency": "euro"}, "/properties/currency", "ISO 4217"),
    ],
)
async def test_a_wrong_order_is_told_by_the_property_that_the_sender_wrote(
    ingest: Stand, properties: dict[str, Any], pointer: str, words: str
) -> None:
    call = {"type": "track", "event": "Order Completed", "userId": "7", "properties": properties}
    (error,) = (await ingest.post("/v1/track", call)).json()["errors"]
    (rejected,) = (await ingest.post("/v1/batch", {"batch": [call]})).json()["rejected"]
    assert error["pointer"] == rejected["pointer"] == pointer
    assert words in error["detail"]


async def test_a_wrong_name_of_an_event_is_told_at_the_event(ingest: Stand) -> None:
    (error,) = (await ingest.post("/v1/track", {"event": "Order.Placed", "userId": "7"})).json()["errors"]
    assert (error["pointer"], "order.placed" in error["detail"]) == ("/event", True)


@pytest.mark.parametrize(
    ("path", "meant"), [("/v1/tracks", "/v1/track"), ("/v1/touchpoint", "/v1/touchpoints"), ("/v1/source", "/v1/sources")]
)
async def test_a_route_that_there_is_not_names_the_nearest(ingest: Stand, path: str, meant: str) -> None:
    answer = await ingest.post(path, {})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    told = answer.json()
    assert (told["type"], path in told["detail"], meant in told["detail"]) == ("urn:nextwave:problem:not-found", True, True)
    assert "/openapi.json" in told["detail"]


@pytest.mark.parametrize("path", ["/v1/inbound/shop", "/v1/inbound/shop/"])
async def test_an_address_without_a_mapping_says_where_to_name_it(ingest: Stand, path: str) -> None:
    answer = await ingest.post(path, {})
    assert answer.status_code == 404
    assert "the address names no mapping: post to /v1/inbound/shop/<mapping>" in answer.json()["detail"]


async def test_a_mail_that_is_too_large_is_told_the_limit_and_what_to_leave_out(ingest: Stand) -> None:
    answer = await ingest.post("/v1/inbound/shop/email-mime", content=b"x" * (MAIL_BYTES_MAX + 1))
    assert answer.status_code == 413
    assert f"{MAIL_BYTES_MAX} bytes" in answer.json()["detail"]
    assert "attachments" in answer.json()["detail"]


async def test_a_mail_that_cannot_be_read_is_told_in_words(ingest: Stand) -> None:
    raw = b"From: ann@example.com\r\n" + b"X-A: b\r\n" * (mail.HEADERS_MAX + 1) + b"\r\nhello"
    (rejected,) = (await ingest.post("/v1/inbound/shop/email-mime", content=raw)).json()["errors"]
    assert f"more than {mail.HEADERS_MAX} headers" in rejected["detail"]
    assert "Error" not in rejected["detail"]


@pytest.mark.parametrize(
    ("path", "body", "more", "how"),
    [
        ("/v1/track", {"event": "x", "userId": "7"}, {}, "writeKey in the body"),
        ("/batch", {"batch": []}, {}, "api_key or token in the body"),
        ("/v1/touchpoints", {}, {"content-type": "application/cloudevents+json"}, "X-Write-Key"),
    ],
)
async def test_who_sends_no_key_or_a_strange_one_is_told_how_this_door_takes_it(
    ingest: Stand, path: str, body: Any, more: dict[str, str], how: str
) -> None:
    for key, wrong in (("", "there is no write key"), (basic("nobody"), "no source has the write key that was sent")):
        answer = await ingest.post(path, body, headers={"authorization": key} | more)
        assert answer.status_code == 401
        assert answer.json()["detail"].startswith(wrong)
        assert how in answer.json()["detail"]


async def test_a_redrive_that_does_not_say_that_it_is_json_is_told_to(ingest: Stand) -> None:
    for said in ({}, {"content-type": "application/x-www-form-urlencoded"}):
        answer = await ingest.post("/v1/rejected:redrive", {"source": "shop"}, headers=OPERATOR | said)
        assert (answer.status_code, answer.json()["type"]) == (415, "urn:nextwave:problem:unknown-format")
        assert "Content-Type: application/json" in answer.json()["detail"]
