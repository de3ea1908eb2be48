"""The cases that every client goes through: what it does, and what happens to its posts on the way."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """`work`: which calls the client makes. `plan`: one step for each of its posts, then they pass; a step with `*` goes on for ever."""

    work: str
    plan: str = "ok"


CASES: dict[str, Case] = {
    "single": Case("one"),
    "methods": Case("methods"),
    "gzip": Case("three"),
    "plain": Case("three"),
    "unicode": Case("unicode"),
    "null-ids": Case("null-ids"),
    "32-kb": Case("large-event"),
    "500-kb": Case("large-batch"),
    "over-500-kb": Case("too-large-batch"),
    "clock-ahead": Case("three", "ahead*"),
    "clock-behind": Case("three", "behind*"),
    "twice": Case("three", "twice*"),
    "429": Case("three", "429 429"),
    "503": Case("three", "503 503"),
    "500": Case("three", "500"),
    "401": Case("unknown-key"),
    "cut-after": Case("three", "cut cut"),
    "timeout-after": Case("three", "hang"),
    "timeout-before": Case("three", "lost"),
    "nameless": Case("three", "nameless+cut nameless*"),
    "all-at-once": Case("three", "503 cut 429 hang twice"),
}
PLANS = {name: case.plan for name, case in CASES.items()} | {"page-hide": "ok", "offline": "ok", "cookieless": "ok"}
COUNTS = {"one": 1, "three": 3, "unicode": 1, "null-ids": 1, "large-event": 2, "large-batch": 20, "unknown-key": 0}
"""Tracks of a work that must arrive; of three around a large event it is the two others."""
UNICODE = "Größe 日本語 😀 \u2028 e\u0301"
LARGE_EVENT_BYTES = 32 * 1024 + 1
LARGE_BATCH_EVENT_BYTES = 26_000
"""Twenty of these are more than a batch may have; each by itself is none too many."""
