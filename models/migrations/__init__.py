"""Alembic migrations of all tables."""
