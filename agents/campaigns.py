"""Campaigns as supervisors make them: the form, checked field by field; begun, paused, stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agents.accounts import record
from dispatch import campaign_import, campaign_rules
from dispatch import campaigns as core
from dispatch.campaign_import import Checked
from dispatch.campaigns import Filter, IllegalMove, NewCampaign
from models.campaigns import Campaign, CampaignMode, CampaignStatus
from models.care_scripts import SCRIPTS
from models.duties import Group
from models.people import Area, Elder
from models.sheets import NotATable
from models.users import User
from models.vocabulary import LANGUAGES

__all__ = ["IllegalMove", "NotATable"]

NAME_MAX = 80
SOURCES = ("ledger", "filter", "import")
# Outcomes after which the same number is rung again, and the form may say when.
RETRIED = ("no_answer", "busy", "silent", "machine", "hung_up", "no_key", "congestion")
# Years of birth that a form may ask for.
_BORN = 1900, 2000
# What may be written into a form of this size (elders of a list).
LARGEST_LIST = 2 * 1024 * 1024


class CampaignError(ValueError):
    """The form cannot be taken like this. `problems`: field to code (missing, long, bad, nobody, list)."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(f"not a campaign: {', '.join(problems)}")
        self.problems = problems


@dataclass(frozen=True)
class Wish:
    """A form that is sound, as far as it can be told without the elders."""

    new: NewCampaign
    chosen: Filter | None
    area_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class AreaChoice:
    """An area that may be chosen: its public id, its name with those above it."""

    public_id: str
    name: str


