"""Answers of providers, and how long an idle loop waits."""

from __future__ import annotations

import pytest
from nextwave_channels.adapters.twilio import interpret
from nextwave_channels.answers import Accepted, Answer, Refused, Uncertain
from nextwave_channels.http_port import Reply, retry_after
from nextwave_channels.pacing import IDLE_SECONDS_MAX, IDLE_SECONDS_MIN, idle_seconds


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(status=201, body=b'{"sid":"SM1"}'), Accepted(provider_id="SM1")),
        (Reply(status=201, body=b'{"sid": tru'), Accepted()),
        (Reply(status=429, retry_after_seconds=7), Refused(detail="429", permanent=False, retry_after_seconds=7)),
        (Reply(status=503), Refused(detail="503", permanent=False, down=True)),
        (Reply(status=400, body=b'{"code":21211,"message":"bad To"}'), Refused(detail="400 21211 bad To", permanent=True, bounced=True)),
        (Reply(status=400, body=b'{"code":21610}'), Refused(detail="400 21610", permanent=True, opted_out=True)),
        (Reply(status=301), Refused(detail="301", permanent=True)),
        (Reply(status=500), Uncertain(detail="500")),
        (Reply(status=502, body=b"<html>"), Uncertain(detail="502")),
    ],
)
def test_an_answer_counts_as_a_refusal_only_if_it_surely_is_one(reply: Reply, answer: Answer) -> None:
    assert interpret(reply) == answer


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-3", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(header: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": header}, wall_now=1000.0) == seconds


def test_an_idle_loop_asks_ever_less_often_but_never_oversleeps_the_next_due_instant() -> None:
    waits = [0.0]
    for _ in range(10):
        waits.append(idle_seconds(waits[-1], None, 0.0))
    assert waits[1:3] == [IDLE_SECONDS_MIN, IDLE_SECONDS_MIN * 2]
    assert waits[-1] == IDLE_SECONDS_MAX
    assert idle_seconds(IDLE_SECONDS_MAX, 0.1, 0.0) == 0.1
    assert idle_seconds(IDLE_SECONDS_MAX, -5.0, 0.0) == IDLE_SECONDS_MIN


def test_loops_that_are_idle_for_long_wake_at_the_same_instants() -> None:
    ends: set[float] = set()
    for began in (0.0, 0.01, 0.1, 0.124, 0.126, 0.24):
        now, waited = began, 0.0
        for _ in range(30):
            waited = idle_seconds(waited, None, now)
            assert waited <= IDLE_SECONDS_MAX * 1.5
            now += waited
        ends.add(round(now % IDLE_SECONDS_MAX, 6) % IDLE_SECONDS_MAX)
    assert ends == {0.0}
