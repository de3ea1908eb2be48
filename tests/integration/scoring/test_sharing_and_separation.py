"""Shared names and separations on the real PostgreSQL: what a batch must load beside what it names, and where lines go."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from nextwave_scoring.identity import derive
from nextwave_scoring.sharing import holder_of
from sqlalchemy.exc import DBAPIError

from .desk import PARTITIONS, Desk, seen

ANN, BOB, PHONE = "customer_id:ann", "customer_id:bob", "phone:+493012345678"


async def test_a_stop_through_a_shared_name_reaches_customers_that_the_batch_does_not_name(desk: Desk) -> None:
    await desk.work(seen(1, ANN, PHONE), seen(2, BOB, PHONE))
    messages = await desk.work(seen(3, PHONE, kind="sms.received", wish="opt_out"), partition=1)
    assert {m.customer_id for m in messages} == {holder_of(PHONE), derive(ANN), derive(BOB)}
    [updated] = await desk.work(seen(4, BOB), partition=2)
    assert [(c.channel, c.granted) for c in updated.profile.consents] == [("sms", False)]


async def test_partitions_that_begin_to_share_a_name_at_once_credit_nobody_alone(desk: Desk) -> None:
    await desk.work(seen(1, ANN, PHONE))

    async def come(number: int) -> None:
        for _ in range(20):
            with suppress(DBAPIError):  # a deadlock: the batch is tried again, as the processor does
                await desk.work(seen(10 + number, f"customer_id:{number}", PHONE), seen(20 + number, PHONE), partition=number % PARTITIONS)
                return
        raise AssertionError("deadlocked again and again")

    await asyncio.gather(*(come(number) for number in range(6)))
    [updated] = await desk.work(seen(40, PHONE))
    assert updated.customer_id == holder_of(PHONE)
    assert await desk.rows("select count(*) from timeline t join customers c on c.id = t.customer_id where c.merged_into is null") == [
        (14,)
    ]
    lines = await desk.rows(f"select count(*) from timeline where customer_id = '{holder_of(PHONE)}'")
    assert lines == [(7,)]


async def test_a_separated_customers_lines_are_theirs_and_later_names_find_them(desk: Desk) -> None:
    mail, other = "email:ann@example.com", "email:bob@example.com"
    await desk.work(seen(1, mail), seen(2, other, kind="order.placed", amount=5, currency="EUR"))
    await desk.work(seen(3, mail, other), seen(4, other))
    remaining, left = await desk.work(seen(5, mail, kind="identities.separated", identifiers=[other]))
    assert (remaining.profile.orders.count, left.profile.orders.count) == (0, 1)
    [again] = await desk.work(seen(6, other), partition=3)
    assert again.customer_id == left.customer_id
    rows = await desk.rows(f"select id, identifiers from timeline where customer_id = '{left.customer_id}' order by at")
    assert rows == [("t2", other), ("t4", other), ("t5", other), ("t6", other)]
    [kept] = await desk.work(seen(7, mail, other))
    assert kept.customer_id == remaining.customer_id
