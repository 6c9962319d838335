"""One's own account: the second factor from its picture to a lost telephone, and the password."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pyotp
import pytest
from flask import Flask

from models import clock, session
from models.users import AuditEvent, User
from tests.web.conftest import Browser
from tests.web.world import PASSWORD, World
from web.login import BY_NAME_AND_ADDRESS, CODE_WITHIN_S

TRIES = int(BY_NAME_AND_ADDRESS.split()[0])
NOW = datetime.fromisoformat("2026-11-22T09:00:10+08:00")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> dict[str, datetime]:
    """The clock of the console, which a test moves."""
    hand = {"now": NOW}
    monkeypatch.setattr(clock, "now", lambda: hand["now"])
    return hand


class App:
    """The app on her telephone: it has read the secret from the page."""

    def __init__(self, page: str) -> None:
        found = re.search(r'class="num strong">([A-Z2-7 ]+)<', page)
        assert found, "the page shows no secret"
        self._totp = pyotp.TOTP(found[1].replace(" ", ""))

    def code(self, at: dict[str, datetime]) -> str:
        return self._totp.at(at["now"])


def set_up(browser: Browser, at: dict[str, datetime]) -> tuple[App, list[str]]:
    """Switch the factor on as the page leads; returns the app and the codes on paper."""
    browser.post("/account/factor", {}, page="/account")
    app = App(browser.get("/account").text)
    page = browser.post("/account/factor/confirm", {"code": app.code(at)}, page="/account")
    assert page.status_code == 200
    codes = re.findall(r"<li>([0-9a-f]{5}-[0-9a-f]{5})</li>", page.text)
    assert len(set(codes)) == 8
    browser.post("/logout", {}, page="/account")
    at["now"] += timedelta(seconds=60)
    return app, codes


def test_the_password_alone_opens_nothing_once_the_factor_is_on(agent: Browser, at: dict[str, datetime]) -> None:
    app, _ = set_up(agent, at)
    answer = agent.login("小陈", next="/account")
    assert answer.headers["Location"] == "/login/code?next=/account"
    assert agent.get("/").headers["Location"] == "/login"
    wrong = agent.post("/login/code", {"code": "000000"}, page="/login/code")
    assert wrong.status_code == 401
    assert "验证码不对" in wrong.text
    right = agent.post("/login/code", {"code": app.code(at), "next": "/account"}, page="/login/code")
    assert (right.status_code, right.headers["Location"]) == (303, "/account")
    assert agent.get("/").status_code == 200
    with session.read() as db:
        said = [event.action for event in db.query(AuditEvent).order_by(AuditEvent.id)]
    assert said[-3:] == ["password_given", "second_factor_failed", "login"]


def test_a_code_read_over_the_shoulder_opens_nothing_a_second_time(agent: Browser, at: dict[str, datetime]) -> None:
    app, _ = set_up(agent, at)
    code = app.code(at)
    agent.login("小陈")
    assert agent.post("/login/code", {"code": code}, page="/login/code").status_code == 303
    other = Browser(agent.app)
    other.login("小陈")
    assert other.post("/login/code", {"code": code}, page="/login/code").status_code == 401


def test_a_lost_telephone_is_replaced_by_a_code_on_paper_once(agent: Browser, at: dict[str, datetime]) -> None:
    _, codes = set_up(agent, at)
    for code, status in ((codes[0].upper(), 303), (codes[0], 401), (codes[1].replace("-", " "), 303)):
        other = Browser(agent.app)
        other.login("小陈")
        assert other.post("/login/code", {"code": code}, page="/login/code").status_code == status
    assert "还剩 6 个" in other.get("/account").text


def test_a_secret_that_was_never_confirmed_asks_for_nothing(agent: Browser, at: dict[str, datetime]) -> None:
    agent.post("/account/factor", {}, page="/account")
    assert agent.post("/account/factor/confirm", {"code": "123456"}, page="/account").status_code == 400
    agent.post("/logout", {}, page="/account")
    assert agent.login("小陈").headers["Location"] == "/"


def test_guessing_codes_is_stopped_and_waiting_too_long_starts_again(agent: Browser, at: dict[str, datetime]) -> None:
    app, _ = set_up(agent, at)
    agent.login("小陈")
    for _ in range(TRIES):
        assert agent.post("/login/code", {"code": "000000"}, page="/login/code").status_code == 401
    assert agent.post("/login/code", {"code": app.code(at)}, page="/login/code").status_code == 429
    other = Browser(agent.app)
    other.login("小陈")
    at["now"] += timedelta(seconds=CODE_WITHIN_S + 1)
    assert other.get("/login/code").headers["Location"] == "/login"
    form = {"csrf_token": other.token(), "code": app.code(at)}
    answer = other.client.post("/login/code", data=form, environ_overrides={"REMOTE_ADDR": "10.9.8.7"})
    assert answer.headers["Location"] == "/login"


def test_switching_off_needs_the_password_and_ends_other_sessions(agent: Browser, at: dict[str, datetime]) -> None:
    app, _ = set_up(agent, at)
    agent.login("小陈")
    agent.post("/login/code", {"code": app.code(at)}, page="/login/code")
    copied = Browser(agent.app)
    copied.client.set_cookie("hotline", agent.client.get_cookie("hotline").value)  # type: ignore[union-attr]
    assert copied.get("/account").status_code == 200
    assert agent.post("/account/factor/off", {"password": "wrong"}, page="/account").status_code == 400
    assert agent.post("/account/factor/off", {"password": PASSWORD}, page="/account").status_code == 303
    assert agent.get("/account").status_code == 200
    assert copied.get("/account").status_code == 303


def test_a_disabled_user_does_not_get_in_between_password_and_code(
    agent: Browser, world: World, at: dict[str, datetime]
) -> None:
    app, _ = set_up(agent, at)
    agent.login("小陈")
    with world.rows() as db:
        db.query(User).one().disabled_at = at["now"]
    assert agent.post("/login/code", {"code": app.code(at)}, page="/login/code").status_code == 401


NEW = "a longer horse battery"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"old": "wrong", "new": NEW, "again": NEW}, "当前密码不对"),
        ({"old": PASSWORD, "new": NEW, "again": NEW + "!"}, "两次输入的新密码不一致"),
        ({"old": PASSWORD, "new": "short", "again": "short"}, "12 至 128 个字符"),
    ],
)
def test_a_refused_password_says_why_and_changes_nothing(agent: Browser, form: dict[str, str], said: str) -> None:
    answer = agent.post("/account/password", form, page="/account")
    assert answer.status_code == 400
    assert said in answer.text
    assert Browser(agent.app).login("小陈").status_code == 303


def test_a_new_password_ends_the_other_computers_sessions(agent: Browser, app: Flask) -> None:
    other = Browser(app)
    other.login("小陈")
    form = {"old": PASSWORD, "new": NEW, "again": NEW}
    assert agent.post("/account/password", form, page="/account").headers["Location"].endswith("done=password")
    assert agent.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert Browser(app).login("小陈").status_code == 401
    assert Browser(app).login("小陈", NEW).status_code == 303
