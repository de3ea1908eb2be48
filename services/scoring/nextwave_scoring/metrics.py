"""Scoring's own metrics, each declared once."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

CREATED = Counter("nextwave_scoring_customers_created_total", "Customers met for the first time")
MERGED = Counter("nextwave_scoring_customers_merged_total", "Customers that turned out to be another")
SHADOW = Histogram(
    "nextwave_scoring_shadow_difference",
    "Risk by a shadow model less the risk by the live one",
    ["model"],
    buckets=(-0.5, -0.2, -0.1, -0.05, -0.02, 0.0, 0.02, 0.05, 0.1, 0.2, 0.5),
)
