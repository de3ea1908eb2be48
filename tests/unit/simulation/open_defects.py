"""Faults that the services are known to have today: each by a mark in the checker's words, with the test that reproduces it alone.

When a service is put right, its test in `test_open_defects.py` says so, and its mark here goes.
"""

from __future__ import annotations

from collections.abc import Iterable

OPEN: dict[str, str] = {
    "(read before its run began)": "test_a_response_that_was_read_before_its_run_began_counts_for_it",
    "(received before the entry)": "test_an_event_received_before_the_entry_is_no_goal",
    "started for a customer who had become part of another": "test_word_of_an_absorbed_customer_that_comes_late_starts_nothing",
}


def unknown(faults: Iterable[str]) -> list[str]:
    """The faults that no open defect explains."""
    return [fault for fault in faults if not any(mark in fault for mark in OPEN)]
