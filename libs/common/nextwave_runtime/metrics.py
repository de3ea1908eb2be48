"""Every metric of the runtime, declared once; services declare theirs beside their own code."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

TAKEN = Counter("nextwave_processor_taken_total", "Messages taken in", ["processor"])
DUPLICATES = Counter("nextwave_processor_duplicates_total", "Repeated messages that were dropped", ["processor"])
GAPS = Counter(
    "nextwave_processor_gaps_total", "Messages left for their writer's repetition, since one before them is missing", ["processor"]
)
REJECTED = Counter("nextwave_processor_rejected_total", "Messages that could not be taken in", ["processor", "reason"])
PUBLISHED = Counter("nextwave_processor_published_total", "Messages published", ["processor", "topic"])
TIMERS = Counter("nextwave_processor_timers_total", "Timers fired", ["processor"])
BATCH = Histogram("nextwave_processor_batch_messages", "Messages of one batch", ["processor"], buckets=(1, 5, 10, 50, 100, 250, 500, 1000))
FOLD = Histogram("nextwave_processor_fold_seconds", "Folding one batch", ["processor"], buckets=_SECONDS)
APPLY = Histogram("nextwave_processor_apply_seconds", "The transaction of one batch, fold included", ["processor"], buckets=_SECONDS)
LAG = Gauge("nextwave_processor_lag_messages", "Messages not yet taken in", ["processor", "partition"])
WATERMARK_AGE = Gauge("nextwave_processor_watermark_age_seconds", "Business seconds the watermark is behind", ["processor", "partition"])
RESTARTS = Counter("nextwave_processor_partition_restarts_total", "Times a partition was taken up again after an error", ["processor"])
FENCED = Counter("nextwave_processor_fenced_total", "Batches refused because another worker has the partition", ["processor"])
CLOCK_OFF = Gauge(
    "nextwave_clock_off_seconds",
    "How far a clock (`database`, `own`: this process's) is ahead of the time the service lives by; beyond 300 either way it is an alarm",
    ["clock"],
)
HTTP_REFUSED = Counter(
    "nextwave_http_refused_total", "Connections ended before a request of theirs reached a route, or its answer its client", ["reason"]
)
CONSUMER_REBUILDS = Counter("nextwave_consumer_rebuilds_total", "Consumers replaced since their client had gone deaf", ["processor"])
PRODUCER_REBUILDS = Counter("nextwave_producer_rebuilds_total", "Producers replaced after an error", ["processor"])
