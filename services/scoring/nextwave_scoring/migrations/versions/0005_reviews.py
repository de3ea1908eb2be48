"""Words that may be a refusal, until somebody has read them."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    # name: the strongest identifier by which it was said; whose it is now is asked of identifiers, so that no merge has to move a row.
    "create table reviews (reference text primary key, name text not null, channel text not null, type text not null,"
    " at timestamptz not null, source text not null, id text not null, words text not null,"
    " reviewed_at timestamptz, refused boolean, reviewed_by text) with (fillfactor = 80)",
    "create index reviews_open on reviews (at, reference) where reviewed_at is null",
    "create index reviews_open_by_name on reviews (name, at, reference) where reviewed_at is null",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
