"""The FastAGI server under a profiler, for the bench only: `python -m tests.bench.profiled_agi`.

One call at a time is profiled, by its own thread's CPU time; the sum is written
at the end to the file that BENCH_PROFILE names. A profiler slows what has many
small functions more than the rest: the shares are right to a few per cent.
"""

from __future__ import annotations

import cProfile
import itertools
import os
import threading
import time

from ivr import server
from models import logs

_one = threading.Lock()
_seen = itertools.count()
_profile = cProfile.Profile(time.thread_time)
WARM_UP = 10


class ProfiledServer(server.Server):
    """Profiles a call's whole thread, whenever no other call is being profiled; not the first ones, which warm up."""

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Serve one call."""
        if next(_seen) < WARM_UP or not _one.acquire(blocking=False):
            super().process_request_thread(request, client_address)
            return
        try:
            _profile.runcall(super().process_request_thread, request, client_address)
        finally:
            _one.release()


if __name__ == "__main__":
    logs.configure()
    server.Server = ProfiledServer  # type: ignore[misc]
    server.serve()
    _profile.dump_stats(os.environ["BENCH_PROFILE"])
