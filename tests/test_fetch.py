"""Fetching without root, from an archive that is a folder: nothing here reaches the network."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hotline import debian, fetch, testneeds
from hotline.apt import FetchError, Progress
from hotline.debian import Mirror
from models import toolbox


class Archive:
    """A small Debian archive on disk, whose programs are shell scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def publish(self, suite: str, asterisk: str) -> None:
        """Put all packages into a suite, Asterisk in the given version."""
        says = {
            "asterisk": f"Asterisk {asterisk}",
            "espeak-ng": "eSpeak 1.52",
            "sox": "SoX 14.4",
            "sipp": "SIPp 3.8",
        }
        library = f"usr/lib/{toolbox.TRIPLET}"
        loader = f"{library}/ld-linux-test.so.2"
        packages = {
            "asterisk": (f"1:{asterisk}-1", {"usr/sbin/asterisk": says["asterisk"], loader: ""}),
            "espeak-ng": ("1.52", {"usr/bin/espeak-ng": says["espeak-ng"]}),
            "sox": ("14.4", {"usr/bin/sox": says["sox"]}),
            "libsox-fmt-base": ("14.4", {f"{library}/sox/format.so": "-"}),
            "sip-tester": ("3.8", {"usr/bin/sipp": says["sipp"]}),
        }
        index = ""
        for name, (version, files) in packages.items():
            index += self._build(suite, name, version, files)
        binary = self.folder / f"dists/{suite}/main/binary-{architecture()}"
        binary.mkdir(parents=True, exist_ok=True)
        (binary / "Packages").write_text(index)
        digest = hashlib.sha256(index.encode()).hexdigest()
        entry = f" {digest} {len(index)} main/binary-{architecture()}/Packages"
        (self.folder / f"dists/{suite}/Release").write_text(
            f"Suite: {suite}\nCodename: {suite}\nComponents: main\nArchitectures: {architecture()}\n"
            f"Date: Sun, 22 Nov 2026 00:00:00 UTC\nSHA256:\n{entry}\n"
        )

    def _build(self, suite: str, name: str, version: str, files: dict[str, str]) -> str:
        tree = self.folder / "build" / suite / name
        for path, says in files.items():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            # The loader's script drops `--library-path PATH` and runs the rest.
            (tree / path).write_text(f"#!/bin/sh\necho '{says}'\n" if says else '#!/bin/sh\nshift 2\nexec "$@"\n')
            (tree / path).chmod(0o4755)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture()}\n"
        control += "Maintainer: nobody <nobody@example.org>\nDescription: for a test\n"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(control)
        pool = self.folder / "pool" / suite
        pool.mkdir(parents=True, exist_ok=True)
        deb = pool / f"{name}.deb"
        command = ["dpkg-deb", "--build", "--root-owner-group", "-Zgzip", str(tree), str(deb)]
        subprocess.run(command, check=True, capture_output=True)
        content = deb.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        return f"{control}Filename: pool/{suite}/{name}.deb\nSize: {len(content)}\nSHA256: {digest}\n\n"


def architecture() -> str:
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt")


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Archive:
    """An archive that the fetch takes for the machine's mirror."""
    made = Archive(tmp_path / "archive")
    (tmp_path / "archive").mkdir()
    monkeypatch.setattr(fetch, "find_mirrors", lambda work: [Mirror((tmp_path / "archive").as_uri(), (), trusted=True)])
    return made


@needs_apt
def test_what_is_missing_is_fetched_recorded_and_kept(archive: Archive, tmp_path: Path) -> None:
    archive.publish("forky", "22.10.1")
    cache = tmp_path / "a cache"
    root = fetch.fetch_tools(cache)
    assert root == cache / "debian/forky/root"
    recorded = toolbox.manifest(cache)
    assert recorded["suite"] == "forky"
    published = {p.stem: hashlib.sha256(p.read_bytes()).hexdigest() for p in archive.folder.glob("pool/forky/*.deb")}
    assert {p["name"]: p["sha256"] for p in recorded["packages"]} == published
    # Kept: a second start works without the archive.
    shutil.rmtree(archive.folder)
    assert fetch.fetch_tools(cache) == root
    leftovers = {p.name for p in (cache / "debian").iterdir()}
    assert leftovers == {"forky", ".lock"}


