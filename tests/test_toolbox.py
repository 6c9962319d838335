"""Every program the hotline starts is there and runs, wherever it came from."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import playwright
import pytest

from models import toolbox
from models.settings import settings
from models.toolbox import AsteriskTool, Tool, ToolMissing

NOBODY = 65534


@pytest.fixture(scope="module")
def root() -> Path:
    """The folder that was fetched."""
    found = toolbox.debian_root(settings().cache_dir)
    if found is None:
        pytest.skip("all programs are on PATH, nothing was fetched")
    return found


def fake_program(folder: Path, name: str, says: str, exit_code: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {exit_code}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("find", [toolbox.asterisk, toolbox.espeak, toolbox.sox, toolbox.sipp])
def test_each_program_tells_its_version(find: object) -> None:
    tool: Tool = find(settings().cache_dir)  # type: ignore[operator]
    assert toolbox.version_tuple(tool.version)


@pytest.mark.parametrize("find", [toolbox.find_asterisk, toolbox.find_espeak, toolbox.find_sox, toolbox.find_sipp])
def test_each_fetched_program_runs_through_its_own_loader(find: object, root: Path) -> None:
    tool: Tool = find(root)  # type: ignore[operator]
    assert tool.argv[0].startswith(str(root))
    assert toolbox.version_tuple(tool.version)


def test_no_library_of_the_fetched_programs_is_missing_or_comes_from_the_machine(root: Path) -> None:
    asterisk = toolbox.find_asterisk(root)
    assert asterisk
    loader = asterisk.argv[:3]
    modules = sorted(asterisk.modules_dir.glob("*.so"))
    programs = [root / "usr/bin" / name for name in ("sox", "sipp", "espeak-ng")]
    strangers: list[str] = []
    for binary in [*modules, *programs]:
        listed = subprocess.run([*loader, "--list", binary], capture_output=True, text=True, check=True).stdout
        strangers += [
            f"{binary.name}: {line.strip()}"
            for line in listed.splitlines()
            if "not found" in line or ("=> /" in line and str(root) not in line)
        ]
    assert len(modules) > 200
    assert strangers == []


def test_what_was_fetched_is_recorded(root: Path) -> None:
    recorded = toolbox.manifest(settings().cache_dir)
    by_name = {p["name"]: p for p in recorded["packages"]}
    assert {"asterisk", "espeak-ng", "sox", "libsox-fmt-base", "sip-tester", "libc6"} <= set(by_name)
    assert all(len(p["sha256"]) == 64 and p["version"] for p in by_name.values())
    assert toolbox.version_tuple(by_name["asterisk"]["version"].split(":")[-1]) >= toolbox.ASTERISK_MINIMUM


@pytest.mark.parametrize("voice", ["ko", "cmn", "en"])
def test_the_fetched_voice_speaks_and_the_fetched_sox_brings_it_to_the_telephone_band(
    voice: str, root: Path, tmp_path: Path
) -> None:
    espeak, sox = toolbox.find_espeak(root), toolbox.find_sox(root)
    assert espeak and sox
    espeak.run("-v", voice, "-w", tmp_path / "raw.wav", "--stdin", input=b"12349")
    sox.run(tmp_path / "raw.wav", "-r", "8000", "-c", "1", "-b", "16", tmp_path / "band.wav")
    with wave.open(str(tmp_path / "band.wav")) as spoken:
        assert (spoken.getframerate(), spoken.getnchannels(), spoken.getsampwidth()) == (8000, 1, 2)
        assert spoken.getnframes() > 4000
        assert any(spoken.readframes(spoken.getnframes()))


def test_an_asterisk_on_path_is_taken_when_it_is_new_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = fake_program(tmp_path / "sbin", "asterisk", "Asterisk 22.11.0")
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    assert toolbox.asterisk(settings().cache_dir).argv == (str(program),)


@pytest.mark.parametrize(
    ("says", "exit_code"), [("Asterisk 20.6.0", 0), ("Asterisk 22.10.0", 0), ("Asterisk 22.11.0", 127)]
)
def test_an_asterisk_on_path_is_passed_over_when_old_or_broken(
    says: str, exit_code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = fake_program(tmp_path / "sbin", "asterisk", says, exit_code)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    with pytest.raises(ToolMissing, match=r"Asterisk ≥ 22\.10\.1 was not found; .*make demo"):
        toolbox.asterisk(tmp_path / "empty cache")


def test_a_configured_asterisk_that_is_too_old_is_refused_not_replaced(tmp_path: Path) -> None:
    program = fake_program(tmp_path / "sbin", "asterisk", "Asterisk 20.6.0")
    with pytest.raises(ToolMissing, match=r"HOTLINE_ASTERISK_BINARY=.+ Asterisk 20\.6\.0"):
        toolbox.asterisk(settings().cache_dir, str(program))


def test_without_a_cache_each_missing_program_names_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for find in (toolbox.asterisk, toolbox.espeak, toolbox.sox, toolbox.sipp):
        with pytest.raises(ToolMissing) as raised:
            find(tmp_path)
        assert "make demo" in raised.value.remedy


def test_the_cache_folder_follows_the_environment_and_needs_no_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOTLINE_CACHE_DIR", str(tmp_path / "own"))
    assert toolbox.default_cache_dir() == tmp_path / "own"
    monkeypatch.delenv("HOTLINE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert toolbox.default_cache_dir() == tmp_path / "xdg" / "hotline-12349"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert toolbox.default_cache_dir().parts[-2:] == ("var", "cache")


def test_the_embedded_redis_is_there() -> None:
    assert "Valkey" in toolbox.redis_binary().version


@pytest.mark.slow
def test_postgresql_is_there() -> None:
    folder = toolbox.postgres_bin_dir()
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    assert toolbox.version_tuple(said) >= (15,)
    assert {"initdb", "pg_ctl", "psql"} <= {p.name for p in folder.iterdir()}


def test_what_playwrights_driver_needs_is_here() -> None:
    node = Path(playwright.__file__).parent / "driver/node"
    env = {**os.environ, "LD_LIBRARY_PATH": str(toolbox.libatomic().parent)}
    said = subprocess.run([node, "--version"], capture_output=True, text=True, env=env)
    assert said.stdout.startswith("v"), said.stderr


@pytest.mark.browser
def test_chromium_draws_chinese_and_korean(tmp_path: Path) -> None:
    browser = toolbox.chromium()
    assert toolbox.cjk_font().is_file()
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={tmp_path / 'p'}")
    drawn = [tmp_path / "known.png", tmp_path / "unknown.png"]
    # The second character has no glyph in any font: drawn alike, both are boxes.
    for target, text in zip(drawn, ("&#x76EE;&#xBAA9;", "&#x10FFF0;&#x10FFF0;"), strict=True):
        page = f"data:text/html;charset=utf8,<p style='font-size:40px'>{text.replace('#', '%23')}"
        browser.run(*flags, "--window-size=200,120", f"--screenshot={target}", page, capture_output=True, timeout=60)
    assert drawn[0].read_bytes() != drawn[1].read_bytes()


@pytest.fixture
def reachable(root: Path) -> Iterator[Path]:
    """The fetched folder where an ordinary user can reach it: root's own cache is closed to others."""
    if os.geteuid() != 0:
        yield root
        return
    folder = Path(tempfile.mkdtemp(prefix="hotline-root-"))
    folder.chmod(0o755)
    try:
        # Links where the disk is the same, copies elsewhere.
        done = subprocess.run(["cp", "-al", root, folder / "root"], capture_output=True)
        if done.returncode:
            shutil.rmtree(folder / "root", ignore_errors=True)
            shutil.copytree(root, folder / "root", symlinks=True)
        yield folder / "root"
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def run_dir() -> Iterator[Path]:
    """A folder of nobody's with a short path, for Asterisk's socket."""
    folder = Path(tempfile.mkdtemp(prefix="hotline-ast-"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def write_configuration(tool: AsteriskTool, folder: Path) -> Path:
    places = dict.fromkeys(
        (
            "astetcdir",
            "astvarlibdir",
            "astdbdir",
            "astkeydir",
            "astagidir",
            "astspooldir",
            "astrundir",
            "astlogdir",
        ),
        folder,
    )
    places |= {"astmoddir": tool.modules_dir, "astdatadir": tool.data_dir}
    directories = "\n".join(f"{name} => {path}" for name, path in places.items())
    (folder / "asterisk.conf").write_text(f"[directories]\n{directories}\n")
    wanted = ("res_agi", "res_speech", "res_aeap", "res_speech_aeap", "app_queue", "app_mixmonitor", "pbx_config")
    loads = "\n".join(f"load = {name}.so" for name in (*wanted, "res_http_websocket", "res_sorcery_config"))
    (folder / "modules.conf").write_text(f"[modules]\nautoload = no\n{loads}\n")
    for name in ("extensions.conf", "queues.conf", "aeap.conf", "http.conf", "logger.conf", "sorcery.conf"):
        (folder / name).write_text("[general]\n")
    return folder / "asterisk.conf"


def test_the_fetched_asterisk_boots_as_an_ordinary_user(reachable: Path, run_dir: Path) -> None:
    tool = toolbox.find_asterisk(reachable)
    assert tool
    configuration = write_configuration(tool, run_dir)
    identity = {"user": NOBODY, "group": NOBODY, "extra_groups": ()} if os.geteuid() == 0 else {}
    common = {"env": tool.environ(), "cwd": run_dir, **identity}
    with (run_dir / "console").open("w") as console:
        process = subprocess.Popen(  # type: ignore[call-overload]
            [*tool.argv, "-f", "-C", configuration], stdout=console, stderr=console, **common
        )
    try:

        def ask(command: str) -> str:
            done = subprocess.run(  # type: ignore[call-overload]
                [*tool.argv, "-C", configuration, "-rx", command], capture_output=True, text=True, **common
            )
            return str(done.stdout)

        deadline = time.monotonic() + 30
        while "fully booted" not in ask("core waitfullybooted"):
            assert process.poll() is None, (run_dir / "console").read_text()
            assert time.monotonic() < deadline, (run_dir / "console").read_text()
            time.sleep(0.1)
        assert "22." in ask("core show version")
        for module in ("res_agi", "app_queue", "res_speech_aeap"):
            assert "Running" in ask(f"module show like {module}.so"), (run_dir / "console").read_text()
        owner = Path(f"/proc/{process.pid}").stat().st_uid
        assert owner == (NOBODY if os.geteuid() == 0 else os.geteuid())
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
