"""The topics as strangers meet them: a foreign client finds what AsyncAPI promises, and what strangers write breaks nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from confluent_kafka import Producer
from nextwave_contracts.topics import TOPICS, partition_of
from ring.ring import Ring, campaign, until
from stack import PARTITIONS, ReadRecord

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "asyncapi.json").read_text())
POISON = [b"", b"\x00\x01", b"\xff\xfe\xfa", b"[" * 50_000, b'{"id": 7}', b'{"type": "from_the_future", "customer_id": "c"}', b"null"]


def produce(ring: Ring, topic: str, key: str, values: list[bytes]) -> None:
    """Writes raw bytes as a stranger could."""
    producer = Producer({"bootstrap.servers": ring.endpoints["kafka"]})
    for value in values:
        producer.produce(topic, value=value, key=key, partition=partition_of(key.encode(), PARTITIONS))
    assert producer.flush(20) == 0


def validator(address: str) -> jsonschema.Draft202012Validator:
    """Checks a payload against the messages that the document names for a topic."""
    channel = next(c for c in DOCUMENT["channels"].values() if c["address"] == address)
    names = [ref["$ref"].rsplit("/", 1)[1] for ref in channel["messages"].values()]
    payloads = [DOCUMENT["components"]["messages"][name]["payload"] for name in names]
    return jsonschema.Draft202012Validator({"anyOf": payloads, "components": DOCUMENT["components"]})


async def redrive(ring: Ring) -> None:
    """What one mapping refused is sent on its way by a better one."""
    wrong = {"touchpoints": [{"type": "call.ended", "identifiers": {"phone": "$.nobody"}}]}
    right = {"touchpoints": [{"type": "call.ended", "identifiers": {"customer_id": "$.who"}}]}
    await ring.api("ingest", "PUT", "/v1/mappings/mended", wrong)

    async def refused() -> bool:
        address = f"{ring.endpoints['ingest']}/v1/inbound/local/mended"
        answer = await ring.client.post(address, json={"who": "reader"}, auth=(ring.endpoints["write_key"], ""))
        return answer.status_code < 500 and bool(answer.json().get("rejected") or answer.status_code == 400)

    await until(refused, "the item is refused")
    await ring.api("ingest", "PUT", "/v1/mappings/mended", right)

    async def redriven() -> bool:
        told = await ring.api("ingest", "POST", "/v1/rejected:redrive", {"mapping": "mended"}, ok=False)
        return bool(told.get("accepted"))

    await until(redriven, "it is redriven by the mapping in force")


async def test_a_foreign_consumer_reads_every_topic_and_finds_what_the_document_promises(ring: Ring) -> None:
    await ring.publish(campaign("foreign", "foreign.asked"))
    await ring.sign_up("reader", number=11)
    await ring.track("reader", "foreign.asked")
    mapping = {"touchpoints": [{"type": "call.ended", "identifiers": {"phone": "$.caller"}}]}
    await ring.api("ingest", "PUT", "/v1/mappings/foreign", mapping)
    await until(lambda: [o for o in ring.topic("outcomes") if o["campaign"] == "foreign"], "an outcome")
    produce(ring, "nextwave.touchpoints.v1", "customer_id:reader", [b"no json"])
    await until(lambda: ring.records("rejected"), "a rejected message")
    await until(lambda: ring.records("sources"), "what ingest heard of its sources")
    await redrive(ring)
    await until(lambda: ring.records("redriven"), "the mark of what was redriven")
    for topic in TOPICS:
        records = ring.records(topic.short)
        assert records, f"nothing on {topic.name}"
        check = validator(topic.name)
        for record in records:
            if record.value.startswith(b"{"):
                _fits(check, record)


def _fits(check: jsonschema.Draft202012Validator, record: ReadRecord) -> None:
    message: dict[str, Any] = json.loads(record.value)
    faults = [f"{fault.json_path}: {fault.message}" for fault in check.iter_errors(message)]
    assert faults == [], f"{record.topic} {message}"
    assert record.key


@pytest.mark.parametrize("short", ["touchpoints", "holds", "customers", "actions", "outcomes"])
async def test_poison_on_any_topic_is_rejected_with_a_reason_and_its_partition_goes_on(ring: Ring, short: str) -> None:
    name = f"poisoned-{short}"
    await ring.publish(campaign(name, f"{short}.poisoned"))
    await ring.sign_up(name, number=20 + len(short))
    known = await ring.customer(name)
    key = f"customer_id:{name}" if short in {"touchpoints", "holds"} else known["customer_id"]
    before = len(ring.topic("rejected"))
    produce(ring, f"nextwave.{short}.v1", key, POISON)
    await ring.track(name, f"{short}.poisoned")
    await until(lambda: [o for o in ring.topic("outcomes") if o["campaign"] == name], "the outcome behind the poison")
    await until(lambda: len(ring.topic("rejected")) >= before + len(POISON), "every poison message rejected")
    rejected = [r for r in ring.topic("rejected") if r["topic"] == f"nextwave.{short}.v1"]
    assert {r["reason"] for r in rejected} <= {"undecodable", "invalid"}
    assert all(r["detail"] for r in rejected)
