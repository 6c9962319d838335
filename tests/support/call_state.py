"""One call of one telephone: its state, its sound, and what is done to it.

`Call` (tests/support/call.py) adds the vocabulary in which stories are told.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING

import numpy as np

from ivr.tones import Samples, tone_code
from tests.support.ear import Ear
from tests.support.sound import save

if TYPE_CHECKING:
    from tests.support.carrier import Carrier
    from tests.support.phone import Phone

_FRAME_BYTES = 320
# Q.850 causes as Asterisk derives them from the SIP answer, with the answer that usually lies behind.
CAUSES = {
    0: "unknown", 1: "number does not exist (404)", 16: "normal clearing", 17: "busy (486)", 18: "no reply (408)",
    19: "no answer (480)", 20: "not reachable (480)", 21: "refused (403, 603)", 22: "number changed (410)",
    26: "answered elsewhere", 27: "out of order (502)", 28: "bad number (484)", 29: "refused (501)",
    31: "normal, unspecified (480)", 34: "no circuit (503)", 38: "network failure (500)",
    41: "temporary failure", 42: "congestion (503)", 44: "no channel", 58: "no codec (488)",
    66: "not available (503)", 127: "failure (500)",
}  # fmt: skip


class StoryError(AssertionError):
    """The story went another way than it was told; the text says what happened instead."""


class CallEnded(Exception):
    """A habit wanted to go on with a call that has ended; by itself this is not a fault."""


class CallState:
    """What is known of a call. Other threads change it; `wait_for` notices."""

    def __init__(self, phone: Phone, carrier: Carrier, other: str, *, incoming: bool) -> None:
        self.phone = phone
        self.carrier = carrier
        # The number dialled if this telephone rings, the number shown if it is rung.
        self.other = other
        self.incoming = incoming
        self.shown_name = ""
        # Of a call from the hotline: its raw SIP headers.
        self.sip_from = ""
        self.sip_identity = ""
        self.uid = ""
        self.channel = ""
        self.number_in_run = carrier.next_call_number()
        self.began_at = time.monotonic()
        self.began_wall = time.time()
        self.ringing_at: float | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.cause = 0
        self.ended_by_us = False
        self.keys_received: list[tuple[int, str]] = []
        self.has_audio = False
        self.ear = Ear()
        self.said = bytearray()
        self.notes: list[tuple[float, str]] = []
        self.changed = Condition()
        self._to_say = bytearray()
        self.silent_frames = 0
        # Melodies up to here, and sounds up to then, belong to the part of the story already told.
        self.told_melodies = 0
        self.told_ms = 0

    # What the network reports.

    def note(self, text: str) -> None:
        """Remembers a step for the text of a failure."""
        with self.changed:
            self.notes.append((time.monotonic(), text))
            self.changed.notify_all()
        if self.carrier.on_step is not None:
            # mypy: `Call` is the only kind of call there is.
            self.carrier.on_step(self, text)  # type: ignore[arg-type]

    def is_ringing_now(self) -> None:
        """The other side (or we) began to ring."""
        if self.ringing_at is None:
            self.ringing_at = time.monotonic()
            self.note("rings")

    def is_answered_now(self) -> None:
        """200 OK."""
        if self.answered_at is None:
            self.answered_at = time.monotonic()
            self.note("answered")

    def has_ended(self, cause: int) -> None:
        """The channel is gone."""
        if self.ended_at is None:
            self.ended_at = time.monotonic()
            self.cause = cause
            by = "this telephone" if self.ended_by_us else "the hotline"
            self.note(f"ended by {by}: {cause} {CAUSES.get(cause, '')}")

    # The sound (called by the exchange).

    def audio_begins(self) -> None:
        self.is_answered_now()
        with self.changed:
            self.has_audio = True
            self.changed.notify_all()

    def audio_arrives(self, samples: bytes, at: float) -> None:
        self.ear.hears(samples, (at - (self.answered_at or at)) * 1000)

    def key_arrives(self, key: str) -> None:
        self.keys_received.append((self.now_ms, key))
        self.note(f"receives key {key}")

    def next_frame(self) -> bytes | None:
        frame = None
        if self._to_say:
            with self.changed:
                frame = bytes(self._to_say[:_FRAME_BYTES]).ljust(_FRAME_BYTES, b"\0")
                del self._to_say[:_FRAME_BYTES]
        # The first silent frame of a pause is the one with which the last word has left.
        self.silent_frames = 0 if frame else self.silent_frames + 1
        self.said += frame or bytes(_FRAME_BYTES)
        return frame

    def audio_ends(self) -> None:
        with self.changed:
            self.has_audio = False
            # Reads what came of a prompt that the end of the call has cut off.
            self.ear.hears(bytes(3200))
            self._to_say.clear()
            self.changed.notify_all()

    # What stories read.

    @property
    def is_up(self) -> bool:
        """Answered and not ended."""
        return self.answered_at is not None and self.ended_at is None

    @property
    def now_ms(self) -> int:
        """Milliseconds since the answer (until the end, for a call that has ended)."""
        if self.answered_at is None:
            return 0
        return int(((self.ended_at or time.monotonic()) - self.answered_at) * 1000)

    @property
    def heard(self) -> list[tuple[int, str | tuple[int, ...]]]:
        """What was heard: ms since the answer, and the prompt key, or the melody if its key is unknown.

        A prompt that was interrupted is "its_key (cut off)", where its beginning tells which it was.
        """
        return [(one.ms, self.carrier.name_of(one.code)) for one in self.ear.listen()]

    @property
    def seconds_ringing(self) -> float:
        """How long it rang."""
        if self.ringing_at is None:
            return 0.0
        return (self.answered_at or self.ended_at or time.monotonic()) - self.ringing_at

    def wait_for(self, condition: Callable[[], bool], within: float) -> bool:
        """Waits for a condition; also wakes up regularly, because sound arrives without a notice."""
        deadline = time.monotonic() + within * self.carrier.patience
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self.changed.wait(min(left, 0.03))
            return True

    def listen_for(self, key: str) -> bool:
        """Whether a prompt has been heard since the part already told; if so, it is told now."""
        code = tone_code(key)
        melodies = self.ear.listen()
        for index in range(self.told_melodies, len(melodies)):
            if melodies[index].code == code:
                self.told_melodies = index + 1
                self.told_ms = melodies[index].ms
                return True
        return False

    def queue_sound(self, samples: Samples) -> None:
        """Something to be said after what is still being said."""
        with self.changed:
            self._to_say += samples.astype(np.int16).tobytes()
            self.silent_frames = 0

    def stop_speaking(self) -> None:
        """Breaks off in the middle of a word."""
        with self.changed:
            self._to_say.clear()

    def story(self) -> str:
        """All that happened, line by line with seconds since the call began."""
        lines = [(at - self.began_at, text) for at, text in list(self.notes)]
        if self.answered_at is not None:
            offset = self.answered_at - self.began_at
            lines += [(offset + ms / 1000, f"hears {what}") for ms, what in self.heard]
            if not self.heard and self.ear.voice_ms():
                lines.append((offset, f"hears {self.ear.voice_ms() / 1000:.1f} s of sound, no melody"))
        way = "rung by" if self.incoming else "rings"
        head = f"{self.phone.number} {way} {self.other}:"
        return "\n".join([head, *(f"  {seconds:7.2f} s  {text}" for seconds, text in sorted(lines))])

    def save_sound(self, folder: Path) -> Path | None:
        """What was heard (left) and said (right), as a wav file."""
        if self.answered_at is None:
            return None
        path = folder / f"{self.number_in_run:03d}-{self.phone.number.lstrip('+')}.wav"
        heard, said = (np.frombuffer(bytes(sound), np.int16) for sound in (self.ear.audio, self.said))
        save(path, heard, said)
        return path
