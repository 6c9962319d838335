"""The board, and the stream that keeps it right."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from flask import Blueprint, Flask, Response, abort, g, render_template, request

from agents.board import Board, snapshot
from models import clock
from models.session import read
from models.users import Role
from web import i18n, phone
from web.access import Me, allow, deadline, must_be_me, still_valid
from web.config import ConsoleSettings
from web.live import Stream, TooManyStreams, Watcher

# The browser tries again this soon after a lost connection.
RETRY_MS = 1000
PARTS = ("strip", "summary", "calls", "orders", "tasks", "waiting")
# A peer that does not acknowledge for so long is gone; without this a dead stream keeps its thread for minutes.
DEAD_PEER_MS = 30_000


def init_app(app: Flask, console: ConsoleSettings) -> None:
    """Register the board and give `app` its watcher."""
    watcher = Watcher(console)
    app.extensions["watcher"] = watcher
    routes = Blueprint("board", __name__)

    @allow(Role.AGENT)
    def board() -> str:
        with read() as db:
            seen = snapshot(db)
        return render_template("board.html", board=seen, now=clock.now())

    @allow(Role.AGENT)
    def events() -> Response:
        who = must_be_me()
        _notice_dead_peer()
        # Taken here and not in the generator: a refusal must still be able to change the status.
        opening = watcher.stream(who.id)
        try:
            stream = opening.__enter__()
        except TooManyStreams:
            abort(503)
        closing = contextlib.ExitStack()
        closing.push(opening)
        body = _frames(_Reader(watcher, stream, who, i18n.language()), _renderer(app), deadline(console))
        response = Response(body, mimetype="text/event-stream")
        response.call_on_close(closing.close)
        response.headers["X-Accel-Buffering"] = "no"
        return response

    routes.add_url_rule("/", "board", board)
    routes.add_url_rule("/events", "events", events)
    app.register_blueprint(routes)


@dataclass(frozen=True)
class _Reader:
    """Who reads a stream, and in which language."""

    watcher: Watcher
    stream: Stream
    who: Me
    language: str


def _frames(reader: _Reader, render: Callable[[str, Board], dict[str, str]], until: float) -> Iterator[str]:
    """Yield the whole board, then what changes, until the session or the stream ends."""
    watcher, stream = reader.watcher, reader.stream
    sent: dict[str, str] = {}
    yield f"retry: {RETRY_MS}\n\n"
    sight = watcher.now()
    fault, telephone, coming = False, None, None
    while not stream.ended.is_set():
        if sight.fault != fault:
            fault = sight.fault
            yield frame("fault", "1" if fault else "0")
        parts = watcher.rendered(sight, reader.language, partial(render, reader.language))
        for name, html in parts.items():
            if sent.get(name) != html:
                sent[name] = html
                yield frame(name, html)
        mine = sight.phones.get(reader.who.id)
        if mine is not None and mine != telephone:
            telephone = mine
            yield frame("phone", json.dumps(phone.as_json(mine)))
        mine_next = sight.coming.get(reader.who.id, ())
        if mine_next != coming:
            coming = mine_next
            yield frame("coming", json.dumps(coming))
        yield frame("clock", clock.now().isoformat())
        fresh = watcher.next(sight.number, stream)
        if fresh is None and (clock.now().timestamp() > until or not still_valid(reader.who)):
            # The browser comes back with its newest cookie and is refused only if that has ended, too.
            return
        sight = fresh or sight


def _renderer(app: Flask) -> Callable[[str, Board], dict[str, str]]:
    """Return what draws the parts of a board in a language.

    A stream outlives its request, so it carries no context of it: one is made
    for each drawing. Nothing drawn depends on who reads, but for the language.
    """
    environ = request.environ

    def render(language: str, board: Board) -> dict[str, str]:
        with app.request_context(environ):
            g.language = language
            return {name: render_template(f"board/{name}.html", board=board, now=clock.now()) for name in PARTS}

    return render


def frame(event: str, data: str) -> str:
    """Return one event in the form of the event stream."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {event}\n{lines}\n"


def _notice_dead_peer() -> None:
    connection = request.environ.get("gunicorn.socket")
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if connection is not None and option is not None:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, DEAD_PEER_MS)
