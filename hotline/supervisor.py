"""`hotline up`: all processes under one supervisor.

What dies is started again, with a pause that grows while it keeps dying; what
no longer answers is killed, which sends its calls to a person. Nothing
outlives the supervisor: the kernel signals the children when it is gone.

A stop is three steps: who takes or makes calls ends first, when its calls are over;
then everything that served them; then the stores. A second stop waits for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from dispatch.beats import beat_file
from hotline import health
from models.orphans import dies_with
from models.settings import Settings

log = logging.getLogger(__name__)

# A process that ran this long is well again: its pause starts anew (s).
WELL_AFTER_S = 30
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 15.0
# After SIGTERM a process has this long to end its work (s); then it is killed.
GRACE_S = 10.0
# How long the question whether it would end may take (s).
ASK_S = 5.0
HEALTH_EVERY_S = 2.0
UNHEALTHY_BEFORE_KILL = 3


@dataclass(frozen=True)
class Program:
    """One process to keep running. `healthy`, if given, is asked every two seconds once it has answered.

    `first`: it ends before the others. `leave` is a command that asks it to end when
    its work is done; it has `leave_s` for that, then comes SIGTERM, and `grace_s` later the end.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    healthy: Callable[[], Awaitable[bool]] | None = None
    grace_s: float = GRACE_S
    first: bool = False
    leave: tuple[str, ...] = ()
    leave_s: float = 0.0


def _begin(supervisor: int) -> None:
    """What a child does before it becomes its program."""
    dies_with(supervisor, signal.SIGTERM)
    # Ctrl-C reaches the whole terminal group; only the supervisor is to act on it.
    os.setpgid(0, 0)


