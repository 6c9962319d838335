"""The processes of the speech server: this parent, the server, and for each language a nursery of recognisers.

The parent holds the listening sockets and does nothing but keep its children
alive. A server that dies or stands still is replaced by a fork in some
milliseconds: who connects meanwhile waits in the sockets' queues, and the
recognisers, with their models, come to the new one by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import select
import signal
import socket
import time

from ivr.speech import nursery
from ivr.speech.archive import Archive
from ivr.speech.gate import GateSettings
from ivr.speech.lifeline import Keeper, Lifeline
from ivr.speech.models import Models, model_folder
from ivr.speech.server import ServerSettings, SpeechServer
from ivr.speech.turns import Phrases, Urgent
from models.settings import Settings

log = logging.getLogger(__name__)

# A server whose loop gives no sign for so long stands still (s).
STALLED_S = 1.0
_STOP_S = 3.0
_LOOK_S = 0.1
# A language's nursery that dies is born again after so long (s): it may be the model that kills it.
_NURSERY_AGAIN_S = 2.0
# Fewer would leave nobody when one dies.
_LEAST_RECOGNISERS = 2


class Family:
    """The parent. `run` returns after SIGTERM."""

    def __init__(self, settings: Settings, phrases: Phrases, urgent: Urgent) -> None:
        self._settings = settings
        self._phrases, self._urgent = phrases, urgent
        self._count = max(_LEAST_RECOGNISERS, os.cpu_count() or 1)
        self._folders = {lang: model_folder(lang, settings.cache_dir) for lang in settings.languages}
        self._nurseries: dict[int, str] = {}
        self._due: dict[str, float] = dict.fromkeys((lang for lang, folder in self._folders.items() if folder), 0.0)
        self._listening: tuple[socket.socket, ...] = ()
        self._server = 0
        self._keeper: Keeper | None = None
        self._births = 0
        self._stopping = False

    def run(self) -> None:
        """Listens and keeps everybody alive. Raises OSError where the port is taken."""
        # A name of the kernel's own, so that no path is too long and nothing is left over.
        address = f"\0hotline-speech-{os.getpid()}-{os.urandom(8).hex()}"
        with (
            socket.create_server((self._settings.host, self._settings.speech_port)) as streams,
            socket.socket(socket.AF_UNIX) as recognisers,
        ):
            self._listening = (streams, recognisers)
            recognisers.bind(address)
            recognisers.listen(128)
            wake, woken = os.pipe()
            os.set_blocking(woken, False)
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._stop)
            signal.signal(signal.SIGCHLD, lambda *_: None)
            signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
            try:
                self._keep(streams, recognisers, address, wake)
            finally:
                signal.set_wakeup_fd(-1)
                self._end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _keep(self, streams: socket.socket, recognisers: socket.socket, address: str, wake: int) -> None:
        beats = -1
        heard = 0.0
        while not self._stopping:
            for language, due in list(self._due.items()):
                if time.monotonic() >= due:
                    del self._due[language]
                    self._nurseries[nursery.fork(lambda lang=language: self._nurse(lang, address))] = language  # type: ignore[misc]
            if not self._server:
                beats, sign = os.pipe()
                self._keeper = Keeper()
                # Left alone by its parent it still tells its calls that it goes.
                self._server = nursery.fork(lambda: self._serve(streams, recognisers, sign), signal.SIGTERM)  # noqa: B023 (called at once)
                os.close(sign)
                self._births += 1
                heard = time.monotonic()
            assert self._keeper is not None  # noqa: S101 (there is one for each server)
            readable, _, _ = select.select([beats, wake, self._keeper.line.fileno()], [], [], _LOOK_S)
            self._keeper.take()
            if wake in readable:
                os.read(wake, 512)
            if beats in readable:
                heard = time.monotonic()
                gone = not os.read(beats, 512)
            else:
                gone = False
            if not gone and time.monotonic() - heard > STALLED_S:
                log.warning("the speech server stands still; replaced")
                gone = True
            if gone:
                os.close(beats)
                self._bury(self._server)
                self._keeper.say_last_words()
                self._keeper.close()
                self._server = 0
            self._reap()

    def _bury(self, pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)

    def _reap(self) -> None:
        for pid in list(self._nurseries):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                language = self._nurseries.pop(pid)
                log.warning("the recognisers of %s are gone: status %d; they come again", language, status)
                self._due[language] = time.monotonic() + _NURSERY_AGAIN_S

    def _end(self) -> None:
        """The server says good-bye to its calls; the nurseries have nothing to say."""
        if self._server:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._server, signal.SIGTERM)
            until = time.monotonic() + _STOP_S + 1
            while os.waitpid(self._server, os.WNOHANG)[0] == 0:
                if time.monotonic() > until:
                    self._bury(self._server)
                    break
                time.sleep(0.02)
        for pid in self._nurseries:
            self._bury(pid)

    # In the children.

    def _nurse(self, language: str, address: str) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for sock in self._listening:
            sock.close()
        if self._keeper is not None:
            # Else the calls' connections would stay open as long as the recognisers live.
            self._keeper.close()
        folder = self._folders[language]
        assert folder is not None  # noqa: S101 (only languages with a model are due)
        nursery.run(language, folder, address, self._count)

    def _serve(self, streams: socket.socket, recognisers: socket.socket, sign: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        models = Models(self._settings.languages, self._folders.get)
        for language in (lang for lang, folder in self._folders.items() if folder is None):
            log.warning("no speech model for %s: keys only", language)
        server = SpeechServer(_server_settings(self._settings), models, self._phrases, self._urgent)
        server.metrics.restarts = self._births
        server.beat = lambda: os.write(sign, b".")
        assert self._keeper is not None  # noqa: S101 (made for this server)
        server.lifeline = Lifeline(self._keeper.others)
        asyncio.run(_run(server, streams, recognisers))


async def _run(server: SpeechServer, streams: socket.socket, recognisers: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start(streams)
    await server.pool.start(recognisers)
    await stop.wait()
    log.info("speech server stops")
    try:
        await asyncio.wait_for(server.stop(), _STOP_S)
    except TimeoutError:
        log.warning("speech server: streams did not end in time")


def _server_settings(settings: Settings) -> ServerSettings:
    return ServerSettings(
        settings.host,
        settings.speech_port,
        gate=GateSettings(endpoint_ms=settings.endpoint_ms),
        paces={"normal": settings.endpoint_ms, "slow": settings.endpoint_slow_ms},
        archive=Archive(settings.heard_dir, settings.keep_failed_audio, settings.keep_all_audio),
    )
