"""How times, people and states look. Times are aware UTC in rows and local only here."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, timedelta
from functools import lru_cache

from babel import Locale, dates, units
from flask import Flask, g, url_for
from flask_babel import get_locale

from agents.journal import JournalLine
from models import clock, vocabulary
from models.settings import settings
from web import words

# State to tone: the tone gives colour and icon together, so that no state is told by colour alone.
TONES: dict[str, str] = {
    **dict.fromkeys(
        ("accepted", "arrived", "completed", "return_visited", "settled", "confirmed", "person", "delivered"), "good"
    ),
    **dict.fromkeys(
        ("offered", "open", "dialing", "due", "talking", "answered", "agent", "reopened", "sending", "sent"), "active"
    ),
    **dict.fromkeys(
        ("needs_agent", "waiting", "declined", "expired", "busy", "no_answer", "no_key", "soon", "unknown"), "warn"
    ),
    **dict.fromkeys(
        ("failed", "lost", "fault", "alarm", "late", "abandoned", "hung_up", "congestion", "undelivered"), "bad"
    ),
    # How agents stand, on the wallboard.
    **{"presence_ready": "good", "presence_ringing": "warn", "presence_talking": "active"},
}
ICONS: dict[str, str] = {
    "good": "circle-check",
    "active": "progress",
    "warn": "alert-triangle",
    "bad": "alert-circle",
    "calm": "point",
}
# Codes that say more with an icon of their own.
STATE_ICONS: dict[str, str] = {
    "dialing": "phone-outgoing",
    "talking": "robot",
    "waiting": "hourglass",
    "agent": "headset",
    "goodbye": "check",
    "message": "message",
    "hung_up": "phone-off",
    "abandoned": "phone-off",
    "not_answered": "phone-off",
    "no_answer": "phone-off",
    "cancelled": "ban",
    "withdrawn": "ban",
    "due": "clock",
    "queued": "clock",
}
TASK_ICONS: dict[str, str] = {
    "alarm": "urgent",
    "partial": "message-question",
    "message": "message",
    "missed": "phone-off",
    "no_provider": "user-search",
    "callback": "phone-outgoing",
    "ring_back": "phone-outgoing",
    "tell_provider": "phone-outgoing",
    "dissatisfied": "message-question",
    "unreachable": "phone-off",
    "word": "message",
    "late": "clock",
    "check_item": "building-store",
    "dead_number": "phone-off",
    "check_visit": "phone-incoming",
    "fault": "tool",
    "care": "heart",
    "follow_up": "heart",
    "go_there": "map-pin",
    "sms": "message",
}

SETTING_ICONS: dict[str, str] = {
    "pace": "hourglass",
    "volume": "volume",
    "person_first": "headset",
    "language": "language",
    "sms": "message",
    "dialect": "ear",
}

# Kind of a journal entry to tone and icon.
JOURNAL: dict[str, tuple[str, str]] = {
    "answered": ("calm", "phone"),
    "identified": ("calm", "user-check"),
    "turn": ("calm", "message"),
    "slot": ("good", "check"),
    "language": ("calm", "language"),
    "order_placed": ("good", "clipboard-list"),
    "order_known": ("good", "clipboard-list"),
    "offer_accepted": ("good", "circle-check"),
    "offer_declined": ("warn", "alert-triangle"),
    "offer_too_late": ("warn", "hourglass"),
    "callback_confirmed": ("good", "circle-check"),
    "to_person": ("warn", "arrows-transfer-up"),
    "wait_told": ("warn", "hourglass"),
    "ring_back": ("good", "phone-outgoing"),
    "agent_rung": ("active", "phone-incoming"),
    "agent_answered": ("good", "headset"),
    "agent_missed": ("warn", "phone-off"),
    "agent_lost": ("bad", "phone-off"),
    "transferred": ("calm", "transfer"),
    "message": ("warn", "message"),
    "speech_off": ("warn", "microphone-off"),
    "recording": ("calm", "microphone"),
    "fault": ("bad", "alert-circle"),
    "hung_up": ("bad", "phone-off"),
    "ended": ("calm", "phone-off"),
    "heard": ("calm", "message"),
}


def journal_tone(entry: JournalLine) -> str:
    """The tone of a journal entry; a turn without a usable answer is marked."""
    if entry.kind == "turn" and entry.how in ("silence", "unknown"):
        return "warn"
    return JOURNAL.get(entry.kind, ("calm", ""))[0]


def journal_icon(entry: JournalLine) -> str:
    """The icon of a journal entry; unknown kinds get the plain one."""
    if entry.kind == "turn" and entry.how == "key":
        return "keyboard"
    return JOURNAL.get(entry.kind, ("", "circle-dashed"))[1]


def init_app(app: Flask) -> None:
    """Give the templates their filters."""
    app.jinja_env.filters.update(
        hm=hm,
        hms=hms,
        local_date=clock.local_date,
        day=day,
        moment=moment,
        age=age,
        running=running,
        duration=duration,
        iso=iso,
        seconds=seconds,
        roughly=roughly,
        telephone=telephone,
    )
    app.jinja_env.globals.update(
        word=words.word,
        concept=words.concept,
        sentence=words.sentence,
        slot=slot,
        language_name=words.language_name,
        setting_value=words.setting_value,
        setting_icons=SETTING_ICONS,
        sprite=sprite,
        zone=lambda: str(clock.zone()),
        clock_now=clock.now,
        tone=lambda code: TONES.get(code or "", "calm"),
        state_icon=lambda code: STATE_ICONS.get(code or "") or ICONS[TONES.get(code or "", "calm")],
        task_icons=TASK_ICONS,
        journal_tone=journal_tone,
        journal_icon=journal_icon,
    )


def iso(at: datetime) -> str:
    """A time for machines."""
    return at.isoformat(timespec="seconds")


def telephone(number: str) -> str:
    """A number in groups, as people read it out: `138 0000 0000`, `0451 8000 0000`."""
    area = settings().area_code
    if len(number) == 11 and number.startswith("1"):
        return f"{number[:3]} {number[3:7]} {number[7:]}"
    if number.startswith(area) and len(number) - len(area) == 8:
        return f"{area} {number[-8:-4]} {number[-4:]}"
    return number


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
    return _date(on, skeleton, get_locale())


def slot(name: str, code: str, said_at: datetime, now: datetime) -> str:
    """What was understood of a request: a day of the calendar, in older rows seen from the day on which she said it."""
    if name == "day" and code[:1].isdigit():
        with suppress(ValueError):
            return day(date.fromisoformat(code), now)
    ahead = list(vocabulary.DAY).index(code) if name == "day" and code in vocabulary.DAY else None
    if ahead is None:
        return words.concept(name, code)
    return day(clock.local_date(said_at) + timedelta(days=ahead), now)


def moment(at: datetime, now: datetime) -> str:
    """A time of day; with the date when it was not today."""
    on = clock.local_date(at)
    return hm(at) if on == clock.local_date(now) else f"{day(on, now)} {hm(at)}"


def running(since: datetime, now: datetime) -> str:
    """How long a call has lasted: `3:07`, `1:02:07`."""
    return duration(max(0, int((now - since).total_seconds())))


def duration(seconds: float) -> str:
    """Hours, minutes and seconds: `1:02:07`, `3:07`."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def age(since: datetime, now: datetime) -> str:
    """How long something has waited, roughly: `12分钟`, `3小时`, `2天`."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if not minutes:
        return f"< {_unit(1, 'minute')}"
    if minutes < 60:
        return _unit(minutes, "minute")
    return _unit(minutes // 60, "hour") if minutes < 48 * 60 else _unit(minutes // 1440, "day")


def seconds(count: int) -> str:
    """`12秒`."""
    return _unit(count, "second")


def roughly(count: int) -> str:
    """Seconds as whole minutes or hours: `10分钟`, `1小时`."""
    return _unit(count // 3600, "hour") if count >= 3600 else _unit(max(1, count // 60), "minute")


def _unit(count: int, unit: str) -> str:
    return _counted(count, f"duration-{unit}", get_locale())


# A board shows the same few days and durations hundreds of times, and Babel works each of them out from its tables.
@lru_cache(2000)
def _counted(count: int, unit: str, locale: Locale | None) -> str:
    return units.format_unit(count, unit, length="short", locale=locale)


@lru_cache(2000)
def _date(on: date, skeleton: str, locale: Locale | None) -> str:
    return str(dates.format_skeleton(skeleton, on, locale=locale))


def sprite() -> str:
    """Return the address of the icons. Worked out once a request, for a board has hundreds of them."""
    if "sprite" not in g:
        g.sprite = url_for("static", filename="vendor/tabler-icons/sprite.svg")
    return str(g.sprite)
