"""How many browsers a source has subscribed is counted, since it may have so many and no more."""

from alembic import op
from nextwave_runtime.migrate import build_index

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATEMENTS = (
    "comment on table push_subscriptions is 'removed when the push service says that the browser is gone, or 180 days after renewed_at:"
    " it was brought by its page, or a message for it was taken; times are the database''s'",
)


def upgrade() -> None:
    build_index("push_subscriptions_source", "push_subscriptions (source)")
    for statement in STATEMENTS:
        op.execute(statement)
