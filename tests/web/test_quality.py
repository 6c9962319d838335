"""Quality marks: the form, what it comes to, who sees it, what is kept of a changed one, and the figure it leads to."""

from __future__ import annotations

import io
import re

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from agents import figures, quality, wallboard
from agents.quality import MarkRefused, Wish
from models import session
from models.calls import Call, CallEnd, CallState
from models.supervision import QualityItem, QualityMark, QualityMarkVersion
from models.users import AuditEvent, User
from tests.web.conftest import Browser
from tests.web.world import World, landline

# Weights of the form as it is delivered: 1, 3, 3, 2, 1.
GOOD = {"greeting": 5, "listening": 4, "correctness": 4, "wording": 5, "closing": 3}


@pytest.fixture
def talked(world: World) -> tuple[User, User, Call]:
    """An agent's call that is over, and a supervisor."""
    chen, boss = world.user("小陈"), world.user("周班长", "supervisor")
    return chen, boss, call_of(world, chen)


def call_of(world: World, *agents: User) -> Call:
    """A call in which these agents talked, one after the other."""
    at = world.ago(60)
    elder = world.elder("王桂兰")
    call = world.call(elder, at=at, waiting_since=at, state=CallState.AGENT, agent_id=agents[-1].id)
    entries = [(place + 2.0, "agent_answered", {"user_id": user.id}) for place, user in enumerate(agents)]
    world.journal(call, *entries)
    world.end(call, CallEnd.PERSON, 50)
    return call


def marks(boss: User, call: Call, wish: Wish) -> None:
    with session.write() as db:
        quality.mark(db, db.get_one(User, boss.id), db.get_one(Call, call.id), wish, call.started_at)


def rows() -> list[QualityMark]:
    with session.read() as db:
        return list(db.scalars(select(QualityMark).order_by(QualityMark.id)))


def form(wish: Wish) -> dict[str, str]:
    points = {f"points-{code}": str(value) for code, value in wish.points.items()}
    return {"agent": wish.agent, "comment": wish.comment, **points}


def test_the_whole_is_the_weighted_mean_and_each_marks_once(talked: tuple[User, User, Call], world: World) -> None:
    chen, boss, call = talked
    marks(boss, call, Wish(chen.public_id, GOOD, "很耐心"))
    # (1·5 + 3·4 + 3·4 + 2·5 + 1·3) ÷ 10
    assert [one.total for one in rows()] == [420]
    marks(boss, call, Wish(chen.public_id, GOOD, "很耐心"))
    assert len(rows()) == 1
    other = world.user("李班长", "supervisor")
    marks(other, call, Wish(chen.public_id, dict.fromkeys(GOOD, 1), ""))
    assert [one.total for one in rows()] == [420, 100]


def test_a_changed_mark_keeps_what_stood_before(talked: tuple[User, User, Call]) -> None:
    chen, boss, call = talked
    marks(boss, call, Wish(chen.public_id, GOOD, "很耐心"))
    marks(boss, call, Wish(chen.public_id, {**GOOD, "listening": 2}, "打断了老人"))
    marks(boss, call, Wish(chen.public_id, {**GOOD, "listening": 2}, " 打断了老人 "))  # Nothing new.
    with session.read() as db:
        (before,) = db.scalars(select(QualityMarkVersion))
        assert (before.total, before.comment, before.points["listening"]) == (420, "很耐心", 4)
        assert [one.action for one in db.scalars(select(AuditEvent))].count("call_marked") == 2
        (seen,) = quality.of_call(db, db.get_one(Call, call.id), db.get_one(User, chen.id), "zh-CN")
    assert (seen.total, [one.total for one in seen.earlier]) == (3.6, [4.2])
    assert seen.points[1] == ("耐心倾听", 2)


@pytest.mark.parametrize(
    ("points", "comment", "code"),
    [*(({**GOOD, "closing": wrong}, "", "points") for wrong in (6, 0, -1, None)),
     ({"greeting": 5}, "", "points"), (GOOD, "长" * 1001, "comment")],
)  # fmt: skip
def test_half_a_mark_is_none(
    talked: tuple[User, User, Call], points: dict[str, int | None], comment: str, code: str
) -> None:
    chen, boss, call = talked
    with pytest.raises(MarkRefused, match=code):
        marks(boss, call, Wish(chen.public_id, points, comment))
    assert rows() == []


