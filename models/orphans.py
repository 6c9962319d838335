"""A process that was started here does not outlive who started it: the kernel sends it a signal then.

That holds however the parent ends, also by kill -9, and survives the exec of another
program. It ends with the thread that started the process: start such children on a
thread that lasts. A child's own children get nothing; each program sees to its own.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec of a program with threads, nothing may wait for the loader's lock.
_LIBC = ctypes.CDLL(None)


def dies_with(parent: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send this process `by` when its parent ends; `parent` is its pid, as it was before the fork.

    Where that parent is gone already this process ends at once.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(by))
    if os.getppid() != parent:
        os._exit(1)


def dies_with_me(by: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
    """Return what Popen's `preexec_fn` wants: the child gets the signal `by` when this process ends.

    Popen changes the user before it, as it must: the kernel forgets the wish with a change of the user.
    """
    parent = os.getpid()
    return lambda: dies_with(parent, by)
