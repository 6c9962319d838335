"""The two processes of dispatch: the worker (RQ) and the dispatcher (events and sweep)."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType
from typing import Any

from asterisk.manager import ManagerException
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from dispatch import campaign_round, events, jobs, outbox, transcripts
from dispatch.ami import Ami
from dispatch.beats import Beat
from dispatch.learning import Learner
from dispatch.mirror import Mirror
from dispatch.sweep import Sweeper
from models import clock
from models.settings import settings

log = logging.getLogger(__name__)

_stop = threading.Event()


def _stop_on_signals() -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        _stop.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


class Worker(SimpleWorker):
    """RQ's worker without a fork for each job: an errand is a row, a word with Asterisk, and a row."""

    sign: Beat

    def heartbeat(self, *args: Any, **more: Any) -> None:
        """At every job, and every few seconds while there is none."""
        self.sign.beat()
        super().heartbeat(*args, **more)

    def perform_job(self, job: Job, queue: Queue, *more: Any) -> bool:
        """Do the job's errands, and count them."""
        done: bool = super().perform_job(job, queue, *more)
        self.sign.done += len(job.args)
        return done


def new_worker() -> Worker:
    """Return a worker of this process, ready to work."""
    connection = outbox.redis()
    queue = Queue(outbox.QUEUE, connection=connection, serializer=JSONSerializer)
    # It waits for a job for `worker_ttl` less 15 s, and then gives a sign of life.
    worker = Worker([queue], connection=connection, serializer=JSONSerializer, worker_ttl=25)
    worker.sign = Beat("worker")
    jobs.on_failure[:] = [worker.sign.failed]
    return worker


def work() -> None:
    """Run the worker: errands one after another, until SIGTERM. A Redis that is away is waited for by RQ."""
    # Redis may be away or full for long: the supervisor must still see that this process lives.
    worker = new_worker()
    worker.sign.beat()
    worker.work(logging_level="WARNING")


def dispatch() -> None:
    """Run the dispatcher until SIGTERM: listen to Asterisk's events, sweep every `sweep_s` seconds, learn."""
    _stop_on_signals()
    listener = threading.Thread(target=_listen, name="events", daemon=True)
    listener.start()
    threading.Thread(target=Mirror().run, args=(_stop,), name="mirror", daemon=True).start()
    threading.Thread(target=transcripts.run, args=(_stop,), name="transcripts", daemon=True).start()
    threading.Thread(target=campaign_round.run, args=(_stop,), name="campaigns", daemon=True).start()
    sign = Beat("dispatcher")
    jobs.on_failure[:] = [sign.failed]
    sweeper = Sweeper(sign.failed)
    # Whoever was here before may have asked for calls a moment ago.
    sweeper.doubt()
    learner = Learner()
    while not _stop.is_set():
        sign.beat()
        try:
            sweeper.round()
        except Exception as error:
            log.exception("the sweep was cut short; the next one takes it up")
            sign.failed("sweep", error)
        sign.done += 1
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
            ami.login(settings().ami_user, settings().ami_secret, events="call,agent,system,user")
            pause = 0.5
            while not ami.closed.wait(5.0):
                ami.send_action({"Action": "Ping"})
        except ManagerException as error:
            log.warning("no events from Asterisk: %s", error)
        except Exception:
            # Without this thread every unanswered call would have to wait for the sweep.
            log.exception("the listener stumbled; it begins anew")
        finally:
            ami.close()
        _stop.wait(pause)
        pause = min(pause * 2, 10.0)
