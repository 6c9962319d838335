"""P4: the end of her words → the first sound of the next prompt, less the endpoint silence, ÷ what nobody can save.

That is Vosk's own time to finish the utterance, and the time that plain dialplan takes from a key's end to the first
sound of a Playback. Both are measured in the same Asterisk, by the same ear: a telephone in its dialplan (a Local
channel) that records what it says and what it hears in two files of one clock, to 20 ms. She sends sound all the while,
as a line does; that is also what keeps the clock. P4p95: the 95th percentile ÷ 300 ms.
"""

from __future__ import annotations

import math
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np

from models import toolbox
from models.settings import settings
from tests.bench import journey
from tests.bench.recog import Ears, open_ears
from tests.bench.report import Figure
from tests.bench.room import Room
from tests.speech.support import silence, write_wav
from tests.support.sound import beep

GOAL, GOAL_P95 = 1.25, 1.0
MOST_P95_MS = 300
LANGUAGE = "ko"
# A word, and the question whose phrase list it answers.
ANSWERS = (("목욕", "open"), ("내일", "day"), ("오후", "part"))
CALLS = 5
KEYS = 6  # a plain call
# From her last word to the next one: the prompt, in tones, must have come to its end (ms).
BETWEEN_MS = 3500
LOUD = 300  # of 32767; the quietest vowel is ten times louder, the line itself is silent
_MARK_MS = 100


@dataclass
class Sounds:
    """What the telephone of the bench plays, and where it records."""

    folder: Path
    seconds: float  # of a call in which she speaks

    def dialplan(self) -> str:
        """Callers who speak, callers who press, and what plain dialplan plays to those."""
        # The mark is heard in the recording where the key has ended: SendDTMF returns a millisecond after that.
        keys = f" same => n,SendDTMF(5,1,100)\n same => n,Playback({self.folder}/mark)\n" * KEYS
        plain = f" same => n,Read(KEY,{self.folder}/ask,1,,1,6)\n same => n,Playback({self.folder}/said)\n" * KEYS
        record = " same => n,MixMonitor({0}/m-${{EXTEN}}.wav,r({0}/heard-${{EXTEN}}.wav)t({0}/told-${{EXTEN}}.wav))\n"
        record = record.format(self.folder)
        return (
            "\n[bench]\n"
            "exten => _dial.,1,Set(CALLERID(num)=+${EXTEN:4})\n same => n,Goto(inbound,12349,1)\n"
            f"exten => plain,1,Answer()\n{plain} same => n,Wait(1)\n same => n,Hangup()\n"
            f"exten => _says.,1,NoOp()\n{record} same => n,Playback({self.folder}/her)\n same => n,Hangup()\n"
            f"exten => _keys.,1,NoOp()\n{record} same => n,Wait(1)\n{keys} same => n,Hangup()\n"
        )


