"""Telephones: SIPp rings from many numbers, presses the journey's keys by SIP INFO, hangs up."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models import toolbox
from models.orphans import dies_with_me
from models.settings import settings
from tests.bench import journey
from tests.bench.journey import Journey


@dataclass(frozen=True)
class Load:
    """A row of calls of one journey to `service` at 127.0.0.1:`sip_port`, `rate` of them begun a second."""

    journey: Journey
    service: str
    sip_port: int
    from_port: int
    media_port: int
    rate: float
    at_once: int = 1000
    audio: str = ""  # a file of raw A-law that every caller sends all the while

    def begin(self, folder: Path, numbers: Sequence[str]) -> Running:
        """Start SIPp; every number rings once."""
        (folder / "scenario.xml").write_text(journey.scenario(self.journey, self.audio))
        journey.callers(folder / "callers.csv", numbers, self.media_port)
        tool = toolbox.sipp(settings().cache_dir)
        command = (
            *tool.argv, f"127.0.0.1:{self.sip_port}", "-s", self.service, "-sf", "scenario.xml", "-inf", "callers.csv",
            "-i", "127.0.0.1", "-p", str(self.from_port), "-m", str(len(numbers)), "-l", str(self.at_once),
            "-r", str(round(self.rate * 10)), "-rp", "10000", "-nostdin", "-trace_err", "-recv_timeout", "8000",
        )  # fmt: skip
        with (folder / "screen").open("wb") as out:
            process = subprocess.Popen(
                command, cwd=folder, env=tool.environ(), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=dies_with_me(),
            )  # fmt: skip
        return Running(process, folder, len(numbers), self._seconds(len(numbers)))

    def _seconds(self, calls: int) -> float:
        return calls / min(self.rate, self.at_once / self.journey.seconds) + self.journey.seconds


@dataclass(frozen=True)
class Running:
    """A load under way."""

    process: subprocess.Popen[bytes]
    folder: Path
    calls: int
    seconds: float

    def wait(self) -> None:
        """Wait until the last call is over; a call that failed is an exception."""
        code = self.code()
        if code != 0:
            said = "".join(p.read_text(errors="replace")[-2000:] for p in self.folder.glob("*errors.log"))
            screen = (self.folder / "screen").read_text(errors="replace")[-1500:]
            raise AssertionError(f"SIPp ended with {code}: not every call went as written\n{said}\n{screen}")

    def code(self) -> int:
        """Wait until the last call is over; return how SIPp ended: 0, if every call went as written."""
        try:
            return self.process.wait(self.seconds * 1.5 + 20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
