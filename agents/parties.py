"""Who is on a line: shared by the board, the courses and the cards."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Area, Elder, PhoneNumber
from models.phone import mask
from models.providers import Provider


@dataclass(frozen=True)
class Party:
    """Somebody on the other end. `kind`: elder, provider, number (only a number is known) or withheld.

    The number is masked: lists show it only to tell callers apart.
    """

    kind: str
    name: str = ""
    public_id: str = ""
    number: str = ""


def party(elder: Elder | None, provider: Provider | None, number: PhoneNumber | None) -> Party:
    """Return who is on the line, by the best that is known."""
    masked = mask(number.value) if number else ""
    if elder is not None:
        return Party("elder", elder.person.name, elder.person.public_id, masked)
    if provider is not None:
        return Party("provider", provider.name, provider.public_id, masked)
    return Party("number", number=masked) if number else Party("withheld")


def area_path(session: Session, area_id: int | None) -> tuple[str, ...]:
    """Return the names from the district down to the area itself. A ring in the tree does not hang us."""
    names: list[str] = []
    seen: set[int] = set()
    while area_id is not None and area_id not in seen:
        seen.add(area_id)
        row = session.execute(select(Area.name, Area.parent_id).where(Area.id == area_id)).one_or_none()
        if row is None:
            break
        names.append(row.name)
        area_id = row.parent_id
    return tuple(reversed(names))
