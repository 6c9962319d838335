"""Makes `.venv` from requirements.lock, on a machine that may have neither pip nor venv nor a compiler.

Standard library only, and started by the machine's own Python:
`python3 hotline/bootstrap.py [--tools] [--tests]`. uv does the work, a pinned
wheel that pip brings; where pip is missing too, apt brings pip. A warm start
reads one stamp and the lock file.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if sys.version_info < (3, 11):  # noqa: UP036 -- this is the check that tells so
    sys.exit(
        f"Python {sys.version.split()[0]} is too old, 3.11 is needed.\n  Remedy: install python3.11 or newer"
        " (Ubuntu 22.04: apt-get install python3.11) and run `make PYTHON=python3.11 demo`."
    )
# Started as a file, Python looks for modules beside it; ours are named from the clone's root.
if __name__ == "__main__":
    sys.path[0] = str(ROOT)

from hotline.apt import Apt, FetchError, Progress  # noqa: E402
from hotline.fetch import fetch_tools, locked  # noqa: E402
from hotline.wheel import write_wheel  # noqa: E402
from models.toolbox import default_cache_dir  # noqa: E402

UV_VERSION = "0.13.9"
UV_SHA256 = (
    "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",  # manylinux, x86_64
    "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",  # manylinux, aarch64
)
TITLE = "Python packages"
REGISTRY_REMEDY = (
    "check the network and http_proxy; behind a mirror set PIP_INDEX_URL or pip.conf, behind a proxy with a"
    " certificate of its own PIP_CERT"
)


def venv_dir() -> Path:
    return ROOT / ".venv"


def fingerprint() -> dict[str, str]:
    """What the environment was made from; equal means that nothing has to be done."""
    files = [
        ROOT / "requirements.lock",
        ROOT / "pyproject.toml",
        Path(__file__),
        Path(__file__).with_name("wheel.py"),
    ]
    digest = hashlib.sha256(b"\0".join(f.read_bytes() for f in files)).hexdigest()
    # A script's first line holds the clone's path, so a clone that was moved starts anew.
    return {"inputs": digest, "python": f"{sys.version} {os.path.realpath(sys.executable)}", "root": str(ROOT)}


def stamp() -> dict[str, str]:
    """The fingerprint the environment carries; empty when it is missing or half made."""
    try:
        loaded: dict[str, str] = json.loads((venv_dir() / "hotline-stamp.json").read_text())
    except (OSError, ValueError):
        return {}
    return loaded if (venv_dir() / "bin/hotline").exists() and (venv_dir() / "bin/python").exists() else {}


def make_environment(cache_dir: Path) -> bool:
    """Bring `.venv` up to the lock file; False when it was already there."""
    if stamp() == fingerprint():
        return False
    with locked(ROOT / "var" / "bootstrap.lock", TITLE):
        known = stamp()
        if known == fingerprint():
            return False
        progress = Progress(TITLE)
        pip = find_pip(cache_dir, progress)
        uv = find_uv(cache_dir, pip, progress)
        environment = uv_environment(cache_dir, pip)
        (venv_dir() / "hotline-stamp.json").unlink(missing_ok=True)
        moved = bool(known) and (known["root"], known["python"]) != (str(ROOT), fingerprint()["python"])
        if moved or not _runs(venv_dir() / "bin/python"):
            _uv(uv, environment, "venv", "--clear", "--no-project", "--python", sys.executable, str(venv_dir()))
        progress.show("from the lock file")
        in_venv = ("--python", str(venv_dir() / "bin/python"))
        # Compiled once here, not at the start of each of the hotline's six processes: that halves their start.
        sync = ("pip", "sync", "--require-hashes", "--compile-bytecode", *in_venv, "requirements.lock")
        # A second clone has everything in the cache; the hashes say that it is the right thing.
        try:
            _uv(uv, environment, *sync, "--offline")
        except FetchError:
            _uv(uv, environment, *sync)
        # The project itself: a wheel of one path file, made here, because a build would need another download.
        wheel = write_wheel(ROOT, cache_dir / "wheels" / hashlib.sha256(str(ROOT).encode()).hexdigest()[:16])
        _uv(uv, environment, "pip", "install", "--offline", "--no-deps", "--reinstall", *in_venv, str(wheel))
        (venv_dir() / "hotline-stamp.json").write_text(json.dumps(fingerprint()))
        progress.done("installed")
    return True


def _runs(python: Path) -> bool:
    if not python.exists():
        return False
    asked = "import sys; print(*sys.version_info[:3])"
    done = subprocess.run([python, "-c", asked], capture_output=True, text=True)
    return done.returncode == 0 and done.stdout.split() == [str(n) for n in sys.version_info[:3]]


def _uv(uv: Path, environment: dict[str, str], *args: str) -> None:
    done = subprocess.run(
        [uv, *args, "--quiet"], env=environment, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        raise FetchError(f"uv {' '.join(args[:2])} failed:\n{done.stderr.strip()}", REGISTRY_REMEDY)


def find_pip(cache_dir: Path, progress: Progress) -> list[str]:
    """A command that is pip: the interpreter's own, else the wheel out of the release's own package."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True).returncode == 0:
        return own
    kept = cache_dir / "pip"
    if not list(kept.glob("pip-*.whl")):
        progress.show("no pip here, fetching Debian's wheel of it")
        work = cache_dir / "work" / f"pip-{os.getpid()}"
        try:
            apt = Apt(work, status=Path("/var/lib/dpkg/status"))
            apt.update()
            unpacked = apt.fetch_one("python3-pip-whl")
            kept.mkdir(parents=True, exist_ok=True)
            for wheel in unpacked.rglob("pip-*.whl"):
                wheel.rename(kept / wheel.name)
        except subprocess.CalledProcessError as error:
            raise FetchError(
                f"pip is missing and its package could not be fetched: {error.stderr}",
                "check the network and apt's sources; or as root: apt-get install python3-pip",
            ) from None
        finally:
            shutil.rmtree(work, ignore_errors=True)
    wheel = sorted(kept.glob("pip-*.whl"))[-1]
    return [sys.executable, f"{wheel}/pip"]


