"""Which partition a customer belongs to, so that its owner can walk over its customers in order, without reading anybody else's."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table customer_states add column partition int")
    op.execute("create index customer_states_by_partition on customer_states (partition, customer_id)")
    op.execute("create index customer_states_unplaced on customer_states (customer_id) where partition is null")
