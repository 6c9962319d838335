"""The pages of administration: forms that keep, refuse in the user's language, and say who was faster."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from agents import quality
from agents.admin_providers import PROVIDER as PROVIDER_KIND
from agents.changing import By
from agents.imports import clear_old, keep
from dispatch.roster import Skills, skills
from models import provider_files, session
from models.calls import CallState
from models.changes import SettingChange, Upload
from models.contacts import Contact, Relation
from models.dialects import dialects
from models.people import Elder, Person
from models.phone import normalise
from models.presence import PauseReason
from models.providers import Provider, Worker
from models.queue_rules import queue_rules
from models.register import NewContact, add_contact
from models.results import CallResult
from models.users import AuditEvent, User
from tests.web import town
from tests.web.conftest import Browser
from tests.web.test_pages import text_of
from tests.web.world import PASSWORD, World, landline, mobile
from web.file_words import file_said, is_known


@pytest.fixture
def boss(world: World, browser: Browser) -> Browser:
    """An administrator's browser, logged in."""
    world.user("刘主任", "admin")
    browser.login("刘主任")
    return browser


def seen(page: str, at: int = 0) -> str:
    found: list[str] = re.findall(r'name="seen" value="(\w+)"', page)
    return found[at]


def test_every_page_of_administration_speaks_each_language(world: World, boss: Browser) -> None:
    seeded = town.build(world)
    user = world.user("kim")
    with session.read() as db:
        provider = db.scalars(select(Provider.public_id)).first()
    paths = [
        "/admin", "/admin/users", "/admin/users/new", f"/admin/users/{user.public_id}", "/admin/pauses",
        "/admin/pauses/new", "/admin/results", "/admin/results/item/1", "/admin/services",
        "/admin/services/item/bathing", "/admin/hours", "/admin/queues", "/admin/quality", "/admin/quality/item/1",
        "/admin/dialects", "/admin/dialects/new", "/admin/dialects/item/1",
        "/admin/imports", "/admin/log",
        "/providers/new", f"/providers/{provider}/edit", f"/elders/{seeded.elder.person.public_id}/contacts/new",
    ]  # fmt: skip
    for language, said in (("zh-CN", "设置"), ("ko", "설정"), ("en", "Settings")):
        boss.post("/preferences", {"language": language}, "/")
        for path in paths:
            answer = boss.get(path)
            assert answer.status_code == 200, path
            assert said in answer.text, path
            main = answer.text[answer.text.index("<main") :]
            assert " style=" not in main and "<script" not in main


def test_a_new_user_gets_a_link_chooses_a_password_and_logs_in(world: World, boss: Browser) -> None:
    answer = boss.post("/admin/users/new", {"name": "小金", "role": "agent", "language": "ko"}, "/admin/users/new")
    assert answer.status_code == 200
    found = re.search(r'value="http://localhost(/welcome/[\w-]+)"', answer.text)
    assert found is not None
    hers = Browser(boss.app)
    assert "小金" in hers.get(found[1]).text
    long = "a long enough phrase"
    assert hers.post(found[1], {"new": long, "again": "another"}, found[1]).status_code == 422
    assert hers.post(found[1], {"new": "short", "again": "short"}, found[1]).status_code == 422
    assert hers.post(found[1], {"new": long, "again": long}, found[1]).status_code == 303
    assert hers.get(found[1]).status_code == 410
    assert hers.login("小金", long).status_code == 303
    # Reset: what she has is void, and so is her session.
    with session.read() as db:
        public_id = db.scalars(select(User.public_id).where(User.name == "小金")).one()
    assert boss.post(f"/admin/users/{public_id}/link", {}, "/admin").status_code == 200
    assert hers.get("/desk").status_code == 303
    assert Browser(boss.app).login("小金", long).status_code == 401


def test_a_form_with_mistakes_says_so_and_keeps_what_was_typed(world: World, boss: Browser) -> None:
    form = {"name": "刘主任", "role": "supervisor", "language": "en"}
    answer = boss.post("/admin/users/new", form, "/admin/users/new")
    assert answer.status_code == 422
    assert "已有相同的内容" in answer.text and 'value="刘主任"' in answer.text
    assert re.search(r'value="supervisor" checked', answer.text)
    answer = boss.post("/admin/pauses/new", {"name_ko": "식사", "position": "x"}, "/admin/pauses/new")
    assert answer.status_code == 422 and 'value="식사"' in answer.text
    assert 'aria-describedby="wrong-name_zh-CN"' in answer.text
    answer = boss.post("/admin/hours/week", {"always": "no", "day_0": "17-8"}, "/admin/hours")
    assert answer.status_code == 422 and 'value="17-8"' in answer.text


