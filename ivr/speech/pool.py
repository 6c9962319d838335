"""The speech server's side of its recognising processes: who is there, who is well, who takes which utterance.

An utterance whose process dies is begun again on another one from the audio
kept here; a second death ends it, because then it may be the audio that kills,
and the call goes on by keys. A process that does not answer is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import signal
import socket
import time

from ivr.speech import wire
from ivr.speech.grammar import Grammar, Wanted
from ivr.speech.models import Models
from ivr.speech.recogniser import Heard
from ivr.speech.wire import Kind, Message

log = logging.getLogger(__name__)

# Without an answer for so long a process is taken for dead, and soon is (s).
_STALLED_S = 1.0
# An heir is forked in 10 ms; a turn that meets none waits so long at most (s).
_WAIT_FOR_ONE_S = 0.5
_DEATHS_OF_AN_UTTERANCE = 2


class RecogniserLost(Exception):
    """No process could end this utterance."""


class _Link:
    """One recognising process. `active`: how many utterances it has in hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pid: int) -> None:
        self.pid = pid
        self.active = 0
        self.lost = False
        self._reader, self._writer = reader, writer
        self._questions = itertools.count(1)
        self._open: dict[int, asyncio.Future[bytes]] = {}
        self._pinged_at: float | None = None

    async def ask(self, kind: Kind, utterance: int = 0, payload: bytes = b"") -> bytes:
        """The answer to a question. Raises RecogniserLost where none will come, RuntimeError for ERROR."""
        if self.lost:
            raise RecogniserLost
        number = next(self._questions)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        self._writer.write(Message(kind, number, utterance, payload).packed())
        return await answer

    def tell(self, kind: Kind, utterance: int, payload: bytes = b"") -> None:
        """Something that is not answered."""
        if not self.lost:
            self._writer.write(Message(kind, 0, utterance, payload).packed())

    async def listen(self) -> None:
        """Hands out the answers until the process is gone."""
        try:
            while True:
                head = await self._reader.readexactly(wire.HEADER_BYTES)
                kind, question, _, length = wire.header(head)
                payload = await self._reader.readexactly(length) if length else b""
                answer = self._open.pop(question, None)
                if answer is None or answer.done():
                    continue
                if kind == Kind.ERROR:
                    answer.set_exception(RuntimeError("the recogniser failed"))
                else:
                    answer.set_result(payload)
        except (OSError, EOFError, ValueError):
            pass
        finally:
            self.lost = True
            for answer in self._open.values():
                if not answer.done():
                    answer.set_exception(RecogniserLost())
                    # Whoever asked may have gone; then nobody fetches it.
                    answer.exception()
            self._open.clear()
            self._writer.close()

    async def ping(self) -> None:
        """Asks for a sign of life."""
        self._pinged_at = time.monotonic()
        with contextlib.suppress(RecogniserLost):
            await self.ask(Kind.PING)
        self._pinged_at = None

    @property
    def waits_for_s(self) -> float:
        """For how long the last ping has not been answered (s)."""
        return 0.0 if self._pinged_at is None else time.monotonic() - self._pinged_at

    def kill(self) -> None:
        """Ends the process; its socket tells the rest."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class RemoteModel:
    """A language whose recognisers are processes."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.links: list[_Link] = []
        self._someone = asyncio.Event()

    def add(self, link: _Link) -> None:
        """A process is there."""
        self.links.append(link)
        self._someone.set()

    def remove(self, link: _Link) -> None:
        """A process is gone."""
        self.links.remove(link)
        if not self.links:
            self._someone.clear()

    async def link(self) -> _Link:
        """The process with the least to do. Raises RecogniserLost where none comes in time."""
        try:
            async with asyncio.timeout(_WAIT_FOR_ONE_S):
                await self._someone.wait()
        except TimeoutError:
            raise RecogniserLost from None
        return min(self.links, key=lambda link: link.active)

    async def living(self) -> _Link:
        """A process that has just given a sign of life. Raises RecogniserLost where none does."""
        for _ in range(len(self.links) + 1):
            link = await self.link()
            with contextlib.suppress(RecogniserLost):
                await link.ask(Kind.PING)
                return link
        raise RecogniserLost

    async def grammar(self, wanted: Wanted) -> Grammar:
        """See models.Model."""
        payload = wire.dump_wanted(wanted, self.language)
        try:
            answer = await (await self.link()).ask(Kind.GRAMMAR, payload=payload)
        except RecogniserLost:
            answer = await (await self.link()).ask(Kind.GRAMMAR, payload=payload)
        return wire.load_grammar(answer)

    def utterance(self, grammar: Grammar) -> RemoteUtterance:
        """See models.Model."""
        return RemoteUtterance(self, grammar)


