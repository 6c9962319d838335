"""`hotline backup` and `hotline restore`: the database and the store of audio, consistent, with checksums.

A backup is a folder:

    manifest.json      format, time, revision of the schema, SHA-256 of every file
    database.sqlite    a whole copy by SQLite's online backup, or
    database.pgdump    pg_dump's custom format
    audio/ab/abcd….wav the store; files are named by their content and never change

The database is copied first: whatever row it holds, its audio is on disk by
then and is copied after it. A second backup into the same folder copies only
audio that is new, and leaves the old backup whole until the new one is.
A target that ends in `.tar` is the same folder in one file.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url

from models import schema, toolbox
from models.session import make_engine
from models.settings import Settings

FORMAT = 1
MANIFEST, SQLITE, POSTGRES = "manifest.json", "database.sqlite", "database.pgdump"
Say = Callable[[str], None]


class BackupError(RuntimeError):
    """It cannot be done as asked; the message says why and what would help."""


@dataclass(frozen=True)
class Report:
    """What was copied: files in all, files that were new, bytes of the new ones."""

    files: int
    copied: int
    size: int


def backup(settings: Settings, target: Path, say: Say = lambda line: None) -> Report:
    """Copy database and audio into `target`, a folder or a `.tar`.

    Raises:
        BackupError: no database, no pg_dump, or the target is something else.
    """
    if target.suffix != ".tar":
        return _backup_folder(settings, target, say)
    with _beside(target) as folder:
        report = _backup_folder(settings, folder, say)
        part = target.with_suffix(".tar.part")
        with tarfile.open(part, "w") as packed:
            packed.add(folder, arcname=".")
        _durable(part)
        part.replace(target)
    return report


def _backup_folder(settings: Settings, folder: Path, say: Say) -> Report:
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise BackupError(f"{folder} holds something that is no backup: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    url = make_url(settings.sqlalchemy_url)
    name = SQLITE if url.get_backend_name() == "sqlite" else POSTGRES
    part = folder / f"{name}.part"
    (_copy_sqlite if name == SQLITE else _dump_postgres)(url, part)
    say(f"database: {part.stat().st_size / 1e6:.1f} MB")
    copied, size = 0, 0
    files = {}
    for path in sorted(settings.audio_dir.glob("*/*.wav")):
        place = f"audio/{path.parent.name}/{path.name}"
        there = folder / place
        if not there.exists() or there.stat().st_size != path.stat().st_size:
            try:
                size += _copy(path, there)
            except FileNotFoundError:
                continue  # Erased meanwhile: it is not to live on in a backup.
            copied += 1
        files[place] = path.stem  # The name is the content's SHA-256; restore and the next look hold it.
    say(f"audio: {len(files)} files, {copied} new")
    manifest = {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "schema": _revision(settings.sqlalchemy_url),
        "files": {name: _sha256(part), **files},
    }
    # Only now does the old backup go: a backup that was broken off leaves it whole.
    part.replace(folder / name)
    note = folder / f"{MANIFEST}.part"
    note.write_text(json.dumps(manifest, indent=1))
    _durable(note)
    note.replace(folder / MANIFEST)
    for other in folder.glob("audio/*/*.wav"):
        # What she had erased is erased here, too.
        if f"audio/{other.parent.name}/{other.name}" not in files:
            other.unlink()
    return Report(len(files) + 1, copied + 1, size + (folder / name).stat().st_size)


def verify(folder: Path, say: Say = lambda line: None) -> dict[str, Any]:
    """Read every file of a backup against its checksum; return the manifest.

    Raises:
        BackupError: it is no backup, one of another format, or a file is missing or not what it was.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        files: dict[str, str] = manifest["files"]
    except (OSError, ValueError, KeyError) as error:
        raise BackupError(f"{folder} is no backup: {type(error).__name__}") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"{folder} has the format {manifest.get('format')}, this program reads {FORMAT}")
    bad = [name for name, known in files.items() if not _is_inside(folder, name) or _sha256(folder / name) != known]
    if bad:
        raise BackupError(f"{len(bad)} of {len(files)} files are missing or changed, the first is {bad[0]}")
    say(f"checked: {len(files)} files of {manifest['made_at']}")
    return manifest


def restore(settings: Settings, source: Path, overwrite: bool = False, say: Say = lambda line: None) -> Report:
    """Put a backup in place of the installation's database and audio. The hotline must not be running.

    Raises:
        BackupError: the backup is not whole, there is something already and `overwrite` is not given, the
            hotline runs, or the databases are of different kinds.
    """
    if not source.exists():
        raise BackupError(f"{source} is not there")
    if source.is_dir():
        return _restore_folder(settings, source, overwrite, say)
    with tempfile.TemporaryDirectory(prefix="hotline-restore-") as folder, tarfile.open(source) as packed:
        _unpack(packed, Path(folder))
        return _restore_folder(settings, Path(folder), overwrite, say)


