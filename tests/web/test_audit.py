"""The audit: every deed that is written has words, every read of a person is written, and it can be asked who read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine, select

from agents import audit, people
from models import session
from models.campaigns import CampaignStatus
from models.preferences import Setting
from models.tasks import TaskKind
from models.users import AuditEvent, User
from tests.web.conftest import Browser
from tests.web.world import World, landline
from web.admin_words import SETTING_KIND
from web.audit_words import AUDIT_ACTION

ROOT = Path(__file__).parents[2]
PACKAGES = ("agents", "web", "hotline", "dispatch", "ivr", "models")
# What stands behind the beginning of a deed that is put together.
ENDINGS: dict[str, list[str]] = {
    "provider_": ["ask", "assign"],
    "campaign_": [CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.STOPPED],
    "set_": list(Setting),
    "undo_": list(Setting),
}


# The functions that write a deed, or hand one on, under this name.
RECORDERS = ("record", "audited", "_audit", "_do")


def modules() -> list[ast.Module]:
    return [ast.parse(path.read_text()) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def texts(node: ast.AST, module: ast.Module) -> Iterator[str]:
    """The codes that an argument may be: written out, chosen by an if, put together, or named above."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*texts(node.body, module), *texts(node.orelse, module))
    elif isinstance(node, ast.JoinedStr):
        begin = node.values[0]
        assert isinstance(begin, ast.Constant) and isinstance(begin.value, str)
        yield from (begin.value + ending for ending in ENDINGS[begin.value])
    elif isinstance(node, ast.Subscript):
        yield from texts(node.value, module)
    elif isinstance(node, ast.Dict):
        yield from (text for value in node.values for text in texts(value, module))
    elif isinstance(node, ast.Name):
        for found in ast.walk(module):
            if isinstance(found, ast.Assign) and node.id in [getattr(one, "id", "") for one in found.targets]:
                yield from texts(found.value, module)


def recorded() -> tuple[set[str], set[str]]:
    """Every deed and every subject that the code may write into the audit."""
    found = modules()
    takes: dict[str, dict[str, int]] = {}
    for module in found:
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef):
                names = [one.arg for one in node.args.args]
                if "action" in names and node.name in RECORDERS:
                    takes[node.name] = {name: names.index(name) for name in ("action", "subject") if name in names}
    actions: set[str] = set()
    subjects: set[str] = set()
    for module in found:
        for node in ast.walk(module):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = {one.arg: one.value for one in node.keywords}
            if name in takes:
                given |= {which: node.args[at] for which, at in takes[name].items() if at < len(node.args)}
            elif name != "AuditEvent":
                continue
            if "action" in given:
                actions |= set(texts(given["action"], module))
            if "subject" in given:
                subject = given["subject"]
                subjects |= set(texts(subject.elts[0] if isinstance(subject, ast.Tuple) else subject, module))
    return actions, subjects


def test_every_deed_and_subject_of_the_audit_has_words() -> None:
    actions, subjects = recorded()
    assert len(actions) > 60 and len(subjects) > 10  # the search finds what is there
    assert sorted(actions - set(AUDIT_ACTION)) == []
    assert sorted(subjects - set(SETTING_KIND)) == []


def test_what_only_reads_stands_with_the_reads() -> None:
    reads = {"figure_opened", "marks_read", "statistics_exported", "care_report_exported", "call_listened"}
    assert reads <= set(audit.GROUPS["reads"])
    assert {action for group in audit.GROUPS.values() for action in group} <= set(AUDIT_ACTION)


def test_who_has_read_her_card_is_asked_from_it(world: World, browser: Browser) -> None:
    """Her card, her order, a call, a task and the searches that showed her; each led to; nobody else's."""
    wang, li = world.elder("王桂兰", landline(101)), world.elder("李淑珍", landline(102))
    order, call = world.order(wang), world.call(wang)
    task = world.task(TaskKind.MESSAGE, elder_id=wang.id)
    world.user("小陈")
    world.user("刘主任", "admin")
    browser.login("小陈")
    pages = [
        f"/elders/{wang.person.public_id}", f"/orders/{order.public_id}", f"/calls/{call.public_id}",
        f"/tasks/{task.public_id}",
    ]  # fmt: skip
    for page in (*pages, f"/elders/{li.person.public_id}", f"/search?q={order.number}", "/search?q=lsz"):
        assert browser.get(page).status_code == 200, page
    assert "谁看过" not in browser.get(pages[0]).text
    browser.post("/logout", {}, page="/")
    browser.login("刘主任")
    card = browser.get(pages[0]).text
    asked = f"/admin/log?elder={wang.person.public_id}&group=reads"
    assert asked.replace("&", "&amp;") in card and "谁看过" in card
    log = browser.get(asked).text
    for page in pages:
        assert f'href="{page}"' in log, page
    assert f"/elders/{li.person.public_id}" not in log
    assert "王桂兰" in log and "小陈" in log and str(order.number) in log
    with session.read() as db:
        lines = audit.lines(db, audit.Wish(group="reads", elder=wang.person.public_id), {})
        assert [one.action for one in lines if one.by == "小陈"].count("searched") == 1
        # Her order shows who she is: it is a reading of her card too.
        reads = db.execute(select(AuditEvent.subject, AuditEvent.subject_id).where(AuditEvent.action == "read")).all()
        assert ("order", order.id) in reads and reads.count(("elder", wang.id)) >= 3
        assert audit.lines(db, audit.Wish(elder="none"), {}) == []


def test_a_page_of_an_order_that_asks_for_itself_is_one_reading(world: World, agent: Browser) -> None:
    order = world.order(world.elder("王桂兰", landline(101)))

    def reads() -> int:
        with session.read() as db:
            found = select(AuditEvent).where(AuditEvent.subject == "order", AuditEvent.action == "read")
            return len(db.scalars(found).all())

    # Whoever asks in the way of the page without having opened it is written all the same.
    agent.get(f"/orders/{order.public_id}?watch=1")
    assert reads() == 1
    agent.get(f"/orders/{order.public_id}?watch=1")
    assert reads() == 1
    agent.get(f"/orders/{order.public_id}")
    assert reads() == 2


def test_the_searches_that_showed_her_on_postgresql(postgres_database: Engine) -> None:
    world = World()
    elders = [world.elder("王桂兰", landline(101 + at)) for at in range(12)]
    chen = world.user("小陈")
    with world.rows() as db:
        people.audit_read(db, db.get_one(User, chen.id), [elders[0].id, elders[2].id], world.now)
        people.audit_read(db, db.get_one(User, chen.id), [elders[11].id], world.now)
    with session.read() as db:
        found = [len(audit.lines(db, audit.Wish(elder=one.person.public_id), {})) for one in elders]
    assert found == [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
