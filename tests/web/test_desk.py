"""The desk over HTTP: one vocabulary, one order however often it is sent, the telephone's words, who may see what."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from flask import Flask
from sqlalchemy import func, select

from ivr.prompts import words
from ivr.prompts.words import line
from models import clock, session, vocabulary
from models.orders import Order, OrderEvent, OrderStatus
from models.tasks import TaskKind
from models.users import AuditEvent
from tests.support.oracle import problems
from tests.web import desk_town, town
from tests.web.conftest import Browser
from tests.web.test_pages import text_of
from tests.web.world import World, landline, mobile
from web.desk_orders import OrderForm, slots_of


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a read-back."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page[page.index("<main") :]))


def test_the_form_has_the_telephones_services_and_parts_of_the_day(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    page = agent.get(f"/elders/{wang.person.public_id}/order").text
    assert re.findall(r'name="service" value="(\w+)"', page) == [one.code for one in vocabulary.SERVICES]
    assert re.findall(r'name="part" value="(\w+)"', page) == [one.code for one in vocabulary.PARTS]


def test_an_order_is_read_back_in_the_telephones_words_and_placed_once(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    path = f"/elders/{wang.person.public_id}/order"
    form = {**fields(agent.get(path).text), "service": "bathing", "day": world.day(1).isoformat(), "part": "afternoon"}
    told = agent.client.post("/orders/check", data=form)
    assert told.status_code == 200
    today = clock.local_date(clock.now())
    spoken = line(
        "readback",
        service=words.service("bathing", "zh-CN"),
        day=words.day(world.day(1), today, "zh-CN"),
        part=words.part("afternoon", "zh-CN"),
    ).text("zh-CN")
    said = re.search(r'class="script-text" lang="zh-CN">([^<]+)<', told.text)
    assert said is not None
    assert spoken.startswith(said[1])
    # Sent twice, by a second click or a lost answer: one order.
    confirmed = fields(told.text)
    first = agent.client.post("/orders/place", data=confirmed)
    again = agent.client.post("/orders/place", data=confirmed)
    assert (first.status_code, again.status_code) == (303, 303)
    with session.read() as db:
        order = db.scalars(select(Order)).one()
        assert (order.channel, order.service, order.wanted_part) == ("agent", "bathing", "afternoon")
        event = db.scalars(select(OrderEvent)).one()
        assert (event.actor, event.actor_id) == ("agent", 1)
    assert "未重复下单" in agent.get(again.headers["Location"]).text


def test_a_second_order_that_meets_one_that_stands_brings_what_is_new_and_says_what_is_not(
    world: World, agent: Browser
) -> None:
    """What was read back to her is in the order, or the page says that it is not."""
    wang = world.elder("王桂兰", landline(101))
    form = {"elder": wang.person.public_id, "service": "bathing", "day": world.day(1).isoformat(), "part": "afternoon"}

    def placed(key: str, **more: str) -> tuple[Order, str]:
        answer = agent.post("/orders/place", {**form, "key": key, **more}, page="/desk")
        assert answer.status_code == 303
        with session.read() as db:
            return db.scalars(select(Order)).one(), text_of(agent.get(answer.headers["Location"]).text)

    def events() -> list[tuple[str | None, str, str, int | None]]:
        with session.read() as db:
            rows = db.scalars(select(OrderEvent).where(OrderEvent.actor == "agent").order_by(OrderEvent.id))
            return [(row.from_status, row.to_status, row.actor, row.actor_id) for row in rows]

    placed("first")
    first = [(None, "confirmed", "agent", 1)]
    order, page = placed("second", at="15:00", note="带防滑垫")
    assert (order.note, order.wanted_at) == ("带防滑垫", time(15)) and "带防滑垫" in page
    assert "未重复下单" in page and "时间未改" not in page and "备注未写入" not in page
    assert events() == [*first, ("confirmed", "confirmed", "agent", 1)]
    # The same once more changes nothing.
    placed("third", at="15:00", note="带防滑垫")
    assert len(events()) == 2
    order, page = placed("fourth", note="轻一点")
    assert order.note == "带防滑垫" and "备注未写入" in page and "时间未改" not in page
    kang = world.provider("康乐", mobile(201))
    world.move(order, OrderStatus.OFFERED)
    world.move(order, OrderStatus.ACCEPTED, actor="provider", actor_id=kang.id)
    order, page = placed("fifth", at="16:00")
    assert order.wanted_at == time(15) and "时间未改" in page and "备注未写入" not in page
    assert len(events()) == 2
    with session.read() as db:
        assert problems(db) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"service": "dancing"}, "请选择服务"), ({"part": ""}, "请选时段"), ({"day": "soon"}, "请选择日期"),
        ({"day": "2020-01-01"}, "已来不及"), ({"at": "23:00"}, "不在所选时段"), ({"note": "字" * 201}, "备注过长"),
    ],
)  # fmt: skip
def test_a_form_with_mistakes_writes_nothing(world: World, agent: Browser, changed: dict[str, str], said: str) -> None:
    wang = world.elder("王桂兰", landline(101))
    path = f"/elders/{wang.person.public_id}/order"
    form = {**fields(agent.get(path).text), "service": "bathing", "day": world.day(1).isoformat(), "part": "morning"}
    for address in ("/orders/check", "/orders/place"):
        answer = agent.client.post(address, data={**form, **changed})
        assert answer.status_code == 422
        assert said in answer.text
    with session.read() as db:
        assert db.scalar(select(func.count()).select_from(Order)) == 0


def test_the_pop_prefills_what_the_machine_understood_and_is_audited(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    call = desk_town.rings(world, seeded.elder)
    page = agent.get(f"/desk/calls/{call.public_id}").text
    assert re.search(r'value="bathing" required checked', page)
    assert f'name="day" value="{world.day(1).isoformat()}"' in page
    with session.read() as db:
        read = db.execute(select(AuditEvent.subject, AuditEvent.subject_id).where(AuditEvent.action == "read")).all()
    assert [tuple(row) for row in read] == [("call", call.id), ("elder", seeded.elder.id)]
    assert agent.get("/desk/calls/none").status_code == 404


def test_what_a_search_has_shown_is_audited_without_its_words(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    assert "王桂兰" in agent.get("/search?q=wgl").text
    with session.read() as db:
        row = db.scalars(select(AuditEvent).where(AuditEvent.action == "searched")).one()
    assert row.data == {"ids": [wang.id]}


def test_health_notes_are_not_for_whoever_looks_after_the_machine(world: World, app: Flask) -> None:
    seeded = town.build(world)
    call = desk_town.rings(world, seeded.elder)
    for name, role, sees in (("小陈", "agent", True), ("王工", "admin", False)):
        world.user(name, role)
        browser = Browser(app)
        browser.login(name)
        for path in (f"/elders/{seeded.elder.person.public_id}", f"/desk/calls/{call.public_id}"):
            assert ("右腿不便" in browser.get(path).text) is sees, (name, path)


def test_a_locked_task_says_who_has_it(world: World, app: Flask, agent: Browser) -> None:
    task = world.task(TaskKind.RING_BACK)
    path = f"/tasks/{task.public_id}"
    assert "填写结果" in agent.get(path).text
    world.user("小李")
    other = Browser(app)
    other.login("小李")
    page = other.get(path).text
    assert "小陈 正在处理此待办" in page
    assert 'name="result"' not in page
    assert other.post(f"{path}/lock", {}, page="/desk").status_code == 409
    assert other.post(f"{path}/close", {"result": "done"}, page="/desk").status_code == 409
    assert agent.post(f"{path}/unlock", {}, page="/desk").status_code == 204
    assert 'name="result"' in other.get(path).text


def test_shortcuts_are_each_users_own(world: World, agent: Browser) -> None:
    usual = dict(re.findall(r'id="key-\w+" name="(\w+)" value="([^"]*)"', agent.get("/shortcuts").text))
    assert agent.post("/shortcuts", {**usual, "order": "d"}, page="/shortcuts").status_code == 422
    assert agent.post("/shortcuts", {**usual, "order": "x", "note": ""}, page="/shortcuts").status_code == 303
    page = agent.get("/desk").text
    assert 'data-shortcut="order" data-press="x"' in page
    assert 'data-shortcut="note"' not in page
    agent.post("/shortcuts", {"reset": "yes"}, page="/shortcuts")
    assert 'data-shortcut="order" data-press="o"' in agent.get("/desk").text


@pytest.mark.parametrize(
    ("at", "problems_found"), [("09:00", {"at": "past"}), ("10:30", {"at": "past"}), ("10:45", {})]
)
def test_an_hour_of_today_that_is_over_is_not_ordered(world: World, at: str, problems_found: dict[str, str]) -> None:
    now = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)  # half past ten in Harbin
    form = OrderForm(service="bathing", day="2026-11-20", part="morning", at=at)
    assert slots_of(form, now)[1] == problems_found
    assert slots_of(replace(form, day="2026-11-21"), now)[1] == {}
