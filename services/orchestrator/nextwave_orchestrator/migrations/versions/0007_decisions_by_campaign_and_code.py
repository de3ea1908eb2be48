"""So that the decisions of a campaign, or with a reason, are found without reading those of everybody else."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("create index decisions_by_campaign on decisions (campaign, at desc, decision_id desc)")
    op.execute("create index decisions_by_reason on decisions (reason, at desc, decision_id desc)")
