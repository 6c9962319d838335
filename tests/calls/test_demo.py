"""`hotline demo`, as a newcomer starts it: twice, and stopped by Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from models.orphans import dies_with_me
from models.settings import ROOT
from tests.support.ports import PortBlock

pytestmark = [pytest.mark.call, pytest.mark.slow]


def environment(folder: Path, block: PortBlock) -> dict[str, str]:
    """A demonstration of its own: short prompts, no speech model, free ports."""
    names = ("SIP_PORT", "WEB_PORT", "AGI_PORT", "AMI_PORT", "ASTERISK_HTTP_PORT", "SPEECH_PORT")
    ports = {f"HOTLINE_{name}": str(block.take()) for name in names}
    return {**os.environ, **ports, "HOTLINE_VAR_DIR": str(folder), "HOTLINE_VOICE": "tones", "HOTLINE_SPEECH": "false"}


def left_behind(folder: Path) -> list[str]:
    """Processes that still belong to the demonstration: its folder is in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HOTLINE_VAR_DIR") == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def test_the_journey_is_seen_twice_with_the_data_kept_and_nothing_left_behind(tmp_path: Path) -> None:
    block = PortBlock()
    numbers = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-m", "hotline", "demo", "--once", "--json"],
            cwd=ROOT,
            env=environment(tmp_path, block),
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        seen = json.loads(done.stdout)
        assert all(seen[name]["id"] for name in ("call", "order", "offer", "callback"))
        assert all(seen["sip"].values())
        numbers.append(seen["order"]["number"])
        assert left_behind(tmp_path) == []
    assert numbers == [1001, 1002]
    block.release()


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    block = PortBlock()
    with subprocess.Popen(
        [sys.executable, "-m", "hotline", "demo"],
        cwd=ROOT,
        env=environment(tmp_path, block),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=dies_with_me(signal.SIGTERM),
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "rings 12349" in line:
                break
        assert left_behind(tmp_path)
        demo.send_signal(signal.SIGINT)
        demo.communicate(timeout=30)
    assert left_behind(tmp_path) == []
    block.release()
