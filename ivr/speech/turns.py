"""What all streams share: the models, the grammars made so far, and the decoding threads."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

from ivr.speech import grammar as grammars
from ivr.speech.archive import Archive
from ivr.speech.decoder import Decoder
from ivr.speech.grammar import Grammar, Wanted
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
    that cry for help. Both are called on a thread of their own: Asterisk waits
    one second for the answer to a SET, and the decoding threads may be busy for
    longer.
    """

    def __init__(self, models: Models, phrases: Phrases, decoding: Executor, urgent: Urgent = no_cries) -> None:
        self.models = models
        self._phrases = phrases
        self._urgent = urgent
        self.archive: Archive | None = None
        self._decoding = decoding
        self._making = ThreadPoolExecutor(1, thread_name_prefix="grammar")
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
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._making, self._make, language, spec, model)

    def decoder(self, language: str, grammar: Grammar) -> Decoder:
        """A decoder for one utterance of a turn whose grammar was found before."""
        model = self.model(language)
        return Decoder(lambda: model.utterance(grammar), self._decoding)

    async def keep(self, audio: bytes, heard: Heard) -> str:
        """The content key of the audio if it is to be kept, else empty."""
        if self.archive is None or not self.archive.wants(heard.phrase is not None):
            return ""
        return await asyncio.get_running_loop().run_in_executor(self._making, self.archive.keep, audio)

    def close(self) -> None:
        """Waits for the threads. Native code must not be running while the interpreter comes down."""
        for executor in (self._making, self._decoding):
            executor.shutdown(wait=True, cancel_futures=True)

    def _make(self, language: str, spec: str, model: Model) -> Grammar:
        name, *extra = spec.split(_SEPARATOR)
        private = tuple(phrase.strip()[:_LONGEST_EXTRA] for phrase in extra[:_MOST_EXTRA] if phrase.strip())
        try:
            phrases = tuple(self._phrases(language, name))
            urgent = tuple(self._urgent(language))
        except Exception as error:  # whatever a vocabulary raises, the caller goes on by keys
            log.warning("no grammar %.40r for %.20r: %s", name, language, type(error).__name__)
            raise Refused("unknown grammar") from error
        wanted = Wanted(name, phrases, private, urgent)
        key = (language, wanted)
        made = self._made.get(key)
        if made is None:
            made = grammars.build(wanted, language, model.knows)
            if len(self._made) >= _MOST_GRAMMARS:
                self._made.clear()
            self._made[key] = made
        if not made.phrases:
            raise Refused("the model knows no phrase of this grammar")
        return made
