"""An elder's way of using the hotline, as her card shows it: each value with its story; changed and undone here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.accounts import record
from models import dialects
from models.calls import Call
from models.people import Elder, Person
from models.preferences import VALUES, Because, ElderSetting, Origin, Setting, history, put, undo, values_of
from models.users import User

# How many taken-back or overridden values the card tells of each.
EARLIER = 5


class MannerError(ValueError):
    """It cannot be changed like this. `code`: unknown (no such setting or value), moved (changed meanwhile)."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the setting cannot be changed: {code}")
        self.code = code


@dataclass(frozen=True)
class Story:
    """Who set a value, when and why; and who took it back."""

    value: str
    origin: str
    by: str  # the user, if one did it
    at: datetime
    why: str
    calls: tuple[tuple[str, datetime], ...]  # from which it was learnt: public id, beginning
    undone_at: datetime | None
    undone_by: str

    @property
    def seen(self) -> str:
        """Names this row in a form: who undoes must undo what the page has shown."""
        return self.at.isoformat()


@dataclass(frozen=True)
class Manner:
    """One setting: what holds now and since when (None: nobody has set it), what could be chosen, what was before.

    `names`: of values that are rows of a list, by language.
    """

    name: str
    value: str
    choices: tuple[str, ...]
    story: Story | None
    earlier: tuple[Story, ...]
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def manners(session: Session, elder: Elder) -> tuple[Manner, ...]:
    """Return every setting of `elder`; of dialects those of her language, and none where it has none."""
    rows = history(session, elder.id)
    told = dict(zip((row.id for row in rows), _stories(session, rows), strict=True))
    each = {name: [(row, told[row.id]) for row in rows if row.name == name] for name in Setting}
    found = (_manner(elder, name, each[name]) for name in Setting if name is not Setting.DIALECT)
    return (*found, *_dialect(session, elder, _manner(elder, Setting.DIALECT, each[Setting.DIALECT])))


def _dialect(session: Session, elder: Elder, manner: Manner) -> Iterable[Manner]:
    listed = dialects.dialects(session, hidden=True)
    # What she has is shown, whatever became of the list or of her language since.
    choices = [
        one.code
        for one in listed
        if one.code == manner.value or (one.hidden_at is None and one.language == elder.person.language)
    ]
    if choices or manner.earlier:
        names = {one.code: one.names for one in listed}
        yield replace(manner, choices=(*manner.choices, *choices), names=names)


def change(session: Session, public_id: str, setting: tuple[str, str], by: tuple[User, datetime]) -> None:
    """Set `setting` = (name, value) for the elder of `public_id`; audited.

    Raises:
        KeyError: there is no such elder.
        MannerError: there is no such setting, or it has no such value.
    """
    user, now = by
    elder_id, name = _elder_id(session, public_id), _setting(setting[0])
    if setting[1] not in values_of(session, name):
        raise MannerError("unknown")
    if put(session, elder_id, (name, setting[1]), Because(Origin.AGENT, by_user_id=user.id), now) is not None:
        record(session, user, f"set_{name}", ("elder", elder_id), now)


def take_back(session: Session, public_id: str, shown: tuple[str, str], by: tuple[User, datetime]) -> None:
    """Undo what holds now; `shown` = (name, what `Story.seen` was on the page). Audited.

    Raises:
        KeyError: there is no such elder.
        MannerError: there is no such setting, or something else holds by now.
    """
    user, now = by
    elder_id, name = _elder_id(session, public_id), _setting(shown[0])
    row = undo(session, elder_id, name, user.id, now)
    if row is None or row.at.isoformat() != shown[1]:
        raise MannerError("moved")
    record(session, user, f"undo_{name}", ("elder", elder_id), now)


def _elder_id(session: Session, public_id: str) -> int:
    found = session.scalar(select(Elder.id).join(Elder.person).where(Person.public_id == public_id))
    if found is None:
        raise KeyError(public_id)
    return found


def _setting(name: str) -> Setting:
    try:
        return Setting(name)
    except ValueError as error:
        raise MannerError("unknown") from error


def _manner(elder: Elder, name: Setting, rows: Sequence[tuple[ElderSetting, Story]]) -> Manner:
    present = next((story for row, story in rows if row.undone_at is None), None)
    value = elder.person.language if name is Setting.LANGUAGE else present.value if present else VALUES[name][0]
    # Of the language the person's own column decides; what was set here before it changed is past.
    holds = present if present is not None and present.value == value else None
    earlier = tuple(story for _, story in rows if story is not holds)[:EARLIER]
    return Manner(name, value, tuple(VALUES[name]), holds, earlier)


def _stories(session: Session, rows: Sequence[ElderSetting]) -> Iterable[Story]:
    users = dict(session.execute(select(User.id, User.name).where(User.id.in_(_user_ids(rows)))).all())
    ids = {call_id for row in rows for call_id in row.data.get("call_ids", ())}
    calls = {
        call.id: (call.public_id, call.started_at)
        for call in session.execute(select(Call.id, Call.public_id, Call.started_at).where(Call.id.in_(ids)))
    }
    for row in rows:
        yield Story(
            value=row.value,
            origin=row.origin,
            by=users.get(row.by_user_id or 0, ""),
            at=row.at,
            why=row.why,
            calls=tuple(calls[call_id] for call_id in row.data.get("call_ids", ()) if call_id in calls),
            undone_at=row.undone_at,
            undone_by=users.get(row.undone_by_id or 0, ""),
        )


def _user_ids(rows: Sequence[ElderSetting]) -> set[int]:
    return {user_id for row in rows for user_id in (row.by_user_id, row.undone_by_id) if user_id is not None}
