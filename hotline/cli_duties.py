"""`hotline duties`: the duty ledger. Who has to be reached by when, what has proved it, the month as figures."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from agents import accounts, care_report
from dispatch import care, duty_month
from dispatch import duties as ledger
from dispatch.duties import Evidence, NoProof
from dispatch.outbox import transaction
from hotline.cli_files import Apply, Sheet, SourceFile, read_table, stop_at_problems
from models import area_butlers, clock
from models.campaigns import Decision
from models.duties import Duty, DutyRule, DutyStatus, Group, ProofKind
from models.people import Elder
from models.session import read

duties = typer.Typer(no_args_is_help=True, help="The duty ledger: who has to be reached by when.")

Card = Annotated[str, typer.Argument(metavar="CARD", help="The elder's service card.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def elder_of(session: Session, card: str) -> int:
    """Return the elder of a service card.

    Raises:
        typer.BadParameter: it is nobody's.
    """
    found = session.scalar(select(Elder.id).where(Elder.card_number == card))
    if found is None:
        raise typer.BadParameter(f"no elder has the card {card!r}")
    return found


@duties.command("rules")
def show_rules() -> None:
    """Show the rules; where there are none, the default ones are written, valid from the first of this month."""
    with transaction() as session:
        ledger.settle_rules(session, clock.now())
    table = Table("group", "period", "first within (h)", "proof", "valid from", "valid to", "source")
    with read() as session:
        for row in session.scalars(select(DutyRule).order_by(DutyRule.group, DutyRule.valid_from)):
            ends = str(row.valid_to or "")
            first = "" if row.first_within_h is None else str(row.first_within_h)
            table.add_row(row.group, row.period, first, ", ".join(row.proof), str(row.valid_from), ends, row.source)
    Console().print(table)


@duties.command("join")
def join(card: Card, group: Group) -> None:
    """Put an elder into a group; another risk class ends the one before."""
    with transaction() as session:
        ledger.settle_rules(session, clock.now())
        ledger.join(session, elder_of(session, card), group, clock.now())


@duties.command("leave")
def leave(card: Card, group: Group) -> None:
    """Take an elder out of a group; its open duty ends with it."""
    with transaction() as session:
        if not ledger.leave(session, elder_of(session, card), group, clock.now()):
            raise typer.BadParameter(f"she is not in {group}")


@duties.command("butlers")
def butlers(file: SourceFile, apply: Apply = False, sheet: Sheet = "") -> None:
    """Import the butlers of grids and communities from .xlsx or CSV. All rows, or none; new ones replace old ones."""
    rows = read_table(file, sheet, area_butlers.read, Console(stderr=True)).rows
    with transaction() as session:
        checked = area_butlers.check(session, rows)
        if apply and not checked.problems:
            area_butlers.write(session, checked, clock.now())
            accounts.record(session, None, "butlers_imported", ("person", None), clock.now())
    stop_at_problems(file, checked.problems, len(rows))
    done = "imported" if apply else "can be imported; repeat with --apply to write them"
    typer.echo(f"{len(checked.butlers)} butlers {done}.")


@duties.command("due")
def due(json_: Json = False, limit: Annotated[int, typer.Option(help="How many at most.")] = 50) -> None:
    """List the open duties, the earliest deadline first."""
    now = clock.now()
    with read() as session:
        ledger_rows = list(
            session.scalars(
                select(Duty).where(Duty.status == DutyStatus.OPEN).order_by(Duty.deadline, Duty.id).limit(limit)
            )
        )
        rows = [
            {
                "card": one.elder.card_number or "", "group": one.group, "overdue": one.deadline < now,
                "deadline": clock.local(one.deadline).isoformat(timespec="minutes"),
            }
            for one in ledger_rows
        ]  # fmt: skip
    if json_:
        typer.echo(json.dumps(rows))
        return
    table = Table("card", "reason", "by", "overdue")
    for row in rows:
        table.add_row(str(row["card"]), str(row["group"]), str(row["deadline"]), "yes" if row["overdue"] else "")
    Console().print(table)


@duties.command("visited")
def visited(
    card: Card, by: Annotated[str, typer.Option(help="Who was there: a card or the id of a person.")],
    at: Annotated[str, typer.Option(help="When, local: 2026-11-23T10:30; now if left out.")] = "",
) -> None:  # fmt: skip
    """Write down that somebody was with her: who and when."""
    now = clock.now()
    moment = datetime.fromisoformat(at).replace(tzinfo=clock.zone()) if at else now
    with transaction() as session:
        who = int(by) if by.isdigit() else elder_of(session, by)
        try:
            care.reached(session, elder_of(session, card), Evidence(ProofKind.VISIT, moment, by_person_id=who), now)
        except NoProof as error:
            raise typer.BadParameter(str(error)) from error


@duties.command("decide")
def decide(card: Card, decision: Decision) -> None:
    """End her open duties without a proof, by a person's decision."""
    with transaction() as session:
        ended = care.decide(session, elder_of(session, card), decision, clock.now(), None)
    typer.echo(f"{ended} duties ended")


