"""The roster, why a provider was asked, and what is late: as agents see it and supervisors change it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from models.providers import Provider, ProviderItem
from models.session import read, write
from models.users import AuditEvent
from tests.web import town
from tests.web.conftest import Browser
from tests.web.test_pages import text_of
from tests.web.world import World, mobile


def row(public_id: str) -> Provider:
    """The provider as it stands."""
    with read() as session:
        return session.scalars(select(Provider).where(Provider.public_id == public_id)).one()


def test_an_order_says_why_each_provider_was_asked(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    said = text_of(agent.get(f"/orders/{seeded.order_id}").text)
    for part in (
        "为何选这家 康乐助浴服务站 52.5 分 老人曾评好 +30 老人评分 +22.5 合适的2家中排第1 已拒绝: 太远",
        "安心到家家政 19.5 分 老人评分 +22.5 近期已有接单 -3",
    ):
        assert part in said


def test_a_late_order_is_marked_and_leads_the_board(world: World, agent: Browser) -> None:
    elder = world.elder("王秀英", mobile(1))
    in_time, late = (
        world.order(elder, service, due_at=world.now + left, warn_at=world.now + left - timedelta(hours=1))
        for service, left in (("meals", timedelta(hours=5)), ("bathing", -timedelta(hours=1)))
    )
    board = agent.get("/").text
    said = text_of(board)
    assert "1 超期工单" in said and said.count("已超期") == 1
    assert board.index(f"order-{late.public_id}") < board.index(f"order-{in_time.public_id}")
    assert "办理期限 已超期" in text_of(agent.get(f"/orders/{late.public_id}").text)


def test_a_supervisor_pauses_a_provider_and_has_it_asked_again(world: World, browser: Browser) -> None:
    public_id = world.provider("康乐助浴", mobile(201)).public_id
    world.user("陈班长", "supervisor")
    browser.login("陈班长")
    past = browser.post(f"/providers/{public_id}/pause", {"until": "2020-01-01"}, "/providers")
    assert past.status_code == 422 and "暂停的截止日须在今天之后" in past.text
    assert browser.post(f"/providers/{public_id}/pause", {"until": "soon"}, "/providers").status_code == 422
    until = (world.now + timedelta(days=9)).date().isoformat()
    done = browser.post(f"/providers/{public_id}/pause", {"until": until, "reason": "<b>装修"}, "/providers")
    assert done.status_code == 303 and row(public_id).paused_until is not None
    page = browser.get("/providers").text
    assert "暂停派单至" in page and "&lt;b&gt;装修" in page
    assert browser.post(f"/providers/{public_id}/resume", {}, "/providers").status_code == 303
    assert row(public_id).paused_until is None and row(public_id).pause_reason == ""
    with read() as session:
        actions = session.scalars(select(AuditEvent.action).where(AuditEvent.subject == "provider")).all()
    assert actions == ["provider_paused", "provider_resumed"]


def test_a_doubted_service_is_kept_or_removed(world: World, browser: Browser) -> None:
    provider = world.provider("康乐助浴", mobile(201))
    with write() as session:
        for item in session.scalars(select(ProviderItem).where(ProviderItem.service.in_(("meals", "bathing")))):
            item.doubted_at = world.now
    world.user("陈班长", "supervisor")
    browser.login("陈班长")
    assert text_of(browser.get("/providers").text).count("服务商称不做此项服务") == 2
    for service, answer in (("meals", "no"), ("bathing", "yes")):
        sent = browser.post(f"/providers/{provider.public_id}/items/{service}", {"offers": answer}, "/providers")
        assert sent.status_code == 303
    with read() as session:
        items = session.execute(select(ProviderItem.service, ProviderItem.doubted_at).order_by(ProviderItem.id)).all()
    assert items == [("bathing", None), ("cleaning", None), ("repairs", None)]
    assert (
        browser.post(f"/providers/{provider.public_id}/items/meals", {"offers": "no"}, "/providers").status_code == 404
    )


def test_an_agent_sees_the_roster_and_changes_nothing(world: World, agent: Browser) -> None:
    public_id = world.provider("康乐助浴", mobile(201)).public_id
    page = agent.get("/providers").text
    assert "康乐助浴" in page and "/pause" not in page
    assert agent.post(f"/providers/{public_id}/resume", {}, "/providers").status_code == 403
    assert mobile(201) not in page
