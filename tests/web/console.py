"""The console as a process of its own: real gunicorn on a free port, killed and started at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from models.orphans import dies_with_me
from tests.support.patience import PATIENCE
from tests.support.ports import PortBlock
from tests.web.secret import SECRET


class Console:
    """`python -m web` over the database in `folder`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        # Reserved for as long as this console may come back: between a kill and a start nobody else takes it.
        self._block = PortBlock()
        self.port = self._block.take()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = {
            "HOTLINE_VAR_DIR": str(folder),
            "HOTLINE_DATABASE_URL": f"sqlite:///{folder / 'hotline.db'}",
            "HOTLINE_WEB_PORT": str(self.port),
            "HOTLINE_WEB_SECRET": SECRET,
            **settings,
        }

    def start(self) -> None:
        """Start and wait until it answers."""
        with (self.folder / "console.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "web"],
                env={**os.environ, **self._settings},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=dies_with_me(signal.SIGTERM),
            )
        until = time.monotonic() + 20 * PATIENCE
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError(f"the console did not start:\n{self.log()}")
            time.sleep(0.05)

    def stop(self) -> float:
        """End it politely; return how long that took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        self._process.wait(15 * PATIENCE)
        return time.monotonic() - began

    def kill(self) -> None:
        """End it as a fault would: master and worker at once, without a word to anybody."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(15 * PATIENCE)

    def log(self) -> str:
        """Return what it has written."""
        return (self.folder / "console.log").read_text(errors="replace")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:  # noqa: S310 (our own address)
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def __enter__(self) -> Console:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # At once: a polite end waits three seconds for open streams, and has a test of its own.
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self._block.release()
