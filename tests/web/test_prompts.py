"""The catalogue of prompts and the recording studio, as supervisors use them."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from ivr.prompts import intake, voice
from ivr.prompts.catalogue import CATALOGUE
from models import session, settings
from models.recordings import PromptRecording
from models.users import AuditEvent
from tests.support.takes import encoded, voiced
from tests.web.conftest import Browser
from tests.web.world import World

TAKE = encoded(voiced())


@pytest.fixture
def supervisor(world: World, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A supervisor's browser, logged in; the hotline speaks in tones."""
    monkeypatch.setenv("HOTLINE_VOICE", "tones")
    settings.settings.cache_clear()
    voice.voice.cache_clear()
    world.user("陈班长", "supervisor")
    assert browser.login("陈班长").status_code == 303
    yield browser
    voice.voice.cache_clear()


def upload(browser: Browser, data: bytes, key: str = "goodbye", name: str = "take.wav") -> tuple[int, str]:
    """Sends a file as the studio's form does; returns the status and the page."""
    page = f"/prompts/{key}/zh-CN"
    token = browser.token(page).encode()
    # By hand: the test client would leave a temporary file of a large body open.
    body = b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n' + token
    body += b'\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
    body += data + b"\r\n--x--\r\n"
    answer = browser.client.post(f"{page}/upload", data=body, content_type="multipart/form-data; boundary=x")
    return answer.status_code, answer.text


def sound(browser: Browser, path: str) -> bytes:
    """Fetches a sound to its end."""
    with browser.get(path) as answer:
        assert answer.status_code == 200 and answer.mimetype == "audio/wav"
        data: bytes = answer.data
        return data


def rows() -> list[PromptRecording]:
    with session.read() as db:
        return list(db.scalars(select(PromptRecording).order_by(PromptRecording.id)))


def test_the_catalogue_shows_every_prompt_and_who_says_it(supervisor: Browser) -> None:
    page = supervisor.get("/prompts").text
    assert all(f">{key}<" in page for key in CATALOGUE)
    assert CATALOGUE["goodbye"].text["zh-CN"] in page and "陈班长 ·" not in page
    assert upload(supervisor, TAKE)[0] == 303
    assert "陈班长 ·" in supervisor.get("/prompts").text
    korean = supervisor.get("/prompts?language=ko").text
    assert CATALOGUE["goodbye"].text["ko"] in korean and "陈班长 ·" not in korean


def test_the_catalogue_says_which_languages_listen_and_which_have_keys_only(
    supervisor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The page asks the engine itself, whenever it is opened.
    monkeypatch.setattr("ivr.speech_health.ask", lambda: frozenset({"ko"}))
    page = supervisor.get("/prompts").text
    assert "한국어：可以说话，也可以按键" in page and page.count("只能按键") == 2
    monkeypatch.setattr("ivr.speech_health.ask", frozenset)
    assert supervisor.get("/prompts").text.count("只能按键") == 3
    monkeypatch.setattr("ivr.speech_health.ask", lambda: frozenset({"ko"}))
    monkeypatch.setenv("HOTLINE_SPEECH", "false")
    settings.settings.cache_clear()
    assert supervisor.get("/prompts").text.count("只能按键") == 3


def test_the_catalogue_is_filtered_by_place_and_by_what_is_missing(supervisor: Browser) -> None:
    upload(supervisor, TAKE)
    done = supervisor.get("/prompts?place=inbound.done").text
    assert ">goodbye<" in done and ">welcome<" not in done
    missing = supervisor.get("/prompts?voice=stand-in").text
    assert ">goodbye<" not in missing and ">greeting<" not in missing and ">welcome<" in missing
    for odd in ("?language=xx", "?place=nowhere", "?language=<script>"):
        assert supervisor.get(f"/prompts{odd}").status_code == 200


def test_a_prompt_is_played_whole_and_in_part(supervisor: Browser) -> None:
    for key in ("goodbye", "readback"):
        whole = sound(supervisor, f"/prompts/{key}/ko/audio")
        with wave.open(io.BytesIO(whole)) as file:
            assert file.getframerate() == 8000 and file.getnframes() > 0
        with supervisor.get(f"/prompts/{key}/ko/audio", headers={"Range": "bytes=10-19"}) as part:
            assert part.status_code == 206 and part.data == whole[10:20]
    for nothing in ("/prompts/no_such/ko/audio", "/prompts/goodbye/xx/audio", "/prompts/..%2f..%2fetc/ko/audio"):
        assert supervisor.get(nothing).status_code == 404


def test_an_upload_is_heard_at_once_and_taken_back(supervisor: Browser) -> None:
    before = sound(supervisor, "/prompts/goodbye/zh-CN/audio")
    assert upload(supervisor, TAKE)[0] == 303
    (row,) = rows()
    assert row.live_at is not None and (row.source, row.language) == ("upload", "zh-CN")
    after = sound(supervisor, "/prompts/goodbye/zh-CN/audio")
    recording = sound(supervisor, f"/prompt-recordings/{row.public_id}/audio")
    assert after == recording != before
    assert sound(supervisor, "/prompts/goodbye/zh-CN/audio?voice=stand-in") == before

    page = "/prompts/goodbye/zh-CN"
    assert supervisor.post(f"/prompt-recordings/{row.public_id}/retire", {}, page).status_code == 303
    assert sound(supervisor, "/prompts/goodbye/zh-CN/audio") == before
    assert supervisor.post(f"/prompt-recordings/{row.public_id}/publish", {}, page).status_code == 303
    assert sound(supervisor, "/prompts/goodbye/zh-CN/audio") == after
    with session.read() as db:
        actions = list(db.scalars(select(AuditEvent.action).where(AuditEvent.subject == "prompt_recording")))
    assert actions == ["prompt_recorded", "prompt_published", "prompt_retired", "prompt_published"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "没有选择文件"),
        (b"%PDF-1.7", "这不是 WAV、MP3 或 M4A 文件"),
        (b"RIFF\x00\x00\x00\x00WAVEjunk", "文件已损坏"),
        (encoded(voiced(peak=4.0)), "录音破音了"),
        (encoded(voiced(9)), "录音太长"),
    ],
    ids=["none", "format", "damaged", "clipped", "long"],
)
def test_what_cannot_be_used_is_explained_in_the_users_language(supervisor: Browser, data: bytes, said: str) -> None:
    status, page = upload(supervisor, data)
    assert status == 422 and said in page
    assert rows() == []


