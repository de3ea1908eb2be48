"""To which addresses of the house templates may be sent to be looked at, and what was ordered of it."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create table test_addresses (key text primary key, revision bigint not null, body text not null,"
        " changed_at timestamptz not null default now(), changed_by text not null)"
    )
    op.execute(
        "create table proofs (action_id text primary key, fingerprint text not null, ordered_by text not null, at timestamptz not null)"
    )
    op.execute("create index proofs_by_time on proofs (at)")