def test_two_administrators_at_once_the_second_is_told(world: World, boss: Browser) -> None:
    world.user("王主任", "admin")
    other = Browser(boss.app)
    other.login("王主任")
    user = world.user("小陈")
    path = f"/admin/users/{user.public_id}"
    first, second = (seen(one.get(path).text) for one in (boss, other))
    form = {"name": "小陈", "role": "supervisor", "language": "zh-CN", "on": "yes"}
    assert boss.post(path, {**form, "seen": first}, path).status_code == 303
    answer = other.post(path, {**form, "role": "agent", "name": "陈小小", "seen": second}, path)
    assert answer.status_code == 409
    assert "同事刚刚改动了此项" in answer.text and 'value="陈小小"' not in answer.text
    # The page shows what stands now, and keeping it a second time is meant.
    assert other.post(path, {**form, "role": "agent", "seen": seen(answer.text)}, path).status_code == 303


def test_the_last_administrator_and_oneself(world: World, boss: Browser) -> None:
    with session.read() as db:
        mine = db.scalars(select(User.public_id)).one()
    path = f"/admin/users/{mine}"
    form = {"name": "刘主任", "role": "agent", "language": "zh-CN", "on": "yes", "seen": seen(boss.get(path).text)}
    answer = boss.post(path, form, path)
    assert answer.status_code == 422 and "至少要保留一名能登录的管理员" in answer.text
    answer = boss.post(f"{path}/link", {}, path)
    assert answer.status_code == 422 and "我的账号" in answer.text
    assert boss.get("/admin").status_code == 200


def test_a_change_is_seen_in_the_audit_and_taken_back_there(world: World, boss: Browser) -> None:
    path = "/admin/services/item/bathing"
    form = {"on": "no", "price": "80", "unit": "hour", "seen": seen(boss.get(path).text)}
    assert boss.post(path, form, path).status_code == 303
    said = text_of(boss.get("/admin/log").text)
    for part in ("服务项目 助浴 修改", "提供 是 → 否", "价格 — → ¥80.00", "单位 每次 → 每小时", "刘主任", "撤销"):
        assert part in said
    with session.read() as db:
        change = db.scalars(select(SettingChange)).one()
    undo = f"/admin/log/{change.public_id}/undo"
    assert boss.post(undo, {}, "/admin/log").status_code == 303
    answer = boss.post(undo, {}, "/admin/log")
    assert answer.status_code == 409 and "此改动已撤回" in answer.text
    assert "已撤回" in text_of(boss.get("/admin/log?group=settings").text)
    assert boss.post("/admin/log/none/undo", {}, "/admin/log").status_code == 404


