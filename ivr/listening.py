"""Say something and listen: by keys always, by voice where the speech engine is well.

The exact course of a spoken turn (docs/decisions/010): SET grammar, RECOGNIZE
on the prompt; the engine's first result `<speaking>` stops the prompt; a second
RECOGNIZE on silence brings what she said. Whatever goes wrong with the engine,
the turn is asked again by keys, and this call stays with keys.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from asterisk.agi import AGIError, AGIHangup

from ivr import speech
from ivr.agi import Line as AgiLine
from ivr.agi import Reply
from ivr.prompts import voice
from ivr.prompts.words import Line
from ivr.speech_health import health
from ivr.turns import Ask, Heard, Key, Said, Silence, Unknown
from models.settings import settings

log = logging.getLogger(__name__)

# The longest utterance the engine lets her finish, and a little more (s).
UTTERANCE_S = 14


class _EngineLost(Exception):
    """The engine is not to be had in this call any more."""


class Listener:
    """One call's ears and mouth. `speech`: whether this call may listen for words at all."""

    def __init__(self, line: AgiLine, speech: bool) -> None:
        self._line = line
        self._allowed = speech
        self._engine: str | None = None  # the language whose engine is open

    def listens_for(self, language: str) -> bool:
        """Return whether words in `language` will be heard in the next turn."""
        return self._allowed and (self._engine == language or health.listens_for(language))

    def ask(self, ask: Ask, language: str) -> Heard:
        """Say the lines and return what was heard.

        Raises:
            AGIHangup: the call is over.
            VoiceFailed: the lines could not be rendered.
        """
        file = voice.utterance(ask.lines, language)
        if ask.grammar != "none":
            try:
                if self._open(language):
                    return self._ask_words(file, ask.grammar)
            except AGIHangup:
                raise
            except (_EngineLost, AGIError, KeyError, ValueError) as error:
                log.warning("speech is lost in this call (%s): keys", error)
                self._allowed = False
                self.close()
        key = self._line.ask_key(file, settings().answer_timeout_ms)
        return Silence() if key is None else Key(key)

    def say(self, lines: Sequence[Line], language: str) -> None:
        """Say the lines to their end."""
        if lines:
            self._line.play(voice.utterance(lines, language))

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
        if self._line.execute("SPEECH CREATE", f"hotline-{language}").result != "1":
            return False
        self._engine = language
        return True

    def _ask_words(self, file: str, grammar: str) -> Heard:
        self._line.execute("SPEECH SET", "grammar", grammar)
        # Whole seconds, and Asterisk may count the running one: never less than what is set.
        seconds = math.ceil(settings().answer_timeout_ms / 1000) + 1
        reply = self._line.execute("SPEECH RECOGNIZE", file, seconds)
        if reply.fields.get("text0") == speech.SPEAKING:
            reply = self._line.execute("SPEECH RECOGNIZE", voice.silence(), UTTERANCE_S)
            heard = self._heard(reply)
            return Unknown() if isinstance(heard, Silence) else heard
        return self._heard(reply)

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
        if text == speech.UNKNOWN:
            return Unknown()
        return Said(text, int(reply.fields.get("score0") or 0))
