"""A fresh ingest application for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.ingest.fakes import Stand, stand


@pytest.fixture
def ingest(tmp_path: Path) -> Stand:
    return stand(tmp_path)
