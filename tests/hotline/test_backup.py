"""A backup is restored into an empty folder and is the same, byte by byte; what is not whole is refused."""

from __future__ import annotations

import io
import tarfile
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from typer.testing import CliRunner

from hotline.backup import MANIFEST, BackupError, backup, restore, verify
from hotline.commands import app
from models import audio, clock
from models.audio import Audio
from models.session import engine, read, write
from models.settings import settings
from models.tables import metadata
from tests.support import world
from tests.support.fresh import forget

Everything = dict[str, list[tuple[object, ...]]]


def furnish(folder: Path) -> str:
    """A world with one message in it; return the recording's content key."""
    source = folder / "said.wav"
    source.write_bytes(b"RIFF what she said")
    key = audio.keep(settings().audio_dir, source)
    with write() as session:
        world.settle(session)
        session.add(Audio(content_key=key, kind="message", duration_ms=1500, created_at=clock.now()))
    return key


def everything() -> Everything:
    """All rows of all tables."""
    with read() as session:
        return {t.name: sorted(map(tuple, session.execute(select(t))), key=repr) for t in metadata.sorted_tables}


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Another, empty installation."""
    monkeypatch.setenv("HOTLINE_VAR_DIR", str(folder))
    forget()


@pytest.mark.parametrize("name", ["kept", "kept.tar"])
def test_a_restored_backup_is_the_same_row_by_row(
    database: Engine, hotline_dir: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:  # fmt: skip
    key = furnish(hotline_dir)
    before, kept = everything(), tmp_path_factory.mktemp("backup") / name
    assert backup(settings(), kept).files == 2
    elsewhere(monkeypatch, tmp_path_factory.mktemp("empty"))
    assert restore(settings(), kept).copied == 2
    assert everything() == before and len(before["people"]) == 4
    assert audio.path_of(settings().audio_dir, key).read_bytes() == b"RIFF what she said"
    with engine().connect() as connection:
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []


def test_the_next_backup_copies_only_what_is_new_and_forgets_what_was_erased(
    database: Engine, hotline_dir: Path, tmp_path: Path
) -> None:
    key = furnish(hotline_dir)
    kept = tmp_path / "kept"
    backup(settings(), kept)
    assert backup(settings(), kept).copied == 1, "the database alone"
    with write() as session:
        audio.erase(session, settings().audio_dir, session.scalars(select(Audio)).one(), clock.now())
    backup(settings(), kept)
    assert not audio.path_of(kept / "audio", key).exists()
    verify(kept)


def test_a_backup_while_orders_come_in_is_of_one_moment(database: Engine, hotline_dir: Path, tmp_path: Path) -> None:
    furnish(hotline_dir)
    stop = threading.Event()

    def go_on_writing() -> None:
        while not stop.is_set():
            with write() as session:
                session.execute(text("UPDATE people SET name = name || '.', family_name = family_name || '.'"))

    writer = threading.Thread(target=go_on_writing)
    writer.start()
    try:
        backup(settings(), tmp_path / "kept")
    finally:
        stop.set()
        writer.join(10)
    import sqlite3

    with sqlite3.connect(tmp_path / "kept" / "database.sqlite") as copy:
        dots = {(n.count("."), f.count(".")) for n, f in copy.execute("SELECT name, family_name FROM people")}
    copy.close()
    assert len(dots) == 1 and len(set(next(iter(dots)))) == 1


@pytest.mark.parametrize("harm", ["changed", "gone", "no manifest", "other format"])
def test_what_is_not_whole_is_refused_before_anything_is_touched(
    database: Engine, hotline_dir: Path, tmp_path: Path, harm: str
) -> None:
    key = furnish(hotline_dir)
    kept = tmp_path / "kept"
    backup(settings(), kept)
    said = audio.path_of(kept / "audio", key)
    match harm:
        case "changed":
            said.write_bytes(b"RIFF what she sang")
        case "gone":
            (kept / "database.sqlite").unlink()
        case "no manifest":
            (kept / MANIFEST).unlink()
        case _:
            (kept / MANIFEST).write_text((kept / MANIFEST).read_text().replace('"format": 1', '"format": 9'))
    before = everything()
    with pytest.raises(BackupError):
        restore(settings(), kept, overwrite=True)
    assert everything() == before


def test_a_database_is_replaced_only_when_that_is_said_and_never_under_a_running_hotline(
    database: Engine, hotline_dir: Path, tmp_path: Path
) -> None:
    furnish(hotline_dir)
    kept, runner = tmp_path / "kept", CliRunner()
    assert runner.invoke(app, ["backup", str(kept)]).exit_code == 0
    before = everything()
    with write() as session:
        session.execute(text("UPDATE people SET name = 'changed'"))
    engine().dispose()
    refused = runner.invoke(app, ["restore", str(kept)])
    assert refused.exit_code == 1 and "--yes" in refused.output
    (settings().run_dir).mkdir(exist_ok=True)
    (settings().run_dir / "ready.json").write_text("{}")
    assert "stop it first" in runner.invoke(app, ["restore", str(kept), "--yes"]).output
    (settings().run_dir / "ready.json").unlink()
    assert runner.invoke(app, ["restore", str(kept), "--yes"]).exit_code == 0
    assert everything() == before


def test_a_folder_with_something_else_in_it_is_left_alone(database: Engine, hotline_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    with pytest.raises(BackupError, match="no backup"):
        backup(settings(), tmp_path / "photos")


def test_postgresql_is_dumped_and_loaded(postgres_database: Engine, hotline_dir: Path, tmp_path: Path) -> None:
    furnish(hotline_dir)
    before = everything()
    backup(settings(), tmp_path / "kept")
    with write() as session:
        session.execute(text("DELETE FROM audio"))
    engine().dispose()
    with pytest.raises(BackupError, match="--yes"):
        restore(settings(), tmp_path / "kept")
    restore(settings(), tmp_path / "kept", overwrite=True)
    assert everything() == before


@pytest.mark.parametrize("kind", ["upwards", "absolute", "link", "device"])
def test_an_archive_that_leads_elsewhere_is_refused(hotline_dir: Path, tmp_path: Path, kind: str) -> None:
    source, outside = tmp_path / "bad.tar", tmp_path / "outside.txt"
    names = {"upwards": f"../{outside.name}", "absolute": str(outside)}
    member = tarfile.TarInfo(names.get(kind, "audio/a.wav"))
    member.size = 4 if kind in names else 0
    if kind == "link":
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    elif kind == "device":
        member.type = tarfile.FIFOTYPE
    with tarfile.open(source, "w") as packed:
        packed.addfile(member, io.BytesIO(b"evil"))
    with pytest.raises(BackupError, match="does not belong"):
        restore(settings(), source)
    assert not outside.exists()
