"""The rare routes: what sources sent, and the document of every route."""

from __future__ import annotations

import pytest
from unit.ingest.fakes import API_TOKEN, WRITE_KEY, Stand

BEARER = {"authorization": f"Bearer {API_TOKEN}"}


async def test_owners_can_read_why_their_items_were_refused(ingest: Stand) -> None:
    await ingest.post("/v1/batch", {"batch": [{"type": "track", "event": "x"}, {"type": "track", "event": "x", "userId": "7"}]})
    async with ingest.client() as client:
        await ingest.telling.tell()
        sources = {s["source"]: s for s in (await client.get("/v1/sources", headers=BEARER)).json()["items"]}
    assert sorted(sources) == ["callcentre", "desk", "phones", "shop"]
    assert (sources["shop"]["accepted"], sources["shop"]["rejected"], sources["callcentre"]["accepted"]) == (1, {"invalid": 1}, 0)
    assert sources["shop"]["recent_refusals"][0]["pointer"] == "/userId"


@pytest.mark.parametrize("name", ["bob@example.org", "mobile +12125550177:x", "Bob Smith:7", "email:bob example.org", "phone:2125550177"])
async def test_a_name_that_is_none_is_not_repeated_where_people_read_why_it_was_refused(ingest: Stand, name: str) -> None:
    event = {"specversion": "1.0", "id": "e", "source": "/crm", "type": "page.viewed", "data": {"identifiers": [name]}}
    await ingest.post("/v1/touchpoints", [event], headers={"content-type": "application/cloudevents-batch+json"})
    await ingest.telling.tell()
    async with ingest.client() as client:
        sources = await client.get("/v1/sources", headers=BEARER)
    (refused,) = ingest.committer.rejected
    for told in (sources.text, refused.detail):
        assert "/data/identifiers/0" in told
        assert not any(part in told for part in ("2125550177", "Smith", "bob"))


async def test_sources_are_for_readers_with_a_token(ingest: Stand) -> None:
    async with ingest.client() as client:
        assert (await client.get("/v1/sources")).status_code == 401
        assert (await client.get("/v1/sources", headers={"authorization": f"Bearer {WRITE_KEY}"})).status_code == 401


async def test_the_openapi_document_knows_every_route(ingest: Stand) -> None:
    async with ingest.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/v1/track", "/v1/t", "/v1/batch", "/v1/touchpoints", "/v1/calls", "/u/{token}", "/v1/sources"} <= set(paths)


async def test_the_openapi_document_tells_how_a_batch_answers_for_its_refused_calls(ingest: Stand) -> None:
    async with ingest.client() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    answer = paths["/v1/batch"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    told = (await ingest.post("/v1/batch", {"batch": [{}]})).json()
    assert set(told) == set(answer["properties"])
    assert set(told["rejected"][0]) == set(answer["properties"]["rejected"]["items"]["properties"])


async def test_an_unknown_route_is_a_problem(ingest: Stand) -> None:
    async with ingest.client() as client:
        answer = await client.get("/v1/nothing")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
