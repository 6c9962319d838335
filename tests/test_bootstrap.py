"""The two commands on a bare machine: environment, downloads, and what is said when they cannot be had.

Nothing here reaches the network: the archive is a folder, the registry's client is a script.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from hotline import bootstrap, debian, fetch, testneeds
from hotline.apt import FetchError, Progress
from hotline.debian import Mirror, Source
from hotline.wheel import write_wheel
from models import toolbox
from models.settings import ROOT

# --- where Debian's newer packages come from -------------------------------

ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/keys/a.gpg] http://mirror.example/debian bookworm main contrib # near
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main
deb [trusted=yes] http://tools.example/apt bookworm main
deb cdrom:[Debian]/ bookworm main
"""
DEB822 = """\
Types: deb deb-src
# a comment inside the paragraph
URIs: http://mirror.example/debian
  http://second.example/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /keys/a.gpg

Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main
Enabled: no

Types: deb
URIs: http://inline.example/debian
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
"""


def test_both_forms_of_apt_sources_are_read() -> None:
    assert next(debian.parse_list(ONE_LINE)) == Source(
        "http://mirror.example/debian", "bookworm", ("main", "contrib"), "/keys/a.gpg"
    )
    assert [(s.uri, s.suite, s.signed_by) for s in debian.parse_deb822(DEB822)] == [
        ("http://mirror.example/debian", "trixie", "/keys/a.gpg"),
        ("http://mirror.example/debian", "trixie-updates", "/keys/a.gpg"),
        ("http://second.example/debian", "trixie", "/keys/a.gpg"),
        ("http://second.example/debian", "trixie-updates", "/keys/a.gpg"),
        ("http://inline.example/debian", "trixie", ""),
    ]


def test_the_main_archive_comes_before_foreign_repositories_and_without_security_or_discs() -> None:
    found = debian.debian_sources(list(debian.parse_list(ONE_LINE)), "bookworm")
    assert [s.uri for s in found] == ["http://mirror.example/debian", "http://tools.example/apt"]


def test_sources_of_this_machine_are_taken_from_both_places(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "gone.sources.disabled").write_text(DEB822.replace("mirror", "gone"))
    uris = {s.uri for s in debian.machine_sources(tmp_path)}
    assert {"http://mirror.example/debian", "http://second.example/debian"} <= uris
    assert not any("gone" in u or "off" in u or "old" in u for u in uris)


class UbuntusArchive:
    """Stands in for apt on Ubuntu: two packages, as they lie unpacked."""

    def __init__(self, folder: Path, **_: object) -> None:
        self.folder = folder

    def update(self) -> None:
        """Nothing to read."""

    def fetch_one(self, package: str) -> Path:
        target = self.folder / package
        if package == "debootstrap":
            (target / "usr/share/debootstrap/scripts").mkdir(parents=True)
            script = "case $ARCH in\n  *)\n    default_mirror http://mirror.example/debian\n  ;;\nesac\n"
            (target / "usr/share/debootstrap/scripts/sid").write_text(script)
        else:
            (target / "usr/share/keyrings").mkdir(parents=True)
            (target / "usr/share/keyrings/debian-archive-keyring.gpg").write_bytes(b"key")
        return target


def test_on_ubuntu_mirror_and_keys_come_out_of_two_small_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HOTLINE_DEBIAN_MIRROR", raising=False)
    monkeypatch.setattr(debian, "os_release", lambda: {"ID": "ubuntu", "VERSION_CODENAME": "noble"})
    monkeypatch.setattr(debian, "KEYRINGS", tmp_path / "none")
    monkeypatch.setattr(debian, "Apt", UbuntusArchive)
    (mirror,) = debian.find_mirrors(tmp_path)
    assert mirror.line("forky") == "deb http://mirror.example/debian forky main"
    assert [k.read_bytes() for k in mirror.keyrings] == [b"key"]


def test_the_mirror_is_found_in_debians_debootstrap_too_and_ubuntus_own_is_not_taken(tmp_path: Path) -> None:
    program = tmp_path / "usr/sbin/debootstrap"
    program.parent.mkdir(parents=True)
    program.write_text('DEF_MIRROR="http://mirror.example/debian"\nDEF_HTTPS_MIRROR="https://x.example/debian"\n')
    assert debian.mirror_in_debootstrap(tmp_path) == "http://mirror.example/debian"
    program.write_text('DEF_MIRROR="http://archive.example/ubuntu"\n')
    with pytest.raises(FetchError, match="HOTLINE_DEBIAN_MIRROR"):
        debian.mirror_in_debootstrap(tmp_path)


def test_the_setting_overrides_the_machines_mirror(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "debian-archive-keyring.gpg").write_bytes(b"key")
    monkeypatch.setattr(debian, "KEYRINGS", tmp_path)
    monkeypatch.setenv("HOTLINE_DEBIAN_MIRROR", "http://near.example/debian/")
    assert [m.uri for m in debian.find_mirrors(tmp_path)] == ["http://near.example/debian"]


