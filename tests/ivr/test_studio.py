"""What staff record: taken in from three formats, judged, kept, heard by callers, and taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, select

from ivr.prompts import intake, recorded, sound, studio, voice
from ivr.prompts.catalogue import CATALOGUE
from ivr.prompts.intake import Limits, Refused, take_in
from ivr.prompts.studio import StudioError, Take
from ivr.prompts.words import Line, line
from models import recordings, settings
from models.recordings import Source
from models.session import write
from models.users import AuditEvent, Role, User
from tests.support.takes import encoded, voiced

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "codec", "rate"),
    [("wav", "pcm_s16le", 44100), ("wav", "pcm_s16le", 8000), ("mp3", "libmp3lame", 44100), ("ipod", "aac", 48000)],
)
def test_three_formats_come_in_as_the_telephone_wants_them(form: str, codec: str, rate: int) -> None:
    samples = take_in(encoded(voiced(rate=rate), form, codec, rate), Limits())
    assert 1200 < sound.duration_ms(samples) < 1800, "the silence around it is gone"
    assert abs(abs(samples.astype(int)).max() - 0.708 * 32767) < 400
    spectrum = np.abs(np.fft.rfft(samples.astype(float)))
    assert abs(spectrum.argmax() * sound.RATE_HZ / len(samples) - 300) < 5, "the pitch is as it was"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unknown_format"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "unknown_format"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "unknown_format"),
        (b"RIFF\x00\x00\x00\x00WAVEjunk", "damaged"),
        (b"ID3" + b"\x00" * 4000, "damaged"),
        (b"\x00\x00\x00\x20ftypM4A " + b"\xff" * 400, "damaged"),
        (b"RIFF" + b"\x00" * (intake.LARGEST + 1), "too_large"),
        (encoded(np.zeros(44100)), "no_sound"),
        (encoded(voiced(peak=0.01)), "too_quiet"),
        (encoded(voiced(peak=4.0)), "clipped"),
        (encoded(voiced(0.1)), "too_short"),
        (encoded(voiced(8)), "too_long"),
        # A good take behind a minute of silence: so much is never decoded.
        (encoded(np.concatenate([np.zeros(65 * 8000), voiced(rate=8000)]), rate=8000), "too_long"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_what_cannot_be_used_is_refused_by_name(data: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        take_in(data, Limits())
    assert refused.value.code == code


def test_a_recording_of_another_text_is_too_long() -> None:
    assert Limits(2000).longest_ms == 4000 and Limits(6000).longest_ms == 7000 and Limits(500).longest_ms == 3000
    with pytest.raises(Refused, match="too_long"):
        take_in(encoded(voiced(4.5)), Limits(2000))


@pytest.fixture
def staff(database: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    """A supervisor of a hotline that speaks in tones."""
    monkeypatch.setenv("HOTLINE_VOICE", "tones")
    # The database has read them already.
    settings.settings.cache_clear()
    voice.voice.cache_clear()
    with write() as session:
        user = User(name="陈班长", password_hash="x", role=Role.SUPERVISOR, created_at=NOW)
        session.add(user)
    yield user
    voice.voice.cache_clear()


def record(user: User, key: str, samples: np.ndarray, language: str = "ko") -> str:
    """Keeps and publishes, as the console does; returns the recording's id."""
    with write() as session:
        row = studio.keep(session, Take(key, language, Source.UPLOAD, user.id), samples, NOW)
        studio.publish(session, row, user.id, NOW)
        public_id = row.public_id
    studio.announce(language)
    return public_id


def played(*lines: Line, **manner: str) -> np.ndarray:
    return sound.read_wav(Path(voice.utterance(lines, "ko", **manner) + ".wav"))


TAKE = take_in(encoded(voiced()), Limits())


