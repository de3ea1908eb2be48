"""How likely an answer is, against scipy and against the formula written out slowly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_orchestrator.responses.beta import cumulative, interval, quantile
from nextwave_orchestrator.responses.rates import Cell, Rate, Responses, Seen, local_hour, responses_of
from scipy.stats import beta

PRIOR = 0.08
parameters = st.floats(0.01, 1e5)
cells = st.builds(Cell, st.sampled_from(["*", "top"]), st.sampled_from(["email", "sms"]), st.integers(8, 11))
seen = st.tuples(st.integers(0, 400), st.floats(0, 1)).map(lambda one: Seen(float(one[0]), one[0] * one[1]))
counts = st.dictionaries(cells, seen, max_size=12)


@given(parameters, parameters, st.just(0.0) | st.floats(1e-300, 1))
def test_the_incomplete_beta_function_is_that_of_scipy(a: float, b: float, x: float) -> None:
    assert cumulative(a, b, x) == pytest.approx(beta.cdf(x, a, b), abs=1e-8)


@given(parameters, parameters, st.floats(0.001, 0.999))
def test_a_quantile_has_its_share_below(a: float, b: float, share: float) -> None:
    assert quantile(a, b, share) == pytest.approx(beta.ppf(share, a, b), rel=1e-6, abs=1e-8)


@given(st.floats(0.5, 1e4), st.floats(0.5, 1e4))
def test_an_interval_leaves_the_same_out_on_both_sides(a: float, b: float) -> None:
    low, high = interval(a, b)
    assert beta.cdf(low, a, b) == pytest.approx(0.025, abs=1e-6)
    assert beta.sf(high, a, b) == pytest.approx(0.025, abs=1e-6)


def nearness(cell: Cell, other: Cell) -> int:
    """3: the same, 2: another hour of the segment, 1: another segment of the channel, 0: another channel."""
    if cell.channel != other.channel:
        return 0
    return 3 if cell == other else 2 if cell.segment == other.segment else 1


def slowly(counted: dict[Cell, Seen], strength: float, cell: Cell) -> tuple[float, float]:
    """The parameters of the posterior: each ring of cells, the farther first, begins with `strength` contacts at the rate found so far."""
    rate = PRIOR
    for near in (1, 2, 3):
        alike = [found for other, found in counted.items() if nearness(cell, other) == near]
        answered = sum(found.answered for found in alike) + strength * rate
        silent = sum(found.sent - found.answered for found in alike) + strength * (1 - rate)
        rate = answered / (answered + silent)
    return answered, silent


@given(counts, cells, st.sampled_from([1.0, 50.0]))
def test_a_rate_is_shrunk_from_the_hour_to_the_segment_to_the_channel_to_the_house(
    counted: dict[Cell, Seen], cell: Cell, strength: float
) -> None:
    answered, silent = slowly(counted, strength, cell)
    found = responses_of(counted.items(), strength).rate(*cell, PRIOR)
    assert isclose(found.mean, answered / (answered + silent), rel_tol=1e-9)
    assert (found.low, found.high) == pytest.approx(beta.interval(0.95, answered, silent), rel=1e-5, abs=1e-7)
    assert (found.sent, found.answered) == counted.get(cell, Seen())


@given(counts, cells)
def test_counts_in_any_order_give_the_same_rate(counted: dict[Cell, Seen], cell: Cell) -> None:
    one, other = responses_of(counted.items(), 50), responses_of(reversed(counted.items()), 50)
    assert one.rate(*cell, PRIOR).mean == pytest.approx(other.rate(*cell, PRIOR).mean, rel=1e-12)


@given(counts, cells)
def test_an_answer_raises_the_rate_and_a_silence_lowers_it(counted: dict[Cell, Seen], cell: Cell) -> None:
    known = counted.get(cell, Seen())
    before, answered, silent = (
        responses_of({**counted, cell: known.plus(more)}.items(), 50).rate(*cell, PRIOR).mean for more in (Seen(), Seen(1, 1), Seen(1, 0))
    )
    assert silent < before < answered


def test_who_knows_nothing_believes_the_house_as_if_it_had_seen_fifty_contacts() -> None:
    found = Responses().rate("*", "sms", 10, PRIOR)
    assert found.mean == PRIOR
    assert (found.low, found.high) == pytest.approx(beta.interval(0.95, 4, 46))


def test_no_contact_is_used_twice_where_there_are_few_cells() -> None:
    found = responses_of([(Cell("*", "call", 10), Seen(100, 10))], 50).rate("*", "call", 10, 0.2)
    assert found.mean == pytest.approx(20 / 150)


def test_more_contacts_make_it_surer() -> None:
    few, many = (responses_of([(Cell("*", "sms", 10), Seen(n, n / 10))], 50).rate("*", "sms", 10, 0.1) for n in (10.0, 1000.0))
    assert many.high - many.low < (few.high - few.low) / 2


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_a_house_that_is_certain_stays_so_until_it_sees_otherwise(prior: float) -> None:
    assert Responses().rate("*", "sms", 10, prior) == Rate(prior, prior, prior)
    moved = responses_of([(Cell("*", "sms", 10), Seen(10, 5))], 50).rate("*", "sms", 10, prior)
    assert 0 < moved.low < moved.mean < moved.high < 1


def test_the_hour_is_that_of_the_customers_first_zone() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert local_hour(noon, ("Europe/Berlin", "Asia/Tokyo")) == 14
    assert local_hour(noon + timedelta(days=180), ("Europe/Berlin",)) == 13
    assert local_hour(noon, ()) == local_hour(noon, ("No/Where",)) == 12
