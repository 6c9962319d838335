"""Which prompts are spoken by people: a small file beside the audio, made from the rows, read in each call.

Rows are the truth. The file is there because an utterance must not cost a
question to the database; it is replaced atomically after each change, and made
anew whenever the hotline starts.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from models import audio, recordings
from models.session import read
from models.settings import settings

Index = Mapping[str, Mapping[str, str]]

# The last file that was read, and what it said: (changed at in ns, path), language → key → content key.
_seen: tuple[tuple[int, str], Index] = ((-1, ""), {})


def index_file() -> Path:
    """Where the file lies: with the audio that it names, not with the prompts, which may be emptied."""
    return settings().audio_dir / "prompts.json"


@cache
def _index_path(_var_dir: Path) -> str:
    return str(index_file())


def present(language: str) -> Mapping[str, str]:
    """Return what is recorded in `language`: key → content key."""
    global _seen
    path = _index_path(settings().var_dir)
    try:
        stamp = (os.stat(path).st_mtime_ns, path)  # noqa: PTH116 (in every turn of every call)
    except OSError:
        return {}
    if _seen[0] != stamp:
        try:
            _seen = (stamp, json.loads(Path(path).read_text()))
        except (OSError, ValueError):
            # The stand-in speaks; the next start makes the file anew.
            return {}
    return _seen[1].get(language, {})


def sound_of(content_key: str) -> Path:
    """Return the file of a recording."""
    return audio.path_of(settings().audio_dir, content_key)


def refresh() -> None:
    """Make the file from the rows. Call after the commit; the last to come sees every commit before it."""
    target = index_file()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found: dict[str, dict[str, str]] = {}
        with read() as session:
            for (key, language), row in recordings.present(session).items():
                if sound_of(row.content_key).is_file():
                    found.setdefault(language, {})[key] = row.content_key
        part = target.with_suffix(".part")
        part.write_text(json.dumps(found, sort_keys=True))
        part.replace(target)
