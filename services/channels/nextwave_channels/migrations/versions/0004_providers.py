"""Which provider takes a delivery and what it costs there; until when it may be sent; operators' word on providers, and their rates."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The build before leaves the new columns as they are: no provider, the contact's own cost, and it expires deliveries at the claim only.
STATEMENTS = (
    "alter table deliveries add column provider text not null default '', add column cost bigint, add column not_after timestamptz",
    "comment on column deliveries.provider is 'who was asked last to carry it out; empty: nobody was, or there is no choice'",
    "comment on column deliveries.cost is 'minor units, by the price table when it was claimed; null: the cost that the contact carries'",
    "create index deliveries_due_until on deliveries (not_after) where state = 'due'",
    "create table providers (channel text not null, provider text not null, enabled boolean not null default true,"
    " reason text not null default '', changed_by text not null default '', changed_at timestamptz,"
    " whole_at double precision not null default '-infinity', primary key (channel, provider)) with (fillfactor = 50)",
    "comment on column providers.whole_at is 'Unix seconds of this database: when the allowance of the rate limit is whole again'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