class RemoteUtterance:
    """One utterance, in whichever process it is in hand just now."""

    _numbers = itertools.count(1)

    def __init__(self, model: RemoteModel, grammar: Grammar) -> None:
        self._model = model
        self._grammar = wire.dump_grammar(grammar)
        self._link: _Link | None = None
        self._number = 0
        self._audio = bytearray()
        self._deaths = 0
        self._cancelled = False

    async def feed(self, pcm: bytes) -> None:
        """See models.Ear."""
        self._audio += pcm
        try:
            if self._link is None:
                await self._begin()
            else:
                await self._link.ask(Kind.FEED, self._number, pcm)
        except RecogniserLost:
            await self._begin_again()

    async def finish(self) -> Heard:
        """See models.Ear."""
        try:
            while True:
                try:
                    link = self._link or await self._begin()
                    return wire.load_heard(await link.ask(Kind.END, self._number))
                except RecogniserLost:
                    await self._begin_again()
        finally:
            self._let_go()

    def hurry(self) -> None:
        """See models.Ear."""
        if self._link is not None:
            self._link.tell(Kind.HURRY, self._number)

    def cancel(self) -> None:
        """See models.Ear."""
        if self._link is not None:
            self._link.tell(Kind.CANCEL, self._number)
        self._cancelled = True
        self._let_go()

    async def _begin(self) -> _Link:
        """Starts on the process with the least to do, with all the audio so far."""
        self._let_go()
        # One that died together with the last one never had this utterance: that is no death of it.
        link = self._link = await (self._model.living() if self._deaths else self._model.link())
        link.active += 1
        self._number = next(self._numbers)
        link.tell(Kind.START, self._number, self._grammar)
        if self._audio:
            await link.ask(Kind.FEED, self._number, bytes(self._audio))
        return link

    async def _begin_again(self) -> None:
        while True:
            self._let_go()
            self._deaths += 1
            if self._cancelled or self._deaths >= _DEATHS_OF_AN_UTTERANCE:
                raise RecogniserLost
            log.warning("a recogniser died with an utterance in hand; another one takes it")
            with contextlib.suppress(RecogniserLost):
                await self._begin()
                return

    def _let_go(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.active -= 1


class Pool:
    """All recognising processes of the server. They come by themselves, to the socket given."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._remote: dict[str, RemoteModel] = {}
        self._server: asyncio.Server | None = None
        self._pings: set[asyncio.Task[None]] = set()
        self.lost = 0  # processes that died

    async def start(self, sock: socket.socket) -> None:
        """Lets processes come in."""
        self._server = await asyncio.start_unix_server(self._come, sock=sock)

    def close(self) -> None:
        """Lets nobody in any more; those that are there end with the server."""
        if self._server is not None:
            self._server.close()

    @property
    def processes(self) -> dict[str, int]:
        """How many recognisers each language has."""
        return {language: len(model.links) for language, model in self._remote.items()}

    def look_after(self, own_lag_ms: float) -> None:
        """Pings all and kills the stalled; several times a second. `own_lag_ms`: how late the caller itself is."""
        for model in self._remote.values():
            for link in model.links:
                # Whoever is late himself cannot judge.
                if link.waits_for_s > _STALLED_S and own_lag_ms < _STALLED_S * 500:
                    log.warning("a recogniser for %s does not answer; killed", model.language)
                    link.kill()
                elif link.waits_for_s == 0:
                    task = asyncio.create_task(link.ping())
                    self._pings.add(task)
                    task.add_done_callback(self._pings.discard)

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readexactly(wire.HEADER_BYTES)
            kind, _, _, length = wire.header(head)
            hello = json.loads(await reader.readexactly(length))
            language, pid = str(hello["language"]), int(hello["pid"])
        except (OSError, EOFError, ValueError, KeyError, TypeError):
            writer.close()
            return
        if kind == Kind.FAILED:
            self._models.fail(language)
            with contextlib.suppress(OSError):
                await reader.read()
            return
        link = _Link(reader, writer, pid)
        model = self._remote.setdefault(language, RemoteModel(language))
        model.add(link)
        self._models.put(language, model)
        try:
            await link.listen()
        except asyncio.CancelledError:
            pass  # the server ends; asyncio would log the cancelled stream as an error
        finally:
            self.lost += 1
            model.remove(link)
            if not model.links:
                self._models.lose(language)
