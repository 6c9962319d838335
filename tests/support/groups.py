"""Tests of one `xdist_group` go to one worker, one after another.

xdist 3.8 tells the group by the test's id, which pytest 9.2 does not let it change: without a word every test is a
group of its own, and every worker founds every town. So a worker writes the groups into a file, and the scheduler
reads it.

Journeys pass in real time and leave the cores idle, units compute. So both are done side by side: one worker begins
with what computes, the others with the journeys, each with the longest, and whoever runs out helps the others.
"""

from __future__ import annotations

import json
import tempfile
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_FILE = pytest.StashKey[Path]()
_INPUT = "groups_file"
# What its marks make a test take, about (s): the longest groups begin first, so that the end is short.
_TAKES_S = {"slow": 20.0, "browser": 15.0, "call": 12.0, "fault": 8.0}
_UNIT_TAKES_S = 0.1
# Whoever begins a group of journeys founds its town.
_TOWN_TAKES_S = 30.0
# Only these wait more than they compute.
_WAITS = "call"


class Told(NamedTuple):
    """What a worker tells of a test."""

    group: str
    takes_s: float
    waits: bool


class GroupScheduling(LoadScopeScheduling):
    """Whole groups, the longest first; what waits and what computes beside each other."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._file = _file(config)
        self._is_sorted = False

    @cached_property
    def _told(self) -> dict[str, Told]:
        return {nodeid: Told(*told) for nodeid, told in json.loads(self._file.read_text()).items()}

    def _split_scope(self, nodeid: str) -> str:
        return self._told[nodeid].group

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Take from the queue's front, where journeys are; the first worker from its end, where what computes is."""
        if not self._is_sorted:
            for group in sorted(self.workqueue, key=self._place):
                self.workqueue.move_to_end(group)
            self._is_sorted = True
        if node is self.nodes[0]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _place(self, group: str) -> tuple[bool, float]:
        """Return where a group stands in the queue: journeys, the longest first; then units, the longest last."""
        told = [self._told[nodeid] for nodeid in self.workqueue[group]]
        waits = any(one.waits for one in told)
        takes_s = sum(one.takes_s for one in told) + (_TOWN_TAKES_S if waits else 0)
        return not waits, -takes_s if waits else takes_s


def _file(config: pytest.Config) -> Path:
    if _FILE not in config.stash:
        folder = tempfile.TemporaryDirectory(prefix="hotline-groups-")
        config.add_cleanup(folder.cleanup)
        config.stash[_FILE] = Path(folder.name) / "groups.json"
    return config.stash[_FILE]


def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker where to write."""
    node.workerinput[_INPUT] = str(_file(node.config))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling | None:
    """Take our scheduler where groups were asked for."""
    return GroupScheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell the groups where this module is a plugin by itself; `tests.conftest` has a hook of its own."""
    tell(session)


def tell(session: pytest.Session) -> None:
    """Write the groups down before the controller is told that all is collected."""
    target: str | None = getattr(session.config, "workerinput", {}).get(_INPUT)
    if target is not None:
        # Each worker writes the same, and nobody ever reads half of it.
        part = Path(f"{target}.{session.config.workerinput['workerid']}")  # type: ignore[attr-defined]
        part.write_text(json.dumps({item.nodeid: _tells(item) for item in session.items}))
        part.replace(target)


def _tells(item: pytest.Item) -> Told:
    group, waits = _group(item), item.get_closest_marker(_WAITS) is not None
    takes_s = _UNIT_TAKES_S + sum(seconds for mark, seconds in _TAKES_S.items() if item.get_closest_marker(mark))
    return Told(group, takes_s, waits)


def _group(item: pytest.Item) -> str:
    """Its nearest `xdist_group`. Without one a journey is alone; units of a file share what it has prepared."""
    mark = item.get_closest_marker("xdist_group")
    if mark is not None:
        return str(mark.args[0])
    if item.get_closest_marker(_WAITS):
        return item.nodeid
    # One server for all that need one: each of them is emptied for each test anyway.
    wants_server = "postgres" in item.name or "_postgres_url" in getattr(item, "fixturenames", ())
    return "postgres" if wants_server else item.nodeid.partition("::")[0]
