"""The subject of a CloudEvent: whom it names, and what is told where it names nobody; and what is told of a body that is no event."""

from __future__ import annotations

import re
from typing import Any

import pytest
from unit.ingest.fakes import Stand
from unit.ingest.test_cloudevents_door import BINARY, EVENT, STRUCTURED


@pytest.mark.parametrize("subject", ["fax:1", "ann@example.com", "7", 7, ["email:a@b.c"], "email:ann", "phone:0171 1234567", "email"])
async def test_a_subject_that_names_nobody_is_told_by_its_name_and_with_the_fix(ingest: Stand, subject: Any) -> None:
    answer = await ingest.post("/v1/touchpoints", EVENT | {"data": {"rating": 5}, "subject": subject}, headers=STRUCTURED)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"]) == (400, "/subject")
    assert re.search(r"customer_id:7|an @ and a domain|E\.164: \+, the calling code|is missing", error["detail"])
    headers = {name: value for name, value in BINARY.items() if name != "ce-subject"} | {"ce-subject": "fax:1"}
    answer = await ingest.post("/v1/touchpoints", {"rating": 5}, headers=headers)
    assert answer.json()["errors"][0]["pointer"] == "/subject"


async def test_a_subject_about_something_else_is_no_fault_where_the_data_name_the_customer(ingest: Stand) -> None:
    assert (await ingest.post("/v1/touchpoints", EVENT | {"subject": "orders/7"}, headers=STRUCTURED)).status_code == 202
    assert ingest.committer.touchpoints[0].identifiers == ("email:ann@example.com",)


@pytest.mark.parametrize(
    ("body", "fix"), [(b"", "empty or ends too soon"), (b'{"id": "e-1"', "send all of it"), (b"[]", "cloudevents-batch")]
)
async def test_a_body_that_is_no_event_is_answered_with_the_fix(ingest: Stand, body: bytes, fix: str) -> None:
    answer = await ingest.post("/v1/touchpoints", content=body, headers=STRUCTURED)
    assert answer.status_code == 400
    assert fix in answer.text
