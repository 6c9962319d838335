"""One Asterisk in a folder of its own, started and ended together with its owner.

All of its directories lie in one writable folder, so it runs as any user and
leaves nothing elsewhere. The kernel kills it when the process that started it
dies, however that happens.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from models.orphans import dies_with_me
from models.settings import settings
from models.toolbox import AsteriskTool, asterisk
from tests.support.ami import Ami, AmiError, Event


def find_asterisk() -> AsteriskTool:
    """The same Asterisk that the hotline uses."""
    chosen = settings()
    return asterisk(chosen.cache_dir, chosen.asterisk_binary)


class AsteriskProcess:
    """Writes the configuration, starts Asterisk, waits until it is ready, ends it."""

    def __init__(self, folder: Path, configuration: Mapping[str, str], program: AsteriskTool | None = None) -> None:
        self.folder = folder
        self._program = program or find_asterisk()
        self._configuration = configuration
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id, 0 if it does not run."""
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it, and returns at once."""
        self._write_configuration()
        command = [*self._program.argv, "-f", "-C", str(self.folder / "etc/asterisk.conf")]
        with (self.folder / "log/stdout").open("wb") as out:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._program.environ(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=dies_with_me(),
            )

    def connect(
        self, port: int, secret: str, on_event: Callable[[Event], None] | None = None, timeout: float = 20.0
    ) -> Ami:
        """A manager session, once Asterisk is fully booted."""
        deadline = time.monotonic() + timeout
        while True:
            if not self.is_running:
                raise AmiError(f"Asterisk ended while it started:\n{self.log_tail()}")
            try:
                ami = Ami(port, secret, on_event)
            except (OSError, AmiError) as error:
                if time.monotonic() > deadline:
                    text = f"Asterisk is not ready after {timeout} s: {error}\n{self.log_tail()}"
                    raise AmiError(text) from error
                # The port opens during the start, there is nothing to wait on before.
                time.sleep(0.01)
                continue
            if ami.wait_until_booted(max(0.1, deadline - time.monotonic())):
                return ami
            ami.close()
            raise AmiError(f"Asterisk has not booted after {timeout} s\n{self.log_tail()}")

    def stop(self) -> None:
        """Ends it by its pid, at once: nothing in its folder is needed any more."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def log_tail(self, lines: int = 40) -> str:
        """The end of what it said, for the text of a failure."""
        text = ""
        for name in ("stdout", "messages"):
            path = self.folder / "log" / name
            if path.exists():
                text += path.read_text("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])

    def _write_configuration(self) -> None:
        for name in ("etc", "log", "run", "spool", "db", "data", "cache"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        # Asterisk looks for its documentation and sounds below the data directory.
        if not (self.folder / "data/documentation").exists():
            (self.folder / "data/documentation").symlink_to(self._program.data_dir / "documentation")
        places = {
            "astetcdir": "etc", "astlogdir": "log", "astrundir": "run", "astspooldir": "spool",
            "astdbdir": "db", "astdatadir": "data", "astkeydir": "data", "astagidir": "data",
            "astvarlibdir": "data", "astcachedir": "cache", "astsbindir": "run",
        }  # fmt: skip
        lines = ["[directories]", f"astmoddir => {self._program.modules_dir}"]
        lines += [f"{name} => {self.folder / place}" for name, place in places.items()]
        lines += ["", "[options]", "nocolor = yes", "verbose = 0", "hideconnect = yes"]
        # A story's dialplan reads its values from files, also in calls begun over the manager interface.
        lines += ["live_dangerously = yes", ""]
        files: dict[str, str] = {"asterisk.conf": "\n".join(lines), **self._configuration}
        for name, content in files.items():
            (self.folder / "etc" / name).write_text(content, "utf-8")
