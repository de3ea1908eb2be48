"""A provider's rate: exact in the long run, a burst at once, and no clock stops it for long."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from nextwave_channels.rate import NEVER, Rate, left, spend, wait_seconds

NOW = 1_772_452_800.0
TEN = Rate(per_second=10, burst=5)


def test_a_burst_goes_at_once_and_then_one_after_each_interval() -> None:
    assert left(TEN, NEVER, NOW) == 5
    spent = spend(TEN, NEVER, NOW, 5)
    assert (left(TEN, spent, NOW), left(TEN, spent, NOW + 0.099), left(TEN, spent, NOW + 0.101)) == (0, 0, 1)
    assert abs(wait_seconds(TEN, spent, NOW) - 0.1) < 1e-6
    assert left(TEN, spent, NOW + 60) == 5


def test_what_is_not_taken_is_left_for_others() -> None:
    spent = spend(TEN, NEVER, NOW, 2)
    assert left(TEN, spent, NOW) == 3
    assert wait_seconds(TEN, spent, NOW) == 0


def test_a_clock_set_back_by_hours_costs_a_burst_and_no_more() -> None:
    assert left(TEN, NOW + 86_400, NOW) == 0
    assert wait_seconds(TEN, NOW + 86_400, NOW) <= 0.1001
    assert left(TEN, spend(TEN, NOW + 86_400, NOW, 0), NOW + 1) == 5


@given(
    st.floats(0.1, 500),
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 3), st.integers(0, 100)), min_size=1, max_size=50),
)
def test_in_no_span_of_time_more_goes_than_the_burst_and_what_the_rate_gives(
    per_second: float, burst: int, asked: list[tuple[float, int]]
) -> None:
    rate, whole_at, now, sent = Rate(per_second=per_second, burst=burst), NEVER, NOW, list[tuple[float, int]]()
    for passed, wanted in asked:
        now += passed
        count = min(wanted, left(rate, whole_at, now))
        whole_at = spend(rate, whole_at, now, count)
        sent.append((now, count))
    for first in range(len(sent)):
        span = sent[first:]
        assert sum(count for _, count in span) <= burst + (span[-1][0] - span[0][0]) * per_second + 1e-3


@given(st.floats(0.1, 500), st.integers(1, 50), st.integers(0, 50))
def test_after_the_wait_there_is_room(per_second: float, burst: int, count: int) -> None:
    rate = Rate(per_second=per_second, burst=burst)
    whole_at = spend(rate, NEVER, NOW, min(count, burst))
    assert left(rate, whole_at, NOW + wait_seconds(rate, whole_at, NOW) + 1e-5) >= 1
