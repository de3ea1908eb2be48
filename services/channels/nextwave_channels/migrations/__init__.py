"""Alembic scripts of the channels' database."""
