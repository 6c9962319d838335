"""A town of the journeys, and those that are running in this process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from models.dialing import Attempt, AttemptStatus
from models.outbox import OutboxEntry
from tests.support.carrier import Carrier
from tests.support.hotline_process import HotlineProcess
from tests.support.world import Rows


@dataclass
class Town:
    """Everything a journey needs."""

    network: Carrier
    hotline: HotlineProcess
    rows: Rows

    def now(self) -> datetime:
        """The hotline's own clock."""
        return datetime.now(UTC) + timedelta(seconds=float(self.hotline.env["HOTLINE_CLOCK_OFFSET_S"]))

    def its_time_has_come(self) -> None:
        """The evening comes, or the next day: whatever is still to be dialled is due now."""
        with self.rows.writing() as session:
            due = update(Attempt).where(Attempt.status == AttemptStatus.DUE)
            session.execute(due.values(due_at=self.now()))
            waiting = update(OutboxEntry).where(OutboxEntry.done_at.is_(None), OutboxEntry.verb == "dial")
            session.execute(waiting.values(due_at=self.now()))

    def today(self, ahead: int = 0) -> str:
        """The day in Harbin, or one `ahead`, as the rows have it (ISO)."""
        return (datetime.now(UTC) + timedelta(hours=8, days=ahead)).date().isoformat()


class Towns:
    """The towns that are running, by name; each is founded when first asked for."""

    def __init__(self, found: Callable[[ExitStack, str, Path], Town], new_folder: Callable[[str], Path]) -> None:
        self._found = found
        self._new_folder = new_folder
        self._towns: dict[str, tuple[Town, ExitStack]] = {}

    def __getitem__(self, name: str) -> Town:
        """The town of this name."""
        if name not in self._towns:
            with ExitStack() as stack:
                town = self._found(stack, name, self._new_folder(name.replace(" ", "-")))
                self._towns[name] = town, stack.pop_all()
        return self._towns[name][0]

    def whole(self, name: str) -> Town:
        """The same, after everything that was broken is up again; a new one where that does not come to pass."""
        town = self[name]
        if not town.hotline.is_whole(within=30):
            self.close(name)
        return self[name]

    def close(self, name: str) -> None:
        """Stop one of them, if it runs."""
        if name in self._towns:
            self._towns.pop(name)[1].close()

    def close_all(self) -> None:
        """Stop those that are left."""
        for name in list(self._towns):
            self.close(name)
