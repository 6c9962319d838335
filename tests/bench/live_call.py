"""What the speech server is sent in one real call: recorded once, to be played again by many (P3).

A Korean elder orders by voice over SIP, in the hotline's own Asterisk, with the real turns and prompts; her line hisses
as a telephone does. She hears each question to its end, thinks for a second and answers. Between Asterisk and the
speech server stands a tap that notes what passes, and when.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from ivr.speech.gate import FRAME_BYTES, FRAME_MS, Gate
from ivr.speech.gate import Heard as Activity
from models import toolbox
from models.settings import settings
from tests.bench import journey
from tests.bench.room import Room
from tests.bench.telephone import PACKET_MS, Telephone, TooQuiet, linear
from tests.speech.support import Voice
from tests.support.ports import PortBlock

LANGUAGE = "ko"
# What she answers, question by question: service, day, part of the day, the read-back, anything else; each in the voice
# and at the speed at which the recogniser gets it right on this line (RECOG tells how often it does otherwise).
WORDS = (("이야기", "ko", 140), ("내일", "ko", 150), ("오후", "ko", 105), ("네", "ko+f2", 140), ("아니요", "ko", 140))
LINE_DBFS = -55.0  # what a telephone line hisses while nobody speaks
# A word may be misheard, or the engine given up, while other programs keep the machine busy.
_TRIES = 3
_SAMPLES = PACKET_MS * 8


@dataclass
class Turn:
    """One question: what Asterisk sets, then the caller's sound in frames, with seconds since the first of the sets."""

    sets: list[dict[str, str]]
    frames: list[bytes] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    onset: int | None = None  # the frame with which the gate opens
    end: int | None = None  # the frame that ends the utterance; None where she said nothing

    @property
    def grammar(self) -> str:
        """The phrase list of the question."""
        return self.sets[0]["grammar"]

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.at[-1] + FRAME_MS / 1000


def a_law(pcm: np.ndarray) -> bytes:
    """Telephone sound as G.711 A-law."""
    levels = np.array([linear(code ^ 0x55) for code in range(128)])  # ascending
    nearest = np.searchsorted((levels[1:] + levels[:-1]) / 2, np.abs(pcm))
    return bytes(((nearest | np.where(pcm < 0, 0, 0x80)) ^ 0x55).astype(np.uint8))


class Speaker(Telephone):
    """A telephone that sends sound all the while: the line's hiss, and what she says in it."""

    def __init__(self, sip_port: int, number: str) -> None:
        super().__init__(sip_port, number)
        self._words: list[bytes] = []
        self._over = threading.Event()
        self._sender = threading.Thread(target=self._send_sound, daemon=True)

    def begin(self) -> None:
        """Send the line from now on."""
        self._sender.start()

    def say(self, pcm: bytes) -> None:
        """Say it; returns when it was said."""
        self._words.append(a_law(self._on_the_line(np.frombuffer(pcm, "<i2"))))
        while self._words:
            time.sleep(PACKET_MS / 1000)

    def be_quiet(self) -> None:
        """Send nothing any more."""
        self._over.set()
        self._sender.join()

    @staticmethod
    def _on_the_line(samples: np.ndarray) -> np.ndarray:
        hiss = np.random.default_rng(12349).normal(0, 32768 * 10 ** (LINE_DBFS / 20), samples.size)
        return np.clip(samples + hiss, -32768, 32767)

    def _send_sound(self) -> None:
        hiss = a_law(self._on_the_line(np.zeros(8000)))
        began, sent = time.monotonic(), 0
        now, at, line = hiss, 0, True
        while not self._over.is_set():
            if at + _SAMPLES > len(now):
                if not line and self._words:
                    self._words.pop()
                now, at, line = hiss, 0, True
            if line and self._words:
                now, at, line = self._words[0], 0, False
            head = struct.pack("!BBHII", 0x80, 8, sent & 0xFFFF, sent * _SAMPLES, 0x12350)
            with suppress(OSError):  # the other side has hung up
                self._rtp.send(head + now[at : at + _SAMPLES])
            at += _SAMPLES
            sent += 1
            time.sleep(max(0.0, began + sent * PACKET_MS / 1000 - time.monotonic()))


