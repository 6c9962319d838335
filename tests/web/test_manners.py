"""Her way of using the hotline on her card: what it tells, what a click changes, and what is taken back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from agents.cards import card_tail
from models import session
from models.calling_hours import ANY, Hours, hours_of
from models.calls import CallEnd
from models.dialects import Dialect
from models.people import Elder
from models.preferences import Because, ElderSetting, Origin, Preferences, Setting, preferences, put
from models.users import AuditEvent
from tests.web import town
from tests.web.conftest import Browser
from tests.web.test_pages import text_of
from tests.web.world import World, landline


def card_of(elder: Elder) -> str:
    return f"/elders/{elder.person.public_id}"


def audit() -> list[tuple[str, str]]:
    with session.read() as db:
        rows = db.execute(
            select(AuditEvent.action, AuditEvent.subject).where(AuditEvent.subject == "elder").order_by(AuditEvent.id)
        )
        return [(action, subject) for action, subject in rows if action != "read"]


def now_set(elder: Elder) -> Preferences:
    with session.read() as db:
        return preferences(db, elder.id)


def learnt_slow(world: World, elder: Elder) -> list[str]:
    calls = [world.call(elder, world.ago(hours * 3600)) for hours in (30, 3)]
    for call in calls:
        world.end(call, CallEnd.GOODBYE)
    with world.rows() as db:
        because = Because(Origin.LEARNT, why="timeouts", call_ids=tuple(call.id for call in calls))
        put(db, elder.id, (Setting.PACE, "slow"), because, world.ago(3000))
    return [call.public_id for call in calls]


def test_the_card_tells_where_a_value_comes_from(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    town.her_way(world, seeded.elder)
    page = agent.get(card_of(seeded.elder)).text
    read = text_of(page)
    for part in (
        "语速 正常语速 慢速 由历次通话学得",
        "连续多次超时未答",
        "音量 正常音量 大音量 坐席设置: 小陈",
        "方言 无方言 山东话 山西话 坐席设置: 小陈",
        "来电先由 自助语音 人工接听 此前",
        "已撤销: 小陈",
        "孙管家 养老管家 0451 1000 0302 可代下单",
        "王小梅 子女 110 0000 0301 可代下单 可知工单 可知健康情况",
        "可代为来电的老人 赵德福 配偶",
        "助洁 擦得很干净 5 分（满分 5）",
    ):
        assert part in read, part
    main = page[page.index("<main") : page.index("</main>")]
    pressed = [
        (name, value)
        for name, switch in re.findall(r'/manners/(\w+)">(.*?)</form>', main, re.DOTALL)
        for value in re.findall(r'value="(\S+)" aria-pressed="true"', switch)
    ]
    assert pressed == [
        ("pace", "slow"), ("volume", "loud"), ("person_first", "no"), ("language", "zh-CN"), ("sms", "no"),
        ("dialect", "shandong"),
    ]  # fmt: skip


def test_an_agent_changes_and_undoes_and_both_are_audited(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    path = card_of(wang)
    for name, value in (("pace", "slow"), ("volume", "loud"), ("person_first", "yes"), ("language", "ko")):
        answer = agent.post(f"{path}/manners/{name}", {"value": value}, page=path)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{path}#manners")
    assert now_set(wang) == Preferences("slow", "loud", True)
    with session.read() as db:
        assert db.get_one(Elder, wang.id).person.language == "ko"
    page = agent.get(path).text
    for name, value in re.findall(r'manners/(\w+)/undo">.*?name="seen" value="([^"]+)"', page, re.DOTALL):
        assert agent.post(f"{path}/manners/{name}/undo", {"seen": value}, page=path).status_code == 303
    assert now_set(wang) == Preferences()
    with session.read() as db:
        assert db.get_one(Elder, wang.id).person.language == "zh-CN"
    done = ["set_pace", "set_volume", "set_person_first", "set_language"]
    done += [f"undo_{name}" for name in ("pace", "volume", "person_first", "language")]
    assert audit() == [(action, "elder") for action in done]
    assert "此前" in text_of(agent.get(path).text)


def test_her_dialect_is_one_of_her_language_and_stays_what_it_was_called(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    path = card_of(wang)
    assert "方言 无方言 山东话 山西话" in text_of(agent.get(path).text)
    agent.post(f"{path}/manners/dialect", {"value": "shandong"}, page=path)
    assert now_set(wang).dialect == "shandong"
    agent.post(f"{path}/manners/dialect", {"value": "none"}, page=path)
    assert now_set(wang).dialect == ""
    agent.post(f"{path}/manners/dialect", {"value": "shanxi"}, page=path)
    with world.rows() as db:
        db.scalars(select(Dialect).where(Dialect.code == "shanxi")).one().hidden_at = world.now
    # What is off the list is still what she speaks, and nobody else's choice.
    assert "方言 无方言 山东话 山西话 坐席设置" in text_of(agent.get(path).text)
    agent.post(f"{path}/manners/language", {"value": "ko"}, page=path)
    assert "方言 无方言 山西话 咸镜道话 平安道话 庆尚道话 坐席设置" in text_of(agent.get(path).text)
    page = agent.get(path).text
    seen = re.search(r'manners/dialect/undo">.*?name="seen" value="([^"]+)"', page, re.DOTALL)
    assert seen
    agent.post(f"{path}/manners/dialect/undo", {"seen": seen[1]}, page=path)
    assert now_set(wang).dialect == ""
    # English has none on the list, and what was before is told.
    agent.post(f"{path}/manners/language", {"value": "en"}, page=path)
    assert "方言 无方言 坐席设置" in text_of(agent.get(path).text)
    assert agent.post(f"{path}/manners/dialect", {"value": "shanxi"}, page=path).status_code == 400
    assert [action for action, _ in audit()] == [
        *["set_dialect"] * 3, "set_language", "undo_dialect", "set_language"
    ]  # fmt: skip


def test_what_was_learnt_is_taken_back_from_the_card(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    calls = learnt_slow(world, wang)
    path = card_of(wang)
    page = agent.get(path).text
    assert all(f'href="/calls/{call}"' in page for call in calls)
    seen = re.search(r'name="seen" value="([^"]+)"', page)
    assert seen
    agent.post(f"{path}/manners/pace/undo", {"seen": seen[1]}, page=path)
    assert now_set(wang).pace == "normal"
    assert "已撤销: 小陈" in text_of(agent.get(path).text)


def test_nobody_undoes_what_she_has_not_seen(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    learnt_slow(world, wang)
    path = card_of(wang)
    seen = re.search(r'name="seen" value="([^"]+)"', agent.get(path).text)
    assert seen
    agent.post(f"{path}/manners/pace", {"value": "slow"}, page=path)
    answer = agent.post(f"{path}/manners/pace/undo", {"seen": seen[1]}, page=path)
    assert answer.status_code == 409 and "设置已被他人更改" in answer.text
    assert now_set(wang).pace == "slow"
    with session.read() as db:
        assert [row.undone_at for row in db.scalars(select(ElderSetting))] == [None, None], "rolled back"
    nothing = agent.post(f"{path}/manners/volume/undo", {"seen": ""}, page=path)
    assert nothing.status_code == 409


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pace", "fast"),
        ("pace", ""),
        ("tempo", "slow"),
        ("language", "fr"),
        ("person_first", "x" * 99),
        ("dialect", "klingon"),
    ],
)
def test_what_does_not_exist_is_refused(world: World, agent: Browser, name: str, value: str) -> None:
    wang = world.elder("王桂兰", landline(101))
    assert agent.post(f"{card_of(wang)}/manners/{name}", {"value": value}, page=card_of(wang)).status_code == 400
    assert agent.post("/elders/none/manners/pace", {"value": "slow"}, page=card_of(wang)).status_code == 404
    assert audit() == []


def test_the_same_again_is_no_second_line_in_the_audit(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    for _ in range(2):
        agent.post(f"{card_of(wang)}/manners/pace", {"value": "slow"}, page=card_of(wang))
    assert audit() == [("set_pace", "elder")]


@pytest.mark.parametrize(
    ("card", "tail"), [("H-000-101", "101"), ("210105194103081234", "1234"), ("D-0001", "01"), ("7", "7"), (None, None)]
)
def test_a_card_shows_only_its_end(card: str | None, tail: str | None) -> None:
    assert card_tail(card) == tail


def test_when_she_may_be_rung_is_set_on_her_card(world: World, agent: Browser) -> None:
    wang = world.elder("王桂兰", landline(101))
    path = card_of(wang)
    form: dict[str, str | list[str]] = {"begins": ["10:00", "14:00"], "ends": ["11:30", ""], "not_on": ["3", "7"]}
    assert agent.post(f"{path}/hours", form, page=path).status_code == 303
    with session.read() as db:
        hours = hours_of(db, wang.id, world.now + timedelta(minutes=1))
    assert hours == Hours(((600, 690), (840, 1440)), frozenset({3, 7}))
    page = agent.get(path).text
    assert 'value="10:00"' in page and re.search(r'name="not_on" value="3" checked', page)
    assert "坐席设置: 小陈" in text_of(page) and audit() == [("set_call_hours", "elder")]
    for wrong in (
        {"begins": ["12:00"], "ends": ["11:00"]},
        {"begins": ["08:00", "09:00"], "ends": ["10:00", "11:00"]},
        {"begins": ["soon"], "ends": [""]},
        {"begins": [""], "ends": [""], "not_on": list("1234567")},
        {"begins": [""], "ends": [""], "not_on": ["x"]},
    ):
        answer = agent.post(f"{path}/hours", wrong, page=path)
        assert answer.status_code == 422 and "无法拨打电话" in answer.text
    assert agent.post(f"{path}/hours", {"begins": ["", ""], "ends": ["", ""]}, page=path).status_code == 303
    with session.read() as db:
        assert hours_of(db, wang.id, world.now + timedelta(minutes=1)) == ANY
