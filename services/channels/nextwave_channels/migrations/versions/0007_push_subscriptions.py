"""Browsers that may be sent web push, each under the token that stands for it as an address."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create table push_subscriptions (token text primary key, endpoint text not null, point bytea not null, auth bytea not null,"
        " source text not null, created_at timestamptz not null default now(), renewed_at timestamptz not null default now())"
    )
    op.execute(
        "comment on table push_subscriptions is 'removed when the push service says that the browser is gone; times are the database''s'"
    )
