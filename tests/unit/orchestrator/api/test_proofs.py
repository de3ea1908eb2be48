"""A template is sent to addresses of the house alone, once for each order and not too often, and counts for nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from nextwave_contracts.actions import Contact
from nextwave_contracts.decisions import Decision
from nextwave_contracts.identifiers import blind
from nextwave_contracts.masking import MASK
from nextwave_orchestrator.candidate import GateInput
from nextwave_orchestrator.decisions import answer, answer_in
from nextwave_orchestrator.fold import Decider, Unit
from nextwave_orchestrator.proofs import LASTS, PER_HOUR, PROOF
from nextwave_orchestrator.telling import decision_in_words
from nextwave_runtime.application import Timer
from unit.orchestrator.api.caller import NOW, Caller
from unit.orchestrator.api.fake_store import FakeStore
from unit.orchestrator.api.test_previews import furnished, profile
from unit.orchestrator.decision_world import KEY, catalogue

LIST = {
    "addresses": {
        "ann-mail": {"channel": "email", "address": "ann@example.com"},
        "ann-mobile": {"channel": "sms", "address": "+4915112345678"},
    }
}
ADDRESSES = "/v1/test-addresses"


@pytest.fixture(name="ask")
async def _ask(store: FakeStore, tmp_path: Path) -> AsyncIterator[Caller]:
    async with furnished(store, tmp_path) as caller:
        assert (await caller("operator", "PUT", ADDRESSES, LIST)).status_code == 201
        yield caller


async def send(ask: Caller, key: str = "once", role: str = "editor", **wanted: Any) -> httpx.Response:
    headers = {"idempotency_key": key} if key else {}
    return await ask(role, "POST", "/v1/templates/hello:test-send", {"to": "ann-mail", **wanted}, **headers)


async def test_the_template_goes_to_the_address_of_that_name_in_the_customers_language(ask: Caller, store: FakeStore) -> None:
    told = await send(ask, profile=profile(language="de", traits={"name": "Bo"}))
    assert told.status_code == 202, told.text
    ((fingerprint, _, proof),) = store.committed.ordered.values()
    assert told.json()["action_id"] == proof.action_id
    assert fingerprint
    assert (proof.address, proof.channel, proof.template, proof.by) == ("ann@example.com", "email", "hello", "editor")
    assert (proof.content.subject, proof.content.text, proof.content.language) == ("Hallo", "Hallo Bo", "de")


async def test_who_may_not_see_a_customers_name_sends_none(ask: Caller, store: FakeStore) -> None:
    assert (await send(ask, customer_id="c-1")).status_code == 202
    ((_, _, proof),) = store.committed.ordered.values()
    assert proof.content.text == f"Hallo {MASK}"


async def test_the_same_order_again_sends_nothing_and_is_answered_alike_whatever_became_of_all_else(ask: Caller, store: FakeStore) -> None:
    first = await send(ask)
    await ask("operator", "PUT", ADDRESSES, {})
    assert (await send(ask, role="approver")).status_code == 422, "the key is that of who sends it"
    del store.committed.written["templates", "hello"]
    again = await send(ask)
    assert (again.status_code, again.json()) == (202, first.json())
    assert len(store.committed.ordered) == 1


async def test_a_key_of_another_order_and_an_order_without_a_key_are_refused(ask: Caller, store: FakeStore) -> None:
    await send(ask)
    other = await send(ask, to="ann-mobile")
    assert (other.status_code, other.json()["type"]) == (422, "urn:nextwave:problem:idempotency-key-used")
    without = await send(ask, key="")
    assert (without.status_code, without.json()["type"]) == (400, "urn:nextwave:problem:no-idempotency-key")
    assert len(store.committed.ordered) == 1


@pytest.mark.parametrize(
    ("wanted", "pointer", "fix"),
    [
        ({"to": "ann@example.com"}, "/to", "use one of ann-mail, ann-mobile"),
        ({"address": "ann@example.com"}, "/address", "remove address"),
        ({"to": "ann-mobile", "template": {"text": "x" * 460}}, "", "correct the template"),
        ({"template": {"text": "no subject"}}, "", "correct the template"),
        ({"template": {"subject": "x", "text": "{{ 1 | divided_by: 0 }}"}}, "", "correct the template"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_the_fix(
    ask: Caller, store: FakeStore, wanted: dict[str, Any], pointer: str, fix: str
) -> None:
    told = await send(ask, **wanted)
    (error,) = told.json()["errors"]
    assert (told.status_code, error["pointer"]) == (422, pointer)
    assert fix in error["detail"]
    assert store.committed.ordered == {}


async def test_an_hour_has_room_for_so_many(ask: Caller, store: FakeStore) -> None:
    answers = [await send(ask, key=str(n)) for n in range(PER_HOUR + 1)]
    assert [told.status_code for told in answers] == [202] * PER_HOUR + [429]
    assert answers[-1].headers["retry-after"] == "3600"
    store.committed.ordered = {
        name: (fingerprint, at - timedelta(hours=1), proof) for name, (fingerprint, at, proof) in store.committed.ordered.items()
    }
    assert (await send(ask, key="later")).status_code == 202


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"addresses": {"Ann!": {"channel": "email", "address": "ann@example.com"}}}, "/addresses/Ann!"),
        ({"addresses": {"ann": {"channel": "email", "address": "ann"}}}, "/addresses/ann/address"),
        ({"addresses": {"ann": {"channel": "sms", "address": "0151 1"}}}, "/addresses/ann/address"),
        ({"addresses": {"ann": {"channel": "call", "address": "+4915112345678"}}}, "/addresses/ann/channel"),
        ({"addresses": {f"a{n}": {"channel": "email", "address": "a@example.com"} for n in range(51)}}, "/addresses"),
    ],
)
async def test_a_wrong_list_is_refused(ask: Caller, document: dict[str, Any], pointer: str) -> None:
    told = await ask("operator", "PUT", ADDRESSES, document)
    assert (told.status_code, [error["pointer"] for error in told.json()["errors"]]) == (422, [pointer])


@pytest.mark.parametrize(("role", "sees"), [("viewer", False), ("editor", False), ("approver", False), ("operator", True), ("agent", True)])
async def test_names_are_listed_for_everybody_and_addresses_for_who_keeps_or_may_see_them(ask: Caller, role: str, sees: bool) -> None:
    told = await ask(role, "GET", ADDRESSES)
    listed = {name: one["address"] for name, one in told.json()["addresses"].items()}
    assert listed == {name: one["address"] if sees else MASK for name, one in LIST["addresses"].items()}
    assert told.headers["etag"]


async def test_a_list_that_nobody_wrote_is_empty_and_nothing_can_be_sent(ask: Caller, store: FakeStore) -> None:
    del store.committed.written["test_addresses", "house"]
    assert (await ask("viewer", "GET", ADDRESSES)).json() == {"addresses": {}}
    (error,) = (await send(ask)).json()["errors"]
    assert error["detail"].endswith("PUT /v1/test-addresses (operators) keeps the list")


async def test_it_goes_the_way_of_every_contact_by_a_decision_that_says_it_is_a_test(ask: Caller, store: FakeStore) -> None:
    told = (await send(ask)).json()
    ((_, _, proof),) = store.committed.ordered.values()
    unit, rules = Unit(0, 1), catalogue()
    timer = Timer(0, NOW, proof.action_id, PROOF, msgspec.msgpack.encode(proof))
    decision, contact = (outgoing.message for outgoing in Decider(lambda: rules).fold(unit, timer, NOW + timedelta(seconds=1)))
    assert isinstance(decision, Decision)
    assert isinstance(contact, Contact)
    assert (decision.result, decision.test, decision.campaign, decision.decision_id) == ("act", True, "", told["decision_id"])
    assert decision_in_words(decision).startswith("A test of a template, by email")
    assert (contact.test, contact.purpose, contact.action_id, contact.address) == (True, "transactional", told["action_id"], proof.address)
    assert contact.subjects == (blind("email:ann@example.com", KEY),), "a stop of the address means it too"
    assert contact.not_after - contact.decided_at == LASTS
    assert [(span.start, span.end) for span in contact.permitted] == [(contact.decided_at, contact.not_after)]
    assert (unit.states, unit.books.entries) == ({}, {})
    (judged,) = unit.judged
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(judged.given), type=GateInput)
    assert answer(stored) == answer_in(decision), "it replays like any other"