class SignedByANewKey(UbuntusArchive):
    """An archive whose forky an old keyring cannot verify; its releases carry the new keyring."""

    seen: ClassVar[list[tuple[str, bytes]]] = []

    def __init__(self, folder: Path, line: str = "", keyrings: tuple[Path, ...] = (), **_: object) -> None:
        super().__init__(folder)
        self.suite, self.key = line.split()[-2], keyrings[0].read_bytes()

    def update(self) -> None:
        self.seen.append((self.suite, self.key))
        if self.suite == "forky" and self.key != b"key":
            raise subprocess.CalledProcessError(100, "apt-get", "", "W: GPG error: NO_PUBKEY 6ED0E7B82643E131")


def test_an_old_keyring_is_renewed_from_a_release_that_it_can_verify(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "old.gpg").write_bytes(b"old")
    monkeypatch.setattr(debian, "Apt", SignedByANewKey)
    debian.open_suite(tmp_path, Mirror("http://mirror.example/debian", (tmp_path / "old.gpg",)), "forky")
    assert SignedByANewKey.seen == [("forky", b"old"), ("trixie", b"old"), ("forky", b"key")]


# --- fetching, from an archive that is a folder ----------------------------


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
    return subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()


needs_apt = pytest.mark.skipif(shutil.which("apt-get") is None, reason="needs apt")


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Archive:
    """An archive that the fetch takes for the machine's mirror."""
    made = Archive(tmp_path / "archive")
    (tmp_path / "archive").mkdir()
    monkeypatch.setattr(
        fetch, "find_mirrors", lambda work: [Mirror(f"file://{tmp_path / 'archive'}", (), trusted=True)]
    )
    return made


@needs_apt
def test_what_is_missing_is_fetched_recorded_and_kept(archive: Archive, tmp_path: Path) -> None:
    archive.publish("forky", "22.10.1")
    cache = tmp_path / "a cache"
    root = fetch.fetch_tools(cache)
    assert root == cache / "debian/forky/root"
    recorded = toolbox.manifest(cache)
    assert recorded["suite"] == "forky"
    published = {
        p.stem: hashlib.sha256(p.read_bytes()).hexdigest() for p in archive.folder.glob("pool/forky/*.deb")
    }
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
def test_a_changed_file_in_the_archive_is_refused_and_leaves_nothing_behind(
    archive: Archive, tmp_path: Path
) -> None:
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
    starts = [
        threading.Thread(target=lambda: found.append(fetch.fetch_tools(tmp_path / "cache"))) for _ in range(3)
    ]
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


# --- the environment -------------------------------------------------------


def fake_pip(folder: Path, listed: str) -> list[str]:
    script = folder / "pip.py"
    script.write_text(f"print({listed!r}, end='')")
    return [sys.executable, str(script)]


@pytest.fixture
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own uv and certificates must not decide a test."""
    for name in list(os.environ):
        if name.startswith(("UV_", "PIP_", "SSL_")) or name.upper() == "ALL_PROXY":
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("no_settings_of_the_machine")
def test_pips_configuration_is_handed_to_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pip = fake_pip(
        tmp_path,
        ":env:.index-url='https://env.example/simple'\n"
        "global.index-url='https://file.example/simple'\n"
        "global.extra-index-url='https://a.example/simple https://b.example/simple'\n"
        "global.cert='/etc/own-ca.pem'\ninstall.trusted-host='a.example\\nb.example'\n"
        "global.proxy='http://proxy.example:3128'\nglobal.default-timeout='90'\nlist.format='json'\n",
    )
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    made = bootstrap.uv_environment(tmp_path, pip)
    assert made["UV_DEFAULT_INDEX"] == "https://env.example/simple"
    assert made["UV_INDEX"] == "https://a.example/simple https://b.example/simple"
    assert made["SSL_CERT_FILE"] == "/etc/own-ca.pem"
    assert made["UV_INSECURE_HOST"] == "a.example b.example"
    assert made["ALL_PROXY"] == "http://proxy.example:3128"
    assert made["UV_HTTP_TIMEOUT"] == "90"
    assert made["UV_PYTHON_DOWNLOADS"] == "never"
    assert made["UV_CACHE_DIR"].startswith(str(tmp_path))
    assert "VIRTUAL_ENV" not in made


@pytest.mark.usefixtures("no_settings_of_the_machine")
def test_uvs_own_variables_win_over_pips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    pip = fake_pip(tmp_path, "global.index-url='https://file.example/simple'\n")
    assert bootstrap.uv_environment(tmp_path, pip)["UV_DEFAULT_INDEX"] == "https://uv.example/simple"


def test_the_projects_wheel_points_to_the_clone_and_claims_its_names(tmp_path: Path) -> None:
    root = tmp_path / "a clone"
    root.mkdir()
    shutil.copy(ROOT / "pyproject.toml", root)
    with zipfile.ZipFile(write_wheel(root, tmp_path / "out")) as wheel:
        content = {Path(n).name: wheel.read(n).decode() for n in wheel.namelist()}
        record = next(wheel.read(n).decode() for n in wheel.namelist() if n.endswith("RECORD"))
        for line in record.splitlines()[:-1]:
            name, digest, size = line.rsplit(",", 2)
            raw = wheel.read(name)
            expected = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={expected}", str(len(raw)))
    assert next(v for k, v in content.items() if k.endswith(".pth")) == f"{root}\n"
    assert "hotline = hotline.cli:main" in content["entry_points.txt"]
    assert {"models", "web", "agents", "ivr", "dispatch", "hotline"} <= set(content["top_level.txt"].split())


@pytest.fixture
def clone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A clone with just enough in it to have a fingerprint."""
    root = tmp_path / "clone"
    (root / ".venv/bin").mkdir(parents=True)
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    monkeypatch.setattr(bootstrap, "ROOT", root)
    yield root


