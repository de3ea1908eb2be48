"""What excludes itself is noticed, and never what somebody could be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from nextwave_orchestrator.catalogue import Facts
from nextwave_orchestrator.rules.compile import compile_rule
from nextwave_orchestrator.rules.contradiction import WORK_MAX, Judge
from nextwave_orchestrator.rules.parse import read_rule
from unit.orchestrator.rules.rule_world import leaf
from unit.orchestrator.rules.test_rule_laws import rules, worlds

ORDER = {"event": "order.placed", "within": "30d"}


@pytest.mark.parametrize(
    ("raw", "never"),
    [
        ({"all": [leaf("churn.band", "in", ["high", "lost"]), leaf("churn.band", "eq", "low")]}, True),
        ({"all": [leaf("churn.band", "ne", "high"), leaf("churn.band", "ne", "low")]}, False),
        (
            {"all": [{"not": leaf("churn.band", "eq", b)} for b in ("low", "elevated", "high", "lost")] + [leaf("churn.band", "exists")]},
            True,
        ),
        ({"all": [leaf("satisfaction", "gt", 3), leaf("satisfaction", "lt", 3)]}, True),
        ({"all": [leaf("satisfaction", "gt", 3), leaf("satisfaction", "lt", 3.1)]}, False),
        ({"all": [leaf("satisfaction", "lt", 3), leaf("satisfaction", "exists", value=False)]}, True),
        ({"all": [leaf("orders.count", "between", [1, 2]), {"any": [leaf("orders.count", "gt", 2), leaf("orders.count", "eq", 0)]}]}, True),
        ({"all": [leaf("country", "eq", "DE"), leaf("country", "eq", "FR")]}, True),
        ({"all": [leaf("country", "ne", "DE"), leaf("country", "ne", "FR")]}, False),
        ({"all": [leaf("traits.plan", "eq", "gold"), leaf("traits.plan", "gt", 3)]}, True),
        ({"all": [leaf("traits.vip", "eq", value=True), {"not": leaf("traits.vip", "eq", value=False)}]}, False),
        ({"all": [ORDER, {"not": ORDER}]}, True),
        ({"all": [ORDER, {"not": {"event": "order.placed", "within": "7d"}}]}, False),
        ({"all": [leaf("channels", "contains", "sms"), {"not": leaf("channels", "contains", "sms")}]}, True),
        ({"all": [leaf("products", "exists"), leaf("orders.last_at", "exists")]}, False),
        ({"all": [{"any": [leaf("refusals", "eq", n), leaf("refusals", "eq", -n)]} for n in range(1, 12)]}, False),
    ],
)
def test_conditions_that_exclude_each_other_are_noticed(raw: Any, never: bool) -> None:
    assert Judge().never_together([(read_rule(raw), True)]) is never


def test_what_would_take_too_long_to_find_out_is_not_found_out() -> None:
    lists = [leaf("orders.count", "in", list(range(n, n + 200))) for n in range(1, 11)]
    never = {"all": [*lists, {"any": [leaf("orders.count", "eq", -n) for n in range(1, 190)]}]}
    assert not Judge().never_together([(read_rule(never), True)])


def test_all_judgements_together_have_one_bounded_effort() -> None:
    judge, values = Judge(), list(range(1000))
    never = read_rule({"all": [leaf("orders.count", "in", values), leaf("orders.count", "not_in", values)]})
    judged = [judge.never_together([(never, True)]) for _ in range(WORK_MAX // 2000)]
    assert (judged[0], judged[-1]) == (True, False)


@settings(deadline=None)
@given(rules, rules, worlds)
def test_what_holds_for_somebody_is_never_called_impossible(one: Any, other: Any, world: Facts) -> None:
    first, second = read_rule(one), read_rule(other)
    wanted = [(rule, compile_rule(rule)(world)) for rule in (first, second)]
    assert not Judge().never_together(wanted)
