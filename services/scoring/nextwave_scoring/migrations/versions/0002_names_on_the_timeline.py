"""What a timeline's lines need so that a customer who is separated can be folded anew: who was named, and when it happened."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    # identifiers: one a line; empty for an outcome, null for what a build before this one stored. No default, so that nothing is rewritten.
    "alter table timeline add column identifiers text, add column occurred_at timestamptz",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
