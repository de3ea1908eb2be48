"""Every metric of ingest, declared once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class Tally(Collector):
    """A counter for every request: a dictionary by labels, read when it is asked for. The library's takes a lock and checks each time."""

    def __init__(self, name: str, meaning: str, labels: tuple[str, ...]) -> None:
        self._said = (name, meaning, labels)
        self.counts: defaultdict[tuple[str, ...], int] = defaultdict(int)
        REGISTRY.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        name, meaning, labels = self._said
        family = CounterMetricFamily(name, meaning, labels=labels)
        for values, count in self.counts.items():
            family.add_metric(values, count)
        yield family


ITEMS = Tally("nextwave_ingest_items_total", "Items of requests, by verdict: admitted, refused, ignored", ("source", "verdict"))
ANSWERS = Tally("nextwave_ingest_answers_total", "Answers of the doors", ("door", "status"))
LINKS_LOST = Counter("nextwave_ingest_links_lost_total", "Clicks and opens that were answered and could not be recorded", ["kind"])
PENDING = Gauge("nextwave_ingest_pending_bytes", "Bytes waiting for Kafka's acknowledgement")
GROUPS = Histogram("nextwave_ingest_group_records", "Records committed as one group", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500))

MAPPINGS_LEFT_OUT = Gauge("nextwave_ingest_mappings_left_out", "Mappings that are stored and that this build cannot use")
RULES_FAILED = Counter("nextwave_ingest_rules_failed_total", "Rules of mappings that failed on an item by an error of ours", ["mapping"])
PASSED_OVER = Counter("nextwave_ingest_records_passed_over_total", "Records of the mappings' or sources' topic that are none", ["topic"])
