"""Deliveries with their steps, and the projection of stops that the claim checks; beside them the processor's own tables."""

from alembic import op
from nextwave_runtime.schema import create_processor_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Indexes of the queue are partial: a delivery leaves all of them in the moment it is claimed.
STATEMENTS = (
    "create table deliveries (action_id text primary key, customer_id text not null, campaign text not null, wave text not null,"
    " run_id text not null, channel text not null, purpose text not null, partition int not null, subjects text[] not null,"
    " state text not null, due_at timestamptz not null, value double precision not null, attempt int not null default 0,"
    " held_until timestamptz not null default '-infinity', provider_id text not null default '', detail text not null default '',"
    " withdrawn_reason text not null default '', received_at timestamptz not null, changed_at timestamptz not null,"
    " contact bytea not null) with (fillfactor = 80)",
    "comment on column deliveries.due_at is 'business time'",
    "comment on column deliveries.held_until is 'database time: end of the lease while sending, earliest retry while due'",
    "comment on column deliveries.withdrawn_reason is 'withdrawn while sending: a sure refusal ends it, nothing sends it again'",
    "create index deliveries_due on deliveries (channel, due_at) where state = 'due'",
    "create index deliveries_by_value on deliveries (channel, (purpose in ('marketing', 'care')), value desc) where state = 'due'",
    "create index deliveries_due_campaign on deliveries (campaign, partition) where state = 'due'",
    "create index deliveries_due_subjects on deliveries using gin (subjects) where state = 'due'",
    "create index deliveries_sending on deliveries (held_until) where state = 'sending'",
    "create index deliveries_customer on deliveries (customer_id, received_at desc, action_id desc)",
    "create index deliveries_received on deliveries (received_at desc, action_id desc)",
    "create table steps (action_id text not null, kind text not null, at timestamptz not null, detail text not null default '',"
    " primary key (action_id, kind))",
    "create table stops (subject text not null, kind text not null, channel text not null, purpose text not null,"
    " reference text not null, stopped boolean not null, at timestamptz not null, source text not null default '',"
    " primary key (subject, kind, channel, purpose, reference))",
    "create table stopped_campaigns (campaign text primary key, stopped boolean not null, at timestamptz not null)",
)


def upgrade() -> None:
    create_processor_tables(op)
    for statement in STATEMENTS:
        op.execute(statement)
