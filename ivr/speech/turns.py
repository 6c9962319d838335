"""What all streams share: the models, the grammars made so far, the counters, the archive."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ivr.speech.archive import Archive
from ivr.speech.decoder import Decoder
from ivr.speech.grammar import Grammar, Wanted
from ivr.speech.metrics import Metrics
from ivr.speech.models import Model, Models
from ivr.speech.recogniser import Heard

log = logging.getLogger(__name__)

Phrases = Callable[[str, str], Sequence[str]]
Urgent = Callable[[str], Sequence[str]]

_MOST_GRAMMARS = 256
# Phrases of one call, in the name of its grammar: "household|김 할머니|박 할아버지".
_SEPARATOR = "|"
_MOST_EXTRA = 32
_LONGEST_EXTRA = 40  # characters


def no_cries(language: str) -> Sequence[str]:
    """No phrase cries for help."""
    return ()


class Refused(Exception):
    """A request that cannot be met. The text goes to Asterisk's log."""


class Turns:
    """Finds what a turn needs.

    `phrases(language, grammar)` gives the phrases of a named grammar; whatever
    it raises means that there is no such grammar. `urgent(language)` gives those
    that cry for help. Both are called on a thread.
    """

    def __init__(self, models: Models, phrases: Phrases, urgent: Urgent, archive: Archive | None) -> None:
        self.models = models
        self.metrics = Metrics()
        self._phrases = phrases
        self._urgent = urgent
        self._archive = archive
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="files")
        self._made: dict[tuple[str, Wanted], Grammar] = {}

    def model(self, language: str) -> Model:
        """The language's model. Raises Refused where it is not ready."""
        model = self.models.get(language)
        if model is None:
            raise Refused("no speech model for this language")
        return model

    async def grammar(self, language: str, spec: str) -> Grammar:
        """The grammar of `name` or `name|phrase|phrase`, made once.

        Raises Refused where there is none or nothing of it is known.
        """
        model = self.model(language)
        wanted = await asyncio.get_running_loop().run_in_executor(self._thread, self._wanted, language, spec)
        made = self._made.get((language, wanted))
        if made is None:
            try:
                made = await model.grammar(wanted)
            except Exception as error:  # whatever a recogniser raises, the caller goes on by keys
                raise Refused("the recogniser is lost") from error
            if len(self._made) >= _MOST_GRAMMARS:
                self._made.clear()
            self._made[language, wanted] = made
        if not made.phrases:
            raise Refused("the model knows no phrase of this grammar")
        return made

    def decoder(self, language: str, grammar: Grammar) -> Decoder:
        """A decoder for one utterance of a turn whose grammar was found before."""
        return Decoder(self.model(language).utterance(grammar), self.metrics)

    async def keep(self, audio: bytes, heard: Heard) -> str:
        """The content key of the audio if it is to be kept, else empty."""
        understood = heard.phrase is not None
        self.metrics.understood += understood
        self.metrics.not_understood += not understood
        if self._archive is None or not self._archive.wants(understood):
            return ""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._archive.keep, audio)

    def close(self) -> None:
        """Waits for the thread."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _wanted(self, language: str, spec: str) -> Wanted:
        name, *extra = spec.split(_SEPARATOR)
        private = tuple(phrase.strip()[:_LONGEST_EXTRA] for phrase in extra[:_MOST_EXTRA] if phrase.strip())
        try:
            phrases = tuple(self._phrases(language, name))
            urgent = tuple(self._urgent(language))
        except Exception as error:  # whatever a vocabulary raises, the caller goes on by keys
            log.warning("no grammar %.40r for %.20r: %s", name, language, type(error).__name__)
            raise Refused("unknown grammar") from error
        return Wanted(name, phrases, private, urgent)
