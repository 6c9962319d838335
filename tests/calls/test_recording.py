"""Journeys with recording and text messages switched on: what is heard before it, what it holds, what a kill leaves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from ivr.tones import Code, Samples, render, tone_code
from models import audio
from models.audio import Audio
from models.calls import Call as CallRow
from models.journal import Entry
from models.lookup import number_row
from models.phone import normalise
from models.providers import Provider, ProviderNumber
from models.sms import SmsMessage
from tests.calls.conftest import DATABASES, Town
from tests.support import ear
from tests.support.call import Call
from tests.support.world import AGENT, BATH, CARE, WANG

# A-law is 8000 bytes a second: five seconds of it.
BLOCK = 5 * 8000
pytestmark = pytest.mark.call

MOBILE = "+8611000000003"
# What people say in these stories: melodies, so that they can be told apart in a recording.
WANG_SAYS, AGENT_SAYS = "王秀英说", "坐席说"


def alaw(data: bytes) -> Samples:
    """Decode G.711 A-law (ITU-T G.711, table 1a)."""
    byte = np.frombuffer(data, np.uint8).astype(np.int32) ^ 0x55
    exponent, mantissa = (byte >> 4) & 7, byte & 15
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(byte & 0x80, magnitude, -magnitude).astype(np.int16)


def the_recording(town: Town, call: CallRow) -> Audio:
    """The row of the call's recording, once it has been taken in."""

    def found() -> Audio | None:
        return next((row for row in town.rows.all(Audio) if row.kind == "call" and row.call_id == call.id), None)

    return town.rows.wait_for(found, 15, "recording of the call")


def sides(town: Town, row: Audio) -> tuple[list[Code], list[Code]]:
    """The melodies on the left (the other side) and on the right (ours)."""
    data = audio.path_of(town.hotline.folder / "audio", row.content_key).read_bytes()
    assert data[:4] == b"RIFF" and data[8:12] == b"WAVE"
    body = data[data.index(b"data") + 8 :]
    assert row.duration_ms == len(body) // 16
    return tuple([one.code for one in ear.decode(alaw(body[side::2])) if one.whole] for side in (0, 1))  # type: ignore[return-value]


def the_call(town: Town, purpose: str = "inbound") -> CallRow:
    """The one call of this purpose, once it is over."""

    def found() -> CallRow | None:
        return next((row for row in town.rows.ended_calls() if row.purpose == purpose), None)

    return town.rows.wait_for(found, 15, f"{purpose} call that is over")


def kinds(town: Town, call: CallRow) -> list[str]:
    """The journal's entries."""
    with town.rows.session() as session:
        return [event.kind for event in session.get_one(CallRow, call.id).events]


def test_she_hears_the_notice_first_and_the_recording_holds_both_sides_up_to_the_agent(recording_town: Town) -> None:
    town = recording_town

    def agent(call: Call) -> None:
        call.answers().is_silent(0.5).plays(render(AGENT_SAYS)).is_silent(30)

    town.network.phone(AGENT).when_called(agent)
    call = town.network.phone(WANG).rings("12349").answered()
    call.hears("recording_notice", "greeting", "ask_service").plays(render(WANG_SAYS)).presses("0").hears("to_person")
    town.rows.an_agent_talks()
    call.is_silent(1.5).plays(render(WANG_SAYS)).hangs_up()

    row = the_call(town)
    hers, ours = sides(town, the_recording(town, row))
    assert hers.count(tone_code(WANG_SAYS)) == 2, "with the machine, and with the agent"
    # What we say in the third of a second after a key may be missing: her line sends no sound with a key, and what has
    # piled up on the other side meanwhile is dropped by Asterisk's audiohook. She hears it all the same.
    assert {tone_code(key) for key in ("greeting", "ask_service", AGENT_SAYS)} <= set(ours)
    assert tone_code("recording_notice") not in ours, "before the notice was over nothing is recorded"
    assert Entry.RECORDING in kinds(town, row)
    assert not list((town.hotline.folder / "spool").glob("*.alaw"))


