"""Debian's Chromium for Playwright; nothing downloads a browser of its own."""

from __future__ import annotations

from models import toolbox

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def binary() -> str:
    """Return the path of Chromium; its absence is an error that names the remedy."""
    return toolbox.chromium().argv[0]
