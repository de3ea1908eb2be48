"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
import stack as real
from faults import runs
from faults.background import Background

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no fault of the code
hypothesis.settings.load_profile("untimed")

os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
"""Brokers of tests live for minutes: without the second compiler they start in half the processor time."""


@pytest.fixture(scope="session")
def stack() -> Iterator[real.Stack]:
    """The real Kafka and PostgreSQL, once per session."""
    with real.running() as started:
        yield started


@pytest.fixture(scope="session")
def fault_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background]:
    """The runs of whole stacks, begun when the first of their tests is: each keeps the machine busy, and seconds are judged."""
    background = Background(tmp_path_factory.mktemp("faults"))
    runs.begin_all(background)
    yield background
    background.close()
