"""The shelf of a test."""

from __future__ import annotations

from pathlib import Path

import pytest
from nextwave_ingest.mappings.document import read
from nextwave_local.owning import keeping
from unit.ingest.fakes import stand
from unit.local.owning.shelf import SHIPPED, Shelf


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    (tmp_path / "folder").mkdir()
    one = Shelf(tmp_path / "folder", stand(tmp_path, documents=[read(SHIPPED.encode())]))
    monkeypatch.setattr(keeping, "connect", one.connect)
    return one
