"""Where Debian's newer packages come from: the machine's own sources, or what Ubuntu's archive says."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import ClassVar

import pytest

from hotline import debian
from hotline.apt import FetchError
from hotline.debian import Mirror, Source

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
