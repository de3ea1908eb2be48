"""Items of which several rules of a mapping say something, and how many of them keep others waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from nextwave_ingest.admission import Ignored
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.document import Document, read
from nextwave_ingest.turns import TURN_SECONDS
from unit.ingest.fakes import stand
from unit.ingest.office import office

ITEM = {"phone": "+14155550100", "mail": "ann"}


def several(*mails: str) -> Document:
    rules = [{"type": f"call.part{n}", "id": f"{{{{ item.mail }}}}/{n}", "identifiers": {"email": path}} for n, path in enumerate(mails)]
    rule = {"type": "call.ended", "id": "{{ item.mail }}/call", "identifiers": {"phone": "$.phone"}}
    return read(msgspec.json.encode({"name": "several", "touchpoints": [rules[0], rule, *rules[1:]]}))


async def test_an_item_is_kept_once_with_all_its_reasons_and_counts_once_by_each_rule_when_it_is_mended(tmp_path: Path) -> None:
    door = stand(tmp_path, documents=[several("$.mail", "$.none", "$.mail")])
    answer = (await door.post("/v1/inbound/shop/several", [ITEM, ITEM | {"mail": "bob"}])).json()
    assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (2, [0, 0, 0, 1, 1, 1])
    kept = door.committer.rejected
    assert [msgspec.json.decode(one.payload)["mail"] for one in kept] == ["ann", "bob"]
    assert [f"/touchpoints/{n}" in kept[0].detail for n in range(4)] == [True, False, True, True]
    mended = several("$.phone", "{{ item.mail }}@example.com", "{{ item.mail }}@example.com")
    told = (await office(tmp_path, door, documents=[mended]).call("POST", "/v1/rejected/0-0:redrive")).json()
    assert (told["touchpoints"], [one["pointer"] for one in told["refused"]]) == (3, ["/phone"])
    assert [one.id for one in door.committer.touchpoints] == ["ann/call", "bob/call", "ann/call", "ann/1", "ann/2"]


async def test_others_have_their_turn_between_the_items_of_a_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    door, order = stand(tmp_path, documents=[several("$.mail")]), []

    def slow(_self: Compiled, _item: bytes, *, ignored: Callable[[Ignored], None], **_said: object) -> list[object]:
        order.append("item")
        if len(order) == 1:
            asyncio.get_running_loop().call_soon(order.append, "other")
        time.sleep(TURN_SECONDS * 1.2)
        ignored(Ignored("other_value", "", "no rule"))
        return []

    monkeypatch.setattr(Compiled, "understand_all", slow)
    assert (await door.post("/v1/inbound/shop/several", [ITEM] * 3)).json()["ignored"] == 3
    assert order == ["item", "other", "item", "item"]
