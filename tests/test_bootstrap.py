"""The two commands on a bare machine: the environment, and what is said when it cannot be had.

Nothing here reaches the network: the registry's client is a script.
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
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hotline import bootstrap
from hotline.apt import FetchError, Progress
from hotline.wheel import write_wheel
from models.settings import ROOT


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


@pytest.mark.parametrize(("exit_of_test", "failed", "wanted"), [(0, 0, 0), (5, 0, 5), (2, 40, 2), (2, 41, 1)])
def test_ci_runs_checks_then_tests_from_anywhere_and_fails_honestly(
    exit_of_test: int, failed: int, wanted: int, tmp_path: Path
) -> None:
    clone = tmp_path / "a clone"
    (clone / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci/run", clone / ".ci/run")
    kept = clone / ".pytest_cache/v/cache/lastfailed"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({f"tests/test_{number}.py::test": True for number in range(failed)}, indent=2))
    program = tmp_path / "bin/make"
    program.parent.mkdir()
    # 5 is pytest's code for "no tests ran", which must not pass.
    program.write_text(f'#!/bin/sh\necho "$PWD: $*"\ncat\n[ "$1" = test ] && exit {exit_of_test}\nexit 0\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    environment.pop("JOBS", None)  # make hands down what its own command line says.
    done = subprocess.run(
        [clone / ".ci/run"], cwd="/", env=environment, capture_output=True, text=True, input="typed by nobody"
    )
    assert done.returncode == wanted
    once = [f"{clone}: check", f"{clone}: test"]
    # What failed is run once more, alone, and its failure is the run's; not where much has failed.
    alone = f"{clone}: test JOBS=1 PYTEST_ARGS=--last-failed --last-failed-no-failures=none"
    assert done.stdout.splitlines() == (
        once if exit_of_test == 0 or failed > 40 else [*once, "once more, alone:", alone]
    )


def test_no_registry_or_mirror_is_named_in_a_committed_file() -> None:
    hosts = [
        "py" + "pi.org",
        "pythonhosted" + ".org",
        "deb.debian" + ".org",
        "registry.npm" + "js.org",
        "ubuntu" + ".com/ubuntu",
    ]
    named = [
        str(file.relative_to(ROOT))
        for file in committed_files()
        if any(host.encode() in file.read_bytes() for host in hosts)
    ]
    assert named == []


def test_style_is_checked_of_our_files_only_also_where_there_is_no_git(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in ("var/cache/uv", "models"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "foreign.py").write_text("import os\n")
    ruff = [
        str(Path(sys.executable).with_name("ruff")),
        "check",
        "--no-cache",
        "--quiet",
        "--output-format",
        "concise",
        ".",
    ]
    done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True)
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["models/foreign.py"], done.stdout + done.stderr


def committed_files() -> list[Path]:
    """What git lists, whoever owns the clone; where there is no git, everything that is no product of a run."""
    git = ["git", "-c", "safe.directory=*", "-C", str(ROOT), "ls-files", "-z"]
    listed = subprocess.run(git, capture_output=True, text=True) if shutil.which("git") else None
    if listed is not None and listed.returncode == 0:
        return [file for name in listed.stdout.split("\0") if name and (file := ROOT / name).is_file()]
    made = {"var", "node_modules", "build", "__pycache__"}
    return [
        file
        for file in ROOT.rglob("*")
        if file.is_file() and not any(part in made or part.startswith(".") for part in file.relative_to(ROOT).parts)
    ]


def test_every_package_is_named_in_the_project() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    tops = {name.partition(".")[0] for name in named}
    found = {
        ".".join(file.parent.relative_to(ROOT).parts) for top in tops for file in (ROOT / top).rglob("__init__.py")
    }
    assert sorted(named) == sorted(found)
