"""A list of elders for a campaign: read, every row checked, nothing written. With any problem nobody is taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import sheets
from models.people import Elder
from models.sheet_cells import Column, batched, headings
from models.sheets import Headings

COLUMNS = (Column("card_number", "卡号", ("服务卡号", "card"), limit=32, required=True, example="D-0001"),)
_HEADINGS = Headings(headings(COLUMNS), ("card_number",))


@dataclass(frozen=True)
class Problem:
    """What is wrong in a line. `code`: broken, missing, double, unknown; `more`: what of it, or the other line."""

    line: int
    code: str
    more: str = ""

    def __str__(self) -> str:
        """The problem in English, for the command line."""
        told = {
            "broken": self.more,
            "missing": "the card number is missing",
            "double": f"the same card as line {self.more}",
            "unknown": "no elder has this card",
        }
        return f"line {self.line}: {told[self.code]}"


@dataclass
class Checked:
    """Whom the list names, and what is wrong in it, line by line."""

    elder_ids: list[int] = field(default_factory=list)
    faults: list[Problem] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """The faults as sentences."""
        return [str(one) for one in self.faults]


def check(session: Session, data: bytes) -> Checked:
    """Return the elders of a CSV file or .xlsx workbook with a column of card numbers.

    Raises:
        sheets.NotATable: the file as a whole cannot be read; the text says why.
    """
    result = Checked()
    cards: dict[str, int] = {}
    for row in sheets.read(data, _HEADINGS).rows:
        card = row.cells.get("card_number", "").strip()
        if row.faults:
            result.faults.append(Problem(row.line, "broken", "; ".join(row.faults)))
        elif not card:
            result.faults.append(Problem(row.line, "missing"))
        elif card in cards:
            result.faults.append(Problem(row.line, "double", str(cards[card])))
        else:
            cards[card] = row.line
    known: dict[str, int] = {}
    for part in batched(list(cards)):
        # Either card of an elder who was registered twice names the registration that has stayed.
        stays = func.coalesce(Elder.merged_into_id, Elder.id)
        query = select(Elder.card_number, stays).where(Elder.card_number.in_(part))
        known |= {card: elder_id for card, elder_id in session.execute(query) if card}
    result.faults += [Problem(line, "unknown") for card, line in cards.items() if card not in known]
    result.elder_ids = list(dict.fromkeys(known[card] for card in cards if card in known))
    return result
