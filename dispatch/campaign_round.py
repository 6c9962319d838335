"""The campaigns' own clock in the dispatcher: the ledger is kept, calls are begun, what lies still is taken up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from dispatch import campaign_calls, campaigns, care, duties, escalation
from dispatch.gateways import GatewayError, gateway
from dispatch.outbox import transaction
from models import clock
from models.campaigns import Campaign, CareVisit
from models.duties import DutyRule, ElderGroup
from models.session import read, read_rows
from models.settings import settings

log = logging.getLogger(__name__)

# Whoever "is being rung" without an attempt for so long has lost it (s).
_LOST_S = 60
# So many elders' duties are written in one transaction.
_AT_ONCE = 200


class Rounds:
    """One round after another. What was done last is remembered here only to save work; nothing depends on it."""

    def __init__(self) -> None:
        self._ledger_at: float | None = None
        self._day = ""

    def round(self, now: datetime) -> int:
        """Do what is due; return how many calls were begun.

        Raises:
            SQLAlchemyError: the database is away.
        """
        day = clock.local_date(now).isoformat()
        if self._ledger_at is None or day != self._day or time.monotonic() - self._ledger_at > settings().ledger_s:
            if _anybody_is_looked_after():
                keep_ledger(now)
            self._ledger_at, self._day = time.monotonic(), day
        with read_rows() as rows:
            due = campaign_calls.to_ring(rows, now)
        if not due:
            return 0
        free = _free_agents()
        begun = 0
        for campaign_id in due:
            with transaction() as session:
                begun += campaign_calls.begin_calls(session, campaign_id, free, now)
        return begun


def _anybody_is_looked_after() -> bool:
    """Return whether there is a ledger, or a visit, at all: without them nothing need be written."""
    with read() as session:
        asked = session.scalar(select(ElderGroup.id).limit(1)), session.scalar(select(CareVisit.id).limit(1))
    return any(one is not None for one in asked)


def keep_ledger(now: datetime) -> None:
    """Write the duties that have opened, bring them into the ledger's campaigns, take up what lies still."""
    with read() as session:
        lawless = session.scalar(select(DutyRule.id).limit(1)) is None
    if lawless:
        # Groups that came by an import bring the default rules, where nobody has written others.
        with transaction() as session:
            duties.settle_rules(session, now)
    with read() as session:
        lacking = duties.lacking(session, now)
    for some in _portions(lacking):
        with transaction() as session:
            duties.refresh(session, now, some)
    with read() as session:
        of_ledger = [campaign_id for campaign_id, source in campaigns.running(session) if source == "ledger"]
        coming = {campaign_id: campaigns.coming(session, campaign_id, now) for campaign_id in of_ledger}
    for campaign_id, elders in coming.items():
        for some in _portions(elders):
            with transaction() as session:
                row = session.scalars(select(Campaign).where(Campaign.id == campaign_id).with_for_update()).one()
                new = campaigns.top_up(session, row, now, some)
            log.info("campaign %d: %d duties have come in", campaign_id, new)
    take_up(now)


def _portions(elder_ids: list[int]) -> Iterator[list[int]]:
    """Yield the elders in portions that are written at once: whoever is on the telephone waits for a portion only."""
    for first in range(0, len(elder_ids), _AT_ONCE):
        yield elder_ids[first : first + _AT_ONCE]


def take_up(now: datetime) -> int:
    """Go on with what nobody goes on with any more. Returns how much there was."""
    with transaction() as session:
        lost = care.adopt(session, now, now - timedelta(seconds=_LOST_S))
        if lost:
            log.error("%d care visits were being rung by nobody; they wait again", len(lost))
        return len(lost) + escalation.sweep(session, now) + campaigns.finish(session, now)


def _free_agents() -> int:
    """Return how many people could take a call over now; nobody, while Asterisk cannot be asked."""
    try:
        return gateway().free_agents()
    except GatewayError as error:
        log.warning("nobody knows how many agents are free: %s", error)
        return 0


def run(stop: threading.Event) -> None:
    """Work until `stop`. A round that breaks is followed by the next one."""
    rounds = Rounds()
    while not stop.wait(settings().campaign_s):
        try:
            rounds.round(clock.now())
        except SQLAlchemyError as error:
            log.warning("the campaigns wait: %s", type(error).__name__)
        except Exception:
            log.exception("a round of the campaigns was cut short")
