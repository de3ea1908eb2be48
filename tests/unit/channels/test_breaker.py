"""The circuit breaker: when a provider is left alone, and how it comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.breaker import FAILURES_MAX, OPEN_SECONDS, OPEN_SECONDS_MAX, Breaker, begin, hear, room, state

WELL = Accepted()
UNREACHED = Refused(detail="not reached", permanent=False, down=True)
TIMED_OUT = Uncertain(detail="no answer")


def tripped(at: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(FAILURES_MAX):
        breaker = hear(breaker, UNREACHED, at, probe=False)
    return breaker


@pytest.mark.parametrize("answer", [UNREACHED, TIMED_OUT])
def test_so_many_failures_in_a_row_open_it_and_not_one_less(answer: Answer) -> None:
    breaker = Breaker()
    for n in range(FAILURES_MAX):
        assert (state(breaker, 0), room(breaker, 0, 16)) == ("closed", 16), n
        breaker = hear(breaker, answer, 0, probe=False)
    assert (state(breaker, 0), room(breaker, 0, 16)) == ("open", 0)


@pytest.mark.parametrize("well", [WELL, Refused(detail="550 no such user", permanent=True), Refused(detail="450 later", permanent=False)])
def test_whoever_answers_is_well_even_if_it_refuses(well: Answer) -> None:
    breaker = Breaker()
    for answer in [*[TIMED_OUT] * (FAILURES_MAX - 1), well, *[TIMED_OUT] * (FAILURES_MAX - 1)]:
        breaker = hear(breaker, answer, 0, probe=False)
    assert state(breaker, 0) == "closed"


def test_after_its_time_one_probe_goes_alone_and_closes_it() -> None:
    breaker = tripped()
    assert state(breaker, OPEN_SECONDS - 0.01) == "open"
    assert (state(breaker, OPEN_SECONDS), room(breaker, OPEN_SECONDS, 16)) == ("half_open", 1)
    breaker, probe = begin(breaker, OPEN_SECONDS)
    assert probe
    assert room(breaker, OPEN_SECONDS, 15) == 0
    breaker = hear(breaker, WELL, OPEN_SECONDS + 1, probe=True)
    assert (state(breaker, OPEN_SECONDS + 1), room(breaker, OPEN_SECONDS + 1, 16)) == ("closed", 16)


def test_each_probe_that_fails_doubles_the_wait_up_to_the_longest() -> None:
    breaker, now, waits = tripped(), 0.0, list[float]()
    for _ in range(6):
        waits.append(breaker.until - now)
        now = breaker.until
        breaker, probe = begin(breaker, now)
        assert probe
        breaker = hear(breaker, TIMED_OUT, now, probe=True)
    assert waits == [5, 10, 20, 40, OPEN_SECONDS_MAX, OPEN_SECONDS_MAX]


def test_once_open_only_the_probe_tells_and_not_what_was_sent_before() -> None:
    breaker = tripped()
    for answer in (WELL, TIMED_OUT, UNREACHED):
        assert hear(breaker, answer, 1, probe=False) == breaker
    probing, _ = begin(breaker, OPEN_SECONDS)
    assert hear(probing, TIMED_OUT, OPEN_SECONDS, probe=False) == probing


def test_a_probe_that_was_not_called_after_all_makes_way_for_another() -> None:
    probing, _ = begin(tripped(), OPEN_SECONDS)
    freed = hear(probing, None, OPEN_SECONDS, probe=True)
    assert (state(freed, OPEN_SECONDS), room(freed, OPEN_SECONDS, 16)) == ("half_open", 1)


def test_a_provider_that_asks_for_a_pause_gets_it_and_then_goes_on_at_once() -> None:
    asked = Refused(detail="429", permanent=False, retry_after_seconds=30)
    breaker = hear(Breaker(), asked, 100, probe=False)
    assert (state(breaker, 129.9), state(breaker, 130)) == ("open", "closed")
    breaker = hear(breaker, WELL, 101, probe=False)  # sent before it asked
    assert state(breaker, 129.9) == "open"
    endless = hear(Breaker(), Refused(detail="503", permanent=False, retry_after_seconds=1e9, down=True), 0, probe=False)
    assert state(endless, 3600) == "closed"


@given(st.lists(st.tuples(st.sampled_from([WELL, UNREACHED, TIMED_OUT, None]), st.floats(0, 20)), max_size=60))
def test_whatever_is_answered_there_is_never_more_than_one_probe_and_always_a_way_back(answers: list[tuple[Answer | None, float]]) -> None:
    breaker, now, probes = Breaker(), 0.0, 0
    for answer, passed in answers:
        now += passed
        if room(breaker, now, 4):
            breaker, probe = begin(breaker, now)
            probes += probe
            assert probes <= 1
            breaker = hear(breaker, answer, now, probe=probe)
            probes -= probe
    later = now + 2 * OPEN_SECONDS_MAX
    assert room(breaker, later, 4) >= 1
    again, probe = begin(breaker, later)
    assert state(hear(again, WELL, later, probe=probe), later) == "closed"
