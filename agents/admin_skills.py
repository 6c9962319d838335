"""Which calls an agent takes: in which languages and dialects, and how late in the order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from agents.admin_users import UserLine, user_lines
from agents.changing import Kind, Refused, Values
from dispatch import roster
from models import dialects
from models.dialects import AgentDialect, Dialect
from models.presence import AgentSkill
from models.settings import settings
from models.users import User
from models.vocabulary import LANGUAGES

# app_queue asks whoever has the least first; more than this means nothing further.
PENALTY_MAX = 20


@dataclass(frozen=True)
class Asked:
    """Who takes the calls of one language, and of those who speaks its dialects; the one to be asked first first."""

    language: str
    takes: Sequence[tuple[int, UserLine]]
    dialects: Sequence[tuple[Dialect, Sequence[tuple[int, UserLine]]]]  # those that somebody of them speaks


def queues(session: Session) -> list[Asked]:
    """Return who is asked, for each language of the hotline."""
    lines, usual = [one for one in user_lines(session) if one.disabled_at is None], roster.usual_skills()
    listed = dialects.dialects(session)
    found = []
    for language in settings().languages:
        takes = _in_turn((one, (one.skills or usual).get(language)) for one in lines)
        mine = [one for _, one in takes]
        each = [
            (d, _in_turn((one, one.dialects.get(d.code)) for one in mine)) for d in listed if d.language == language
        ]
        found.append(Asked(language, takes, [(dialect, who) for dialect, who in each if who]))
    return found


def _in_turn(asked: Iterable[tuple[UserLine, int | None]]) -> list[tuple[int, UserLine]]:
    takes = [(penalty, one) for one, penalty in asked if penalty is not None]
    return sorted(takes, key=lambda pair: (pair[0], pair[1].name))


def dialect_field(code: str) -> str:
    """Return what a form and the audit call the place of who speaks this dialect."""
    return f"dialect_{code}"


def dialects_of(session: Session, user_id: int) -> list[Dialect]:
    """Return the dialects on the list, and those that she speaks though they are off it."""
    hers = set(session.scalars(select(AgentDialect.dialect_id).where(AgentDialect.user_id == user_id)))
    return [one for one in dialects.dialects(session, hidden=True) if one.hidden_at is None or one.id in hers]


def skill_values(form: Mapping[str, str], codes: Iterable[str] = ()) -> Values:
    """Return what a form says: language, or `dialect_field` of one of `codes`, to penalty.

    No language at all is the rule of the house.

    Raises:
        Refused: with those whose penalty is no number from 0 to PENALTY_MAX.
    """
    wanted = [one for one in (*LANGUAGES, *map(dialect_field, codes)) if form.get(f"takes_{one}")]
    problems, values = {}, {}
    for language in wanted:
        text = form.get(f"penalty_{language}", "0").strip() or "0"
        if not text.isascii() or not text.isdigit() or int(text) > PENALTY_MAX:
            problems[f"penalty_{language}"] = "range"
        else:
            values[language] = int(text)
    if problems:
        raise Refused(problems)
    return values


def _read_skills(session: Session, key: str) -> Values | None:
    if session.get(User, int(key)) is None:
        return None
    rows = session.scalars(select(AgentSkill).where(AgentSkill.user_id == int(key)))
    spoken = (
        select(Dialect.code, AgentDialect.penalty)
        .join(Dialect, Dialect.id == AgentDialect.dialect_id)
        .where(AgentDialect.user_id == int(key))
        .order_by(Dialect.id)
    )
    return {
        **{row.language: row.penalty for row in rows},
        **{dialect_field(code): penalty for code, penalty in session.execute(spoken)},
    }


def _write_skills(session: Session, key: str | None, values: Values | None, now: datetime) -> str:
    if key is None or values is None:
        raise Refused({"": "kept"})
    for kind in (AgentSkill, AgentDialect):
        session.execute(delete(kind).where(kind.user_id == int(key)))
    taken = {one: penalty for one, penalty in values.items() if one in LANGUAGES}
    session.add_all(AgentSkill(user_id=int(key), language=one, penalty=penalty) for one, penalty in taken.items())
    for dialect in dialects.dialects(session, hidden=True):
        if dialect_field(dialect.code) in values:
            penalty = values[dialect_field(dialect.code)]
            session.add(AgentDialect(user_id=int(key), dialect_id=dialect.id, penalty=penalty))
    return key


SKILLS = Kind("skills", _read_skills, _write_skills)
