"""Several providers of a channel on the real PostgreSQL: a dead one delays nobody, rates hold over replicas, nothing goes out twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from channel_contacts import DAY, NOON, a_contact
from channels_place import PATIENT_SECONDS, Place, Recorder
from nextwave_channels.answers import Accepted, Answer, Refused
from nextwave_channels.breaker import FAILURES_MAX, OPEN_SECONDS
from nextwave_channels.claiming import settle_overdue, watch
from nextwave_channels.delivery import queue
from nextwave_channels.dispatcher import Dispatcher
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import Pace
from nextwave_channels.prices import COLUMNS, parse
from nextwave_channels.provider_store import Word, say
from nextwave_channels.rate import Rate
from nextwave_contracts.actions import Contact

UNREACHED = Refused(detail="not reached: ConnectError", permanent=False, down=True)


@dataclass
class Dead:
    """A provider that takes every request and never answers, until `revived`."""

    sent: list[str] = field(default_factory=list)
    revived: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, contact: Contact) -> Answer:
        self.sent.append(contact.action_id)
        await self.revived.wait()
        return Accepted()

    async def close(self) -> None:
        pass


def outlet(provider: str, adapter: Recorder | Dead, *, slots: int = 8, deadline_seconds: float = 15.0, rate: Rate | None = None) -> Outlet:
    pace = Pace(concurrency=slots, deadline_seconds=deadline_seconds, fresh_seconds=PATIENT_SECONDS)
    return Outlet(provider=provider, adapter=adapter, pace=pace, rate=rate)


def down() -> Recorder:
    return Recorder(answer=lambda _: UNREACHED)


@asynccontextmanager
async def running(*dispatchers: Dispatcher) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(d.run()) for d in dispatchers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def ended(place: Place, count: int, *states: str) -> Callable[[], Awaitable[bool]]:
    async def enough() -> bool:
        return sum(state in states for state in (await place.states()).values()) >= count

    return enough


async def providers_of(place: Place) -> dict[str, str]:
    return dict(await place.ask("select action_id, provider from deliveries"))


async def test_while_a_provider_hangs_the_other_one_and_the_other_channels_carry_everything_else(place: Place) -> None:
    await place.put(*(a_contact(action_id=f"m{n}") for n in range(80)))
    await place.put(*(a_contact(action_id=f"s{n}", channel="sms") for n in range(40)))
    hanging, well, gone = Dead(), Recorder(), Dead()
    mail = place.dispatcher_over(outlet("hanging", hanging), outlet("well", well))
    texts = place.dispatcher_over(outlet("gone", gone), channel="sms")
    async with running(mail, texts):
        await place.until(ended(place, 72, "accepted"))
        assert len(hanging.sent) == len(gone.sent) == 8  # their slots, and no more
        assert set(hanging.sent).isdisjoint(well.sent)
        assert {state for name, state in (await place.states()).items() if name in {*hanging.sent, *gone.sent}} == {"sending"}
        hanging.revived.set()
        gone.revived.set()
        await place.until(ended(place, 120, "accepted"))
    assert len(hanging.sent + well.sent) == len(set(hanging.sent + well.sent)) == 80


async def test_time_outs_open_the_breaker_are_unknown_and_never_go_on_to_the_other(place: Place) -> None:
    place.steady = lambda: 0.0  # so that no probe is due, however long it takes
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(30)))
    hanging, well = Dead(), Recorder()
    dispatcher = place.dispatcher_over(outlet("hanging", hanging, slots=FAILURES_MAX, deadline_seconds=0.3), outlet("well", well))
    async with running(dispatcher):
        await place.until(ended(place, 30, "accepted", "unknown"))
    assert len(hanging.sent) == FAILURES_MAX
    assert set(hanging.sent).isdisjoint(well.sent)
    assert {name for name, state in (await place.states()).items() if state == "unknown"} == set(hanging.sent)


async def test_what_surely_did_not_leave_goes_to_the_other_provider(place: Place) -> None:
    place.steady = lambda: 0.0
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(20)))
    away, well = down(), Recorder()
    async with running(place.dispatcher_over(outlet("away", away, slots=4), outlet("well", well, slots=4))):
        await place.until(ended(place, 20, "accepted"))
    assert sorted(well.sent) == sorted(f"a{n}" for n in range(20))
    assert len(away.sent) <= FAILURES_MAX + 4  # what was under way when it opened
    assert set((await providers_of(place)).values()) == {"well"}


async def test_a_channel_whose_only_provider_is_away_waits_as_due_and_goes_on_with_one_probe(place: Place) -> None:
    now = 0.0
    place.steady = lambda: now
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(20)))
    answers: list[Answer] = [UNREACHED] * FAILURES_MAX
    provider = Recorder(answer=lambda _: answers.pop() if answers else Accepted())
    dispatcher = place.dispatcher_over(outlet("only", provider, slots=FAILURES_MAX))
    for claimed in await dispatcher.claim(FAILURES_MAX) or []:
        await dispatcher.send(claimed)
    assert await dispatcher.claim(20) == []
    assert set((await place.states()).values()) == {"due"}
    now = OPEN_SECONDS
    (probe,) = await dispatcher.claim(20) or []
    assert await dispatcher.claim(20) == []  # one probe at a time
    await dispatcher.send(probe)
    assert len(await dispatcher.claim(20) or []) == FAILURES_MAX


async def test_what_waits_for_a_dead_provider_expires_as_always(place: Place) -> None:
    await place.put(a_contact())
    async with place.database.transaction() as connection:
        await say(connection, ("email", "only"), Word(enabled=False, reason="outage"))
    assert await place.dispatcher(Recorder()).claim(5) == []
    place.clock.instant = NOON + 3 * DAY
    assert await settle_overdue(place.desk) == 1
    assert await place.states() == {"action-1": "expired"}


async def test_which_provider_it_is_and_what_it_costs_is_stored_before_it_is_called(place: Place) -> None:
    await place.put(a_contact(), a_contact(action_id="b", channel="sms", address="+33612345678"))
    seen: list[tuple[str, str, int | None]] = []

    async def look(contact: Contact) -> None:
        question = "select state, provider, cost from deliveries where action_id = :id"
        seen.extend(await place.ask(question, id=contact.action_id))

    table = ",".join(COLUMNS) + "\ndear,email,*,2026-01-01,,9,EUR\ncheap,email,*,2026-01-01,,2,EUR"
    prices = parse(table, {("email", "dear"), ("email", "cheap")})
    dispatcher = place.dispatcher_over(outlet("dear", Recorder()), outlet("cheap", Recorder(before=look)), prices=prices)
    for claimed in await dispatcher.claim(5) or []:
        await dispatcher.send(claimed)
    assert seen == [("sending", "cheap", 2)]
    assert [(o.kind, o.cost, o.taken) for o in await place.outcomes()] == [("accepted", 2, True)]


async def test_two_replicas_together_keep_a_providers_rate(place: Place) -> None:
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(200)))
    instants: list[float] = []

    async def note(_contact: Contact) -> None:
        instants.append(time.monotonic())

    rate = Rate(per_second=20, burst=4)
    replicas = [place.dispatcher_over(outlet("limited", Recorder(before=note), rate=rate)) for _ in range(2)]
    started = time.monotonic()
    async with running(*replicas):
        await place.until(ended(place, 24, "accepted"))
        took = time.monotonic() - started
    assert len(instants) <= 4 + 20 * (time.monotonic() - started) + 1
    assert took >= 0.95  # 24 of them cannot go in less than a second
    assert len(instants) == len({name for name, state in (await place.states()).items() if state == "accepted"})


async def test_a_claim_takes_no_more_than_the_rate_leaves_and_gives_back_what_the_gate_kept(place: Place) -> None:
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(3)), *(a_contact(action_id=f"late{n}", not_after=NOON) for n in range(2)))
    rate = Rate(per_second=0.001, burst=5)
    async with place.database.transaction() as connection:
        await say(connection, ("email", "another"), Word())
    dispatcher = place.dispatcher_over(outlet("limited", Recorder(), rate=rate))
    assert len(await dispatcher.claim(9) or []) == 3
    await place.put(*(a_contact(action_id=f"more{n}") for n in range(9)))
    assert len(await place.dispatcher_over(outlet("limited", Recorder(), rate=rate)).claim(9) or []) == 2  # another replica
    assert await place.dispatcher_over(outlet("limited", Recorder(), rate=rate)).claim(9) == []


async def test_of_two_claims_at_once_the_second_waits_and_gets_what_the_first_left_of_the_rate(place: Place) -> None:
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(9)))
    rate = Rate(per_second=0.001, burst=5)

    first = Outlets("email", [outlet("limited", Recorder(), rate=rate)], place.clock, place.steady)
    async with place.database.transaction() as connection:
        await say(connection, ("email", "limited"), Word())
    async with place.database.transaction() as connection:
        allotted = await first.allot(9, connection)
        for n in range(3):
            allotted.way(queue(a_contact(action_id=f"x{n}"), NOON), NOON)
        await allotted.keep(connection)
        second = asyncio.create_task(place.dispatcher_over(outlet("limited", Recorder(), rate=rate)).claim(9))
        await place.until(place.waits)
    assert len(await second or []) == 2


async def test_a_provider_that_asks_for_a_pause_does_not_keep_a_delivery_that_another_can_take(place: Place) -> None:
    await place.put(a_contact())
    busy = Recorder(answer=lambda _: Refused(detail="429", permanent=False, retry_after_seconds=600))
    well = Recorder()
    async with running(place.dispatcher_over(outlet("busy", busy), outlet("well", well))):
        await place.until(ended(place, 1, "accepted"))
    assert (busy.sent, well.sent) == (["action-1"], ["action-1"])


async def test_a_provider_that_asks_for_a_pause_keeps_it_where_there_is_no_other(place: Place) -> None:
    await place.put(a_contact())
    busy = Recorder(answer=lambda _: Refused(detail="429", permanent=False, retry_after_seconds=600))
    dispatcher = place.dispatcher(busy)
    for claimed in await dispatcher.claim(5) or []:
        await dispatcher.send(claimed)
    ((held,),) = await place.ask("select held_until > clock_timestamp() + interval '590 s' from deliveries")
    assert held
    await place.put(a_contact(action_id="b"))
    assert await dispatcher.claim(5) == []


async def test_a_claim_that_was_not_carried_out_frees_its_slot_and_the_probe(place: Place) -> None:
    now = 0.0
    place.monotonic = lambda: now
    await place.put(a_contact())
    provider = outlet("only", Recorder(), slots=1)
    dispatcher = place.dispatcher_over(provider)
    (claimed,) = await dispatcher.claim(5) or []
    assert list(provider.under_way) == ["action-1"]
    now = PATIENT_SECONDS + 1
    await dispatcher.send(claimed)
    assert provider.under_way == {}
    assert provider.tally.recent(time.time()) == {}


async def test_what_the_build_before_queued_and_nobody_comes_for_expires_and_the_rest_stays(place: Place) -> None:
    await place.put(a_contact(action_id="late", not_after=NOON), a_contact(action_id="early"))
    await place.ask("update deliveries set not_after = null")
    watching = asyncio.create_task(watch(place.desk))

    async def is_settled() -> bool:
        return await place.states() == {"late": "expired", "early": "due"}

    try:
        await place.until(is_settled)
    finally:
        watching.cancel()
    dated = await place.ask("select not_after from deliveries where action_id = 'early'")
    assert dated == [(a_contact().not_after,)]


async def test_what_the_build_before_stored_is_claimed_and_expires_at_its_claim(place: Place) -> None:
    await place.put(a_contact(), a_contact(action_id="late", not_after=NOON))
    await place.ask("update deliveries set not_after = null")
    assert await settle_overdue(place.desk) == 0
    assert [c.contact.action_id for c in await place.dispatcher(Recorder()).claim(5) or []] == ["action-1"]
    assert await place.states() == {"action-1": "sending", "late": "expired"}
