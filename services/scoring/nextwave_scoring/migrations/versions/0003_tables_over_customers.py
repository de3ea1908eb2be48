"""What tables over many customers are made of, and thresholds of value that are taken from all of them."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    # Empty and 0 where a build before this one wrote the row: the next event or review of the customer fills them.
    "alter table customers add column cell text not null default '', add column pattern text not null default '',"
    " add column cause text not null default '', add column cohort text not null default '',"
    " add column band_since bigint not null default 0, add column revenue bigint not null default 0,"
    " add column margin bigint not null default 0, add column acquisition bigint not null default 0,"
    " add column direct bigint not null default 0, add column indirect bigint not null default 0",
    # Customers by bucket of their value: each partition counts the changes that came in at it.
    "create table value_tallies (partition int primary key, current bytea not null, potential bytea not null) with (fillfactor = 50)",
    # Never deleted from: a judgement of an earlier instant reads what was in force then.
    "create table value_thresholds (since bigint primary key, current_min bigint not null, potential_min bigint not null,"
    " customers bigint not null)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
