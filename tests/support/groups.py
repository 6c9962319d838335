"""Tests of one `xdist_group` go to one worker, one after another.

xdist 3.8 tells the group by the test's id, which pytest 9.2 does not let it change: without a word every test is a
group of its own, and every worker founds every town. So a worker writes the groups into a file, and the scheduler
reads it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_FILE = pytest.StashKey[Path]()
_INPUT = "groups_file"


class GroupScheduling(LoadScopeScheduling):
    """Whole groups, the largest first; a test of no group is one by itself."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        self._file = _file(config)

    @cached_property
    def _groups(self) -> dict[str, str]:
        groups: dict[str, str] = json.loads(self._file.read_text())
        return groups

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(nodeid, nodeid)


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
    """Write the groups down before the controller is told that all is collected."""
    target: str | None = getattr(session.config, "workerinput", {}).get(_INPUT)
    if target is not None:
        found = {item.nodeid: group for item in session.items if (group := group_of(item)) is not None}
        # Each worker writes the same, and nobody ever reads half of it.
        part = Path(f"{target}.{session.config.workerinput['workerid']}")  # type: ignore[attr-defined]
        part.write_text(json.dumps(found))
        part.replace(target)


def group_of(item: pytest.Item) -> str | None:
    """The name in its nearest `xdist_group`, None without one."""
    mark = item.get_closest_marker("xdist_group")
    args: Sequence[object] = mark.args if mark is not None else ()
    return str(args[0]) if args else None
