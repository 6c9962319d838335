"""One call's stream: what Asterisk says on one socket, and what the server answers.

A stream serves one language and any number of turns. `SPEECH SET grammar`
begins a turn; audio then goes through the gate; at the onset of speech the
server sends `<speaking>`, and after the end of it a phrase or `<unknown>`.

When a result may be sent. Asterisk throws away a result that arrives while no
RECOGNIZE is running, and one that arrives in the very moment when RECOGNIZE
starts races with Asterisk's freeing of the old ones. Audio comes only from a
running RECOGNIZE, so a result is sent after two frames have come since
Asterisk acknowledged the last one (the first may have been under way), and is
held until then.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ivr.speech import echo, protocol
from ivr.speech.decoder import Decoder
from ivr.speech.gate import FRAME_BYTES, Gate, GateSettings
from ivr.speech.gate import Heard as Activity
from ivr.speech.grammar import Grammar
from ivr.speech.protocol import AUDIO_MARK, SPEAKING, UNAVAILABLE, UNKNOWN, Message
from ivr.speech.turns import Refused, Turns

log = logging.getLogger(__name__)

_FRAMES_BEFORE_RESULT = 2
_LONGEST_HINT = 200  # characters
_ENDPOINT_RANGE = (200, 5000)  # ms
# Some gateways send nothing at all while she is silent; then the clock ends the utterance.
_STALL_MARGIN_MS = 500

Send = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Result:
    """One result as it goes to Asterisk."""

    text: str
    score: int = 0
    audio: str = ""  # content key of what was kept of it


class Stream:
    """The state of one socket. All methods run on the event loop; nothing here blocks it.

    `paces`: how long she may pause inside an answer, by the name of her pace (ms).
    """

    def __init__(
        self, turns: Turns, send: Send, language: str | None, gate: GateSettings, paces: Mapping[str, int]
    ) -> None:
        self._turns = turns
        self._send = send
        self._language = language
        self._gate = Gate(gate)
        self._paces = paces
        self._prompt: echo.Samples | None = None  # what is played into her line, where we were told
        self._listening = False  # whether this turn still has something to hear
        self._ready = False
        self._grammar: Grammar | None = None
        self._decoder: Decoder | None = None
        self._finished: Decoder | None = None  # the one whose result is on its way
        self._rest = bytearray()
        self._held: Result | None = None
        self._last = Result("")
        self._unacknowledged: str | None = None
        self._frames = 0
        self._last_audio = 0.0

    @property
    def ready(self) -> bool:
        """Whether Asterisk has set the stream up."""
        return self._ready

    @property
    def lag_ms(self) -> float:
        """Audio that has come and is not decoded yet, in milliseconds."""
        return self._decoder.lag_ms if self._decoder else 0.0

    async def text(self, text: str) -> None:
        """Answers one text frame. Raises ProtocolError where it is no message."""
        message = protocol.parse(text)
        if message.kind == "response":
            if message.name == "set" and message.ident == self._unacknowledged:
                await self._acknowledged()
            return
        handler = {"setup": self._setup, "set": self._set, "get": self._get}.get(message.name)
        if handler is None:
            await self._send(protocol.refusal(message, "unknown request"))
            return
        try:
            await self._send(await handler(message))
        except Refused as refused:
            await self._send(protocol.refusal(message, str(refused)))

    async def audio(self, pcm: bytes) -> None:
        """Takes some audio, in pieces of any length. Before the setup it is ignored."""
        if not self._ready:
            return
        self._frames += 1
        self._last_audio = time.monotonic()
        if self._held is not None:
            await self._deliver()
        self._rest += pcm
        while len(self._rest) >= FRAME_BYTES:
            frame = bytes(self._rest[:FRAME_BYTES])
            del self._rest[:FRAME_BYTES]
            await self._frame(frame)

    def tick(self, now: float) -> None:
        """Ends an utterance whose audio has stopped coming. `now` is of time.monotonic()."""
        stalled_s = (self._gate.endpoint_ms + _STALL_MARGIN_MS) / 1000
        if self._listening and self._decoder is not None and now - self._last_audio > stalled_s:
            self._listening = False
            self._decoder.finish(self._decoded)

    async def give_up(self) -> None:
        """Ends a RECOGNIZE under way at once, so that the caller goes on by keys. Used at shutdown."""
        if self._ready and self._frames and self._unacknowledged is None:
            await self._deliver_now(Result(UNAVAILABLE))
        self.close()

    def close(self) -> None:
        """Forgets the turn; whatever is being decoded is dropped."""
        self._ready = False
        self._drop_turn()

    # Requests.

    async def _setup(self, message: Message) -> str:
        codecs = message.body.get("codecs")
        offered = codecs if isinstance(codecs, list) else []
        if not any(isinstance(codec, dict) and codec.get("name") == protocol.CODEC for codec in offered):
            raise Refused(f"only the codec {protocol.CODEC} is understood")
        language = message.params.get("language", self._language)
        if not isinstance(language, str):
            raise Refused("no language given")
        self._turns.model(language)
        self._drop_turn()
        self._grammar = None
        self._language = language
        self._ready = True
        return protocol.response(message, codecs=[{"name": protocol.CODEC}])

    async def _set(self, message: Message) -> str:
        self._must_be_ready()
        if not message.params:
            raise Refused("no parameters")
        for name, value in message.params.items():
            await self._set_one(name, value)
        return protocol.response(message)

    async def _set_one(self, name: str, value: object) -> None:
        if name == "grammar":
            # Asterisk's SPEECH SET says "result=1" even to an error, so a turn without
            # a grammar must also end its RECOGNIZE: see `_frame`.
            self._drop_turn()
            self._grammar = None
            self._grammar = await self._turns.grammar(str(self._language), str(value))
            self._listen()
        elif name == "endpoint_ms":
            self._gate.endpoint_ms = _milliseconds(value)
        elif name == "prompt":
            self._prompt = await asyncio.to_thread(echo.prompt, str(value))
        elif name == "pace":
            if str(value) not in self._paces:
                raise Refused("unknown pace")
            self._gate.endpoint_ms = self._paces[str(value)]
        elif name not in ("results_type", "dtmf"):  # Asterisk's own; nothing to do for either
            raise Refused("unknown parameter")

    async def _get(self, message: Message) -> str:
        self._must_be_ready()
        names = message.body.get("params")
        name = names[0] if isinstance(names, list) and names else None
        if name == "results":
            grammar = self._grammar.name if self._grammar else ""
            values: object = [{"text": self._last.text, "score": self._last.score, "grammar": grammar, "best": 0}]
        elif name == "language":
            values = self._language
        elif name == "grammar" and self._grammar:
            values = self._grammar.name
        elif name == "endpoint_ms":
            values = str(self._gate.endpoint_ms)
        else:
            raise Refused("unknown parameter")
        return protocol.response(message, params={name: values})

    def _must_be_ready(self) -> None:
        if not self._ready:
            raise Refused("not set up")

    # Audio.

    async def _frame(self, frame: bytes) -> None:
        if self._grammar is None:
            if self._unacknowledged is None and self._held is None:
                await self._finish(Result(UNAVAILABLE))
            return
        if not self._listening:
            return
        activity = self._gate.feed(frame)
        if activity is Activity.ONSET:
            if self._prompt is not None and echo.is_echo(self._gate.pre_roll, self._prompt):
                # Not reset: the moment after it is looked at as well, and she may speak in it.
                self._gate.shut()
                return
            try:
                self._decoder = self._turns.decoder(str(self._language), self._grammar)
            except Refused:  # the last recogniser of the language has died
                self._listening = False
                await self._finish(Result(UNAVAILABLE))
                return
            self._decoder.feed(self._gate.pre_roll)
            await self._deliver_now(Result(SPEAKING))
        elif self._decoder is not None:
            if activity in (Activity.END, Activity.TOO_LONG):
                self._listening = False
                self._decoder.finish(self._decoded)
            else:
                self._decoder.feed(frame, pause=activity is Activity.PAUSE)

    async def _decoded(self, decoder: Decoder) -> None:
        if decoder is not self._decoder:
            return  # the turn is over: a key was pressed, or she hung up
        self._decoder, self._finished = None, decoder
        heard = decoder.heard
        # What she said is hers: the log says only how long it took and whether it was understood.
        log.debug("utterance of %d ms, understood: %s", decoder.audio_ms, bool(heard and heard.phrase))
        if heard is None:
            self._finished = None
            await self._finish(Result(UNAVAILABLE))
        else:
            unknown = f"{UNKNOWN} {heard.words[:_LONGEST_HINT]}".rstrip()
            audio = await self._turns.keep(decoder.audio, heard)
            # She may have pressed a key meanwhile; then this turn is over.
            if self._finished is decoder:
                self._finished = None
                await self._finish(Result(heard.phrase or unknown, heard.score, audio))

    # Results.

    async def _finish(self, result: Result) -> None:
        self._held = result
        await self._deliver()

    async def _deliver(self) -> None:
        if self._held is None or self._unacknowledged is not None or self._frames < _FRAMES_BEFORE_RESULT:
            return
        result, self._held = self._held, None
        await self._deliver_now(result)

    async def _deliver_now(self, result: Result) -> None:
        self._last = result
        self._unacknowledged = uuid.uuid4().hex
        grammar = self._grammar.name if self._grammar else ""
        if result.audio:
            grammar += AUDIO_MARK + result.audio
        await self._send(protocol.results(self._unacknowledged, result.text, result.score, grammar))

    async def _acknowledged(self) -> None:
        self._unacknowledged = None
        self._frames = 0
        # RECOGNIZE called again without a new SET listens to the same grammar again.
        busy = self._listening or self._decoder or self._finished or self._held
        if not busy and self._grammar is not None:
            self._listen()

    def _listen(self) -> None:
        self._gate.reset()
        self._rest.clear()
        self._listening = True

    def _drop_turn(self) -> None:
        if self._decoder is not None:
            self._decoder.cancel()
        self._decoder = self._finished = None
        self._listening = False
        self._held = None
        self._unacknowledged = None
        self._frames = 0
        self._rest.clear()


def _milliseconds(value: object) -> int:
    try:
        number = int(str(value)[:12])
    except ValueError:
        raise Refused("endpoint_ms is not a number") from None
    low, high = _ENDPOINT_RANGE
    if not low <= number <= high:
        raise Refused(f"endpoint_ms is {low} to {high}")
    return number
