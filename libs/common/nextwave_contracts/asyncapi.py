"""The public contract as an AsyncAPI 3.0.0 document, generated from the topic table and the message types, so that it cannot lag behind."""

from __future__ import annotations

import sys
from inspect import cleandoc
from types import UnionType
from typing import Any, get_args

import msgspec

from nextwave_contracts.places import CONTENT_TYPE_HEADER, ORIGIN_HEADER, PREVIOUS_HEADER, TRACE_HEADER
from nextwave_contracts.reasons import GATE_REASONS, REJECT_REASONS, RUN_ENDS
from nextwave_contracts.topics import TOPICS, Topic
from nextwave_contracts.touchpoints import TOUCHPOINT_TYPES

CONTRACT_VERSION = "1.1.0"
"""Raised in the middle for every addition to a message, topic or code."""

KAFKA_BINDING_VERSION = "0.5.0"
DESCRIPTION = cleandoc(
    """
    The messages of Nextwave's ring. Anyone may read them with any Kafka client.

    Changes are additive only: readers ignore fields and touchpoint types that they do not know. A breaking change is a new topic.
    All topics have the same number of partitions; a message's partition is the CRC-32 of its key modulo that number,
    except for control messages, which are sent to every partition.
    """
)
DOOR_HEADERS: dict[str, str] = {
    CONTENT_TYPE_HEADER: "application/json",
    TRACE_HEADER: "W3C trace context of what caused the message; may be absent",
}
ORIGIN_HEADERS: dict[str, str] = {
    ORIGIN_HEADER: "processor/partition/offset/index: where the message was born and its place there",
    PREVIOUS_HEADER: "offset/index of the message before it from that origin to this partition; empty for the first",
    **DOOR_HEADERS,
}
REQUIRED_HEADERS = (ORIGIN_HEADER, PREVIOUS_HEADER, CONTENT_TYPE_HEADER)


def message_types(topic: Topic) -> tuple[type[msgspec.Struct], ...]:
    """The message types that a topic carries."""
    return get_args(topic.message) if isinstance(topic.message, UnionType) else (topic.message,)


def document() -> dict[str, Any]:
    """The whole AsyncAPI document as JSON values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Nextwave",
            "version": CONTRACT_VERSION,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.short: _channel(topic) for topic in TOPICS},
        "operations": {name: operation for topic in TOPICS for name, operation in _operations(topic).items()},
        "components": {
            "messages": {kind.__name__: _message(topic, kind) for topic in TOPICS for kind in message_types(topic)},
            "schemas": {"DoorHeaders": _headers(DOOR_HEADERS), "OriginHeaders": _headers(ORIGIN_HEADERS), **schemas()},
        },
        "x-reason-codes": {"gate": GATE_REASONS, "rejected": REJECT_REASONS, "run_end": RUN_ENDS},
        "x-touchpoint-types": TOUCHPOINT_TYPES,
    }


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of every message type and of every type inside one, by name; references point into `#/components/schemas`."""
    kinds = [kind for topic in TOPICS for kind in message_types(topic)]
    _, components = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    for kind in _structs(kinds):
        schema = components[kind.__name__]
        schema["description"] = cleandoc(schema.get("description", ""))
        for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]  # a struct has fields
            _mark_instant(schema["properties"][field.encode_name], field.type)
    return components


def text() -> str:
    """The document as it stands in `docs/asyncapi.json`."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


def _channel(topic: Topic) -> dict[str, Any]:
    configuration = {"cleanup.policy": list(topic.cleanup), "retention.ms": topic.retention_milliseconds}
    return {
        "address": topic.name,
        "description": topic.meaning,
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in message_types(topic)},
        "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": configuration, "bindingVersion": KAFKA_BINDING_VERSION}},
    }


def _operations(topic: Topic) -> dict[str, Any]:
    channel = {"$ref": f"#/channels/{topic.short}"}
    written = {f"{topic.written_by}-writes-{topic.short}": {"action": "send", "channel": channel}}
    return written | {f"{reader}-reads-{topic.short}": {"action": "receive", "channel": channel} for reader in topic.read_by}


def _message(topic: Topic, kind: type[msgspec.Struct]) -> dict[str, Any]:
    born_at_a_door = topic.door_id is not None or topic.written_by == "any"
    key = {"type": "string", "minLength": 1, "description": topic.keyed_by}
    return {
        "name": kind.__name__,
        "summary": cleandoc(kind.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "headers": {"$ref": f"#/components/schemas/{'DoorHeaders' if born_at_a_door else 'OriginHeaders'}"},
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "bindings": {"kafka": {"key": key, "bindingVersion": KAFKA_BINDING_VERSION}},
    }


def _headers(meanings: dict[str, str]) -> dict[str, Any]:
    properties = {name: {"type": "string", "description": meaning} for name, meaning in meanings.items()}
    return {"type": "object", "properties": properties, "required": [name for name in meanings if name in REQUIRED_HEADERS]}


def _structs(kinds: list[type[msgspec.Struct]]) -> list[type[msgspec.Struct]]:
    """The struct types reachable from `kinds`, each once."""
    found: dict[type[msgspec.Struct], None] = {}
    waiting: list[Any] = [msgspec.inspect.type_info(kind) for kind in kinds]
    while waiting:
        node = waiting.pop()
        if isinstance(node, msgspec.inspect.StructType) and node.cls not in found:
            found[node.cls] = None
            waiting += [field.type for field in node.fields]
        waiting += getattr(node, "types", ())
        waiting += filter(None, (getattr(node, "item_type", None), getattr(node, "value_type", None)))
    return list(found)


def _mark_instant(schema: dict[str, Any], kind: msgspec.inspect.Type) -> None:
    """Times are RFC 3339 with zone; msgspec calls them only strings."""
    kinds = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    if not any(isinstance(part, msgspec.inspect.DateTimeType) for part in kinds):
        return
    target = next((part for part in schema.get("anyOf", ()) if part.get("type") == "string"), schema)
    target["format"] = "date-time"


if __name__ == "__main__":
    sys.stdout.write(text())
