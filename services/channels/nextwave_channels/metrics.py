"""Every metric of the channels, declared once."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

STEPS = Counter("nextwave_channels_steps_total", "Deliveries brought into a state by a dispatcher or callback", ["channel", "state"])
SEND = Histogram(
    "nextwave_channels_send_seconds",
    "One call of a provider, by the kind of its answer",
    ["channel", "provider", "answer"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15),
)
BREAKER = Gauge("nextwave_channels_breaker_open", "Breaker of a provider: 0 closed, 0.5 half-open, 1 open", ["channel", "provider"])
IN_FLIGHT = Gauge("nextwave_channels_in_flight", "Sends that a provider has not answered yet", ["channel", "provider"])
RATE_LEFT = Gauge("nextwave_channels_rate_left", "Sends that a provider's rate allowed after the last claim", ["channel", "provider"])
CLAIMS_WAIT = Gauge(
    "nextwave_channels_claims_wait_seconds",
    "How long claims have waited for stops not yet read, Kafka, or the clock",
    ["channel"],
)
CALLBACKS = Counter("nextwave_channels_callbacks_total", "Provider callbacks, by what was done with them", ["provider", "result"])
OPEN_PAGES = Gauge("nextwave_channels_open_pages", "Pages that listen for on-site invitations at this replica")