def test_a_file_too_large_is_refused_before_it_is_read(supervisor: Browser) -> None:
    status, page = upload(supervisor, b"RIFF" + b"\x00" * (intake.LARGEST + 100_000))
    assert status == 413 and "文件太大" in page
    # Other forms keep their small limit.
    assert supervisor.client.post("/preferences", data={"next": "x" * 300_000}).status_code == 413


def test_a_sentence_with_a_name_in_it_offers_no_recording(supervisor: Browser) -> None:
    page = supervisor.get("/prompts/greeting/zh-CN").text
    assert "整句都用合成音" in page and 'type="file"' not in page
    assert upload(supervisor, TAKE, key="greeting")[0] == 422
    assert supervisor.post("/prompts/greeting/zh-CN/code", {}, "/prompts").status_code == 422
    assert rows() == []


def test_a_code_is_shown_to_the_one_who_asked(supervisor: Browser, world: World) -> None:
    page = "/prompts/goodbye/ko"
    assert supervisor.post(f"{page}/code", {}, page).status_code == 303
    shown = re.search(r'class="num">(\d{6})<', supervisor.get(page).text)
    assert shown
    world.user("李主任", "admin")
    other = Browser(supervisor.app)
    other.login("李主任")
    assert shown[1] not in other.get(page).text
    assert shown[1] not in supervisor.get("/prompts/goodbye/en").text


def test_nothing_goes_live_while_the_language_is_incomplete(
    supervisor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = {**CATALOGUE["welcome"].text, "zh-CN": ""}
    with monkeypatch.context() as patch:
        patch.setitem(CATALOGUE, "welcome", type(CATALOGUE["welcome"])("welcome", CATALOGUE["welcome"].place, silent))  # type: ignore[arg-type, unused-ignore]
        status, page = upload(supervisor, TAKE)
        assert status == 409 and "该语言的提示还不完整" in page and "welcome" in page
        assert "该语言的提示不完整" in supervisor.get("/prompts").text
    (row,) = rows()
    assert row.live_at is None
    assert "等待启用" in supervisor.get("/prompts").text
    path = f"/prompt-recordings/{row.public_id}/publish"
    assert supervisor.post(path, {}, "/prompts/goodbye/zh-CN").status_code == 303
    assert rows()[0].live_at is not None


def test_an_agent_sees_neither_page_nor_link(agent: Browser, var_dir: Path) -> None:
    assert agent.get("/prompts").status_code == 403
    assert agent.get("/prompts/goodbye/ko/audio").status_code == 403
    assert 'href="/prompts"' not in agent.get("/").text
