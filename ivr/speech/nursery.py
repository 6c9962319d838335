"""Loads one language's model and keeps recognising processes alive that share its memory.

Loading takes seconds and half a gigabyte; a fork of the process that has done
it takes 10 ms and 10 MB. This process itself never decodes, so Vosk cannot
abort it: whatever becomes of a recogniser, the next one is there at once.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

from ivr.speech import wire
from ivr.speech.models import load
from ivr.speech.recogniser import LoadedModel
from ivr.speech.wire import Kind, Message
from ivr.speech.worker import Worker
from models.orphans import dies_with

log = logging.getLogger(__name__)

# A process that died within a second of its birth may have no better heirs.
_INFANT_S = 1.0
_MOURNING_S = 0.2


def fork(child: Callable[[], None], orphaned: signal.Signals = signal.SIGKILL) -> int:
    """Forks; the child runs `child` and ends, and gets the signal `orphaned` when this process dies. Returns its pid.

    Only for processes with a single thread.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        dies_with(parent, orphaned)
        child()
        code = 0
    except BaseException:
        log.exception("a process of the speech server ended")
    finally:
        # No clean-up of what belongs to the parent, and no waiting for a thread in native code.
        os._exit(code)


def run(language: str, folder: Path, address: str, count: int) -> None:
    """Loads the model in `folder` and keeps `count` recognisers connected to `address`. Never returns."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # The end of the speech server is its own affair; this process ends with it.
        signal.signal(number, signal.SIG_IGN)
    began = time.monotonic()
    try:
        model = load(folder)
    except OSError as error:
        log.error("speech model for %s: %s", language, error)
        _say_that_it_failed(language, address)
        return
    log.info("speech model for %s ready in %.1f s", language, time.monotonic() - began)
    born: dict[int, float] = {}
    while True:
        while len(born) < count:
            born[fork(lambda: _work(model, language, address))] = time.monotonic()
        pid, status = os.wait()
        age = time.monotonic() - born.pop(pid, 0.0)
        if status:
            log.warning("a recogniser for %s died: status %d", language, status)
        if age < _INFANT_S:
            time.sleep(_MOURNING_S)


def _work(model: LoadedModel, language: str, address: str) -> None:
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(address)
        Worker(model, language, peer).serve()


def _say_that_it_failed(language: str, address: str) -> None:
    """Tell each speech server that comes, until this process is killed."""
    while True:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(address)
            peer.sendall(Message(Kind.FAILED, payload=wire.dump({"language": language, "pid": os.getpid()})).packed())
            while peer.recv(4096):
                continue
        time.sleep(_MOURNING_S)
