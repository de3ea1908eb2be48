"""What a customer has cost and earned, and tables over cohorts, bands, stages and cells: to the cent, in any grouping."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_scoring.causes import CAUSES
from nextwave_scoring.cohorts import Dimension, Row, cohort_of, table, whole
from nextwave_scoring.economics import UnitEconomics, loaded, shared_out, together, unit_economics
from nextwave_scoring.instants import DAY

from .facts import Facts, buyer

AMOUNTS = st.integers(0, 10**10)
UNITS = st.builds(UnitEconomics, st.integers(1, 9), AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)


def test_an_acquisition_of_1000_and_a_margin_of_35_for_17_months_leave_minus_405() -> None:
    facts = buyer(range(0, 17 * 30, 30), amount=9_900, margin=3_500)
    facts.acquisition_cost = 100_000
    assert unit_economics(facts, margin_share=0.3, loading_share=0.0).net == -40_500


def test_contacts_cost_directly_and_by_their_loading() -> None:
    facts = Facts(converted=[2, 20_000, 5_000, 0, 20_000], acquisition_cost=1_000, contact_costs=333)
    unit = unit_economics(facts, margin_share=0.3, loading_share=0.25)
    assert unit == UnitEconomics(customers=1, revenue=15_000, margin=4_500, acquisition=1_000, direct=333, indirect=83)
    assert unit.net == 4_500 - 1_000 - 333 - 83


@given(st.lists(UNITS, max_size=20).flatmap(lambda units: st.tuples(st.just(units), st.permutations(units), st.integers(0, 20))))
def test_nets_add_up_exactly_in_any_order_and_grouping(drawn: tuple[list[UnitEconomics], list[UnitEconomics], int]) -> None:
    units, shuffled, cut = drawn
    halves = together(shuffled[:cut]).plus(together(shuffled[cut:]))
    assert together(units) == halves
    assert halves.net == sum(unit.net for unit in units)


@given(AMOUNTS, st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_what_is_shared_out_adds_up_and_nobody_is_a_whole_unit_off(total: int, weights: list[int]) -> None:
    parts = shared_out(total, weights)
    by = weights if any(weights) else [1] * len(weights)
    assert sum(parts) == total
    assert all(abs(part * sum(by) - total * weight) < sum(by) for part, weight in zip(parts, by, strict=True))


def test_the_largest_remainders_get_what_is_left_over() -> None:
    assert shared_out(100, [1, 1, 1]) == [34, 33, 33]
    assert shared_out(10, [15, 25, 60]) == [2, 2, 6]
    assert shared_out(11, [15, 25, 60]) == [2, 3, 6]
    assert shared_out(3, [0, 0]) == [2, 1]
    assert shared_out(0, []) == []
    with pytest.raises(ValueError, match="nobody"):
        shared_out(1, [])


@given(st.lists(UNITS, min_size=1, max_size=20), AMOUNTS)
def test_a_pool_of_indirect_cost_is_loaded_to_the_last_cent(units: list[UnitEconomics], pool: int) -> None:
    assert together(loaded(units, pool)).indirect == pool


rows = st.builds(
    Row,
    cohort=st.sampled_from(["", "2026-01", "2026-02"]),
    band=st.sampled_from(["low", "high", "lost"]),
    stage=st.sampled_from(["exploration", "decline"]),
    cell=st.sampled_from(["I", "IV"]),
    pattern=st.sampled_from(["", "early_abort"]),
    cause=st.sampled_from(CAUSES),
    economics=UNITS,
)
dimensions: st.SearchStrategy[Dimension] = st.sampled_from(["cohort", "band", "stage", "cell", "pattern", "cause"])


@given(st.lists(rows, max_size=30), dimensions)
def test_the_lines_of_every_table_add_up_to_the_whole(drawn: list[Row], by: Dimension) -> None:
    lines, everything = table(drawn, by), whole(drawn)
    for name in ("customers", "revenue", "margin", "acquisition", "direct", "indirect", "net", "lost"):
        assert sum(getattr(line, name) for line in lines) == getattr(everything, name)
    assert sum(line.loss.severe for line in lines) == everything.loss.severe
    assert table(drawn[::-1], by) == lines


def test_a_line_tells_how_many_were_lost_and_whether_that_is_normal() -> None:
    stayed = Row(cohort="2026-01", band="low", economics=UnitEconomics(customers=3, margin=900))
    moved = Row(cohort="2026-01", band="lost", cause="forced", economics=UnitEconomics(customers=1, acquisition=500))
    upset = Row(cohort="2026-02", band="lost", cause="dissatisfied", economics=UnitEconomics(customers=1))
    january, february = table([upset, moved, stayed], "cohort")
    assert (january.key, january.customers, january.net, january.lost_share, january.loss.judged) == ("2026-01", 4, 400, 0.25, "normal")
    assert (february.lost_share, february.loss.judged, february.loss.severe_share) == (1.0, "severe", 1.0)


def test_the_cohort_is_the_month_of_the_first_order_or_else_of_the_first_touchpoint() -> None:
    assert [cohort_of(*instants) for instants in ((40 * DAY, 1), (0, 31 * DAY - 1), (0, 0))] == ["1970-02", "1970-01", ""]
