"""Every metric of ingest, declared once."""

from __future__ import annotations

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

ITEMS = Counter("nextwave_ingest_items_total", "Items of requests, by verdict: admitted, refused", ["source", "verdict"])
ANSWERS = Counter("nextwave_ingest_answers_total", "Answers of the doors", ["door", "status"])
LINKS_LOST = Counter("nextwave_ingest_links_lost_total", "Clicks and opens that were answered and could not be recorded", ["kind"])
PENDING = Gauge("nextwave_ingest_pending_bytes", "Bytes waiting for Kafka's acknowledgement")
GROUPS = Histogram("nextwave_ingest_group_records", "Records committed as one group", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500))

MAPPINGS_LEFT_OUT = Gauge("nextwave_ingest_mappings_left_out", "Mappings that are stored and that this build cannot use")
RULES_FAILED = Counter("nextwave_ingest_rules_failed_total", "Rules of mappings that failed on an item by an error of ours", ["mapping"])
PASSED_OVER = Counter("nextwave_ingest_records_passed_over_total", "Records of the mappings' or sources' topic that are none", ["topic"])


@cache
def items(source: str, verdict: str) -> Counter:
    """The counter of a source and verdict; looking labels up costs more than counting."""
    return ITEMS.labels(source, verdict)


@cache
def answers(door: str, status: int) -> Counter:
    """The counter of a door and status."""
    return ANSWERS.labels(door, status)
