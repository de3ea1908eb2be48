"""The whole orchestrator as a process: a test send is one contact on the actions' topic, however often it is ordered, with its decision."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from uuid import uuid4

from integration.orchestrator.test_stopping import running, until
from nextwave_contracts.actions import ActionMessage, Contact
from nextwave_contracts.topics import ACTIONS
from nextwave_contracts.wire import decode
from stack import Stack

ADDRESS = f"ann-{uuid4().hex}@example.com"
"""Nobody else's: the topic is shared, and other tests write to it what is no message at all."""
LIST = {"addresses": {"ann": {"channel": "email", "address": ADDRESS}}}


def proofs(stack: Stack) -> list[Contact]:
    """Everything on the topic that names our address, whatever it is."""
    return [decode(record.value, ActionMessage) for record in stack.read_all(ACTIONS.name) if ADDRESS.encode() in record.value]


def is_sent(stack: Stack, wanted: int) -> bool:
    return len(proofs(stack)) >= wanted


async def test_a_test_send_is_one_contact_with_its_decision(stack: Stack, tmp_path: Path) -> None:
    async with running(stack, tmp_path) as client:
        assert (await client.put("/v1/test-addresses", json=LIST)).status_code == 201
        template = {"subject": "Hello", "text": "Hello", "languages": {"de": {"subject": "Hallo", "text": "Hallo"}}}
        assert (await client.put("/v1/templates/hello", json=template)).status_code == 201
        for key in ("one", "one", "two"):
            headers = {"idempotency-key": key}
            told = await client.post("/v1/templates/hello:test-send", json={"to": "ann", "language": "de-AT"}, headers=headers)
            assert told.status_code == 202, told.text
        await until(partial(is_sent, stack, 2), seconds=30)
        shown = (await client.get(f"/v1/decisions/{told.json()['decision_id']}")).json()
        again = (await client.post(f"/v1/decisions/{told.json()['decision_id']}:replay")).json()
    assert (shown["decision"]["test"], shown["decision"]["language"], again["same"]) == (True, "de", True)
    sent = proofs(stack)
    assert [(one.test, one.address, one.content.text, one.purpose) for one in sent] == [(True, ADDRESS, "Hallo", "transactional")] * 2
    assert told.json()["action_id"] in {one.action_id for one in sent}
