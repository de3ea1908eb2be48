"""What only operators may say: a shop's write key is in every page that it serves, and must not tear customers apart."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from unit.ingest.fakes import NOW, Stand, basic

GUIDE = Path(__file__).parents[3] / "docs/identity.md"
OURS = "external:nextwave:00000000-0000-0000-0000-000000000000"
OPERATOR = {"authorization": basic("wk_desk")}
SEPARATED = {"identifiers": ["email:bob@example.com"]}
EVENT = {
    "specversion": "1.0",
    "id": "s-1",
    "source": "/desk",
    "type": "identities.separated",
    "time": NOW.isoformat(),
    "data": SEPARATED,
    "subject": "customer_id:7",
}
TRACK = {"type": "track", "userId": "7", "event": "identities.separated", "messageId": "m-1", "properties": SEPARATED}
STRUCTURED = {"content-type": "application/cloudevents+json"}


async def test_a_page_cannot_separate_customers_and_is_told_how_an_operator_can(ingest: Stand) -> None:
    for path, body, headers in (("/v1/touchpoints", EVENT, STRUCTURED), ("/v1/track", TRACK, {})):
        answer = await ingest.post(path, body, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/type")
        assert "--role operator" in answer.json()["detail"]
    assert ingest.committer.records == []


async def test_of_a_batch_only_what_is_not_for_everybody_is_refused_and_kept(ingest: Stand) -> None:
    seen = {"type": "page", "userId": "7", "messageId": "m-2"}
    answer = await ingest.post("/v1/batch", {"batch": [seen, TRACK]})
    assert [refused["index"] for refused in answer.json()["rejected"]] == [1]
    assert [touchpoint.type for touchpoint in ingest.committer.touchpoints] == ["page.viewed"]
    assert len(ingest.committer.rejected) == 1


@pytest.mark.parametrize("path", ["/v1/touchpoints", "/v1/track"])
async def test_an_operators_key_separates(ingest: Stand, path: str) -> None:
    body, headers = (TRACK, {}) if path == "/v1/track" else (EVENT, STRUCTURED)
    answer = await ingest.post(path, body, headers=headers | {"authorization": basic("wk_desk")})
    assert answer.status_code in {200, 202}, answer.text
    assert [touchpoint.type for touchpoint in ingest.committer.touchpoints] == ["identities.separated"]


async def test_the_guides_example_separates_as_it_is_written(ingest: Stand) -> None:
    [written] = re.findall(r"```json\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    answer = await ingest.post("/v1/touchpoints", json.loads(written), headers=STRUCTURED | OPERATOR)
    assert answer.status_code == 202, answer.text
    [said] = ingest.committer.touchpoints
    assert (said.type, said.identifiers) == ("identities.separated", ("customer_id:7",))
    assert said.data == {"identifiers": ["email:bob@example.com", "anonymous_id:d9"]}


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"subject": None}, "/subject"),
        ({"data": {}}, "/data/identifiers"),
        ({"data": {"identifiers": []}}, "/data/identifiers"),
        ({"data": {"identifiers": [7]}}, "/data/identifiers"),
        ({"data": {"identifiers": ["email:bob@example.com", "bob"]}}, "/data/identifiers/1"),
    ],
)
async def test_who_is_separated_from_whom_must_be_said(ingest: Stand, changed: dict[str, Any], pointer: str) -> None:
    answer = await ingest.post("/v1/touchpoints", EVENT | changed, headers=STRUCTURED | OPERATOR)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


@pytest.mark.parametrize("named", [{"subject": OURS, "data": {}}, {"data": {"identifiers": ["customer_id:7", OURS]}}])
async def test_nextwaves_own_names_are_for_agents_and_operators(ingest: Stand, named: dict[str, Any]) -> None:
    event = EVENT | {"type": "page.viewed"} | named
    answer = await ingest.post("/v1/touchpoints", event, headers=STRUCTURED)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/data/identifiers")
    assert "external:nextwave:" in answer.json()["detail"]
    assert ingest.committer.records == []
    for key in ("wk_desk", "wk_phones"):
        assert (await ingest.post("/v1/touchpoints", event, headers=STRUCTURED | {"authorization": basic(key)})).status_code == 202
    assert all(OURS in touchpoint.identifiers for touchpoint in ingest.committer.touchpoints)
    assert len(ingest.committer.touchpoints) == 2


async def test_an_agent_separates_nobody(ingest: Stand) -> None:
    answer = await ingest.post("/v1/touchpoints", EVENT, headers=STRUCTURED | {"authorization": basic("wk_phones")})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/type")
