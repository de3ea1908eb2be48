"""Calls pushed to the simulated dialler over its own HTTP API: put on its lists, taken off by a stop, settled by its word."""

from __future__ import annotations

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
from nextwave_channels.call_lists.ways import Ways
from nextwave_channels.claiming import settle_lapsed
from nextwave_channels.dispatcher import Bell
from nextwave_channels.gate import Fact
from nextwave_channels.http_port import Http
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
    """The way to the dialler. `lost`: its answers do not come back; `cut`: nothing gets there."""

    inner: httpx.AsyncBaseTransport
    lost: bool = False
    cut: bool = False
    asked: list[str] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.method)
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
    yield Floor(place, there, line, Patient(desk, dialler, Bell(), holds_seconds=900))
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
    await floor.pusher.retract_once()
    assert floor.waiting() == ["b"]
    assert await place.states() == {"a": "withdrawn", "b": "sending"}
    assert [o.kind for o in await place.outcomes()] == ["withdrawn"]


async def test_a_retraction_is_repeated_until_it_is_sure(place: Place, floor: Floor) -> None:
    seconds = 0.0
    floor.pusher.desk = replace(floor.pusher.desk, monotonic=lambda: seconds)
    await place.put(call("a"))
    await floor.pusher.push_once()
    await floor.stop("hash-a")
    floor.line.cut = True
    for _ in range(3):
        await floor.pusher.retract_once()
    assert floor.line.asked == ["PUT", "DELETE"], "not more often than makes sense"
    for _ in range(4):
        seconds += 1.0
        await floor.pusher.retract_once()
    assert floor.line.asked.count("DELETE") == 4
    assert await place.states() == {"a": "sending"}
    floor.line.cut = False
    seconds += 5.0
    await floor.pusher.retract_once()
    assert (floor.waiting(), await place.states()) == ([], {"a": "withdrawn"})


async def test_who_was_called_before_the_retraction_came_is_not_withdrawn(place: Place, floor: Floor) -> None:
    await place.put(call("a"))
    await floor.pusher.push_once()
    floor.there._lists[("renewals", "a.1")].state = "called"
    await floor.stop("hash-a")
    for _ in range(3):
        await floor.pusher.retract_once()
    assert floor.line.asked == ["PUT", "DELETE"], "it said that it is too late"
    assert await place.states() == {"a": "sending"}


async def test_a_push_that_nobody_confirms_is_taken_off_again_and_never_called(place: Place, floor: Floor) -> None:
    await place.put(call("a"))
    floor.line.lost = True
    await floor.pusher.push_once()
    assert floor.waiting() == ["a"], "the dialler has it, and we do not know"
    assert await place.states() == {"a": "sending"}
    floor.line.lost = False
    await floor.pusher.retract_once()
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
    await floor.pusher.retract_once()
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
