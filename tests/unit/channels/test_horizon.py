"""How waiting claims are shown and spoken of."""

from __future__ import annotations

import pytest
from nextwave_channels.horizon import LONG_SECONDS, Waiting
from prometheus_client import REGISTRY


def shown() -> float | None:
    return REGISTRY.get_sample_value("nextwave_channels_claims_wait_seconds", {"channel": "email"})


def test_a_long_wait_is_said_once_and_its_end_too_and_a_short_one_is_only_shown(capsys: pytest.CaptureFixture[str]) -> None:
    ticks = iter([1.0, 1.0 + LONG_SECONDS, 10.0, 11.0, 12.0])
    waiting = Waiting("email", lambda: next(ticks))
    waiting.is_over()
    for _ in range(2):
        waiting.goes_on("3 stops are not read yet")
    assert (shown(), capsys.readouterr().out) == (LONG_SECONDS, "")
    for _ in range(2):
        waiting.goes_on("3 stops are not read yet")
    waiting.is_over()
    said = capsys.readouterr().out
    assert (said.count("3 stops are not read yet"), said.count("claims_go_on"), shown()) == (1, 1, 0)
