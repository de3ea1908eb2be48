"""The texts to a number are found by its keyed hash: who says stop by text is known by nothing else."""

from nextwave_runtime.migrate import build_index

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build_index("deliveries_texted", "deliveries using gin (subjects) where channel = 'sms'")
