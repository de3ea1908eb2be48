"""What a lease means for a candidate: it acts, is put off until more is there, is withheld, waits for a period; and what comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from nextwave_contracts.actions import Contact, Content
from nextwave_contracts.decisions import Decision, WaveClosed
from nextwave_orchestrator.allowances import EPOCH, FOR_EVER, UNLIMITED, Holding, Lease, Leases, Pool, booked, settle, spending
from nextwave_orchestrator.caps import together
from nextwave_orchestrator.decisions import answer, answer_in
from nextwave_orchestrator.state import CustomerState, Reservation, to_bytes
from nextwave_runtime.application import Timer
from unit.orchestrator.decision_world import CUSTOMER, MONDAY_NOON, House, campaign, catalogue, render, wave

BUDGET, SMS, RENEWALS = "budget/winter", "capacity/sms", "capacity/call/renewals"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CALL: dict[str, Any] = {"mixes": [{"segment": "*", "channels": [{"channel": "call", "list": "renewals", "script": "Hello"}]}]}


def lease(scope: str, left: int, *, sure: bool = False, amount: int = 1_000, per: timedelta = FOR_EVER) -> Lease:
    period = MONDAY_NOON if per else EPOCH
    return Lease(scope=scope, amount=amount, per=per, period=period, left=left, sure=sure)


def house(*leases: Lease, **changes: Any) -> House:
    built = House(catalogue(campaign("winter", wave("tell", "sms") | changes)))
    hold(built, *leases)
    return built


def hold(built: House, *leases: Lease) -> None:
    """As at the beginning of the next batch."""
    built.unit.leases = Leases({one.scope: one for one in leases}, partitions=2)


def reasons(built: House) -> list[tuple[str, str]]:
    return [(decision.result, decision.reason) for decision in built.decisions]


def test_a_contact_takes_its_cost_from_the_budget_and_one_place_of_its_channel() -> None:
    built = house(lease(BUDGET, 8), lease(SMS, 5, per=MINUTE))
    built.touch("cart.updated")
    assert reasons(built) == [("act", "permitted")]
    assert built.decisions[0].numbers["budget_left"] == 8.0
    assert (built.unit.leases.held[BUDGET].left, built.unit.leases.held[SMS].left) == (0, 4)


def test_a_budget_that_is_known_to_be_short_withholds_and_replays_the_same() -> None:
    built = house(lease(BUDGET, 7, sure=True))
    built.touch("cart.updated")
    assert reasons(built) == [("withhold", "budget")]
    (judged,) = built.unit.judged
    assert answer(judged.given) == answer_in(judged.decision)
    assert built.unit.leases.held[BUDGET].left == 7


def test_a_lease_that_is_short_puts_the_candidate_off_without_a_decision_until_it_was_topped_up() -> None:
    built = house(lease(BUDGET, 7))
    built.touch("cart.updated")
    assert reasons(built) == []
    assert built.unit.leases.held[BUDGET].want == 8
    hold(built, lease(BUDGET, 20))
    built.wait(MONDAY_NOON)
    assert reasons(built) == [("act", "permitted")]


def test_who_was_put_off_is_withheld_when_nobody_has_more() -> None:
    built = house(lease(BUDGET, 7))
    built.touch("cart.updated")
    hold(built, lease(BUDGET, 7, sure=True))
    built.wait(MONDAY_NOON)
    assert reasons(built) == [("withhold", "budget")]


def test_free_contacts_need_no_budget_and_are_made_when_it_is_spent() -> None:
    built = house(lease(BUDGET, 0, sure=True), mixes=[{"segment": "*", "channels": [{"channel": "email", "template": "t"}]}])
    built.touch("cart.updated")
    assert reasons(built) == [("act", "permitted")]


def test_without_capacity_a_contact_waits_for_the_very_start_of_the_next_period() -> None:
    built = house(lease(RENEWALS, 0, sure=True, per=HOUR), **CALL)
    built.now += 10 * MINUTE
    built.touch("cart.updated")
    assert reasons(built) == [("defer", "capacity")]
    assert built.decisions[0].until == MONDAY_NOON + HOUR
    hold(built, lease(RENEWALS, 1, per=HOUR))
    built.wait(MONDAY_NOON + HOUR)
    assert reasons(built)[1:] == [("act", "permitted")]


def test_a_channels_capacity_and_its_lists_both_hold() -> None:
    for full, free in ((RENEWALS, "capacity/call"), ("capacity/call", RENEWALS)):
        built = house(lease(full, 0, sure=True, per=HOUR), lease(free, 9, per=HOUR), **CALL)
        built.touch("cart.updated")
        assert reasons(built) == [("defer", "capacity")]
        assert built.unit.leases.held[free].left == 9


def test_the_next_one_who_is_decided_waits_behind_those_who_wait_already() -> None:
    built = House(catalogue(*(campaign(key, wave("tell", "sms")) for key in ("a", "b", "c"))))
    hold(built, lease(SMS, 0, sure=True, amount=2, per=MINUTE))
    built.touch("cart.updated")
    assert [decision.until for decision in built.decisions] == [MONDAY_NOON + n * MINUTE for n in (1, 2, 3)]
    assert built.unit.leases.held[SMS].queued_until == MONDAY_NOON + 3 * MINUTE


def test_who_was_put_off_and_comes_to_it_after_the_window_is_too_late_and_not_without_budget() -> None:
    for kind in ("retry", "close"):
        built = house(lease(BUDGET, 7))
        built.touch("cart.updated")
        built.now += timedelta(hours=49)
        (timer,) = [one for one in built.timers if one.kind == kind]
        built.fire(timer)
        assert reasons(built) == [("withhold", "expired")]
        (judged,) = built.unit.judged
        assert answer(judged.given) == answer_in(judged.decision)
        built.wait(built.now)
        assert len(built.all(WaveClosed)) == 1
        assert reasons(built) == [("withhold", "expired")]


def test_who_was_never_asked_since_the_campaign_stood_still_until_its_window_was_over_is_too_late() -> None:
    built = House(catalogue(campaign("winter", wave("tell", "sms", window="10m"))))
    hold(built, lease(BUDGET, 7))
    built.touch("cart.updated")
    built.change(states={"winter": "paused"})
    built.wait(MONDAY_NOON + 9 * MINUTE)
    built.wait(MONDAY_NOON + HOUR)
    built.change(states={"winter": "published"})
    built.wait(MONDAY_NOON + 2 * HOUR)
    assert reasons(built) == [("withhold", "expired")]
    assert len(built.all(WaveClosed)) == 1


def test_money_is_compared_with_money_and_places_with_places() -> None:
    asked: list[str] = []

    def counting(template: str, *rest: Any) -> Content:
        asked.append(template)
        return render(template, *rest)

    for held, times in ((lease(SMS, 1, per=MINUTE), 1), (lease(BUDGET, 8), 2)):
        built = House(catalogue(campaign("winter", wave("tell", "sms")), render=counting))
        hold(built, held)
        built.touch("cart.updated")
        assert len(asked) == times, "the gate is asked once more where a contact may cost more than is in hand"
        asked.clear()


def test_many_who_wait_are_spread_over_periods_by_the_partitions_share() -> None:
    held = Leases({SMS: lease(SMS, 0, sure=True, amount=4, per=MINUTE)}, partitions=2)
    told = []
    for _ in range(5):
        told.append(held.free_at("sms", "", MONDAY_NOON))
        held.queue("sms", "", MONDAY_NOON)
    assert told == [MONDAY_NOON + n * MINUTE for n in (1, 1, 2, 2, 3)]


def test_nobody_waits_longer_than_a_quarter_of_an_hour_for_a_capacity_that_may_be_raised() -> None:
    held = Leases({SMS: lease(SMS, 0, sure=True, amount=2, per=MINUTE)}, partitions=2)
    told = []
    for _ in range(40):
        told.append(held.free_at("sms", "", MONDAY_NOON))
        held.queue("sms", "", MONDAY_NOON)
    assert max(one for one in told if one) <= MONDAY_NOON + 16 * MINUTE


def test_a_capacity_of_none_is_asked_again_after_a_quarter_of_an_hour() -> None:
    built = house(lease(SMS, 0, sure=True, amount=0, per=MINUTE))
    built.touch("cart.updated")
    assert built.decisions[0].until == MONDAY_NOON + 15 * MINUTE


@pytest.mark.parametrize("outcome", ["failed", "expired", "withdrawn"])
def test_what_was_not_sent_is_given_back_exactly_once(outcome: str) -> None:
    built = house(lease(BUDGET, 8), lease(SMS, 1, per=MINUTE))
    contact = next(one for one in built.touch("cart.updated") if isinstance(one, Contact))
    for kind in (outcome, "failed", outcome):
        built.outcome(kind, contact)
    assert [(one.scope, one.returned) for one in built.unit.leases.changes()] == [(BUDGET, 8), (SMS, 1)]


def test_what_was_made_after_all_is_taken_again_even_beyond_the_budget() -> None:
    built = house(lease(BUDGET, 8))
    contact = next(one for one in built.touch("cart.updated") if isinstance(one, Contact))
    built.outcome("failed", contact)
    hold(built, lease(BUDGET, 0, sure=True))
    for kind in ("delivered", "answered"):
        built.outcome(kind, contact)
    assert built.unit.leases.held[BUDGET].left == -8


def test_what_is_given_back_goes_to_the_pool_and_not_to_the_lease() -> None:
    given_back = lease(BUDGET, 10)
    given_back.returned = 8
    assert booked(given_back, Holding(taken=50, spent=40)) == Holding(taken=42, spent=32)


def test_whoever_asks_gets_a_share_of_what_is_free_that_shrinks_with_it_and_at_least_what_it_lacks() -> None:
    pool = Pool(80, {0: Holding(), 1: Holding()})
    assert pool.shared_out(0, 8, 2)[0] == Holding(taken=20)
    assert Pool(80, {0: Holding(20), 1: Holding()}).shared_out(1, 8, 2)[1] == Holding(taken=15)
    assert pool.shared_out(0, 30, 2)[0] == Holding(taken=30)


def test_only_campaigns_that_are_published_spend() -> None:
    assert spending({"winter": "published", "spring": "paused", "summer": "ended"}) == [BUDGET]


def test_a_place_of_a_period_that_is_over_is_worth_nothing() -> None:
    held = Leases({SMS: lease(SMS, 0, per=MINUTE)})
    held.give_back(SMS, 1, MONDAY_NOON - MINUTE)
    assert held.changes() == []
    held.give_back(SMS, 1, MONDAY_NOON + MINUTE / 2)
    assert [one.returned for one in held.changes()] == [1]


def test_a_budget_that_is_no_longer_in_force_still_gets_back_what_was_not_spent() -> None:
    held = Leases()
    held.give_back(BUDGET, 8)
    assert [(one.scope, one.returned) for one in held.changes()] == [(BUDGET, 8)]
    assert held.left(BUDGET) is None


def test_a_campaign_without_budget_has_no_limit_and_is_counted_all_the_same() -> None:
    built = house(lease(BUDGET, 2**50, amount=UNLIMITED))
    built.touch("cart.updated")
    assert "budget_left" not in built.decisions[0].numbers
    assert built.unit.leases.held[BUDGET].reserved == 8


@pytest.mark.parametrize("amount", [UNLIMITED, 40])
@pytest.mark.parametrize("channel", ["email", "webpush"])
def test_what_is_left_is_not_told_where_there_is_no_budget_or_the_partition_has_yet_to_ask(channel: str, amount: int) -> None:
    mixes = [{"segment": "*", "channels": [{"channel": channel, "template": "t"}]}]
    built = house(lease(BUDGET, 0, amount=amount), mixes=mixes)
    built.touch("cart.updated")
    (judged,) = built.unit.judged
    assert "budget_left" not in judged.decision.numbers
    assert answer(judged.given) == answer_in(judged.decision)


def test_the_winner_is_sought_when_every_lease_is_there() -> None:
    rules = catalogue(campaign("winter", wave("tell", "sms"), priority=1), campaign("autumn", wave("tell", "email")))
    built = House(rules)
    hold(built, lease(BUDGET, 0))
    built.touch("cart.updated")
    assert built.decisions == [], "one of both waits for its budget, so both do"
    hold(built, lease(BUDGET, 8))
    built.wait(MONDAY_NOON)
    assert sorted(reasons(built)) == [("act", "permitted")] * 2


def reservation(action_id: str, **changes: Any) -> Reservation:
    return Reservation(action_id, "winter", "sms", "marketing", MONDAY_NOON, **changes)


@pytest.mark.parametrize("turned", [False, True])
def test_a_failure_heard_on_either_side_of_a_merge_gives_back_once(turned: bool) -> None:
    booked, heard = (reservation("a", cost=8),), (reservation("a", unsent=True),)
    mine, theirs = (heard, booked) if turned else (booked, heard)
    held = Leases({BUDGET: lease(BUDGET, 0)})
    joined = together(mine, theirs)
    settle(held, (*mine, *theirs), joined)
    settle(held, joined, together(joined, heard))
    assert held.held[BUDGET].returned == 8


def test_what_an_absorbed_customer_had_reserved_comes_back_to_the_partition_that_hears_of_its_failure() -> None:
    built = house(lease(BUDGET, 0, sure=True))
    built.touch("visit.completed")
    estate = CustomerState(customer_id="c-2", reservations=(reservation("a", cost=8, unsent=False),))
    built.fire(Timer(0, built.now, f"{CUSTOMER}/c-2/0", "estate", to_bytes(estate)))
    assert built.unit.leases.held[BUDGET].returned == 0
    named = Decision(
        decision_id="d", customer_id=CUSTOMER, campaign="winter", version=1, wave="tell", run_id="r", segment="", purpose="marketing",
        at=built.now, result="act", reason="permitted", action_id="a", channel="sms",
    )  # fmt: skip
    built.outcome("failed", named)
    assert built.unit.leases.held[BUDGET].returned == 8
