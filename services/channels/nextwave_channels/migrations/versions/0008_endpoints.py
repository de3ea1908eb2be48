"""How the endpoints of webhooks do: since when they fail, and which are disabled."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table endpoints (channel text primary key, failing_since timestamptz, disabled_at timestamptz,"
    " reason text not null default '')",
    "comment on table endpoints is 'those that ever failed; all instants are database time'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
