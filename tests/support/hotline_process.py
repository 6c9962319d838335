"""The real `hotline up` as a child, in a folder and on ports of its own: for tests and the demonstration."""

from __future__ import annotations

import http.client
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType

import psutil
from redis import Redis
from redis.exceptions import RedisError

from models.orphans import dies_with_me
from models.settings import ROOT, Settings
from tests.support.patience import PATIENCE
from tests.support.ports import PortBlock

START_S = 60
PORTS = ("SIP_PORT", "WEB_PORT", "AGI_PORT", "AMI_PORT", "ASTERISK_HTTP_PORT", "SPEECH_PORT")


class HotlineProcess:
    """Starts `hotline up` and stops it; a context manager. `settings` are HOTLINE_… without the prefix."""

    def __init__(self, folder: Path, trunk: str, settings: Mapping[str, object] | None = None) -> None:
        self.folder = folder
        self._block = PortBlock()
        first, last = self._block.rtp
        chosen = {
            "VAR_DIR": folder,
            "TRUNK": trunk,
            **{name: self._block.take() for name in PORTS},
            "RTP_START": first,
            "RTP_END": last,
            **(settings or {}),
        }
        self.sip_port = int(str(chosen["SIP_PORT"]))
        self.web_port = int(str(chosen["WEB_PORT"]))
        self.env = {f"HOTLINE_{name}": str(value) for name, value in chosen.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._heard_since = math.inf

    @property
    def sip(self) -> str:
        """host:port of its trunk."""
        return f"127.0.0.1:{self.sip_port}"

    def __enter__(self) -> HotlineProcess:
        try:
            self.start()
        except BaseException:
            self.stop()
            self._block.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._block.release()
        if error is not None:
            error.add_note(f"--- {self.folder / 'log'}\n{self.log()[-6000:]}")

    def start(self) -> None:
        """Start everything and wait until it is ready."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hotline", "up"],
                cwd=ROOT,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_me(signal.SIGTERM),
            )
        deadline = time.monotonic() + START_S * PATIENCE
        while not self.ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the hotline did not start:\n{self.log()[-6000:]}")
            time.sleep(0.05)

    def ready(self) -> bool:
        """Whether this start has announced that all its processes answer."""
        path = self.folder / "run" / "ready.json"
        try:
            told: dict[str, object] = json.loads(path.read_text())
        except (OSError, ValueError):
            return False
        return self._process is not None and told["supervisor"] == self._process.pid

    def is_whole(self, within: float) -> bool:
        """Whether all its processes live and answer, also those that were killed and started again; waits for that."""
        deadline = time.monotonic() + within * PATIENCE
        self._heard_since = math.inf
        while not self._answers():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _answers(self) -> bool:
        if not self.ready():
            return False
        try:
            since = {name: psutil.Process(pid).create_time() for name, pid in self.pids().items()}
            for port in ("AGI_PORT", "AMI_PORT", "WEB_PORT"):
                socket.create_connection(("127.0.0.1", int(self.env[f"HOTLINE_{port}"])), timeout=1).close()
            if "speech" in since and not self._hears():
                return False
            if "redis" in since:
                self.redis().ping()
            # A sign of life left by the one before it does not count.
            beats = {name: (self.folder / "run" / f"{name}.beat").stat().st_mtime for name in ("dispatcher", "worker")}
            return all(at > since[name] for name, at in beats.items())
        except (OSError, KeyError, RedisError, psutil.Error, http.client.HTTPException):
            return False

    def _hears(self) -> bool:
        """Whether the speech server has its models again, for longer than calls believe what they saw last (1 s)."""
        connection = http.client.HTTPConnection("127.0.0.1", int(self.env["HOTLINE_SPEECH_PORT"]), timeout=1)
        with closing(connection):
            connection.request("GET", "/health")
            hears = connection.getresponse().status == 200
        if not hears:
            self._heard_since = math.inf
            return False
        self._heard_since = min(self._heard_since, time.monotonic())
        return time.monotonic() - self._heard_since > 1.2

    def pids(self) -> dict[str, int]:
        """The processes by name, as they run now."""
        pids: dict[str, int] = json.loads((self.folder / "run" / "ready.json").read_text())["pids"]
        return pids

    @property
    def supervisor_pid(self) -> int:
        """Of `hotline up` itself."""
        assert self._process is not None
        return self._process.pid

    def redis(self) -> Redis:
        """A client of its embedded Redis."""
        return Redis(unix_socket_path=str(Settings(var_dir=self.folder).redis_socket))

    def kill(self, name: str) -> None:
        """kill -9 one process by its id; the supervisor starts it again."""
        os.kill(self.pids()[name], signal.SIGKILL)

    def kill_everything(self) -> None:
        """A power cut: kill -9 of the supervisor and all it runs, first the supervisor."""
        assert self._process is not None
        pids = list(self.pids().values())
        self._process.kill()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self._process.wait()

    def begin_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        assert self._process is not None
        self._process.terminate()

    def ends(self, within: float) -> int:
        """Wait for the end of `hotline up`; return its exit code."""
        assert self._process is not None
        return self._process.wait(within)

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def log(self) -> str:
        """What it has printed so far."""
        return (self.folder / "log").read_text(errors="replace")