class Supervisor:
    """Runs programs until `stop` is called. `say` gets one line of log at a time, prefixed."""

    def __init__(self, settings: Settings, say: Callable[[str, str], None]) -> None:
        self._settings = settings
        self._say = say
        self._stopping = asyncio.Event()
        self._first_ended = asyncio.Event()
        self._programs_ended = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ready = False
        self._running: dict[str, asyncio.subprocess.Process] = {}

    def stop(self) -> None:
        """Stop everything, once the calls are over; the second time at once."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

    async def run(self, programs: list[Program], stores: list[Program]) -> None:
        """Start the stores, then the programs; keep them running until `stop`."""
        kept: dict[asyncio.Event, list[asyncio.Task[None]]] = {
            self._stopping: [], self._first_ended: [], self._programs_ended: []
        }  # fmt: skip

        def keep(program: Program, until: asyncio.Event) -> None:
            kept[until].append(asyncio.create_task(self._keep(program, until), name=program.name))

        try:
            for store in stores:
                keep(store, self._programs_ended)
                if store.healthy is not None:
                    await self._until(store.healthy)
            for program in programs:
                keep(program, self._stopping if program.first else self._first_ended)
            ready = asyncio.create_task(self._announce(programs))
            await self._stopping.wait()
            ready.cancel()
        finally:
            for until, tasks in kept.items():
                until.set()
                await asyncio.gather(*tasks)
            (self._settings.run_dir / "ready.json").unlink(missing_ok=True)

    async def _announce(self, programs: list[Program]) -> None:
        for program in programs:
            if program.healthy is not None:
                await self._until(program.healthy)
        self._ready = True
        self._tell_pids()
        self._say("hotline", "ready")

    def _tell_pids(self) -> None:
        """Write who runs under which id; a reader finds the old file or the new one, never half of it."""
        pids = {name: process.pid for name, process in self._running.items()}
        ready = self._settings.run_dir / "ready.json"
        part = ready.with_suffix(".part")
        part.write_text(json.dumps({"supervisor": os.getpid(), "since": time.time(), "pids": pids}))
        part.replace(ready)

    async def _until(self, healthy: Callable[[], Awaitable[bool]]) -> None:
        while not self._stopping.is_set() and not await healthy():
            await asyncio.sleep(0.05)

    async def _keep(self, program: Program, stop: asyncio.Event) -> None:
        """Start `program` again and again until `stop`."""
        pause = FIRST_PAUSE_S
        while not stop.is_set():
            began = time.monotonic()
            code = await self._run_once(program, stop)
            if stop.is_set():
                return
            if time.monotonic() - began > WELL_AFTER_S:
                pause = FIRST_PAUSE_S
            self._say(program.name, f"ended with {code}; again in {pause:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _run_once(self, program: Program, stop: asyncio.Event) -> int | str:
        try:
            process = await asyncio.create_subprocess_exec(
                *program.command,
                env={**os.environ, **program.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                preexec_fn=functools.partial(_begin, os.getpid()),
                limit=1 << 20,
            )
        except OSError as error:
            return str(error)
        self._running[program.name] = process
        if self._ready:
            self._tell_pids()
        reader = asyncio.create_task(self._read(program.name, process))
        watcher = asyncio.create_task(self._watch(program, process))
        stopped = asyncio.create_task(stop.wait())
        ended = asyncio.create_task(process.wait())
        await asyncio.wait({stopped, ended}, return_when=asyncio.FIRST_COMPLETED)
        # Whoever is on the way out is not killed for being silent.
        for task in (watcher, stopped):
            task.cancel()
        if not ended.done():
            await self._end(program, process)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader, 1)
        return await ended

    async def _end(self, program: Program, process: asyncio.subprocess.Process) -> None:
        if program.leave and not self._hurry.is_set():
            await self._ask_to_leave(program, process)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), program.grace_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()

    async def _ask_to_leave(self, program: Program, process: asyncio.subprocess.Process) -> None:
        """Ask it to end when its work is done, and wait for that: `leave_s` at most, or until a second stop."""
        quiet = asyncio.subprocess.DEVNULL
        try:
            asking = await asyncio.create_subprocess_exec(*program.leave, stdin=quiet, stdout=quiet, stderr=quiet)
            await asyncio.wait_for(asking.wait(), ASK_S)
        except (OSError, TimeoutError) as error:
            self._say(program.name, f"could not be asked to end: {error!r}")
            return
        waits = [asyncio.create_task(process.wait()), asyncio.create_task(self._hurry.wait())]
        await asyncio.wait(waits, timeout=program.leave_s, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        if process.returncode is None:
            self._say(program.name, "ends with work in progress")

    async def _read(self, name: str, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
        while True:
            try:
                raw = await process.stdout.readline()
            except ValueError:
                # A line too long to keep is dropped; left unread, its pipe would fill up and stop the program.
                continue
            if not raw:
                return
            self._say(name, raw.decode("utf-8", errors="replace").rstrip())

    async def _watch(self, program: Program, process: asyncio.subprocess.Process) -> None:
        """Kill a process that has answered before and does not answer any more."""
        if program.healthy is None:
            return
        await self._until(program.healthy)
        misses = 0
        while misses < UNHEALTHY_BEFORE_KILL:
            await asyncio.sleep(HEALTH_EVERY_S)
            misses = 0 if await program.healthy() else misses + 1
        self._say(program.name, "does not answer; killed")
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def python(*args: str) -> tuple[str, ...]:
    """Return the command of one of our own processes."""
    return (sys.executable, "-m", *args)


def programs(settings: Settings, asterisk_command: list[str]) -> list[Program]:
    """Return the hotline's processes, in the order of their start."""
    host = settings.host

    def at_work(kind: str, within_s: float) -> health.Check:
        return health.fresh(beat_file(settings, kind), within_s)

    listed = [
        # She is not to wait five seconds for a locked database: then a person takes the call.
        Program("agi", python("ivr"), {"HOTLINE_DB_BUSY_MS": "2000"}, health.agi(host, settings.agi_port), grace_s=60),
        # A call under way is led to its end; new ones are refused, and the network tries elsewhere or again.
        Program(
            "asterisk",
            tuple(asterisk_command),
            {},
            health.banner(host, settings.ami_port, b"Asterisk"),
            first=True,
            leave=(*(word for word in asterisk_command if word not in ("-f", "-n")), "-rx", "core stop gracefully"),
            leave_s=settings.stop_calls_s,
        ),
        # The dispatcher's round is short. A worker may be with one errand for half a minute.
        Program("dispatcher", python("dispatch", "dispatcher"), {}, at_work("dispatcher", 30)),
        # Stopped first: it would go on dialling.
        Program("worker", python("dispatch", "worker"), {}, at_work("worker", 45), first=True),
        Program("web", python("web"), {}, health.http(host, settings.web_port, "/livez")),
    ]
    if settings.speech:
        listening = health.http(host, settings.speech_port, "/health")
        listed.insert(0, Program("speech", python("ivr.speech"), {}, listening))
    return listed
