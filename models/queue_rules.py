"""How long agents are rung and have after a call, how long callers wait, and which language's callers come first.

One row, written by an administrator (agents/admin_queues.py). Without it the settings of the installation hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session

from models.base import Base, Pk
from models.settings import settings

# A language's queue has a weight below this one: an emergency comes before all others, whatever is set.
URGENT_WEIGHT = 10
# In the run directory: what app_queue is told of it (dispatch/queue_rules.py), included by queues.conf.
RULES_FILE = "queue_rules.conf"


class QueueRule(Base):
    """What was set last; there is one row at most. Times in seconds."""

    __tablename__ = "queue_rules"

    id: Mapped[Pk]
    ring_s: Mapped[int]
    wrap_up_s: Mapped[int]
    wrap_up_more_s: Mapped[int]
    lap_s: Mapped[int]
    wait_s: Mapped[int]
    weights: Mapped[dict[str, Any]]  # language to weight


@dataclass(frozen=True)
class QueueRules:
    """What holds. Times in seconds; `weights`: of two who wait for the same agent the heavier queue's comes first."""

    ring_s: int  # an agent's telephone, before the next one's
    wrap_up_s: int  # she is not rung after a call
    wrap_up_more_s: int  # added when she asks for more
    lap_s: int  # the caller hears ringing before she is told her place again
    wait_s: int  # the caller waits before she may leave a message
    weights: Mapping[str, int]


def queue_rules(session: Session) -> QueueRules:
    """Return what holds now."""
    known = settings()
    row = session.scalar(select(QueueRule).order_by(QueueRule.id).limit(1))
    weights = {language: int(row.weights.get(language, 0)) if row else 0 for language in known.languages}
    if row is None:
        times = (known.agent_ring_s, known.wrap_up_s, known.wrap_up_more_s, known.wait_lap_s, known.queue_wait_s)
        return QueueRules(*times, weights)
    return QueueRules(row.ring_s, row.wrap_up_s, row.wrap_up_more_s, row.lap_s, row.wait_s, weights)
