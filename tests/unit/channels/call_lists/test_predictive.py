"""The release of calls: its laws, and how a call centre fares that knows nothing of its arithmetic."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from nextwave_channels.call_lists.predictive import CORRECTED_WITHIN, LINES_MAX, Capacity, Seen, learned, lines, released
from unit.channels.call_lists.call_centre import CallCentre

SHIFT = Capacity(agents=10, handling_seconds=150, answer_rate=0.3, abandon_target=0.03, ring_seconds=10)
MANY = Seen(ended=300, picked_up=90)
shifts = some.builds(
    Capacity,
    agents=some.integers(0, 12),
    handling_seconds=some.floats(20, 900),
    answer_rate=some.floats(0.1, 1.0),
    abandon_target=some.floats(0, 0.1),
    ring_seconds=some.floats(2, 30),
)


def expected_abandonment(shift: Capacity, talking: int, ringing: int) -> float:
    """The definition, term by term: over how many pick up, and how many agents still talk then."""
    stays = math.exp(-shift.ring_seconds / shift.handling_seconds)

    def chance(of: int, hits: int, rate: float) -> float:
        return float(math.comb(of, hits) * rate**hits * (1 - rate) ** (of - hits))

    return sum(
        chance(ringing, up, shift.answer_rate) * chance(talking, still, stays) * max(0, up + still - shift.agents)
        for up in range(ringing + 1)
        for still in range(talking + 1)
    )


@settings(max_examples=60, deadline=None)
@given(shifts, some.integers(0, 12))
def test_the_lines_are_the_most_whose_expected_abandonment_is_within_the_target(shift: Capacity, talking: int) -> None:
    talking = min(talking, shift.agents)
    open_at_once = lines(shift, talking)
    if open_at_once > 60:
        return
    free = shift.agents - talking
    target = shift.abandon_target * shift.answer_rate
    assert open_at_once == free or expected_abandonment(shift, talking, open_at_once) <= target * open_at_once + 1e-6
    if shift.agents:
        assert expected_abandonment(shift, talking, open_at_once + 1) > target * (open_at_once + 1) - 1e-6


@settings(max_examples=60, deadline=None)
@given(shifts, some.integers(0, 12), some.integers(0, 12))
def test_half_the_agents_release_at_most_half_the_calls(shift: Capacity, talking: int, ringing: int) -> None:
    whole = replace(shift, agents=2 * shift.agents)
    assert lines(shift, 0) <= lines(whole, 0) / 2
    assert released(replace(shift, agents=0), MANY, talking=talking, ringing=ringing) == 0


@settings(max_examples=60, deadline=None)
@given(shifts, some.integers(0, 12), some.integers(0, 12))
def test_more_talks_and_more_calls_that_ring_never_release_more(shift: Capacity, talking: int, ringing: int) -> None:
    now = released(shift, MANY, talking=talking, ringing=ringing)
    assert released(shift, MANY, talking=talking + 1, ringing=ringing) <= now
    assert released(shift, MANY, talking=talking, ringing=ringing + 1) == max(0, now - 1)


def test_halving_the_agents_halves_the_release_at_the_next_claim() -> None:
    assert released(SHIFT, MANY, talking=0, ringing=0) == 24
    assert released(replace(SHIFT, agents=5), MANY, talking=0, ringing=0) == 10
    assert released(replace(SHIFT, agents=5), MANY, talking=0, ringing=10) == 0


def test_a_list_begins_with_one_call_for_each_free_agent_and_grows_with_what_is_seen() -> None:
    assert [released(SHIFT, Seen(ended=n, picked_up=n // 3), talking=4, ringing=0) for n in (0, 2)] == [6, 8]


def test_what_is_reported_replaces_what_was_said_and_counts_a_standard_error_more() -> None:
    at_first, later = learned(SHIFT, Seen()), learned(SHIFT, Seen(ended=300, picked_up=30, talks=300, talk_seconds=300 * 60.0))
    assert at_first.answer_rate == pytest.approx(0.3 + math.sqrt(0.3 * 0.7 / 20))
    assert 0.11 < later.answer_rate < 0.14
    assert later.handling_seconds == pytest.approx(60, rel=0.1)


def test_abandonment_beyond_the_target_lowers_it_until_it_is_made_good() -> None:
    assert learned(SHIFT, Seen(ended=300, picked_up=100, abandoned=3)).abandon_target == 0.03
    assert learned(SHIFT, Seen(ended=300, picked_up=100, abandoned=5)).abandon_target == pytest.approx(0.03 - 2 / CORRECTED_WITHIN)
    shocked = Seen(ended=300, picked_up=100, abandoned=20)
    assert released(SHIFT, shocked, talking=4, ringing=0) == 6, "one for each free agent: nobody who picks up finds nobody"


TALKS: dict[str, Callable[[random.Random], float]] = {
    "as telephone traffic": lambda chance: chance.expovariate(1 / 150),
    "some very long": lambda chance: chance.lognormvariate(4.8, 0.7),
    "all alike": lambda _chance: 150.0,
}


@pytest.mark.parametrize(
    ("talk", "agents", "rate", "said_rate"),
    [
        ("as telephone traffic", 3, 0.3, 0.3),
        ("as telephone traffic", 10, 0.1, 0.1),
        ("as telephone traffic", 20, 0.6, 0.3),
        ("some very long", 10, 0.3, 0.1),
        ("all alike", 3, 0.3, 0.1),
        ("all alike", 10, 0.6, 0.6),
    ],
)
def test_a_call_centre_stays_under_the_target_and_its_agents_are_busy(talk: str, agents: int, rate: float, said_rate: float) -> None:
    seconds = 3600
    said = replace(SHIFT, agents=agents, answer_rate=said_rate)
    centre = CallCentre(agents=agents, rate=rate, said=said, chance=random.Random(11), talk=TALKS[talk])
    centre.live(seconds)
    assert centre.picked_up > 40
    assert centre.abandoned / centre.picked_up <= said.abandon_target
    assert centre.talked_seconds / seconds / agents > 0.65


class Reckless(CallCentre):
    def released(self, now: float, ringing: int, talking: int) -> int:  # noqa: ARG002  (the call centre's own)
        return max(0, 3 * self.agents - ringing)


def test_without_the_release_the_same_call_centre_loses_people() -> None:
    centre = Reckless(agents=10, rate=0.3, said=SHIFT, chance=random.Random(11), talk=TALKS["all alike"])
    centre.live(1800)
    assert centre.abandoned / centre.picked_up > 0.3


@pytest.mark.parametrize("talking", [0, 150, 290, 300])
def test_the_largest_centres_are_counted_exactly_and_once(talking: int) -> None:
    whole = replace(SHIFT, agents=300, answer_rate=0.2)
    open_at_once = lines(whole, talking)
    wanted = [1.0]
    chances = [math.exp(-whole.ring_seconds / whole.handling_seconds)] * talking + [whole.answer_rate] * open_at_once
    for chance in chances:
        wanted = [here * (1 - chance) + below * chance for here, below in zip([*wanted, 0.0], [0.0, *wanted], strict=True)]
    one_more = [
        here * (1 - whole.answer_rate) + below * whole.answer_rate for here, below in zip([*wanted, 0.0], [0.0, *wanted], strict=True)
    ]
    beyond, beyond_one_more = (sum(max(0, n - 300) * chance for n, chance in enumerate(each)) for each in (wanted, one_more))
    target = whole.abandon_target * whole.answer_rate
    assert open_at_once == 300 - talking or beyond <= target * open_at_once + 1e-9
    assert open_at_once == LINES_MAX or beyond_one_more > target * (open_at_once + 1)
    before = lines.cache_info().hits
    assert released(whole, Seen(), talking=talking, ringing=0) <= open_at_once
    released(whole, Seen(), talking=talking, ringing=1)
    assert lines.cache_info().hits > before, "what was counted for a claim is not counted again for whoever looks"
