"""The guide's table of limits says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest
from nextwave_ingest import admission, reception
from nextwave_ingest.doors import exchange, inbound, posthog
from nextwave_ingest.settings import IngestSettings
from nextwave_runtime import bounded_http

GUIDE = Path(__file__).parents[3] / "docs" / "doors.md"
DEFAULTS = {name: field.default for name, field in IngestSettings.model_fields.items()}
TOLD = {
    "an event, or": f"| {admission.EVENT_BYTES_MAX // 1024} KB |",
    "a request's body": f"| {admission.BATCH_BYTES_MAX // 1024} KB; PostHog {posthog.BYTES_MAX / 1024**2:.1f} MB; "
    f"a mail or form with files {inbound.MAIL_BYTES_MAX // 1024**2} MB |",
    "items of a batch": f"| {admission.ITEMS_MAX:,} |",
    "what a batch says": f"| {reception.SAID_BYTES_MAX // 1024} KB |",
    "nesting": f"| {admission.DEPTH_MAX} |",
    "id, type": f"| {admission.TEXT_MAX} characters",
    "names of": f"| {admission.IDENTIFIERS_MAX} |",
    "time to send a body": f"| {exchange.READ_SECONDS:.0f} s |",
    "time to send a request's head": f"| {bounded_http.HEAD_SECONDS:.0f} s;",
    "a request's head": f"| {bounded_http.HEAD_BYTES_MAX // 1024} KB, {bounded_http.HEADERS_MAX} headers |",
    "what a body has beside": f"| {bounded_http.FRAMING_BYTES_MAX // 1024} KB, and 16 bytes",
    "an answer that": f"| {bounded_http.STALL_SECONDS:.0f} s |",
    "connections of": f"| {DEFAULTS['connections_max']:,}, and {bounded_http.FILES_KEPT} fewer",
    "bodies that are still": f"| {DEFAULTS['arriving_bytes_max'] // 10**6} MB |",
    "bodies that take long": f"| {inbound.WAITING_MAX} |",
    "what waits for Kafka": f"| {DEFAULTS['pending_bytes_max'] // 10**6} MB |",
    "Kafka does not answer": f"| {DEFAULTS['commit_timeout_seconds']:.0f} s |",
}


@pytest.mark.parametrize("limit", TOLD)
def test_a_limit_is_what_the_guide_says(limit: str) -> None:
    (row,) = [line for line in GUIDE.read_text().splitlines() if line.startswith(f"| {limit}")]
    assert TOLD[limit] in row
