"""What the processor remembers of each customer, and the record of every decision with the input that leads to it again."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create table customer_states (customer_id text primary key, runs int not null, updated_at timestamptz not null,"
        " state bytea not null) with (fillfactor = 70)"
    )
    op.execute("alter table customer_states alter column state set storage main")
    op.execute(
        "create table decisions (decision_id text primary key, customer_id text not null, campaign text not null, wave text not null,"
        " segment text not null, channel text not null, result text not null, reason text not null, at timestamptz not null,"
        " record bytea not null, given bytea not null)"
    )
    op.execute("create index decisions_by_customer on decisions (customer_id, at desc, decision_id desc)")
    op.execute("create index decisions_by_time on decisions (at desc, decision_id desc)")