@duties.command("month")
def month(
    when: Annotated[str, typer.Argument(metavar="MONTH", help="2026-11; this month if left out.")] = "",
    json_: Json = False,
) -> None:
    """Show a month: due, done, proved how, overdue, by group, community and butler."""
    now = clock.now()
    with read() as session:
        view = duty_month.month_view(session, _month_of(when, now), now)
    parts = {"group": view.groups, "community": view.communities, "butler": view.butlers}
    if json_:
        typer.echo(json.dumps({name: [_as_data(line) for line in lines] for name, lines in parts.items()}))
        return
    for name, lines in parts.items():
        table = Table(name, "due", "in time", "late", "decided", "pending", "overdue", "rate", "proved by")
        for line in (*lines, view.total):
            counts = [str(line.count(*states)) for states in ((), *((one,) for one in _STATES))]
            kinds = ", ".join(f"{kind} {len(figure)}" for kind, figure in line.proofs.items())
            rate = "" if line.rate is None else f"{line.rate:.0%}"
            table.add_row(line.name or ("all" if line is view.total else "–"), *counts, rate, kinds)
        Console().print(table)


@duties.command("report")
def report(
    when: Annotated[str, typer.Argument(metavar="MONTH", help="2026-11; this month if left out.")] = "",
    json_: Json = False,
) -> None:
    """Show how many calls a proof took, and at which hours elders are reached. The bureau's table: the console."""
    day = _month_of(when, clock.now())
    with read() as session:
        made = care_report.tries(session, day)
        effort = care_report.effort(session, day, made)
    hours = [one for one in care_report.by_hour(made) if one.tries]
    if json_:
        told = {**vars(effort), "needed": dict(effort.needed), "per_proof": effort.per_proof}
        typer.echo(json.dumps({"all": told, "hours": [vars(one) for one in hours]}))
        return
    table = Table("hour", "calls", "answered", "proved")
    for one in hours:
        table.add_row(f"{one.hour:02d}", str(one.tries), str(one.answered), str(one.proved))
    Console().print(table)
    if effort.per_proof is not None:
        typer.echo(f"{effort.tries} calls, {effort.proved} proofs: {effort.per_proof:.2f} calls a proof")


def _month_of(text: str, now: datetime) -> date:
    if not text:
        return clock.local_date(now)
    try:
        return datetime.strptime(text + "-01", "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise typer.BadParameter(f"no month: {text}") from error


_STATES = (duty_month.IN_TIME, duty_month.LATE, duty_month.DECIDED, duty_month.PENDING, duty_month.OVERDUE)


def _as_data(line: duty_month.Line) -> dict[str, object]:
    proofs = {kind: list(figure.call_ids) for kind, figure in line.proofs.items()}
    return {"name": line.name, "states": {s: len(f) for s, f in line.states.items()}, "calls": proofs}
