"""The guide's mappings for providers of mails, stored and posted to as their manuals tell: a stop is heard and they are content."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec
import pytest
from unit.ingest.fakes import WRITE_KEY, Stand, basic, stand
from unit.ingest.test_documented_mappings import Example, examples

MAPPINGS = {example.mapping.name: example for example in examples() if example.mapping.name.endswith("-inbound")}


@pytest.fixture
def door(tmp_path: Path) -> Stand:
    return stand(tmp_path, documents=[example.mapping for example in MAPPINGS.values()])


async def posted(door: Stand, name: str, content: bytes, content_type: str) -> httpx.Response:
    return await door.post(f"/v1/inbound/shop/{name}", content=content, headers={"content-type": content_type})


def heard(door: Stand) -> tuple[list[str], list[tuple[str, str]]]:
    touchpoints, holds = door.committer.touchpoints, door.committer.holds
    return [name for t in touchpoints for name in t.identifiers], [(hold.kind, hold.channel) for hold in holds]


STOPPED = (["email:ann@example.com"], [("opt_out", "email")])


async def test_a_stop_by_postmark_is_heard_and_answered_200_since_it_repeats_whatever_is_answered_otherwise(door: Stand) -> None:
    answer = await posted(door, "postmark-inbound", MAPPINGS["postmark-inbound"].body, "application/json")
    assert (answer.status_code, heard(door)) == (200, STOPPED)


@pytest.mark.parametrize(
    "changed",
    [
        {"TextBody": "", "HtmlBody": "<p>STOP</p>" + "<br>" * 9000},
        {"HtmlBody": "<div>x</div>" * 9000},
        {"TextBody": "STOP\n" + "> it is ready\n" * 9000},
        {"Date": "gestern"},
    ],
)
async def test_so_is_one_in_html_or_before_much_else_or_by_a_wrong_clock(door: Stand, changed: dict[str, Any]) -> None:
    mail = msgspec.json.decode(MAPPINGS["postmark-inbound"].body) | changed
    answer = await posted(door, "postmark-inbound", msgspec.json.encode(mail), "application/json")
    assert (answer.status_code, heard(door)) == (200, STOPPED)


async def test_an_absence_by_postmark_is_a_machines(door: Stand) -> None:
    mail = msgspec.json.decode(MAPPINGS["postmark-inbound"].body) | {"TextBody": "I am away until Monday"}
    mail["Headers"].append({"Name": "Auto-Submitted", "Value": "auto-replied"})
    await posted(door, "postmark-inbound", msgspec.json.encode(mail), "application/json")
    assert [t.type for t in door.committer.touchpoints] == ["email.auto_replied"]


@pytest.mark.parametrize("with_files", [False, True])
async def test_a_stop_by_mailgun_is_heard_with_files_and_without(door: Stand, with_files: bool) -> None:
    example: Example = MAPPINGS["mailgun-inbound"]
    fields = parse_qsl(example.body.decode())
    files = [(name, (None, value)) for name, value in fields] + [("attachment-1", ("a.pdf", b"%PDF"))]
    request = httpx.Request("POST", "https://x", files=files) if with_files else httpx.Request("POST", "https://x", data=dict(fields))
    answer = await posted(door, "mailgun-inbound", request.read(), request.headers["content-type"])
    assert (answer.status_code, heard(door)) == (200, STOPPED)
    assert door.committer.touchpoints[0].data.get("attachments") == (["a.pdf"] if with_files else None)


async def test_a_key_may_stand_in_the_address_that_they_are_given(door: Stand) -> None:
    content = MAPPINGS["postmark-inbound"].body
    async with door.client() as client:
        answer = await client.post("/v1/inbound/shop/postmark-inbound", content=content, headers={"authorization": basic(WRITE_KEY)})
        refused = await client.post("/v1/inbound/shop/postmark-inbound", content=content)
    assert (answer.status_code, refused.status_code) == (200, 401)
