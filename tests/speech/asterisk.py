"""A real Asterisk for the speech tests: one Local channel, on one side an AGI script, on the other a voice."""

from __future__ import annotations

import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from models.orphans import dies_with_me
from models.toolbox import AsteriskTool

Script = Callable[["Agi"], None]

ASTERISK_CONF = """
[directories]
astetcdir => {run}
astmoddir => {modules}
astvarlibdir => {run}
astdbdir => {run}
astkeydir => {run}
astdatadir => {data}
astagidir => {run}
astspooldir => {run}
astrundir => {run}
astlogdir => {run}
astsbindir => {run}
[options]
verbose = 3
"""

MODULES_CONF = """
[modules]
autoload = no
load = res_sorcery_config.so
load = res_clioriginate.so
load = res_speech.so
load = res_http_websocket.so
load = res_aeap.so
load = res_speech_aeap.so
load = res_agi.so
load = pbx_config.so
load = app_playback.so
load = app_senddtmf.so
load = format_wav.so
load = format_pcm.so
load = format_gsm.so
load = codec_gsm.so
load = codec_ulaw.so
load = codec_alaw.so
load = res_timing_timerfd.so
load = bridge_simple.so
"""

EXTENSIONS_CONF = """
[lab]
exten => elder,1,Answer()
 same => n,AGI(agi://127.0.0.1:{agi_port})
 same => n,Hangup()
exten => _caller-.,1,Answer()
 same => n,Wait(0.4)
 same => n,Playback({sounds}/${{EXTEN:7}})
 same => n,Wait(20)
; presses 5 after a moment, then says nothing
exten => key,1,Answer()
 same => n,Wait(0.4)
 same => n,SendDTMF(5)
 same => n,Playback({sounds}/quiet)
"""

AEAP_SECTION = """
[{name}]
type = client
codecs = !all,slin
url = {url}
protocol = speech_to_text
@language = {language}
"""


@dataclass
class Agi:
    """The AGI side of one call, as raw lines; keeps what was said and when (time.monotonic)."""

    reader: socket.SocketIO
    writer: socket.socket
    log: list[tuple[float, str, str]] = field(default_factory=list)

    def command(self, line: str) -> str:
        """Sends one command and waits for its answer."""
        self.writer.sendall(line.encode() + b"\n")
        answer = self.reader.readline().decode(errors="replace").strip()
        self.log.append((time.monotonic(), line, answer))
        return answer


class FastAgi:
    """A FastAGI server that runs one script for each call."""

    def __init__(self) -> None:
        self.script: Script = lambda agi: None
        self.calls: list[Agi] = []
        self.finished = threading.Event()
        outer = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while self.rfile.readline().strip():
                    pass
                agi = Agi(self.rfile, self.connection)  # type: ignore[arg-type]
                outer.calls.append(agi)
                with suppress(OSError):
                    outer.script(agi)
                outer.finished.set()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()


class Lab:
    """A running Asterisk with the engines given, and the FastAGI server it calls."""

    def __init__(self, tool: AsteriskTool, run: Path, engines: dict[str, tuple[str, str]]) -> None:
        self.tool = tool
        self.run = run
        self.agi = FastAgi()
        self.sounds = run / "sounds"
        self.sounds.mkdir(parents=True)
        files = {
            "asterisk.conf": ASTERISK_CONF.format(run=run, modules=tool.modules_dir, data=tool.data_dir),
            "modules.conf": MODULES_CONF,
            "extensions.conf": EXTENSIONS_CONF.format(agi_port=self.agi.port, sounds=self.sounds),
            "aeap.conf": "".join(
                AEAP_SECTION.format(name=name, url=url, language=language) for name, (url, language) in engines.items()
            ),
            "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error,verbose\n",
            "http.conf": "[general]\nenabled = no\n",
        }
        for name, text in files.items():
            (run / name).write_text(text)
        self._log = (run / "console").open("wb")
        self._process = subprocess.Popen(
            [*tool.argv, "-f", "-C", str(run / "asterisk.conf")],
            env=tool.environ(),
            stdout=self._log,
            stderr=subprocess.STDOUT,
            preexec_fn=dies_with_me(),
        )
        self._wait_until_up()

    @property
    def open_files(self) -> int:
        """How many files and sockets Asterisk has open."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def console(self, command: str) -> str:
        """Runs one command of Asterisk's console."""
        done = self.tool.run(
            "-C",
            self.run / "asterisk.conf",
            "-rx",
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
        )
        return str(done.stdout)

    def call(self, caller: str, script: Script, timeout: float = 40) -> Agi:
        """Lets a caller ring and runs the script; returns the call when the script has ended.

        `caller`: "key", or "caller-" and the name of a sound that is played after a moment.
        """
        self.agi.script = script
        self.agi.finished.clear()
        before = len(self.agi.calls)
        self.console(f"channel originate Local/elder@lab/n extension {caller}@lab")
        if not self.agi.finished.wait(timeout):
            raise TimeoutError(f"the AGI script did not end in {timeout} s: {self.messages()}")
        self.console("channel request hangup all")
        return self.agi.calls[before]

    def messages(self) -> str:
        """Asterisk's log."""
        path = self.run / "messages"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        """Stops Asterisk and the FastAGI server."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._log.close()
        self.agi.close()

    def _wait_until_up(self) -> None:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            if "fully booted" in self.console("core waitfullybooted").lower():
                return
            time.sleep(0.2)
        raise RuntimeError(f"Asterisk does not come up: {(self.run / 'console').read_text(errors='replace')[-2000:]}")


@contextmanager
def lab(tool: AsteriskTool, run: Path, engines: dict[str, tuple[str, str]]) -> Iterator[Lab]:
    """An Asterisk that is stopped at the end."""
    running = Lab(tool, run, engines)
    try:
        yield running
    finally:
        running.close()
