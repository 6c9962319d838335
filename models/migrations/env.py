"""Alembic's environment: runs the migrations on a given connection, or on the configured database."""

from __future__ import annotations

from alembic import context

from models.session import engine
from models.tables import metadata


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        context.run_migrations()
        return
    with engine().begin() as own:
        context.configure(connection=own, target_metadata=metadata, render_as_batch=True)
        context.run_migrations()


run()
