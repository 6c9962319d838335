"""`/metrics` in the text format of Prometheus, and the page on which admins see queues and workers."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterator, Mapping
from datetime import datetime

from flask import Blueprint, Flask, abort, render_template, request

from dispatch import state
from models import clock
from models.session import read
from models.users import Role
from web.access import allow, open_to_everybody
from web.config import ConsoleSettings

TEXT = "text/plain; version=0.0.4; charset=utf-8"


def init_app(app: Flask, console: ConsoleSettings) -> None:
    """Register both."""
    # The name keeps the guard from reading a session, as for the health checks.
    routes = Blueprint("metrics", __name__)

    @open_to_everybody
    def metrics() -> tuple[str, int, dict[str, str]]:
        if not _may_read(console):
            abort(404)
        with read() as db:
            now = clock.now()
            text = render(state.figures(db, now), state.machine(db, now), now)
        return text, 200, {"Content-Type": TEXT}

    @allow(Role.ADMIN)
    def machine() -> str:
        with read() as db:
            seen = state.machine(db, clock.now())
        return render_template("machine.html", machine=seen, now=clock.now())

    routes.add_url_rule("/metrics", "metrics", metrics)
    routes.add_url_rule("/machine", "machine", machine)
    app.register_blueprint(routes)


def _may_read(console: ConsoleSettings) -> bool:
    """With a token only its bearer; without one this machine alone, and not through a proxy of it."""
    if console.metrics_token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), console.metrics_token.encode())
    forwarded = request.environ.get("hotline.forwarded") or "X-Real-IP" in request.headers
    try:
        return not forwarded and ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def render(figures: state.Figures, machine: state.Machine, now: datetime) -> str:
    """Return the text format. Labels are codes of ours: they need no escaping."""
    return "\n".join(_lines(figures, machine, now)) + "\n"


def _lines(figures: state.Figures, machine: state.Machine, now: datetime) -> Iterator[str]:
    yield from _family("calls_open", "gauge", "Calls by state.", "state", figures.calls)
    yield from _family("orders", "gauge", "Orders by status.", "status", figures.orders)
    yield from _single("orders_late", "gauge", "Open orders whose deadline has passed.", figures.late_orders)
    yield from _family("attempts_total", "counter", "Attempts to dial by outcome.", "outcome", figures.attempts)
    yield from _family("tasks_open", "gauge", "Open tasks by kind.", "kind", figures.tasks)
    yield from _single("dead_numbers", "gauge", "Numbers that do not exist any more.", figures.dead_numbers)
    yield from _family("sms", "gauge", "Text messages by status.", "status", figures.sms)
    yield from _single("sms_segments_total", "counter", "Segments of text messages.", figures.sms_segments)
    waiting = {one.verb: one.waiting for one in machine.errands}
    due = {one.verb: one.due for one in machine.errands}
    yield from _family("outbox_waiting", "gauge", "Errands not done.", "verb", waiting)
    yield from _family("outbox_due", "gauge", "Errands that are due and not done.", "verb", due)
    oldest = min((one.oldest_due_at for one in machine.errands if one.oldest_due_at), default=now)
    age = max(0.0, (now - oldest).total_seconds())
    yield from _single("outbox_oldest_seconds", "gauge", "How long the oldest errand has been due.", age)
    living: dict[str, int] = {"worker": 0, "dispatcher": 0}
    for one in machine.processes:
        living[one.kind] = living.get(one.kind, 0) + one.lives
    yield from _family("processes_living", "gauge", "Processes that say that they are at work.", "kind", living)
    yield from _single("disk_free_bytes", "gauge", "Room where recordings lie.", machine.disk_free)
    yield from _single("disk_low", "gauge", "Whether too little of it is left to record calls.", machine.disk_low)
    yield from _single("recordings_waiting", "gauge", "Recordings in the spool.", machine.recordings_waiting)
    yield from _single("redis_up", "gauge", "Whether Redis answers.", machine.queue is not None)
    if machine.queue is not None:
        yield from _single("queue_jobs", "gauge", "Jobs waiting in Redis.", machine.queue.jobs)
        yield from _single("queue_failed_jobs", "gauge", "Jobs that RQ has given up.", machine.queue.failed)
        yield from _single("queue_workers", "gauge", "Workers that Redis knows.", machine.queue.workers)


def _family(name: str, kind: str, text: str, label: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP hotline_{name} {text}"
    yield f"# TYPE hotline_{name} {kind}"
    for code, value in sorted(values.items()):
        yield f'hotline_{name}{{{label}="{code}"}} {value:g}'


def _single(name: str, kind: str, text: str, value: float) -> Iterator[str]:
    yield f"# HELP hotline_{name} {text}"
    yield f"# TYPE hotline_{name} {kind}"
    yield f"hotline_{name} {value:g}"
