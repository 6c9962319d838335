"""Writing rows by Core, while somebody is on the telephone: a transaction without the ORM's Session."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value


class Rows:
    """A transaction for writing without the ORM: what it shares with a Session is all that writers by Core need.

    `driver` is the connection as the database's driver has it, in the open transaction; what runs in every call runs
    there (models/prepared.py). SQLAlchemy is told of the transaction as soon as somebody asks for its connection.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dialect = connection.dialect
        self.driver: Any = connection.connection.driver_connection
        self.info: dict[str, Any] = {}

    def connection(self) -> Connection:
        """Return SQLAlchemy's connection, in its transaction."""
        if not self._connection.in_transaction():
            self._connection.begin()
        return self._connection

    def commit(self) -> None:
        """Commit, whoever has written.

        Raises:
            SQLAlchemyError: it could not be committed, and was rolled back.
        """
        if self._connection.in_transaction():
            self._connection.commit()
            return
        try:
            self.driver.commit()
        except driver_error(self.dialect) as error:
            self.rollback()
            raise told(error, "COMMIT", self.dialect) from error

    def rollback(self) -> None:
        """Roll back, whoever has written. A connection that is gone has nothing to roll back."""
        with suppress(SQLAlchemyError, driver_error(self.dialect)):
            if self._connection.in_transaction():
                self._connection.rollback()
            else:
                self.driver.rollback()


def driver_error(dialect: Dialect) -> type[Exception]:
    """Return the class of all errors of the database's driver."""
    return cast(type[Exception], cast(Any, dialect).loaded_dbapi.Error)


def told(error: Exception, statement: str, dialect: Dialect) -> Exception:
    """Return an error of the driver as SQLAlchemy tells it, without the values: they are people's own."""
    return DBAPIError.instance(statement, None, error, driver_error(dialect), hide_parameters=True, dialect=dialect)


def tell(row: object, **values: Any) -> None:
    """Let a loaded object know what was written into its row beside it: nothing of it is left to be flushed."""
    for name, value in values.items():
        set_committed_value(row, name, value)


@contextmanager
def orm(unit: Session | Rows) -> Iterator[Session]:
    """Return a Session inside of the open transaction, for the rare part that needs objects; flushed at the end."""
    if isinstance(unit, Session):
        yield unit
        return
    with Session(unit.connection(), expire_on_commit=False, join_transaction_mode="rollback_only") as session:
        yield session
        session.flush()
