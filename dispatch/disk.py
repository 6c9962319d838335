"""Whether the disk of recordings has room: asked before each one, so that the database never loses its own."""

from __future__ import annotations

import shutil

from models.settings import settings


def free_bytes() -> int:
    """Return how many bytes are free where recordings lie."""
    folder = settings().spool_dir
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def is_low() -> bool:
    """Return whether there is less room than `recording_free_gb`: no recording begins."""
    return free_bytes() < settings().recording_free_gb * 1e9