def test_a_recording_is_heard_in_place_of_the_stand_in_and_can_be_taken_back(staff: User) -> None:
    before = played(line("goodbye"))
    record(staff, "goodbye", TAKE)
    assert np.array_equal(played(line("goodbye")), TAKE)
    assert not np.array_equal(sound.read_wav(voice.stand_in("goodbye", "ko")), TAKE)

    second = sound.level(TAKE[::-1].copy())
    record(staff, "goodbye", second)
    assert np.array_equal(played(line("goodbye")), second), "the newest is heard"

    with write() as session:
        (row,) = recordings.present(session).values()
        studio.retire(session, row, staff.id, NOW)
        actions = list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
    studio.announce("ko")
    assert np.array_equal(played(line("goodbye")), before)
    assert actions == ["prompt_recorded", "prompt_published"] * 2 + ["prompt_retired"]


def test_a_recording_stands_among_what_the_stand_in_says(staff: User) -> None:
    alone = played(line("not_heard"))
    record(staff, "ask_service", TAKE)
    both = played(line("not_heard"), line("ask_service"))
    assert np.array_equal(both[: len(alone)], alone) and np.array_equal(both[-len(TAKE) :], TAKE)


def test_a_recording_is_stretched_for_the_slow_and_raised_for_the_hard_of_hearing(staff: User) -> None:
    record(staff, "goodbye", TAKE)
    assert 1.2 < len(played(line("goodbye"), pace="slow")) / len(TAKE) < 1.35
    assert np.array_equal(played(line("goodbye"), volume="loud"), sound.louder(TAKE))


def test_what_the_dialplan_plays_is_replaced_as_well(staff: User) -> None:
    voice.build_static("ko")
    file = voice.static_dir() / "ko" / "failsafe.wav"
    before = file.read_bytes()
    record(staff, "failsafe", TAKE)
    assert np.array_equal(sound.read_wav(file), TAKE) and file.read_bytes() != before
    assert voice.build_static("ko") == 0, "and a restart changes nothing"


def test_the_index_is_made_anew_from_the_rows(staff: User) -> None:
    record(staff, "goodbye", TAKE)
    recorded.index_file().write_text("{ half a file")
    assert not np.array_equal(played(line("goodbye")), TAKE), "the stand-in speaks where the index is broken"
    recorded.refresh()
    assert np.array_equal(played(line("goodbye")), TAKE)


def test_nothing_of_a_language_goes_live_while_it_is_incomplete(staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = replace(CATALOGUE["welcome"], text={"zh-CN": "您好。"})
    monkeypatch.setitem(CATALOGUE, "welcome", lacking)  # type: ignore[arg-type, unused-ignore]
    with pytest.raises(StudioError, match="incomplete"), write() as session:
        row = studio.keep(session, Take("goodbye", "ko", Source.UPLOAD, staff.id), TAKE, NOW)
        studio.publish(session, row, staff.id, NOW)
    record(staff, "goodbye", TAKE, "zh-CN")


def test_a_sentence_with_a_name_in_it_stays_with_the_stand_in(staff: User) -> None:
    for key, code in (("greeting", "has_variables"), ("no_such", "no_prompt")):
        with pytest.raises(StudioError, match=code), write() as session:
            studio.new_code(session, Take(key, "ko", Source.TELEPHONE, staff.id), NOW)


def test_a_code_serves_once_and_not_for_long(staff: User) -> None:
    take = Take("goodbye", "ko", Source.TELEPHONE, staff.id)
    with write() as session:
        first = studio.new_code(session, take, NOW).code
        second = studio.new_code(session, take, NOW + timedelta(seconds=1)).code
    later = NOW + timedelta(minutes=1)
    with write() as session:
        assert len(second) == 6
        assert first == second or studio.use_code(session, first, later) is None, "a newer code ends the older one"
        assert studio.use_code(session, second, NOW + studio.CODE_LIFE + timedelta(minutes=1)) is None
        found = studio.use_code(session, second, later)
        assert found is not None and (found.key, found.user_id) == ("goodbye", staff.id)
    with write() as session:
        assert studio.use_code(session, second, later) is None


def test_a_code_of_a_user_who_left_opens_nothing(staff: User) -> None:
    with write() as session:
        code = studio.new_code(session, Take("goodbye", "ko", Source.TELEPHONE, staff.id), NOW).code
        session.get_one(User, staff.id).disabled_at = NOW
    with write() as session:
        assert studio.use_code(session, code, NOW) is None
