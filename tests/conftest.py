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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for the runs of whole stacks comes after all others but the ring's tests, which want the machine for themselves."""
    items.sort(key=lambda item: 2 if "ring" in item.path.parts else int(item.path.stem == "test_runs"))


@pytest.fixture(scope="session", autouse=True)
def fault_runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Background | None]:
    """The runs of whole stacks: where their tests are asked for, they go on beside the other tests from the start. They mostly wait."""
    if not any(item.path.stem == "test_runs" for item in request.session.items):
        yield None
        return
    background = Background(tmp_path_factory.mktemp("faults"))
    runs.begin_all(background)
    yield background
    background.close()