def loud(path: Path) -> np.ndarray:
    """Which frames of 1 ms are loud."""
    with wave.open(str(path)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2").astype(np.int32)
    whole = samples[: len(samples) // 8 * 8].reshape(-1, 8)
    return np.asarray(np.abs(whole).max(axis=1) > LOUD)


def spans(heard: np.ndarray, gap_ms: int) -> list[tuple[int, int]]:
    """Begin and end of each sound (ms); pauses shorter than `gap_ms` are part of it."""
    at = np.flatnonzero(heard)
    if not at.size:
        return []
    breaks = np.flatnonzero(np.diff(at) > gap_ms)
    begins, ends = [at[0], *at[breaks + 1]], [*at[breaks], at[-1]]
    return [(int(begin), int(end)) for begin, end in zip(begins, ends, strict=True)]


def answered(ends: Sequence[int], heard: np.ndarray) -> list[int]:
    """How long after each of `ends` the next sound begins (ms). What never comes is an error."""
    found = []
    for end in ends:
        after = np.flatnonzero(heard[end:])
        if not after.size:
            raise AssertionError("she was not answered")
        found.append(int(after[0]))
    return found


def finalise_ms(ears: Ears, word: bytes, asked: str) -> float:
    """The CPU that bare Vosk takes to finish an utterance of which it has heard everything."""
    recogniser = ears.model.utterance(ears.grammar(asked))._recogniser  # type: ignore[attr-defined]
    pcm = silence(300) + word + silence(settings().endpoint_ms)
    for start in range(0, len(pcm), 3200):
        recogniser.AcceptWaveform(pcm[start : start + 3200])
    began = time.process_time()
    recogniser.FinalResult()
    return (time.process_time() - began) * 1000


class Bench:
    """The calls of one run."""

    def __init__(self, room: Room, sounds: Sounds) -> None:
        self._sounds = sounds
        self._tool = toolbox.asterisk(settings().cache_dir, settings().asterisk_binary)
        self._config = room.folder / "A" / "run" / "asterisk" / "etc" / "asterisk.conf"
        # The hotline itself has no use for it.
        self._console("module load res_clioriginate.so")

    def spoken(self, number: str) -> list[int]:
        """One call of an elder who speaks: how long after each word she hears something, the endpoint included (ms)."""
        digits = number.lstrip("+")
        told, heard = self._call(f"Local/dial{digits}@bench/n", f"says{digits}", self._sounds.seconds)
        return answered([end for _, end in spans(told, 600)], heard)

    def pressed(self, name: str) -> list[int]:
        """One plain call: how long after each key's end the dialplan's sound begins (ms)."""
        told, heard = self._call("Local/plain@bench/n", f"keys{name}", 3 + KEYS * 1.6)
        return answered([begin for begin, _ in spans(told, 300)], heard)

    def _call(self, channel: str, extension: str, seconds: float) -> tuple[np.ndarray, np.ndarray]:
        self._console(f"channel originate {channel} extension {extension}@bench")
        files = [self._sounds.folder / f"{which}-{extension}.wav" for which in ("told", "heard")]
        until = time.monotonic() + seconds + 10
        # Asking costs: nobody asks while it is measured.
        time.sleep(seconds)
        while "0 active channels" not in self._console("core show channels count"):
            if time.monotonic() > until:
                self._console("channel request hangup all")
            time.sleep(0.5)
        time.sleep(0.5)
        told, heard = map(loud, files)
        return told, heard

    def _console(self, command: str) -> str:
        done = self._tool.run(
            "-C", self._config, "-rx", command, check=False, capture_output=True, text=True, timeout=20
        )
        return str(done.stdout)


@dataclass(frozen=True)
class Measured:
    """All in ms. `ours` is less the endpoint silence."""

    ours: list[float]
    plain: list[float]
    finalise: list[float]

    @property
    def p95(self) -> float:
        """The 95th percentile of ours."""
        return sorted(self.ours)[math.ceil(0.95 * len(self.ours)) - 1]


@cache
def measure() -> Measured:
    """Ring, speak, listen; once for both figures."""
    ears = open_ears()
    words = [(ears.voice.say(word), asked) for word, asked in ANSWERS]
    made: list[Sounds] = []

    def plain() -> str:
        # Called when the room's folder and prompts are there.
        folder = settings().var_dir
        her = silence(journey.walk(LANGUAGE, "김", listens=True).lengths_ms[0] + 1500)
        her += b"".join(pcm + silence(BETWEEN_MS) for pcm, _ in words)
        mark = beep(_MARK_MS / 1000).tobytes()
        for name, pcm in {"her": her, "mark": mark + silence(1200), "said": mark, "ask": silence(20_000)}.items():
            write_wav(folder / f"{name}.wav", pcm)
        made.append(Sounds(folder, len(her) / 16_000))
        return made[0].dialplan()

    with Room(plain, SPEECH="true", VOICE="tones", ANSWER_TIMEOUT_MS=20_000) as room:
        [sounds] = made
        bench = Bench(room, sounds)
        numbers: list[str] = room.new_elders(CALLS + 1, LANGUAGE, "김")
        # The first one warms up: prompts of her day are made once.
        bench.spoken(numbers[0])
        ours: list[float] = []
        plains: list[float] = []
        for count, ringing in enumerate(numbers[1:]):
            ours += [ms - settings().endpoint_ms for ms in bench.spoken(ringing)]
            if count % 2 == 0:
                plains += bench.pressed(str(count))
        finalise = [finalise_ms(ears, pcm, asked) for _ in range(5) for pcm, asked in words]
    return Measured(ours, plains, finalise)


def run() -> Figure:
    """P4, and the parts of it on the terminal."""
    found = measure()
    plain, other = median(found.plain), median(found.finalise) + median(found.plain)
    print(  # noqa: T201
        f"P4: {len(found.ours)} answers after an endpoint of {settings().endpoint_ms} ms; Vosk's own end "
        f"{median(found.finalise):.1f} ms, dialplan {plain:.0f} ms ({min(found.plain):.0f}–{max(found.plain):.0f})"
    )
    ours = median(found.ours)
    spread = f"{min(found.ours):.0f}–{max(found.ours):.0f} ms over {len(found.ours)} answers"
    return Figure(round(ours / other, 3), "lower", GOAL, ours, round(other, 1), "ms", spread)


def p95() -> Figure:
    """P4p95."""
    found = measure()
    spread = f"median {median(found.ours):.0f} ms of {len(found.ours)} answers"
    return Figure(round(found.p95 / MOST_P95_MS, 3), "lower", GOAL_P95, found.p95, MOST_P95_MS, "ms", spread)
