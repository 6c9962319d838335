"""How much there is of everything that can be set."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.dialects import Dialect
from models.hours import SpecialDay
from models.presence import PauseReason
from models.providers import Provider
from models.results import CallResult
from models.supervision import QualityItem
from models.users import User
from models.vocabulary import SERVICES


def counts(session: Session, today: date) -> dict[str, int]:
    """Return how many: users who may log in, special days to come, providers, services, and what lists show."""
    asked = {
        "users": select(func.count()).select_from(User).where(User.disabled_at.is_(None)),
        "days": select(func.count()).select_from(SpecialDay).where(SpecialDay.day >= today),
        "providers": select(func.count()).select_from(Provider),
        "results": select(func.count()).select_from(CallResult).where(CallResult.hidden_at.is_(None)),
        "reasons": select(func.count()).select_from(PauseReason).where(PauseReason.hidden_at.is_(None)),
        "dialects": select(func.count()).select_from(Dialect).where(Dialect.hidden_at.is_(None)),
        "items": select(func.count()).select_from(QualityItem).where(QualityItem.hidden_at.is_(None)),
    }
    return {"services": len(SERVICES), **{name: session.scalar(query) or 0 for name, query in asked.items()}}