@needs_apt
def test_nothing_that_was_unpacked_runs_with_another_users_rights(archive: Archive, tmp_path: Path) -> None:
    archive.publish("forky", "22.10.1")
    root = fetch.fetch_tools(tmp_path / "cache")
    assert root
    assert (root / "usr/sbin/asterisk").stat().st_mode & 0o7777 == 0o755


@needs_apt
def test_sid_is_tried_when_forky_is_too_old(archive: Archive, tmp_path: Path) -> None:
    archive.publish("forky", "22.10.0")
    archive.publish("sid", "22.12.3")
    fetch.fetch_tools(tmp_path / "cache")
    assert toolbox.manifest(tmp_path / "cache")["suite"] == "sid"


@needs_apt
def test_a_changed_file_in_the_archive_is_refused_and_leaves_nothing_behind(archive: Archive, tmp_path: Path) -> None:
    archive.publish("forky", "22.10.1")
    deb = archive.folder / "pool/forky/sox.deb"
    content = bytearray(deb.read_bytes())
    content[-20] ^= 1
    deb.write_bytes(content)
    with pytest.raises(FetchError, match="HOTLINE_DEBIAN_MIRROR") as raised:
        fetch.fetch_tools(tmp_path / "cache")
    # Old and new apt word it differently; both name the file.
    assert "pool/forky/sox.deb" in raised.value.problem
    assert toolbox.debian_root(tmp_path / "cache") is None


@needs_apt
def test_an_interrupted_fetch_is_begun_anew(archive: Archive, tmp_path: Path) -> None:
    archive.publish("forky", "22.10.1")
    partial = tmp_path / "cache/debian/forky.partial/root/usr"
    partial.mkdir(parents=True)
    (partial / "half").write_text("")
    root = fetch.fetch_tools(tmp_path / "cache")
    assert root and not (root / "usr/half").exists()


@needs_apt
def test_two_clones_that_start_at_once_fetch_once(archive: Archive, tmp_path: Path) -> None:
    archive.publish("forky", "22.10.1")
    found: list[Path | None] = []
    starts = [threading.Thread(target=lambda: found.append(fetch.fetch_tools(tmp_path / "cache"))) for _ in range(3)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert found == [tmp_path / "cache/debian/forky/root"] * 3


@needs_apt
def test_without_a_mirror_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOTLINE_DEBIAN_MIRROR", f"file://{tmp_path}/nowhere")
    monkeypatch.setenv("HOTLINE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "debian-archive-keyring.gpg").write_bytes(b"key")
    monkeypatch.setattr(debian, "KEYRINGS", tmp_path)
    with pytest.raises(FetchError, match="Remedy: check the network") as raised:
        fetch.fetch_tools(tmp_path / "cache")
    assert "nowhere" in raised.value.problem


def test_a_lock_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entered = threading.Event()

    def second() -> None:
        with fetch.locked(tmp_path / "lock", "Second"):
            entered.set()

    with fetch.locked(tmp_path / "lock", "First"):
        waiting = threading.Thread(target=second)
        waiting.start()
        assert not entered.wait(0.2)
    waiting.join(5)
    assert entered.is_set()
    assert "Second: another start is at it, waiting" in capsys.readouterr().err


def test_progress_is_plain_lines_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress("Title", sys.stderr)
    for percent in range(100):
        progress.show(f"{percent} %")
    progress.done("complete")
    assert capsys.readouterr().err == "Title: 0 %\nTitle: complete (0 s)\n"


def test_an_ordinary_user_is_told_the_line_for_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise subprocess.CalledProcessError(100, "apt-get", "", "E: no such package")

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(testneeds, "missing_packages", lambda _: ["chromium", "fonts-noto-cjk"])
    monkeypatch.setattr(testneeds, "_unpack", refuse)
    with pytest.raises(FetchError, match=r"as root: .*install -y --no-install-recommends chromium fonts-noto-cjk"):
        testneeds.fetch_test_needs(tmp_path)


def test_unpacked_test_programs_start_through_scripts_that_survive_a_move(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    program = folder / "root/usr/lib/postgresql/15/bin/initdb"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$LD_LIBRARY_PATH" "$@"\n')
    program.chmod(0o755)
    testneeds._make_wrappers(folder)
    moved = folder.rename(tmp_path / "elsewhere")
    script = moved / "postgresql/15/bin/initdb"
    said = subprocess.run([script, "--version"], capture_output=True, text=True, check=True).stdout
    assert f"elsewhere/postgresql/15/bin/../../../root/usr/lib/{toolbox.TRIPLET}" in said
    assert said.endswith("--version\n")
