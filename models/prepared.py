"""Statements put together once and run by the database's driver itself, for what happens in every call and errand.

SQLAlchemy looks each statement up, makes an object for each run of it and one
for each result: several times the cost of the row itself. A `Prepared` is the
same statement, with the same conversions of its values, compiled once for each
database. It runs inside of the transaction that is open, so both ways may be
mixed; an error is SQLAlchemy's in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from sqlalchemy import Dialect, Insert, Update
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import TypeEngine

from models.rows import Rows, driver_error, told

Values = Mapping[str, Any]
Convert = Callable[[Any], Any]
Make = Callable[[], Any]
Statement = Insert | Update | SelectBase


class Prepared:
    """One statement. An insert also gets the names of the columns that it is given; others have theirs by default.

    Raises, from every run of it:
        SQLAlchemyError: as SQLAlchemy itself would.
        KeyError, TypeError: a value is missing, or too much.
    """

    def __init__(self, statement: Statement, *columns: str) -> None:
        self._statement, self._columns = statement, columns
        self._forms: dict[tuple[str, bool], _Form] = {}

    def all(self, unit: Session | Rows, values: Values) -> list[tuple[Any, ...]]:
        """Return every row."""
        form = self._form(unit)
        cursor = form.run(unit, values)
        return [form.row(cells) for cells in cursor.fetchall()]

    def first(self, unit: Session | Rows, values: Values) -> tuple[Any, ...] | None:
        """Return the first row; None if there is none."""
        form = self._form(unit)
        cells = form.run(unit, values).fetchone()
        return None if cells is None else form.row(cells)

    def scalar(self, unit: Session | Rows, values: Values) -> Any:
        """Return the first cell of the first row; None if there is none."""
        row = self.first(unit, values)
        return None if row is None else row[0]

    def run(self, unit: Session | Rows, values: Values) -> int:
        """Run it; return how many rows it has written."""
        return cast(int, self._form(unit).run(unit, values).rowcount)

    def run_all(self, unit: Session | Rows, rows: Sequence[Values]) -> None:
        """Run it once for each of `rows`, in their order."""
        self._form(unit, many=True).run_all(unit, rows)

    def insert(self, unit: Session | Rows, values: Values) -> int:
        """Insert one row; return its id."""
        form = self._form(unit)
        cursor = form.run(unit, values)
        # PostgreSQL returns the id as a row, which SQLAlchemy has asked for in the statement.
        return cast(int, cursor.fetchone()[0] if form.returns_id else cursor.lastrowid)

    def _form(self, unit: Session | Rows, many: bool = False) -> _Form:
        dialect = unit.connection().dialect if isinstance(unit, Session) else unit.dialect
        form = self._forms.get((dialect.name, many))
        if form is None:
            form = self._forms[dialect.name, many] = _Form(self._statement, self._columns, dialect, many)
        return form


class _Form:
    """A statement as one database's driver takes it."""

    def __init__(self, statement: Statement, columns: Sequence[str], dialect: Dialect, many: bool) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None, for_executemany=many)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 (all of `Statement` are SQL)
        wanted = {name for name, bound in compiled.binds.items() if bound.required}
        # A list of fixed values in the statement is written out here.
        expanded = compiled.construct_expanded_state(dict.fromkeys(wanted))
        self.sql = expanded.statement
        self.returns_id = isinstance(statement, Insert) and " RETURNING " in self.sql
        self._wanted = len(wanted)
        self._dialect, self._positional = dialect, compiled.positional
        converts = {**compiled._bind_processors, **expanded.processors}
        made = {column.key: _default(column.default) for column in compiled.insert_prefetch}
        # (name, what makes its value where it does not come with each run, conversion), as the driver wants them.
        self._given: list[tuple[str, Make | None, Convert | None]] = []
        for name in expanded.positiontup or expanded.parameters:
            make = made.get(name)
            if make is None and name not in wanted:
                make = partial(_same, expanded.parameters[name])
            self._given.append((name, make, cast(Convert | None, converts.get(name))))
        self._cells = [_of_cell(column.type, dialect) for column in _columns_of(statement)]

    def run(self, unit: Session | Rows, values: Values) -> Any:
        """Run it; return the driver's cursor."""
        return self._send(unit, self._parameters(values), "execute")

    def run_all(self, unit: Session | Rows, rows: Iterable[Values]) -> None:
        """Run it for each of `rows`."""
        self._send(unit, [self._parameters(values) for values in rows], "executemany")

    def row(self, cells: Sequence[Any]) -> tuple[Any, ...]:
        """Convert what the driver has returned."""
        return tuple(
            [cell if convert is None else convert(cell) for cell, convert in zip(cells, self._cells, strict=True)]
        )

    def _parameters(self, values: Values) -> Sequence[Any] | Values:
        if len(values) != self._wanted:
            raise TypeError(f"{len(values)} values where {self._wanted} are wanted: {self.sql}")
        found = []
        for name, make, convert in self._given:
            value = values[name] if make is None else make()
            found.append(value if convert is None else convert(value))
        return found if self._positional else dict(zip((name for name, _, _ in self._given), found, strict=True))

    def _send(self, unit: Session | Rows, parameters: Any, how: str) -> Any:
        try:
            cursor = driver_of(unit).cursor()
            getattr(cursor, how)(self.sql, parameters)
        except driver_error(self._dialect) as error:
            raise told(error, self.sql, self._dialect) from error
        return cursor


def driver_of(unit: Session | Rows) -> Any:
    """Return the driver's connection, in the open transaction."""
    return unit.connection().connection.driver_connection if isinstance(unit, Session) else unit.driver


def _default(default: Any) -> Make:
    """Return what makes the value of a column that the insert does not name."""
    return partial(_same, default.arg) if default.is_scalar else partial(default.arg, None)


def _same(value: Any) -> Any:
    return value


def _columns_of(statement: Statement) -> Iterable[Any]:
    return () if isinstance(statement, Insert) else statement.exported_columns


def _of_cell(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """Return the conversion of a cell of this type, None where the driver's value is the right one."""
    return cast(Convert | None, kind.dialect_impl(dialect).result_processor(dialect, None))