def find_uv(cache_dir: Path, pip: list[str], progress: Progress) -> Path:
    """The pinned uv out of its wheel, checked against the hash above."""
    uv = cache_dir / "uv" / UV_VERSION / "uv"
    if uv.exists():
        return uv
    on_path = shutil.which("uv")
    if on_path and _says(on_path).startswith(f"uv {UV_VERSION}"):
        return Path(on_path)
    progress.show(f"fetching uv {UV_VERSION}")
    work = cache_dir / "work" / f"uv-{os.getpid()}"
    work.mkdir(parents=True, exist_ok=True)
    try:
        hashes = " ".join(f"--hash=sha256:{known}" for known in UV_SHA256)
        (work / "uv.txt").write_text(f"uv=={UV_VERSION} {hashes}\n")
        options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--no-cache-dir"]
        done = subprocess.run(
            [*pip, "download", *options, "-d", work, "-r", work / "uv.txt"],
            capture_output=True,
            text=True,
            cwd=work,
        )
        if done.returncode:
            raise FetchError(f"uv could not be fetched:\n{done.stderr.strip()}", REGISTRY_REMEDY)
        (wheel,) = work.glob("uv-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            name = next(n for n in archive.namelist() if n.endswith(".data/scripts/uv"))
            (work / "uv").write_bytes(archive.read(name))
        (work / "uv").chmod(0o755)
        uv.parent.mkdir(parents=True, exist_ok=True)
        # In one step, so that two clones at once never see half a program.
        (work / "uv").replace(uv)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return uv


def _says(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True).stdout


def uv_environment(cache_dir: Path, pip: list[str]) -> dict[str, str]:
    """uv does not read pip's configuration, so it is handed over; uv's own variables win."""
    done = subprocess.run([*pip, "config", "list"], capture_output=True, text=True)
    options: dict[str, str] = {}
    # pip lists in order of weight: files first, then the environment as `:env:.name`.
    lines = [line.split("=", 1) for line in done.stdout.splitlines() if "=" in line]
    for key, value in sorted(lines, key=lambda pair: pair[0].startswith(":env:")):
        section, _, name = key.partition(".")
        if section in ("global", "install", "download", ":env:"):
            options[name.replace("_", "-")] = value.strip().strip("'\"").replace("\\n", " ")
    handed: dict[str, str] = {
        "UV_DEFAULT_INDEX": options.get("index-url", ""),
        "UV_INDEX": options.get("extra-index-url", ""),
        "UV_FIND_LINKS": ",".join(options.get("find-links", "").split()),
        "UV_INSECURE_HOST": " ".join(options.get("trusted-host", "").split()),
        "UV_NO_INDEX": "1" if options.get("no-index", "").lower() in ("1", "true", "yes") else "",
        "SSL_CERT_FILE": options.get("cert", ""),
        "SSL_CLIENT_CERT": options.get("client-cert", ""),
        "ALL_PROXY": options.get("proxy", ""),
        "UV_HTTP_TIMEOUT": options.get("default-timeout", ""),
        # Every file must match the lock's hash, so it does not matter which index it comes from.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    ours = {
        "UV_CACHE_DIR": str(cache_dir / "uv" / "cache"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
    }
    environment = {k: v for k, v in {**handed, **os.environ, **ours}.items() if v}
    # An activated environment elsewhere must not be taken for ours.
    environment.pop("VIRTUAL_ENV", None)
    return environment


def main(arguments: list[str]) -> int:
    cache_dir = default_cache_dir()
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        make_environment(cache_dir)
        if {"--tools", "--tests"} & set(arguments):
            fetch_tools(cache_dir)
        if "--tests" in arguments:
            from hotline.testneeds import fetch_test_needs

            fetch_test_needs(cache_dir)
    except FetchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(
            f"{error}\n  Remedy: make {cache_dir} and {ROOT} writable with space on the disk,"
            " or set HOTLINE_CACHE_DIR to another folder\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        # Half-made work lies in folders that the next start clears.
        os._exit(130)
