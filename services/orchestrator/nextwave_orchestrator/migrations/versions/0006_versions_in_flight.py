"""What happens to people in flight when a version is replaced, and how many there are in each version."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table campaigns add column migrates_to int not null default 0, add column drains boolean not null default false")
    op.execute(
        "create table flights (partition int not null, campaign text not null, version int not null, people bigint not null,"
        " primary key (partition, campaign, version)) with (fillfactor = 50)"
    )
