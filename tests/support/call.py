"""A call in the words of a story: it is answered, hears, presses, says, hangs up.

Every wait has a limit, and a failure tells the whole call with its times.
Limits grow with `HOTLINE_PATIENCE` (a factor) where a machine is slow.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import get_ident
from typing import NoReturn

from ivr.tones import SAMPLE_RATE, Samples
from tests.support import sound
from tests.support.agi_line import AgiLine, LineGone
from tests.support.ami import AmiError
from tests.support.call_state import CAUSES, CallEnded, CallState, StoryError


class Call(CallState):
    """One call of one telephone, to the hotline or from it."""

    agi: AgiLine | None = None
    # `phone.is_rung()` has returned it.
    asked_about = False
    # The thread that hung up: a habit need not explain a call that the test itself has ended.
    hung_up_on = 0

    # What a story expects.

    def is_ringing(self, within: float = 5) -> Call:
        """180 Ringing has come (or the answer at once)."""
        self._expect(lambda: self.ringing_at is not None or self.is_up, within, "to ring")
        return self

    def answered(self, within: float = 5) -> Call:
        """The other side answers."""
        self._expect(lambda: self.answered_at is not None, within, "to be answered")
        return self

    def hears(self, *keys: str, within: float = 10) -> Call:
        """The prompts come in this order, after what was already heard; others may lie between."""
        self.carrier.learn(keys)
        for key in keys:
            self._expect(partial(self.listen_for, key), within, f"to hear {key!r}")
        return self

    def has_heard(self, *keys: str) -> Call:
        """These prompts came in this order, anywhere in the call so far; others may lie between."""
        self.carrier.learn(keys)
        rest = iter([what for _, what in self.heard])
        for key in keys:
            if key not in rest:
                self.fail(f"to have heard {' '.join(keys)}; {key!r} did not come in its place")
        return self

    def names_heard(self) -> list[str]:
        """The keys of all prompts heard so far, as far as they are known."""
        return [str(what) for _, what in self.heard]

    def did_not_hear(self, *keys: str) -> Call:
        """None of these prompts came, from the answer until now."""
        self.carrier.learn(keys)
        for ms, what in self.heard:
            if what in keys:
                self.fail(f"not to hear {what!r}, but it came after {ms / 1000:.2f} s")
        return self

    def hears_a_voice(self, within: float = 10) -> Call:
        """Any sound at all since the part already told."""
        self._expect(lambda: self.ear.voice_ms(self.told_ms) > 0, within, "to hear a voice")
        return self

    def waits_for_end_of_speech(self, within: float = 20, pause: float = 0.7) -> Call:
        """The prompt that plays now has ended: sound since this telephone's last act, then a pause."""

        def over() -> bool:
            self._let_silence_pass()
            return self.ear.voice_ms(self.told_ms) > 0 and self.ear.quiet_ms() >= pause * 1000

        self._expect(over, within, f"to hear speech and then {pause} s of silence")
        self._told()
        return self

    def hears_silence(self, seconds: float, within: float = 20) -> Call:
        """It becomes, or is, quiet for so long."""

        def quiet() -> bool:
            self._let_silence_pass()
            return self.ear.quiet_ms() >= seconds * 1000

        self._expect(quiet, within, f"to hear {seconds} s of silence")
        return self

    def receives(self, keys: str, within: float = 5) -> Call:
        """The other side presses keys."""

        def received() -> bool:
            return keys in "".join(key for _, key in self.keys_received)

        self._expect(received, within, f"to receive keys {keys}")
        return self

    def is_hung_up_by_hotline(self, within: float = 10) -> Call:
        """The other side ends the call."""
        self._expect(lambda: self.ended_at is not None, within, "to be hung up by the hotline")
        if self.ended_by_us:
            self.fail("to be hung up by the hotline, not by this telephone")
        return self

    def is_refused(self, *causes: int, within: float = 5) -> Call:
        """It ends without an answer, with one of these Q.850 causes if any are given."""
        self._expect(lambda: self.ended_at is not None, within, "to be refused")
        if self.answered_at is not None or (causes and self.cause not in causes):
            self.fail(f"to be refused with {' or '.join(f'{c} {CAUSES.get(c)}' for c in causes)}")
        return self

    # What the telephone does.

    def rings_for(self, seconds: float) -> Call:
        """Lets it ring, and goes on; a caller who gives up meanwhile ends the habit."""
        self._agi("EXEC", "Ringing")
        self.is_ringing_now()
        self._endure(seconds)
        return self

    def answers(self) -> Call:
        """Picks up."""
        self._agi("ANSWER")
        self.is_answered_now()
        self._agi_begin("EXEC", "AudioSocket", self.carrier.audio_argument(self))
        if not self.wait_for(lambda: self.has_audio or self.ended_at is not None, 5):
            raise StoryError(f"no sound connection\n{self.story()}")
        return self

    def rejects(self, sip_code: int) -> Call:
        """Ends an unanswered call with this SIP answer; its Reason header names the Q.850 cause that belongs to it."""
        self.ended_by_us = True
        self.note(f"rejects with {sip_code}")
        self.carrier.try_to("PJSIPHangup", {"Channel": self.channel, "Cause": str(sip_code)})
        self.wait_for(lambda: self.ended_at is not None, 5)
        return self

    def announces(self, samples: Samples) -> Call:
        """The network speaks before the call is answered (183 and early media)."""
        path = self.carrier.folder / f"announcement-{self.number_in_run}.wav"
        sound.save(path, samples)
        self.note("announces in early media")
        self._agi("EXEC", "Progress")
        self._agi("EXEC", "Playback", f"{path.with_suffix('')},noanswer", timeout=len(samples) / SAMPLE_RATE + 5)
        return self

    def presses(self, keys: str, *, duration: float = 0.1, gap: float = 0.1) -> Call:
        """Presses keys one after the other; returns when the last is released."""
        self._must_be_up(f"press {keys}")
        with self.carrier.manager_session() as manager:
            for index, key in enumerate(keys):
                if index:
                    time.sleep(gap)
                self._told()
                self.note(f"presses {key}")
                values = {"Channel": self.channel, "Digit": key, "Duration": str(int(duration * 1000))}
                try:
                    manager.send("PlayDTMF", values)
                except AmiError as error:
                    self.note(f"cannot press {key}: {error}")
                    self._must_be_up(f"press {key}")
                    raise
        return self

    def says(self, text: str, language: str = "ko", *, wait: bool = True) -> Call:
        """Speaks, in espeak-ng's voice; returns when the last word is out."""
        self.note(f"says {text!r}")
        return self._utter(sound.spoken(text, language), wait)

    def plays(self, what: Samples | Path | str, *, wait: bool = True) -> Call:
        """Plays a sound or a wav file into the call."""
        samples = sound.load(what) if isinstance(what, Path | str) else what
        self.note(f"plays {len(samples) / SAMPLE_RATE:.1f} s of sound")
        return self._utter(samples, wait)

    def is_silent(self, seconds: float) -> Call:
        """Says and presses nothing for a while."""
        self.note(f"is silent for {seconds} s")
        self._endure(seconds)
        return self

    def hangs_up(self) -> Call:
        """Ends the call."""
        if self.ended_at is None:
            self.ended_by_us = True
            self.hung_up_on = get_ident()
            self.note("hangs up")
            for _ in range(20):
                # Right after dialling there may be no channel yet that could be hung up.
                self.carrier.try_to("Hangup", {"Channel": self.channel or self.uid, "Cause": "16"})
                if self.wait_for(lambda: self.ended_at is not None, 0.2):
                    break
        return self

    def waits_until_it_ends(self, within: float = 300) -> Call:
        """Stays on the line until the other side hangs up."""
        self._expect(lambda: self.ended_at is not None, within, "to end")
        return self

    # How.

    def fail(self, expectation: str) -> NoReturn:
        """Ends the story with all that is known."""
        raise StoryError(f"expected {expectation}\n{self.story()}")

    def _expect(self, condition: Callable[[], bool], within: float, what: str) -> None:
        fulfilled = False

        def decided() -> bool:
            nonlocal fulfilled
            # A condition may move the story on, so it is asked only until it is fulfilled.
            fulfilled = fulfilled or condition()
            return fulfilled or self.ended_at is not None

        self.wait_for(decided, within)
        # What was under way when the call ended may still lie in the socket.
        if fulfilled or (self.ended_at is not None and self.wait_for(condition, 0.2)):
            return
        late = "the call had ended" if self.ended_at is not None else f"not within {within} s"
        self.fail(f"{what}: {late}")

    def _endure(self, seconds: float) -> None:
        """Time that passes at its own speed, whatever the machine's patience."""
        if self.wait_for(lambda: self.ended_at is not None, seconds / self.carrier.patience):
            raise CallEnded(self.story())

    def _utter(self, samples: Samples, wait: bool) -> Call:
        self._must_be_up("speak")
        self.queue_sound(samples)
        if wait:
            # What is said is heard only if the line stays open a moment longer.
            self.wait_for(lambda: self.silent_frames >= 3, len(samples) / SAMPLE_RATE + 5)
            self._must_be_up("finish speaking")
            self._told()
        return self

    def _told(self) -> None:
        # What still comes within a moment of a key is the rest of the prompt it interrupted.
        self.told_ms = self.now_ms + 250

    def _let_silence_pass(self) -> None:
        if self.is_up:
            self.ear.pass_time(self.now_ms)

    def _must_be_up(self, act: str) -> None:
        if not self.is_up:
            self.fail(f"to {act}, but the call {'has ended' if self.ended_at else 'is not answered'}")

    def _agi(self, *words: str, timeout: float = 10) -> None:
        if self.agi is None:
            raise TypeError("only a called telephone can do this")
        try:
            self.agi.command(*words, timeout=timeout)
        except LineGone:
            raise CallEnded(self.story()) from None

    def _agi_begin(self, *words: str) -> None:
        assert self.agi is not None
        try:
            self.agi.begin(*words)
        except LineGone:
            raise CallEnded(self.story()) from None
