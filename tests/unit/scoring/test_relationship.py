"""The relationship score: weighted indicators, what is unknown left out, the weakest named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_scoring.profile.record import Matter
from nextwave_scoring.relationship import INDICATORS, Indicator, Scale, indicators, relationship

from .facts import ZERO, Facts, fresh, on

known_indicators = st.dictionaries(st.sampled_from(sorted(INDICATORS)), st.floats(0, 1))
scales = st.builds(Scale, *[st.floats(0, 1)] * 5)


def test_every_indicator_runs_from_nothing_to_full() -> None:
    facts = Facts(
        counts=fresh(sent_email=3, sent_call=1, reached_email=1),
        matters={"c:1": Matter(on(1), on(2)), "c:2": Matter(on(3), 0), "s:1": Matter(on(1), 0)},
        categories={"books": [1, on(0)], "toys": [1, on(0)]},
    )
    assert indicators(facts, 4.0, 365, 0, Scale()) == {
        "satisfaction": 0.75, "complaints_solved": 0.5, "response": 0.25, "tenure": pytest.approx(1 / 3), "breadth": 0.4,
    }  # fmt: skip
    assert indicators(facts, 5.0, 9_999, 2, Scale())["breadth"] == indicators(facts, 5.0, 9_999, 2, Scale())["tenure"] == 1.0


def test_a_complaint_that_was_closed_without_satisfaction_is_not_solved() -> None:
    facts = Facts(matters={"c:1": Matter(on(1), on(2)), "c:2": Matter(on(3), on(4))}, soured_at=on(4), soothed_at=on(2))
    assert indicators(facts, None, 0, 0, Scale()) == {"complaints_solved": 0.5}


def test_a_contact_of_long_ago_says_nothing_about_response() -> None:
    recent, old = (Facts(counts=fresh(sent_email=1), landmark=ZERO + day) for day in (30, 90))
    assert indicators(recent, None, 0, 0, Scale()) == {"response": 0.0}
    assert indicators(old, None, 0, 0, Scale()) == {}


def test_of_a_stranger_nothing_is_known() -> None:
    assert relationship(indicators(Facts(), None, 0, 0, Scale()), Scale()).score is None


def test_missing_indicators_give_their_weight_to_the_others() -> None:
    found = relationship({"satisfaction": 1.0, "tenure": 0.4}, Scale(satisfaction=0.3, tenure=0.1))
    assert found.score == pytest.approx(0.85)
    assert found.weakest == "tenure"
    assert {r.indicator: r.weight for r in found.indicators} == pytest.approx({"satisfaction": 0.75, "tenure": 0.25})


def test_an_indicator_without_weight_does_not_count_and_is_not_the_weakest() -> None:
    assert relationship({"satisfaction": 0.9, "response": 0.0}, Scale(response=0.0)).weakest == "satisfaction"
    assert relationship({"response": 0.0}, Scale(response=0.0)).score is None


@given(known_indicators, scales)
def test_the_score_is_the_sum_of_its_contributions_and_lies_between_its_indicators(known: dict[Indicator, float], scale: Scale) -> None:
    found = relationship(known, scale)
    if found.score is None:
        return
    values = [r.value for r in found.indicators]
    assert found.score == pytest.approx(sum(r.contribution for r in found.indicators), abs=1e-9)
    assert min(values) - 1e-9 <= found.score <= max(values) + 1e-9
    assert min(values) == known[found.weakest or "tenure"]


@given(known_indicators.filter(bool), st.floats(0, 1), st.data())
def test_a_better_indicator_never_lowers_the_score(known: dict[Indicator, float], better: float, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(known)))
    improved = relationship({**known, name: max(known[name], better)}, Scale()).score
    assert (improved or 0.0) >= (relationship(known, Scale()).score or 0.0) - 1e-12