@dataclass
class _Form:
    """Fields read one by one; what is wrong is collected."""

    values: Mapping[str, str]
    problems: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number within bounds; None where nothing was written."""
        text = self.values.get(name, "").strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.problems[name] = "bad"
            return None
        return value

    def minute(self, name: str) -> int | None:
        """A time of day as minutes after midnight; None where nothing was written."""
        text = self.values.get(name, "").strip()
        if not text:
            return None
        hours, _, minutes = text.partition(":")
        if not (hours.isdigit() and minutes[:2].isdigit() and int(hours) < 24 and int(minutes[:2]) < 60):
            self.problems[name] = "bad"
            return None
        return int(hours) * 60 + int(minutes[:2])


def wish(form: Mapping[str, str], groups: Sequence[str], areas: Sequence[str], user_id: int) -> Wish:
    """Return what a form asks for.

    Raises:
        CampaignError: which fields are not right.
    """
    read = _Form(form)
    name, script, source = (form.get(field_name, "").strip() for field_name in ("name", "script", "source"))
    mode = form.get("mode", "")
    if not name:
        read.problems["name"] = "missing"
    elif len(name) > NAME_MAX:
        read.problems["name"] = "long"
    for field_name, value, known in (
        ("script", script, SCRIPTS), ("source", source, SOURCES), ("mode", mode, tuple(CampaignMode)),
    ):  # fmt: skip
        if value not in known:
            read.problems[field_name] = "missing"
    attempts = read.number("attempts", 1, 10)
    window = _window(read)
    pace = {
        "at_once": _whole(read.number("at_once", 1, 500)),
        "per_second": read.number("per_second", 0.01, 50),
        "inbound_share": _part(read.number("inbound_share", 0, 95)),
        "per_free_agent": read.number("per_free_agent", 1, 50),
    }
    retry = _retry(read)
    chosen = _filter(read, groups) if source == "filter" else None
    unknown = set(groups) - {group.value for group in Group}
    if unknown:
        read.problems["groups"] = "bad"
    if read.problems:
        raise CampaignError(read.problems)
    new = NewCampaign(
        name, script, source, int(attempts or 3), window, {key: one for key, one in pace.items() if one is not None},
        retry, escalate=form.get("escalate") == "yes", by_user_id=user_id, mode=mode,
    )  # fmt: skip
    return Wish(new, chosen, tuple(areas))


def _filter(read: _Form, groups: Sequence[str]) -> Filter:
    language = read.values.get("language", "")
    if language and language not in LANGUAGES:
        read.problems["language"] = "bad"
    born_before = _whole(read.number("born_before", *_BORN))
    return Filter(frozenset(groups), languages=frozenset({language} - {""}), born_before=born_before)


def _window(read: _Form) -> dict[str, Any]:
    spans = []
    for one in ("1", "2"):
        start, end = read.minute(f"from{one}"), read.minute(f"to{one}")
        if start is None and end is None:
            continue
        if start is None or end is None or start >= end:
            read.problems.setdefault(f"from{one}", "bad")
        else:
            spans.append((start, end))
    if len(spans) == 2 and spans[1][0] < spans[0][1]:
        read.problems.setdefault("from2", "bad")
    found: dict[str, Any] = {"spans": [list(span) for span in spans]} if spans else {}
    if read.values.get("days_off") == "yes":
        found["days_off"] = True
    return found


def _retry(read: _Form) -> dict[str, Any]:
    """Return changes to the first pause after an outcome; what follows it stays as the rules have it."""
    found = {}
    for outcome in RETRIED:
        minutes = read.number(f"retry_{outcome}", 1, 24 * 60)
        if minutes is not None:
            known = campaign_rules.RULES[outcome].pauses
            rest = known if known[0] == campaign_rules.OTHER else known[1:]
            found[outcome] = {"pauses": [minutes * 60, *rest]}
    return found


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _part(value: float | None) -> float | None:
    return None if value is None else value / 100


def whom(session: Session, asked: Wish, data: bytes | None) -> Checked:
    """Return the elders that a campaign would begin with, and what is wrong in its list. Nothing is written.

    Raises:
        CampaignError: nobody is meant, or no list came with it.
        NotATable: the list cannot be read at all; the text says why.
    """
    if asked.new.source == "ledger":
        return Checked()
    if asked.new.source == "import":
        if not data:
            raise CampaignError({"list": "missing"})
        return campaign_import.check(session, data)
    areas = list(session.scalars(select(Area.id).where(Area.public_id.in_(asked.area_ids))))
    if len(areas) != len(set(asked.area_ids)):
        raise CampaignError({"areas": "bad"})
    found = core.filtered(session, replace(asked.chosen or Filter(), area_ids=frozenset(areas)))
    if not found:
        raise CampaignError({"groups": "nobody"})
    return Checked(found)


def make(session: Session, asked: Wish, checked: Checked, user: User, now: datetime) -> str:
    """Write the campaign as a draft; return its public id.

    Raises:
        CampaignError: the list has broken rows; then nothing is written.
    """
    if checked.faults:
        raise CampaignError({"list": "bad"})
    row = core.create(session, asked.new, now)
    core.add_elders(session, row, checked.elder_ids, now)
    record(session, user, "campaign_made", ("campaign", row.id), now)
    return row.public_id


def cards_of(session: Session, elder_ids: Sequence[int]) -> list[str]:
    """Return the cards of checked elders, in their order: what the form carries from the check to the writing."""
    cards = dict(session.execute(select(Elder.id, Elder.card_number).where(Elder.id.in_(elder_ids))).all())
    return [card for elder_id in elder_ids if (card := cards.get(elder_id))]


def move(session: Session, public_id: str, to: str, user: User, now: datetime) -> bool:
    """Begin, pause, resume, stop. Returns False where it stands there already.

    Raises:
        KeyError: no such campaign, or no such place to go.
        IllegalMove: it cannot go there from where it stands.
    """
    row = find(session, public_id)
    if to not in (CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.STOPPED):
        raise KeyError(to)
    done = core.move(session, row.id, CampaignStatus(to), now, user.id)
    if done:
        record(session, user, f"campaign_{to}", ("campaign", row.id), now)
    return done


def find(session: Session, public_id: str) -> Campaign:
    """Return a campaign.

    Raises:
        KeyError: there is none of this id.
    """
    row = session.scalar(select(Campaign).where(Campaign.public_id == public_id))
    if row is None:
        raise KeyError(public_id)
    return row


def areas(session: Session) -> list[AreaChoice]:
    """Return every area, with the names of those that it lies in."""
    rows = {row.id: row for row in session.scalars(select(Area))}

    def path(area: Area) -> str:
        above = rows.get(area.parent_id or 0)
        return f"{path(above)} · {area.name}" if above is not None else area.name

    return sorted((AreaChoice(row.public_id, path(row)) for row in rows.values()), key=lambda one: one.name)
