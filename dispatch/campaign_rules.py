"""When a campaign may ring, how fast, and what follows an outcome: defaults as data, changed by the campaign. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from models import clock
from models.calling_hours import ANY, Hours
from models.dialing import Outcome

Span = tuple[int, int]  # minutes after local midnight: from, to
# A day so far ahead always has an opening, unless there is none at all.
_HORIZON_DAYS = 40
# "Another hour of the day" is at least so far from the hour that was tried.
OTHER_HOUR = timedelta(hours=3)
OTHER = "other_hour"

T = TypeVar("T")


@dataclass(frozen=True)
class Window:
    """Hours in which elders may be rung: on workdays, the noon rest left out; with `days_off` on holidays too."""

    spans: tuple[Span, ...] = ((9 * 60, 11 * 60 + 30), (14 * 60 + 30, 18 * 60))
    days_off: bool = False
    own: Hours = ANY  # of one elder

    def __post_init__(self) -> None:
        spans = tuple((int(start), int(end)) for start, end in self.spans)
        if not all(0 <= start < end <= 24 * 60 for start, end in spans):
            raise ValueError(f"not the minutes of a day: {self.spans}")
        object.__setattr__(self, "spans", tuple(sorted(spans)))

    def only(self, own: Hours) -> Window:
        """Return the window narrowed to an elder's own hours; hers hold where they lie outside of it."""
        return replace(self, own=own, days_off=self.days_off or own.only_days_off)

    def on(self, day: date) -> tuple[Span, ...]:
        """Return the spans of a day."""
        from models import workdays  # The calendar is large, and only campaigns ask it.

        return self.own.on(day, self.spans) if self.days_off or workdays.is_workday(day) else ()

    def is_open(self, moment: datetime) -> bool:
        """Return whether somebody may be rung at `moment`."""
        local = clock.local(moment)
        minute = local.hour * 60 + local.minute
        return any(start <= minute < end for start, end in self.on(local.date()))

    def next_open(self, moment: datetime) -> datetime:
        """Return `moment`, or the next moment at which somebody may be rung.

        Raises:
            ValueError: the window never opens.
        """
        for start, end in self._openings(moment):
            if end > moment:
                return max(start, moment)
        raise ValueError("the window never opens")

    def after(self, moment: datetime, work: timedelta) -> datetime | None:
        """Return when so much time inside of the window has passed; None if not within the horizon."""
        for start, end in self._openings(moment):
            begin = max(start, moment)
            if end - begin >= work:
                return begin + work
            work -= max(end - begin, timedelta())
        return None

    def another_hour(self, tried: datetime) -> datetime:
        """Return the next opening at another hour of the day than `tried`: in the other half, if there is one."""
        earliest = tried + OTHER_HOUR
        was = _minute(tried)
        for start, end in self._openings(earliest):
            begin = max(start, earliest)
            if begin < end and abs(_minute(begin) - was) >= OTHER_HOUR.seconds // 60:
                return begin
        return self.next_open(tried + timedelta(days=1))

    def _openings(self, since: datetime) -> list[tuple[datetime, datetime]]:
        first = clock.local_date(since)
        return [
            (_at(day, start), _at(day, end))
            for ahead in range(_HORIZON_DAYS)
            for day in (first + timedelta(days=ahead),)
            for start, end in self.on(day)
            if _at(day, end) > since
        ]


def _minute(moment: datetime) -> int:
    local = clock.local(moment)
    return local.hour * 60 + local.minute


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(), clock.zone()) + timedelta(minutes=minute)


@dataclass(frozen=True)
class Pace:
    """How fast a campaign rings."""

    at_once: int = 10  # calls at the same time
    per_second: float = 1.0
    inbound_share: float = 0.4  # of the trunk's channels, left for those who ring us
    per_free_agent: float = 4.0  # about one answer in four is silence, which an agent takes over

    def __post_init__(self) -> None:
        if self.at_once < 1 or self.per_second <= 0 or not 0 <= self.inbound_share < 1 or self.per_free_agent < 1:
            raise ValueError(f"not a pace: {self}")


@dataclass(frozen=True)
class Load:
    """What goes on now: calls of ours, calls to us, who waits for a person, agents who are free."""

    outbound: int
    inbound: int
    waiting: int
    free_agents: int
    channels: int  # of the trunk


def room(pace: Pace, load: Load, mine: int, automatic: int) -> int:
    """Return how many more calls may begin now.

    `mine`: calls of this campaign under way; `automatic`: those of all campaigns, which share the free agents.
    Whoever rings us comes first: while somebody waits for a person no machine rings anybody, and each inbound
    call beyond the reserved share takes a channel from the campaigns.
    """
    if load.waiting:
        return 0
    reserved = max(round(load.channels * pace.inbound_share), load.inbound)
    by_trunk = load.channels - reserved - load.outbound
    by_agents = int(load.free_agents * pace.per_free_agent) - automatic
    return max(0, min(pace.at_once - mine, by_trunk, by_agents))


