"""P1s: P1 with an engine that listens on every prompt: a Korean elder orders by key, her quiet line open all the while.

Reported, without a goal: the plain side only plays and reads keys, ours
carries every sound of her line to the speech server and through its gate.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.bench import journey
from tests.bench.journey import Journey
from tests.bench.p1 import Bench, How
from tests.bench.report import Figure, compare
from tests.bench.room import Room

LANGUAGE = "ko"
# A second of A-law silence, looped: both sides are sent the same.
SILENCE = bytes([0xD5]) * 8000


def run() -> Figure:
    """Run P1s, print what each process used, return the figure."""
    walked: list[Journey] = []

    def plain() -> str:
        walked.append(journey.walk(LANGUAGE, listens=True))
        return journey.dialplan(walked[0])

    with tempfile.TemporaryDirectory() as folder, Room(plain, SPEECH="true", VOICE="espeak") as room:
        audio = Path(folder) / "silence.alaw"
        audio.write_bytes(SILENCE)
        [patient] = walked
        how = How(rounds=3, calls=12, rate=1.0, language=LANGUAGE, audio=str(audio))
        print(f"P1s: each side {how.rounds} × {how.calls} calls of {patient.seconds:.0f} s, an engine listens")  # noqa: T201
        measured = Bench(room, patient, how).measure()
        print(measured.table())  # noqa: T201
    return compare(measured.ours(), measured.plain(), None, "ms CPU a call")
