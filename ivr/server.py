"""The FastAGI server: one thread a call, one verb a function, failures go to a person.

The dialplan goes to a person unless HOTLINE_NEXT says "hangup"; only a conversation
that came to its designed end says so. So a killed server, an exception and a
lost connection are all the same to the caller: a person takes the call.
"""

from __future__ import annotations

import gc
import logging
import signal
import socketserver
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import BinaryIO, cast

from asterisk.agi import AGIException, AGIHangup

from ivr import care, inbound, outbound, return_visits, studio, waiting
from ivr.agi import Line, NotAgi
from models.session import serve_callers
from models.settings import settings

log = logging.getLogger(__name__)

# What the dialplan can ask for: `agi://host:port/<verb>`.
VERBS: dict[str, Callable[[Line], None]] = {
    "answer_call": inbound.answer_call,
    "offer": outbound.offer,
    "taken": outbound.taken,
    "callback": outbound.callback,
    "reminder": outbound.reminder,
    "return_visit": return_visits.return_visit,
    "care": care.care,
    "look_in": outbound.look_in,
    "wait": waiting.wait,
    "studio": studio.studio_call,
}
# A prompt of a few seconds, a message of two minutes at most: a line silent for longer is dead (s).
LINE_TIMEOUT_S = 180
# How long calls may go on after SIGTERM (s).
GRACE_S = 60
# How long one call's thread may keep the interpreter while another wants it (s). Python's own 5 ms would be waited at
# every statement of a transaction while all others wait for the database's one writer: calls in dozens were late.
SWITCH_S = 0.0005
GARBAGE_AFTER = 20_000


class _Handler(socketserver.StreamRequestHandler):
    timeout = LINE_TIMEOUT_S
    disable_nagle_algorithm = True

    def handle(self) -> None:
        try:
            line = Line(cast(BinaryIO, self.rfile), cast(BinaryIO, self.wfile))
        except (NotAgi, AGIHangup, OSError) as error:
            log.info("not a call: %s", error)
            return
        if not line.env.get("agi_network_script"):
            return  # The supervisor's health check.
        verb = line.env["agi_network_script"].partition("?")[0]
        try:
            VERBS[verb](line)
        except AGIHangup:
            log.info("%s %s: hung up", verb, line.env.get("agi_uniqueid"))
        except (AGIException, KeyError):
            log.exception("%s %s: the line failed", verb, line.env.get("agi_uniqueid"))
        except Exception:
            # Whatever broke, the caller is not to notice more than a person answering.
            log.exception("%s %s: failed; the call goes to a person", verb, line.env.get("agi_uniqueid"))


class Server(socketserver.ThreadingTCPServer):
    """Listens on settings.agi_port."""

    allow_reuse_address = True
    daemon_threads = True
    # Calls are waited for by `drain`, with a limit; not by the interpreter without one.
    block_on_close = False
    request_queue_size = 256

    def __init__(self) -> None:
        self._calls = 0
        self._idle = threading.Condition()
        super().__init__((settings().host, settings().agi_port), _Handler)

    def process_request(self, request: object, client_address: object) -> None:
        """Count the call in before its thread exists: a stop that comes now must wait for it too."""
        with self._idle:
            self._calls += 1
        try:
            super().process_request(request, client_address)  # type: ignore[arg-type]
        except BaseException:
            self._count_out()
            raise

    def process_request_thread(self, request: object, client_address: object) -> None:
        """Lead the call, and count it out."""
        try:
            super().process_request_thread(request, client_address)  # type: ignore[arg-type]
        finally:
            self._count_out()

    def _count_out(self) -> None:
        with self._idle:
            self._calls -= 1
            self._idle.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:
        """An error outside of a conversation: say so in the log."""
        log.exception("a connection failed")

    def drain(self, seconds: float) -> bool:
        """Wait until the calls in progress are over, at most `seconds`; return whether they are."""
        with self._idle:
            return self._idle.wait_for(lambda: self._calls == 0, timeout=seconds)


def serve() -> None:
    """Serve until SIGTERM; then take no new calls, let the present ones end, and go."""
    serve_callers()
    server = Server()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # What was imported stays for good: the collector need not walk it again in every call.
    gc.collect()
    gc.freeze()
    # A call leaves few circles behind: looked for after every 700 objects, they cost more than they hold (measured side
    # by side with a fake Asterisk: 8.5 against 9.1 ms CPU a call).
    gc.set_threshold(GARBAGE_AFTER)
    sys.setswitchinterval(SWITCH_S)
    with server:
        server.serve_forever(poll_interval=0.2)
        server.server_close()
        if not server.drain(GRACE_S):
            log.warning("stopped with calls in progress; they go on to a person")
