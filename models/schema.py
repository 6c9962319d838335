"""The database's schema: bring it to the newest revision, ask where it stands."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "models:migrations")
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database of `engine` to `revision`, in one transaction; safe to repeat."""
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def heads() -> tuple[str, ...]:
    """Return the newest revisions of the code; more than one is a mistake."""
    return tuple(ScriptDirectory.from_config(_config()).get_heads())


def current(engine: Engine) -> str | None:
    """Return the revision at which the database of `engine` stands, None if it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()
