"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
import stack as real

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("untimed")

os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
"""Brokers of tests live for minutes: without the second compiler they start in half the processor time."""


@pytest.fixture(scope="session")
def stack() -> Iterator[real.Stack]:
    """The real Kafka and PostgreSQL, once per session."""
    with real.running() as started:
        yield started
