"""P10: the console with 100,000 elders and a million calls: search and board over HTTP, p95; and its first load.

Goal: each ÷ 100 ms at most 1.0, and the first load ÷ 300 kB (compressed) at most 1.0; the worst of the three is the
figure. The world is made by `hotline seed` (minutes) and kept in the cache for the next time. HOTLINE_P10=elders,calls
makes it smaller. What fifty event streams cost is told with it, and by itself as P10s.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import select

from agents import accounts
from models import clock, schema, session
from models.people import Elder, Person, PersonNumber, PhoneNumber
from models.search import INITIALS, PINYIN, SearchTerm
from models.settings import ROOT, settings
from models.users import User
from tests.bench import p10_streams
from tests.bench.clients import log_in
from tests.bench.report import Figure, table
from tests.bench.store import hotline_in
from tests.web.console import Console

LIMIT_MS, LIMIT_BYTES = 100.0, 300_000
ASKED, LOADED = 300, 60
NAME, PASSWORD = "bench", "quiet waters run deep"
Ask = Callable[[str], bytes]


def world_size() -> tuple[int, int]:
    """Return how many elders and calls the world has."""
    elders, calls = os.environ.get("HOTLINE_P10", "100000,1000000").split(",")
    return int(elders), int(calls)


def run_streams() -> Figure:
    """P10s: the event streams alone."""
    with _town() as folder, Console(folder) as console:
        found = p10_streams.cost(console)
    print(found.told())  # noqa: T201
    return found.figure()


def run() -> Figure:
    """Measure; return the worst of search, board and first load, as a share of its limit."""
    with _town() as folder, Console(folder) as console:
        ask = _logged_in(console.url)
        searches = [f"/search?q={urllib.parse.quote(query)}" for query in _queries()]
        for address in ("/", "/desk", *searches[:10]):
            ask(address)  # once, so that caches of the process are as on any other day
        search = _times(ask, searches)
        board = _times(ask, ["/"] * LOADED)
        desk = _times(ask, ["/desk"] * LOADED)
        size = _first_load(ask)
        told = p10_streams.cost(console).told()
    rows = [
        (name, f"{median(times):.1f}", f"{_p95(times):.1f}", f"{max(times):.1f}")
        for name, times in (("search", search), ("board", board), ("desk", desk))
    ]
    elders, calls = world_size()
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
def _town() -> Iterator[Path]:
    """Give a folder with the world in it. What a run writes is its own: the world is kept, and each works on a copy."""
    elders, calls = world_size()
    kept = settings().cache_dir / "bench" / f"p10-{elders}-{calls}.db"
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "var", prefix="bench-p10-") as name, hotline_in(Path(name)):
        own = Path(name) / "hotline.db"
        if kept.exists():
            shutil.copyfile(kept, own)
            schema.upgrade(session.engine())
        else:
            _seed(own, kept)
        with session.write() as db:
            if db.scalar(select(User.id).where(User.name == NAME)) is None:
                accounts.create_user(db, NAME, PASSWORD, "supervisor", clock.now())
        yield Path(name)


def _seed(own: Path, kept: Path) -> None:
    """Make the world with the hotline's own command, and keep it for the next time, in whatever clone."""
    elders, calls = world_size()
    command = [sys.executable, "-m", "hotline", "seed", "--elders", str(elders), "--calls", str(calls)]
    subprocess.run(command, check=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    part = kept.with_suffix(f".{os.getpid()}")
    with closing(sqlite3.connect(own)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
    part.replace(kept)


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
    opener = log_in(url, NAME, PASSWORD)

    def ask(path: str) -> bytes:
        with opener.open(url + path, timeout=30) as answer:
            return bytes(answer.read())

    return ask


def _times(ask: Ask, paths: list[str]) -> list[float]:
    times = []
    for path in paths:
        began = time.perf_counter()
        ask(path)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


def _first_load(ask: Ask) -> int:
    """Return the bytes of the page and of all that it names, each compressed as a proxy would."""
    page = ask("/desk")
    named = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.decode()))
    return sum(len(gzip.compress(body, 6)) for body in (page, *(ask(path.replace("&amp;", "&")) for path in named)))