class Tap:
    """Stands between Asterisk and the speech server, in a thread of its own."""

    def __init__(self, port: int, behind: int) -> None:
        self.heard: list[tuple[float, str | bytes]] = []  # what Asterisk sent, and when (s)
        self._port, self._behind = port, behind
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()

    async def _relay(self, asterisk: ServerConnection) -> None:
        assert asterisk.request is not None  # it has shaken hands
        uri = f"ws://127.0.0.1:{self._behind}{asterisk.request.path}"
        async with connect(uri, subprotocols=["speech_to_text"], compression=None, proxy=None) as server:  # type: ignore[list-item]

            async def back() -> None:
                async for message in server:
                    await asterisk.send(message)

            answering = asyncio.create_task(back())
            with suppress(ConnectionClosed):
                async for message in asterisk:
                    self.heard.append((time.monotonic(), message))
                    # As the speech server does: Asterisk waits for this before it sends the next small message.
                    asterisk.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                    await server.send(message)
            answering.cancel()

    async def _serve(self, ready: threading.Event) -> None:
        subprotocols = ["speech_to_text"]
        async with serve(self._relay, "127.0.0.1", self._port, subprotocols=subprotocols, compression=None):  # type: ignore[arg-type]
            ready.set()
            await self._over.wait()

    @contextmanager
    def listening(self) -> Iterator[Tap]:
        """Relay while inside."""
        ready = threading.Event()
        thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve(ready)), daemon=True)
        thread.start()
        if not ready.wait(5):
            raise AssertionError("the tap does not listen")
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._over.set)
            thread.join(5)


def turns_of(heard: list[tuple[float, str | bytes]]) -> list[Turn]:
    """Cut what Asterisk sent into turns, and find where the gate opens and closes in each."""
    turns: list[Turn] = []
    began = 0.0
    rest = b""
    for moment, message in heard:
        if isinstance(message, bytes):
            rest += message
            while turns and len(rest) >= FRAME_BYTES:
                turns[-1].frames.append(rest[:FRAME_BYTES])
                turns[-1].at.append(moment - began)
                rest = rest[FRAME_BYTES:]
            continue
        said = json.loads(message)
        if said.get("request") != "set":
            continue
        if "grammar" in said["params"]:
            turns.append(Turn([]))
            began, rest = moment, b""
        if turns:
            turns[-1].sets.append(said["params"])
    turns = [turn for turn in turns if turn.frames]
    gate = Gate()
    for turn in turns:
        gate.reset()
        for number, frame in enumerate(turn.frames):
            what = gate.feed(frame)
            if what is Activity.ONSET:
                turn.onset = number
            elif what in (Activity.END, Activity.TOO_LONG):
                turn.end = number
                break
    return turns


def record(keep: Path) -> list[Turn]:
    """Ring, order by voice; return the turns. The prompts that they name are kept in the folder `keep`.

    Raises:
        AssertionError: the call left no order, so it is not the call that it should be.
    """
    with Room(lambda: "", SPEECH="true", VOICE="espeak") as room, _free_port() as port:
        _through(room, port)
        with Tap(port, settings().speech_port).listening() as tap:
            for _ in range(_TRIES):
                tap.heard.clear()
                if _order_by_voice(room):
                    break
        turns = turns_of(tap.heard)
        for turn in turns:
            for one in turn.sets:
                if "prompt" in one:
                    one["prompt"] = _kept(Path(one["prompt"]), keep)
    if len(turns) != len(WORDS) or any(turn.end is None for turn in turns):
        raise AssertionError(f"the call had {len(turns)} turns: {[(turn.grammar, turn.end) for turn in turns]}")
    return turns


@contextmanager
def _free_port() -> Iterator[int]:
    """A free port, kept while inside."""
    block = PortBlock()
    try:
        yield block.take()
    finally:
        block.release()


def _through(room: Room, port: int) -> None:
    """Let the first Asterisk reach its engine by way of the tap."""
    etc = room.folder / "A" / "run" / "asterisk" / "etc"
    file = etc / "aeap.conf"
    file.write_text(file.read_text().replace(f":{settings().speech_port}/", f":{port}/"))
    tool = toolbox.asterisk(settings().cache_dir, settings().asterisk_binary)
    for command in ("module reload res_aeap.so", "module reload res_speech_aeap.so"):
        tool.run("-C", etc / "asterisk.conf", "-rx", command, check=True, capture_output=True, timeout=20)


def _order_by_voice(room: Room) -> bool:
    """Ring and answer; return whether an order came of it."""
    [number] = room.new_elders(1, LANGUAGE, "김")
    voice, before = Voice(), room.orders()
    with Speaker(room.exchanges[0].sip_port, number) as telephone, suppress(TooQuiet, OSError):
        telephone.ring(journey.NUMBER)
        telephone.begin()
        try:
            for word in WORDS:
                asked = telephone.hear()
                telephone.wait_until(asked.last_ms + journey.THINKS_MS)
                telephone.say(voice.say(*word))
            # "Goodbye" ends the call from the other side.
            telephone.hear()
        finally:
            telephone.be_quiet()
        telephone.hang_up()
    return room.clear_up() and room.orders() - before == 1


def _kept(prompt: Path, keep: Path) -> str:
    for one in prompt.parent.glob(f"{prompt.name}.*"):
        shutil.copy(one, keep)
    return str(keep / prompt.name)
