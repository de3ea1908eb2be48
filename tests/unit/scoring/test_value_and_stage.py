"""What a customer is worth, in its parts, and where the relationship stands and how it ended."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.customers import Band, Stage
from nextwave_scoring.earnings import Earnings, earnings
from nextwave_scoring.lifecycle import course, next_turn
from nextwave_scoring.profile.record import Contract, Matter
from nextwave_scoring.value.appraisal import Worth, appraise, discounted_days
from nextwave_scoring.value.assumptions import Economics
from nextwave_scoring.value.trade import Trade, trade_of

from .facts import Facts, buyer, days, fresh, on

HOUSE = Economics(discount_per_year=0.0, orders_prior=0.0)
RANGE = ("books", "music", "toys", "garden", "tools")


def worth(facts: Facts, risk: float = 0.0, *, at: float = 0.0, stage: Stage = "formation", economics: Economics = HOUSE) -> Worth:
    return appraise(trade_of(facts, on(at), economics), stage, risk, economics)


def test_the_margin_of_the_horizon_goes_on_as_the_history_went() -> None:
    twelve = buyer(range(0, 331, 30), amount=10_000, margin=3_000)
    # 12 x 30.00 in 330 days watched and 60 assumed: 36_000 / 390 a day, for 365 days, half of it lost to the risk
    assert worth(twelve).margin == round(36_000 / 390 * 365)
    assert worth(twelve, 0.5).margin == round(36_000 / 390 * 365 / 2)


def test_later_money_counts_less() -> None:
    assert discounted_days(HOUSE) == 365.0
    assert discounted_days(Economics(discount_per_year=0.1)) == pytest.approx(365 * (1 - math.exp(-0.1)) / 0.1)


def test_a_margin_that_is_not_stated_is_the_usual_share_and_a_return_takes_its_share_with_it() -> None:
    assert earnings([2, 20_000, 0, 1_000, 15_000], 0.3) == Earnings(2, 20_000, 5_500)
    assert earnings([2, 20_000, 10_000, 1_000, 15_000], 0.3) == Earnings(2, 10_000, 2_750)
    assert earnings([1, 10_000, 25_000, 3_000, 0], 0.3) == Earnings(1, 0, 0)
    assert earnings([], 0.3) == Earnings()


def test_calls_service_and_our_own_contacts_cost_and_the_parts_add_up() -> None:
    facts = buyer([0, 60], margin=2_000)
    facts.counts = fresh(phone=2, service=1)
    facts.contact_costs = 240
    value = worth(facts)
    assert value.service_cost == pytest.approx(3 / 90 * 250 * 365, abs=1)
    assert value.contact_cost == round(240 / 120 * 365)
    assert value.current == value.margin - value.service_cost - value.contact_cost
    assert value.potential == value.up_buying + value.cross_buying + value.referrals


def test_who_slowed_down_is_expected_to_go_on_slowly_and_years_of_history_do_not_hide_it() -> None:
    steady, slowed = buyer(range(0, 1461, 30), margin=1_000), buyer([*range(0, 1100, 22)], visited=[1460], margin=1_000)
    assert trade_of(steady, on(1460), HOUSE).pace == pytest.approx(1.0, abs=0.05)
    assert trade_of(slowed, on(1460), HOUSE).pace < 0.5
    assert worth(slowed).margin < worth(steady).margin / 2


def test_up_buying_is_won_from_visits_without_an_order_up_to_the_wallet() -> None:
    facts = buyer([0, 90], visited=range(0, 91, 10), margin=2_000)  # 8 more days of interest in 90 + 60 days
    assert worth(facts).up_buying == round(8 / 150 * 0.1 * 2_000 * 365)
    spent = 12_000 / 150 * 365
    nearly_all = replace_wallet(round(spent) + 1_000)
    assert worth(facts, economics=nearly_all).up_buying == pytest.approx((round(spent) + 1_000 - spent) * 0.3, abs=1)
    assert worth(facts, economics=nearly_all).share_of_wallet == pytest.approx(spent / (round(spent) + 1_000))
    assert worth(facts, economics=replace_wallet(1)).up_buying == 0


def replace_wallet(wallet_per_year: int) -> Economics:
    return replace(HOUSE, wallet_per_year=wallet_per_year)


def test_cross_buying_is_what_is_not_bought_yet_at_the_chance_of_the_stage() -> None:
    facts = buyer([0, 60], margin=2_000)
    facts.categories = {"books": [2, on(60)]}
    house = replace(HOUSE, range=RANGE)
    stable = worth(facts, stage="stability", economics=house)
    assert stable.unbought == ("music", "toys", "garden", "tools")
    assert stable.cross_buying == round(3 * 0.20 * 4_000 / 120 * 365)
    assert worth(facts, stage="exploration", economics=house).cross_buying < stable.cross_buying
    assert worth(facts, economics=HOUSE).cross_buying == 0
    facts.categories = {name: [1, on(0)] for name in RANGE}
    assert worth(facts, stage="stability", economics=house).cross_buying == 0


def test_who_referred_somebody_may_do_so_again() -> None:
    facts = buyer([0, 60])
    facts.referrals = 2
    assert worth(facts).referrals == round(2 / 425 * 1_500 * 365)


trades = st.builds(
    Trade,
    earned=st.builds(Earnings, st.integers(0, 500), st.integers(0, 10**9), st.integers(-(10**8), 10**9)),
    watched_days=st.floats(0, 4_000),
    pace=st.floats(0.01, 5),
    interest_per_day=st.floats(0, 1),
    served_per_day=st.floats(0, 5),
    contact_costs=st.integers(0, 10**6),
    categories=st.frozensets(st.sampled_from(RANGE)),
    referrals=st.integers(0, 50),
)
stages: st.SearchStrategy[Stage] = st.sampled_from(["exploration", "formation", "stability", "decline"])
houses = st.builds(
    Economics, discount_per_year=st.floats(0, 0.5), wallet_per_year=st.sampled_from([0, 10_000, 10**7]), range=st.sampled_from([(), RANGE])
)


@given(trades, stages, houses, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_risk_never_raises_a_value(trade: Trade, stage: Stage, house: Economics, one: float, other: float) -> None:
    calm, risky = (appraise(trade, stage, risk, house) for risk in sorted((one, other)))
    assert risky.current <= calm.current
    assert risky.potential <= calm.potential


@given(trades, stages, houses, st.floats(0, 1), st.integers(0, 10**8))
def test_more_margin_never_lowers_the_current_value(trade: Trade, stage: Stage, house: Economics, risk: float, more: int) -> None:
    earned = Earnings(trade.earned.orders, trade.earned.revenue, trade.earned.margin + more)
    richer = appraise(Trade(**{**{f: getattr(trade, f) for f in Trade.__struct_fields__}, "earned": earned}), stage, risk, house)
    assert richer.current >= appraise(trade, stage, risk, house).current


@given(st.lists(st.integers(0, 10**7), min_size=5, max_size=5), st.integers(0, 10**6))
def test_a_better_stated_margin_never_earns_less(converted: list[int], more: int) -> None:
    better = [*converted[:3], converted[3] + more, converted[4]]
    assert earnings(better, 0.3).margin >= earnings(converted, 0.3).margin


@given(trades, stages, houses, st.floats(0, 1))
def test_potential_is_never_negative(trade: Trade, stage: Stage, house: Economics, risk: float) -> None:
    value = appraise(trade, stage, risk, house)
    assert min(value.up_buying, value.cross_buying, value.referrals) >= 0


def stage_of(facts: Facts, band: Band = "low", *, at: float = 0.0, margin: int = 1_000) -> Stage:
    return course(facts, margin, band, on(at)).stage


def test_few_orders_or_nothing_earned_is_exploration_and_more_is_formation() -> None:
    assert stage_of(Facts(visits=days(0))) == "exploration"
    assert stage_of(buyer([0])) == "exploration"
    assert stage_of(buyer([0, 20])) == "formation"
    assert stage_of(buyer([0, 20]), margin=0) == "exploration"


def test_many_regular_orders_are_stability_but_fast_growth_and_irregular_ones_are_formation() -> None:
    assert stage_of(buyer(range(0, 180, 30))) == "stability"
    assert stage_of(buyer(range(0, 180, 30)), margin=-1) == "exploration"
    assert stage_of(buyer([0, 60, 70, 78, 87, 95])) == "formation"
    assert stage_of(buyer([0, 1, 2, 3, 100])) == "formation"


def test_a_contract_is_a_formed_relationship_and_a_renewed_or_long_one_a_stable_one() -> None:
    holder = Facts(contracts={"a": Contract(started_at=on(0), ends_at=on(730))})
    assert stage_of(holder, at=10) == "formation"
    assert stage_of(holder, at=365) == "stability"
    assert stage_of(Facts(contracts={"a": Contract(started_at=on(0), renewed_at=on(90), ends_at=on(730))}), at=100) == "stability"


def test_leaving_falling_complaining_and_an_ending_contract_are_decline_but_a_stranger_cannot_decline() -> None:
    assert stage_of(buyer([0, 20]), "high") == "decline"
    assert stage_of(Facts(visits=days(0)), "lost") == "exploration"
    assert stage_of(buyer([0, 5, 10, 15, 20, 25, 70])) == "decline"
    upset = buyer([0, 20])
    upset.matters = {"c:1": Matter(on(21), 0)}
    assert (stage_of(upset, "low"), stage_of(upset, "elevated")) == ("formation", "decline")
    upset.matters["c:2"] = Matter(on(22), 0)
    assert stage_of(upset, "low") == "decline"
    ending = Facts(contracts={"a": Contract(started_at=on(0), ends_at=on(300))})
    assert (stage_of(ending, at=269), stage_of(ending, at=270)) == ("formation", "decline")
    assert stage_of(Facts(contracts={**ending.contracts, "b": Contract(started_at=on(0), ends_at=on(360))}), at=290) == "formation"


def test_an_end_that_was_told_before_the_renewal_is_no_end_any_more() -> None:
    told, renewed = Contract(on(0), on(300), ends_told_at=on(0)), Contract(on(0), on(300), renewed_at=on(280), ends_told_at=on(0))
    prolonged = Contract(on(0), on(665), renewed_at=on(280), ends_told_at=on(280))
    assert [stage_of(Facts(contracts={"a": c}), at=290) for c in (told, renewed, prolonged)] == ["decline", "stability", "stability"]
    assert [stage_of(Facts(contracts={"a": c}), at=640) for c in (renewed, prolonged)] == ["stability", "decline"]


def test_half_as_many_orders_as_before_are_no_fall_yet() -> None:
    assert course(buyer([0, 5, 15, 25, 50, 70]), 1_000, "low", on(71)).signs == ()
    assert course(buyer([0, 5, 10, 15, 25, 50, 70]), 1_000, "low", on(71)).signs == ("falling",)


def test_the_next_turn_is_when_an_end_comes_near_or_a_cancelled_contract_is_over() -> None:
    running, cancelled = Contract(ends_at=on(100)), Contract(ends_at=on(100), cancelled_at=on(10))
    assert next_turn(Facts(contracts={"a": running}), on(50)) == on(70)
    assert next_turn(Facts(contracts={"a": running}), on(70)) is None
    assert next_turn(Facts(contracts={"a": cancelled}), on(80)) == on(100)
    assert next_turn(Facts(contracts={"a": Contract(started_at=on(0))}), on(80)) == on(365)
    assert next_turn(Facts(), on(0)) is None


def test_what_speaks_for_decline_is_named() -> None:
    facts = buyer([0, 5, 10, 15, 20, 25, 70])
    facts.contracts = {"a": Contract(started_at=on(0), ends_at=on(100), cancelled_at=on(70))}
    facts.soured_at = on(60)
    assert course(facts, 1_000, "high", on(71)).signs == ("leaving", "falling", "dissatisfied", "ending")


@pytest.mark.parametrize(
    ("ordered", "pattern"),
    [([0], "early_abort"), ([0, 40], "midway_death"), (range(0, 200, 30), "early_exit"), (range(0, 731, 73), "long_retention")],
)
def test_the_pattern_of_the_lost_is_named_by_the_stage_they_had_reached(ordered: list[int], pattern: str) -> None:
    lost = course(buyer(ordered), 1_000, "lost", on(2_000))
    assert (lost.pattern, lost.reached == "decline") == (pattern, False)
    assert course(buyer(ordered), 1_000, "high", on(2_000)).pattern is None


def test_a_relationship_ends_with_its_last_contract_unless_more_is_ordered_or_it_was_renewed() -> None:
    over = Facts(contracts={"a": Contract(started_at=on(0), ends_at=on(100), cancelled_at=on(40))})
    assert course(over, 0, "low", on(99)).pattern is None
    assert course(over, 0, "low", on(100)).pattern == "midway_death"
    assert course(over, 0, "low", on(100)).tenure_days == 100
    ordered = buyer([120])
    ordered.contracts = over.contracts
    assert course(ordered, 0, "low", on(130)).pattern is None
    renewed = Facts(contracts={"a": Contract(started_at=on(0), ends_at=on(100), cancelled_at=on(40), renewed_at=on(50))})
    assert course(renewed, 0, "low", on(200)).pattern is None


terms = st.builds(
    lambda start, length, renewed, cancelled, told: Contract(
        on(start), on(start + length), on(start + renewed) if renewed else 0, on(start + cancelled) if cancelled else 0, 0, on(start + told)
    ),
    st.integers(0, 200), st.integers(1, 800), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from("abc"), terms, min_size=1), st.sampled_from([0, 1_000]), st.integers(0, 900), st.integers(0, 900))
def test_between_two_turns_time_alone_changes_no_course(contracts: dict[str, Contract], margin: int, start: int, wait: int) -> None:
    facts = Facts(contracts=contracts)
    turn = next_turn(facts, on(start))
    later = min(on(start + wait), (turn or on(start + wait) + 1) - 1)
    before, after = course(facts, margin, "low", on(start)), course(facts, margin, "low", later)
    assert (before.stage, before.signs) == (after.stage, after.signs)
    assert (before.pattern is None) == (after.pattern is None)


@given(st.lists(st.integers(0, 700), min_size=1, max_size=12, unique=True).flatmap(st.permutations))
def test_the_order_in_which_orders_are_read_leaves_no_trace_in_the_course(ordered: list[int]) -> None:
    shuffled = replace(buyer(ordered), purchases=days(*ordered))
    assert course(shuffled, 1, "lost", on(800)) == course(buyer(ordered), 1, "lost", on(800))
