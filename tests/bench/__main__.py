"""`python -m tests.bench [--only P1]`: run the benchmarks, write var/bench.json; 1 if a goal is not met."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from models.settings import ROOT
from tests.bench import (
    intent,
    live,
    memory,
    p1,
    p1b,
    p1s,
    p4,
    p5,
    p6,
    p7,
    p8,
    p9,
    p10,
    p11,
    p12,
    p13,
    recog,
    record,
    report,
    streams,
    usual,
)
from tests.bench.report import Figure

BENCHMARKS: dict[str, Callable[[], Figure]] = {
    "P1": p1.run,
    "P1s": p1s.run,
    "P1b": p1b.run,
    "P1bh": p1b.by_heart,
    "P1m": memory.run,
    "P5": p5.run,
    "P5p95": p5.run_p95,
    "P5wire": p5.run_wire,
    "USUAL": usual.run,
    "INTENT": intent.run,
    "P9": p9.run,
    "P11": p11.run,
    "P12": p12.run,
    "P13": p13.run,
    "P10": p10.run,
    "P10s": p10.run_streams,
    "P3": live.run,
    "P3dense": streams.run_dense,
    "P4": p4.run,
    "P4p95": p4.p95,
    "GATE": streams.gate,
    "RECOG": recog.run,
    "REC": record.run,
    "P6": p6.run,
    "P6ring": p6.run_ring,
    "P6shown": p6.run_shown,
    "P7": p7.run,
    "P8": p8.sqlite,
    "P8pg": p8.postgres,
}
RESULTS = ROOT / "var" / "bench.json"


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=sorted(BENCHMARKS), help="one benchmark instead of all")
    only = parser.parse_args().only
    met = True
    for name, run in BENCHMARKS.items():
        if only not in (None, name):
            continue
        figure = run()
        report.save(RESULTS, name, figure)
        print(report.verdict(name, figure), flush=True)  # noqa: T201
        met = met and figure.met is not False
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
