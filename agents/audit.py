"""The audit as an administrator reads it: who did what, when, and what stood before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session, aliased, lazyload

from agents.audit_subjects import Subject, about_elder, elder_named, subjects
from agents.changing import Kind, Values
from models.changes import SettingChange
from models.phone import mask
from models.users import AuditEvent, User

PAGE = 50
# What can be looked for together: a word for the filter, and the actions it stands for. Everything else is "deeds".
GROUPS: Mapping[str, tuple[str, ...]] = {
    "settings": ("setting_made", "setting_changed", "setting_removed", "setting_undone", "password_link"),
    "reads": (
        "read",
        "given_ahead",
        "searched",
        "listened",
        "elders_exported",
        "providers_exported",
        "statistics_exported",
        "care_report_exported",
        "figure_opened",
        "marks_read",
        "call_listened",
    ),
    "log_ins": ("login", "login_failed", "password_given", "logout", "password_changed", "password_refused"),
}


@dataclass(frozen=True)
class Wish:
    """What is looked for; empty says nothing. `before`: only what is older than this line."""

    group: str = ""
    user: str = ""  # public id
    subject: str = ""
    elder: str = ""  # public id: everything about her, and the searches that showed her
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True)
class AuditLine:
    """One line. `fields`: each field that changed, with what stood before and after, personal data masked."""

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    name: str  # of what was changed, where a change tells it
    fields: tuple[tuple[str, Any, Any], ...]
    change: str  # public id of the change; "" where there is none
    undone: bool
    may_undo: bool
    of: Subject | None = None  # what it is about, where that has a name or a page


def lines(session: Session, wish: Wish, kinds: Mapping[str, Kind]) -> list[AuditLine]:
    """Return a page of the audit, the newest first."""
    back = aliased(SettingChange)
    query: Any = (
        select(AuditEvent, User.name, SettingChange, back.id)
        .outerjoin(User, User.id == AuditEvent.user_id)
        .outerjoin(SettingChange, SettingChange.audit_id == AuditEvent.id)
        .outerjoin(back, back.undoes_id == SettingChange.id)
        .order_by(AuditEvent.id.desc())
        .limit(PAGE)
        # Joined with the change, its own line would be an inner join: whatever is no change would be left out.
        .options(lazyload(SettingChange.audit))
    )
    rows = session.execute(_wished(session, query, wish)).all()
    behind = subjects(session, [(event.subject, event.subject_id) for event, *_ in rows])
    return [
        replace(
            _line(event, name or "", (change, undone is not None), kinds),
            of=behind.get((event.subject, event.subject_id or 0)),
        )
        for event, name, change, undone in rows
    ]


def users(session: Session) -> list[tuple[str, str]]:
    """Return whom the audit may name: public id and name."""
    return [
        (public_id, name) for public_id, name in session.execute(select(User.public_id, User.name).order_by(User.name))
    ]


def has_read(session: Session, user_id: int, subject: tuple[str, int], since: datetime) -> bool:
    """Whether this user's reading of `subject` = (kind, id) has been written since then."""
    seen = select(AuditEvent.id).where(
        AuditEvent.subject == subject[0], AuditEvent.subject_id == subject[1], AuditEvent.user_id == user_id,
        AuditEvent.action == "read", AuditEvent.at >= since,
    )  # fmt: skip
    return session.scalar(seen.limit(1)) is not None


def _wished(session: Session, query: Select[Any], wish: Wish) -> Select[Any]:
    if wish.group in GROUPS:
        query = query.where(AuditEvent.action.in_(GROUPS[wish.group]))
    elif wish.group == "deeds":
        query = query.where(AuditEvent.action.not_in([action for group in GROUPS.values() for action in group]))
    if wish.user:
        query = query.where(AuditEvent.user_id == session.scalar(select(User.id).where(User.public_id == wish.user)))
    if wish.subject:
        query = query.where(AuditEvent.subject == wish.subject)
    if wish.elder:
        elder = elder_named(session, wish.elder)
        query = query.where(about_elder(elder[0]) if elder is not None else false())
    if wish.since is not None:
        query = query.where(AuditEvent.at >= wish.since)
    if wish.until is not None:
        query = query.where(AuditEvent.at < wish.until)
    return query.where(AuditEvent.id < wish.before) if wish.before is not None else query


def _line(
    event: AuditEvent, by: str, changed: tuple[SettingChange | None, bool], kinds: Mapping[str, Kind]
) -> AuditLine:  # fmt: skip
    change, undone = changed
    kind = kinds.get(change.kind) if change else None
    may_undo = False
    if kind is not None and change is not None and not undone:
        may_undo = change.before is not None or kind.removable
    return AuditLine(
        event.id,
        event.at,
        by,
        event.action,
        event.subject,
        _name(change, kind) if change else "",
        fields(change.before, change.after, kind) if change else (),
        change.public_id if change else "",
        undone,
        may_undo,
    )


def fields(before: Values | None, after: Values | None, kind: Kind | None) -> tuple[tuple[str, Any, Any], ...]:
    """Return each field that differs: its name, before, after; what identifies a person masked."""
    private = kind.private if kind else frozenset((*(before or {}), *(after or {})))
    old, new = before or {}, after or {}
    found = []
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            hide = masked if name in private else _plain
            found.append((name, hide(old.get(name)), hide(new.get(name))))
    return tuple(found)


def _plain(value: Any) -> Any:
    return value


def masked(value: Any) -> Any:
    """Return personal data so that two of them can be told apart and nobody is known by them."""
    if isinstance(value, list):
        return [masked(one) for one in value]
    text = "" if value is None else str(value)
    if any(character.isdigit() for character in text):
        return mask(text)
    return text[:1] + "*" * (len(text) - 1)


def _name(change: SettingChange, kind: Kind | None) -> str:
    values = change.after or change.before or {}
    name = values.get("name", "")
    if kind is None or "name" in kind.private:
        return str(masked(name))
    # The week has no name; a day, a service are named by their key.
    return str(name) or ("" if change.key.isdigit() or change.key == change.kind else change.key)
