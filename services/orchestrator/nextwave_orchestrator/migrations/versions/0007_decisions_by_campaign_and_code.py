"""So that the decisions of a campaign, or with a reason, are found without reading those of everybody else."""

from __future__ import annotations

from nextwave_runtime.migrate import build_index

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build_index("decisions_by_campaign", "decisions (campaign, at desc, decision_id desc)")
    build_index("decisions_by_reason", "decisions (reason, at desc, decision_id desc)")
