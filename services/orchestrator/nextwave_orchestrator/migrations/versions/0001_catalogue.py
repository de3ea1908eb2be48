"""The processor's tables and the catalogue: what campaign owners write, its published versions, and one revision over all."""

from alembic import op
from nextwave_runtime.schema import create_processor_tables

revision = "0001"
down_revision = None

_DOCUMENT = (
    " (key text primary key, revision bigint not null, body text not null,"
    " changed_at timestamptz not null default now(), changed_by text not null)"
)


def upgrade() -> None:
    create_processor_tables(op)
    for kind in ("segments", "templates", "campaign_drafts", "policies"):
        op.execute(f"create table {kind}{_DOCUMENT}")
    op.execute(
        "create table campaigns (key text primary key, state text not null check (state in ('published', 'paused', 'ended')),"
        " version int not null, changed_at timestamptz not null default now(), changed_by text not null)"
    )
    op.execute(
        "create table campaign_versions (key text not null, version int not null, body text not null,"
        " published_at timestamptz not null default now(), published_by text not null, primary key (key, version))"
    )
    op.execute(
        "create table readiness (system text primary key, ready boolean not null,"
        " changed_at timestamptz not null default now(), changed_by text not null)"
    )
    op.execute("create table catalogue_revision (single boolean primary key default true check (single), revision bigint not null)")
    op.execute("insert into catalogue_revision (revision) values (1)")