def test_a_key_during_the_notice_is_heard_and_a_person_is_one_key_away(recording_town: Town) -> None:
    town = recording_town
    town.network.phone(AGENT).does_not_answer()
    call = town.network.phone(WANG).rings("12349").answered().hears("recording_notice").presses("0")
    call.hears("to_person").did_not_hear("ask_service").hangs_up()
    the_recording(town, the_call(town))


@pytest.mark.parametrize("recording_town", DATABASES, indirect=True)
def test_the_provider_hears_the_notice_and_reads_the_order_once_it_has_accepted(recording_town: Town) -> None:
    town = recording_town
    with town.rows.writing() as session:
        bath = session.scalars(select(Provider).order_by(Provider.id)).first()
        assert bath is not None
        bath.wants_sms = True
        row = number_row(session, normalise(MOBILE))
        session.add(ProviderNumber(provider_id=bath.id, number_id=row.id, position=5))

    def accepts(call: Call) -> None:
        # What was not said yet is not accepted by a key.
        call.answers().hears("recording_notice").presses("1").hears("offer_keys").presses("1").hears("offer_accepted")

    town.network.phone(BATH).when_called(accepts)
    town.network.phone(CARE).does_not_answer()
    call = town.network.phone(WANG).rings("12349").answered().hears("ask_service").presses("2")
    call.hears("ask_day").presses("2").hears("ask_part").presses("1").hears("readback").presses("1")
    call.hears("order_done").hangs_up()
    order = town.rows.the_order("accepted", within=20)

    def sent() -> SmsMessage | None:
        return next((one for one in town.rows.all(SmsMessage) if one.status in ("sent", "delivered")), None)

    message = town.rows.wait_for(sent, 15, "text message that was sent")
    assert (message.template, message.order_id, message.provider_id) == ("hand_over", order.id, order.provider_id)
    lines = [json.loads(line) for line in (town.hotline.folder / "console-sms.jsonl").read_text().splitlines()]
    assert [line["number"] for line in lines] == [MOBILE]
    assert "王秀英" in lines[0]["text"] and str(order.number) in lines[0]["text"]
    log = town.hotline.log()
    assert "王秀英" not in log and MOBILE not in log
    the_recording(town, the_call(town, "offer"))


def test_switched_off_there_is_neither_notice_nor_file(sqlite_town: Town) -> None:
    call = sqlite_town.network.phone(WANG).rings("12349").answered().hears("ask_service")
    assert not list(Path(sqlite_town.hotline.folder, "spool").glob("*.alaw"))
    call.did_not_hear("recording_notice").hangs_up()
    assert Entry.RECORDING not in kinds(sqlite_town, the_call(sqlite_town))
    assert sqlite_town.rows.all(Audio) == []


def test_without_python_the_dialplan_says_the_notice_and_what_a_kill_of_asterisk_leaves_is_kept(
    recording_town: Town,
) -> None:
    town = recording_town
    town.network.phone(AGENT).does_not_answer()
    town.hotline.kill("agi")
    call = town.network.phone(WANG).rings("12349").answered().hears("failsafe", "recording_notice")
    call.waits_for_end_of_speech().plays(render(WANG_SAYS))

    def on_disk() -> int:
        return max((one.stat().st_size for one in (town.hotline.folder / "spool").glob("*.in.alaw")), default=0)

    # Asterisk writes in blocks of some four seconds: what she said is on the disk when one more has come.
    said = on_disk()
    town.rows.wait_for(lambda: on_disk() > said + BLOCK, 20, "block of the recording on the disk")
    town.hotline.kill("asterisk")
    row = the_call(town)
    hers, _ours = sides(town, the_recording(town, row))
    assert tone_code(WANG_SAYS) in hers
