"""Visits as tasks: who came for them, until when they are theirs, and what they reported. Notes stay in this table."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table tasks (action_id text not null, attempt int not null, holder text not null, claimed_at timestamptz not null,"
    " until timestamptz not null, reported_at timestamptz, result text not null default '', note text not null default '',"
    " next_step text not null default '', primary key (action_id, attempt))",
    "comment on table tasks is 'every time somebody came for a visit; all instants are business time'",
    "comment on column tasks.holder is 'the name of the API token'",
    "create index tasks_held on tasks (holder, claimed_at, action_id) where reported_at is null",
    "create index tasks_reported on tasks (reported_at desc, action_id desc) where reported_at is not null",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
