"""Budgets and capacities: what may be spent of each, and what every partition holds of it."""

from __future__ import annotations

import json

from alembic import op
from sqlalchemy import text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AMOUNT_MAX = 2**63 - 1
_BUDGET = text("insert into allowances (scope, amount, changed_by) values (:scope, :amount, :by)")


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
    connection = op.get_bind()
    newest = connection.execute(
        text("select v.key, v.body, c.changed_by from campaigns c join campaign_versions v on v.key = c.key and v.version = c.version")
    )
    for row in newest.all():
        connection.execute(_BUDGET, {"scope": f"budget/{row.key}", "amount": _amount(row.body), "by": row.changed_by})


def _amount(body: str) -> int | None:
    """The budget in force, read here and not by PostgreSQL, whose JSON knows no NUL; more than there is a number for is the most."""
    budget = json.loads(body).get("budget")
    return min(budget["amount"], AMOUNT_MAX) if budget else None
