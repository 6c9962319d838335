"""Our own prompt comes back over an old line, 20 dB softer and 200 ms late: it is never an answer, and she is heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ivr.speech import SPEAKING, UNKNOWN, echo
from models.vocabulary import LITTLE
from tests.speech.fakes import peer
from tests.speech.support import RunningServer, Voice, noise, silence, write_wav

pytestmark = [pytest.mark.speech, pytest.mark.xdist_group("korean")]

# Menus that are full of the words we listen for.
PROMPTS = (
    "안녕하세요. 무엇을 도와 드릴까요? 목욕, 이야기, 민원, 말벗, 병원",
    "내일 오후 목욕, 맞으면 네, 아니면 아니요 라고 말씀하세요",
    "언제 갈까요? 오늘, 내일, 모레. 오전, 오후",
)


def softer(pcm: bytes, db: float) -> bytes:
    samples = np.frombuffer(pcm, dtype="<i2") * 10 ** (db / 20)
    return samples.astype("<i2").tobytes()


def mixed(*parts: bytes) -> bytes:
    length = max(len(part) for part in parts) // 2
    whole = np.zeros(length)
    for part in parts:
        samples = np.frombuffer(part, dtype="<i2")
        whole[: samples.size] += samples
    return whole.clip(-32768, 32767).astype("<i2").tobytes()


def line(prompt: bytes, loss_db: float = -20) -> bytes:
    """What comes back of the prompt over a line with some noise."""
    back = silence(200) + softer(prompt, loss_db)
    return mixed(back, noise(len(back) // 16, -65))


def heard(server: RunningServer, grammar: str, pcm: bytes, prompt: Path | None) -> list[str]:
    """All results of one RECOGNIZE on the prompt and of those after it."""
    said = []
    with peer(server.port) as caller:
        caller.begin(grammar)
        if prompt is not None:
            assert "error_msg" not in caller.set(prompt=str(prompt))
        caller.play(pcm)
        if not caller.has_opened():
            return []
        said.append(SPEAKING)
        caller.play(silence(1500))
        try:
            while True:
                said.append(str(caller.result(0.8)["text"]).partition(" ")[0])
                caller.play(silence(60))
        except TimeoutError:
            return said


@pytest.mark.parametrize(("text", "loss_db"), [*((text, -20) for text in PROMPTS), (PROMPTS[1], -14)])
def test_an_echo_stops_no_prompt_and_is_no_answer(
    korean_server: RunningServer, voice: Voice, tmp_path: Path, text: str, loss_db: float
) -> None:
    spoken = voice.say(text)
    write_wav(tmp_path / "prompt.wav", spoken)
    assert heard(korean_server, "confirm", line(spoken, loss_db), tmp_path / "prompt") == []


def test_without_knowing_the_prompt_the_echo_would_be_heard(korean_server: RunningServer, voice: Voice) -> None:
    assert SPEAKING in heard(korean_server, "service", line(voice.say(PROMPTS[0])), None)


@pytest.mark.parametrize("word", ["목욕", "이야기"])
def test_she_is_heard_over_the_echo(korean_server: RunningServer, voice: Voice, tmp_path: Path, word: str) -> None:
    # She has the prompt's own voice, and says a word that is in it: only the moment and the echo tell them apart.
    spoken = voice.say(PROMPTS[0])
    write_wav(tmp_path / "prompt.wav", spoken)
    begins = len(spoken) // 16 * 6 // 10
    # The prompt stops when she is heard, and its echo with it.
    back = line(spoken)[: (begins + 400) * 16]
    over = mixed(back, silence(begins) + softer(voice.say(word, "ko+f3", 130, 60), -3))
    for _ in range(5):
        said = heard(korean_server, "service", over, tmp_path / "prompt")
        assert said[:1] == [SPEAKING] and len(said) == 2
        # Vosk adds noise by dice to what it hears: the word comes back four times of five, and is never another answer.
        assert said[1] in (word, UNKNOWN, *LITTLE["ko"])
        if said[1] == word:
            return
    raise AssertionError(f"{word} was not heard once in five times")


def test_how_alike_echo_and_others_are(voice: Voice) -> None:
    spoken = np.frombuffer(voice.say(PROMPTS[0]), dtype="<i2").astype(np.float32)
    back = line(voice.say(PROMPTS[0]))
    step = 3200
    echoes = [echo.likeness(back[at : at + 8000], spoken) for at in range(16000, len(back) - 16000, step)]
    others = [
        echo.likeness(pcm[at : at + 8000], spoken)
        for speaker in (("ko", 140, 50), ("ko+f3", 130, 60), ("ko+m3", 120, 40))
        for pcm in (voice.say("여보세요 저는 내일 병원에 가고 싶어요", *speaker),)
        for at in range(4000, len(pcm) - 8000, step)
    ]
    assert np.median(echoes) > 0.8
    assert np.quantile(others, 0.9) < 0.65


def test_what_is_no_prompt_is_no_prompt(tmp_path: Path) -> None:
    assert echo.prompt(str(tmp_path / "nothing")) is None
    (tmp_path / "text.wav").write_text("no sound")
    assert echo.prompt(str(tmp_path / "text")) is None
    assert echo.likeness(b"", np.zeros(100, np.float32)) == 0.0
    assert echo.likeness(noise(500, -20), np.zeros(20_000, np.float32)) == 0.0
