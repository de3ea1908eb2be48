"""Why customers leave: what each touchpoint says, which cause is likeliest, and whether a period's loss is normal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_contracts.customers import Cause
from nextwave_scoring.causes import CAUSES, NORMAL, REPEATS_MAX, WEIGHTS, evidence, judge_loss, likeliest
from nextwave_scoring.reasons_given import CODES, WORDS

from .facts import Facts, on


@pytest.mark.parametrize(
    ("kind", "data", "kinds"),
    [
        ("complaint.opened", {}, ["dissatisfied/complaint"]),
        ("complaint.resolved", {"satisfied": False}, ["dissatisfied/unsolved"]),
        ("complaint.resolved", {"satisfied": True}, []),
        ("satisfaction.rated", {"rating": 2}, ["dissatisfied/rating"]),
        ("satisfaction.rated", {"rating": 3}, []),
        ("satisfaction.rated", {"rating": True}, []),
        ("service.requested", {}, ["dissatisfied/service_trouble"]),
        ("call.wrapped_up", {"disposition": "Has another offer"}, ["poached/other_offer"]),
        ("call.wrapped_up", {"complaint": True, "satisfaction": 1}, ["dissatisfied/complaint", "dissatisfied/rating"]),
        ("call.wrapped_up", {"disposition": "sale"}, []),
        ("contract.cancelled", {"competitor": "Rival Ltd"}, ["poached/competitor"]),
        ("contract.cancelled", {"competitor": "Rival Ltd", "reason": "price"}, ["poached/price"]),
        ("contract.cancelled", {"competitor": True, "reason": "better-quality"}, ["attracted/quality"]),
        ("contract.cancelled", {"reason": "moved"}, ["forced/moved"]),
        ("contract.cancelled", {"reason": "moved", "note": "the other one was cheaper"}, ["forced/moved"]),
        ("contract.cancelled", {"note": "Konkurrenz war günstiger"}, ["poached/competitor", "poached/price"]),
        ("contract.cancelled", {"note": "was removed from the list"}, []),
        ("contract.cancelled", {"cancelled_by": "company"}, ["dropped_by_us/cancelled"]),
        ("contract.cancelled", {"cancelled_by": "customer"}, []),
        ("contract.cancelled", {"reason": "dunning"}, ["dropped_by_us/cancelled"]),
        ("complaint.opened", {"reason": "fraud"}, ["dissatisfied/complaint"]),
        ("order.returned", {"reason": "defective"}, ["dissatisfied/product"]),
        ("customer.identified", {"deceased": True}, ["forced/deceased"]),
        ("customer.identified", {"reason": "price"}, []),
        ("chat.message_received", {"note": "cheaper"}, []),
        ("contract.cancelled", {"reason": 7, "note": None, "competitor": {}}, []),
    ],
)
def test_a_touchpoint_says_why(kind: str, data: dict[str, Any], kinds: list[str]) -> None:
    assert list(evidence(kind, data)) == kinds


def test_every_kind_of_evidence_has_a_weight_and_belongs_to_a_cause() -> None:
    assert {*CODES, *WORDS} <= set(WEIGHTS)
    assert {kind.partition("/")[0] for kind in WEIGHTS} == set(CAUSES) - {"unknown"}


def test_no_code_and_no_word_stands_for_two_kinds() -> None:
    codes = [code for those in CODES.values() for code in those]
    words = [word for said in WORDS.values() for those in said.values() for word in those]
    assert (len(codes), len(words)) == (len(set(codes)), len(set(words)))


def test_the_heaviest_cause_is_the_likeliest_and_its_evidence_is_told() -> None:
    facts = Facts(hints={"poached/price": [1, on(10)], "dissatisfied/complaint": [2, on(10)], "dissatisfied/rating": [1, on(10)]})
    found = likeliest(facts, on(10))
    assert found.cause == "dissatisfied"
    assert found.share == pytest.approx(6 / 9)
    assert [(e.kind, e.count, e.weight) for e in found.evidence] == [
        ("dissatisfied/complaint", 2, 4.0), ("poached/price", 1, 3.0), ("dissatisfied/rating", 1, 2.0),
    ]  # fmt: skip


def test_when_nothing_or_too_little_speaks_the_cause_is_unknown() -> None:
    assert likeliest(Facts(), on(0)).cause == "unknown"
    once, often = ({"dissatisfied/service_trouble": [n, on(0)]} for n in (1, 3))
    assert (likeliest(Facts(hints=once), on(0)).cause, likeliest(Facts(hints=often), on(0)).cause) == ("unknown", "dissatisfied")


def test_evidence_fades_so_that_the_newer_reason_counts() -> None:
    facts = Facts(hints={"dissatisfied/unsolved": [1, on(0)], "poached/price": [1, on(200)]})
    assert likeliest(facts, on(200)).cause == "poached"
    assert likeliest(facts, on(2_000)).cause == "unknown"


def test_our_own_withdrawal_outweighs_what_was_complained_about() -> None:
    facts = Facts(hints={kind: [REPEATS_MAX, on(0)] for kind in WEIGHTS if kind.startswith("dissatisfied/c")} | {
        "dropped_by_us/cancelled": [1, on(0)]
    })  # fmt: skip
    assert likeliest(facts, on(0)).cause == "dropped_by_us"


told = st.dictionaries(st.sampled_from([*WEIGHTS, "poached/of_a_later_build"]), st.tuples(st.integers(1, 9), st.integers(0, 900)))


@given(told, st.integers(0, 2_000))
def test_the_order_of_hints_leaves_no_trace_and_the_share_is_that_of_the_cause(hints: dict[str, tuple[int, int]], day: int) -> None:
    kept = {kind: [count, on(newest)] for kind, (count, newest) in hints.items()}
    found, again = (likeliest(Facts(hints=dict(items)), on(day)) for items in (kept.items(), reversed(kept.items())))
    assert found == again
    if found.cause != "unknown":
        own = sum(e.weight for e in found.evidence if e.kind.startswith(found.cause + "/"))
        assert found.share == pytest.approx(own / sum(e.weight for e in found.evidence))


def test_a_loss_is_normal_while_every_cause_is() -> None:
    normal = judge_loss({"dropped_by_us": 2, "forced": 1, "poached": 4})
    assert (normal.judged, normal.normal, normal.severe, normal.severe_share) == ("normal", 7, 0, 0.0)
    assert judge_loss({}).judged == "none"


@given(st.dictionaries(st.sampled_from(CAUSES), st.integers(0, 1_000)))
def test_a_loss_is_severe_as_soon_as_one_cause_is_not_normal_and_its_numbers_add_up(lost: dict[Cause, int]) -> None:
    loss = judge_loss(lost)
    assert loss.normal + loss.severe == sum(lost.values()) == sum(loss.causes.values())
    assert (loss.judged == "severe") == any(customers for cause, customers in lost.items() if cause not in NORMAL)
