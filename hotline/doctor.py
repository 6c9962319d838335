"""`hotline doctor`: everything the hotline needs, one finding each, with its remedy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from rich.table import Table
from rich.text import Text

from models.settings import Settings


class Status(StrEnum):
    """What a finding means for the person who reads it."""

    OK = "ok"
    WARNING = "warning"  # the hotline runs, with something missing
    FAILED = "failed"  # the hotline cannot run like this


@dataclass(frozen=True)
class Finding:
    """One thing looked at. What is not ok names its remedy."""

    name: str
    status: Status
    detail: str
    remedy: str = ""


Check = Callable[[Settings], Iterable[Finding]]


def ok(name: str, detail: str) -> Finding:
    """It is there and works."""
    return Finding(name, Status.OK, detail)


def warning(name: str, detail: str, remedy: str) -> Finding:
    """The hotline runs without it."""
    return Finding(name, Status.WARNING, detail, remedy)


def failed(name: str, detail: str, remedy: str) -> Finding:
    """The hotline cannot run without it."""
    return Finding(name, Status.FAILED, detail, remedy)


def check(settings: Settings) -> list[Finding]:
    """Look at everything; a check that breaks is itself a finding and stops no other."""
    # Imported late: they need the types above.
    from hotline.doctor_machine import MACHINE
    from hotline.doctor_service import SERVICE

    findings: list[Finding] = []
    for name, look in {**MACHINE, **SERVICE}.items():
        try:
            findings += look(settings)
        except Exception as error:
            broken = f"the check itself broke: {type(error).__name__}: {error}"
            findings.append(failed(name, broken, "see the message; report it if it does not explain itself"))
    return findings


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether the hotline can run; warnings do not count."""
    return all(f.status is not Status.FAILED for f in findings)


_MARKS = {Status.OK: ("✓", "green"), Status.WARNING: ("!", "yellow"), Status.FAILED: ("✗", "red")}


def render_table(findings: Iterable[Finding]) -> Table:
    """The findings for a terminal."""
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, colour = _MARKS[finding.status]
        # Text, not markup: a path or a message may hold brackets.
        detail = Text(finding.detail)
        if finding.remedy:
            detail.append(f"\n→ {finding.remedy}", style=colour)
        table.add_row(Text(mark, style=colour), Text(finding.name), detail)
    return table


def as_json(findings: Iterable[Finding]) -> str:
    """The findings for a program."""
    rows = list(findings)
    return json.dumps({"healthy": healthy(rows), "findings": [asdict(f) for f in rows]}, ensure_ascii=False, indent=2)
