"""Consoles without a browser, for benchmarks: logged in, and with the event stream open that a page keeps open."""

from __future__ import annotations

import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.cookiejar import CookieJar
from urllib.request import OpenerDirector

OPENS_WITHIN_S = 60


def log_in(url: str, name: str, password: str) -> OpenerDirector:
    """Log in at the console; what is opened with the answer is asked by this user."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    with opener.open(f"{url}/login", timeout=30) as page:
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.read().decode())
    assert token is not None
    form = urllib.parse.urlencode({"csrf_token": token[1], "name": name, "password": password}).encode()
    opener.open(f"{url}/login", form, timeout=30).close()
    return opener


@contextmanager
def streams(url: str, names: Sequence[str], password: str) -> Iterator[None]:
    """Keep one stream a name open and read; one name can have only so many (`web.live.STREAMS_PER_USER`)."""
    stop, opened = threading.Event(), threading.Semaphore(0)
    broken: list[str] = []

    def read(name: str) -> None:
        with log_in(url, name, password).open(f"{url}/events", timeout=OPENS_WITHIN_S) as events:
            opened.release()
            while not stop.is_set() and events.read1(65536):
                pass
        if not stop.is_set():
            broken.append(name)

    for name in names:
        threading.Thread(target=read, args=(name,), daemon=True).start()
    try:
        for _ in names:
            if not opened.acquire(timeout=OPENS_WITHIN_S):
                raise AssertionError("not all streams are open")
        yield
        if broken:
            raise AssertionError(f"{len(broken)} streams have ended")
    finally:
        stop.set()