def test_it_is_about_somebody_who_talked_in_the_call_and_not_about_oneself(
    talked: tuple[User, User, Call], world: World
) -> None:
    chen, boss, call = talked
    zhou = world.user("小周")
    with pytest.raises(MarkRefused, match="agent"):
        marks(boss, call, Wish(zhou.public_id, GOOD, ""))
    both = call_of(world, chen, boss)
    with pytest.raises(MarkRefused, match="own"):
        marks(boss, both, Wish(boss.public_id, GOOD, ""))
    marks(boss, both, Wish(chen.public_id, GOOD, ""))
    with session.read() as db:
        found = quality.form(db, db.get_one(Call, both.id), db.get_one(User, boss.id), "zh-CN")
        assert found is not None and [name for _, name in found.agents] == ["小陈"]
        machine = quality.form(db, world.call(), db.get_one(User, boss.id), "zh-CN")
    assert machine is None


def test_an_item_off_the_list_is_asked_no_more_and_old_marks_keep_it(talked: tuple[User, User, Call]) -> None:
    chen, boss, call = talked
    marks(boss, call, Wish(chen.public_id, GOOD, ""))
    with session.write() as db:
        db.execute(update(QualityItem).where(QualityItem.code == "closing").values(hidden_at=call.started_at))
    with session.read() as db:
        assert [one.code for one in quality.items(db, "ko")] == ["greeting", "listening", "correctness", "wording"]
        (seen,) = quality.of_call(db, db.get_one(Call, call.id), db.get_one(User, boss.id), "zh-CN")
    assert ("结束与确认", 3) in seen.points and seen.total == 4.2


def test_a_supervisor_marks_on_the_calls_page_and_the_agent_reads_it_and_nobody_elses(
    talked: tuple[User, User, Call], world: World, browser: Browser
) -> None:
    chen, _, call = talked
    browser.login("周班长")
    path = f"/calls/{call.public_id}"
    assert "为这通电话评分" in browser.get(path).text
    half = browser.post(f"{path}/mark", {"agent": chen.public_id, "points-greeting": "five"}, page=path)
    assert half.status_code == 422 and "每一项" in half.text
    wish = Wish(chen.public_id, GOOD, "<script>alert(1)</script>")
    assert browser.post(f"{path}/mark", form(wish), page=path).status_code == 303
    page = browser.get(path).text
    assert "4.20" in page and "修改我的评分" in page and "<script>alert" not in page
    mine = Browser(browser.app)
    mine.login("小陈")
    assert "4.20" in mine.get(path).text and "points-greeting" not in mine.get(path).text
    assert "4.20" in mine.get("/marks").text
    assert mine.post(f"{path}/mark", form(wish), page=path).status_code == 403
    world.user("小周")
    other = Browser(browser.app)
    other.login("小周")
    assert "4.20" not in other.get(path).text and "4.20" not in other.get("/marks").text
    # Asking for somebody else's by name gives an agent her own.
    assert "4.20" not in other.get(f"/marks?agent={chen.public_id}").text
    assert browser.get("/marks?agent=nobody").status_code == 404


def test_the_figure_opens_the_calls_behind_it_and_leaves_as_a_file(
    talked: tuple[User, User, Call], world: World, browser: Browser
) -> None:
    chen, boss, call = talked
    second = call_of(world, chen)
    call_of(world, chen)
    marks(boss, call, Wish(chen.public_id, GOOD, ""))
    marks(boss, second, Wish(chen.public_id, dict.fromkeys(GOOD, 3), ""))
    with session.read() as db:
        found = {one.name: one for one in figures.agents(db, wallboard.today(world.now), world.now)}
    assert found["小陈"].quality == quality.Mean(3.6, 2)
    browser.login("周班长")
    page = browser.get("/statistics").text
    link = re.search(r'href="(/statistics/calls\?kind=marked[^"]+)">3.60</a>', page)
    assert link
    opened = browser.get(link[1].replace("&amp;", "&")).text
    assert set(re.findall(r"/calls/([\w-]+)", opened)) == {call.public_id, second.public_id}
    sheet = load_workbook(io.BytesIO(browser.get("/statistics/agents.xlsx").data)).worksheets[0]
    heads, line = ([cell.value for cell in row] for row in list(sheet.rows)[:2])
    assert dict(zip(heads, line, strict=True)) | {"质量": "3.60", "评分通话": "2"} == dict(
        zip(heads, line, strict=True)
    )
    text = browser.get("/statistics/agents.csv").data.decode("utf-8-sig")
    assert "3.60" in text


def test_a_landline_shared_is_no_matter(world: World) -> None:
    """A mean needs marks: without any there is none, and nobody is listed for it."""
    world.elder("王桂兰", landline(1))
    with session.read() as db:
        assert quality.means(db, world.ago(3600), world.now) == {}
        assert figures.agents(db, wallboard.today(world.now), world.now) == []