@dataclass(frozen=True)
class CareRule:
    """What follows an outcome of a care call: pauses one after another, in seconds or "other_hour", then the end.

    `counts`: whether it uses up one of the campaign's attempts. `then`: what follows when the pauses are used up:
    "escalate", "agent" (a person rings her), or "next" (her next number).
    """

    pauses: tuple[float | str, ...] = (OTHER,)
    counts: bool = True
    then: str = "escalate"

    def __post_init__(self) -> None:
        object.__setattr__(self, "pauses", tuple(self.pauses))
        sound = all(one == OTHER or (isinstance(one, int | float) and one >= 0) for one in self.pauses)
        if not sound or self.then not in ("escalate", "agent", "next"):
            raise ValueError(f"not a rule of a care call: {self}")

    def pause(self, times: int) -> float | str | None:
        """Return the pause after this outcome came for the nth time; the last one stays. None: no more attempts."""
        return self.pauses[min(times, len(self.pauses)) - 1] if self.pauses else None


_FAULT = CareRule(pauses=(60, 300, OTHER), counts=False)
RULES: Mapping[str, CareRule] = {
    # Ten minutes: she was in the bath. After that another hour of the day.
    Outcome.NO_ANSWER: CareRule(pauses=(600, OTHER)),
    Outcome.BUSY: CareRule(pauses=(180, 900, OTHER)),
    Outcome.MACHINE: CareRule(pauses=(OTHER,)),
    Outcome.HUNG_UP: CareRule(pauses=(OTHER,)),
    # Answered and then nothing: rung again after ten minutes, and then a person (domain.md: 24 % of elders).
    Outcome.SILENT: CareRule(pauses=(600,), then="agent"),
    Outcome.NO_KEY: CareRule(pauses=(600, OTHER)),
    Outcome.INVALID: CareRule(pauses=(), then="next"),
    Outcome.REFUSED: CareRule(pauses=(), then="next"),
    Outcome.CONGESTION: _FAULT,
    Outcome.LOST: _FAULT,
    # Taken back before it was dialled: the campaign was paused, or its window closed.
    Outcome.TOO_LATE: CareRule(pauses=(0,), counts=False),
    # She wanted a person before anything was proved: a person sees to it.
    Outcome.PERSON: CareRule(pauses=(), then="agent"),
}
SILENCES_BEFORE_AGENT = 2


@dataclass(frozen=True)
class Steps:
    """How an escalation goes on, and by when."""

    order: tuple[str, ...] = ("contact", "butler", "go_there")
    promise_h: float = 2  # who has promised to look in has so long; then she is rung again
    go_there_h: float = 24  # by then somebody has been at her door
    go_there_high_h: float = 4  # the same for an elder at high risk
    attempts: int = 2  # so often one contact's telephone is tried
    retry_s: float = 600

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", tuple(self.order))
        if not self.order or self.order[-1] != "go_there" or set(self.order) > {"contact", "butler", "go_there"}:
            raise ValueError("an escalation goes to contact, butler, go_there, and ends with somebody who goes there")


def window_of(changes: Mapping[str, Any]) -> Window:
    """Return the default window with a campaign's changes.

    Raises:
        ValueError: what is changed is no part of a window, or makes none.
    """
    if "own" in changes:
        raise ValueError("an elder's own hours are no part of a campaign")
    return _changed(Window(), changes)


def pace_of(changes: Mapping[str, Any]) -> Pace:
    """Return the default pace with a campaign's changes. Raises ValueError as `window_of`."""
    return _changed(Pace(), changes)


def steps_of(changes: Mapping[str, Any]) -> Steps:
    """Return the default escalation with a campaign's changes. Raises ValueError as `window_of`."""
    return _changed(Steps(), changes)


def rule_of(outcome: str, changes: Mapping[str, Any]) -> CareRule:
    """Return the rule of an outcome with a campaign's changes. Raises ValueError as `window_of`."""
    return _changed(RULES.get(outcome, CareRule()), changes.get(outcome, {}))


def _changed(known: T, changes: Mapping[str, Any]) -> T:
    names = {one.name for one in fields(known)}  # type: ignore[arg-type]
    if strange := sorted(set(changes) - names):
        raise ValueError(f"{type(known).__name__} has {', '.join(sorted(names))}; not {', '.join(strange)}")
    try:
        return replace(known, **changes)  # type: ignore[type-var]
    except TypeError as error:
        raise ValueError(f"{type(known).__name__}: {error}") from error


@dataclass(frozen=True)
class Tried:
    """What has been tried for one visit so far. `outcomes`: of closed attempts in order, the newest last."""

    outcomes: tuple[str, ...]
    numbers_left: int  # numbers of hers that are not known to be useless
    high: bool = False
    retry: Mapping[str, Any] = field(default_factory=dict)


def follows(tried: Tried, attempts: int, window: Window, now: datetime) -> tuple[str, datetime | None]:
    """Return what comes after the newest outcome: ("again", when), ("agent", None) or ("escalate", None).

    `attempts`: how many counted attempts the campaign allows; silence goes to a person before they are used up.
    """
    newest = tried.outcomes[-1]
    rule = rule_of(newest, tried.retry)
    silences = sum(one == Outcome.SILENT for one in tried.outcomes)
    if newest == Outcome.SILENT and (tried.high or silences >= SILENCES_BEFORE_AGENT):
        return "agent", None
    counted = sum(rule_of(one, tried.retry).counts for one in tried.outcomes)
    pause = rule.pause(sum(one == newest for one in tried.outcomes))
    if pause is None and rule.then == "next" and tried.numbers_left:
        pause = 0
    if pause is None or (rule.counts and counted >= attempts) or not tried.numbers_left:
        return ("agent" if rule.then == "agent" else "escalate"), None
    when = window.another_hour(now) if isinstance(pause, str) else window.next_open(now + timedelta(seconds=pause))
    return "again", when
