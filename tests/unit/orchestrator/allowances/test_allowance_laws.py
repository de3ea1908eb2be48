"""A budget over several partitions, in any interleaving: an independent ledger of every contact says whether it was ever overspent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from nextwave_orchestrator.allowances import Leases
from unit.orchestrator.allowances.bank import Bank
from unit.orchestrator.decision_world import MONDAY_NOON

SCOPE = "budget/winter"
MINUTE = timedelta(minutes=1)
PARTITIONS = 2

partition = st.integers(0, PARTITIONS - 1)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("contact"), partition, st.sampled_from([1, 3, 8])),
        st.tuples(st.just("contact"), partition, st.just(8)),
        st.tuples(st.just("commit"), partition),
        st.tuples(st.just("commit"), partition),
        st.tuples(st.just("crash"), partition),
        st.tuples(st.just("fail"), partition, st.integers(0, 99)),
        st.tuples(st.just("amount"), st.integers(0, 40)),
    ),
    min_size=20,
    max_size=60,
)


class World:
    """Batches under way, and the ledger: what every contact that was ever committed cost, until it failed."""

    def __init__(self, amount: int) -> None:
        self.bank = Bank(SCOPE, amount, PARTITIONS)
        self.open: dict[int, Leases] = {}
        self.made: dict[int, list[int]] = {}
        self.failed: dict[int, list[int]] = {}
        self.ledger: list[int] = []
        self.most_allowed = amount

    def begin(self, n: int) -> None:
        if n not in self.open:
            self.open[n] = self.bank.load(n, MONDAY_NOON)
            self.made[n], self.failed[n] = [], []

    def contact(self, n: int, cost: int) -> str:
        self.begin(n)
        leases = self.open[n]
        left = leases.left(SCOPE)
        assert left is not None
        if cost <= left:
            leases.reserve({SCOPE: cost})
            self.made[n].append(cost)
            return "act"
        return "put off" if leases.puts_off({SCOPE: cost}) else "withhold"

    def fail(self, n: int, which: int) -> None:
        """Word comes, at whatever partition, that a contact made earlier has failed."""
        self.begin(n)
        if self.ledger:
            cost = self.ledger.pop(which % len(self.ledger))
            self.open[n].give_back(SCOPE, cost)
            self.failed[n].append(cost)

    def commit(self, n: int) -> bool:
        leases = self.open.pop(n, None)
        if leases is None:
            return True
        done = self.bank.save(n, leases)
        self.ledger += self.made[n] if done else self.failed[n]
        return done

    def crash(self, n: int) -> None:
        if self.open.pop(n, None) is not None:
            self.ledger += self.failed[n]

    def amount(self, amount: int) -> None:
        self.bank.set(amount)


def under_way(world: World) -> int:
    return sum(cost for n in world.open for cost in world.failed[n])


def run(world: World, written: list[Any]) -> None:
    for name, *arguments in written:
        spent = sum(world.ledger) + under_way(world)
        getattr(world, name)(*arguments)
        after = sum(world.ledger) + under_way(world)
        amount = world.bank.amount
        assert amount is not None
        assert after <= max(amount, spent), "more was spent than the budget has, by a contact made since it was so low"
        assert world.bank.spent == after, "what is booked is what the contacts cost"


@settings(max_examples=120)
@given(amount=st.integers(0, 40), written=steps)
def test_a_budget_is_never_overspent_and_what_is_booked_is_what_was_contacted(amount: int, written: list[Any]) -> None:
    run(World(amount), written)


@settings(max_examples=80)
@given(amount=st.integers(0, 40), written=steps, spender=partition, cost=st.sampled_from([1, 8]))
def test_at_rest_everything_that_is_left_can_be_spent_from_any_one_partition(
    amount: int, written: list[Any], spender: int, cost: int
) -> None:
    world = World(amount)
    run(world, written)
    for n in range(PARTITIONS):
        world.crash(n)
    assert world.bank.amount is not None
    affordable = max(0, world.bank.amount - sum(world.ledger)) // cost
    acts, said = 0, ""
    while said != "withhold":
        rounds = 0
        while (said := world.contact(spender, cost)) == "put off":
            assert world.commit(spender), "nobody else is at work"
            rounds += 1
            assert rounds <= 3, "whoever is put off is answered soon"
        acts += said == "act"
        assert world.commit(spender)
    assert acts == affordable


def test_a_batch_whose_lease_was_shared_out_meanwhile_may_not_commit() -> None:
    world = World(10)
    for n in (0, 1):
        assert world.contact(n, 8) == "put off"
        assert world.commit(n)
    assert world.contact(0, 8) == "act"
    assert world.contact(1, 8) == "act", "what the first one has not committed is shared out anew"
    assert world.commit(1)
    assert not world.commit(0)
    assert world.bank.spent == 8


def test_what_comes_back_after_the_amount_was_lowered_is_not_spent_beyond_it() -> None:
    world = World(40)
    while sum(world.ledger) < 40:
        world.contact(0, 8)
        assert world.commit(0)
    world.amount(10)
    world.fail(0, 0)
    assert world.commit(0)
    said = ""
    for _ in range(4):
        said = world.contact(0, 8)
        assert world.commit(0)
    assert (said, world.bank.spent) == ("withhold", 32)


def test_a_remainder_that_pays_no_contact_is_not_taken_from_one_another_for_ever() -> None:
    world = World(27)
    for _ in range(20):
        for n in range(PARTITIONS):
            world.contact(n, 8)
            assert world.commit(n)
    assert world.bank.spent == 24
    seen: list[list[int]] = []
    for _ in range(3):
        for n in range(PARTITIONS):
            world.begin(n)
            assert world.commit(n)
        seen.append([row.holding.left for row in world.bank.rows.values()])
    assert seen[1:] == [seen[0]] * 2


def test_a_clock_that_ran_ahead_for_a_while_leaves_nobody_without_capacity_afterwards() -> None:
    bank = Bank("capacity/sms", 100, PARTITIONS, MINUTE)

    def acts(n: int, now: datetime) -> bool:
        for _ in range(2):
            leases = bank.load(n, now)
            if leases.left(bank.scope):
                leases.reserve({bank.scope: 1})
            else:
                leases.puts_off({bank.scope: 1})
            assert bank.save(n, leases)
        return any(lease.reserved for lease in leases.changes())

    assert acts(0, MONDAY_NOON)
    assert acts(1, MONDAY_NOON + timedelta(hours=26)), "its clock is wrong"
    for minute in (1, 60):
        assert [acts(n, MONDAY_NOON + minute * MINUTE) for n in range(PARTITIONS)] == [True, True]
    assert acts(0, MONDAY_NOON + 62 * MINUTE)
    assert not acts(1, MONDAY_NOON + 61 * MINUTE), "the period after this one has begun elsewhere"


@settings(max_examples=80)
@given(arrivals=st.lists(st.tuples(partition, st.integers(0, 40)), max_size=150), amount=st.integers(0, 12))
def test_a_capacity_is_never_exceeded_in_any_period_and_who_waits_is_told_the_start_of_a_later_one(
    arrivals: list[tuple[int, int]], amount: int
) -> None:
    scope, now = "capacity/sms", MONDAY_NOON
    bank = Bank(scope, amount, PARTITIONS, MINUTE)
    acts: dict[Any, int] = {}
    for n, seconds in arrivals:
        now += timedelta(seconds=seconds)
        period = now.replace(second=0)
        for _ in range(4):
            leases = bank.load(n, now)
            left = leases.left(scope)
            assert left is not None
            if left >= 1:
                leases.reserve({scope: 1})
                acts[period] = acts.get(period, 0) + 1
                asked_again = False
            elif not (asked_again := leases.puts_off({scope: 1})):
                assert acts.get(period, 0) == amount, "somebody was turned away although there was room"
                until = leases.free_at("sms", "", now)
                assert until is not None
                assert until > now
                assert until.second == 0
                leases.queue("sms", "", now)
            assert bank.save(n, leases)
            if not asked_again:
                break
        else:
            raise AssertionError("put off for ever")
    assert max(acts.values(), default=0) <= amount
