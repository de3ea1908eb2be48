"""What a body may take of a door, whatever its mapping asks: bounded over all items, and beside other requests where it takes long."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from nextwave_ingest.mappings import effort
from nextwave_ingest.mappings.compiled import Compiled
from nextwave_ingest.mappings.document import Document, read
from unit.ingest.fakes import API_TOKEN, NOW, Stand, stand
from unit.ingest.office import office

LOOPING = "{% for i in (1..100) %}{{ item.a | append: 'x' }}{% endfor %}"
VIEWER = {"authorization": f"Bearer {API_TOKEN}"}


def written(**data: Any) -> dict[str, Any]:
    stop = {"when": {"$.stop": True}, "type": "consent.withdrawn", "id": "stop/{{ item.n }}", "identifiers": {"phone": "$.p"}}
    told = {"type": "a.b", "id": "{{ item.n }}", "identifiers": {"phone": "$.p"}, "data": data}
    return {"name": "busy", "touchpoints": [told, stop]}


def busy(**data: Any) -> Document:
    return read(msgspec.json.encode(written(**data)))


def items(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"n": n, "p": "+14155550100", "a": "b", **more} for n in range(count)]


def cost(data: dict[str, Any], item: dict[str, Any]) -> int:
    """Steps of one such item."""
    meter = effort.Meter()
    whole = meter.body
    Compiled(busy(**data)).understand_all(msgspec.json.encode(item), source="s", received_at=NOW, meter=meter)
    return whole - meter.body


@pytest.mark.parametrize("data", [{"x": LOOPING}, {"x": "$.lines[?@.k == 1]"}, {f"x{n}": "{{ item.a }}" for n in range(200)}])
async def test_what_a_body_takes_beyond_its_bound_is_refused_item_by_item_and_kept_and_can_be_redriven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]
) -> None:
    item = items(1, lines=[{"k": 2}] * 20)[0]
    monkeypatch.setattr(effort, "EFFORT_MAX", cost(data, item))
    monkeypatch.setattr(effort, "BODY_MAX", 3)
    door = stand(tmp_path, documents=[busy(**data)])
    told = (await door.post("/v1/inbound/shop/busy", items(5, lines=[{"k": 2}] * 20))).json()
    assert (told["accepted"], [one["index"] for one in told["rejected"]]) == (3, [3, 4])
    assert "values of all items of a body" in told["rejected"][0]["detail"]
    assert [(one.reason, msgspec.json.decode(one.payload)["n"]) for one in door.committer.rejected] == [("too_large", 3), ("too_large", 4)]
    again = (await office(tmp_path, door, documents=[busy(**data)]).call("POST", "/v1/rejected:redrive", json={})).json()
    assert (again["touchpoints"], again["refused"]) == (2, [])
    assert {one.id for one in door.committer.touchpoints} == {"0", "1", "2", "3", "4"}


async def test_all_liquid_of_an_item_is_bounded_together_and_a_stop_in_it_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    several = {f"x{n}": LOOPING for n in range(3)}
    item = items(1, stop=True)[0]
    enough = cost(several, item)
    monkeypatch.setattr(effort, "EFFORT_MAX", enough // 2)
    door = stand(tmp_path, documents=[busy(**several)])
    told = (await door.post("/v1/inbound/shop/busy", item)).json()
    assert (told["accepted"], [hold.kind for hold in door.committer.holds]) == (1, ["opt_out"])
    (refused,) = told["rejected"]
    assert (LOOPING[:70] in refused["detail"], "values of it;" in refused["detail"]) == (True, True)
    monkeypatch.setattr(effort, "EFFORT_MAX", enough)
    assert (await door.post("/v1/inbound/shop/busy", item)).json()["accepted"] == 2


async def test_a_body_that_takes_long_goes_on_in_a_thread_of_its_own_and_comes_to_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []
    understood = Compiled.understand_all

    def watched(self: Compiled, item: bytes, **more: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return understood(self, item, **more)

    monkeypatch.setattr(Compiled, "understand_all", watched)
    monkeypatch.setattr(effort, "AT_ONCE_MAX", effort.EFFORT_MAX)
    door = stand(tmp_path, documents=[busy(x="{% if item.long %}" + LOOPING * 5 + "{% endif %}")])
    body = [*items(2), *({**one, "n": 2 + one["n"]} for one in items(3, long=True))]
    at_once = (await door.post("/v1/inbound/shop/busy", body)).json()
    assert (at_once["accepted"], threads) == (5, [True] * 5)
    threads.clear()
    monkeypatch.setattr(effort, "AT_ONCE_MAX", 2_000)
    assert (await door.post("/v1/inbound/shop/busy", body)).json() == at_once
    assert threads == [True, True, True, False, False, False]
    first, second = door.committer.touchpoints[:5], door.committer.touchpoints[5:]
    assert first == second


async def test_a_path_to_the_items_that_takes_long_is_followed_in_a_thread_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []
    found = Compiled.items

    def watched(self: Compiled, *given: Any) -> Any:
        threads.append(threading.current_thread() is threading.main_thread())
        return found(self, *given)

    monkeypatch.setattr(Compiled, "items", watched)
    monkeypatch.setattr(effort, "AT_ONCE_MAX", 500)
    door = stand(tmp_path, documents=[read(msgspec.json.encode(written() | {"items": "$.all[*]"}))])
    for count, seen in ((10, [True]), (100, [True, False])):
        threads.clear()
        assert (await door.post("/v1/inbound/shop/busy", {"all": items(count)})).json()["accepted"] == count
        assert threads == seen


async def test_a_trial_says_what_a_body_of_such_items_would_not_be_given(ingest: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "EFFORT_MAX", cost({"x": LOOPING}, items(1)[0]))
    monkeypatch.setattr(effort, "BODY_MAX", 2)
    trial = {"document": written(x=LOOPING), "body": items(3)}
    told = (await ingest.post("/v1/mappings:try", trial, headers=VIEWER)).json()["items"]
    assert [len(one["touchpoints"]) for one in told] == [1, 1, 0]
    assert "all items of a body" in told[2]["refusals"][0]["detail"]
