"""How times, people and states look. Times are aware UTC in rows and local only here."""

from __future__ import annotations

from datetime import date, datetime

from babel import dates, units
from flask import Flask
from flask_babel import get_locale

from models import clock
from web import words

# State to tone: the tone gives colour and icon together, so that no state is told by colour alone.
TONES: dict[str, str] = {
    **dict.fromkeys(
        ("accepted", "arrived", "completed", "return_visited", "settled", "confirmed", "person"), "good"
    ),
    **dict.fromkeys(("offered", "open", "dialing", "due", "talking", "answered", "agent", "reopened"), "active"),
    **dict.fromkeys(("needs_agent", "waiting", "declined", "expired", "busy", "no_answer", "no_key"), "warn"),
    **dict.fromkeys(("failed", "lost", "fault", "alarm", "abandoned", "hung_up", "congestion"), "bad"),
}
ICONS: dict[str, str] = {
    "good": "circle-check",
    "active": "progress",
    "warn": "alert-triangle",
    "bad": "alert-circle",
    "calm": "circle-dashed",
}
TASK_ICONS: dict[str, str] = {
    "alarm": "urgent",
    "partial": "message-question",
    "message": "message",
    "missed": "phone-off",
    "no_provider": "user-search",
    "callback": "phone-outgoing",
    "fault": "tool",
}


def init_app(app: Flask) -> None:
    """Give the templates their filters."""
    app.jinja_env.filters.update(
        hms=hms, hm=hm, day=day, moment=moment, age=age, running=running, iso=iso, seconds=seconds
    )
    app.jinja_env.globals.update(
        word=words.word,
        concept=words.concept,
        sentence=words.sentence,
        language_name=words.language_name,
        zone=lambda: str(clock.zone()),
        tone=lambda code: TONES.get(code or "", "calm"),
        tone_icons=ICONS,
        task_icons=TASK_ICONS,
    )


def iso(at: datetime) -> str:
    """A time for machines."""
    return at.isoformat(timespec="seconds")


def hms(at: datetime) -> str:
    """`14:03:22`."""
    return f"{clock.local(at):%H:%M:%S}"


def hm(at: datetime) -> str:
    """`14:03`."""
    return f"{clock.local(at):%H:%M}"


def day(on: date, now: datetime) -> str:
    """`今天`, or the date with its weekday; the year only when it is another one."""
    today = clock.local_date(now)
    codes = {0: "today", 1: "tomorrow", 2: "day_after"}
    near = codes.get((on - today).days)
    if near is not None:
        return words.concept("day", near)
    skeleton = "MMMEd" if on.year == today.year else "yMMMd"
    return str(dates.format_skeleton(skeleton, on, locale=get_locale()))


def moment(at: datetime, now: datetime) -> str:
    """A time of day; with the date when it was not today."""
    on = clock.local_date(at)
    return hm(at) if on == clock.local_date(now) else f"{day(on, now)} {hm(at)}"


def running(since: datetime, now: datetime) -> str:
    """How long a call has lasted: `3:07`, `1:02:07`."""
    total = max(0, int((now - since).total_seconds()))
    hours, rest = divmod(total, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def age(since: datetime, now: datetime) -> str:
    """How long something has waited, roughly: `12分钟`, `3小时`, `2天`."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes < 60:
        return _unit(minutes, "minute")
    return _unit(minutes // 60, "hour") if minutes < 48 * 60 else _unit(minutes // 1440, "day")


def seconds(count: int) -> str:
    """`12秒`."""
    return _unit(count, "second")


def _unit(count: int, unit: str) -> str:
    return units.format_unit(count, f"duration-{unit}", length="short", locale=get_locale())
