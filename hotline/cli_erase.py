"""`hotline erase`: one person's voice and words, and what agents noted of her, on request."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import select

from agents import accounts
from dispatch import retention
from hotline.cli_show import NOT_FOUND
from models import clock
from models.people import Person
from models.session import write


def erase(
    person_id: Annotated[
        str, typer.Argument(metavar="ID", help="The person's id: the last part of her card's address.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Erase; without it only counted.")] = False,
) -> None:
    """Erase one person's recordings, what was written down of her words, and agents' notes: card, calls, tasks.

    Audited; her card's own fields and the journal stay. What belongs to an open order or task is kept until that is
    over: erase again then.
    """
    now = clock.now()
    with write() as session:
        person = session.scalar(select(Person).where(Person.public_id == person_id))
        if person is None:
            typer.secho(f"Nobody has the id {person_id}.", fg="red", err=True)
            raise typer.Exit(NOT_FOUND)
        done = retention.erase_person(session, person.id, now, really=yes)
        if yes:
            accounts.record(session, None, "erased", ("person", person.id), now)
    what = (
        f"{done.recordings} recordings, {done.words} spoken answers, {done.notes} notes to orders, "
        f"{done.remarks} agents' notes"
    )
    if yes:
        typer.echo(f"Erased: {what}. Backups made before still hold them: `hotline backup` anew, and delete those.")
    else:
        typer.echo(f"To be erased: {what}. Repeat with --yes; it cannot be undone.")
