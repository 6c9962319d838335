"""Every prompt of every language in the stand-in voice: it sounds, it is short, it offers four choices at most."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ivr.prompts import completeness, sound, voice
from ivr.prompts.catalogue import CATALOGUE
from ivr.prompts.completeness import Lack, Problem
from ivr.prompts.samples import TYPICAL, typical
from models.vocabulary import LANGUAGES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def _said(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the stand-in voice has said once, it need not say again for the next test."""
    return tmp_path_factory.mktemp("prompts")


@pytest.fixture
def spoken(hotline_dir: Path, _said: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A hotline that speaks with the stand-in voice."""
    (hotline_dir / "prompts").symlink_to(_said)
    monkeypatch.setenv("HOTLINE_VOICE", "espeak")
    voice.voice.cache_clear()
    yield hotline_dir
    voice.voice.cache_clear()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_is_whole_and_at_most_seven_seconds_long(spoken: Path, language: str) -> None:
    assert completeness.check(language) == []


def test_what_is_too_long_or_offers_too_much_is_found(spoken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "您好，" * 20
    menu = "一按1，二按2，三按3，四按4，五按5。"
    for key, text in (("welcome", long), ("goodbye", menu), ("failsafe", ""), ("greeting", "{whom}，您好")):
        changed = replace(CATALOGUE[key], text={**CATALOGUE[key].text, "zh-CN": text})
        monkeypatch.setitem(CATALOGUE, key, changed)
    # The Chinese text names the variables, so it is the other languages that disagree with it.
    found = {(one.key, one.lack) for one in completeness.check("zh-CN")}
    assert found == {
        ("welcome", Lack.TOO_LONG),
        ("goodbye", Lack.CHOICES),
        ("failsafe", Lack.NO_TEXT),
        ("greeting", Lack.SILENT),
    }
    assert Problem("greeting", "ko", Lack.VARIABLES, "who, whom") in completeness.check_texts(["ko"])


def test_every_variable_has_a_typical_value() -> None:
    used = {name for prompt in CATALOGUE.values() for name in prompt.variables}
    assert used <= set(TYPICAL), "give it a value in ivr/prompts/samples.py"


def test_slow_is_longer_and_loud_is_louder(spoken: Path) -> None:
    def samples(**manner: str) -> sound.Samples:
        return sound.read_wav(Path(voice.utterance((typical("readback", "ko"),), "ko", **manner) + ".wav"))

    normal, slow, loud = samples(), samples(pace="slow"), samples(volume="loud")
    assert 1.15 < len(slow) / len(normal) < 1.5
    assert len(loud) == len(normal)
    rms = [float((one.astype(float) ** 2).mean() ** 0.5) for one in (normal, loud)]
    assert 1.6 < rms[1] / rms[0] < 2.0
    assert abs(loud.astype(int)).max() < 32767 * 0.96


def test_another_manner_is_another_file(hotline_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_VOICE", "tones")
    voice.voice.cache_clear()
    lines = (typical("greeting", "ko"),)
    manners = [("normal", "normal"), ("slow", "normal"), ("normal", "loud"), ("slow", "loud")]
    files = {voice.utterance(lines, "ko", pace, volume) for pace, volume in manners}
    voice.voice.cache_clear()
    assert len(files) == 4
    assert all(os.path.exists(file + ".wav") for file in files)  # noqa: PTH110
