"""The published document is what the code says, and the AsyncAPI initiative's own parser reads it without an error."""

from __future__ import annotations

import json
from pathlib import Path

from nextwave_contracts import asyncapi
from nextwave_contracts.topics import TOPICS
from node_tools import installed, run_node

HERE = Path(__file__).parent
PUBLISHED = HERE.parent.parent / "docs" / "asyncapi.json"
ERROR, WARNING = 0, 1


def test_the_published_document_is_what_the_message_types_say() -> None:
    assert PUBLISHED.read_text() == asyncapi.text(), "run `make docs`"


def test_the_asyncapi_parser_accepts_the_document_and_finds_every_topic() -> None:
    lines = run_node(installed(HERE / "node") / "parse.js", str(PUBLISHED)).splitlines()
    *diagnostics, found = map(json.loads, lines)
    assert [line for line in diagnostics if line["severity"] in {ERROR, WARNING}] == []
    assert sorted(found["channels"]) == sorted(topic.name for topic in TOPICS)


def test_messages_born_in_a_processor_carry_their_origin_and_those_of_a_door_need_not() -> None:
    document = asyncapi.document()
    messages = document["components"]["messages"]
    assert messages["Contact"]["headers"]["$ref"].endswith("/OriginHeaders")
    assert messages["Touchpoint"]["headers"]["$ref"].endswith("/DoorHeaders")
    assert {"nextwave-origin", "nextwave-previous"} <= set(document["components"]["schemas"]["OriginHeaders"]["required"])


def test_every_instant_is_declared_as_a_date_and_time_with_zone() -> None:
    schemas = asyncapi.schemas()
    assert schemas["Touchpoint"]["properties"]["occurred_at"]["format"] == "date-time"
    assert schemas["Decision"]["properties"]["until"]["anyOf"][0] == {"type": "string", "format": "date-time"}
    assert schemas["Span"]["properties"]["start"]["format"] == "date-time"
