"""Say something and listen: by keys always, by voice where the speech engine is well.

The exact course of a spoken turn (docs/decisions/010): SET grammar, RECOGNIZE
on the prompt; the engine's first result `<speaking>` stops the prompt; a second
RECOGNIZE on silence brings what she said. Whatever goes wrong with the engine,
the turn is asked again by keys, and this call stays with keys.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from asterisk.agi import AGIError, AGIHangup

from ivr import speech
from ivr.agi import Line as AgiLine
from ivr.agi import Reply
from ivr.prompts import voice
from ivr.prompts.words import Line
from ivr.speech_health import health
from ivr.turns import Ask, Digits, Heard, Key, Said, Silence, Unknown
from models.settings import settings

log = logging.getLogger(__name__)

# The longest utterance the engine lets her finish, the longest pause inside it, and a little more (s).
UTTERANCE_S = 16
# Asterisk waits a second for the answer of an engine that is gone, and then says that all is well (s).
SLOWEST_ANSWER_S = 0.8
# A message ends after so much speech, or so much silence (s); a keyed number after such a pause (ms).
LONGEST_RECORDING_S = 120
SILENCE_AFTER_RECORDING_S = 4
BETWEEN_DIGITS_MS = 3000
# Digits that follow a `*` so fast are a worker's code (ms); a repetition comes so much later.
BEHIND_STAR_MS = 1500
LONGEST_CODE = 8  # digits
SHORTEST_CODE = 3
# A line in front of the first question is not waited behind (ms).
_AT_ONCE_MS = 1
# What a key means at every moment stays what it means while a number is keyed.
ALWAYS_KEYS = frozenset("09*#")
# Stands between the names in SPEECH SET grammar.
_SEPARATOR = "|"
_LONGEST_GRAMMAR = 1000  # bytes; an AGI command has 2,048

Pace = Literal["slow", "normal"]


class _EngineLost(Exception):
    """The engine is not to be had in this call any more."""


class Listener:
    """One call's ears and mouth. `speech`: whether this call may listen for words at all.

    `pace` may be changed between two turns: it decides how long she may think
    before she answers and how long she may pause inside an answer.
    """

    def __init__(self, line: AgiLine, speech: bool, pace: Pace = "normal") -> None:
        self._line = line
        self._allowed = speech
        self.pace: Pace = pace
        self.volume = "normal"  # or loud
        self._engine: str | None = None  # the language whose engine is open
        self._engine_pace: Pace = "normal"  # what the engine was told last
        self._birth = 0  # of the engine that is open

    def listens_for(self, language: str) -> bool:
        """Return whether words in `language` will be heard in the next turn."""
        return self._allowed and (self._engine == language or health.listens_for(language))

    def ask_before(self, line: Line, language: str) -> str | None:
        """Say a line in front of the first question; return the key that cut it short, if one did."""
        return self._line.ask_key(self._file((line,), language), _AT_ONCE_MS)

    def ask(self, ask: Ask, language: str, early: str | None = None) -> Heard:
        """Say the lines and return what was heard; `early` is a key that came before them, and answers.

        Raises:
            AGIHangup: the call is over.
            VoiceFailed: the lines could not be rendered.
        """
        if early is None and ask.first:
            # Keys only: whoever has just answered says hello into the first words. And only those that mean the same
            # everywhere: nothing was asked yet.
            key = self._line.ask_key(self._file(ask.first, language), _AT_ONCE_MS)
            early = key if key in ALWAYS_KEYS else None
        heard = Key(early) if early else self._heard_to(ask, language)
        return self._behind_star() if ask.star and heard == Key("*") else heard

    def _heard_to(self, ask: Ask, language: str) -> Heard:
        file = self._file(ask.lines, language)
        if ask.grammar != "none":
            spoke = False
            try:
                if self._open(language):
                    reply = self._say_and_listen(file, ask)
                    spoke = reply.fields.get("text0") == speech.SPEAKING
                    return self._utterance(ask) if spoke else self._heard_or_number(reply, ask)
            except AGIHangup:
                raise
            except (_EngineLost, AGIError, KeyError, ValueError) as error:
                log.warning("speech is lost in this call (%s): keys", error)
                self._allowed = False
                self.close()
            if ask.deaf:
                file = self._file(ask.by_keys(interrupted=spoke), language)
        if ask.digits > 1:
            return self._number(self._line.ask_digits(file, self._patience_ms, ask.digits))
        key = self._line.ask_key(file, ask.patience_ms or self._patience_ms)
        return Silence() if key is None else Key(key)

    def record(self, lines: Sequence[Line], language: str, target: Path) -> str | None:
        """Say the lines, sound the tone and record into `target` (a .wav); return the key that ended it, if one did.

        Raises:
            AGIHangup: she hung up; what she said is in the file all the same.
        """
        self.close()
        self.say(lines, language)
        self._line.play(str(voice.static_dir() / language / "beep"))
        return self._line.record(str(target.with_suffix("")), LONGEST_RECORDING_S, SILENCE_AFTER_RECORDING_S)

    def _behind_star(self) -> Heard:
        """A `*` alone repeats; what follows at once is a worker's code, or the answer of somebody in a hurry."""
        keys = self._line.ask_digits(voice.silence(), BEHIND_STAR_MS, LONGEST_CODE) or ""
        if keys.isdecimal():
            return Digits(f"*{keys}") if len(keys) >= SHORTEST_CODE else Key(keys[0])
        return Key("*")

    @staticmethod
    def _number(keys: str | None) -> Heard:
        if not keys:
            return Silence()
        # A single 0, 9, * or # is what it always is.
        return Key(keys) if keys in ALWAYS_KEYS else Digits(keys)

    def _file(self, lines: Sequence[Line], language: str) -> str:
        return voice.utterance(lines, language, self.pace, self.volume)

    @property
    def _patience_ms(self) -> int:
        slow = self.pace == "slow"
        return settings().answer_timeout_slow_ms if slow else settings().answer_timeout_ms

    def say(self, lines: Sequence[Line], language: str) -> None:
        """Say the lines to their end."""
        if lines:
            self._line.play(self._file(lines, language))

    def close(self) -> None:
        """Let go of the speech engine, if one is open. The end of the call does it as well."""
        engine, self._engine = self._engine, None
        if engine is not None:
            try:
                self._line.execute("SPEECH DESTROY")
            except (AGIError, AGIHangup):
                log.debug("the engine of a call that is over")

    def _open(self, language: str) -> bool:
        if self._engine == language:
            return True
        if not self.listens_for(language):
            return False
        self.close()
        self._birth = health.birth
        if self._line.execute("SPEECH CREATE", f"hotline-{language}").result != "1":
            return False
        self._engine, self._engine_pace = language, "normal"
        return True

    def _set(self, name: str, value: str) -> None:
        # Each further command to an engine that is gone would cost her a second more.
        began = time.monotonic()
        reply = self._line.execute("SPEECH SET", name, value)
        if reply.result != "1" or time.monotonic() - began > SLOWEST_ANSWER_S:
            raise _EngineLost("it does not answer")

    def _must_live(self) -> None:
        """An engine that is gone or stands still is not spoken to: each command would cost her a second."""
        if not health.lives(self._birth):
            raise _EngineLost("it is gone")

    def _say_and_listen(self, file: str, ask: Ask) -> Reply:
        """Say it; return the key, the silence after it, or that she has begun to speak."""
        self._must_live()
        if self.pace != self._engine_pace:
            self._set("pace", self.pace)
            self._engine_pace = self.pace
        self._set("grammar", _grammar(ask))
        # So that an echo of it is not taken for her.
        self._set("prompt", file)
        # Whole seconds, and Asterisk may count the running one: never less than what is set.
        seconds = math.ceil(self._patience_ms / 1000) + 1
        return self._line.execute("SPEECH RECOGNIZE", file, seconds)

    def _utterance(self, ask: Ask) -> Heard:
        """She has begun to speak: hear her to the end."""
        self._must_live()
        reply = self._line.execute("SPEECH RECOGNIZE", voice.silence(), UTTERANCE_S)
        heard = self._heard_or_number(reply, ask)
        return Unknown() if isinstance(heard, Silence) else heard

    def _heard_or_number(self, reply: Reply, ask: Ask) -> Heard:
        if ask.digits == 1 or reply.data != "digit":
            return self._heard(reply)
        # The engine gives the first key of a number; the others follow it.
        rest = self._line.ask_digits(voice.silence(), BETWEEN_DIGITS_MS, ask.digits - 1)
        return self._number(reply.fields["digit"] + (rest or "").rstrip("#"))

    def _heard(self, reply: Reply) -> Heard:
        if reply.result == "-1" or reply.data == "hangup":
            raise AGIHangup("hung up")
        if reply.data == "digit":
            return Key(reply.fields["digit"])
        if reply.data == "timeout":
            return Silence()
        text = reply.fields.get("text0", speech.UNAVAILABLE)
        if reply.result != "1" or text == speech.UNAVAILABLE:
            raise _EngineLost(reply.data or "no engine")
        audio = reply.fields.get("grammar0", "").partition(speech.AUDIO_MARK)[2]
        if text.startswith(speech.UNKNOWN):
            return Unknown(text.removeprefix(speech.UNKNOWN).strip(), audio)
        return Said(text, int(reply.fields.get("score0") or 0), audio)


def _grammar(ask: Ask) -> str:
    """Return what SPEECH SET wants: the name, and after it as many names of this turn as an AGI line carries."""
    spec = ask.grammar
    for phrase in ask.extra:
        longer = spec + _SEPARATOR + phrase.replace(_SEPARATOR, " ")
        if len(longer.encode()) > _LONGEST_GRAMMAR:
            break
        spec = longer
    return spec
