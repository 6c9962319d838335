"""The pages of one order, one call, one elder, one task: what they say, to whom, and what the audit keeps."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from models import audio, clock, session
from models.audio import Audio
from models.calls import Utterance
from models.tasks import Task, TaskKind
from models.users import AuditEvent
from tests.web import desk_town, town
from tests.web.conftest import Browser
from tests.web.world import World, landline, mobile

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    'O\'Brien "Liz" & Söhne',
    "{{ 7*7 }} $(reboot) %s %(x)s",
    "第一行\n第二行",
]


def text_of(page: str) -> str:
    """What a person reads on a page, with single blanks."""
    main = page[page.index("<main") : page.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())


def reads() -> list[tuple[str, str]]:
    """What the audit has of reading and closing."""
    with session.read() as db:
        rows = db.execute(
            select(AuditEvent.action, AuditEvent.subject)
            .where(AuditEvent.action.in_(("read", "listened", "task_closed")), AuditEvent.user_id.is_not(None))
            .order_by(AuditEvent.id)
        )
        return [(action, subject) for action, subject in rows]


def test_an_orders_course_tells_the_whole_story_in_order(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    page = agent.get(f"/orders/{seeded.order_id}").text
    read = text_of(page)
    story = [
        "来电",
        "已确认",
        "正在向服务商派单。",
        "向 康乐助浴服务站 派单",
        "拨打 康乐助浴服务站",
        "已拒绝",
        "上一家未接单，正在询问下一家。",
        "向 安心到家家政 派单",
        "无人接听",
        "振铃 25秒",
        "振铃 6秒 通话 18秒",
        "服务商已接单。",
        "将告知老人由谁上门：安心到家家政",
        "已告知并确认",
    ]
    at = -1
    for part in story:
        at = read.find(part, at + 1)
        assert at >= 0, f"{part} is missing or in the wrong place"
    assert f'href="/calls/{seeded.call_id}"' in page
    assert re.search(r"\d\d:\d\d:\d\d", read)
    assert "道里区 · 尚志社区 · 第三网格" in read
    assert mobile(201) not in page


def test_no_state_is_told_by_colour_alone(world: World, agent: Browser) -> None:
    """Every chip that has a colour has a word, too; on every page where the morning shows some."""
    seeded = town.build(world)
    town.her_way(world, seeded.elder)
    call = desk_town.rings(world, seeded.elder)
    paths = [
        "/", "/desk", f"/orders/{seeded.order_id}", f"/calls/{seeded.call_id}", f"/tasks/{seeded.alarm_id}",
        f"/tasks/{seeded.task_id}", f"/elders/{seeded.elder.person.public_id}", f"/desk/calls/{call.public_id}",
        "/search?q=wgl",
    ]  # fmt: skip
    seen = set()
    for path in paths:
        page = agent.get(path).text
        chips = re.findall(r'<(\w+) class="chip chip-(\w+)[^"]*"[^>]*>(.*?)</\1>', page, re.DOTALL)
        for _, tone, inside in chips:
            assert re.sub(r"<[^>]*>|\s", "", inside), (path, tone, inside)
        seen |= {tone for _, tone, _ in chips}
    assert {"good", "warn", "bad"} <= seen


def test_a_calls_course_tells_what_was_asked_and_heard(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    read = text_of(agent.get(f"/calls/{seeded.call_id}").text)
    # She said "tomorrow" half an hour ago: right after midnight that is today.
    same_day = clock.local_date(world.ago(1800)) == clock.local_date(world.now)
    for part in (
        "凭号码识别",
        "询问服务项目 语音 洗澡 把握 88%",
        "询问日期 无应答",
        "按键 2",
        f"日期: {'明天' if same_day else '今天'}",
        "工单 1001",
    ):
        assert part in read
    assert reads() == [("read", "call")]


def test_an_unknown_kind_in_the_journal_is_shown_as_it_is(world: World, agent: Browser) -> None:
    call = world.call()
    world.journal(
        call,
        (1, "teleported", {"anything": [1, 2, {"x": None}]}),
        (2, "turn", {}),
        (3, "turn", {"step": "limerick", "heard": "humming", "utterance_id": 4711}),
        (4, "order_placed", {"order_id": "not a number"}),
        (5, "to_person", {"reason": "boredom"}),
        (6, "slot", {"slots": "none"}),
        (7, "ended", {}),
    )
    read = text_of(agent.get(f"/calls/{call.public_id}").text)
    for part in ("teleported", "limerick humming", "已下单", "boredom"):
        assert part in read


def test_erased_words_leave_the_journal_whole(world: World, agent: Browser) -> None:
    call = world.call()
    heard = world.said(call, 3, "목욕")
    world.said(call, 4, "밥")
    world.journal(call, (3, "turn", {"step": "service", "heard": "said", "utterance_id": heard, "score": 90}))
    read = text_of(agent.get(f"/calls/{call.public_id}").text)
    assert "목욕" in read
    assert "밥" in read
    with world.rows() as db:
        db.execute(delete(Utterance))
    read = text_of(agent.get(f"/calls/{call.public_id}").text)
    assert "询问服务项目" in read
    assert "목욕" not in read


def test_an_elders_card_has_the_whole_number_and_is_audited(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    page = agent.get(f"/elders/{seeded.elder.person.public_id}").text
    read = text_of(page)
    for part in ("王桂兰", "女 · 83岁", "0451 1000 0101 家庭共用", "赵德福", "右腿不便", "助浴", "尾号 101"):
        assert part in read
    assert "000-101" not in page and "H000101" not in page
    assert reads() == [("read", "elder")]
    board = agent.get("/").text
    assert "10000101" not in board
    assert landline(101) not in board


@pytest.mark.parametrize("kind", ["orders", "calls", "elders", "tasks", "recordings"])
@pytest.mark.parametrize("public_id", ["1", "none", "aaaaaaaaaaaaaaaa", "..%2f..", "' OR 1=1", "x" * 500])
def test_nothing_is_found_by_guessing(agent: Browser, kind: str, public_id: str) -> None:
    answer = agent.get(f"/{kind}/{public_id}")
    assert answer.status_code == 404
    assert "没有找到内容" in answer.text
    assert reads() == []


@pytest.mark.parametrize("name", NASTY)
def test_nasty_names_are_text_and_nothing_else(world: World, agent: Browser, name: str) -> None:
    elder = world.elder(name, landline(101), address=name, needs=name, card_number=None, area=(name, name, name))
    provider = world.provider(name, mobile(201))
    call = world.call(elder)
    world.said(call, 2, name)
    world.journal(call, (1, name[:32], {"where": name}), (2, "fault", {"where": name}))
    order = world.order(elder, "bathing", call_id=call.id)
    world.offer(order, provider, world.now)
    task = world.task(TaskKind.PARTIAL, elder_id=elder.id, data={"service": name, "day": name})
    paths = [
        "/",
        f"/calls/{call.public_id}",
        f"/orders/{order.public_id}",
        f"/elders/{elder.person.public_id}",
        f"/tasks/{task.public_id}",
    ]
    for path in paths:
        page = agent.get(path).text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert " ".join(name.split()) in text_of(page), path


def test_a_task_is_closed_once_with_result_and_note(world: World, agent: Browser) -> None:
    elder = world.elder("李淑珍", mobile(103))
    task = world.task(TaskKind.PARTIAL, elder_id=elder.id, data={"service": "cleaning", "day": "tomorrow"})
    path = f"/tasks/{task.public_id}"
    assert "助洁" in text_of(agent.get(path).text)
    form = {"result": "done", "note": "已约明天上午，\r\n<b>老人满意</b>。\x07"}
    answer = agent.post(f"{path}/close", form, page=path)
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    page = agent.get(path).text
    assert "已安排好" in text_of(page)
    assert "&lt;b&gt;老人满意" in page
    again = agent.post(f"{path}/close", {"result": "told", "note": "x"}, page="/")
    assert again.status_code == 409
    assert "此待办已办结" in again.text
    with session.read() as db:
        row = db.get_one(Task, task.id)
        assert row.result == "done"
        assert row.note == "已约明天上午，\n<b>老人满意</b>。"
        assert row.data["service"] == "cleaning"
        assert row.closed_by_id is not None
        audit = db.scalars(select(AuditEvent).where(AuditEvent.action == "task_closed")).all()
        assert [(entry.subject, entry.subject_id, entry.data) for entry in audit] == [("task", task.id, {})]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"result": "", "note": "x"}, "请选择处理结果"),
        ({"result": "eaten", "note": "x"}, "请选择处理结果"),
        ({"result": "passed_on", "note": " \n\t "}, "请填写简短备注"),
        ({"result": "done", "note": "字" * 501}, "备注过长"),
    ],
)
def test_a_task_is_not_closed_without_a_good_result(
    world: World, agent: Browser, form: dict[str, str], said: str
) -> None:
    task = world.task(TaskKind.MISSED)
    path = f"/tasks/{task.public_id}"
    answer = agent.post(f"{path}/close", form, page=path)
    assert answer.status_code == 422
    assert said in answer.text
    if form["note"].strip():
        assert form["note"] in answer.text
    with session.read() as db:
        assert db.get_one(Task, task.id).closed_at is None


def test_closing_what_does_not_exist(agent: Browser) -> None:
    assert agent.post("/tasks/none/close", {"result": "done", "note": "x"}, page="/").status_code == 404


def test_a_very_long_form_is_refused(world: World, agent: Browser) -> None:
    task = world.task(TaskKind.MISSED)
    path = f"/tasks/{task.public_id}"
    answer = agent.post(f"{path}/close", {"result": "done", "note": "x" * 400_000}, page=path)
    assert answer.status_code == 413


def test_a_message_is_heard_in_parts_and_audited(world: World, agent: Browser, var_dir: Path) -> None:
    source = var_dir / "message.wav"
    source.write_bytes(b"RIFF" + bytes(2000))
    key = audio.keep(var_dir / "audio", source)
    call = world.call()
    with world.rows() as db:
        row = Audio(content_key=key, kind="message", call_id=call.id, duration_ms=1000, created_at=world.now)
        db.add(row)
    world.journal(call, (5, "message", {"audio_id": row.id}))
    task = world.task(TaskKind.MESSAGE, call_id=call.id, audio_id=row.id)
    path = f"/recordings/{row.public_id}"
    assert path in agent.get(f"/tasks/{task.public_id}").text
    assert path in agent.get(f"/calls/{call.public_id}").text
    with agent.get(path, headers={"Range": "bytes=0-3"}) as answer:
        assert (answer.status_code, answer.data, answer.mimetype) == (206, b"RIFF", "audio/wav")
    assert ("listened", "audio") in reads()
    with world.rows() as db:
        db.get_one(Audio, row.id).erased_at = world.now
    assert agent.get(path).status_code == 404
    assert path not in agent.get(f"/tasks/{task.public_id}").text


def test_a_moved_order_looks_after_itself_and_an_old_one_rests(world: World, agent: Browser) -> None:
    elder = world.elder("王桂兰", landline(101))
    fresh, old = world.order(elder), world.order(elder, at=world.now - timedelta(hours=2))
    assert "every 3s" in agent.get(f"/orders/{fresh.public_id}").text
    assert "every 3s" not in agent.get(f"/orders/{old.public_id}").text


def test_tomorrow_is_tomorrow_of_the_day_on_which_she_said_it(world: World, agent: Browser) -> None:
    data = {"service": "meals", "day": "tomorrow"}
    yesterday = world.task(TaskKind.PARTIAL, world.now - timedelta(days=1), data=data)
    today = world.task(TaskKind.PARTIAL, world.now, data=data)
    assert "日期 今天" in text_of(agent.get(f"/tasks/{yesterday.public_id}").text)
    assert "日期 明天" in text_of(agent.get(f"/tasks/{today.public_id}").text)


def test_a_page_that_is_swapped_in_comes_without_what_is_thrown_away(world: World, agent: Browser) -> None:
    whole = agent.get("/desk").text
    swapped = agent.get("/desk", headers={"HX-Request": "true"}).text
    for part in ('id="top"', 'id="main"', 'name="csrf-token"'):
        assert part in whole and part in swapped
    for part in ('id="phone"', 'id="live"', 'id="keys"'):
        assert part in whole and part not in swapped
