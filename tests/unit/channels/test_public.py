"""Routes for pages: their bodies are described whole, and read whatever content type a page names."""

from __future__ import annotations

import httpx
import msgspec
import pytest
from fastapi import FastAPI, Request
from nextwave_channels.public import BODY_MAX, body_of, described, public
from nextwave_channels.push.routes import Subscription


def test_a_description_has_no_references_that_lead_out_of_it() -> None:
    written = described(Subscription)
    assert b"$ref" not in msgspec.json.encode(written)
    schema = written["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["keys"]["required"] == ["p256dh", "auth"]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b'{"write_key": "k", "endpoint": "e", "keys": {"p256dh": "p", "auth": "a"}, "expirationTime": null}', 200, None),
        (b'{"write_key": "k", "endpoint": "e", "keys": {"p256dh": 1, "auth": "a"}}', 422, "/keys/p256dh"),
        (b'{"write_key": "k", "endpoint": "e"}', 422, "/"),
        (b"\xff", 400, None),
        (b" " * (BODY_MAX + 1), 413, None),
    ],
)
async def test_every_answer_may_be_read_by_the_page_also_what_was_wrong_with_a_body(body: bytes, status: int, pointer: str | None) -> None:
    app, routes = FastAPI(), public("/v1", "pages")

    @routes.post("/x")
    async def take(request: Request) -> str:
        return (await body_of(request, Subscription)).endpoint

    app.include_router(routes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://inside") as client:
        answer = await client.post("/v1/x", content=body, headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
    assert pointer is None or answer.json()["errors"][0]["pointer"] == pointer