def test_a_warm_start_does_nothing_and_is_quick(clone: Path, tmp_path: Path) -> None:
    (clone / ".venv/hotline-stamp.json").write_text(json.dumps(bootstrap.fingerprint()))
    # Without its programs an environment is half made, whatever the stamp says.
    assert bootstrap.stamp() == {}
    for name in ("hotline", "python"):
        (clone / ".venv/bin" / name).write_text("")
    assert bootstrap.make_environment(tmp_path / "untouched") is False
    assert not (tmp_path / "untouched").exists()


def test_a_new_lock_file_or_another_place_makes_the_environment_stale(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = bootstrap.fingerprint()
    (clone / "requirements.lock").write_text("one==1 --hash=sha256:00\n")
    after = bootstrap.fingerprint()
    assert before["inputs"] != after["inputs"]
    moved = clone.rename(clone.with_name("moved"))
    monkeypatch.setattr(bootstrap, "ROOT", moved)
    assert bootstrap.fingerprint() == {**after, "root": str(moved)}


def test_an_unreachable_registry_is_named_with_its_remedy(
    clone: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    pip = tmp_path / "pip.py"
    pip.write_text("import sys; sys.exit('no route to host')")
    with pytest.raises(FetchError, match=r"(?s)no route to host.*Remedy: .*PIP_INDEX_URL"):
        bootstrap.find_uv(tmp_path / "cache", [sys.executable, str(pip)], Progress("Test"))
    assert not list((tmp_path / "cache/work").iterdir())


def test_an_old_python_is_refused_with_its_remedy() -> None:
    code = (
        "import runpy, sys; sys.version_info = (3, 10, 12); sys.version = '3.10.12 (main)';"
        f"runpy.run_path({str(ROOT / 'hotline/bootstrap.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.10.12 is too old") and "Remedy: install python3.11" in done.stderr


@pytest.mark.parametrize("path", ["apt", "debian", "fetch", "testneeds", "wheel", "bootstrap"])
def test_what_runs_before_the_environment_needs_only_the_standard_library(path: str) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import hotline.{path}"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


# --- the two commands ------------------------------------------------------


def test_make_help_lists_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):", makefile, re.M)
    listed = subprocess.run(["make", "-s", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    assert len(targets) >= 12
    assert [t for t in targets if not re.search(rf"^  {t} +\S", listed, re.M)] == []


@pytest.mark.parametrize(("exit_of_test", "wanted"), [(0, 0), (5, 5)])
def test_ci_runs_checks_then_tests_from_anywhere_and_fails_honestly(
    exit_of_test: int, wanted: int, tmp_path: Path
) -> None:
    clone = tmp_path / "a clone"
    (clone / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci/run", clone / ".ci/run")
    program = tmp_path / "bin/make"
    program.parent.mkdir()
    # 5 is pytest's code for "no tests ran", which must not pass.
    program.write_text(f'#!/bin/sh\necho "$PWD: $*"\ncat\n[ "$1" = test ] && exit {exit_of_test}\nexit 0\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [clone / ".ci/run"], cwd="/", env=environment, capture_output=True, text=True, input="typed by nobody"
    )
    assert done.returncode == wanted
    assert done.stdout.splitlines() == [f"{clone}: check", f"{clone}: test"]


def test_no_registry_or_mirror_is_named_in_a_committed_file() -> None:
    hosts = [
        "py" + "pi.org",
        "pythonhosted" + ".org",
        "deb.debian" + ".org",
        "registry.npm" + "js.org",
        "ubuntu" + ".com/ubuntu",
    ]
    listed = subprocess.run(
        ["git", "-C", ROOT, "grep", "-IlF", *(part for h in hosts for part in ("-e", h))],
        capture_output=True,
        text=True,
    )
    assert listed.returncode in (0, 1), listed.stderr
    assert listed.stdout.splitlines() == []
