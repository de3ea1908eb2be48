"""The texts to a number are found by its keyed hash: who says stop by text is known by nothing else."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATEMENTS = ("create index deliveries_texted on deliveries using gin (subjects) where channel = 'sms'",)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
