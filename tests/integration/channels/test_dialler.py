"""Calls pushed to the simulated dialler over its own HTTP API: put on its lists, taken off by a stop, settled by its word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from channel_contacts import NOON, a_contact
from channels_place import PARTITIONS, Place
from nextwave_channels import stopping
from nextwave_channels.adapters.dialler import Dialler, Door
from nextwave_channels.call_lists.limits import Limits
from nextwave_channels.call_lists.pushing import Pusher
from nextwave_channels.call_lists.release import Release
from nextwave_channels.call_lists.retracting import LOOKED_AT, UNDER_WAY_MAX, Retractor
from nextwave_channels.call_lists.ways import Ways
from nextwave_channels.claiming import settle_lapsed
from nextwave_channels.dispatcher import Bell
from nextwave_channels.gate import Fact
from nextwave_channels.http_port import Http
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import Pace
from nextwave_channels.provider_store import Word, say
from nextwave_contracts.actions import Contact, Content
from nextwave_contracts.clock import ClockSetting
from nextwave_local.simulator.app import application
from nextwave_local.simulator.dialler_door import Dialler as SimulatedDialler
from nextwave_local.simulator.errands import Errands
from nextwave_local.simulator.ledger import Ledger
from nextwave_local.simulator.world import World
from unit.local.simulated import DOORS

WAYS = Ways(named={"renewals": "dialler"})


@dataclass
class Line(httpx.AsyncBaseTransport):
    """The way to the dialler. `lost`: its answers do not come back; `cut`: nothing gets there; `held`: requests to it wait for ever.

    `seconds` pass for the dialler's breaker when a test says so.
    """

    inner: httpx.AsyncBaseTransport
    lost: bool = False
    cut: bool = False
    held: frozenset[str] = frozenset()
    seconds: float = 0.0
    asked: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
        if f"{request.method} {request.url.path.rpartition('/')[2]}" in self.held:
            await asyncio.Event().wait()
        if self.cut:
            raise httpx.ConnectError("cut", request=request)
        answer = await self.inner.handle_async_request(request)
        if self.lost:
            raise httpx.ReadTimeout("lost", request=request)
        return answer


@dataclass
class Floor:
    """Both ends of the line."""

    place: Place
    there: SimulatedDialler
    line: Line
    pusher: Pusher
    retractor: Retractor

    async def retract(self) -> None:
        """One look, and all that came of it."""
        await asyncio.gather(*await self.retractor.look())

    def waiting(self) -> list[str]:
        return sorted(one.entry.reference for one in self.there.waiting("renewals").values())

    async def stop(self, subject: str) -> None:
        async with self.place.database.transaction() as connection:
            fact = Fact(subject=subject, kind="opt", stopped=True, at=NOON)
            await stopping.record_facts(connection, [fact], NOON, PARTITIONS)


@pytest.fixture
async def floor(place: Place, tmp_path: Path) -> AsyncIterator[Floor]:
    clock = ClockSetting()
    world = World(DOORS, Ledger(tmp_path / "ledger.jsonl"), Errands(clock, httpx.AsyncClient()), clock)
    there = SimulatedDialler(world)
    line = Line(httpx.ASGITransport(application(world, there)))
    door = Door(url="http://dialler/dialler/v1", token="token", callbacks_url="http://channels/v1/callbacks/dialler")
    dialler = Dialler(Http(transport=line), door)
    desk = replace(place.desk, calls=Release(WAYS, "dialler", Limits(per_number=3, per_person=3)))
    outlets = Outlets("call", [Outlet(provider="dialler", adapter=None, pace=Pace(concurrency=8))], place.clock, lambda: line.seconds)
    pusher = Patient(desk, dialler, outlets, Bell(), holds_seconds=900)
    yield Floor(place, there, line, pusher, Retractor(desk, dialler))
    await dialler.close()


class Patient(Pusher):
    """On a busy machine a claim takes its time; that is not what these tests are about."""

    @property
    def pace(self) -> Any:
        return replace(super().pace, fresh_seconds=10.0)


def call(action_id: str, **changes: Any) -> Contact:
    given = {
        "channel": "call",
        "list": "renewals",
        "address": "+4915112345678",
        "content": Content(text="Offer the renewal."),
        "customer_id": f"customer-{action_id}",
        "subjects": (f"hash-{action_id}",),
        "address_subject": f"hash-{action_id}",
    }
    return a_contact(action_id=action_id, **{**given, **changes})


async def test_calls_are_put_on_their_list_with_what_it_takes_to_make_them_and_no_others(place: Place, floor: Floor) -> None:
    await place.put(call("a", value=7.0), call("spoken", list="others"))
    assert [await floor.pusher.push_once() for _ in range(2)] == [1, 0]
    (entry,) = [one.entry for one in floor.there.waiting("renewals").values()]
    assert (entry.to, entry.reference, entry.script, entry.priority) == ("+4915112345678", "a", "Offer the renewal.", 7.0)
    assert isinstance(entry.not_after, datetime)
    assert 890 < (entry.not_after - NOON).total_seconds() <= 900
    assert await place.states() == {"a": "sending", "spoken": "due"}
    assert await place.ask("select provider, provider_id from deliveries where action_id = 'a'") == [("dialler", "a.1")]
    assert await place.outcomes() == []


async def test_a_stop_takes_a_call_off_the_list_at_once_and_withdraws_it(place: Place, floor: Floor) -> None:
    await place.put(call("a"), call("b"))
    await floor.pusher.push_once()
    await floor.stop("hash-a")
    await floor.retract()
    assert floor.waiting() == ["b"]
    assert await place.states() == {"a": "withdrawn", "b": "sending"}
    assert [o.kind for o in await place.outcomes()] == ["withdrawn"]


async def test_a_retraction_is_repeated_until_it_is_sure(place: Place, floor: Floor) -> None:
    seconds = 0.0
    floor.retractor.desk = replace(floor.retractor.desk, monotonic=lambda: seconds)
    await place.put(call("a"))
    await floor.pusher.push_once()
    await floor.stop("hash-a")
    floor.line.cut = True
    for _ in range(3):
        await floor.retract()
    assert floor.line.asked == ["PUT", "DELETE"], "not more often than makes sense"
    for _ in range(4):
        seconds += 1.0
        await floor.retract()
    assert floor.line.asked.count("DELETE") == 4
    assert await place.states() == {"a": "sending"}
    floor.line.cut = False
    seconds += 5.0
    await floor.retract()
    assert (floor.waiting(), await place.states()) == ([], {"a": "withdrawn"})


async def test_who_was_called_before_the_retraction_came_is_not_withdrawn(place: Place, floor: Floor) -> None:
    await place.put(call("a"))
    await floor.pusher.push_once()
    floor.there._lists[("renewals", "a.1")].state = "called"
    await floor.stop("hash-a")
    for _ in range(3):
        await floor.retract()
    assert floor.line.asked == ["PUT", "DELETE"], "it said that it is too late"
    assert await place.states() == {"a": "sending"}


async def test_a_push_that_nobody_confirms_is_taken_off_again_and_never_called(place: Place, floor: Floor) -> None:
    await place.put(call("a"))
    floor.line.lost = True
    await floor.pusher.push_once()
    assert floor.waiting() == ["a"], "the dialler has it, and we do not know"
    assert await place.states() == {"a": "sending"}
    floor.line.lost = False
    await floor.retract()
    assert (floor.waiting(), await place.states()) == ([], {"a": "withdrawn"})
    (outcome,) = await place.outcomes()
    assert (outcome.kind, "not sure whether the dialler has it" in outcome.detail) == ("withdrawn", True)


async def test_a_push_on_its_way_is_looked_for_until_its_time_is_over(place: Place, floor: Floor) -> None:
    """The dialler does not know it (yet): that is no proof that it will not come."""
    await place.put(call("a"))
    floor.line.lost = True
    await floor.pusher.push_once()
    floor.line.lost = False
    floor.there._lists.clear()
    await floor.retract()
    assert await place.states() == {"a": "sending"}
    await place.ask("update deliveries set held_until = '-infinity'")
    await settle_lapsed(place.desk)
    assert await place.states() == {"a": "unknown"}


@pytest.mark.parametrize(
    ("fault", "state"), [({"kind": "refuse"}, "failed"), ({"kind": "unavailable"}, "due"), ({"kind": "throttle", "seconds": 5}, "due")]
)
async def test_what_the_dialler_refuses_is_over_or_tried_again(place: Place, floor: Floor, fault: dict[str, Any], state: str) -> None:
    async with httpx.AsyncClient(transport=floor.line.inner, base_url="http://dialler") as steering:
        said = await steering.put("/faults", json={"faults": [{"provider": "dialler", **fault}]})
        assert said.status_code == 200, said.text
    await place.put(call("a"))
    await floor.pusher.push_once()
    assert await place.states() == {"a": state}
    assert floor.waiting() == []


async def test_a_dialler_that_cannot_be_reached_costs_no_call(place: Place, floor: Floor) -> None:
    floor.line.cut = True
    await place.put(call("a"))
    await floor.pusher.push_once()
    assert await place.states() == {"a": "due"}
    floor.line.cut = False
    await place.ask("update deliveries set held_until = '-infinity'")
    await floor.pusher.push_once()
    assert (floor.waiting(), await place.ask("select provider_id from deliveries")) == (["a"], [("a.2",)])


async def test_calls_that_are_being_made_hide_none_that_must_be_taken_off(place: Place, floor: Floor) -> None:
    await place.put(*(call(f"a{n:03}") for n in range(LOOKED_AT + 10)))
    while await floor.pusher.push_once():
        pass
    called = {f"a{n:03}" for n in range(LOOKED_AT)}
    for name in called:
        floor.there._lists[("renewals", f"{name}.1")].state = "called"
    await place.ask("update deliveries set withdrawn_reason = 'campaign_stopped'")
    await place.ask("update deliveries set changed_at = changed_at - interval '1 second' where action_id < :first", first=f"a{LOOKED_AT}")
    for _ in range(3 + LOOKED_AT // UNDER_WAY_MAX):
        await floor.retract()
    states = await place.states()
    assert {name for name, state in states.items() if state == "sending"} == called
    assert floor.line.asked.count("DELETE") == len(states), "who said that it is too late is not asked again"


async def test_one_entry_whose_answer_does_not_come_holds_up_no_other(place: Place, floor: Floor) -> None:
    await place.put(call("a"), call("b"))
    await floor.pusher.push_once()
    floor.line.held = frozenset({"DELETE a.1"})
    job = asyncio.create_task(floor.retractor.retract_all())
    await floor.stop("hash-a")

    async def a_is_asked_for() -> bool:
        return "DELETE" in floor.line.asked

    async def b_is_off() -> bool:
        return (await place.states())["b"] == "withdrawn"

    await place.until(a_is_asked_for)
    await floor.stop("hash-b")
    await place.until(b_is_off)
    assert ((await place.states())["a"], floor.line.asked.count("DELETE")) == ("sending", 2)
    for task in floor.retractor._under_way.values():
        task.cancel()
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


async def test_a_dead_dialler_is_left_alone_and_costs_few_calls_a_try(place: Place, floor: Floor) -> None:
    floor.line.cut = True
    await place.put(*(call(f"a{n:02}") for n in range(40)))
    for _ in range(3):
        await floor.pusher.push_once()
    assert len(floor.line.asked) == 8, "as many as were under way at once"
    (outlet,) = floor.pusher.outlets.all.values()
    assert (floor.pusher.outlets.state(outlet), floor.pusher.outlets.worth_a_claim()) == ("open", False)
    assert await place.ask("select count(*) from deliveries where state = 'due' and attempt = 0") == [(32,)]
    floor.line.cut, floor.line.seconds = False, 6.0
    assert [await floor.pusher.push_once() for _ in range(2)] == [1, 8], "one to see whether it is back"


async def test_operators_close_the_dialler_and_open_it_again(place: Place, floor: Floor) -> None:
    await place.put(call("a"))
    for enabled, pushed in ((False, 0), (True, 1)):
        async with place.database.transaction() as connection:
            await say(connection, ("call", "dialler"), Word(enabled=enabled, reason="maintenance"))
        floor.line.seconds += 1.0
        assert await floor.pusher.push_once() == pushed
    assert floor.waiting() == ["a"]
