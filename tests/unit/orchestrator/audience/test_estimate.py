"""The size of a segment from a sample: the truth lies within the interval as often as it says."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from nextwave_orchestrator.audience.estimate import estimate


@given(customers=st.integers(0, 5_000_000), sampled=st.integers(0, 2_000), share=st.floats(0, 1))
def test_the_size_lies_within_its_interval_between_what_was_seen_and_what_there_is(customers: int, sampled: int, share: float) -> None:
    matched = round(sampled * share)
    found = estimate(matched, sampled, customers, whole=False)
    assert matched <= found.low <= found.size <= found.high <= max(customers, sampled)


def test_where_everybody_was_looked_at_nothing_is_estimated() -> None:
    found = estimate(7, 90, 1_000, whole=True)
    assert (found.size, found.low, found.high, found.exact, found.customers) == (7, 7, 7, True, 90)


def test_a_segment_that_nobody_of_the_sample_is_in_may_still_have_members() -> None:
    found = estimate(0, 2_000, 1_000_000, whole=False)
    assert (found.size, found.low) == (0, 0)
    assert 1_500 < found.high < 2_500


def test_the_truth_lies_within_the_interval_in_about_95_of_100_samples() -> None:
    chance, customers, tries = Random(6), 200_000, 2_000
    for share in (0.005, 0.1, 0.5):
        truth = round(share * customers)
        hits = 0
        for _ in range(tries):
            found = estimate(_binomial(chance, share), 500, customers, whole=False)
            hits += found.low <= truth <= found.high
        assert 0.92 < hits / tries < 0.985, share


def _binomial(chance: Random, share: float) -> int:
    return sum(chance.random() < share for _ in range(500))
