"""The dialler list or team of a delivery, by which who carries it out comes for it."""

from alembic import op
from nextwave_runtime.migrate import build_index

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table deliveries add column if not exists list text not null default ''")
    build_index(
        "deliveries_due_of_list",
        "deliveries (channel, list, (purpose in ('marketing', 'care')), value desc) where state = 'due' and list <> ''",
    )
