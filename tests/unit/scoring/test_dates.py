"""Whatever a source writes as a date, the customer is judged on and on: nonsense is no date, and an old one in store harms nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_scoring.instants import EARLIEST, LATEST, instant, micros
from nextwave_scoring.profile.dates import told
from nextwave_scoring.profile.record import Contract

from .ledger import Ledger
from .making import touchpoint

ANN = "email:ann@example.com"
KINDS = ("product.registered", "customer.identified", "contract.started", "contract.renewed", "contract.extended")
FIELDS = ("purchased_at", "contract_start", "contract_end", "starts", "ends")

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
written = st.one_of(
    st.datetimes().map(datetime.isoformat),
    st.tuples(st.datetimes(), offsets).map(lambda pair: pair[0].replace(tzinfo=pair[1]).isoformat()),
    st.dates().map(str),
    st.from_regex(
        r"[0-9]{4}-?(W?[0-9]{2})(-?[0-9]{1,2})?([T ][0-9]{2}(:[0-9]{2}){0,2}([.][0-9]{1,7})?(Z|[+-][0-9]{2}:?[0-9]{2})?)?", fullmatch=True
    ),
    st.sampled_from(["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2200-01-01T00:00:00.000001Z"]),
)


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), written)), max_size=4))
def test_no_date_that_can_be_written_ever_keeps_a_customer_from_being_taken_in(said: list[tuple[str, dict[str, str]]]) -> None:
    ledger = Ledger()
    for after, (kind, data) in enumerate(said):
        ledger.see(touchpoint(kind, after=after, name="kettle", **cast("Any", data)))
    for much_later in (1_000, 60_000):
        assert ledger.see(touchpoint("consent.withdrawn", after=much_later, channel="email"))


@pytest.mark.parametrize("at", [2**62, -(2**62), micros(datetime.max.replace(tzinfo=UTC)) + 1])
def test_a_far_date_of_the_build_before_harms_nobody(at: int) -> None:
    ledger = Ledger()
    ledger.see(touchpoint())
    ledger.profile(ANN).contracts = {"a": Contract(started_at=at, ends_at=at, starts_told_at=1, ends_told_at=1)}
    for after in (1, 400):
        assert ledger.see(touchpoint(after=after))


@given(written)
def test_what_is_told_is_exact_or_nothing(text: str) -> None:
    at = told(text)
    assert at == 0 or (0 < at <= LATEST and micros(instant(at)) == at)


@given(st.integers(EARLIEST, LATEST), st.integers())
def test_instants_are_exact_within_their_range_and_the_nearest_beyond(within: int, anywhere: int) -> None:
    assert micros(instant(within)) == within
    assert micros(instant(anywhere)) == min(max(anywhere, EARLIEST), LATEST)


@pytest.mark.parametrize(("text", "is_date"), [("2199-12-31", True), ("2200-01-02", False), ("9999-12-31", False), ("1969-12-31", False)])
def test_dates_end_with_the_year_2200_since_later_ones_mean_never(text: str, *, is_date: bool) -> None:
    assert bool(told(text)) == is_date
