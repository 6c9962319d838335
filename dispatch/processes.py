"""The two processes of dispatch: the worker (RQ) and the dispatcher (events and sweep)."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from asterisk.manager import ManagerException
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from dispatch import events, outbox, transcripts
from dispatch.ami import Ami
from dispatch.learning import Learner
from dispatch.sweep import sweep
from models import clock
from models.settings import settings

log = logging.getLogger(__name__)

_stop = threading.Event()


def _stop_on_signals() -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        _stop.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def work() -> None:
    """Run the worker: errands one after another, until SIGTERM. A Redis that is away is waited for by RQ."""
    connection = outbox.redis()
    queue = Queue(outbox.QUEUE, connection=connection, serializer=JSONSerializer)
    # No fork for each job: an errand is a row, a word with Asterisk, and a row.
    worker = SimpleWorker([queue], connection=connection, serializer=JSONSerializer, worker_ttl=60)
    worker.work(logging_level="WARNING")


def dispatch() -> None:
    """Run the dispatcher until SIGTERM: listen to Asterisk's events, sweep every `sweep_s` seconds, learn."""
    _stop_on_signals()
    listener = threading.Thread(target=_listen, name="events", daemon=True)
    listener.start()
    threading.Thread(target=transcripts.run, args=(_stop,), name="transcripts", daemon=True).start()
    learner = Learner()
    while not _stop.is_set():
        try:
            sweep()
        except (SQLAlchemyError, RedisError, OSError):
            log.exception("the sweep was cut short; the next one takes it up")
        try:
            learner.round(clock.now())
        except Exception:
            # Nobody's call depends on it: whatever is wrong with a journal, dispatch goes on.
            log.exception("nothing was learnt in this round")
        _stop.wait(settings().sweep_s)


def _listen() -> None:
    """Keep a connection to AMI for events; what is missed while it is down, the sweep finds."""
    pause = 0.5
    while not _stop.is_set():
        ami = Ami(on_event=events.handle)
        try:
            ami.connect(settings().host, settings().ami_port)
            ami.login(settings().ami_user, settings().ami_secret, events="call,agent")
            pause = 0.5
            while not ami.closed.wait(5.0):
                ami.send_action({"Action": "Ping"})
        except ManagerException as error:
            log.warning("no events from Asterisk: %s", error)
        finally:
            ami.close()
        _stop.wait(pause)
        pause = min(pause * 2, 10.0)
