"""The entity tags of mappings, by which a change is held to what was read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from unit.ingest.fakes import Stand, stand
from unit.ingest.test_mappings_api import CALLS, COMPLAINTS, ask, put


@pytest.fixture
def ingest(tmp_path: Path) -> Stand:
    return stand(tmp_path, documents=[])


async def test_each_form_of_a_mapping_has_an_entity_tag_of_its_own_and_a_change_may_name_either(ingest: Stand) -> None:
    await put(ingest, CALLS)
    tags = []
    for form in ("json", "yaml"):
        read = await ask(ingest, "GET", "/acme", headers={"accept": f"application/{form}"})
        assert read.headers["vary"].lower() == "accept"
        tags.append(read.headers["etag"])
    assert len(set(tags)) == 2
    assert (await put(ingest, COMPLAINTS, if_match=tags[1])).headers["etag"] == '"2"'
    assert [(await put(ingest, CALLS, if_match=tag)).status_code for tag in tags] == [412, 412]
    assert (await ask(ingest, "DELETE", "/acme", headers={"if-match": '"2-yaml"'})).status_code == 204


@pytest.mark.parametrize("tag", ["1", '"1', '"1", 2', ""])
async def test_a_version_without_its_quotes_is_told_so(ingest: Stand, tag: str) -> None:
    await put(ingest, CALLS)
    for answer in (await put(ingest, COMPLAINTS, if_match=tag), await ask(ingest, "DELETE", "/acme", headers={"if-match": tag})):
        assert answer.status_code == 400
        assert "double quotes" in answer.json()["detail"]
    assert (await put(ingest, COMPLAINTS, if_match='"7", "1"')).status_code == 200


@pytest.mark.parametrize("headers", [{"if_match": '"7"'}, {"if_none_match": "*"}])
async def test_a_precondition_that_does_not_hold_changes_nothing(ingest: Stand, headers: dict[str, str]) -> None:
    await put(ingest, CALLS)
    assert (await put(ingest, COMPLAINTS, **headers)).status_code == 412
    assert (await ask(ingest, "GET", "/acme")).json() == yaml.safe_load(CALLS)
