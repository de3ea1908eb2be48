"""What reports add up and what response rates are learned from: sums that each partition's owner raises in its own transaction."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DECIDED_BEFORE = (
    "insert into bookings (partition, day, campaign, version, fact, code, wave, segment, channel, held_by, count, amount, loading)"
    " select -1, (at at time zone 'UTC')::date, campaign, substring(convert_from(record, 'UTF8') from '\"version\":([0-9]+)')::int,"
    " 'candidate', result || '/' || reason, wave, segment, channel, '', count(*), 0, 0 from decisions group by 2, 3, 4, 6, 7, 8, 9"
)
"""Of what was decided before this only the candidates are known; they are nobody's partition's.

The version is looked for as text: a record may say `\\u0000` somewhere, which PostgreSQL's JSON does not know.
"""


def upgrade() -> None:
    op.execute(
        "create table bookings (campaign text not null, day date not null, partition int not null, version int not null,"
        " fact text not null, code text not null, wave text not null, segment text not null, channel text not null, held_by text not null,"
        " count bigint not null, amount bigint not null, loading bigint not null,"
        " primary key (campaign, day, partition, version, fact, code, wave, segment, channel, held_by)) with (fillfactor = 70)"
    )
    op.execute(
        "create table response_counts (partition int not null, week int not null, segment text not null, channel text not null,"
        " hour int not null, sent bigint not null, answered bigint not null, check (answered between 0 and sent),"
        " primary key (partition, week, segment, channel, hour)) with (fillfactor = 70)"
    )
    op.execute(_DECIDED_BEFORE)
