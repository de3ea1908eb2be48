"""Messages of every published version stay readable: one example per message type, kept for ever in `golden/<version>/<topic>/`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from nextwave_contracts import asyncapi
from nextwave_contracts.topics import TOPICS, Topic
from nextwave_contracts.wire import decode, encode

GOLDEN = Path(__file__).parent / "golden"
VERSION = "v1"
FREE_FORM = {"data", "traits", "activity", "numbers", "refused", "said", "doors", "rejected", "distances", "turned_away_for"}
"""Fields whose keys are values, not names of fields."""
BY_SHORT = {topic.short: topic for topic in TOPICS}


def examples() -> Iterator[Any]:
    for path in sorted(GOLDEN.glob("*/*/*.json")):
        yield pytest.param(BY_SHORT[path.parent.name], path, id=str(path.relative_to(GOLDEN)))


def with_later_fields(value: Any) -> Any:
    """The same JSON with a field that no reader knows in every object that has a fixed shape."""
    if isinstance(value, list):
        return [with_later_fields(item) for item in value]
    if not isinstance(value, dict):
        return value
    known = {name: inner if name in FREE_FORM else with_later_fields(inner) for name, inner in value.items()}
    return known | {"added_in_a_later_version": {"any": ["value"]}}


def test_every_message_type_has_an_example() -> None:
    expected = {f"{topic.short}/{kind.__name__}.json" for topic in TOPICS for kind in asyncapi.message_types(topic)}
    assert {str(path.relative_to(GOLDEN / VERSION)) for path in (GOLDEN / VERSION).glob("*/*.json")} == expected


@pytest.mark.parametrize(("topic", "path"), examples())
def test_an_example_decodes_to_its_type_and_encodes_to_the_same_values(topic: Topic, path: Path) -> None:
    message = decode(path.read_bytes(), topic.message)
    assert type(message).__name__ == path.stem
    assert json.loads(encode(message)) == json.loads(path.read_bytes())


@pytest.mark.parametrize(("topic", "path"), examples())
def test_an_example_sets_every_field_so_that_a_dropped_one_is_noticed(topic: Topic, path: Path) -> None:
    message = decode(path.read_bytes(), topic.message)
    unset = [field.encode_name for field in msgspec.structs.fields(message) if field.encode_name not in json.loads(path.read_bytes())]
    assert unset == [], "a field was added: give it a value in the newest example"


@pytest.mark.parametrize(("topic", "path"), examples())
def test_an_example_fits_the_published_schema(topic: Topic, path: Path) -> None:
    del topic
    schema = {"$ref": f"#/components/schemas/{path.stem}", "components": {"schemas": asyncapi.schemas()}}
    jsonschema.Draft202012Validator(schema).validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize(("topic", "path"), examples())
def test_a_reader_ignores_fields_of_a_later_version_at_every_depth(topic: Topic, path: Path) -> None:
    later = with_later_fields(json.loads(path.read_bytes()))
    assert decode(json.dumps(later).encode(), topic.message) == decode(path.read_bytes(), topic.message)


@pytest.mark.parametrize(("topic", "path"), examples())
def test_the_key_of_an_example_is_never_empty(topic: Topic, path: Path) -> None:
    assert topic.key(decode(path.read_bytes(), topic.message))
