"""Calls that people make: what each list's agents can take, and every call begun, by number and person."""

from alembic import op
from nextwave_runtime.migrate import build_index

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Calls that the build before claims are in no attempts: beside it they limit nothing and teach nothing.
STATEMENTS = (
    "create table call_capacities (list text primary key, agents int not null, handling_seconds double precision not null,"
    " answer_rate double precision not null, abandon_target double precision not null, ring_seconds double precision not null,"
    " changed_by text not null, changed_at timestamptz not null)",
    "create table call_attempts (action_id text not null, attempt int not null, list text not null, number text not null,"
    " customer_id text not null, at timestamptz not null, primary key (action_id, attempt))",
    "comment on table call_attempts is 'calls begun, business time; kept for a week'",
    "comment on column call_attempts.number is 'keyed hash'",
    "create index call_attempts_list on call_attempts (list, at desc)",
    "create index call_attempts_number on call_attempts (number, at desc) where number <> ''",
    "create index call_attempts_customer on call_attempts (customer_id, at desc)",
    "create index call_attempts_at on call_attempts (at)",
)


def upgrade() -> None:
    build_index("deliveries_calls_out", "deliveries (list) where channel = 'call' and state = 'sending'")
    for statement in STATEMENTS:
        op.execute(statement)
