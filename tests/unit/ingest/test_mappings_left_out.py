"""A mapping that was written and cannot be used by this build is named, with its reason, wherever somebody looks."""

from __future__ import annotations

from typing import Any

import msgspec
from nextwave_contracts.mappings import MappingVersion
from nextwave_contracts.wire import encode
from nextwave_ingest.mappings.values import WRITTEN_MAX
from structlog.testing import capture_logs
from unit.ingest.fakes import API_TOKEN, NOW, Stand

VIEWER = {"authorization": f"Bearer {API_TOKEN}"}


def written(version: int, values: int) -> bytes:
    """A version of a build that allowed more values, as the topic has it."""
    rule = {"type": "a.b", "identifiers": {"phone": "$.p"}, "data": {f"f{n}": n for n in range(values)}}
    document = msgspec.json.encode({"name": "wide", "touchpoints": [rule]}).decode()
    return encode(MappingVersion(id=str(version), name="wide", version=version, document=document, by="anna", at=NOW))


async def listed(ingest: Stand) -> dict[str, Any]:
    async with ingest.client() as client:
        items = (await client.get("/v1/mappings", headers=VIEWER)).json()["items"]
    return next(one for one in items if one["name"] == "wide")


async def test_a_mapping_with_more_values_than_this_build_takes_says_so_in_list_and_log_until_it_is_mended(ingest: Stand) -> None:
    why = f"this is more than {WRITTEN_MAX} values and conditions"
    ingest.mappings.take(written(1, WRITTEN_MAX + 1))
    found = await listed(ingest)
    assert (found["version"], found["by"], why in found["fault"]) == (1, "anna", True)
    answer = await ingest.post("/v1/inbound/shop/wide", {"p": "+14155550100"})
    assert (answer.status_code, "GET /v1/mappings says why" in answer.json()["detail"]) == (503, True)
    with capture_logs() as logs:
        ingest.mappings.tell()
        ingest.mappings.tell()
    assert [(one["event"], one["mapping"], one["log_level"], why in one["error"]) for one in logs] == [
        ("mapping_left_out", "wide", "error", True)
    ]
    ingest.mappings.take(written(2, 7))
    with capture_logs() as logs:
        ingest.mappings.tell()
    assert [one["event"] for one in logs] == ["mapping_left_out_no_more"]
    assert (await listed(ingest))["fault"] == ""


def test_before_all_is_heard_nothing_is_told(ingest: Stand) -> None:
    ingest.mappings.take(written(1, WRITTEN_MAX + 1))
    ingest.mappings.follower("nowhere:9092")
    with capture_logs() as logs:
        ingest.mappings.tell()
    assert logs == []
