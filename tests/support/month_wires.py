"""What brings errands to the worker of a simulated month: a list in memory, or a real Redis that is killed."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from redis.exceptions import RedisError
from rq.job import Job
from rq.serializers import JSONSerializer

from dispatch import outbox
from models import toolbox
from models.settings import settings

# A month puts its own in this one's place.
REAL_WAKE = outbox.wake


class Wires:
    """What brings jobs to the worker, in memory: for the small month of `make test`."""

    def __init__(self) -> None:
        self._jobs: list[list[int]] = []

    def wake(self, ids: list[int]) -> int:
        """Take the jobs as `outbox.wake` does."""
        self._jobs += [[one] for one in ids]
        return len(ids)

    def next_job(self) -> list[int]:
        """Return the errands of the next job; none where there is no job."""
        return self._jobs.pop(0) if self._jobs else []

    def emptied(self) -> None:
        """Redis loses everything."""
        self._jobs.clear()

    def close(self) -> None:
        """The month is over."""


class RedisWires(Wires):
    """A real Redis, to which `outbox.wake` speaks; it is killed, stays away for some rounds, and comes back empty."""

    AWAY_ROUNDS = 3

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder, self._away = folder, 0
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    def _start(self) -> None:
        socket = settings().redis_socket
        socket.parent.mkdir(parents=True, exist_ok=True)
        socket.unlink(missing_ok=True)
        command = (*toolbox.redis_binary().argv, "--port", "0", "--unixsocket", str(socket), "--save", "")
        self._process = subprocess.Popen(command, cwd=self._folder, stdout=subprocess.DEVNULL)
        while not self._answers():
            time.sleep(0.01)

    @staticmethod
    def _answers() -> bool:
        try:
            return bool(outbox.redis().ping())
        except (RedisError, OSError):
            return False

    def wake(self, ids: list[int]) -> int:
        """Enqueue as everywhere."""
        return REAL_WAKE(ids)

    def next_job(self) -> list[int]:
        """Take the next job from RQ's queue, as its worker does."""
        if self._away:
            self._away -= 1
            if self._away:
                return []
            self._start()
        queue = outbox.waker()
        job_id = queue.connection.lpop(queue.key)
        if not isinstance(job_id, bytes):
            return []
        job = Job.fetch(job_id.decode(), connection=queue.connection, serializer=JSONSerializer)
        job.delete()
        return list(job.args)

    def emptied(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process, self._away = None, self.AWAY_ROUNDS

    def close(self) -> None:
        """Stop it."""
        self.emptied()
