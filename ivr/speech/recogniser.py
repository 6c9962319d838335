"""One recogniser for one utterance, over Vosk. Everything here blocks: call it from the decoding threads.

Vosk aborts the whole process when audio follows `FinalResult`, and forgets what
it heard when audio follows an endpoint of its own whose result nobody fetched.
`Utterance` is the only caller, and allows neither.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ivr.speech.gate import SAMPLE_RATE
from ivr.speech.grammar import Grammar
from ivr.speech.voicing import is_voice

# The hoarsest short word has twice that; see voicing.py.
_LEAST_VOICE_MS = 80


@dataclass(frozen=True, slots=True)
class Heard:
    """What an utterance was: phrases of the grammar, or None. `score` is 0 to 100.

    `words`: what the recogniser made of it, fillers included. For a person to
    look at where `phrase` is None; a phrase list hears something in everything.
    """

    phrase: str | None
    score: int = 0
    words: str = ""


class Utterance(Protocol):
    """What the server needs of a recogniser; tests bring their own."""

    def feed(self, pcm: bytes) -> None:
        """Decodes some audio: 8 kHz, 16 bit, mono. Ignored after `finish`."""

    def finish(self) -> Heard:
        """Ends the utterance and says what it was. The second call answers as the first."""


class VoskUtterance:
    """An utterance of a Vosk model with a phrase list."""

    def __init__(self, model: LoadedModel, grammar: Grammar) -> None:
        self._grammar = grammar
        self._upsample = model.sample_rate == 2 * SAMPLE_RATE
        self._last = 0
        self._audio = bytearray()
        self._words: list[tuple[str, float]] = []
        self._heard: Heard | None = None
        entries = json.dumps(grammar.entries, ensure_ascii=False)
        self._recogniser: Any = _vosk().KaldiRecognizer(model.model, model.sample_rate, entries)
        self._recogniser.SetWords(True)

    def feed(self, pcm: bytes) -> None:
        """See Utterance."""
        if self._heard is None and pcm:
            self._audio += pcm
            if self._recogniser.AcceptWaveform(self._resampled(pcm)):
                self._collect(self._recogniser.Result())

    def finish(self) -> Heard:
        """See Utterance."""
        if self._heard is None:
            self._collect(self._recogniser.FinalResult())
            phrase = self._grammar.match([word for word, _ in self._words], [sure for _, sure in self._words])
            if phrase is not None and not is_voice(bytes(self._audio), _LEAST_VOICE_MS):
                phrase = None
            surest = min((confidence for _, confidence in self._words), default=0.0)
            words = " ".join(word for word, _ in self._words)
            self._heard = Heard(phrase, round(100 * min(1.0, surest)) if phrase else 0, words)
        return self._heard

    def _collect(self, result: str) -> None:
        for word in json.loads(result).get("result", ()):
            self._words.append((word["word"], float(word["conf"])))

    def _resampled(self, pcm: bytes) -> bytes:
        """Models made for 16 kHz that refuse 8 kHz get a sample between each two."""
        if not self._upsample:
            return pcm
        samples = np.frombuffer(pcm, dtype="<i2")
        before = np.concatenate(([self._last], samples[:-1]))
        self._last = int(samples[-1])
        doubled = np.empty(2 * samples.size, dtype="<i2")
        doubled[0::2] = (before.astype(np.int32) + samples) // 2
        doubled[1::2] = samples
        return doubled.tobytes()


class LoadedModel:
    """A Vosk model in memory, a few hundred megabytes; one per language and process.

    Raises OSError where the folder holds no model that Vosk can read.
    """

    def __init__(self, folder: Path) -> None:
        vosk = _vosk()
        vosk.SetLogLevel(-1)
        # Vosk itself logs a missing file and goes on to crash on it.
        if not (folder / "am" / "final.mdl").is_file():
            raise OSError(f"no speech model in {folder}")
        try:
            self.model: Any = vosk.Model(str(folder))
        except Exception as error:  # Vosk raises nothing more precise
            raise OSError(f"the speech model in {folder} cannot be read") from error
        self.sample_rate = SAMPLE_RATE if _takes_8khz(folder) else 2 * SAMPLE_RATE

    def knows(self, word: str) -> bool:
        """Whether the word is in the vocabulary."""
        return bool(self.model.vosk_model_find_word(word) >= 0)

    def utterance(self, grammar: Grammar) -> Utterance:
        """A fresh recogniser; costs a fraction of a millisecond."""
        return VoskUtterance(self, grammar)

    def free(self) -> Any:
        """A recogniser of all the words that the model knows, for audio at `sample_rate`."""
        recogniser = _vosk().KaldiRecognizer(self.model, self.sample_rate)
        recogniser.SetWords(True)
        return recogniser


def _vosk() -> Any:
    # Imported late: it brings half a web client with it, and the tests of the protocol need none of it.
    return importlib.import_module("vosk")


def _takes_8khz(folder: Path) -> bool:
    try:
        config = (folder / "conf" / "mfcc.conf").read_text(encoding="utf-8")
    except OSError:
        return False
    return "--allow-upsample=true" in config or "--sample-frequency=8000" in config
