"""Claims on the real PostgreSQL: nothing goes out twice, a stop wins or loses cleanly, a crash leaves `unknown`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from channel_contacts import DAY, HOUR, NOON, a_contact
from channels_place import PARTITIONS, PATIENT_SECONDS, Place, Recorder
from nextwave_channels import facts, stopping, store
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.claiming import settle_lapsed, settle_overdue
from nextwave_channels.delivery import begin
from nextwave_channels.dispatcher import Bell, Dispatcher
from nextwave_channels.gate import Claim, Fact, check
from nextwave_channels.outlets import Outlet, Outlets
from nextwave_channels.pacing import Pace
from nextwave_contracts.actions import Contact, Span
from sqlalchemy.ext.asyncio import AsyncConnection


async def run_until(place: Place, dispatchers: list[Dispatcher], holds: Callable[[], Awaitable[bool]]) -> None:
    tasks = [asyncio.create_task(d.run()) for d in dispatchers]
    try:
        await place.until(holds)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_two_dispatchers_together_send_each_delivery_exactly_once(place: Place) -> None:
    await place.put(*(a_contact(action_id=f"a{n}", customer_id=f"c{n}") for n in range(200)))
    one, two = Recorder(), Recorder()

    async def all_accepted() -> bool:
        return set((await place.states()).values()) == {"accepted"}

    await run_until(place, [place.dispatcher(one), place.dispatcher(two)], all_accepted)
    assert sorted(one.sent + two.sent) == sorted(f"a{n}" for n in range(200))
    assert one.sent
    assert two.sent
    told = await place.outcomes()
    assert sorted((o.action_id, o.kind, o.cost) for o in told) == sorted((f"a{n}", "accepted", 3) for n in range(200))


async def test_a_stop_that_commits_while_a_claim_waits_wins(place: Place) -> None:
    await place.put(a_contact())
    fact = Fact(subject="hash-ann-id", kind="opt", stopped=True, at=NOON)
    async with place.database.transaction() as connection:
        await store.enter_stop(connection)
        claim = asyncio.create_task(place.dispatcher(Recorder()).claim(5))
        await asyncio.sleep(0.2)
        assert not claim.done()
        await facts.put(connection, [fact])
    assert await claim == []
    assert await place.states() == {"action-1": "withdrawn"}
    assert [(o.kind, o.detail) for o in await place.outcomes()] == [("withdrawn", "suppressed")]


async def test_a_stop_that_comes_after_the_claim_waits_for_it_and_leaves_what_is_out(place: Place) -> None:
    await place.put(a_contact(), a_contact(action_id="action-2", channel="sms"))
    fact = Fact(subject="hash-ann-id", kind="opt", stopped=True, at=NOON)

    async def stop() -> int:
        async with place.database.transaction() as connection:
            return await stopping.record_facts(connection, [fact], NOON, PARTITIONS)

    async with place.database.transaction() as connection:
        await store.enter_claim(connection)
        stopped = asyncio.create_task(stop())
        await asyncio.sleep(0.2)
        assert not stopped.done()
        (due,) = await store.lock_due(connection, store.Selection("email"), 5, NOON)
        stops = await facts.stops(connection, [due.contact])
        assert check(due.contact, stops, NOON, NOON) == Claim()
        await store.report(connection, [begin(due, NOON, 60)], PARTITIONS)
    assert await stopped == 1
    assert await place.states() == {"action-1": "sending", "action-2": "withdrawn"}


async def test_stops_among_many_claims_never_let_a_later_send_through(place: Place) -> None:
    """Each customer is stopped while both dispatchers work; a send may only begin if its claim came before the stop."""
    await place.put(*(a_contact(action_id=f"a{n}", subjects=(f"s{n}",), value=float(n % 10)) for n in range(120)))
    withdrawn: set[str] = set()
    late: list[str] = []

    async def notice(contact: Contact) -> None:
        if contact.action_id in withdrawn:
            late.append(contact.action_id)
        await asyncio.sleep(0.005)

    async def stop_all() -> None:
        for n in range(120):
            async with place.database.transaction() as connection:
                fact = Fact(subject=f"s{n}", kind="opt", stopped=True, at=NOON)
                if await stopping.record_facts(connection, [fact], NOON, PARTITIONS):
                    withdrawn.add(f"a{n}")

    adapters = [Recorder(before=notice), Recorder(before=notice)]
    stopper = asyncio.create_task(stop_all())

    async def settled() -> bool:
        return stopper.done() and not {"due", "sending"} & set((await place.states()).values())

    await run_until(place, [place.dispatcher(a, Pace(concurrency=4)) for a in adapters], settled)
    await stopper
    sent = adapters[0].sent + adapters[1].sent
    assert late == []
    assert sorted(sent) == sorted(name for name, state in (await place.states()).items() if state == "accepted")
    assert withdrawn == {name for name, state in (await place.states()).items() if state == "withdrawn"}
    assert len(sent) + len(withdrawn) == 120
    assert sent
    assert withdrawn


async def test_a_crash_between_the_commit_and_the_call_leaves_unknown_and_no_second_send(place: Place) -> None:
    await place.put(a_contact())
    crashed = place.dispatcher(Recorder(), Pace(concurrency=8, lease_seconds=0.05, fresh_seconds=PATIENT_SECONDS))
    assert len(await crashed.claim(5) or []) == 1  # and here its process dies
    assert await settle_lapsed(place.desk) in {0, 1}
    await asyncio.sleep(0.1)
    await settle_lapsed(place.desk)
    assert await place.states() == {"action-1": "unknown"}
    survivor = Recorder()
    assert await place.dispatcher(survivor).claim(5) is None
    assert [o.kind for o in await place.outcomes()] == ["unknown"]


async def test_a_lease_that_runs_still_protects_the_send(place: Place) -> None:
    await place.put(a_contact())
    await place.dispatcher(Recorder()).claim(5)
    assert await settle_lapsed(place.desk) == 0
    assert await place.states() == {"action-1": "sending"}


async def test_an_answer_after_the_lease_reconciles_the_unknown_delivery(place: Place) -> None:
    await place.put(a_contact())
    dispatcher = place.dispatcher(Recorder(), Pace(concurrency=8, lease_seconds=0.01, fresh_seconds=PATIENT_SECONDS))
    (delivery,) = await dispatcher.claim(5) or []
    await asyncio.sleep(0.05)
    await settle_lapsed(place.desk)
    await dispatcher.send(delivery)
    assert await place.states() == {"action-1": "accepted"}
    assert [(o.kind, o.cost) for o in await place.outcomes()] == [("accepted", 3), ("unknown", 0)]


async def test_an_uncertain_answer_is_unknown_and_never_repeated(place: Place) -> None:
    await place.put(a_contact())
    adapter = Recorder(answer=lambda _: Uncertain(detail="connection lost"))

    async def unknown() -> bool:
        return await place.states() == {"action-1": "unknown"}

    await run_until(place, [place.dispatcher(adapter)], unknown)
    assert await place.dispatcher(adapter).claim(5) is None
    assert adapter.sent == ["action-1"]


async def test_an_adapter_that_breaks_or_hangs_is_uncertain(place: Place) -> None:
    await place.put(a_contact(), a_contact(action_id="action-2"))

    async def hang(contact: Contact) -> None:
        if contact.action_id == "action-2":
            await asyncio.sleep(60)
        raise RuntimeError("defect")

    adapter = Recorder(before=hang)

    async def unknown() -> bool:
        return set((await place.states()).values()) == {"unknown"}

    await run_until(place, [place.dispatcher(adapter, Pace(concurrency=8, deadline_seconds=0.2))], unknown)
    assert sorted(adapter.sent) == ["action-1", "action-2"]


async def test_a_sure_refusal_is_sent_again_after_its_wait_and_then_accepted(place: Place) -> None:
    await place.put(a_contact())
    answers: list[Answer] = [Refused(detail="450 later", permanent=False), Accepted()]
    adapter = Recorder(answer=lambda _: answers.pop(0))

    async def accepted() -> bool:
        return await place.states() == {"action-1": "accepted"}

    started = asyncio.get_running_loop().time()
    await run_until(place, [place.dispatcher(adapter)], accepted)
    assert adapter.sent == ["action-1"] * 2
    assert asyncio.get_running_loop().time() - started >= 1.0
    assert [o.kind for o in await place.outcomes()] == ["accepted"]


async def test_outside_the_permitted_hours_it_waits_for_the_next_span(place: Place) -> None:
    await place.put(a_contact())
    place.clock.instant = NOON + 9 * HOUR
    dispatcher = place.dispatcher(Recorder())
    assert await dispatcher.claim(5) == []
    assert await place.ask("select state, due_at from deliveries") == [("due", NOON + DAY)]
    assert await dispatcher.claim(5) is None
    place.clock.instant = NOON + DAY + timedelta(seconds=1)
    assert len(await dispatcher.claim(5) or []) == 1


async def test_what_might_begin_after_the_hours_waits_for_the_next_span(place: Place) -> None:
    closing = NOON + timedelta(seconds=5)
    await place.put(a_contact(permitted=(Span(start=NOON, end=closing), Span(start=NOON + HOUR, end=NOON + 2 * HOUR))))
    assert await place.dispatcher(Recorder(), Pace(concurrency=8, fresh_seconds=5.0)).claim(5) == []
    assert await place.states() == {"action-1": "due"}


async def test_what_nobody_comes_for_expires_at_its_latest_time_by_itself(place: Place) -> None:
    await place.put(a_contact(channel="visit"), a_contact(action_id="later", channel="visit", not_after=NOON + 9 * DAY))
    assert await settle_overdue(place.desk) == 0
    place.clock.instant = NOON + 2 * DAY
    assert await settle_overdue(place.desk) == 1
    assert await place.states() == {"action-1": "expired", "later": "due"}
    assert [(o.action_id, o.kind) for o in await place.outcomes()] == [("action-1", "expired")]


async def test_past_its_latest_time_it_expires_instead_of_bursting(place: Place) -> None:
    await place.put(*(a_contact(action_id=f"a{n}") for n in range(5)))
    place.clock.instant = NOON + 3 * DAY
    assert await place.dispatcher(Recorder()).claim(10) == []
    assert set((await place.states()).values()) == {"expired"}
    assert {(o.kind, o.cost) for o in await place.outcomes()} == {("expired", 0)}


async def test_a_recipient_whom_the_provider_knows_as_stopped_is_suppressed_at_once(place: Place) -> None:
    await place.put(a_contact(), a_contact(action_id="action-2"))
    dispatcher = place.dispatcher(Recorder(answer=lambda _: Refused(detail="21610", permanent=True, opted_out=True)))
    (delivery,) = await dispatcher.claim(1) or []
    await dispatcher.send(delivery)
    assert sorted((await place.states()).values()) == ["refused", "withdrawn"]
    assert await place.ask("select distinct subject, channel, stopped from stops order by 1") == [
        ("hash-ann-id", "email", True),
        ("hash-ann-mail", "email", True),
    ]


async def test_a_stopped_dispatcher_finishes_what_it_began(place: Place) -> None:
    await place.put(a_contact())
    begun = asyncio.Event()

    async def slow(_contact: Contact) -> None:
        begun.set()
        await asyncio.sleep(0.3)

    task = asyncio.create_task(place.dispatcher(Recorder(before=slow)).run())
    await begun.wait()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await place.states() == {"action-1": "accepted"}


async def test_idle_dispatchers_ask_the_database_together_a_few_times_a_second(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    original = store.next_due

    async def counted(connection: AsyncConnection) -> dict[str, datetime]:
        nonlocal asked
        asked += 1
        return await original(connection)

    monkeypatch.setattr(store, "next_due", counted)
    desk, pace = place.desk, Pace(concurrency=8)
    outlet = Outlet(provider="only", adapter=Recorder(), pace=pace)
    channels = [Outlets(name, [outlet], place.clock, place.steady) for name in ("email", "sms", "webpush")]
    tasks = [asyncio.create_task(Dispatcher(each, desk, Bell()).run()) for each in channels]
    await asyncio.sleep(1.0)  # the first asks come quickly
    before = asked
    await asyncio.sleep(1.0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert 1 <= asked - before <= 6
