"""Log-in and sessions: cookies, CSRF, limits, endings."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from agents import accounts
from models import clock
from models.presence import AgentPresence
from models.users import User
from tests.web.conftest import Browser
from tests.web.secret import SECRET
from tests.web.world import PASSWORD, World
from web import phone
from web.app import NoSecret, create_app
from web.config import ConsoleSettings
from web.login import BY_NAME_AND_ADDRESS

TRIES = int(BY_NAME_AND_ADDRESS.split()[0])


def test_without_a_secret_the_console_does_not_start(var_dir: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from models.settings import Settings

    with pytest.raises(NoSecret, match="HOTLINE_WEB_SECRET"):
        create_app(Settings(web_secret=""))


def test_log_in_and_out(world: World, browser: Browser) -> None:
    world.user("小陈")
    assert browser.get("/").headers["Location"] == "/login"
    answer = browser.login("小陈")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert browser.get("/").status_code == 200
    assert browser.get("/login").headers["Location"] == "/"
    answer = browser.post("/logout", {}, page="/")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/login")
    assert browser.get("/").status_code == 303


def test_a_wrong_password_says_no_more_than_needed(world: World, browser: Browser) -> None:
    world.user("小陈")
    wrong, unknown = browser.login("小陈", "wrong password!"), browser.login("小王", "wrong password!")
    assert (wrong.status_code, unknown.status_code) == (401, 401)

    def shown(text: str) -> str:
        return re.sub(r'value="[^"]*"', "", text)

    assert shown(wrong.text) == shown(unknown.text)
    assert "wrong password!" not in wrong.text


def test_after_the_log_in_she_is_where_she_wanted_to_be_but_never_outside(world: World, browser: Browser) -> None:
    world.user("小陈")
    assert browser.get("/orders/abc?x=1").headers["Location"] == "/login?next=/orders/abc?x%3D1"
    for wanted, there in {
        "/orders/abc": "/orders/abc",
        "//evil.example": "/",
        "/\\evil.example": "/",
        "https://evil.example": "/",
        "/\nevil": "/",
        "": "/",
    }.items():
        assert browser.login("小陈", next=wanted).headers["Location"] == there, wanted
        browser.post("/logout", {}, page="/")


def test_guessing_is_stopped_but_a_colleague_elsewhere_is_not_locked_out(world: World, browser: Browser) -> None:
    world.user("小陈")
    for _ in range(TRIES):
        assert browser.login("小陈", "wrong password!").status_code == 401
    refused = browser.login("小陈")
    assert refused.status_code == 429
    assert "尝试次数过多" in refused.text
    assert refused.headers["Retry-After"]
    token = browser.token()
    form = {"csrf_token": token, "name": "小陈", "password": PASSWORD}
    elsewhere = browser.client.post("/login", data=form, environ_overrides={"REMOTE_ADDR": "10.9.8.7"})
    assert elsewhere.status_code == 303


def test_successful_log_ins_are_not_counted(world: World, browser: Browser) -> None:
    world.user("小陈")
    for _ in range(TRIES + 2):
        assert browser.login("小陈").status_code == 303
        browser.post("/logout", {}, page="/")


def test_many_names_from_one_address_are_stopped(world: World, browser: Browser, monkeypatch: object) -> None:
    statuses = [browser.login(f"name-{n}", "x").status_code for n in range(32)]
    assert statuses[:30] == [401] * 30
    assert statuses[30:] == [429] * 2


@pytest.mark.parametrize("path", ["/login", "/logout", "/preferences", "/tasks/abc/close"])
def test_every_post_needs_the_token_of_this_session(agent: Browser, path: str) -> None:
    for form in ({}, {"csrf_token": "forged"}, {"csrf_token": Browser(agent.app).token()}):
        answer = agent.client.post(path, data=form)
        assert answer.status_code == 400
        assert "页面已过期" in answer.text
    assert agent.get("/").status_code == 200


def test_the_cookie_is_closed_to_scripts_and_to_other_sites(world: World, browser: Browser) -> None:
    world.user("小陈")
    cookie = browser.login("小陈").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_is_secure(world: World) -> None:
    world.user("小陈")
    from models.settings import settings

    app = create_app(settings(), ConsoleSettings(https=True))
    client = app.test_client()
    page = client.get("/login", base_url="https://console.example")
    assert page.headers["Strict-Transport-Security"]
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    form = {"csrf_token": token[1], "name": "小陈", "password": PASSWORD}
    headers = {"Referer": "https://console.example/login"}
    answer = client.post("/login", data=form, base_url="https://console.example", headers=headers)
    assert answer.status_code == 303
    assert answer.headers["Set-Cookie"].startswith("__Host-hotline=")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_copied_cookie_does_not_outlive_the_log_out(world: World, browser: Browser, app: Flask) -> None:
    world.user("小陈")
    browser.login("小陈")
    cookie = browser.client.get_cookie("hotline")
    assert cookie
    browser.post("/logout", {}, page="/")
    thief = app.test_client()
    thief.set_cookie("hotline", cookie.value)
    assert thief.get("/").status_code == 303


def test_a_forged_or_foreign_cookie_is_nobody(world: World, app: Flask) -> None:
    world.user("小陈")
    for value in ("", "x", SECRET, "eyJ1c2VyIjoiMSJ9.aaaa.bbbb"):
        client = app.test_client()
        client.set_cookie("hotline", value)
        assert client.get("/").status_code == 303


def test_a_disabled_user_is_out_at_the_next_click(agent: Browser, world: World) -> None:
    assert agent.get("/").status_code == 200
    with world.rows() as db:
        user = db.query(User).one()
        accounts.disable(db, user, None, world.now)
    assert agent.get("/").status_code == 303
    assert "会话已结束" in agent.get("/login").text
    assert "会话已结束" not in agent.get("/login").text


@pytest.mark.parametrize(("hours", "open_still"), [(0.9, True), (1.1, False)])
def test_an_untouched_session_ends(
    agent: Browser, monkeypatch: pytest.MonkeyPatch, hours: float, open_still: bool
) -> None:
    later = clock.now() + timedelta(hours=hours)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert (agent.get("/").status_code == 200) is open_still


def test_work_keeps_a_session_open_but_not_for_ever(agent: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    began = clock.now()
    statuses = []
    for half_hours in range(1, 26):
        monkeypatch.setattr(clock, "now", lambda now=began + timedelta(minutes=30 * half_hours): now)
        statuses.append(agent.get("/session").status_code)
    assert statuses == [204] * 23 + [401] * 2


def test_what_a_page_fetches_by_itself_does_not_keep_a_session_open(
    agent: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = clock.now()
    for minutes in (30, 59):
        monkeypatch.setattr(clock, "now", lambda now=began + timedelta(minutes=minutes): now)
        assert agent.get("/orders/none?watch=1").status_code == 404
    monkeypatch.setattr(clock, "now", lambda: began + timedelta(minutes=61))
    answer = agent.get("/orders/none?watch=1", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


@pytest.mark.parametrize(
    ("state", "open_still"),
    [("", False), ("pause", False), ("wrap_up", False), ("ready", True), ("ringing", True), ("talking", True)],
)
def test_the_telephone_of_an_empty_desk_keeps_no_session_open_and_a_call_does(
    world: World, agent: Browser, monkeypatch: pytest.MonkeyPatch, state: str, open_still: bool
) -> None:
    monkeypatch.setattr(phone, "LIVE_WITHIN_S", 0.0)
    began, sent = clock.now(), {"json": {}, "headers": {"X-CSRFToken": agent.token("/")}}
    if state:
        with world.rows() as db:
            user_id = db.query(User).one().id
            until = began + timedelta(days=1)
            db.add(AgentPresence(user_id=user_id, state=state, since=began, until=until))
    for minutes in (25, 50, 75, 100):
        monkeypatch.setattr(clock, "now", lambda now=began + timedelta(minutes=minutes): now)
        renewed = agent.client.post("/phone/line", **sent)
        agent.client.post("/phone/extend?by_itself=1", **sent)
    assert (renewed.status_code == 200) is open_still
    assert (agent.get("/desk").status_code == 200) is open_still


def test_language_and_colours_are_kept(world: World, browser: Browser) -> None:
    world.user("小陈")
    assert 'lang="zh-CN"' in browser.get("/login", headers={"Accept-Language": "en"}).text
    answer = browser.post("/preferences", {"language": "ko", "next": "/login"})
    assert answer.headers["Location"] == "/login"
    assert "로그인" in browser.get("/login").text
    assert browser.login("小陈").status_code == 303
    # The user's own language comes before the browser's.
    assert 'lang="zh-CN"' in browser.get("/").text
    browser.post("/preferences", {"language": "en", "theme": "dark"}, page="/")
    page = browser.get("/").text
    assert 'lang="en"' in page
    assert 'data-theme="dark"' in page
    with world.rows() as db:
        assert db.query(User).one().language == "en"
    browser.post("/preferences", {"language": "tlh", "theme": "plaid", "next": "//evil"}, page="/")
    page = browser.get("/").text
    assert 'lang="en"' in page
    assert 'data-theme="dark"' in page
