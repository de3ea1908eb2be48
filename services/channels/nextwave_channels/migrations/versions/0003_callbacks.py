"""Reasons of stops; callbacks about deliveries that are not known (yet); deliveries found by their provider's id."""

from alembic import op
from nextwave_runtime.migrate import build_index

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table stops add column reason text not null default ''",
    "create table unmatched (id bigint generated always as identity primary key, provider text not null, action_id text not null,"
    " provider_id text not null, kind text not null, received_at timestamptz not null, tries int not null default 0,"
    " try_at timestamptz not null, evidence bytea not null)",
    "comment on table unmatched is 'what providers said of deliveries that were not found; dropped after 30 days (database time)'",
    "create index unmatched_try on unmatched (try_at)",
    "create index unmatched_received on unmatched (received_at, id)",
)


def upgrade() -> None:
    build_index("deliveries_provider_id", "deliveries (provider_id) where provider_id <> ''")
    for statement in STATEMENTS:
        op.execute(statement)
