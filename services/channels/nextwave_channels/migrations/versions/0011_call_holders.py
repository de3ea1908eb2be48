"""Who pulled a call; and what is due on each list, found without a walk through all others."""

from alembic import op
from nextwave_runtime.migrate import build_index

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Calls that the build before hands out have no holder: any agent may report them.
STATEMENTS = (
    "alter table call_attempts add column holder text not null default ''",
    "comment on column call_attempts.holder is 'the name of the API token that pulled it; empty: it was not pulled'",
)


def upgrade() -> None:
    build_index("deliveries_due_calls", "deliveries (list, due_at) where state = 'due' and channel = 'call'")
    for statement in STATEMENTS:
        op.execute(statement)
