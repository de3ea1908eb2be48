"""What-ifs are judged as the fold would: by the thresholds in force, in the order of the instants; wrong data is a wrong question."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.api.explanation import Happening, UnsupposableError, explain, supposing
from nextwave_scoring.assessment import House
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.outlook import Only
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Customer, Judge
from nextwave_scoring.fold import Fold
from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.profile import consents
from nextwave_scoring.value.cells import Thresholds
from nextwave_scoring.value.thresholds import ThresholdRule

from .making import START, folded, touchpoint

FOLD = Fold(Judge(Only(Baseline(DEFAULT)), House(rule=ThresholdRule("quantile", 0.7, 0.7))))
AT = micros(START) + 61 * DAY


def buyer() -> Customer:
    orders: list[Touchpoint | Outcome] = [touchpoint("order.placed", after=10 * n, amount=100_000, currency="EUR") for n in range(7)]
    return Customer(profile=folded(orders))


def test_what_is_supposed_is_judged_by_the_thresholds_that_were_taken() -> None:
    customer = buyer()
    worth = FOLD.judge.judge(customer, AT).value.current
    taken = [Thresholds(round(worth * 1.05), 10**9, 1, 1_000)]  # low by what was taken, high by what the house says, and high stays so
    customer.standing = FOLD.judge.judge(customer, AT, taken).standing
    assert customer.standing.cell == "I"
    supposed = supposing(FOLD, customer, [Happening(type="email.clicked")], AT, taken)
    assert FOLD.judge.judge(supposed, AT, taken).standing.cell == "I"


def test_events_happen_in_the_order_of_their_instants_and_nothing_happens_to_the_customer() -> None:
    customer = buyer()
    before = msgspec.msgpack.encode(customer)
    opened = Happening(type="complaint.opened", data={"reference": "t"}, occurred_at=START + timedelta(days=60))
    told = [Happening(type="complaint.resolved", data={"reference": "t"}), opened]
    assert supposing(FOLD, customer, told, AT, ()) == supposing(FOLD, customer, told[::-1], AT, ())
    assert msgspec.msgpack.encode(customer) == before


@pytest.mark.parametrize("data", [{"channel": ["x"], "double_opt_in": True}, {"channel": "\ud800"}])
def test_what_no_touchpoint_can_be_is_refused_with_its_place(data: dict[str, Any]) -> None:
    told = [Happening(type="page.viewed"), Happening(type="consent.granted", data=data)]
    try:
        supposing(FOLD, buyer(), told, AT, ())
    except UnsupposableError as wrong:
        assert wrong.number == 1  # noqa: PT017  (the profile may also have learnt to read it)
    else:
        assert isinstance(data["channel"], list)


@pytest.mark.parametrize(
    ("kind", "data", "pointer"),
    [
        ("order.placed", {"amount": -1, "currency": "EUR"}, "/data/amount"),
        ("order.placed", {"amount": "12.99", "currency": "EUR"}, "/data/amount"),
        ("order.placed", {"amount": 1299}, "/data/currency"),
        ("consent.granted", {"channel": "email"}, "/data/purpose"),
    ],
)
def test_what_no_door_would_let_in_is_refused_with_the_field(kind: str, data: dict[str, Any], pointer: str) -> None:
    with pytest.raises(UnsupposableError) as wrong:
        supposing(FOLD, buyer(), [Happening(type="page.viewed"), Happening(type=kind, data=data)], AT, ())
    assert (wrong.value.number, wrong.value.pointer) == (1, pointer)


def test_a_consent_for_everything_is_supposed_as_a_door_would_write_it() -> None:
    supposed = supposing(FOLD, buyer(), [Happening(type="consent.granted", data={"channel": "all", "purpose": "all"})], AT, ())
    assert [(held.channel, held.purpose) for held in consents.view(supposed.profile.consents)] == [("", "")]


def test_a_complaint_of_somebody_new_can_be_supposed() -> None:
    told = [Happening(type="complaint.opened"), Happening(type="complaint.resolved"), Happening(type="consent.withdrawn")]
    assert explain(FOLD, supposing(FOLD, Customer(), told, AT, ()), AT, ()).churn.band in {"low", "elevated"}


KINDS = [
    "consent.granted",
    "consent.withdrawn",
    "order.placed",
    "order.returned",
    "contract.started",
    "product.registered",
    "customer.identified",
    "complaint.opened",
    "satisfaction.rated",
    "call.wrapped_up",
    "sms.received",
    "referral.made",
]
KEYS = [
    "channel",
    "purpose",
    "double_opt_in",
    "amount",
    "currency",
    "margin",
    "products",
    "reference",
    "ends",
    "rating",
    "address",
    "email",
    "phone",
    "timezone",
    "name",
    "reason",
    "satisfaction",
    "wish",
    "quiet_hours",
]
ANY = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), st.text(max_size=8), st.just("9999-12-31")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)),
    max_leaves=4,
)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), ANY, max_size=5))
def test_whatever_is_supposed_is_refused_or_explained(kind: str, data: dict[str, Any]) -> None:
    try:
        supposed = supposing(FOLD, buyer(), [Happening(type=kind, data=data)], AT, ())
    except UnsupposableError:
        return
    assert 0.0 <= explain(FOLD, supposed, AT, ()).churn.risk <= 1.0
