"""The processor's tables; identifiers, customers, the timeline, and what was taken in."""

from alembic import op
from nextwave_runtime.schema import create_processor_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    # A name of nobody yet (customer_id null) exists only as the lock of the batch that is about to bind it,
    # or when a second customer_id was named beside another customer's.
    "create table identifiers (name text primary key, customer_id uuid)",
    # merged_into: this customer is part of another one now; its identifiers still point here.
    "create table customers (id uuid primary key, merged_into uuid, band text not null, stage text not null, state bytea not null)"
    " with (fillfactor = 70)",
    "alter table customers alter column state set storage external",
    "create index customers_absorbed on customers (merged_into) where merged_into is not null",
    # One plain table: it is read per customer over all time, which is one range of this index, and business time may run through
    # months in seconds or come from an import of years, so that month partitions would be made and looked through in vain.
    "create table timeline (customer_id uuid not null, at timestamptz not null, source text not null, id text not null,"
    " type text not null, data bytea not null)",
    "create index timeline_by_customer on timeline (customer_id, at desc, source, id)",
    "create table intake (partition int not null, source text not null, subject text not null, touchpoints bigint not null,"
    " primary key (partition, source, subject)) with (fillfactor = 50)",
)


def upgrade() -> None:
    create_processor_tables(op)
    for statement in TABLES:
        op.execute(statement)
