"""The dialler list or team of a delivery, by which who carries it out comes for it."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table deliveries add column list text not null default ''")
    op.execute(
        "create index deliveries_due_of_list on deliveries (channel, list, (purpose in ('marketing', 'care')), value desc)"
        " where state = 'due' and list <> ''"
    )
