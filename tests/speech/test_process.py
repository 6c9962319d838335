"""`python -m ivr.speech` as a process: its start, its end, and its death in the middle of a call."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from models import toolbox
from models.orphans import dies_with_me
from models.settings import ROOT, settings
from tests.speech.asterisk import Agi, lab
from tests.speech.fakes import peer
from tests.speech.support import health, silence, write_wav

pytestmark = [pytest.mark.speech, pytest.mark.fault, pytest.mark.xdist_group("speech-processes")]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def launch(port: int, tmp_path: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "HOTLINE_SPEECH_PORT": str(port), "HOTLINE_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "ivr.speech"]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True, preexec_fn=dies_with_me(signal.SIGTERM)
    )


@contextmanager
def process(port: int, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """The server with the Korean model loaded."""
    running = launch(port, tmp_path)
    try:
        until = time.monotonic() + 60
        while not is_ready(port):
            assert running.poll() is None and time.monotonic() < until, "the speech server does not start"
            time.sleep(0.1)
        yield running
    finally:
        running.kill()
        running.communicate(timeout=10)


def is_ready(port: int) -> bool:
    try:
        return health(port)[0] == 200
    except OSError:
        return False


def test_it_starts_listens_and_stops_at_sigterm(tmp_path: Path) -> None:
    port = free_port()
    with process(port, tmp_path) as running:
        languages = health(port)[1]["languages"]
        assert languages == {"zh-CN": "missing", "ko": "ready", "en": "missing"}
        with peer(port) as caller:
            caller.begin("day")
            running.send_signal(signal.SIGTERM)
            _, said = running.communicate(timeout=10)
        assert running.returncode == 0, said
        assert "Traceback" not in said


def test_a_taken_port_is_said_and_ends_it(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        running = launch(taken.getsockname()[1], tmp_path)
        _, said = running.communicate(timeout=30)
    assert running.returncode == 1
    assert "cannot listen" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_its_end_in_the_middle_of_a_call_reaches_the_agi(tmp_path: Path, end: signal.Signals) -> None:
    """Also a server that lost its parent says that it goes, so that Asterisk waits no second for its results."""
    port = free_port()
    engines = {"hotline-ko": (f"ws://127.0.0.1:{port}/ko", "ko")}
    with (
        process(port, tmp_path) as running,
        lab(toolbox.asterisk(settings().cache_dir), tmp_path, engines) as line,
    ):
        write_wav(line.sounds / "nothing.wav", silence(15_000))
        write_wav(line.sounds / "prompt.wav", silence(8_000))
        prompt = f"SPEECH RECOGNIZE {line.sounds}/prompt 14"

        everybody = psutil.Process(running.pid).children(recursive=True)
        assert len(everybody) >= 4, "the server, a nursery, two recognisers"

        def script(agi: Agi) -> None:
            agi.command("SPEECH CREATE hotline-ko")
            agi.command("SPEECH SET grammar service")
            after(1.0, lambda: running.send_signal(end))
            agi.command(prompt)
            agi.command("SPEECH DESTROY")
            agi.command("SPEECH CREATE hotline-ko")

        call = line.call("caller-nothing", script)
        answers = [answer for _, _, answer in call.log]
        assert "(speech)" in answers[2] and 'text0="<unavailable>"' in answers[2]
        # Long before the time-out of RECOGNIZE.
        assert call.log[2][0] - call.log[1][0] < 10
        assert answers[4] == "200 result=0"
        # Its end is the end of all.
        _, alive = psutil.wait_procs(everybody, timeout=5)
        assert not alive


def after(seconds: float, work: Callable[[], object]) -> None:
    timer = threading.Timer(seconds, work)
    timer.daemon = True
    timer.start()
