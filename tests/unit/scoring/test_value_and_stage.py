"""What a customer is worth, and where the relationship stands."""

from __future__ import annotations

from nextwave_contracts.outcomes import Outcome
from nextwave_contracts.touchpoints import Touchpoint
from nextwave_scoring.instants import DAY, micros
from nextwave_scoring.lifecycle import stage
from nextwave_scoring.value import Economics, worth

from .making import START, folded, touchpoint

Event = Touchpoint | Outcome


def orders(*days: int, amount: int = 6_000, currency: str = "EUR") -> list[Event]:
    return [touchpoint("order.placed", after=d, amount=amount, currency=currency) for d in days]


def at(day: float) -> int:
    return micros(START) + round(day * DAY)


def test_a_first_visit_is_exploration_and_growth_is_formation() -> None:
    assert stage(folded([touchpoint()]), "low") == "exploration"
    assert stage(folded(orders(0, 20)), "low") == "formation"


def test_many_regular_orders_are_stability() -> None:
    assert stage(folded(orders(*range(0, 180, 30))), "low") == "stability"


def test_leaving_and_falling_orders_are_decline_but_a_stranger_cannot_decline() -> None:
    assert stage(folded(orders(0, 20)), "high") == "decline"
    assert stage(folded(orders(0, 8, 16, 24, 32, 100)), "low") == "formation"
    assert stage(folded(orders(0, 5, 10, 15, 20, 25, 70)), "low") == "decline"
    assert stage(folded([touchpoint()]), "lost") == "exploration"


def test_more_orders_and_less_risk_are_worth_more() -> None:
    few, many = folded(orders(0, 60)), folded(orders(0, 20, 40, 60))
    assert worth(many, 0.1, at(60), Economics()).current > worth(few, 0.1, at(60), Economics()).current
    assert worth(few, 0.1, at(60), Economics()).current > worth(few, 0.8, at(60), Economics()).current


def test_returns_and_calls_cost() -> None:
    plain = worth(folded(orders(0, 60)), 0.1, at(60), Economics()).current
    returned = worth(
        folded([*orders(0, 60), touchpoint("order.returned", after=60, amount=6_000, currency="EUR")]), 0.1, at(60), Economics()
    )
    called = worth(folded([*orders(0, 60), touchpoint("call.answered", after=60)]), 0.1, at(60), Economics())
    assert returned.current < plain
    assert called.current < plain


def test_the_cell_follows_the_thresholds() -> None:
    profile = folded([*orders(0, 20, 40), *(touchpoint(after=d) for d in range(0, 41, 2))])
    cells = {
        (low, high): worth(profile, 0.1, at(40), Economics(current_min=low, potential_min=high)).cell
        for low in (0, 10**9)
        for high in (0, 10**9)
    }
    assert cells == {(0, 0): "IV", (0, 10**9): "III", (10**9, 0): "II", (10**9, 10**9): "I"}


def test_orders_in_another_currency_are_not_valued() -> None:
    assert (
        worth(folded(orders(0, 10, currency="USD")), 0.1, at(10), Economics()).current
        == worth(folded([touchpoint("page.viewed", after=d) for d in (0, 10)]), 0.1, at(10), Economics()).current
    )
