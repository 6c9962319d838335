"""Cards over HTTP: notes written and struck, corrections and merges taken back, and "it is she" for a call."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from agents import people
from models import session
from models.amendments import ElderChange, ElderMerge
from models.calls import Call
from models.orders import Order
from models.people import Elder, Person
from models.results import NOTE_MAX, Note
from models.tasks import Task, TaskKind
from models.users import AuditEvent, User
from tests.web import desk_town
from tests.web.conftest import Browser
from tests.web.test_pages import text_of
from tests.web.world import World, landline


@pytest.fixture
def wang(world: World) -> Elder:
    return world.elder("王桂兰", landline(101), born_on=date(1943, 3, 18), address="尚志大街1号")


def card(elder: Elder) -> str:
    return f"/elders/{elder.person.public_id}"


def actions() -> list[str]:
    """What the audit has besides reading."""
    with session.read() as db:
        rows = db.scalars(select(AuditEvent).where(AuditEvent.user_id == 1).order_by(AuditEvent.id))
        return [row.action for row in rows if row.action not in ("read", "login", "user_created")]


def test_a_note_is_written_struck_and_restored_and_never_lost(wang: Elder, agent: Browser) -> None:
    for text, code in ((" \n", "请填写"), ("字" * (NOTE_MAX + 1), "过长")):
        answer = agent.post(f"{card(wang)}/notes", {"text": text}, page="/desk")
        assert answer.status_code == 422 and code in text_of(answer.text)
    said = agent.post(f"{card(wang)}/notes", {"text": "听力差，<b>请大声</b>"}, page="/desk")
    assert (said.status_code, said.headers["Location"]) == (303, f"{card(wang)}#notes")
    with session.read() as db:
        note = db.scalars(select(Note)).one()
    line = f"/notes/{note.public_id}/strike"
    shown = "听力差，&lt;b&gt;请大声&lt;/b&gt;</p>"
    assert f'<p class="prose">{shown}' in agent.get(card(wang)).text
    assert agent.post(line, {"struck": "yes"}, page="/desk").status_code == 303
    # Struck it is crossed out for the eye and said so for the ear; it is there, and in the whole history, too.
    struck = agent.get(card(wang)).text
    assert f'<p class="prose struck"><span class="visually-hidden">已划掉: </span>{shown}' in struck
    assert "听力差" in agent.get(f"{card(wang)}/history/notes").text
    assert f'action="{line}"' in struck and "恢复" in struck
    # A colleague whose page is older strikes it too: it stays struck.
    assert agent.post(line, {"struck": "yes"}, page="/desk").status_code == 303
    assert '<p class="prose struck">' in agent.get(card(wang)).text
    assert 'name="struck" value="no"' in struck
    assert agent.post(line, {"struck": "no"}, page="/desk").status_code == 303
    assert f'<p class="prose">{shown}' in agent.get(card(wang)).text
    assert actions() == ["note_written", "note_struck", "note_restored"]
    assert agent.post("/notes/none/strike", {}, page="/desk").status_code == 404
    assert agent.post("/elders/none/notes", {"text": "x"}, page="/desk").status_code == 404


def test_a_note_in_a_call_leads_back_to_the_call_and_a_struck_one_is_not_in_the_pop(
    world: World, wang: Elder, agent: Browser
) -> None:
    call = desk_town.rings(world, wang)
    pop = f"/desk/calls/{call.public_id}"
    form = {"text": "门铃坏了", "call": call.public_id}
    answer = agent.post(f"{card(wang)}/notes", form, page="/desk")
    assert (answer.status_code, answer.headers["Location"]) == (303, pop)
    assert "门铃坏了" in agent.get(pop).text
    with session.read() as db:
        note = db.scalars(select(Note)).one()
    assert note.call_id == call.id
    agent.post(f"/notes/{note.public_id}/strike", {"struck": "yes"}, page="/desk")
    assert "门铃坏了" not in agent.get(pop).text and "门铃坏了" in agent.get(card(wang)).text


def test_a_correction_is_taken_back_unless_another_came_after_it(wang: Elder, agent: Browser) -> None:
    for address in ("经纬街2号", "经纬街3号"):
        assert agent.post(f"{card(wang)}/edit", {"address": address}, page="/desk").status_code == 303
    with session.read() as db:
        first, second = db.scalars(select(ElderChange).order_by(ElderChange.id)).all()

    def back(change: ElderChange) -> int:
        answer = agent.post(f"/changes/{change.public_id}/undo", {}, page="/desk")
        assert answer.status_code != 409 or 'role="alert"' in answer.text
        return answer.status_code

    # The first is not: it would tread on the second. A second click on what is taken back finds nothing.
    assert f'action="/changes/{first.public_id}/undo"' in agent.get(card(wang)).text
    assert [back(first), back(second), back(second), back(first)] == [409, 303, 404, 303]
    with session.read() as db:
        assert db.get_one(Elder, wang.id).address == "尚志大街1号"
    assert f'action="/changes/{first.public_id}/undo"' not in agent.get(card(wang)).text
    assert actions()[-2:] == ["elder_change_undone"] * 2


def test_a_merge_is_taken_back_from_the_card_once(world: World, wang: Elder, agent: Browser) -> None:
    twin = world.elder("王桂兰", landline(102), born_on=date(1943, 3, 18))
    order = world.order(twin)
    path = f"{card(wang)}/merge/{twin.person.public_id}"
    assert f'href="{path}"' in agent.get(card(wang)).text
    assert agent.post(path, {}, page="/desk").status_code == 303
    assert f"/orders/{order.public_id}" in agent.get(card(wang)).text
    with session.read() as db:
        merged = db.scalars(select(ElderMerge)).one()
    undo = f"/merges/{merged.public_id}/undo"
    assert f'action="{undo}"' in agent.get(card(wang)).text
    assert agent.post(undo, {}, page="/desk").headers["Location"] == card(wang)
    assert f"/orders/{order.public_id}" not in agent.get(card(wang)).text
    assert f"/orders/{order.public_id}" in agent.get(card(twin)).text
    again = agent.post(undo, {}, page="/desk")
    assert again.status_code == 409 and "同事刚刚" in text_of(again.text)
    assert agent.post("/merges/none/undo", {}, page="/desk").status_code == 404
    assert actions() == ["elders_merged", "merged_away", "merge_undone"]


@pytest.mark.parametrize("keep", [True, False])
def test_it_is_she(world: World, wang: Elder, agent: Browser, keep: bool) -> None:
    call = desk_town.stranger(world, "13800001234")
    task = world.task(TaskKind.PARTIAL, call_id=call.id)
    path = f"/desk/calls/{call.public_id}"
    found = agent.get(f"{path}?q=wgl").text
    assert f'name="elder" value="{wang.person.public_id}"' in found and 'name="keep"' in found
    assert agent.post(f"{path}/elder", {"elder": "none"}, page="/desk").status_code == 404
    assert agent.post("/desk/calls/none/elder", {"elder": wang.person.public_id}, page="/desk").status_code == 404
    form = {"elder": wang.person.public_id} | ({"keep": "yes"} if keep else {})
    answer = agent.post(f"{path}/elder", form, page="/desk")
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert re.search(r"王桂兰.*尚志大街1号", text_of(agent.get(path).text))
    with session.read() as db:
        row = db.get_one(Call, call.id)
        assert (row.elder_id, row.identified_by) == (wang.id, "agent")
        assert db.get_one(Task, task.id).elder_id == wang.id
        numbers = [link.number.value for link in db.get_one(Elder, wang.id).person.numbers]
        assert len(db.scalars(select(ElderChange)).all()) == int(keep)
    assert numbers == [landline(101)] + (["+8613800001234"] if keep else [])


def test_it_is_somebody_else(world: World, wang: Elder, agent: Browser) -> None:
    """Her son rings from her line for his father: the call is put right by a click, a search or a new card."""
    zhao, li = world.elder("赵德福", landline(101)), world.elder("李淑珍", landline(103))
    call = desk_town.rings(world, wang)
    task = world.task(TaskKind.PARTIAL, call_id=call.id, elder_id=wang.id)
    path = f"/desk/calls/{call.public_id}"
    page = agent.get(path).text
    assert re.search(r"<details class=\"panel\"><summary>不是这位老人</summary>", page)
    assert f'name="elder" value="{zhao.person.public_id}"' in page
    assert (
        f'name="elder" value="{wang.person.public_id}"'
        not in page.split('<details class="panel"')[1].split("</details>")[0]
    )
    found = agent.get(f"{path}?q=lsz").text
    assert '<details class="panel" open>' in found and f'value="{li.person.public_id}"' in found
    agent.post(f"{path}/elder", {"elder": zhao.person.public_id}, page="/desk")
    with session.read() as db:
        assert db.get_one(Call, call.id).elder_id == db.get_one(Task, task.id).elder_id == zhao.id
    # A mistake in the form of a new card leaves it open; what is right makes the call the new card's.
    wrong = agent.post(f"{path}/register", {"name": "", "language": "zh-CN"}, page="/desk")
    assert wrong.status_code == 422 and '<details class="panel" open>' in wrong.text
    agent.post(f"{path}/register", {"name": "赵秀英", "numbers": landline(101), "language": "zh-CN"}, page="/desk")
    with session.read() as db:
        new = db.scalars(select(Person.id).where(Person.name == "赵秀英")).one()
        assert db.get_one(Call, call.id).elder_id == db.get_one(Task, task.id).elder_id == new
    # A call of hers that an agent has made is to whom it was made.
    ours = world.call(wang, direction="out", purpose="agent")
    assert "不是这位老人" not in agent.get(f"/desk/calls/{ours.public_id}?q=wgl").text


def test_she_who_was_merged_meanwhile_is_the_one_with_whom_she_is_one(
    world: World, wang: Elder, agent: Browser
) -> None:
    """The page that offers her is older than the merge: the call is not put on an emptied card."""
    twin = world.elder("王桂兰", landline(102))
    call = desk_town.stranger(world, "13800001234")
    agent.post(f"{card(wang)}/merge/{twin.person.public_id}", {}, page="/desk")
    agent.post(f"/desk/calls/{call.public_id}/elder", {"elder": twin.person.public_id}, page="/desk")
    agent.post(f"{card(twin)}/notes", {"text": "门铃坏了"}, page="/desk")
    with session.read() as db:
        assert db.get_one(Call, call.id).elder_id == wang.id
        assert db.scalars(select(Note.elder_id)).all() == [wang.id]
    order = {"elder": twin.person.public_id, "service": "meals", "day": world.day(1).isoformat(), "part": "morning"}
    assert agent.post("/orders/place", {**order, "key": "k"}, page="/desk").status_code == 303
    with session.read() as db:
        assert db.scalars(select(Order.elder_id)).all() == [wang.id]


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_notes_on_her_health_are_in_no_form_of_a_role_that_may_not_see_them(
    world: World, wang: Elder, browser: Browser, role: str
) -> None:
    world.user("小周", role)
    browser.login("小周")
    twin = world.elder("王桂兰", landline(102), needs="听力差")
    with world.rows() as db:
        db.get_one(Elder, wang.id).needs = "胰岛素"
    sees = role == "agent"
    pages = [browser.get(path).text for path in (f"{card(wang)}/edit", f"{card(wang)}/merge/{twin.person.public_id}")]
    assert all(("胰岛素" in page) is sees for page in pages)
    with session.read() as db:
        values = people.values_of(db, db.get_one(Elder, wang.id))
    wished = {**values, "needs": "", "address": "经纬街2号"}
    assert browser.post(f"{card(wang)}/edit", wished, page="/search").status_code == 303
    with session.read() as db:
        row = db.get_one(Elder, wang.id)
        assert (row.address, row.needs) == ("经纬街2号", "" if sees else "胰岛素")
    new = {"name": "赵秀英", "numbers": landline(108), "language": "zh-CN", "needs": "糖尿病"}
    assert browser.post("/elders/new", new, page="/search").status_code == 303
    with session.read() as db:
        added = db.scalars(select(Elder).order_by(Elder.id.desc())).first()
        assert added is not None and added.needs == ("糖尿病" if sees else "")
    # The corrections tell what stood before: of her health to nobody else either.
    with world.rows() as db:
        user = db.get_one(User, 1)
        people.correct(db, wang.person.public_id, {"needs": "透析"}, user, world.now)
    for path in (card(wang), f"{card(wang)}/history/changes"):
        assert ("透析" in browser.get(path).text) is sees, path
