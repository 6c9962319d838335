"""The `hotline` command: people, elders, lists; and the names that our distribution takes."""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner, Result

from dispatch.offers import offer_order
from dispatch.orders import OrderRequest, place_order
from hotline import secret_store
from hotline.commands import app
from ivr.prompts import voice
from ivr.prompts.catalogue import CATALOGUE
from models import clock, schema, settings
from models.calls import Call, CallState, Direction, Utterance
from models.journal import Entry, note
from models.lookup import number_row
from models.people import Elder
from models.phone import normalise
from models.providers import Provider
from models.session import read, write
from models.sms import SmsMessage
from models.users import AuditEvent, User
from tests.support import world

PASSWORD = "correct horse battery"


def hotline(*words: str, said: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=said)


def test_the_database_is_made_and_made_again(hotline_dir: Path) -> None:
    for _ in range(2):
        done = hotline("db", "upgrade")
        assert done.exit_code == 0 and schema.heads()[0] in done.output


def test_a_user_is_added_with_a_password_of_her_own(database: Engine) -> None:
    done = hotline("users", "add", "小陈", "--role", "supervisor", said=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    with read() as session:
        user = session.scalars(select(User)).one()
    assert user.role == "supervisor" and PASSWORD not in user.password_hash
    assert hotline("users", "add", "小陈", said=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 1


def test_a_user_who_has_lost_telephone_and_paper_is_let_in_again_by_hand(database: Engine) -> None:
    assert hotline("users", "add", "小陈", said=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    with write() as session:
        user = session.scalars(select(User)).one()
        user.totp_secret, user.totp_since = "A" * 32, datetime.now(UTC)
    assert hotline("users", "second-factor-off", "小王").exit_code == 1
    assert hotline("users", "second-factor-off", "小陈").exit_code == 0
    with read() as session:
        user = session.scalars(select(User)).one()
    assert (user.totp_since, user.session_version) == (None, 1)


@pytest.mark.parametrize(
    "said", ["short\nshort\n", "\n\n", "aaaaaaaaaaaaaaaa\naaaaaaaaaaaaaaaa\n", f"{PASSWORD}\nother\n"]
)
def test_no_short_no_plain_and_no_default_password(database: Engine, said: str) -> None:
    assert hotline("users", "add", "小陈", said=said).exit_code != 0
    with read() as session:
        assert session.scalars(select(User)).all() == []


def test_elders_are_checked_first_and_written_only_when_told_to(database: Engine, tmp_path: Path) -> None:
    file = tmp_path / "elders.csv"
    file.write_bytes("姓名,电话\n王秀英,88881234\n".encode("gb18030"))
    done = hotline("elders", "import", str(file))
    assert done.exit_code == 0 and "--apply" in done.output
    with read() as session:
        assert session.scalars(select(Elder)).all() == []
    assert hotline("elders", "import", str(file), "--apply").exit_code == 0
    again = hotline("elders", "import", str(file), "--apply")
    assert again.exit_code == 1 and "already registered" in again.output and "88881234" not in again.output
    with read() as session:
        assert len(session.scalars(select(Elder)).all()) == 1


def test_elders_leave_and_come_back_in_a_workbook(database: Engine, tmp_path: Path) -> None:
    file, empty = tmp_path / "elders.csv", tmp_path / "template.xlsx"
    rows = "".join(f"王{n},0451-1{n:07},李{n},女儿,110-0000-{n:04},慢\n" for n in range(250))
    file.write_text(f"姓名,电话,联系人,关系,联系电话,语速,年龄\n{rows}")
    done = hotline("elders", "import", str(file), "--apply")
    assert done.exit_code == 0 and "250 elders imported" in done.output
    assert "unknown columns are left out: 年龄" in done.output
    out = tmp_path / "out.xlsx"
    assert "250 elders exported" in hotline("elders", "export", str(out)).output
    again = hotline("elders", "import", str(out))
    assert again.exit_code == 1 and again.output.count("already registered") == 250 and "sheet “老人”" in again.output
    assert hotline("elders", "import", str(out), "--sheet", "无").exit_code == 1
    refused = hotline("elders", "export", str(out))
    assert refused.exit_code == 1 and "--force" in refused.output
    assert hotline("elders", "export", str(out), "--force").exit_code == 0
    assert hotline("elders", "export", str(tmp_path / "out.pdf")).exit_code == 1
    assert hotline("elders", "template", str(empty)).exit_code == 0
    assert "0 elders can be imported" in hotline("elders", "import", str(empty)).output
    with read() as session:
        audited = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    # Who asked for a file of another kind is in the audit too: it is written before the first name is read.
    assert audited == ["elders_imported", "elders_exported", "elders_exported", "elders_exported"]


@pytest.mark.parametrize("content", [b"", "姓名\n王\n".encode(), "姓名,电话\n王,abc\n李,88881235\n".encode()])
def test_a_bad_file_writes_nothing(database: Engine, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "elders.csv"
    file.write_bytes(content)
    assert hotline("elders", "import", str(file), "--apply").exit_code == 1
    with read() as session:
        assert session.scalars(select(Elder)).all() == []


def test_lists_are_json_and_numbers_are_masked(database: Engine) -> None:
    assert json.loads(hotline("orders", "list", "--json").output) == []
    with write() as session:
        call = Call(
            channel_id="1.1", direction=Direction.IN, purpose="inbound", state=CallState.TALKING,
            number_id=number_row(session, normalise("+8645110000001")).id, started_at=clock.now(),
        )  # fmt: skip
        session.add(call)
        session.flush()
        note(session, call.id, Entry.TURN, clock.now(), step="service", heard="key", key="1")
    listed = hotline("calls", "list", "--json")
    (row,) = json.loads(listed.output)
    assert row["number"] == "+86*********01" and "45110000001" not in listed.output
    course = json.loads(hotline("call", "show", row["id"], "--json").output)
    assert [entry["what"] for entry in course["journal"]] == ["turn"]
    for command in (["calls", "list"], ["orders", "list"], ["call", "show", row["id"]]):
        done = hotline(*command)
        assert done.exit_code == 0 and "45110000001" not in done.output


def test_an_id_that_nobody_has(database: Engine) -> None:
    done = hotline("call", "show", "nobody")
    assert done.exit_code == 2 and "nobody" in done.output


def test_secrets_are_made_once_and_are_the_owners(tmp_path: Path) -> None:
    made = secret_store.ensure(tmp_path / "var")
    assert set(made) == set(secret_store.NAMES) and all(len(secret) >= 32 for secret in made.values())
    assert secret_store.ensure(tmp_path / "var") == made
    path = tmp_path / "var/secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert secret_store.ensure(tmp_path / "other") != made


def test_the_generic_names_are_ours_alone() -> None:
    owners = importlib.metadata.packages_distributions()
    for name in ("agents", "dialplans", "dispatch", "hotline", "ivr", "models", "web"):
        assert set(owners.get(name, [])) == {"hotline-12349"}, (name, owners.get(name))


def test_prompts_are_listed_with_the_voice_that_says_them(database: Engine) -> None:
    done = hotline("prompts", "list", "--json", "--language", "ko")
    rows = {row["key"]: row for row in json.loads(done.output)}
    assert rows["goodbye"] | {"text": ""} == {
        "key": "goodbye", "place": "inbound.done", "variables": [], "language": "ko", "text": "",
        "voice": "stand-in", "by": None, "at": None,
    }  # fmt: skip
    assert rows["greeting"]["variables"] == ["who"]
    assert hotline("prompts", "list").exit_code == 0


def test_a_prompt_without_a_text_fails_the_check(database: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_VOICE", "tones")
    settings.settings.cache_clear()
    voice.voice.cache_clear()
    try:
        assert json.loads(hotline("prompts", "check", "--json").output) == {"ok": True, "problems": []}
        silent = replace(CATALOGUE["goodbye"], text={**CATALOGUE["goodbye"].text, "ko": " "})
        monkeypatch.setitem(CATALOGUE, "goodbye", silent)  # type: ignore[arg-type, unused-ignore]
        done = hotline("prompts", "check", "--json")
        problem = {"key": "goodbye", "language": "ko", "lack": "no_text", "detail": ""}
        assert done.exit_code == 1 and json.loads(done.output) == {"ok": False, "problems": [problem]}
        assert hotline("prompts", "check", "--language", "xx").exit_code == 2
    finally:
        voice.voice.cache_clear()


def test_providers_come_from_a_file_are_listed_paused_and_leave_again(database: Engine, tmp_path: Path) -> None:
    file, template = tmp_path / "providers.csv", tmp_path / "template.xlsx"
    assert hotline("providers", "template", str(template)).exit_code == 0 and template.stat().st_size > 5000
    file.write_text("名称,电话,服务项目,区域\n康乐助浴,0451-10000101,助浴,道里区\n", encoding="utf-8")
    dry = hotline("providers", "import", str(file))
    assert dry.exit_code == 0 and "--apply" in dry.output
    assert json.loads(hotline("providers", "list", "--json").output) == []
    assert hotline("providers", "import", str(file), "--apply").exit_code == 0
    again = hotline("providers", "import", str(file), "--apply")
    assert again.exit_code == 1 and "registered already" in again.output
    until = (clock.local_date(clock.now()) + timedelta(days=30)).isoformat()
    assert hotline("providers", "pause", "康乐助浴", "--until", until, "--reason", "装修").exit_code == 0
    (line,) = json.loads(hotline("providers", "list", "--json").output)
    assert (line["name"], line["services"], line["areas"], line["pause_reason"]) == (
        "康乐助浴", "bathing", "道里区", "装修",
    )  # fmt: skip
    assert hotline("providers", "pause", "康乐助浴", "--until", "2020-01-01").exit_code == 1
    assert hotline("providers", "resume", "康乐助浴").exit_code == 0
    assert hotline("providers", "resume", "没有这家").exit_code == 2
    out = tmp_path / "out.csv"
    assert hotline("providers", "export", str(out)).exit_code == 0
    assert "康乐助浴" in out.read_text(encoding="utf-8-sig") and hotline("providers", "export", str(out)).exit_code == 1
    with read() as session:
        assert session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all() == [
            "providers_imported", "provider_paused", "provider_resumed", "providers_exported",
        ]  # fmt: skip


def test_an_order_says_why_whom_was_asked(database: Engine) -> None:
    with write() as session:
        world.settle(session)
        session.scalars(select(Provider).order_by(Provider.id)).first().paused_until = clock.now() + timedelta(1)  # type: ignore[union-attr]
        elder_id = session.scalars(select(Elder.id).order_by(Elder.id)).first() or 0
        day = clock.local_date(clock.now()) + timedelta(days=3)
        wanted = OrderRequest("k", "phone", elder_id, "bathing", day, "morning", "zh-CN")
        placed = place_order(session, wanted, clock.now())
    offer_order(placed.order_id)
    asked, *others = json.loads(hotline("orders", "why", str(placed.number), "--json").output)
    assert (asked["provider"], asked["how"], asked["reasons"]) == ("安心到家", "open", "score +22.5")
    assert {other["provider"]: other["reasons"] for other in others} == {"邻里帮": "score +22.5", "康乐助浴": "paused"}
    assert hotline("orders", "why", "no-such").exit_code == 2


def test_her_voice_and_words_are_erased_only_when_it_is_said_twice_and_that_is_audited(database: Engine) -> None:
    now = clock.now()
    with write() as session:
        world.settle(session)
    with write() as session:
        elder = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert elder is not None
        call = Call(channel_id="c", direction="in", purpose="inbound", state="ended", elder_id=elder.id, started_at=now)
        session.add(call)
        session.flush()
        session.add(Utterance(call_id=call.id, at=now, language="zh-CN", text="请给我洗个澡", score=90))
        person_id = elder.person.public_id
    assert "To be erased: 0 recordings, 1 spoken answers" in hotline("erase", person_id).output
    with read() as session:
        assert session.scalars(select(Utterance)).one().text and not session.scalars(select(AuditEvent)).all()
    assert "Erased: 0 recordings, 1 spoken answers" in hotline("erase", person_id, "--yes").output
    with read() as session:
        assert session.scalars(select(Utterance)).one().text == ""
        assert [(event.action, event.subject) for event in session.scalars(select(AuditEvent))] == [
            ("erased", "person")
        ]
    assert hotline("erase", "nobody").exit_code == 2


def test_text_messages_are_listed_with_masked_numbers(database: Engine) -> None:
    now = clock.now()
    with write() as session:
        world.settle(session)
    with write() as session:
        request = OrderRequest("k", "phone", 1, "bathing", clock.local_date(now), "morning", "zh-CN")
        order_id = place_order(session, request, now).order_id
        number = number_row(session, normalise("+8611000000009"))
        row = SmsMessage(
            dedupe_key="k", template="confirmed", language="zh-CN", number_id=number.id, person_id=1, order_id=order_id,
            status="undelivered", error="30003", created_at=now, due_at=now,
        )  # fmt: skip
        session.add(row)
    listed = hotline("sms", "list", "--json")
    (line,) = json.loads(listed.output)
    assert (line["status"], line["error"], line["to"], line["order"]) == ("undelivered", "30003", "王秀英", 1001)
    assert "11000000009" not in listed.output
    assert json.loads(hotline("sms", "list", "--json", "--status", "sent").output) == []
