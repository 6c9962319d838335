"""apt with folders of its own: the machine's trust and proxies are read, nothing is changed, no root is needed.

Standard library only: it runs before the virtual environment exists.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import unquote


class FetchError(Exception):
    """Something could not be fetched; the remedy is a sentence for the person at the terminal."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}\n  Remedy: {remedy}")
        self.problem = problem
        self.remedy = remedy


class Progress:
    """One line that renews itself on a terminal; elsewhere a plain line now and then."""

    def __init__(self, title: str, stream: TextIO | None = None) -> None:
        self.title = title
        self.stream = stream or sys.stderr
        self.tty = self.stream.isatty()
        self.started = time.monotonic()
        self.spoken = 0.0

    def show(self, text: str) -> None:
        now = time.monotonic()
        if self.tty:
            self.stream.write(f"\r\x1b[K{self.title}: {text}")
        elif now - self.spoken < 5:
            return
        else:
            self.stream.write(f"{self.title}: {text}\n")
        self.spoken = now
        self.stream.flush()

    def done(self, text: str) -> None:
        seconds = time.monotonic() - self.started
        self.stream.write(f"{chr(13) + chr(27) + '[K' if self.tty else ''}{self.title}: {text} ({seconds:.0f} s)\n")
        self.stream.flush()


@dataclass(frozen=True)
class Package:
    """One .deb as apt names it: `name_version_architecture.deb`, colons as %3a."""

    file: str
    size: int

    @property
    def name(self) -> str:
        return self.file.split("_")[0]

    @property
    def version(self) -> str:
        return unquote(self.file.split("_")[1])


# The machine's hooks (clean-ups, desktop notices) and its pins are not meant for a private folder.
_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Architectures;
APT::Architectures {{ "{architecture}"; }};
APT::Default-Release "";
APT::Get::Assume-Yes "true";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Debug::NoLocking "1";
Dir::State "{folder}/state";
Dir::State::Lists "{folder}/state/lists";
Dir::State::status "{status}";
Dir::Cache "{folder}/cache";
Dir::Cache::archives "{folder}/cache/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"""
_OWN_SOURCES = """\
Dir::Etc::sourcelist "{folder}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "{folder}/keys";
"""


class Apt:
    """One private apt. With `source` it sees that one line only, else the machine's own sources."""

    def __init__(self, folder: Path, source: str = "", keyrings: tuple[Path, ...] = (), status: Path | None = None):
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise FetchError(
                "apt-get and dpkg are needed and this machine has none",
                "use Debian 12, Debian 13 or Ubuntu 22.04 and newer, or put Asterisk, espeak-ng and sox on PATH",
            )
        self.folder = folder
        self.archives = folder / "cache/archives"
        for part in ("state/lists/partial", "cache/archives/partial", "empty/partial", "keys"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        if status is None:
            status = folder / "status"
            status.write_text("")
        architecture = subprocess.run(
            ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
        ).stdout.strip()
        text = _CONFIGURATION.format(folder=folder, status=status, architecture=architecture)
        if source:
            text += _OWN_SOURCES.format(folder=folder)
            (folder / "sources.list").write_text(source + "\n")
            for number, keyring in enumerate(keyrings):
                suffix = ".asc" if keyring.suffix == ".asc" else ".gpg"
                shutil.copyfile(keyring, folder / "keys" / f"{number}-{keyring.stem}{suffix}")
        (folder / "apt.conf").write_text(text)

    def call(self, *args: str, on_progress: Callable[[float], None] | None = None) -> str:
        """Run apt-get; its complaint becomes the exception's text."""
        command = ["apt-get", "-q", "-c", str(self.folder / "apt.conf"), *args]
        environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        with status_pipe(on_progress) as (options, descriptors):
            done = subprocess.run(
                command + options,
                capture_output=True,
                text=True,
                errors="replace",
                env=environment,
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
            )
        complaints = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:", "Err"))]
        # An index that could not be had is only a warning for apt, but an empty shelf for us.
        if done.returncode or (args[0] == "update" and any("Failed to fetch" in c for c in complaints)):
            raise subprocess.CalledProcessError(
                done.returncode or 100, command, done.stdout, "\n".join(complaints) or done.stderr
            )
        return done.stdout

    def update(self) -> None:
        """Read the index. A mirror that lags behind its own expiry date is taken: versions are checked later."""
        try:
            self.call("update")
        except subprocess.CalledProcessError as error:
            if not re.search(r"expired|not valid yet|Valid-Until", str(error.stderr)):
                raise
            self.call("update", "-o", "Acquire::Check-Valid-Until=false", "-o", "Acquire::Check-Date=false")

    def plan(self, *packages: str) -> list[Package]:
        """Everything that installing these packages would download."""
        text = self.call("--print-uris", "-o", f"Dir::Cache::archives={self.folder / 'empty'}", "install", *packages)
        return [Package(file, int(size)) for file, size in re.findall(r"^'[^']*' (\S+\.deb) (\d+) ", text, re.M)]

    def download(self, packages: list[str], progress: Progress, planned: list[Package]) -> None:
        """Download what was planned; apt checks every file against the signed index."""
        total = sum(p.size for p in planned) / 1e6
        self.call(
            "--download-only",
            "install",
            *packages,
            on_progress=lambda percent: progress.show(
                f"downloading {percent * total / 100:.0f} of {total:.0f} MB, {len(planned)} packages"
            ),
        )

    def fetch_one(self, package: str) -> Path:
        """Download one package without what it depends on, and unpack it beside."""
        before = set(self.folder.glob("*.deb"))
        self.call("download", package)
        (deb,) = set(self.folder.glob("*.deb")) - before
        target = self.folder / "unpacked" / package
        extract(deb, target)
        deb.unlink()
        return target


@contextmanager
def status_pipe(report: Callable[[float], None] | None) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """apt writes `dlstatus:1:42.5:…` lines to a descriptor when asked to."""
    if report is None:
        yield [], ()
        return
    reader, writer = os.pipe()

    def read() -> None:
        with os.fdopen(reader, encoding="utf8", errors="replace") as lines:
            for line in lines:
                parts = line.split(":")
                if parts[0] in ("dlstatus", "pmstatus") and len(parts) > 2:
                    report(float(parts[2]))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(read)
        try:
            yield ["-o", f"APT::Status-Fd={writer}"], (writer,)
        finally:
            os.close(writer)
        running.result()


def extract(deb: Path, folder: Path) -> None:
    """Unpack without installing: no maintainer script runs, nothing outside the folder is touched."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["dpkg-deb", "-x", deb, folder], check=True, capture_output=True, text=True, errors="replace")


def unpack(archives: list[Path], root: Path, progress: Progress) -> None:
    """Unpack many packages into one folder."""

    def one(deb: Path) -> None:
        extract(deb, root)

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for count, _ in enumerate(pool.map(one, archives), 1):
            progress.show(f"unpacked {count} of {len(archives)} packages")
    # Nothing in here has to run with another user's rights.
    for folder, _, files in os.walk(root):
        for path in (Path(folder) / name for name in files):
            mode = path.lstat().st_mode
            if not path.is_symlink() and mode & 0o6000:
                path.chmod(mode & 0o777)


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
