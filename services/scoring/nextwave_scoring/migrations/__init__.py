"""Alembic revisions of scoring's database."""
