"""Writing rows by Core, while somebody is on the telephone: a transaction without the ORM's Session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session


class Rows:
    """A transaction for writing without the ORM: what it shares with a Session is all that writers by Core need."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.info: dict[str, Any] = {}

    def connection(self) -> Connection:
        """Return the connection, in its transaction."""
        return self._connection


@contextmanager
def orm(unit: Session | Rows) -> Iterator[Session]:
    """Return a Session inside of the open transaction, for the rare part that needs objects; flushed at the end."""
    if isinstance(unit, Session):
        yield unit
        return
    with Session(unit.connection(), expire_on_commit=False, join_transaction_mode="rollback_only") as session:
        yield session
        session.flush()
