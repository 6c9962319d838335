"""Fills the cache with the programs that no Python package carries: Asterisk, espeak-ng, sox, SIPp.

They are Debian's own packages, unpacked into a folder and run from there
through their own loader; neither root nor an installation is needed. What was
fetched is recorded (versions, SHA-256), not pinned: Debian's testing moves on.
Standard library only: it runs before the virtual environment exists.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hotline.apt import FetchError, Package, Progress, sha256, unpack
from hotline.debian import NETWORK_REMEDY, find_mirrors, open_suite
from models import toolbox

TITLE = "Asterisk and voice tools"
PACKAGES = ("asterisk", "espeak-ng", "sox", "libsox-fmt-base", "sip-tester")
# A change here makes the next start fetch anew.
RECIPE = 1


@contextmanager
def locked(path: Path, title: str) -> Iterator[None]:
    """Two clones that start at once share one cache: the second waits for the first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"{title}: another start is at it, waiting\n")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def tools_needed(cache_dir: Path) -> list[str]:
    """The programs that are neither on PATH nor in the cache."""
    missing = []
    for find in (toolbox.asterisk, toolbox.espeak, toolbox.sox, toolbox.sipp):
        try:
            find(cache_dir)
        except toolbox.ToolMissing as error:
            missing.append(error.name)
    return missing


def is_fresh(cache_dir: Path) -> bool:
    """Whether the cache holds what this recipe wants; one file read, so that a warm start costs nothing."""
    try:
        known = toolbox.manifest(cache_dir)
    except (OSError, ValueError):
        return False
    root = toolbox.debian_root(cache_dir)
    return known.get("recipe") == RECIPE and root is not None and toolbox.unpacked_tool(root, "asterisk") is not None


def fetch_tools(cache_dir: Path) -> Path | None:
    """Make sure of Asterisk and the voice tools; the folder they were unpacked to, None where all are on PATH."""
    if is_fresh(cache_dir):
        return toolbox.debian_root(cache_dir)
    debian = cache_dir / "debian"
    with locked(debian / ".lock", TITLE):
        # The one that was waited for may have done the work.
        if is_fresh(cache_dir):
            return toolbox.debian_root(cache_dir)
        missing = tools_needed(cache_dir)
        if not missing and toolbox.debian_root(cache_dir) is None:
            return None
        return _fetch_from_any_suite(debian)


def _fetch_from_any_suite(debian: Path) -> Path:
    progress = Progress(TITLE)
    work = debian / "work"
    problems: list[str] = []
    progress.show("looking for a mirror")
    for mirror in find_mirrors(work):
        for suite in toolbox.SUITES:
            try:
                progress.show(f"reading the index of {suite}")
                apt = open_suite(work, mirror, suite)
                planned = apt.plan(*PACKAGES)
                if too_old := _too_old(planned):
                    problems.append(f"{suite} has Asterisk {too_old}")
                    continue
                apt.download(list(PACKAGES), progress, planned)
                root = _install(debian, suite, planned, apt.archives, progress)
            except subprocess.CalledProcessError as error:
                problems.append(f"{mirror.uri} {suite}: {(error.stderr or str(error)).strip()}")
                continue
            shutil.rmtree(work, ignore_errors=True)
            return root
    wanted = ".".join(map(str, toolbox.ASTERISK_MINIMUM))
    raise FetchError(
        f"no Asterisk ≥ {wanted} could be fetched:\n  " + "\n  ".join(problems),
        f"{NETWORK_REMEDY}; or put an asterisk ≥ {wanted} on PATH",
    )


def _too_old(planned: list[Package]) -> str:
    version = next((p.version for p in planned if p.name == "asterisk"), "")
    upstream = toolbox.version_tuple(version.split(":")[-1])
    return "" if upstream >= toolbox.ASTERISK_MINIMUM else version or "not at all"


def _install(debian: Path, suite: str, planned: list[Package], archives: Path, progress: Progress) -> Path:
    """Unpack beside the final place, prove that it runs, then move it there in one step."""
    partial, final, former = (debian / f"{suite}{end}" for end in (".partial", "", ".former"))
    for folder in (partial, former):
        shutil.rmtree(folder, ignore_errors=True)
    debs = [archives / p.file for p in planned]
    unpack(debs, partial / "root", progress)
    record = {
        "recipe": RECIPE,
        "suite": suite,
        "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
        "packages": [
            {"name": p.name, "version": p.version, "bytes": p.size, "sha256": sha256(deb)}
            for p, deb in sorted(zip(planned, debs, strict=True), key=lambda pair: pair[0].file)
        ],
    }
    for find in (toolbox.find_asterisk, toolbox.find_espeak, toolbox.find_sox, toolbox.find_sipp):
        tool = find(partial / "root")
        if tool is None or not tool.version:
            raise FetchError(
                f"what was fetched from {suite} does not run ({find.__name__.removeprefix('find_')})",
                "this machine must be x86-64 Linux; on others put an own asterisk on PATH",
            )
    (partial / "manifest.json").write_text(json.dumps(record, indent=1) + "\n")
    if final.exists():
        final.rename(former)
    partial.rename(final)
    shutil.rmtree(former, ignore_errors=True)
    megabytes = sum(p.size for p in planned) / 1e6
    version = next(p.version for p in planned if p.name == "asterisk")
    progress.done(f"Asterisk {version} from {suite}, {len(planned)} packages, {megabytes:.0f} MB")
    return final / "root"


def main(arguments: list[str]) -> int:
    """`python3 -m hotline.fetch [--tests]`."""
    cache_dir = toolbox.default_cache_dir()
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        fetch_tools(cache_dir)
        if "--tests" in arguments:
            from hotline.testneeds import fetch_test_needs

            fetch_test_needs(cache_dir)
    except FetchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error}\n  Remedy: see to {cache_dir}, or set HOTLINE_CACHE_DIR to a writable folder\n")
        return 1
    return 0


if __name__ == "__main__":
    # An interrupted fetch leaves only the partial folder, which the next one clears.
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        os._exit(130)