def test_what_is_not_offered_cannot_be_ordered_at_the_desk_and_a_price_is_shown(world: World, boss: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    for service, form in (("leisure", {"on": "no", "unit": "visit"}), ("bathing", {"price": "80", "unit": "visit"})):
        path = f"/admin/services/item/{service}"
        assert boss.post(path, form, path).status_code == 303
    page = boss.get(f"/elders/{elder.person.public_id}/order").text
    assert re.search(r'value="leisure" required[^>]* disabled', page)
    assert "¥80.00" in page
    tomorrow = (world.now + timedelta(days=1)).date().isoformat()
    order = {"elder": elder.person.public_id, "day": tomorrow, "part": "morning", "key": "k1"}
    for path in ("/orders/check", "/orders/place"):
        answer = boss.post(path, {**order, "service": "leisure"}, "/")
        assert answer.status_code == 422 and "目前不提供此项目" in answer.text
    assert "¥80.00" in boss.post("/orders/check", {**order, "service": "bathing"}, "/").text


def test_hours_are_set_previewed_and_taken_back(world: World, boss: Browser) -> None:
    week = {"always": "no", **{f"day_{day}": "08:00-17:00" for day in range(5)}}
    assert boss.post("/admin/hours/week", week, "/admin/hours").status_code == 303
    day = (world.now + timedelta(days=9)).date().isoformat()
    form = {"day": day, "name": "培训", "hours": "", "closed": "yes"}
    assert boss.post("/admin/hours/days", form, "/admin/hours").status_code == 303
    read = text_of(boss.get(f"/admin/hours?at={day}T10:00").text)
    assert "培训" in read and "恢复人工" in read
    assert boss.post(f"/admin/hours/days/{day}/remove", {"seen": "0" * 16}, "/admin/hours").status_code == 409
    assert boss.post(f"/admin/hours/days/{day}/remove", {}, "/admin/hours").status_code == 303
    assert boss.post(f"/admin/hours/days/{day}/remove", {}, "/admin/hours").status_code == 404
    assert boss.post("/admin/hours/days/yesterday/remove", {}, "/admin/hours").status_code == 404
    assert boss.get("/admin/hours?at=whenever").status_code == 200


def test_skills_of_an_agent_by_page(world: World, boss: Browser) -> None:
    user = world.user("小陈")
    path = f"/admin/users/{user.public_id}"
    form = {"takes_ko": "yes", "penalty_ko": "4", "seen": seen(boss.get(path).text, 1)}
    assert boss.post(f"{path}/skills", form, path).status_code == 303
    with session.read() as db:
        assert skills(db).languages == {user.id: {"ko": 4}}
    assert boss.post(f"{path}/skills", {"takes_ko": "yes", "penalty_ko": "21"}, path).status_code == 422
    assert boss.post("/admin/users/none/skills", {}, path).status_code == 404


def test_dialects_of_an_agent_by_page(world: World, boss: Browser) -> None:
    user = world.user("小陈")
    path = f"/admin/users/{user.public_id}"
    page = boss.get(path).text
    assert 'name="takes_dialect_hamgyong"' in page and "klingon" not in page
    form = {"takes_ko": "yes", "penalty_ko": "4", "takes_dialect_hamgyong": "yes", "penalty_dialect_hamgyong": "2"}
    form |= {"takes_dialect_klingon": "yes", "seen": seen(page, 1)}
    assert boss.post(f"{path}/skills", form, path).status_code == 303
    with session.read() as db:
        assert skills(db) == Skills({user.id: {"ko": 4}}, {user.id: {("ko", "hamgyong"): 2}})
    assert re.search(r'name="takes_dialect_hamgyong" value="yes" checked', boss.get(path).text)
    # Seen before that: refused, as with languages; and a place has its bounds.
    assert boss.post(f"{path}/skills", form, path).status_code == 409
    wrong = boss.post(f"{path}/skills", {"takes_dialect_hamgyong": "yes", "penalty_dialect_hamgyong": "99"}, path)
    assert wrong.status_code == 422 and 'id="wrong-penalty_dialect_hamgyong"' in wrong.text
    # Both lists of who is asked tell of it; the audit names it, and takes it back.
    assert "咸镜道话 2" in text_of(boss.get("/admin/users").text)
    assert "咸镜道话 1 2 小陈" in text_of(boss.get("/admin/queues").text)
    assert "咸镜道话 — → 2" in text_of(boss.get("/admin/log").text)
    with session.read() as db:
        (change,) = db.scalars(select(SettingChange))
    assert boss.post(f"/admin/log/{change.public_id}/undo", {}, "/admin/log").status_code == 303
    with session.read() as db:
        assert skills(db) == Skills()


def test_the_list_of_dialects_by_page(world: World, boss: Browser) -> None:
    form = {"name_zh-CN": "温州话", "name_en": "Wenzhou", "language": "zh-CN", "position": "9"}
    assert boss.post("/admin/dialects/new", form, "/admin/dialects/new").status_code == 303
    with session.read() as db:
        new = dialects(db)[-1]
    assert re.fullmatch(r"[a-z0-9_]{1,16}", new.code), "it is part of a queue's name, and of an elder's setting"
    wang = world.elder("王桂兰")
    card = f"/elders/{wang.person.public_id}"
    assert boss.post(f"{card}/manners/dialect", {"value": new.code}, card).status_code == 303
    assert "温州话 Wenzhou 中文" in text_of(boss.get("/admin/dialects").text)
    for wrong in ({"language": "fr"}, {"name_zh-CN": ""}, {"position": "x"}):
        assert boss.post("/admin/dialects/new", {**form, **wrong}, "/admin/dialects/new").status_code == 422, wrong
    path = f"/admin/dialects/item/{new.id}"
    off = {**form, "shown": "no", "seen": seen(boss.get(path).text)}
    assert boss.post(path, off, path).status_code == 303
    with session.read() as db:
        assert new.code not in [one.code for one in dialects(db)]
        change = db.scalars(select(SettingChange).order_by(SettingChange.id.desc()).limit(1)).one()
    assert "温州话" in text_of(boss.get(card).text), "her card still says what she speaks"
    assert boss.post(f"/admin/log/{change.public_id}/undo", {}, "/admin/log").status_code == 303
    with session.read() as db:
        assert dialects(db)[-1].code == new.code


def test_a_new_reason_is_in_the_agents_telephone(world: World, boss: Browser) -> None:
    form = {"name_zh-CN": "培训<b>", "name_ko": "교육", "position": "9"}
    assert boss.post("/admin/pauses/new", form, "/admin/pauses/new").status_code == 303
    with session.read() as db:
        code = db.scalars(select(PauseReason.code).order_by(PauseReason.id.desc())).first()
    assert f'value="pause:{code}"' in boss.get("/").text and "<b>" not in text_of(boss.get("/").text)


def test_results_are_added_changed_and_taken_off_the_list_by_page(world: World, boss: Browser) -> None:
    def choices() -> list[tuple[str, str]]:
        """What an agent may choose for a call: value and name, as the page of a call has them."""
        page = agent.get(f"/desk/calls/{call.public_id}").text
        found = re.findall(r'name="result" value="(\w+)"[^>]*>\s*(?:<span>)?([^<]+)<', page)
        return [(code, name.strip()) for code, name in found]

    world.user("小陈")
    agent = Browser(boss.app)
    agent.login("小陈")
    call = world.call(world.elder("王桂兰", landline(101)), state=CallState.AGENT)
    usual = choices()
    assert len(usual) > 2
    path, form = "/admin/results/new", {"name_zh-CN": "转社区医院", "name_ko": "병원 연결", "position": "1"}
    final = {"scope": "call", "final": "yes", "needs_note": "yes"}
    for wrong in (
        {"scope": "x"}, {"scope": "visit"}, {"final": "no", "retry_min": "0"}, {"final": "no", "retry_min": "20161"},
        {"name_zh-CN": ""}, {"name_zh-CN": "字" * 41}, {"position": "-1"},
    ):  # fmt: skip
        assert boss.post(path, {**form, **final, **wrong}, path).status_code == 422, wrong
    assert choices() == usual
    assert boss.post(path, {**form, **final}, path).status_code == 303
    (new,) = set(choices()) - set(usual)
    assert new[1] == "转社区医院"
    with session.read() as db:
        row = db.scalars(select(CallResult).where(CallResult.code == new[0])).one()
    assert (row.scope, row.is_final, row.retry_s, row.needs_note) == ("call", True, None, True)
    item = f"/admin/results/item/{row.id}"
    # It is to be tried again, after 20 minutes; no note is needed any more; and it is called otherwise.
    again = {"scope": "both", "final": "no", "retry_min": "20", "needs_note": "no", "seen": seen(boss.get(item).text)}
    assert boss.post(item, {**form, **again, "name_zh-CN": "医院稍后再打"}, item).status_code == 303
    with session.read() as db:
        row = db.get_one(CallResult, row.id)
    assert (row.scope, row.is_final, row.retry_s, row.needs_note) == ("both", False, 20 * 60, False)
    assert (new[0], "医院稍后再打") in choices()
    # Kept from a page that is older than this change: refused. Off the list it cannot be chosen; what has it keeps it.
    assert boss.post(item, {**form, **again}, item).status_code == 409
    hidden = {**form, **again, "shown": "no", "seen": seen(boss.get(item).text)}
    assert boss.post(item, hidden, item).status_code == 303
    assert choices() == usual
    told = {"result": new[0], "note": "x"}
    assert agent.post(f"/desk/calls/{call.public_id}/result", told, "/desk").status_code == 422
    assert "转社区医院" in text_of(boss.get("/admin/results").text)
    with session.read() as db:
        assert db.get_one(CallResult, row.id).hidden_at is not None
        made = db.scalars(select(SettingChange).where(SettingChange.kind == "result")).all()
    assert len(made) == 3


def test_the_form_of_marks_is_changed_by_page_and_taken_back(world: World, boss: Browser) -> None:
    form = {"name_zh-CN": "称呼得体", "name_ko": "바른 호칭", "weight": "5", "position": "1"}
    assert boss.post("/admin/quality/new", form, "/admin/quality/new").status_code == 303
    with session.read() as db:
        (added,) = [one for one in quality.items(db, "zh-CN") if one.name == "称呼得体"]
    # 5 of 10 + 5.
    assert (added.weight, added.share) == (5, 33)
    listed = text_of(boss.get("/admin/quality").text)
    assert "称呼得体 바른 호칭 权重 5 33%" in listed
    for wrong in ({"weight": "0"}, {"weight": "21"}, {"weight": "x"}, {"name_zh-CN": ""}):
        assert boss.post("/admin/quality/new", {**form, **wrong}, "/admin/quality/new").status_code == 422, wrong
    path = "/admin/quality/item/1"
    page = boss.get(path).text
    assert 'name="name_zh-CN" lang="zh-CN" value="开场问候"' in page
    gone = {"name_zh-CN": "开场问候", "weight": "1", "shown": "no", "seen": seen(page)}
    assert boss.post(path, gone, path).status_code == 303
    with session.read() as db:
        assert "开场问候" not in [one.name for one in quality.items(db, "zh-CN")]
        change = db.scalars(select(SettingChange).order_by(SettingChange.id.desc()).limit(1)).one()
    said = text_of(boss.get("/admin/log").text)
    assert "评分项目 新建" in said and "权重" in said
    assert boss.post(f"/admin/log/{change.public_id}/undo", {}, "/admin/log").status_code == 303
    with session.read() as db:
        assert "开场问候" in [one.name for one in quality.items(db, "zh-CN")]


TIMES = {"ring_s": "15", "wrap_up_s": "45", "wrap_up_more_s": "90", "lap_s": "30", "wait_s": "600"}
WEIGHTS = {"weight_zh-CN": "0", "weight_ko": "4", "weight_en": "1"}


def test_times_and_weights_of_the_queues_by_page(world: World, boss: Browser) -> None:
    path = "/admin/queues"
    page = boss.get(path).text
    assert 'name="ring_s" class="num" type="number" min="5" max="120" value="20"' in page
    form = {**TIMES, **WEIGHTS, "seen": seen(page)}
    assert boss.post(path, form, path).status_code == 303
    with session.read() as db:
        rules = queue_rules(db)
    assert (rules.ring_s, rules.wrap_up_s, rules.wrap_up_more_s, rules.lap_s, rules.wait_s) == (15, 45, 90, 30, 600)
    assert rules.weights == {"zh-CN": 0, "ko": 4, "en": 1}
    assert boss.post(path, {**form, "ring_s": "25"}, path).status_code == 409
    for field, wrong in (("ring_s", "4"), ("wait_s", "3601"), ("lap_s", ""), ("wrap_up_s", "1.5"), ("weight_ko", "10")):
        answer = boss.post(path, {**TIMES, **WEIGHTS, field: wrong}, path)
        assert answer.status_code == 422 and f'id="wrong-{field}"' in answer.text, field
    said = text_of(boss.get("/admin/log").text)
    assert "坐席振铃时间 20秒 → 15秒" in said and "한국어的权重 0 → 4" in said
    with session.read() as db:
        (change,) = db.scalars(select(SettingChange))
    assert boss.post(f"/admin/log/{change.public_id}/undo", {}, "/admin/log").status_code == 303
    with session.read() as db:
        assert queue_rules(db).ring_s == 20


PROVIDER = {
    "kind": "企业", "language": "汉语", "position": "0", "capacity": "3", "phones": "0451-10000777\n11000000778",
    "areas": "道里区>尚志社区", "hours": "1-5 08:00-17:00", "sms": "yes", "worker1_name": "刘洋（示范）",
    "worker1_code": "911", "worker1_phones": "11000000911",
}  # fmt: skip


def test_a_provider_is_registered_corrected_and_taken_back_by_page(world: World, boss: Browser) -> None:
    form = {**PROVIDER, "name": "康乐助浴"}
    answer = boss.client.post(
        "/providers/new", data={"csrf_token": boss.token("/providers/new"), "services": ["bathing", "meals"], **form}
    )
    assert answer.status_code == 303, answer.text
    with session.read() as db:
        public_id = db.scalars(select(Provider.public_id)).one()
    path = f"/providers/{public_id}/edit"
    page = boss.get(path).text
    assert "一-五 08:00-17:00" in page and "0451-10000777" in page
    changed = {**form, "name": "康乐助浴站", "worker1_name": "", "worker1_code": "", "worker1_phones": ""}
    answer = boss.client.post(
        path, data={"csrf_token": boss.token(path), "seen": seen(page), "services": ["bathing"], **changed}
    )
    assert answer.status_code == 303, answer.text

    def stands() -> tuple[str, list[str], bool]:
        with session.read() as db:
            row = db.scalars(select(Provider)).one()
            return row.name, sorted(item.service for item in row.items), row.workers[0].ended_at is None

    assert stands() == ("康乐助浴站", ["bathing"], False)
    with session.read() as db:
        made, last = db.scalars(select(SettingChange).order_by(SettingChange.id)).all()
    said = boss.get("/admin/log").text
    assert "刘洋" not in said and "11000000911" not in said
    assert boss.post(f"/admin/log/{last.public_id}/undo", {}, "/admin/log").status_code == 303
    assert stands() == ("康乐助浴", ["bathing", "meals"], True)
    with session.read() as db:
        assert db.scalar(select(func.count()).select_from(Worker)) == 1
    assert boss.post(f"/admin/log/{made.public_id}/undo", {}, "/admin/log").status_code == 409


def test_a_providers_form_with_mistakes(world: World, boss: Browser) -> None:
    world.provider("安心到家", mobile(201))
    token = boss.token("/providers/new")
    for wrong, said in (
        ({"name": ""}, "缺少姓名或名称"),
        ({"phones": "abc"}, "&#39;abc&#39; 不是电话号码"),
        ({"hours": "1-5 17:00-08:00"}, "结束应晚于开始"),
        ({"areas": "a>>b"}, "请写成 区&gt;社区&gt;网格"),
        ({"capacity": "-1"}, "每时段单数 为"),
        ({"worker1_code": "1"}, "应为 3 至 8 位数字"),
        ({"name": "安心到家"}, "已有相同的内容"),
        ({"phones": "11000000201"}, "已有相同的内容"),
        ({"worker2_name": "李四", "worker2_code": "911"}, "工号重复"),
    ):
        data = {"csrf_token": token, "services": ["meals"], "name": "新家", **PROVIDER, **wrong}
        answer = boss.client.post("/providers/new", data=data)
        assert answer.status_code == 422 and said in answer.text, wrong
    with session.read() as db:
        assert db.scalar(select(func.count()).select_from(Provider)) == 1


def her_daughter(world: World, elder: Elder) -> str:
    with world.rows() as db:
        new = NewContact("赵小梅", [normalise("13800001234")], Relation.CHILD, may_order=True)
        return str(add_contact(db, db.get_one(Elder, elder.id), new, world.now).id)


def test_a_contact_is_added_corrected_and_ended_from_the_card(world: World, agent: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    card = f"/elders/{elder.person.public_id}"
    form = {"name": "赵小梅", "numbers": "138 0000 1234", "relation": "child", "may_order": "yes"}
    assert agent.post(f"{card}/contacts/new", form, f"{card}/contacts/new").status_code == 303
    assert agent.post(f"{card}/contacts/new", form, f"{card}/contacts/new").status_code == 422
    read = text_of(agent.get(card).text)
    assert "赵小梅 子女" in read and "可代下单" in read and "138 0000 1234" in read
    with session.read() as db:
        row = db.scalars(select(Contact)).one()
        since = row.since
    path = f"{card}/contacts/{row.id}"
    page = agent.get(path).text
    changed = {
        "name": "赵小梅",
        "numbers": "13800001234, 13800001235",
        "relation": "guardian",
        "may_hear_orders": "yes",
    }
    assert agent.post(path, {**changed, "seen": seen(page)}, path).status_code == 303
    answer = agent.post(path, {**form, "seen": seen(page)}, path)
    assert answer.status_code == 409 and "同事刚刚改动了此项" in answer.text
    with session.read() as db:
        row = db.get_one(Contact, row.id)
        assert (row.relation, row.may_order, row.may_hear_orders) == ("guardian", False, True)
        assert [link.number.value for link in row.person.numbers] == ["+8613800001234", "+8613800001235"]
    assert agent.post(f"{path}/end", {}, path).status_code == 303
    assert "赵小梅" not in text_of(agent.get(card).text)
    assert agent.get(path).status_code == 404
    # She stands by her again: the same row, since now, with what is consented to now.
    assert agent.post(f"{card}/contacts/new", form, f"{card}/contacts/new").status_code == 303
    with session.read() as db:
        row = db.scalars(select(Contact)).one()
        assert row.ended_at is None and row.since >= since and row.may_order and not row.may_hear_orders
        deeds = db.scalars(select(AuditEvent.action).where(AuditEvent.subject == "contact").order_by(AuditEvent.id))
        assert [deed for deed in deeds if deed != "read"] == [
            "setting_made", "setting_changed", "setting_removed", "setting_made",
        ]  # fmt: skip


def test_another_elders_contact_is_not_reached_by_its_number(world: World, agent: Browser) -> None:
    mine, other = world.elder("王桂兰", landline(101)), world.elder("李淑珍", mobile(103))
    key = her_daughter(world, mine)
    for way in (key, "0", "abc", "99999"):
        path = f"/elders/{other.person.public_id}/contacts/{way}"
        assert agent.get(path).status_code == 404
        assert agent.post(path, {"name": "x"}, "/").status_code == 404
        assert agent.post(f"{path}/end", {}, "/").status_code == 404


def test_a_contacts_form_with_mistakes(world: World, agent: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    path = f"/elders/{elder.person.public_id}/contacts/new"
    for wrong, field in (
        ({"name": ""}, "name"),
        ({"name": "字" * 81}, "name"),
        ({"numbers": ""}, "numbers"),
        ({"numbers": "12349"}, "numbers"),
        ({"numbers": "abc"}, "numbers"),
        ({"relation": "boss"}, "relation"),
        ({"name": "王桂兰", "numbers": "0451 10000101"}, "name"),
    ):
        form = {"name": "赵小梅", "numbers": "13800001234", "relation": "child", **wrong}
        answer = agent.post(path, form, path)
        assert answer.status_code == 422 and f'id="wrong-{field}"' in answer.text, wrong
    with session.read() as db:
        assert db.scalar(select(func.count()).select_from(Contact)) == 0


def test_an_elder_who_is_a_contact_keeps_her_name_and_numbers(world: World, agent: Browser) -> None:
    her, sister = world.elder("王桂兰", landline(101)), world.elder("王桂芳", mobile(103))
    card = f"/elders/{her.person.public_id}"
    form = {"name": "王桂芳", "numbers": mobile(103), "relation": "relative"}
    assert agent.post(f"{card}/contacts/new", form, f"{card}/contacts/new").status_code == 303
    with session.read() as db:
        row = db.scalars(select(Contact)).one()
    assert row.person_id == sister.id
    path = f"{card}/contacts/{row.id}"
    assert "readonly" in agent.get(path).text
    answer = agent.post(path, {**form, "name": "别人"}, path)
    assert answer.status_code == 422
    assert agent.post(path, {**form, "may_order": "yes"}, path).status_code == 303
    with session.read() as db:
        assert db.get_one(Person, sister.id).name == "王桂芳"


def upload(boss: Browser, what: str, name: str, data: bytes) -> tuple[int, str]:
    form = {"csrf_token": boss.token("/admin/imports"), "what": what, "file": (io.BytesIO(data), name)}
    with boss.client.post("/admin/imports", data=form, content_type="multipart/form-data") as answer:
        # The client keeps a large body in a file of its own, and leaves it open.
        answer.request.environ["wsgi.input"].close()  # type: ignore[attr-defined]
        return answer.status_code, answer.get_data(as_text=True)


def elders() -> int:
    with session.read() as db:
        return db.scalar(select(func.count()).select_from(Elder)) or 0


GOOD = "姓名,电话,出生日期\n王桂兰,11000000101,1941-03-08\n李淑珍,11000000103,\n".encode()


def test_a_file_is_checked_then_written_once(world: World, boss: Browser) -> None:
    status, page = upload(boss, "elders", "老人.csv", GOOD)
    assert status == 200 and "尚未写入" in page and elders() == 0
    found = re.search(r"/admin/imports/\w+/apply", page)
    assert found is not None
    # Another administrator does not write what is not hers.
    world.user("王主任", "admin")
    other = Browser(boss.app)
    other.login("王主任")
    assert other.post(found[0], {}, "/admin/imports").status_code == 404
    done = boss.post(found[0], {}, "/admin/imports")
    assert done.status_code == 200 and "已写入" in done.text and elders() == 2
    again = boss.post(found[0], {}, "/admin/imports")
    assert again.status_code == 409 and elders() == 2
    with session.read() as db:
        assert db.scalars(select(Upload)).one().content is None
        assert "elders_imported" in db.scalars(select(AuditEvent.action)).all()
    # The same file again: each line says that she is there.
    status, page = upload(boss, "elders", "老人.csv", GOOD)
    assert status == 422 and "第 2 行：已登记" in page


def test_a_file_with_mistakes_writes_nothing_and_names_each_line(world: World, boss: Browser) -> None:
    data = "姓名,电话,出生日期\n王桂兰,abc,\n,13800001234,\n李淑珍,11000000103,2077-01-01\n".encode()
    status, page = upload(boss, "elders", "x.csv", data)
    assert status == 422 and elders() == 0
    read = text_of(page)
    for said in ("第 2 行：'abc' 不是电话号码", "第 3 行：缺少姓名或名称", "第 4 行：出生日期 '2077-01-01' 不合理"):
        assert said in read
    assert "/apply" not in page
    with session.read() as db:
        assert db.scalars(select(Upload)).all() == []


def test_what_is_no_table_is_refused_in_her_language(boss: Browser) -> None:
    for what, name, data, said in (
        ("elders", "x.exe", GOOD, "请选择 .csv 或 .xlsx"),
        ("elders", "x.csv", b"", "文件没有内容"),
        ("elders", "x.csv", "姓名,电话\n".encode(), "文件没有内容"),
        ("elders", "x.csv", "名,号\n1,2\n".encode(), "第一行应为列名"),
        ("elders", "x.csv", b"\xff\xfe\x00\x01", "UTF-8"),
        ("elders", "x.xlsx", b"PK\x03\x04broken", "工作簿已损坏"),
        ("elders", "x.xlsx", b"\xd0\xcf\x11\xe0", "旧版 .xls"),
        ("horses", "x.csv", GOOD, "请选择文件内容"),
        ("elders", "x.csv", b"x" * 10_000_001, "文件过大"),
    ):
        status, page = upload(boss, what, name, data)
        assert status == 422 and said in text_of(page), (what, name, said)
    # What is larger still is not even read.
    assert upload(boss, "elders", "x.csv", b"x" * 12_000_000)[0] == 413
    assert elders() == 0


def test_providers_by_file_change_and_each_is_taken_back_by_itself(world: World, boss: Browser) -> None:
    world.provider("康乐助浴", mobile(201))
    with session.read() as db:
        before = PROVIDER_KIND.read(db, "1")
    data = (
        "名称,电话,服务项目,每时段单数\n康乐助浴,11000000201,助浴,7\n新来的,11000000333,助餐,\n".encode()
    )  # fmt: skip
    status, page = upload(boss, "providers", "p.csv", data)
    assert status == 200 and "capacity: - → 7" in page
    found = re.search(r"/admin/imports/\w+/apply", page)
    assert found is not None and boss.post(found[0], {}, "/admin/imports").status_code == 200
    with session.read() as db:
        assert db.scalars(select(Provider.capacity).order_by(Provider.id)).all() == [7, None]
        changed, made = db.scalars(select(SettingChange).order_by(SettingChange.id)).all()
    assert (made.before, changed.key) == (None, "1")
    assert boss.post(f"/admin/log/{changed.public_id}/undo", {}, "/admin/log").status_code == 303
    with session.read() as db:
        assert PROVIDER_KIND.read(db, "1") == before


def test_a_file_that_nobody_applies_is_let_go(world: World, boss: Browser) -> None:
    with session.write() as db:
        by = By(db.scalars(select(User)).one(), world.now - timedelta(hours=25))
        public_id = keep(db, ("elders", "old.csv", GOOD), 2, by)
    assert boss.post(f"/admin/imports/{public_id}/apply", {}, "/admin/imports").status_code == 409
    with session.write() as db:
        clear_old(db, world.now)
        assert db.scalars(select(Upload)).one().content is None


def test_an_empty_table_can_be_had(boss: Browser) -> None:
    for what in ("elders", "providers"):
        answer = boss.get(f"/admin/imports/template/{what}")
        assert answer.status_code == 200 and answer.data.startswith(b"PK")
    assert boss.get("/admin/imports/template/../x").status_code == 404


# What a rule of a file puts into its sentence, as this test has it.
FILLED = (
    (r"\{[^{}]*!r\}", "'x'"),
    (r"worker\{number\}", "worker1"),
    (r"\{of\}", "contact1"),
    (r"\{key\}", "name Wang"),
    (r"\{(?:name|what)\}", "name"),
    (r"\{[^{}]*\}", "7"),
)
# Raised for files that we write, asked for by the command line alone, or only put together of others.
NOT_SHOWN = ("must end in", "is not imported", "has no sheets", "no sheet is called", "; ", "name 7 7")


def test_whatever_the_rules_of_files_say_has_words(boss: Browser) -> None:
    """Every sentence that a rule of the files can raise is known: a new rule without words is red here."""
    rooms = Path(provider_files.__file__).parent
    names = ("elder_import", "sheet_cells", "provider_files", "provider_updates", "sheets", "workbook")
    raised = re.compile(r'(?:ValueError|NotATable)\(\s*f?"((?:[^"\\]|\\.)+)"')
    told = [text for name in names for text in raised.findall((rooms / f"{name}.py").read_text())]
    checked = 0
    for sentence in told:
        for pattern, part in FILLED:
            sentence = re.sub(pattern, part, sentence)
        if not any(skip in sentence for skip in NOT_SHOWN):
            checked += 1
            with boss.app.test_request_context():
                assert is_known(sentence), sentence
                assert "%(" not in file_said(sentence), sentence
    assert checked > 20


def test_passwords_are_never_in_the_audit(world: World, boss: Browser) -> None:
    user = world.user("小陈")
    boss.post(f"/admin/users/{user.public_id}/link", {}, "/admin")
    with session.read() as db:
        told = str([(one.before, one.after) for one in db.scalars(select(SettingChange))])
        told += str([one.data for one in db.scalars(select(AuditEvent))])
    assert PASSWORD not in told and "argon2" not in told
