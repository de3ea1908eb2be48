"""Facts of reviews are found by their reference, and those that are over by their age."""

from nextwave_runtime.migrate import build_index

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build_index("stops_reviews", "stops (reference) where kind = 'review'")
    build_index("stops_reviewed", "stops (at) where kind = 'review' and not stopped")
