"""The network as a process: it starts, ends, keeps its problems, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ivr.tones import render
from tests.support.call import Call
from tests.support.carrier import Carrier
from tests.support.ports import PortBlock

pytestmark = pytest.mark.call


def test_keys_by_sip_info() -> None:
    with Carrier(dtmf="info") as network:
        phone = network.phone("+864519000001").listens(ring=0)
        network.phone("+864519000002").rings(phone.number).answered().presses("19#")
        phone.is_rung().receives("19#", within=1)


def test_a_problem_of_a_called_phone_is_raised_at_the_end(tmp_path: Path) -> None:
    def breaks(call: Call) -> None:
        call.answers()
        raise ZeroDivisionError("in a habit")

    with pytest.raises(ZeroDivisionError) as failure, Carrier(folder=tmp_path) as network:
        phone = network.phone("+864510000002").when_called(breaks)
        network.phone("+864510000001").rings(phone.number).answered().is_hung_up_by_hotline()
    assert "+864510000002 rung by +864510000001" in "".join(failure.value.__notes__)
    assert len(list(tmp_path.glob("*.wav"))) == 2, "the sound of both calls is kept"


def greets(call: Call) -> None:
    call.answers().plays(render("greeting"))


def test_two_networks_side_by_side() -> None:
    with Carrier() as one, Carrier() as two:
        one.hotline = two.address
        two.phone("+864510000009").when_called(greets)
        one.phone("+864510000001").rings("+864510000009").hears("greeting")
        two.phone("+864510000009").was_rung(times=1)
        folders = [one.folder, two.folder]
    assert not any(folder.exists() for folder in folders)


def test_nothing_is_left_when_the_owner_is_killed(tmp_path: Path) -> None:
    script = (
        "import time; from tests.support.carrier import Carrier\n"
        "import pathlib, sys\n"
        "with Carrier(folder=pathlib.Path(sys.argv[1])) as network:\n"
        "    print(network.pid, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout:
        pid = int(owner.stdout.readline())
    assert psutil.pid_exists(pid)
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).wait(3) is None


def test_ports_are_never_shared() -> None:
    one, two = PortBlock(), PortBlock()
    try:
        assert one.first != two.first and one.rtp[1] < one.first + 400
        # Who had the block before may still be on its way out: what is free now is asked for.
        free = one.take()
        with socket.create_server(("127.0.0.1", free)):
            one._next = free
            assert one.take() != free, "a port in use is passed over"
    finally:
        one.release()
        two.release()


def test_many_calls_at_once() -> None:
    """Twenty at once, each with its own prompt and its own key."""
    with Carrier() as network:
        network.learn(["goodbye"])
        pairs = []
        for number in range(20):
            key = f"prompt_{number}"
            network.learn([key])

            def habit(call: Call, key: str = key, digit: str = str(number % 10)) -> None:
                call.rings_for(0).answers().plays(render(key)).receives(digit)
                call.plays(render("goodbye")).hangs_up()

            called = network.phone(f"+8645188{number:06d}").when_called(habit)
            pairs.append((network.phone(f"+8645177{number:06d}").rings(called.number), key, str(number % 10)))
        for call, key, _ in pairs:
            call.answered().hears(key)
        for call, _, digit in pairs:
            call.presses(digit)
        for call, key, _ in pairs:
            call.hears("goodbye").is_hung_up_by_hotline()
            assert [what for _, what in call.heard] == [key, "goodbye"]
