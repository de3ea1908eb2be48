"""Shared names and separations on the real PostgreSQL: what a batch must load beside what it names, and where lines go."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from random import Random

import asyncpg
import pytest
from nextwave_scoring import store
from nextwave_scoring.customer import Customer
from nextwave_scoring.identity import derive
from nextwave_scoring.unit import Unit

from .desk import PARTITIONS, Desk, seen

ANN, BOB, PHONE = "customer_id:ann", "customer_id:bob", "phone:+493012345678"
COUNTED = (
    "select count(distinct coalesce(c.merged_into, c.id)) from identifiers i join customers c on c.id = i.customer_id"
    " where i.name = '{}' or i.name like '{}'"
)
"""How many customers a name and those like another mean."""


async def test_a_stop_through_a_shared_name_reaches_customers_that_the_batch_does_not_name(desk: Desk) -> None:
    await desk.work(seen(1, ANN, PHONE), seen(2, BOB, PHONE))
    messages = await desk.work(seen(3, PHONE, kind="sms.received", wish="opt_out"), partition=1)
    [(holder,)] = await desk.rows(f"select cast(customer_id as text) from identifiers where name = '{PHONE}'")
    assert {m.customer_id for m in messages} == {holder, derive(ANN), derive(BOB)}
    assert len(messages) == 3
    [updated] = await desk.work(seen(4, BOB), partition=2)
    assert [(c.channel, c.granted) for c in updated.profile.consents] == [("sms", False)]


async def test_partitions_that_begin_to_share_a_name_at_once_credit_nobody_alone(desk: Desk) -> None:
    await desk.work(seen(1, ANN, PHONE))

    async def come(number: int) -> None:
        for _ in range(20):
            with suppress(asyncpg.DeadlockDetectedError):  # a deadlock: the batch is tried again, as the processor does
                await desk.work(seen(10 + number, f"customer_id:{number}", PHONE), seen(20 + number, PHONE), partition=number % PARTITIONS)
                return
        raise AssertionError("deadlocked again and again")

    await asyncio.gather(*(come(number) for number in range(6)))
    [updated] = await desk.work(seen(40, PHONE))
    assert updated.customer_id not in {derive(f"customer_id:{number}") for number in ("ann", *range(6))}
    assert await desk.rows("select count(*) from timeline t join customers c on c.id = t.customer_id where c.merged_into is null") == [
        (14,)
    ]
    lines = await desk.rows(f"select count(*) from timeline where customer_id = '{updated.customer_id}'")
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


async def test_a_binding_that_was_read_before_its_customer_was_locked_is_read_again(desk: Desk) -> None:
    await desk.work(seen(1, ANN, PHONE))
    unit = Unit(0, PARTITIONS)
    async with desk.database.transaction() as connection:
        await store.load_names(connection, unit, [PHONE])
        await desk.work(seen(2, BOB, PHONE), partition=1)
        await store.load_customers(connection, unit, [])
    assert unit.root_of_name(PHONE) not in {derive(ANN), derive(BOB), None}
    assert unit.root_of_name(ANN) is None


async def test_a_name_that_is_shared_again_merges_no_strangers(desk: Desk) -> None:
    await desk.work(seen(1, ANN, PHONE), seen(2, BOB, PHONE))
    await desk.work(seen(3, ANN, PHONE, kind="identities.linked"))
    await desk.work(seen(4, BOB, PHONE), partition=1)
    [updated] = await desk.work(seen(5, ANN, PHONE), partition=2)
    assert updated.customer_id == derive(ANN)
    ids = await desk.rows(f"select distinct customer_id from identifiers where name in ('{ANN}', '{BOB}', '{PHONE}')")
    assert len(ids) == 3
    assert await desk.rows("select count(*) from customers where merged_into is not null and state <> ''") == [(0,)]


async def test_strangers_stay_strangers_in_any_sequence_of_batches(desk: Desk) -> None:
    """The law of `tests/unit/scoring/test_sharing_law.py` on what is stored; each account is linked to names at most, never to another."""
    chance = Random(7)  # a test that is the same each time
    for round_ in range(6):
        accounts = [f"customer_id:{round_}-{n}" for n in range(3)]
        phone = f"phone:+49301234567{round_}"
        await desk.work(*(seen(n, account, phone) for n, account in enumerate(accounts)))
        for number in range(12):
            kind = chance.choice(["page.viewed", "page.viewed", "identities.linked"])
            names = (accounts[chance.randrange(3)], *chance.choice([(), (phone,), (phone,)]))
            [(roots,)] = await desk.rows(COUNTED.format(f"{phone}", f"customer_id:{round_}-%"))
            kind = "page.viewed" if roots == len(accounts) else kind  # a link to another's own name would make them one
            await desk.work(seen(100 + number, *names, kind=kind), partition=chance.randrange(PARTITIONS))
        assert await desk.rows(COUNTED.format("", f"customer_id:{round_}-%")) == [(3,)], round_


async def test_who_was_absorbed_is_never_written_again(desk: Desk) -> None:
    await desk.work(seen(1, "anonymous_id:d"), seen(2, "email:d@example.com"), seen(3, "email:d@example.com", "anonymous_id:d"))
    unit = Unit(0, PARTITIONS)
    unit.customers[derive("anonymous_id:d")] = Customer()
    unit.changed.add(derive("anonymous_id:d"))
    with pytest.raises(RuntimeError, match="absorbed"):
        async with desk.database.transaction() as connection:
            await store.save(connection, unit)