def _restore_folder(settings: Settings, folder: Path, overwrite: bool, say: Say) -> Report:
    manifest = verify(folder, say)
    url = make_url(settings.sqlalchemy_url)
    name = SQLITE if url.get_backend_name() == "sqlite" else POSTGRES
    if name not in manifest["files"]:
        raise BackupError(f"the backup is of another kind of database than {url.get_backend_name()}")
    if (settings.run_dir / "ready.json").exists():
        raise BackupError("the hotline is running: stop it first")
    if not overwrite and _is_there(settings, url):
        raise BackupError("there is a database already; --yes replaces it by the backup")
    # Audio first: no row may name what is not there yet.
    audio = [place for place in manifest["files"] if place.startswith("audio/")]
    copied = size = 0
    for place in audio:
        there = settings.audio_dir / place.removeprefix("audio/")
        if not there.exists() or _sha256(there) != manifest["files"][place]:
            size += _copy(folder / place, there)
            copied += 1
    say(f"audio: {len(audio)} files, {copied} put back")
    (_put_sqlite if name == SQLITE else _load_postgres)(url, folder / name)
    say("database: put back; `hotline up` brings its schema to this program's")
    return Report(len(audio) + 1, copied + 1, size + (folder / name).stat().st_size)


def _is_there(settings: Settings, url: URL) -> bool:
    if url.get_backend_name() == "sqlite":
        return Path(url.database or "").exists()
    return _revision(settings.sqlalchemy_url) is not None


def _revision(url: str) -> str | None:
    engine = make_engine(url)
    try:
        return schema.current(engine)
    finally:
        engine.dispose()


def _copy_sqlite(url: URL, part: Path) -> None:
    source = Path(url.database or "")
    if not source.exists():
        raise BackupError(f"there is no database at {source}")
    part.unlink(missing_ok=True)
    # The online copy sees one moment of the database, and writers go on meanwhile.
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=30)
    with closing(reading) as here, closing(sqlite3.connect(part)) as there:
        here.backup(there, pages=2000, sleep=0.01)
        there.execute("PRAGMA journal_mode=DELETE")
        (verdict,) = there.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise BackupError(f"the database is damaged: {verdict}")
    _durable(part)


def _put_sqlite(url: URL, copy: Path) -> None:
    target = Path(url.database or "")
    part = target.with_suffix(".restored")
    _copy(copy, part)
    for leftover in (f"{target}-wal", f"{target}-shm"):
        Path(leftover).unlink(missing_ok=True)
    part.replace(target)


def _postgres(program: str, url: URL, *options: str) -> None:
    found = shutil.which(program)
    if found is None:
        try:
            found = str(toolbox.postgres_bin_dir() / program)
        except toolbox.ToolMissing as error:
            raise BackupError(f"{program} is missing: {error.remedy}") from error
    if not Path(found).exists():
        raise BackupError(f"{program} is missing: install PostgreSQL's client programs")
    env = {**os.environ, "PGPASSWORD": url.password or ""}
    address = url.set(drivername="postgresql", password=None).render_as_string()
    done = subprocess.run([found, *options, f"--dbname={address}"], env=env, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise BackupError(f"{program}: {lines[0] if lines else done.returncode}")


def _dump_postgres(url: URL, part: Path) -> None:
    _postgres("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={part}")
    _durable(part)


def _load_postgres(url: URL, copy: Path) -> None:
    _postgres(
        "pg_restore", url, "--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction",
        "--exit-on-error", str(copy),
    )  # fmt: skip


def _copy(source: Path, target: Path) -> int:
    """Copy durably: there is the whole file, or none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    shutil.copyfile(source, part)
    part.chmod(0o600)
    _durable(part)
    part.replace(target)
    return target.stat().st_size


def _durable(path: Path) -> None:
    with path.open("rb") as written:
        os.fsync(written.fileno())


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return None


def _unpack(packed: tarfile.TarFile, folder: Path) -> None:
    """Unpack the plain files; Debian 12's Python 3.11.2 has no filter yet that would keep names and links inside.

    Raises:
        BackupError: something in it leads out of the folder, or is neither file nor folder.
    """
    for member in packed:
        if member.isdir():
            continue
        data = packed.extractfile(member) if member.isreg() and _is_inside(folder, member.name) else None
        if data is None:
            raise BackupError(f"{member.name[:80]!r} does not belong into a backup")
        target = folder / member.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with data, target.open("wb") as out:
            shutil.copyfileobj(data, out)


def _is_inside(folder: Path, name: str) -> bool:
    return (folder / name).resolve().is_relative_to(folder.resolve())


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
        yield Path(folder)
