"""Scoring's own metrics, each declared once."""

from __future__ import annotations

from prometheus_client import Counter

CREATED = Counter("nextwave_scoring_customers_created_total", "Customers met for the first time")
MERGED = Counter("nextwave_scoring_customers_merged_total", "Customers that turned out to be another")
