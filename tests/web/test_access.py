"""Every route with every role and with nobody; headers on every answer; proxies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask

from models.settings import settings
from models.users import Role
from tests.web import town
from tests.web.conftest import Browser
from tests.web.world import World
from web import access, phone
from web.app import create_app
from web.config import ConsoleSettings
from web.security import HEADERS, policy

# What each endpoint must need. A new route has to be entered here: that is the point.
NEEDS: dict[str, Role | None] = {
    "static": None,
    "health.healthz": None,
    "health.livez": None,
    "metrics.metrics": None,
    "metrics.machine": Role.ADMIN,
    "login.form": None,
    "login.submit": None,
    "login.code_form": None,
    "login.code": None,
    "login.preferences": None,
    "account.mine": Role.AGENT,
    "account.password": Role.AGENT,
    "account.begin": Role.AGENT,
    "account.confirm": Role.AGENT,
    "account.switch_off": Role.AGENT,
    "login.logout": Role.AGENT,
    "login.alive": Role.AGENT,
    "board.board": Role.AGENT,
    "board.events": Role.AGENT,
    "records.order": Role.AGENT,
    "records.call": Role.AGENT,
    "records.elder": Role.AGENT,
    "records.task": Role.AGENT,
    "records.order_again": Role.AGENT,
    "records.close_order": Role.AGENT,
    "desk.home": Role.AGENT,
    "desk.call": Role.AGENT,
    "desk.attach": Role.AGENT,
    "desk.register": Role.AGENT,
    "desk.result": Role.AGENT,
    "desk_orders.check": Role.AGENT,
    "desk_orders.blank": Role.AGENT,
    "desk_orders.edit": Role.AGENT,
    "desk_orders.place": Role.AGENT,
    "desk_deeds.change_form": Role.AGENT,
    "desk_deeds.check_change": Role.AGENT,
    "desk_deeds.change": Role.AGENT,
    "desk_deeds.cancel": Role.AGENT,
    "desk_deeds.provider": Role.AGENT,
    "desk_tasks.lock": Role.AGENT,
    "desk_tasks.unlock": Role.AGENT,
    "desk_tasks.take": Role.AGENT,
    "desk_tasks.give_back": Role.AGENT,
    "desk_tasks.finish": Role.AGENT,
    "desk_tasks.score": Role.AGENT,
    "desk_people.blank": Role.AGENT,
    "desk_people.register": Role.AGENT,
    "desk_people.edit": Role.AGENT,
    "desk_people.correct": Role.AGENT,
    "desk_people.undo_change": Role.AGENT,
    "desk_people.add_note": Role.AGENT,
    "desk_people.strike": Role.AGENT,
    "desk_people.compare": Role.AGENT,
    "desk_people.merge": Role.AGENT,
    "desk_people.undo_merge": Role.AGENT,
    "desk_people.pages": Role.AGENT,
    "search.page": Role.AGENT,
    "keys.page": Role.AGENT,
    "keys.change": Role.AGENT,
    "records.recording": Role.AGENT,
    "phone.state": Role.AGENT,
    "phone.line": Role.AGENT,
    "phone.choose": Role.AGENT,
    "phone.extend": Role.AGENT,
    "phone.targets": Role.AGENT,
    "phone.dial": Role.AGENT,
    "phone.pass_on": Role.AGENT,
    "phone.then": Role.AGENT,
    "watching.watch": Role.SUPERVISOR,
    "quality.mark": Role.SUPERVISOR,
    "quality.marks": Role.AGENT,
    "manners.change": Role.AGENT,
    "manners.undo": Role.AGENT,
    "manners.hours": Role.AGENT,
    "providers.roster": Role.AGENT,
    "providers.pause": Role.SUPERVISOR,
    "providers.resume": Role.SUPERVISOR,
    "providers.check_item": Role.SUPERVISOR,
    "texts.texts": Role.AGENT,
    "texts.again": Role.AGENT,
    "texts.twilio": None,
    "care.month": Role.AGENT,
    "care.duties": Role.AGENT,
    "care.visited": Role.AGENT,
    "care_runs.home": Role.AGENT,
    "care_runs.next_one": Role.AGENT,
    "care_runs.visit": Role.AGENT,
    "care_runs.keep": Role.AGENT,
    "care_runs.draft": Role.AGENT,
    "care_runs.finish": Role.AGENT,
    "care_runs.skip": Role.AGENT,
    "care_runs.hand_over": Role.AGENT,
    "care_runs.let_go": Role.AGENT,
    "care_campaigns.home": Role.AGENT,
    "care_campaigns.one": Role.AGENT,
    "care_campaigns.elders": Role.AGENT,
    "care_campaigns.move": Role.SUPERVISOR,
    "care_campaigns.blank": Role.SUPERVISOR,
    "care_campaigns.make": Role.SUPERVISOR,
    "care_rules.home": Role.AGENT,
    "care_rules.put": Role.AGENT,
    "care_report.report": Role.SUPERVISOR,
    "care_report.calls": Role.SUPERVISOR,
    "care_report.export": Role.SUPERVISOR,
    "supervision.wall": Role.SUPERVISOR,
    "supervision.statistics": Role.SUPERVISOR,
    "supervision.calls": Role.SUPERVISOR,
    "supervision.export": Role.SUPERVISOR,
    "prompts.catalogue": Role.SUPERVISOR,
    "prompts.room": Role.SUPERVISOR,
    "prompts.play": Role.SUPERVISOR,
    "prompts.recording": Role.SUPERVISOR,
    "prompts.code": Role.SUPERVISOR,
    "prompts.upload": Role.SUPERVISOR,
    "prompts.publish": Role.SUPERVISOR,
    "prompts.retire": Role.SUPERVISOR,
    "admin.index": Role.ADMIN,
    "admin_users.users": Role.ADMIN,
    "admin_users.blank": Role.ADMIN,
    "admin_users.add": Role.ADMIN,
    "admin_users.user": Role.ADMIN,
    "admin_users.change": Role.ADMIN,
    "admin_users.skills": Role.ADMIN,
    "admin_users.link": Role.ADMIN,
    "admin_users.factor_off": Role.ADMIN,
    "admin_queues.queues": Role.ADMIN,
    "admin_queues.change": Role.ADMIN,
    "admin_users.welcome": None,
    "admin_users.choose": None,
    "admin_lists.reasons": Role.ADMIN,
    "admin_lists.results": Role.ADMIN,
    "admin_lists.quality": Role.ADMIN,
    "admin_lists.dialects": Role.ADMIN,
    "admin_lists.services": Role.ADMIN,
    "admin_lists.blank": Role.ADMIN,
    "admin_lists.add": Role.ADMIN,
    "admin_lists.item": Role.ADMIN,
    "admin_lists.change": Role.ADMIN,
    "admin_hours.hours": Role.ADMIN,
    "admin_hours.week": Role.ADMIN,
    "admin_hours.day": Role.ADMIN,
    "admin_hours.remove": Role.ADMIN,
    "admin_providers.blank": Role.ADMIN,
    "admin_providers.add": Role.ADMIN,
    "admin_providers.edit": Role.ADMIN,
    "admin_providers.change": Role.ADMIN,
    "admin_imports.start": Role.ADMIN,
    "admin_imports.check": Role.ADMIN,
    "admin_imports.apply": Role.ADMIN,
    "admin_imports.template": Role.ADMIN,
    "admin_log.log": Role.ADMIN,
    "admin_log.undo": Role.ADMIN,
    "contacts.blank": Role.AGENT,
    "contacts.add": Role.AGENT,
    "contacts.edit": Role.AGENT,
    "contacts.change": Role.AGENT,
    "contacts.end": Role.AGENT,
}
REFUSED = {401, 403}
Broken = Callable[[], AbstractContextManager[None]]


def visits(app: Flask) -> list[tuple[str, str, str]]:
    """Every endpoint with a method and a path."""
    found = []
    for rule in app.url_map.iter_rules():
        known = rule.rule.replace("<public_id>", "none")
        path = "/static/console.css" if rule.endpoint == "static" else known
        found += [(rule.endpoint, method, path) for method in (rule.methods or set()) & {"GET", "POST"}]
    return found


def test_every_route_is_declared(app: Flask) -> None:
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == set(NEEDS)


@pytest.mark.slow
@pytest.mark.parametrize("role", [None, *Role])
def test_role_walk(world: World, app: Flask, role: Role | None, monkeypatch: pytest.MonkeyPatch) -> None:
    # No exchange is running that would get to know the telephone.
    monkeypatch.setattr(phone, "LIVE_WITHIN_S", 0.0)
    # The token has tests of its own; here it would only hide who is refused.
    app.config["WTF_CSRF_ENABLED"] = False
    browser = Browser(app)
    if role is not None:
        world.user("walker", role)
    for endpoint, method, path in visits(app):
        if role is not None:
            browser.client.post("/login", data={"name": "walker", "password": "correct horse battery"})
        answer = browser.client.open(path, method=method)
        status, target = answer.status_code, answer.headers.get("Location", "")
        answer.close()
        needs = NEEDS[endpoint]
        if needs is None:
            assert status not in REFUSED or endpoint == "login.submit", path
        elif role is None:
            assert status in REFUSED or (status == 303 and target.startswith("/login")), path
        elif list(Role).index(role) < list(Role).index(needs):
            assert status == 403, path
        else:
            assert status not in REFUSED, path
            assert not target.startswith("/login") or endpoint == "login.logout", path


def test_a_role_that_is_too_low_is_refused(world: World, app: Flask) -> None:
    @access.allow(Role.SUPERVISOR)
    def wallboard() -> str:
        return "the wallboard"

    app.add_url_rule("/wallboard", "wallboard", wallboard)
    for name, role, status in (("a", "agent", 403), ("s", "supervisor", 200), ("d", "admin", 200)):
        world.user(f"user-{name}", role)
        browser = Browser(app)
        browser.login(f"user-{name}")
        assert browser.get("/wallboard").status_code == status


def test_a_view_that_declares_nothing_is_seen_by_nobody(world: World, app: Flask) -> None:
    app.add_url_rule("/forgotten", "forgotten", lambda: "secrets")
    world.user("admin", "admin")
    browser = Browser(app)
    browser.login("admin")
    assert browser.get("/forgotten").status_code == 403


def test_the_factory_refuses_a_forgotten_declaration(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from web import health

    monkeypatch.delattr(health.healthz, "access")
    with pytest.raises(RuntimeError, match=r"health\.healthz"):
        create_app()


def test_headers_are_on_every_answer(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    paths = ["/", "/login", "/healthz", "/none", f"/elders/{seeded.elder.person.public_id}", "/static/console.css"]
    for path in paths:
        answer = agent.get(path)
        for name, value in (HEADERS | {"Content-Security-Policy": policy(settings(), ConsoleSettings())}).items():
            assert answer.headers[name] == value, (path, name)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        if not path.startswith("/static"):
            assert answer.headers["Cache-Control"] == "no-store", path
        answer.close()


def test_pages_have_nothing_inline(world: World, agent: Browser) -> None:
    seeded = town.build(world)
    for path in (
        "/",
        "/login",
        f"/orders/{seeded.order_id}",
        f"/calls/{seeded.call_id}",
        f"/tasks/{seeded.task_id}",
    ):
        page = agent.get(path).text.lower()
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert page.count("<script") == page.count("<script defer src=")


def test_static_files_are_kept_for_ever_under_their_hash(agent: Browser) -> None:
    page = agent.get("/").text
    path = page.split('<link rel="stylesheet" href="')[1].split('"')[0]
    assert "?v=" in path
    with agent.get(path) as answer:
        assert "immutable" in answer.headers["Cache-Control"]


def test_health_asks_the_database_and_says_nothing_about_it(browser: Browser, broken_database: Broken) -> None:
    assert browser.get("/healthz").text == "ok\n"
    with broken_database():
        answer = browser.get("/healthz")
        assert (answer.status_code, answer.text) == (503, "database unreachable\n")
        assert browser.get("/livez").status_code == 200


def test_without_a_database_pages_say_so_in_the_users_language(agent: Browser, broken_database: Broken) -> None:
    with broken_database():
        answer = agent.get("/")
    assert answer.status_code == 503
    assert "控制台暂时不可用" in answer.text
    assert "nowhere" not in answer.text


def test_a_fault_of_ours_shows_a_page_and_no_traceback(agent: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> str:
        raise ZeroDivisionError("secret detail")

    agent.app.view_functions["board.board"] = access.allow(Role.AGENT)(broken)
    agent.app.config["TESTING"] = False
    agent.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = agent.get("/")
    assert answer.status_code == 500
    assert "出现问题" in answer.text
    assert "secret detail" not in answer.text


@pytest.mark.parametrize(
    ("trusted", "peer", "seen"),
    [
        ([], "127.0.0.1", "127.0.0.1 http"),
        (["10.0.0.0/8"], "10.1.2.3", "203.0.113.7 https"),
        (["10.0.0.0/8"], "192.0.2.1", "192.0.2.1 http"),
        (["::1/128"], "::1", "203.0.113.7 https"),
    ],
)
def test_forwarded_headers_are_believed_only_from_listed_proxies(
    world: World, trusted: list[str], peer: str, seen: str
) -> None:
    from flask import request

    app = create_app(None, ConsoleSettings.model_validate({"trusted_proxies": trusted}))

    @access.open_to_everybody
    def mirror() -> str:
        return f"{request.remote_addr} {request.scheme}"

    app.add_url_rule("/mirror", "mirror", mirror)
    headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    answer = app.test_client().get("/mirror", headers=headers, environ_overrides={"REMOTE_ADDR": peer})
    assert answer.text == seen
