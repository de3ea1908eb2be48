"""What `docs/value.md` says of numbers is what the code does: its worked examples, weights and policies are read and compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nextwave_scoring.causes import WEIGHTS, likeliest
from nextwave_scoring.earnings import earnings
from nextwave_scoring.economics import unit_economics
from nextwave_scoring.lifecycle import DEFAULT
from nextwave_scoring.relationship import Scale, relationship
from nextwave_scoring.value.appraisal import appraise, discounted_days
from nextwave_scoring.value.assumptions import Economics
from nextwave_scoring.value.cells import POLICIES
from nextwave_scoring.value.trade import Trade, trade_of

from .facts import Facts, buyer, on

TEXT = (Path(__file__).parents[3] / "docs" / "value.md").read_text(encoding="utf-8")
HOUSE = Economics(discount_per_year=0.0, orders_prior=0.0, range=("a", "b", "c", "d", "e"))


def amount(minor_units: int) -> str:
    return f"**{minor_units / 100:.2f}**"


def examples() -> dict[str, str]:
    """What each worked example comes to by the code, as the document writes it."""
    twelve = trade_of(buyer(range(0, 331, 30), margin=3_000), on(330), HOUSE)
    visitor = trade_of(buyer([0, 90], visited=range(0, 91, 10), margin=2_000), on(90), HOUSE)
    reader = Trade(earned=earnings([2, 12_000, 0, 4_000, 0], 0.3), watched_days=60.0, categories=frozenset("a"), referrals=2)
    several = Facts(hints={"dissatisfied/complaint": [2, on(0)], "dissatisfied/rating": [1, on(0)], "poached/price": [1, on(0)]})
    left = buyer(range(0, 17 * 30, 30), margin=3_500)
    left.acquisition_cost = 100_000
    wide = appraise(reader, "stability", 0.0, HOUSE)
    return {
        "margin stated and not": amount(earnings([2, 20_000, 0, 1_000, 15_000], 0.3).margin),
        "half sent back": amount(earnings([2, 20_000, 10_000, 1_000, 15_000], 0.3).margin),
        "discounted days": f"{discounted_days(Economics()):.1f} at r = 0.1",
        "a year of margin": amount(appraise(twelve, "formation", 0.0, HOUSE).margin),
        "at a risk of a half": amount(appraise(twelve, "formation", 0.5, HOUSE).margin),
        "service": amount(appraise(Trade(served_per_day=3 / 90), "formation", 0.0, HOUSE).service_cost),
        "up-buying": amount(appraise(visitor, "formation", 0.0, HOUSE).up_buying),
        "cross-buying": amount(wide.cross_buying),
        "referrals": amount(wide.referrals),
        "share of a cause": f"share {round(likeliest(several, on(0)).share * 9)} / 9",
        "relationship": f"**{relationship({'satisfaction': 1.0, 'tenure': 0.4}, Scale(satisfaction=0.3, tenure=0.1)).score:.2f}**",
        "the check": f"**−{-unit_economics(left, 0.3, 0.0).net // 100}**",  # noqa: RUF001  (as the document writes it)
    }


@pytest.mark.parametrize(("example", "written"), examples().items(), ids=examples())
def test_the_document_writes_what_the_code_computes(example: str, written: str) -> None:
    assert written in TEXT


def test_the_document_tells_the_weight_of_every_kind_of_evidence() -> None:
    cells = re.findall(r"\| ([a-z_/, ]+/[a-z_]+) \| ([\d.]+) (?=\|)", re.sub(r"(?<=\d) \| (?=[a-z])", " | | ", TEXT))
    told = {kind: float(weight) for kinds, weight in cells for kind in kinds.split(", ")}
    assert told == dict(WEIGHTS)


def test_the_document_tells_the_policy_of_every_cell() -> None:
    for cell, policy in POLICIES.items():
        flags = " | ".join("yes" if flag else "no" for flag in (policy.paid_channels, policy.personal_first))
        assert f"| {cell} | {policy.effort} | {flags} | {policy.meaning} |" in TEXT


def test_the_document_tells_the_borders_of_stages_and_patterns() -> None:
    assert f"newest {DEFAULT.step_days} days" in TEXT
    assert f"ends within {DEFAULT.ending_days} days" in TEXT
    assert f"lasted {DEFAULT.stable_contract_days} days" in TEXT
    assert f"{DEFAULT.long_days} days and more" in TEXT
