"""Files of elders and providers, brought in by page: checked row by row, kept, and applied whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from agents.accounts import record
from agents.admin_providers import PROVIDER
from agents.changing import By, Move, note
from models import elder_bulk, elder_import, provider_files, provider_updates
from models.changes import Upload
from models.providers import Provider
from models.session import read, write
from models.sheets import NotATable, Row

LARGEST = 10_000_000
# Names and numbers of people do not lie about: what nobody applies goes.
KEPT = timedelta(hours=24)
SHOWN = 200


class What(StrEnum):
    """What a file holds."""

    ELDERS = "elders"
    PROVIDERS = "providers"


@dataclass(frozen=True)
class Finding:
    """What a file would do, or has done. `told`: provider and difference; with problems nothing is written."""

    rows: int
    new: int = 0
    changed: int = 0
    same: int = 0
    problems: tuple[str, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()


class ImportRefused(ValueError):
    """The file as a whole cannot be taken. `code`: empty, large, gone, kind, table (`told` says why)."""

    def __init__(self, code: str, told: str = "") -> None:
        super().__init__(told or code)
        self.code, self.told = code, told


def check(what: str, data: bytes) -> Finding:
    """Say what the file would do; nothing is written.

    Raises:
        ImportRefused: it cannot be read.
    """
    if what not in {one.value for one in What}:
        raise ImportRefused("kind")
    if not data:
        raise ImportRefused("empty")
    if len(data) > LARGEST:
        raise ImportRefused("large")
    try:
        table = (elder_import if what == What.ELDERS else provider_files).read(data)
    except NotATable as error:
        raise ImportRefused("table", str(error)) from error
    if not table.rows:
        raise ImportRefused("empty")
    with read() as session:
        if what == What.ELDERS:
            checked = elder_import.check(session, table.rows)
            problems, new = checked.problems, len(checked.elders)
            return Finding(len(table.rows), new, problems=tuple(problems), ignored=table.ignored)
        return _of_plan(provider_updates.plan(session, table.rows), table.rows, table.ignored)


def keep(session: Session, file: tuple[str, str, bytes], rows: int, by: By) -> str:
    """Keep a file that was checked, `file` = (what, name, content), and return its public id."""
    assert by.user is not None  # noqa: S101 (a file is brought by somebody)
    clear_old(session, by.now)
    what, name, content = file
    upload = Upload(user_id=by.user.id, kind=what, name=name[:80], content=content, created_at=by.now, rows=rows)
    session.add(upload)
    session.flush()
    return upload.public_id


def clear_old(session: Session, now: datetime) -> None:
    """Let go of what nobody has applied within a day."""
    old = Upload.content.is_not(None), Upload.created_at < now - KEPT
    session.execute(update(Upload).where(*old).values(content=None))


def kept(session: Session, public_id: str, user_id: int) -> Upload:
    """Return a file of this user's that still waits.

    Raises:
        KeyError: there is none, or it is another user's.
    """
    row = session.scalar(select(Upload).where(Upload.public_id == public_id, Upload.user_id == user_id))
    if row is None:
        raise KeyError(public_id)
    return row


def apply(public_id: str, who: Callable[[Session], By]) -> Finding:
    """Write the file, all of its rows or none, once. It is checked again: the rows may have changed since.

    Raises:
        KeyError: there is no such file of this user's.
        ImportRefused: gone (applied already, or too old).
    """
    with read() as session:
        by = who(session)
        assert by.user is not None  # noqa: S101 (a file is brought by somebody)
        user_id = by.user.id
        row = kept(session, public_id, user_id)
        what, content = row.kind, row.content
    if content is None or by.now - row.created_at > KEPT:
        raise ImportRefused("gone")
    # Reading and preparing take no lock: calls go on while they run.
    if what == What.PROVIDERS:
        return _apply_providers(public_id, content, who)
    table = elder_import.read(content)
    with read() as session:
        checked = elder_import.check(session, table.rows)
    if checked.problems:
        return Finding(len(table.rows), problems=tuple(checked.problems), ignored=table.ignored)
    ready = elder_bulk.prepare(checked, by.now)
    try:
        with write() as session:
            by = who(session)
            _used_up(session, public_id, user_id, by)
            elder_bulk.write(session, ready)
            record(session, by.user, "elders_imported", ("elder", None), by.now)
    except elder_bulk.Overtaken as error:
        return Finding(len(table.rows), problems=(str(error),), ignored=table.ignored)
    return Finding(len(table.rows), len(checked.elders), ignored=table.ignored)


def _apply_providers(public_id: str, content: bytes, who: Callable[[Session], By]) -> Finding:
    table = provider_files.read(content)
    with write() as session:
        by = who(session)
        plan = provider_updates.plan(session, table.rows)
        found = _of_plan(plan, table.rows, table.ignored)
        if found.problems:
            return found
        assert by.user is not None  # noqa: S101 (a file is brought by somebody)
        _used_up(session, public_id, by.user.id, by)
        # Each provider that the file changes or brings can be taken back by itself.
        before = {str(one.provider_id): PROVIDER.read(session, str(one.provider_id)) for one in plan.changes}
        provider_updates.apply(session, plan, by.now)
        names = [entry.provider.name for entry in plan.new]
        made = [str(one) for one in session.scalars(select(Provider.id).where(Provider.name.in_(names)))]
        for key in (*before, *made):
            note(session, PROVIDER, Move(key, before.get(key), PROVIDER.read(session, key)), by)
        record(session, by.user, "providers_imported", ("provider", None), by.now)
    return found


def _used_up(session: Session, public_id: str, user_id: int, by: By) -> None:
    """Take the file, once: whoever sends the form twice writes it once."""
    waits = Upload.public_id == public_id, Upload.user_id == user_id, Upload.content.is_not(None)
    done = update(Upload).where(*waits).values(content=None, applied_at=by.now).returning(Upload.id)
    if session.execute(done).first() is None:
        raise ImportRefused("gone")


def _of_plan(plan: provider_updates.Plan, rows: list[Row], ignored: tuple[str, ...]) -> Finding:
    told = tuple((one.entry.provider.name, line) for one in plan.changes for line in one.told)
    counts = (len(plan.new), len(plan.changes), plan.same)
    return Finding(len(rows), *counts, tuple(plan.problems), told, ignored)
