"""Which provider takes a delivery and what it costs there; until when it may be sent; operators' word on providers, and their rates."""

from alembic import op
from nextwave_runtime.migrate import build_index

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The build before leaves the new columns as they are: no provider, the contact's own cost, and it expires deliveries at the claim only.
COLUMNS = (
    "alter table deliveries add column if not exists provider text not null default '', add column if not exists cost bigint,"
    " add column if not exists not_after timestamptz"
)
STATEMENTS = (
    "comment on column deliveries.provider is 'who was asked last to carry it out; empty: nobody was, or there is no choice'",
    "comment on column deliveries.cost is 'minor units, by the price table when it was claimed; null: the cost that the contact carries'",
    "create table providers (channel text not null, provider text not null, enabled boolean not null default true,"
    " reason text not null default '', changed_by text not null default '', changed_at timestamptz,"
    " whole_at double precision not null default '-infinity', primary key (channel, provider)) with (fillfactor = 50)",
    "comment on column providers.whole_at is 'Unix seconds of this database: when the allowance of the rate limit is whole again'",
)


def upgrade() -> None:
    op.execute(COLUMNS)
    build_index("deliveries_due_until", "deliveries (not_after) where state = 'due'")
    for statement in STATEMENTS:
        op.execute(statement)
