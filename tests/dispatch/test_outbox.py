"""The outbox is the truth and Redis only a hint: it may be away, emptied, or stopped in its tracks."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import Engine, select

from dispatch import jobs, outbox
from dispatch.outbox import relay, transaction
from models import clock, toolbox
from models.orphans import dies_with_me
from models.session import read
from models.settings import Settings, settings
from models.tables import OutboxEntry
from tests.support.patience import PATIENCE


@pytest.fixture
def valkey(database: Engine, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The embedded server, as `hotline up` starts it."""
    path = settings().redis_socket
    path.parent.mkdir(parents=True, exist_ok=True)
    command = [*toolbox.redis_binary().argv, "--port", "0", "--unixsocket", str(path), "--dir", str(tmp_path)]
    server = subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL, preexec_fn=dies_with_me())
    deadline = time.monotonic() + 5 * PATIENCE
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    yield server
    outbox.redis().close()
    outbox.waker().connection.close()
    server.kill()
    server.wait()


def post(when: float = 0) -> None:
    with transaction() as session:
        outbox.post(session, "offer_order", 1, clock.now() + timedelta(seconds=when))


def queued() -> int:
    return len(outbox.waker().job_ids)


def later(seconds: float) -> int:
    return relay(clock.now() + timedelta(seconds=seconds))


def test_a_commit_wakes_the_worker_with_ids_only(valkey: object) -> None:
    post()
    assert queued() == 1
    (job,) = outbox.waker().jobs
    assert (job.func_name, job.args) == ("dispatch.jobs.run", (1,)) or list(job.args) == [1]


@pytest.mark.parametrize("name", ["a clone", "a=b", "deep/" * 20])
def test_a_worker_reaches_redis_also_from_a_folder_with_an_odd_name(name: str, tmp_path: Path) -> None:
    chosen = Settings(var_dir=tmp_path / name)
    chosen.redis_socket.parent.mkdir(parents=True, exist_ok=True)
    command = [*toolbox.redis_binary().argv, "--port", "0", "--unixsocket", str(chosen.redis_socket), "--save", ""]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=dies_with_me()) as server:
        try:
            connection = Redis.from_url(chosen.redis_location)
            deadline = time.monotonic() + 5 * PATIENCE
            while not chosen.redis_socket.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            # RQ asks so when a worker begins.
            assert str(chosen.redis_socket) in str(connection.client_info()["addr"])
            connection.close()
        finally:
            server.kill()
            chosen.redis_socket.unlink(missing_ok=True)


def test_many_that_are_due_share_jobs_and_each_is_done_by_itself(
    valkey: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One errand that fails is put off; those before and after it in the same job are done."""
    done: list[int] = []

    def errand(subject_id: int) -> None:
        if subject_id == 3:
            raise RuntimeError("broke")
        done.append(subject_id)

    monkeypatch.setitem(jobs.VERBS, "offer_order", errand)
    with transaction() as session:
        for number in range(2 * outbox.AT_ONCE + 1):
            outbox.post(session, "offer_order", number, clock.now())
    assert [len(job.args) for job in outbox.waker().jobs] == [outbox.AT_ONCE, outbox.AT_ONCE, 1]
    SimpleWorker([outbox.waker()], connection=outbox.redis(), serializer=JSONSerializer).work(burst=True)
    assert done == [number for number in range(2 * outbox.AT_ONCE + 1) if number != 3]
    with read() as session:
        left = session.scalars(select(OutboxEntry).where(OutboxEntry.done_at.is_(None))).one()
    assert (left.subject_id, left.failures) == (3, 1)


def test_what_is_rolled_back_wakes_nobody(valkey: object) -> None:
    def fail() -> None:
        with transaction() as session:
            outbox.post(session, "offer_order", 1, clock.now())
            raise RuntimeError("rolled back")

    with pytest.raises(RuntimeError, match="rolled back"):
        fail()
    assert queued() == 0


def test_what_is_due_later_is_relayed_when_it_is_due(valkey: object) -> None:
    post(when=60)
    assert queued() == 0 and later(30) == 0
    assert later(61) == 1 and queued() == 1


def test_an_emptied_redis_is_filled_again(valkey: object) -> None:
    post()
    assert later(2) == 1
    client: Redis = outbox.redis()
    client.flushall()
    assert queued() == 0
    assert later(3) == 0, "it was enqueued a moment ago"
    assert later(40) == 1 and queued() == 1


def test_what_is_done_is_not_enqueued_again(valkey: object) -> None:
    post()
    with transaction() as session:
        session.get_one(OutboxEntry, 1).done_at = clock.now()
    assert later(1000) == 0


@pytest.mark.fault
def test_a_redis_that_stands_still_keeps_nobody_waiting(valkey: subprocess.Popen[bytes]) -> None:
    os.kill(valkey.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        post()
        assert time.monotonic() - began < 1.6 * PATIENCE, "she is on the telephone meanwhile"
    finally:
        os.kill(valkey.pid, signal.SIGCONT)
    with read() as session:
        assert session.get_one(OutboxEntry, 1).done_at is None


@pytest.mark.fault
def test_a_redis_that_is_away_costs_nothing_and_is_caught_up_with(valkey: subprocess.Popen[bytes]) -> None:
    valkey.kill()
    valkey.wait()
    began = time.monotonic()
    post()
    assert later(2) == 0
    assert time.monotonic() - began < PATIENCE
    with read() as session:
        assert session.get_one(OutboxEntry, 1).enqueued_at is None, "the next round tries it again"
