"""An owner sees what a template would say before anybody is contacted; who may not see names sees none; and live campaigns stay whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from nextwave_contracts.masking import MASK
from nextwave_contracts.text_segments import segments
from nextwave_orchestrator.api.control import Control
from nextwave_orchestrator.api.previews import previews_router
from nextwave_orchestrator.api.proofs import proofs_router
from nextwave_orchestrator.app import make_app
from nextwave_orchestrator.campaigns.lifecycle import Limits
from nextwave_orchestrator.state import CustomerState
from nextwave_runtime.auth import Keyring
from unit.orchestrator.api.caller import Caller, FixedClock, keys_file
from unit.orchestrator.api.fake_store import FakeStore
from unit.orchestrator.api.test_opening import KEY, publish
from unit.orchestrator.decision_world import snapshot

ANN = snapshot(language="de-AT", traits={"name": "Ann\u0142", "city": "Linz"})
STATES = {
    "c-1": CustomerState(customer_id="c-1", profile=ANN),
    "c-2": CustomerState(customer_id="c-2", absorbed_into="c-1"),
    "c-3": CustomerState(customer_id="c-3", profile=snapshot(language="de-AT", traits={"name": "Bo", "city": "Linz"})),
}
HELLO = {
    "subject": "Hello {{ traits.name | default: 'you' }}",
    "text": "Dear {{ traits.name | default: 'you' }} of {{ traits.city }}, {{ entry.reference | default: '?' }}",
    "languages": {"de": {"subject": "Hallo", "text": "Hallo {{ traits.name | default: 'du' }}", "html": "<p>{{ traits.name }}</p>"}},
}
PATH = "/v1/templates/hello:preview"


async def find(customer_id: str) -> CustomerState | None:
    return STATES.get(customer_id)


@pytest.fixture(name="ask")
async def _ask(store: FakeStore, tmp_path: Path) -> AsyncIterator[Caller]:
    async with furnished(store, tmp_path) as caller:
        yield caller


@asynccontextmanager
async def furnished(store: FakeStore, tmp_path: Path) -> AsyncIterator[Caller]:
    """The API with the template and the customers."""
    limits = Limits(budget_max=100_000, audience_max=1_000)
    app = make_app(Control(store=store, clock=FixedClock(), keyring=Keyring(keys_file(tmp_path)), limits=limits))
    app.include_router(previews_router(find))
    app.include_router(proofs_router(find))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        caller = Caller(client)
        assert (await caller("editor", "PUT", "/v1/templates/hello", HELLO)).status_code == 201
        yield caller


async def shown(ask: Caller, role: str = "viewer", **asked: Any) -> dict[str, Any]:
    told = await ask(role, "POST", PATH, asked)
    assert told.status_code == 200, told.text
    return dict(told.json())


def profile(**changes: Any) -> dict[str, Any]:
    made = msgspec.to_builtins(snapshot(**changes))
    assert isinstance(made, dict)
    return made


async def test_a_made_up_customer_is_shown_everything(ask: Caller, store: FakeStore) -> None:
    before = store.committed
    told = await shown(ask, channel="email", profile=profile(traits={"name": "Bo"}), entry={"reference": "T-7"})
    assert (told["language"], told["subject"], told["text"], told["html"]) == ("", "Hello Bo", "Dear Bo of , T-7", "")
    assert (told["missing"], told["gaps"], told["sms"], told["unsendable"]) == (["traits.city"], ["traits.city"], None, "")
    assert [(f["level"], f["code"]) for f in told["findings"]] == [("error", "may_be_missing")] * 2
    assert store.committed == before


async def test_the_language_is_the_customers_or_the_one_that_is_asked_for(ask: Caller) -> None:
    assert (await shown(ask, channel="email", customer_id="c-1"))["language"] == "de"
    assert (await shown(ask, channel="email", customer_id="c-1", language="en"))["language"] == ""
    assert (await shown(ask, channel="email", language="DE"))["text"] == "Hallo du"


@pytest.mark.parametrize(("role", "sees"), [("viewer", False), ("editor", False), ("operator", False), ("agent", True)])
async def test_names_are_masked_for_who_may_not_see_them_and_segments_are_those_of_the_text_that_is_shown(
    ask: Caller, role: str, sees: bool
) -> None:
    told = await shown(ask, role, channel="sms", customer_id="c-2")
    name = "Ann\u0142" if sees else MASK
    assert (told["text"], told["html"]) == (f"Hallo {name}", f"<p>{name}</p>")
    assert told["sms"] == msgspec.to_builtins(segments(told["text"]))
    assert (told["sms"]["because"] == "\u0142") is sees
    assert ("Ann" in str(told)) is sees


async def test_what_would_not_be_sent_says_why(ask: Caller) -> None:
    long = {"text": "{{ traits.name | default: 'x' }}" + "x" * 500}
    told = await shown(ask, channel="sms", template=long)
    assert told["unsendable"] == "the text takes 4 SMS segments, of at most 3"
    failing = {"text": "{% if traits.name contains 'Ann' %}{{ stage | truncate: traits.name }}{% endif %}"}
    assert (await shown(ask, "agent", channel="sms", customer_id="c-1", template=failing))["unsendable"].startswith("truncate")


@pytest.mark.parametrize(
    "asking",
    [
        "{% if traits.name contains 'Ann' %}{{ 1 | divided_by: 0 }}{% endif %}",
        "{% if traits.name contains 'Ann' %}{% for n in (1..800) %}x{% endfor %}{% endif %}",
        "{% if traits.name contains 'Ann' %}\u0142{% endif %}",
        "{{ traits.name | replace: 'Ann', '' }}",
    ],
)
async def test_a_template_that_asks_for_what_is_masked_is_told_nothing(ask: Caller, asking: str) -> None:
    """Whoever the customer is, all of the answer is the same: it could be spelt out otherwise, a letter a time."""
    asked: dict[str, Any] = {"channel": "sms", "template": {"text": "Hello " + asking}}
    told = [await shown(ask, **asked, customer_id=one) for one in ("c-1", "c-3")]
    assert told[0] == told[1]
    seen = [await shown(ask, "agent", **asked, customer_id=one) for one in ("c-1", "c-3")]
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"channel": "pigeon"}, "/channel"),
        ({}, "/channel"),
        ({"channel": "sms", "customer_id": "c-1", "profile": profile()}, "/profile"),
        ({"channel": "sms", "template": {"text": "{{ nmae }}"}}, "/template/text"),
        ({"channel": "sms", "template": {"key": "other", "text": "x"}}, "/template/key"),
        ({"channel": "sms", "to": "x"}, "/to"),
    ],
)
async def test_a_wrong_question_is_refused_with_its_place(ask: Caller, asked: dict[str, Any], pointer: str) -> None:
    told = await ask("viewer", "POST", PATH, asked)
    assert (told.status_code, [error["pointer"] for error in told.json()["errors"]]) == (422, [pointer])


async def test_an_unknown_template_or_customer_is_not_found(ask: Caller) -> None:
    assert (await ask("viewer", "POST", "/v1/templates/none:preview", {"channel": "sms"})).status_code == 404
    assert (await ask("viewer", "POST", PATH, {"channel": "sms", "customer_id": "c-9"})).status_code == 404


async def test_nobody_writes_a_template_with_which_a_published_campaign_could_not_be(call: Caller) -> None:
    await publish(call, {"event": "order.placed"})
    path = "/v1/templates/renew-top"
    told = await call("editor", "PUT", path, {"text": "Hello {{ traits.name }}"})
    assert told.status_code == 422
    details = [error["detail"] for error in told.json()["errors"]]
    assert [detail.split(":")[0] for detail in details] == ["campaign winter-renewal, by sms"] + ["campaign winter-renewal, by email"] * 2
    assert (await call("editor", "PUT", path, {"subject": "Hello", "text": "Hello {{ traits.name | default: 'you' }}"})).status_code == 200
    assert (await call("approver", "POST", f"{KEY}:end")).status_code == 200
    assert (await call("editor", "PUT", path, {"text": "Hello {{ traits.name }}"})).status_code == 200
