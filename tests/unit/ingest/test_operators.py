"""What only operators may say: a shop's write key is in every page that it serves, and must not tear customers apart."""

from __future__ import annotations

import pytest
from unit.ingest.fakes import NOW, Stand, basic

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
