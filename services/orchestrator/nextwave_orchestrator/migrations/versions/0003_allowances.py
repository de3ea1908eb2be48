"""Budgets and capacities: what may be spent of each, and what every partition holds of it."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create table allowances (scope text primary key, amount bigint check (amount >= 0), per_seconds int not null default 0,"
        " changed_at timestamptz not null default now(), changed_by text not null)"
    )
    op.execute(
        "create table leases (scope text not null, partition int not null, period timestamptz not null default 'epoch',"
        " taken bigint not null default 0, spent bigint not null default 0, wanted bigint not null default 0,"
        " queued_until timestamptz not null default 'epoch', primary key (scope, partition), check (spent <= taken))"
        " with (fillfactor = 50)"
    )
    op.execute(
        "insert into allowances (scope, amount, changed_by)"
        " select 'budget/' || c.key, cast(cast(v.body as jsonb) #>> '{budget,amount}' as bigint), c.changed_by"
        " from campaigns c join campaign_versions v on v.key = c.key and v.version = c.version"
    )
