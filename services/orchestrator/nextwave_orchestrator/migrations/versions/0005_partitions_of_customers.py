"""Which partition a customer belongs to, so that its owner can walk over its customers in order, without reading anybody else's."""

from __future__ import annotations

from alembic import op
from nextwave_runtime.migrate import build_index

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table customer_states add column if not exists partition int")
    build_index("customer_states_by_partition", "customer_states (partition, customer_id)")
    build_index("customer_states_unplaced", "customer_states (customer_id) where partition is null")
