"""Faults that the services are known to have today: each by a mark in the checker's words, with the test that reproduces it alone.

When a service is put right, its test in `test_open_defects.py` says so, and its mark here goes.
"""

from __future__ import annotations

from collections.abc import Iterable

OPEN: dict[str, str] = {}


def unknown(faults: Iterable[str]) -> list[str]:
    """The faults that no open defect explains."""
    return [fault for fault in faults if not any(mark in fault for mark in OPEN)]
