"""Debian's Chromium for Playwright; nothing downloads a browser of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserType, expect, sync_playwright

from models import toolbox
from tests.support.patience import PATIENCE

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def launched(flags: Sequence[str] = FLAGS) -> Iterator[Browser]:
    """One Chromium; its absence is an error that names the remedy. A patient machine's pages may take longer."""
    expect.set_options(timeout=5000 * PATIENCE)
    with pytest.MonkeyPatch.context() as patch:
        # Where an ordinary user had it unpacked, Playwright's driver has to be told where it lies.
        patch.setenv("LD_LIBRARY_PATH", str(toolbox.libatomic().parent), prepend=":")
        playwright = sync_playwright().start()
    try:
        with one_more(playwright.chromium, flags) as browser:
            yield browser
    finally:
        playwright.stop()


@contextmanager
def one_more(kind: BrowserType, flags: Sequence[str] = FLAGS) -> Iterator[Browser]:
    """A Chromium beside the one that is there: a thread has only one Playwright."""
    tool = toolbox.chromium()
    # Without a locale Chromium opens no file whose name is Chinese.
    env = {**tool.environ(), "LC_ALL": "C.UTF-8"}
    browser = kind.launch(executable_path=tool.argv[0], env=env, args=list(flags))  # type: ignore[arg-type]
    yield browser
    browser.close()
