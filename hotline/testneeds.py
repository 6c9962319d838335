"""What only the tests need: PostgreSQL, Chromium, CJK fonts and a library, from the release's own packages.

As root they are installed. An ordinary user gets those that are missing
unpacked into the cache, to run with the machine's own loader and libraries.
Standard library only: it runs before the virtual environment exists.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from hotline.apt import Apt, FetchError, Package, Progress, sha256, status_pipe, unpack
from hotline.fetch import locked
from models import toolbox

TITLE = "Test needs"
STATUS = Path("/var/lib/dpkg/status")
# Mixing another C library under the machine's own loader would crash at once.
KEEP_THE_MACHINES = ("libc6", "libc-bin")
FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir>/usr/share/fonts</dir>
  <dir prefix="relative">root/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
"""
# The script finds the folder from its own place, so that the folder can be moved there when it is complete.
WRAPPER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
root="$here/{up}/root"
libraries="$root/usr/lib/{triplet}:$root/lib/{triplet}:$root/usr/lib/{triplet}/pulseaudio"
export LD_LIBRARY_PATH="$libraries${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
exec "$root/{program}" "$@"
"""


def missing_packages(cache_dir: Path) -> list[str]:
    """The Debian packages that would have to be added."""
    wanted: tuple[tuple[Callable[[Path], object], str], ...] = (
        (toolbox.postgres_bin_dir, "postgresql"),
        (toolbox.chromium, "chromium"),
        (toolbox.cjk_font, "fonts-noto-cjk"),
        (toolbox.libatomic, "libatomic1"),
    )
    missing = []
    for find, package in wanted:
        try:
            find(cache_dir)
        except toolbox.ToolMissing:
            missing.append(package)
    return missing


def fetch_test_needs(cache_dir: Path) -> None:
    """Make sure of them, or say which line, run as root, would."""
    debian = cache_dir / "debian"
    if not missing_packages(cache_dir):
        return
    with locked(debian / ".lock-tests", TITLE):
        packages = missing_packages(cache_dir)
        if not packages:
            return
        progress = Progress(TITLE)
        progress.show(", ".join(packages))
        try:
            if os.geteuid() == 0:
                _install(packages, progress)
            else:
                _unpack(debian, packages, progress)
        except subprocess.CalledProcessError as error:
            raise _refused(packages, (error.stderr or str(error)).strip()) from None
        if still := missing_packages(cache_dir):
            raise _refused(still, "installed or unpacked, but they do not run here")
        progress.done(", ".join(packages))


def _refused(packages: list[str], why: str) -> FetchError:
    return FetchError(
        f"{', '.join(packages)} could not be had: {why}",
        f"as root: apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
        " (Debian 12 or 13; on Ubuntu only the demonstration runs)",
    )


def _install(packages: list[str], progress: Progress) -> None:
    """Install for everyone; the only place where this project changes the machine."""
    if shutil.which("apt-get") is None:
        raise _refused(packages, "this machine has no apt-get")
    lists = Path("/var/lib/apt/lists")
    if not any(lists.glob("*_Packages*")):
        _apt_get(["update"], None)
    install = ["install", "-y", "--no-install-recommends", *packages]

    def show(percent: float) -> None:
        progress.show(f"installing {', '.join(packages)}, {percent:.0f} %")

    try:
        _apt_get(install, show)
    except subprocess.CalledProcessError:
        # An index from last month names files that are gone.
        _apt_get(["update"], None)
        _apt_get(install, show)


def _apt_get(arguments: list[str], show: Callable[[float], None] | None) -> None:
    # A test machine has no use for a database server that starts by itself.
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "SYSTEMD_OFFLINE": "1"}
    with status_pipe(show) as (options, descriptors):
        subprocess.run(
            ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", *options, *arguments],
            env=environment,
            pass_fds=descriptors,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            check=True,
        )


def _unpack(debian: Path, packages: list[str], progress: Progress) -> None:
    """Only what the machine lacks is unpacked: apt is shown the machine's own list of installed packages."""
    apt = Apt(debian / "work-tests", status=STATUS)
    apt.update()
    had = [n for n in _recorded(debian / "tests") if n not in packages]
    wanted = [*packages, *had]
    planned = [p for p in apt.plan(*wanted) if p.name not in KEEP_THE_MACHINES]
    apt.download(wanted, progress, planned)
    partial, final, former = (debian / f"tests{end}" for end in (".partial", "", ".former"))
    for folder in (partial, former):
        shutil.rmtree(folder, ignore_errors=True)
    unpack([apt.archives / p.file for p in planned], partial / "root", progress)
    _make_wrappers(partial)
    (partial / "manifest.json").write_text(json.dumps(_record(wanted, planned, apt.archives), indent=1) + "\n")
    if final.exists():
        final.rename(former)
    partial.rename(final)
    for folder in (former, apt.folder):
        shutil.rmtree(folder, ignore_errors=True)


def _recorded(folder: Path) -> list[str]:
    try:
        wanted: list[str] = json.loads((folder / "manifest.json").read_text())["wanted"]
    except (OSError, ValueError, KeyError):
        return []
    return wanted


def _record(wanted: list[str], planned: list[Package], archives: Path) -> dict[str, object]:
    return {
        "wanted": wanted,
        "packages": [
            {"name": p.name, "version": p.version, "bytes": p.size, "sha256": sha256(archives / p.file)}
            for p in planned
        ],
    }


def _make_wrappers(folder: Path) -> None:
    """One script a program, so that callers need neither a library path nor to know about it."""
    root = folder / "root"
    (folder / "fonts.conf").write_text(FONTS)
    programs = [*root.glob("usr/lib/postgresql/*/bin/*"), *root.glob("usr/lib/chromium/chromium")]
    for program in programs:
        relative = program.relative_to(root)
        script = folder / "bin/chromium"
        if "postgresql" in relative.parts:
            script = folder / "postgresql" / relative.parts[3] / "bin" / program.name
        up = "/".join([".."] * (len(script.relative_to(folder).parts) - 1))
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(WRAPPER.format(up=up, triplet=toolbox.TRIPLET, program=relative))
        script.chmod(0o755)
