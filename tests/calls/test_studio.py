"""A supervisor records a prompt from an agent's telephone, and the next caller hears it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ivr.prompts import studio
from ivr.prompts.studio import Take
from models.calls import Call as CallRow
from models.recordings import PromptRecording, Source
from models.tasks import Task
from models.users import AuditEvent, Role, User
from tests.calls.conftest import Town, harbin_hour_offset
from tests.support import habits
from tests.support.call import Call
from tests.support.world import AGENT, WANG

pytestmark = pytest.mark.call
STUDIO = "*12349"


def a_code(town: Town, key: str, language: str) -> str:
    """The code that the console shows to the supervisor."""
    now = datetime.now(UTC) + timedelta(seconds=harbin_hour_offset(9))  # by the hotline's clock
    with town.rows.writing() as session:
        user = User(name="陈班长", password_hash="-", role=Role.SUPERVISOR, language="zh-CN", created_at=now)
        session.add(user)
        session.flush()
        code = studio.new_code(session, Take(key, language, Source.TELEPHONE, user.id), now)
        return code.code


def reads(call: Call, text: str) -> Call:
    """She reads a text after the tone and presses the hash key."""
    call.hears("studio_record").is_silent(1.2)
    return call.says(text, "zh").presses("#").hears("studio_choice")


@pytest.fixture
def studio_town(sqlite_town: Town) -> Iterator[Town]:
    """A town whose next callers hear the tones again."""
    yield sqlite_town
    (sqlite_town.hotline.folder / "audio/prompts.json").unlink(missing_ok=True)


def test_a_supervisor_records_listens_and_keeps_and_mrs_wang_hears_her(studio_town: Town) -> None:
    town = studio_town
    code = a_code(town, "ask_service", "zh-CN")

    call = town.network.phone(AGENT).rings(STUDIO).answered()
    call.hears("studio_code").presses("000000").hears("studio_wrong_code")
    call.hears("studio_code").presses(code)
    reads(call, "一二三四五六七八九十").presses("3")
    reads(call, "送餐按一，洗澡按二").presses("1").hears_a_voice().hears("studio_choice")
    call.presses("2").hears("studio_kept", within=20).is_hung_up_by_hotline()

    (kept,) = town.rows.all(PromptRecording)
    assert (kept.key, kept.language, kept.source) == ("ask_service", "zh-CN", "telephone")
    assert kept.live_at is not None and 500 < kept.duration_ms < 7000
    assert [event.action for event in town.rows.all(AuditEvent)] == ["prompt_recorded", "prompt_published"]

    wang = town.network.phone(WANG).rings("12349").answered()
    wang.hears("greeting").waits_for_end_of_speech().did_not_hear("ask_service")
    assert wang.ear.voice_ms() > kept.duration_ms, "a person's voice asks her, in place of the tones"
    wang.hangs_up()

    again = town.network.phone(AGENT).rings(STUDIO).answered()
    again.hears("studio_code").presses(code).hears("studio_wrong_code").hangs_up()
    town.rows.wait_for(
        lambda: [call.end for call in town.rows.all(CallRow) if call.purpose == "studio"] == ["goodbye"] * 2,
        10,
        "end of both calls",
    )
    staff = {call.id for call in town.rows.all(CallRow) if call.purpose == "studio"}
    owed = [task.call_id for task in town.rows.all(Task)]
    assert not staff & set(owed), "nobody is owed a callback for a recording that was not made"


def test_who_is_not_staff_gets_a_person_and_no_studio(sqlite_town: Town) -> None:
    town = sqlite_town
    a_code(town, "goodbye", "ko")
    agent = town.network.phone(AGENT).when_called(habits.listens())

    call = town.network.phone(WANG).rings(STUDIO).answered()
    call.hears("to_person").did_not_hear("studio_code")
    agent.is_rung().answered()
    town.rows.an_agent_talks()
    call.hangs_up()
