"""Every prompt is there in every language, with the same variables, and whatever fills them stays in its place."""

from __future__ import annotations

import string
import wave
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from ivr import tones
from ivr.prompts import sound, voice, words
from ivr.prompts.catalogue import CATALOGUE, DIALPLAN_PROMPTS, variables
from models.people import Person
from models.vocabulary import LANGUAGES, SERVICES

EVERY = [(key, language) for key in CATALOGUE for language in LANGUAGES]


@pytest.mark.parametrize("key", CATALOGUE)
def test_a_prompt_is_whole_in_every_language(key: str) -> None:
    texts = CATALOGUE[key].text
    assert set(texts) == set(LANGUAGES)
    for language, text in texts.items():
        assert text.strip() and text == text.strip()
        named = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        assert named == set(variables(key)), (key, language)


def test_what_the_dialplan_plays_has_no_variables_and_is_in_the_catalogue() -> None:
    played = set()
    for path in Path("dialplans").glob("*.conf"):
        for part in path.read_text().split("${PROMPTS}/${HOTLINE_LANGUAGE}/")[1:]:
            played.add(part[: next(i for i, char in enumerate(part) if not (char.isalnum() or char == "_"))])
    # What is played on hold is a file of its own (dialplans/etc/musiconhold.conf.sample).
    assert played - {"beep"} == set(DIALPLAN_PROMPTS) - {"to_person", "on_hold"}
    assert all(not variables(key) for key in DIALPLAN_PROMPTS)


def test_no_two_prompts_share_a_melody() -> None:
    assert tones.collisions([*CATALOGUE, *LANGUAGES, *(service.code for service in SERVICES)]) == []


def test_a_line_needs_every_variable() -> None:
    with pytest.raises(KeyError):
        words.line("greeting")
    with pytest.raises(KeyError):
        words.line("no_such_prompt")


@pytest.mark.parametrize("name", ["{who}", "{0.__class__}", "a\nb", "x" * 4096, '"; HANGUP', "[[h@loU]]"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_is_only_ever_a_name(name: str, language: str) -> None:
    text = words.line("greeting", who=words.name(name)).text(language)
    assert words.name(name).text in text and "\n" not in text and len(text) < 120


def test_a_matter_of_health_is_not_named_aloud() -> None:
    for language in LANGUAGES:
        assert words.service("accompaniment", language, aloud=False).code == "some_service"
        assert words.service("accompaniment", language).code == "accompaniment"
        assert words.service("bathing", language, aloud=False).code == "bathing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_by_their_word_and_beyond_it_by_the_date(language: str) -> None:
    today = date(2026, 12, 31)
    codes = [words.day(today + timedelta(days=ahead), today, language).code for ahead in (-1, 0, 1, 2, 3)]
    assert codes == ["yesterday", "today", "tomorrow", "day_after", "2027-01-03"]
    assert {"3", "三"} & set(words.day(date(2027, 1, 3), today, language).text)


def test_numbers_digit_by_digit() -> None:
    assert words.digits(1001, "ko").text == "일 영 영 일"
    assert words.digits(1001, "zh-CN").text == "一 零 零 一"


@pytest.mark.parametrize(
    ("sex", "texts"),
    [
        ("f", ("王奶奶", "王 어르신", "Mrs 王")),
        ("m", ("王爷爷", "王 어르신", "Mr 王")),
        (None, ("王老人家", "王 어르신", "王")),
    ],
)
def test_forms_of_address(sex: str | None, texts: tuple[str, ...]) -> None:
    person = Person(name="王秀英", family_name="王", sex=sex, created_at=datetime.now(UTC))
    assert tuple(words.form_of_address(person, language).text for language in LANGUAGES) == texts


def test_a_file_is_rendered_once_and_is_whole_or_not_there(hotline_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_VOICE", "tones")
    voice.voice.cache_clear()
    try:
        lines = (words.line("goodbye"),)
        path = Path(voice.utterance(lines, "ko") + ".wav")
        born = path.stat().st_mtime_ns
        assert voice.utterance(lines, "ko") + ".wav" == str(path) and path.stat().st_mtime_ns == born
        assert voice.utterance(lines, "en") + ".wav" != str(path)

        def fail(*_args: object) -> None:
            raise voice.VoiceFailed("no voice")

        monkeypatch.setattr(voice.ToneVoice, "render", fail)
        with pytest.raises(voice.VoiceFailed):
            voice.utterance((words.line("welcome"),), "ko")
        assert [one.name for one in path.parent.iterdir()] == [path.name]
    finally:
        voice.voice.cache_clear()


def test_a_file_of_ours_is_what_the_standard_library_reads(tmp_path: Path) -> None:
    samples = np.array([0, 1, -2, 32767, -32768], dtype=np.int16)
    sound.write_wav(tmp_path / "x.wav", samples)
    with wave.open(str(tmp_path / "x.wav")) as file:
        assert file.getparams()[:4] == (1, 2, sound.RATE_HZ, len(samples))
        assert file.readframes(10) == samples.tobytes()
