"""What the house says of its business is read as it was written, or refused with the table and the value."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.wire import decode, encode
from nextwave_scoring.assessment import House
from nextwave_scoring.churn.baseline import Baseline
from nextwave_scoring.churn.outlook import Only
from nextwave_scoring.churn.population import DEFAULT
from nextwave_scoring.customer import Customer, Judge, due_review
from nextwave_scoring.house import ELSEWHERE, HouseError, read_house
from nextwave_scoring.instants import DAY
from nextwave_scoring.lifecycle import Lifecycle
from nextwave_scoring.relationship import Scale
from nextwave_scoring.settings import ScoringSettings
from nextwave_scoring.value.assumptions import Economics
from nextwave_scoring.value.thresholds import ThresholdRule

from .making import folded, histories, touchpoint

WRITTEN = """
[economics]
margin = 0.45
range = ["shoes", "hats"]
cross_chance = {exploration = 0.0, formation = 0.1, stability = 0.3, decline = 0.0}

[lifecycle]
stable_orders = 8

[scale]
tenure = 0.0
"""


def test_what_is_written_counts_and_the_rest_stays() -> None:
    house = read_house(WRITTEN, House(economics=Economics(currency="CHF")))
    assert (house.economics.margin, house.economics.range, house.economics.currency) == (0.45, ("shoes", "hats"), "CHF")
    assert house.economics.cross_chance["stability"] == 0.3
    assert house.economics.basket == Economics().basket
    assert (house.lifecycle.stable_orders, house.lifecycle.formed_orders) == (8, 2)
    assert (house.scale.tenure, house.scale.satisfaction) == (0.0, 0.3)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[economics", "no TOML"),
        ("[money]\nmargin = 1", "table money"),
        ("economics = 3", "economics must be a table"),
        ("[economics]\nmargins = 0.3", "economics.margins"),
        ("[economics]\ncurrency = 'USD'", "economics.currency"),
        ("[economics]\nmargin = 'high'", r"margin"),
        ("[lifecycle]\nstable_orders = 1.5", r"stable_orders"),
        ("[scale]\ntenure_full_days = 'long'", r"tenure_full_days"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(HouseError, match=named):
        read_house(text, House())


FINE = {"economics": Economics, "lifecycle": Lifecycle, "scale": Scale}
NUMBERS = st.one_of(
    st.sampled_from([0, 1, 2, 365, 1_000, 3_650, 36_500, 10**12, -1, 10**30]),
    st.sampled_from([0.0, 1.0, 5e-324, 1e-9, 10.0, 100.0, 1_000.0, -1e9, 1e308, float("nan"), float("inf")]),
)
STAGES = st.dictionaries(st.sampled_from(["exploration", "formation", "stability", "decline"]), NUMBERS, max_size=4)
CATEGORIES = st.lists(st.sampled_from(["shoes", "category 1", "category 2"]), max_size=3)


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, str, object]:
    """One value of the file, within its bounds or not."""
    table = draw(st.sampled_from(sorted(FINE)))
    key = draw(st.sampled_from(sorted(field.name for field in fields(FINE[table]) if field.name not in ELSEWHERE)))
    value = {"range": CATEGORIES, "cross_chance": STAGES}.get(key, NUMBERS)
    return table, key, draw(value)


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(part)}" for key, part in value.items()) + "}"
    return str(value).replace("'", '"')


def houses(told: list[tuple[str, str, object]]) -> House:
    """What of it is accepted, one after the other."""
    house = House(rule=ThresholdRule("money", 5_000, 2_500))
    for table, key, value in told:
        with suppress(HouseError):
            house = read_house(f"[{table}]\n{key} = {toml(value)}", house)
    return house


RICH = [touchpoint("order.placed", after=n, amount=2**43, currency="EUR", products=[{"category": f"category {n % 40}"}]) for n in range(60)]


@given(st.lists(tables(), max_size=8), st.one_of(histories, st.just(RICH)), st.integers(0, 40_000))
def test_every_accepted_house_judges_every_customer(told: list[tuple[str, str, object]], events: list[Any], after: int) -> None:
    judge, customer = Judge(Only(Baseline(DEFAULT)), houses(told)), Customer(profile=folded(events))
    judged = judge.judge(customer, customer.profile.last_at + after * DAY)
    snapshot = judge.snapshot("c", customer, judged)
    assert decode(encode(snapshot), type(snapshot)) == snapshot
    due_review(judged)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[economics]\nexposure_prior_days = 0.0", r"economics\.exposure_prior_days.* a number from 1 to 36500, not 0\.0"),
        ("[economics]\nmargin = nan", r"economics\.margin.* a number from 0 to 1, not nan"),
        ("[economics]\nmargin = inf", r"economics\.margin.* a number from 0 to 1, not inf"),
        ("[economics]\nhorizon_days = -1e9", r"economics\.horizon_days.* a number from 1 to 3650"),
        ("[economics]\nloading_share = inf", r"economics\.loading_share.* a number from 0 to 100"),
        ("[economics]\ncross_chance = {rest = 0.1}", r"economics\.cross_chance.* decline, exploration, formation, stability"),
        ("[economics]\ncross_chance = {decline = 2}", r"economics\.cross_chance.* each a number from 0 to 1"),
        ("[lifecycle]\nstable_orders = 1", r"lifecycle\.stable_orders.* a whole number from 2 to 1000, not 1"),
        ("[scale]\ntenure_full_days = 0", r"scale\.tenure_full_days.* a whole number from 1 to 36500"),
        ("[scale]\nbreadth_full = 0", r"scale\.breadth_full.* a whole number from 1 to 1000"),
        ("[scale]\nsatisfaction = nan", r"scale\.satisfaction.* a number from 0 to 1000"),
    ],
)
def test_what_no_customer_could_be_judged_by_is_refused_with_what_is_permitted(text: str, said: str) -> None:
    with pytest.raises(HouseError, match=said):
        read_house(text, House())


def test_the_chances_of_some_stages_leave_those_of_the_others() -> None:
    told = read_house("[economics]\ncross_chance = {decline = 0.5}", House()).economics.cross_chance
    assert told == {**Economics().cross_chance, "decline": 0.5}


def test_what_is_shipped_is_permitted() -> None:
    for table, kind in FINE.items():
        shipped = getattr(House(), table)
        for field in fields(kind):
            if field.name not in ELSEWHERE:
                value = toml(list(told) if isinstance(told := getattr(shipped, field.name), tuple) else told)
                assert read_house(f"[{table}]\n{field.name} = {value}", House()) == House()


@pytest.mark.parametrize("amount", ["inf", "nan", "1e300"])
def test_a_threshold_of_value_is_an_amount(amount: str) -> None:
    told = {"keys_file": "keys", "identifier_key": "k" * 64, "postgres": "postgresql://x", "value_thresholds": (amount, 2_500)}
    with pytest.raises(ValueError, match="NEXTWAVE_VALUE_THRESHOLDS must be two numbers"):
        ScoringSettings.model_validate(told)
