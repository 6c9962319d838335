"""Say something and listen: by keys always, by voice where the speech engine is well."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ivr.agi import Line as AgiLine
from ivr.prompts import voice
from ivr.prompts.words import Line
from ivr.turns import Ask, Heard, Key, Silence
from models.settings import settings

log = logging.getLogger(__name__)


class Listener:
    """One call's ears and mouth."""

    def __init__(self, line: AgiLine, speech: bool) -> None:
        self._line = line

    def ask(self, ask: Ask, language: str) -> Heard:
        """Say the lines and return what was heard.

        Raises:
            AGIHangup: the call is over.
            VoiceFailed: the lines could not be rendered.
        """
        file = voice.utterance(ask.lines, language)
        key = self._line.ask_key(file, settings().answer_timeout_ms)
        return Silence() if key is None else Key(key)

    def say(self, lines: Sequence[Line], language: str) -> None:
        """Say the lines to their end."""
        if lines:
            self._line.play(voice.utterance(lines, language))

    def close(self) -> None:
        """Let go of the speech engine."""
