"""P10: the console with 100,000 elders and a million calls: search and board over HTTP, p95; and its first load.

Goal: each ÷ 100 ms at most 1.0, and the first load ÷ 300 kB (compressed) at most 1.0; the worst of the three is the
figure. The world is made by `hotline seed` and kept in var/bench-p10 for the next time. HOTLINE_P10=elders,calls
makes it smaller.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from statistics import median, quantiles

import psutil
from sqlalchemy import select

from agents import accounts
from models import clock, session
from models.people import Elder, Person, PersonNumber, PhoneNumber
from models.search import INITIALS, PINYIN, SearchTerm
from models.settings import ROOT
from models.users import User
from tests.bench.report import Figure, table
from tests.bench.store import hotline_in
from tests.web.console import Console

LIMIT_MS, LIMIT_BYTES = 100.0, 300_000
ASKED, LOADED = 300, 60
STREAMS, WATCHED_S = 50, 15.0
NAME, PASSWORD = "bench", "quiet waters run deep"
Ask = Callable[[str], bytes]


def run() -> Figure:
    """Measure; return the worst of search, board and first load, as a share of its limit."""
    elders, calls = (int(part) for part in os.environ.get("HOTLINE_P10", "100000,1000000").split(","))
    folder = ROOT / "var" / f"bench-p10-{elders}-{calls}"
    with _town(folder, elders, calls), Console(folder) as console:
        ask = _logged_in(console.url)
        searches = [f"/search?q={urllib.parse.quote(query)}" for query in _queries()]
        for address in ("/", "/desk", *searches[:10]):
            ask(address)  # once, so that caches of the process are as on any other day
        search = _times(ask, searches)
        board = _times(ask, ["/"] * LOADED)
        desk = _times(ask, ["/desk"] * LOADED)
        size = _first_load(ask)
        told = _streams(console)
    rows = [
        (name, f"{median(times):.1f}", f"{_p95(times):.1f}", f"{max(times):.1f}")
        for name, times in (("search", search), ("board", board), ("desk", desk))
    ]
    print(f"P10: {elders:,} elders, {calls:,} calls; first load {size / 1000:.0f} kB compressed")  # noqa: T201
    print(table(("page", "median (ms)", "p95 (ms)", "slowest"), rows))  # noqa: T201
    print(told)  # noqa: T201
    shares = {"search": _p95(search) / LIMIT_MS, "board": _p95(board) / LIMIT_MS, "first load": size / LIMIT_BYTES}
    worst = max(shares, key=lambda name: shares[name])
    return Figure(
        ratio=round(shares[worst], 3), better="lower", goal=1.0, ours=round(100 * shares[worst], 1), other=100.0,
        unit=f"% of its limit ({worst})", spread=", ".join(f"{name} {share:.2f}" for name, share in shares.items()),
    )  # fmt: skip


@contextmanager
def _town(folder: Path, elders: int, calls: int) -> Iterator[None]:
    with hotline_in(folder):
        made = folder / "made"
        if not made.exists():
            folder.mkdir(parents=True, exist_ok=True)
            for left in folder.glob("hotline.db*"):
                left.unlink()
            began = time.monotonic()
            command = [sys.executable, "-m", "hotline", "seed", "--elders", str(elders), "--calls", str(calls)]
            subprocess.run(command, check=True)
            made.write_text(f"{time.monotonic() - began:.0f} s\n")
        with session.write() as db:
            if db.scalar(select(User.id).where(User.name == NAME)) is None:
                accounts.create_user(db, NAME, PASSWORD, "supervisor", clock.now())
        yield


def _queries() -> list[str]:
    """Return what agents type: half a name, its sound, initials, numbers in many forms, cards, streets, two words."""
    dice = random.Random(10)
    found = []
    with session.read() as db:
        newest = db.scalar(select(Elder.id).order_by(Elder.id.desc()).limit(1)) or 1
        for n in range(ASKED):
            row = db.execute(
                select(Elder.id, Person.name, Elder.address, Elder.card_number, PhoneNumber.value)
                .join(Person, Person.id == Elder.id)
                .join(PersonNumber, PersonNumber.person_id == Elder.id)
                .join(PhoneNumber, PhoneNumber.id == PersonNumber.number_id)
                .where(Elder.id >= dice.randrange(1, newest + 1))
                .order_by(Elder.id)
                .limit(1)
            ).one()
            terms = list(db.scalars(select(SearchTerm.term).where(SearchTerm.elder_id == row.id)))
            sounds = [term[1:] for term in terms if term[0] in (PINYIN, INITIALS)] or [row.name]
            national = row.value.removeprefix("+86")
            found.append(
                [
                    row.name, row.name[:1], row.name[-2:], dice.choice(sounds), dice.choice(sounds)[:2], national,
                    national[-4:], f"{national[:3]} {national[3:7]} {national[7:]}", row.value, row.card_number,
                    row.address[:4], f"{row.name} {row.address[:3]}", f"{row.name[:1]} {row.address[:6]}", "查无此人",
                ][n % 14]
            )  # fmt: skip
    return found


def _logged_in(url: str) -> Ask:
    return _log_in(urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar())), url)


def _log_in(opener: urllib.request.OpenerDirector, url: str) -> Ask:
    def ask(path: str, form: dict[str, str] | None = None) -> bytes:
        body = urllib.parse.urlencode(form).encode() if form else None
        with opener.open(url + path, body, timeout=30) as answer:
            return bytes(answer.read())

    token = re.search(rb'name="csrf_token" value="([^"]+)"', ask("/login"))
    assert token is not None
    ask("/login", {"csrf_token": token[1].decode(), "name": NAME, "password": PASSWORD})
    return ask


def _times(ask: Ask, paths: list[str]) -> list[float]:
    times = []
    for path in paths:
        began = time.perf_counter()
        ask(path)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _streams(console: Console) -> str:
    """Say what fifty open event streams cost the one web process: memory, and CPU while nothing happens."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    _log_in(opener, console.url)
    web = [each for one in _processes(console) for each in (one, *one.children(recursive=True))]
    before = sum(each.memory_info().rss for each in web)
    with ExitStack() as stack:
        for _ in range(STREAMS):
            stack.enter_context(closing(opener.open(f"{console.url}/events", timeout=30)))
        time.sleep(3)  # Each gets the whole board first.
        spent, began = _cpu(web), time.monotonic()
        time.sleep(WATCHED_S)
        share = (_cpu(web) - spent) / (time.monotonic() - began)
        after = sum(each.memory_info().rss for each in web)
    return (
        f"{STREAMS} event streams on one web process: {after / 1e6:.0f} MB, {(after - before) / STREAMS / 1e3:.0f} kB "
        f"a stream, {100 * share:.1f} % of a core while nothing happens"
    )


def _processes(console: Console) -> list[psutil.Process]:
    assert console._process is not None
    return [psutil.Process(console._process.pid)]


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in processes)


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


def _first_load(ask: Ask) -> int:
    """Return the bytes of the page and of all that it names, each compressed as a proxy would."""
    page = ask("/desk")
    named = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.decode()))
    return sum(len(gzip.compress(body, 6)) for body in (page, *(ask(path.replace("&amp;", "&")) for path in named)))
