"""The live board: one watcher per process, any number of streams.

A stream first gets the whole board, then each part again whenever it has
changed. Nothing is ever sent as a difference, so that a page is right as soon
as it is connected again, whatever it has missed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sqlalchemy.exc import SQLAlchemyError

from agents import ahead, board, presence
from agents.presence import PresenceView
from models import clock
from models.session import read
from web.config import ConsoleSettings

log = logging.getLogger(__name__)

# A user's oldest stream ends when more are opened: a tab that died unseen must not hold a thread.
STREAMS_PER_USER = 8
# Threads kept free for ordinary pages.
SPARE_THREADS = 16


Render = Callable[[board.Board], dict[str, str]]


class TooManyStreams(RuntimeError):
    """All threads for streams are taken."""


@dataclass(frozen=True)
class Sight:
    """The board as last seen. `fault`: the database could not be asked, so it may be old."""

    number: int
    board: board.Board | None
    fault: bool = False
    # How each user stands towards calls, by id: for her own telephone.
    phones: Mapping[int, PresenceView] = field(default_factory=dict)
    # The calls that may ring next at each user's telephone.
    coming: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(eq=False)
class Stream:
    """One open page."""

    user_id: int
    ended: threading.Event = field(default_factory=threading.Event)


class Watcher:
    """Looks at the database for all streams, as long as there are any."""

    def __init__(self, console: ConsoleSettings) -> None:
        self._console = console
        self._most = console.threads - SPARE_THREADS
        self._news = threading.Condition()
        self._streams: OrderedDict[Stream, None] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._sight = Sight(0, None)
        self._asked_at = 0.0
        self._asking = threading.Lock()
        self._rendered: dict[tuple[int, str], dict[str, str]] = {}
        self.stopping: Callable[[], bool] = lambda: False

    @contextmanager
    def stream(self, user_id: int) -> Iterator[Stream]:
        """Open a stream for a user; the watcher runs while at least one is open.

        Raises:
            TooManyStreams: no thread is left for one more.
        """
        stream = Stream(user_id)
        with self._news:
            mine = [other for other in self._streams if other.user_id == user_id]
            for other in mine[: max(0, len(mine) - STREAMS_PER_USER + 1)]:
                self._end(other)
            if len(self._streams) >= self._most:
                raise TooManyStreams
            self._streams[stream] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="board-watcher", daemon=True)
                self._thread.start()
        try:
            yield stream
        finally:
            with self._news:
                self._end(stream)

    def _end(self, stream: Stream) -> None:
        stream.ended.set()
        self._streams.pop(stream, None)
        self._news.notify_all()

    def now(self) -> Sight:
        """Return the board as it is now. Many who ask at once cause one question to the database."""
        with self._asking:
            if time.monotonic() - self._asked_at > self._console.watch_s:
                self._look()
        return self._sight

    def next(self, after: int, stream: Stream) -> Sight | None:
        """Wait, for a heartbeat at most, for a sight newer than `after`; None if none comes or the stream ends."""
        with self._news:
            self._news.wait_for(lambda: self._sight.number != after or stream.ended.is_set(), self._console.heartbeat_s)
            return self._sight if self._sight.number != after and not stream.ended.is_set() else None

    def rendered(self, sight: Sight, language: str, render: Render) -> dict[str, str]:
        """Return the board's parts in `language`; drawn once for all who read that language."""
        if sight.board is None:
            return {}
        key = (sight.number, language)
        parts = self._rendered.get(key)
        if parts is None:
            parts = render(sight.board)
            # Two streams may draw the same at the same time; both results are equal.
            self._rendered = {k: v for k, v in self._rendered.items() if k[0] == sight.number} | {key: parts}
        return parts

    def _run(self) -> None:
        version: object = None
        looked_at = 0.0
        while True:
            with self._news:
                if not self._streams or self.stopping():
                    for stream in list(self._streams):
                        self._end(stream)
                    self._thread = None
                    return
            try:
                with read() as session:
                    seen = (board.version(session), presence.version(session))
                if seen != version or time.monotonic() - looked_at > self._console.refresh_s or self._sight.fault:
                    version, looked_at = seen, time.monotonic()
                    with self._asking:
                        self._look()
            except Exception as error:  # A watcher that dies would leave every board frozen without a word.
                log.error("the board's watcher stumbled: %s", type(error).__name__)
                self._publish(None)
            time.sleep(self._console.watch_s)

    def _look(self) -> None:
        try:
            with read() as session:
                coming = ahead.coming(session, clock.now())
                self._publish(board.snapshot(session), presence.views(session), coming)
        except SQLAlchemyError:
            self._publish(None)
        self._asked_at = time.monotonic()

    def _publish(
        self,
        seen: board.Board | None,
        phones: Mapping[int, PresenceView] | None = None,
        coming: Mapping[int, tuple[str, ...]] | None = None,
    ) -> None:
        with self._news:
            old = self._sight
            fault = seen is None
            if fault and not old.fault:
                # Without the traceback: a statement's parameters can be names and numbers.
                log.error("the board's watcher cannot ask the database")
            fresh = seen if seen is not None else old.board
            telephones = old.phones if phones is None else phones
            next_calls = old.coming if coming is None else coming
            sight = Sight(old.number, fresh, fault, telephones, next_calls)
            if sight != old:
                self._sight = replace(sight, number=old.number + 1)
                self._news.notify_all()
