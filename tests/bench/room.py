"""The measuring room: two equal Asterisks, one FastAGI server, one Redis, a database full of elders; no dispatch.

Both Asterisks run the hotline's own rendered configuration with the plain
dialplan beside it. In each round one carries our calls and the other the plain
ones, at the same time; in the next round they change places. So neither the
machine's noise nor a difference between two processes falls on one side.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from sqlalchemy import func, select, update

from dispatch.beats import beat_file
from dispatch.outbox import redis
from hotline import asterisk_config, up
from ivr import speech_health
from ivr.prompts import voice
from models import clock, register, schema, toolbox
from models.calls import Call
from models.orders import Order
from models.orphans import dies_with_me
from models.phone import normalise
from models.register import NewElder
from models.session import engine, read, write
from models.settings import ROOT, Settings, settings
from tests.bench.journey import FAMILY_NAME, SEX
from tests.support.ports import PortBlock

START_S = 30
# So many blocks of media ports an Asterisk: calls end for other reasons before ports do.
_WIDE = 2


@dataclass(frozen=True)
class Exchange:
    """One Asterisk of the room."""

    name: str
    pid: int
    sip_port: int
    ami_port: int
    log: Path


class Room:
    """A context manager. `plain` writes the other side's dialplan, `agi_module` runs as the FastAGI server.

    `wide` may be set before it is entered: so many blocks of media ports has each Asterisk, each for 180 calls at once.
    """

    def __init__(self, plain: Callable[[], str], agi_module: str = "ivr", **extra: object) -> None:
        self._stack = ExitStack()
        self._plain = plain
        self._module = agi_module
        self.wide = _WIDE
        self._extra = extra
        self._numbers = iter(range(45110000000, 45119999999))
        self.exchanges: list[Exchange] = []
        self.pids: dict[str, int] = {}

    def __enter__(self) -> Room:
        try:
            self._open()
        except BaseException as error:
            self._note_logs(error)
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._note_logs(error)
        self._stack.close()

    def _note_logs(self, error: BaseException) -> None:
        for log in sorted(self.folder.glob("*.log")):
            error.add_note(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")

    def _open(self) -> None:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="hotline-bench-")))
        blocks = [PortBlock(self.wide), PortBlock(self.wide)]
        for block in blocks:
            self._stack.callback(block.release)
        agi_port, self.media_port = blocks[0].take(), blocks[0].take()
        self.sipp_ports = [block.take() for block in blocks]
        # Where both exchanges find the telephones that they ring.
        self.trunk_port = blocks[0].take()
        self._listen_and_forget()
        # The machine that makes the load sends from ports of its own.
        trunk = {"TRUNK": f"127.0.0.1:{self.trunk_port}", "TRUNK_HOSTS": '["127.0.0.1"]'}
        ports = {"AGI_PORT": agi_port, "SPEECH_PORT": blocks[0].take()}
        self._configure(VAR_DIR=self.folder, **ports, **trunk, **self._extra)
        chosen = up.use_secrets()
        chosen.run_dir.mkdir(parents=True)
        schema.upgrade(engine())
        for program in up.embedded_redis(chosen):
            self.pids["Redis"] = self._start("redis", program.command)
        self._wait(lambda: bool(redis().ping()), "Redis")
        self.pids["FastAGI server"] = self._start("agi", (sys.executable, "-m", self._module))
        self._wait(lambda: _answers(agi_port), "the FastAGI server")
        if chosen.speech:
            self.pids["speech server"] = self._start("speech", (sys.executable, "-m", "ivr.speech"))
            self._wait(lambda: "ko" in speech_health.ask(), "the speech server")
        for language in chosen.languages:
            voice.build_static(language)
        plain = self._plain()
        for name, block in zip("AB", blocks, strict=True):
            first, last = block.rtp
            servers = {"sip_port": block.take(), "ami_port": block.take(), "asterisk_http_port": block.take()}
            own = {"rtp_start": first, "rtp_end": last, "var_dir": self.folder / name, **servers}
            self._start_asterisk(name, chosen.model_copy(update=own), plain)

    def _configure(self, **chosen: object) -> None:
        """The settings of this process and of those it starts."""
        for name, value in chosen.items():
            os.environ[f"HOTLINE_{name}"] = str(value)
        self._forget_settings()
        self._stack.callback(self._forget_settings)
        for name in (*chosen, "AMI_SECRET", "WEB_SECRET"):
            self._stack.callback(os.environ.pop, f"HOTLINE_{name}", None)

    @staticmethod
    def _forget_settings() -> None:
        for cached in (settings, engine, redis, voice.voice):
            cached.cache_clear()

    def _start_asterisk(self, name: str, chosen: Settings, plain: str) -> None:
        command = asterisk_config.write(chosen)
        dialplan = chosen.run_dir / "asterisk" / "etc" / "extensions.conf"
        dialplan.write_text(dialplan.read_text() + plain)
        tool = toolbox.asterisk(chosen.cache_dir, chosen.asterisk_binary)
        pid = self._start(f"asterisk-{name}", command, tool.env)
        self._wait(lambda: _booted(tool, command[-1]), f"Asterisk {name}")
        log = chosen.run_dir / "asterisk" / "log" / "messages.log"
        self.exchanges.append(Exchange(name, pid, chosen.sip_port, chosen.ami_port, log))

    def _start(
        self,
        name: str,
        command: tuple[str, ...] | list[str],
        env: Mapping[str, str] | None = None,
        stack: ExitStack | None = None,
    ) -> int:
        """Start a process that ends with `stack`, the room's own if none is given."""
        log = self._stack.enter_context((self.folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=dies_with_me(),
        )  # fmt: skip
        (stack or self._stack).callback(_end, process)
        return process.pid

    def _wait(self, ready: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + START_S
        while True:
            problem: Exception | None = None
            try:
                if ready():
                    return
            except Exception as error:
                problem = error
            if time.monotonic() > deadline:
                raise AssertionError(f"{what} did not start") from problem
            time.sleep(0.05)

    @contextmanager
    def dispatching(self, exchange: Exchange) -> Iterator[dict[str, int]]:
        """Worker and dispatcher work with this exchange inside; yields their process ids."""
        env = {"HOTLINE_AMI_PORT": str(exchange.ami_port)}
        with ExitStack() as stack:
            pids: dict[str, int] = {}
            for name in ("worker", "dispatcher"):
                beat = Path(beat_file(settings(), name))
                beat.unlink(missing_ok=True)
                pids[name] = self._start(name, (sys.executable, "-m", "dispatch", name), env, stack)
                self._wait(beat.exists, f"the {name}")
            yield pids

    def _listen_and_forget(self) -> None:
        """The telephones' ear: takes what is spoken, and never looks at it."""
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._stack.callback(sink.close)
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        sink.bind(("127.0.0.1", self.media_port))

    def new_elders(self, count: int, language: str = "zh-CN", family_name: str = FAMILY_NAME) -> list[str]:
        """Register elders who have never rung; return their numbers as the network writes them."""
        numbers = [f"+86{next(self._numbers)}" for _ in range(count)]
        with write() as session:
            for number in numbers:
                new = NewElder(f"{family_name}某", [normalise(number)], family_name, SEX, language=language)
                register.add_elder(session, new, clock.now())
        return numbers

    def wait_for_the_last(self) -> None:
        """Wait until every call has come to its end in the rows, and a moment for the threads that wrote them."""
        deadline = time.monotonic() + START_S
        while self.open_calls():
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.open_calls()} calls never ended")
            time.sleep(0.05)
        time.sleep(0.2)

    def clear_up(self) -> bool:
        """Wait for the last as long; end the calls that went to people, who are not here. Return whether none did."""
        try:
            self.wait_for_the_last()
        except AssertionError:
            with write() as session:
                session.execute(update(Call).where(Call.ended_at.is_(None)).values(ended_at=clock.now()))
            return False
        return True

    def orders(self) -> int:
        """How many orders are on disk."""
        with read() as session:
            return session.scalar(select(func.count(Order.id))) or 0

    def open_calls(self) -> int:
        """How many calls have not come to their end."""
        with read() as session:
            return session.scalar(select(func.count(Call.id)).where(Call.ended_at.is_(None))) or 0


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _booted(tool: toolbox.Tool, configuration: str) -> bool:
    """Ask Asterisk itself; the answer comes when every module is loaded."""
    asked = tool.run(
        "-C", configuration, "-rx", "core waitfullybooted", capture_output=True, text=True, timeout=START_S
    )
    return "fully booted" in asked.stdout


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
