"""The orchestrator's own metrics, declared once."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

CATALOGUE_REVISION = Gauge("nextwave_orchestrator_catalogue_revision", "Revision of the catalogue in force")
CATALOGUE_MISFITS = Gauge(
    "nextwave_orchestrator_catalogue_misfits", "Stored segments, templates and versions left out because this release cannot read them"
)
CATALOGUE_REFUSED = Counter("nextwave_orchestrator_catalogue_refused_total", "Times a stored catalogue did not fit this release")
