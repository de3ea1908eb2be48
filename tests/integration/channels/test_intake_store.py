"""The intake on the real PostgreSQL: what it locks, withdraws and stores; and the database's own refusals."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest
from channel_contacts import HOUR, NOON, a_contact
from channels_place import PARTITIONS, Place, Recorder
from nextwave_channels import delivery as life
from nextwave_channels import intake as intake_module
from nextwave_channels import store
from nextwave_channels.answers import Refused
from nextwave_channels.claiming import settle_lapsed
from nextwave_channels.intake import Intake
from nextwave_channels.store import Selection
from nextwave_contracts.actions import ResumeCampaign, StopCampaign, Withdraw
from nextwave_contracts.holds import Hold
from nextwave_contracts.topics import ACTIONS, HOLDS, partition_of
from nextwave_runtime import timers
from nextwave_runtime.application import Taken, Timer, Work

MINE = partition_of(b"customer-1", PARTITIONS)


async def take_in(
    place: Place, *messages: object, due: tuple[Timer, ...] = (), partition: int = MINE, at: datetime = NOON
) -> list[tuple[str, str, str]]:
    """Does one batch, appended `at`, as the processor does; (action, kind, detail) of what it publishes."""
    woken: list[str] = []
    intake = Intake(frozenset({"email", "sms"}), woken.append)
    taken = [Taken(HOLDS if isinstance(m, Hold) else ACTIONS, partition, n, at, m) for n, m in enumerate(messages)]
    items: list[Taken | Timer] = [*taken, *due]
    work = Work(ACTIONS, partition, PARTITIONS, place.clock.now(), taken, due)
    async with place.database.transaction() as connection:
        unit = await intake.load(connection, work)
        told = [out.message for item in items for out in list(intake.fold(unit, item, work.now))]
        await intake.save(connection, unit)
    return [(o.action_id, o.kind, o.detail) for o in told]


async def due_timers(place: Place, partition: int = MINE) -> tuple[Timer, ...]:
    async with place.database.transaction() as connection:
        return tuple(await timers.take_due(connection, partition, timers.Gates(NOON + 9 * HOUR, None), 100))


async def test_a_contact_taken_in_twice_is_one_delivery_and_is_dispatched_once(place: Place) -> None:
    assert await take_in(place, a_contact(), a_contact()) == []
    assert await take_in(place, a_contact()) == []
    adapter = Recorder()
    dispatcher = place.dispatcher(adapter)
    for delivery in await dispatcher.claim(5) or []:
        await dispatcher.send(delivery)
    assert await take_in(place, a_contact()) == []
    assert await dispatcher.claim(5) is None
    assert adapter.sent == ["action-1"]


async def test_the_outcome_of_a_dispatch_is_published_by_the_partitions_owner_once(place: Place) -> None:
    await take_in(place, a_contact())
    dispatcher = place.dispatcher(Recorder())
    for delivery in await dispatcher.claim(5) or []:
        await dispatcher.send(delivery)
    due = await due_timers(place)
    assert [(t.gate, t.kind in Intake.hands_over) for t in due] == [("clock", True)]  # rows that the build before fires, too
    assert await take_in(place, due=due) == [("action-1", "accepted", "")]
    assert await due_timers(place) == ()


async def test_a_withdrawal_reaches_what_is_queued_but_not_what_is_out(place: Place) -> None:
    await take_in(
        place, a_contact(), a_contact(action_id="action-2", channel="sms"), a_contact(action_id="other", run_id="run-2", channel="sms")
    )
    await place.dispatcher(Recorder()).claim(5)
    message = Withdraw(customer_id="customer-1", run_id="run-1", reason="responded", at=NOON)
    assert await take_in(place, message) == [("action-2", "withdrawn", "responded")]
    assert await place.states() == {"action-1": "sending", "action-2": "withdrawn", "other": "due"}
    assert await place.ask("select action_id, kind, detail from steps") == [("action-2", "withdrawn", "responded")]


RESPONDED = Withdraw(customer_id="customer-1", run_id="run-1", reason="responded", at=NOON)
OPTED_OUT = Hold(id="o", source="s", kind="opt_out", subjects=("hash-ann-id",), at=NOON)
COMPLAINED = Hold(id="h", source="s", kind="complaint", subjects=("hash-ann-id",), at=NOON, reference="T1")
STOPPED = StopCampaign(campaign="renewal", at=NOON)


@pytest.mark.parametrize(
    ("message", "reason"),
    [(RESPONDED, "responded"), (OPTED_OUT, "suppressed"), (COMPLAINED, "complaint_open"), (STOPPED, "campaign_stopped")],
)
async def test_what_is_withdrawn_while_it_is_being_sent_is_not_sent_again_after_a_refusal(
    place: Place, message: object, reason: str
) -> None:
    await take_in(place, a_contact())
    adapter = Recorder(answer=lambda _: Refused(detail="503", permanent=False))
    dispatcher = place.dispatcher(adapter)
    (delivery,) = await dispatcher.claim(5) or []
    assert await take_in(place, message) == []
    assert await take_in(place, message) == []
    assert await settle_lapsed(place.desk) == 0, "the lease runs on"
    await dispatcher.send(delivery)
    assert [(o.kind, o.detail) for o in await place.outcomes()] == [("withdrawn", reason)]
    assert await place.states() == {"action-1": "withdrawn"}
    assert adapter.sent == ["action-1"]


async def test_a_withdrawal_during_the_send_leaves_other_sends_alone(place: Place) -> None:
    await take_in(place, a_contact(), a_contact(action_id="other", run_id="run-2", campaign="other", subjects=("hash-bob",)))
    dispatcher = place.dispatcher(Recorder(answer=lambda _: Refused(detail="503", permanent=False)))
    claimed = await dispatcher.claim(5) or []
    for message in (RESPONDED, OPTED_OUT, COMPLAINED, STOPPED):
        await take_in(place, message)
    for delivery in claimed:
        await dispatcher.send(delivery)
    assert await place.states() == {"action-1": "withdrawn", "other": "due"}


async def test_a_contact_that_is_withdrawn_in_its_own_batch_is_stored_as_withdrawn(place: Place) -> None:
    message = Withdraw(customer_id="customer-1", run_id="run-1", reason="responded", at=NOON)
    assert await take_in(place, a_contact(), message) == [("action-1", "withdrawn", "responded")]
    assert await place.states() == {"action-1": "withdrawn"}


async def test_a_hold_reaches_queued_deliveries_of_every_partition(place: Place) -> None:
    await take_in(place, a_contact())
    hold = Hold(id="h", source="s", kind="complaint", subjects=("hash-ann-id",), at=NOON, reference="T1")
    assert await take_in(place, hold, partition=(MINE + 1) % PARTITIONS) == [("action-1", "withdrawn", "complaint_open")]
    await take_in(place, a_contact(action_id="later"), a_contact(action_id="sorry", purpose="recovery"))
    claimed = await place.dispatcher(Recorder()).claim(5) or []
    assert [d.contact.action_id for d in claimed] == ["sorry"]
    lifted = Hold(id="l", source="s", kind="complaint_lifted", subjects=("hash-ann-id",), at=NOON + HOUR, reference="T1")
    await take_in(place, lifted, at=NOON + HOUR)
    await take_in(place, a_contact(action_id="after"))
    assert [d.contact.action_id for d in await place.dispatcher(Recorder()).claim(5) or []] == ["after"]


async def test_a_late_old_opt_in_does_not_lift_a_newer_opt_out(place: Place) -> None:
    out = Hold(id="1", source="s", kind="opt_out", subjects=("hash-ann-id",), at=NOON)
    old = Hold(id="2", source="s", kind="opt_in", subjects=("hash-ann-id",), at=NOON - HOUR)
    await take_in(place, out)
    await take_in(place, old)
    await take_in(place, a_contact())
    assert await place.dispatcher(Recorder()).claim(5) == []
    assert await place.states() == {"action-1": "withdrawn"}


async def test_a_stopped_campaign_is_withdrawn_in_bounded_pieces_and_never_sent(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "STOP_MAX", 2)
    await take_in(place, *(a_contact(action_id=f"a{n}") for n in range(5)), a_contact(action_id="b", campaign="other"))
    assert len(await take_in(place, StopCampaign(campaign="renewal", at=NOON))) == 2
    for piece in (2, 1):
        assert len(await take_in(place, due=await due_timers(place))) == piece
    assert await due_timers(place) == ()
    await take_in(place, a_contact(action_id="late"))
    assert [d.contact.action_id for d in await place.dispatcher(Recorder()).claim(9) or []] == ["b"]
    assert sorted((await place.states()).values()) == ["sending"] + ["withdrawn"] * 6
    await take_in(place, ResumeCampaign(campaign="renewal", at=NOON + HOUR))
    await take_in(place, a_contact(action_id="again"))
    assert [d.contact.action_id for d in await place.dispatcher(Recorder()).claim(9) or []] == ["again"]


async def test_withdrawing_the_rest_of_a_stopped_campaign_neither_waits_for_claims_nor_keeps_them_back(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "STOP_MAX", 1)
    await take_in(place, a_contact(), a_contact(action_id="a2"), a_contact(action_id="b", campaign="other"))
    assert len(await take_in(place, StopCampaign(campaign="renewal", at=NOON))) == 1
    rest = await due_timers(place)
    async with place.database.transaction() as connection:
        await store.enter_claim(connection)
        assert len(await asyncio.wait_for(take_in(place, due=rest), 5)) == 1
    assert await place.states() == {"action-1": "withdrawn", "a2": "withdrawn", "b": "due"}


async def test_what_a_claim_has_in_its_hands_does_not_end_the_withdrawing_of_the_rest(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim of a stopped campaign's deliveries settles them itself, and the piece that is withdrawn beside it is the smaller."""
    monkeypatch.setattr(intake_module, "STOP_MAX", 2)
    await take_in(place, *(a_contact(action_id=f"a{n}", value=float(n == 2)) for n in range(6)))
    assert len(await take_in(place, StopCampaign(campaign="renewal", at=NOON))) == 2
    async with place.database.transaction() as connection:
        await store.enter_claim(connection)
        claimed = await store.lock_due(connection, Selection("email"), 1, NOON)
        withdrawing = asyncio.create_task(take_in(place, due=await due_timers(place)))
        await asyncio.sleep(0.2)
        steps = [life.withdraw(delivery, NOON, "campaign_stopped") for delivery in claimed]
        await store.report(connection, steps, PARTITIONS)
    assert len(await withdrawing) == 1
    while due := await due_timers(place):
        await take_in(place, due=tuple(timer for timer in due if timer.kind == intake_module.STOP_TIMER))
    assert set((await place.states()).values()) == {"withdrawn"}


async def test_a_batch_with_a_stop_waits_for_a_claim_under_way_and_one_without_does_not(place: Place) -> None:
    async with place.database.transaction() as connection:
        await store.enter_claim(connection)
        await asyncio.wait_for(take_in(place, a_contact()), 5)
        stop = asyncio.create_task(take_in(place, StopCampaign(campaign="renewal", at=NOON)))
        await asyncio.sleep(0.2)
        assert not stop.done()
    assert await stop == [("action-1", "withdrawn", "campaign_stopped")]
