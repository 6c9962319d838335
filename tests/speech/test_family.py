"""The processes of the speech server die, stand still and come again; the utterance in hand does not notice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest

from ivr.speech import SPEAKING
from tests.speech.fakes import Peer, peer
from tests.speech.support import Voice, health, silence
from tests.speech.test_process import free_port, process
from tests.support.patience import PATIENCE

pytestmark = [pytest.mark.speech, pytest.mark.fault, pytest.mark.xdist_group("speech-processes")]


class Family:
    """The running processes, by their places in the tree."""

    def __init__(self, port: int, parent: int) -> None:
        self.port = port
        self._parent = psutil.Process(parent)

    @property
    def server(self) -> psutil.Process:
        """The child without a child."""
        return next(child for child in self._parent.children() if not child.children())

    @property
    def nursery(self) -> psutil.Process:
        return next(child for child in self._parent.children() if child.children())

    @property
    def recognisers(self) -> list[psutil.Process]:
        return self.nursery.children()

    def waits(self, until: Callable[[], bool], seconds: float = 5) -> float:
        """How long it took."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            with suppress(OSError, psutil.Error, StopIteration, KeyError):
                if until():
                    return time.monotonic() - began
            time.sleep(0.01)
        raise AssertionError(f"not within {seconds} s")

    def is_whole(self) -> bool:
        status, told = health(self.port)
        return status == 200 and told["recognisers"] == {"ko": len(self.recognisers)} and len(self.recognisers) >= 2


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    port = free_port()
    with process(port, tmp_path_factory.mktemp("family")) as parent:
        yield Family(port, parent.pid)


@pytest.fixture
def family(running: Family) -> Iterator[Family]:
    """All there at the start of each test."""
    running.waits(running.is_whole, 20)
    yield running


def half_a_word(caller: Peer, voice: Voice) -> bytes:
    """She begins to say "tomorrow"; returns the rest of it."""
    caller.begin("day")
    whole = silence(800) + voice.say("내일")
    cut = len(whole) * 3 // 4 // 320 * 320
    caller.play(whole[:cut])
    assert caller.result()["text"] == SPEAKING
    time.sleep(0.1)
    return whole[cut:]


def with_the_utterance(family: Family, before: dict[int, float]) -> psutil.Process:
    """The recogniser that has computed most since `before`."""
    return max(family.recognisers, key=lambda one: sum(one.cpu_times()[:2]) - before[one.pid])


@pytest.mark.parametrize("end", [signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP], ids=lambda s: s.name)
def test_a_recogniser_ends_mid_word_and_the_word_is_understood(
    family: Family, voice: Voice, end: signal.Signals
) -> None:
    with peer(family.port) as caller, peer(family.port) as other:
        other.begin("day")
        before = {one.pid: sum(one.cpu_times()[:2]) for one in family.recognisers}
        rest = half_a_word(caller, voice)
        os.kill(with_the_utterance(family, before).pid, end)
        caller.play(rest + silence(1200))
        began = time.monotonic()
        assert caller.result()["text"] == "내일"
        # A dead one is noticed at once, a stalled one after a second.
        assert time.monotonic() - began < (4 if end == signal.SIGSTOP else 2) * PATIENCE
        other.play(silence(800) + voice.say("내일") + silence(100))
        assert other.result()["text"] == SPEAKING
        other.play(silence(1200))
        assert other.result()["text"] == "내일"
    assert family.waits(family.is_whole) < 1.5
    assert health(family.port)[1]["recogniser_deaths"] != 0


@pytest.mark.parametrize("end", [signal.SIGABRT, signal.SIGSTOP], ids=lambda s: s.name)
def test_the_server_itself_ends_and_the_next_one_has_the_model(
    family: Family, voice: Voice, end: signal.Signals
) -> None:
    born = family.server.pid
    restarts = health(family.port)[1]["restarts"]
    os.kill(born, end)
    # One that stands still is noticed after a second.
    took = family.waits(lambda: health(family.port)[1]["restarts"] != restarts and family.is_whole())
    assert took < (2.5 if end == signal.SIGSTOP else 1.0) * PATIENCE
    assert family.server.pid != born
    with peer(family.port) as caller:
        rest = half_a_word(caller, voice)
        caller.play(rest + silence(1200))
        assert caller.result()["text"] == "내일"


def test_all_recognisers_die_at_once_and_heirs_are_there_at_once(family: Family, voice: Voice) -> None:
    with peer(family.port) as caller:
        rest = half_a_word(caller, voice)
        for one in family.recognisers:
            one.kill()
        caller.play(rest + silence(1200))
        assert caller.result()["text"] == "내일"
    assert family.waits(family.is_whole) < 1.5


def test_heirs_share_the_model_s_memory(family: Family) -> None:
    for one in family.recognisers:
        details = one.memory_full_info()
        assert details.rss > 300e6, "the model is there"
        assert details.uss < 100e6, "and is nobody's own"
