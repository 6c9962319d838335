"""A list of elders for a campaign: read, every row checked, nothing written. With any problem nobody is taken."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import sheets
from models.people import Elder
from models.sheet_cells import Column, batched, headings
from models.sheets import Headings

COLUMNS = (Column("card_number", "卡号", ("服务卡号", "card"), limit=32, required=True, example="D-0001"),)
_HEADINGS = Headings(headings(COLUMNS), ("card_number",))


@dataclass
class Checked:
    """Whom the list names, and what is wrong in it, line by line."""

    elder_ids: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


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
            result.problems.append(f"line {row.line}: {'; '.join(row.faults)}")
        elif not card:
            result.problems.append(f"line {row.line}: the card number is missing")
        elif card in cards:
            result.problems.append(f"line {row.line}: the same card as line {cards[card]}")
        else:
            cards[card] = row.line
    known: dict[str, int] = {}
    for part in batched(list(cards)):
        query = select(Elder.card_number, Elder.id).where(Elder.card_number.in_(part))
        known |= {card: elder_id for card, elder_id in session.execute(query) if card}
    result.problems += [f"line {line}: no elder has this card" for card, line in cards.items() if card not in known]
    result.elder_ids = [known[card] for card in cards if card in known]
    return result
