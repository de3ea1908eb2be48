"""Fixtures that every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stack as real


@pytest.fixture(scope="session")
def stack() -> Iterator[real.Stack]:
    """The real Kafka and PostgreSQL, once per session."""
    with real.running() as started:
        yield started
