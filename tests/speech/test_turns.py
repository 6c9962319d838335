"""One turn on a real socket: onset, result, what comes in between, and what must never come."""

from __future__ import annotations

import hashlib
import logging
import wave
from pathlib import Path

import pytest

from ivr.speech import AUDIO_MARK, SPEAKING, UNAVAILABLE, UNKNOWN
from ivr.speech.archive import Archive
from tests.speech.fakes import AFTER, WORD, FakeModel, peer, speak
from tests.speech.support import RunningServer, hum, silence


class TestTurn:
    def test_onset_then_phrase(self, server: RunningServer, fake: FakeModel) -> None:
        with peer(server.port) as caller:
            caller.begin()
            caller.play(WORD)
            first = caller.result()
            assert (first["text"], first["score"], first["grammar"]) == (SPEAKING, 0, "service")
            caller.play(AFTER)
            second = caller.result()
            assert (second["text"], second["score"], second["grammar"]) == ("목욕", 90, "service")
        heard = fake.utterances[0]
        # The word and the pre-roll are decoded, most of the silence after it is not.
        assert 1000 <= len(heard.audio) // 16 <= 1550
        assert WORD[-4000:] in heard.audio

    def test_what_is_not_understood_is_said_to_be_unknown(self, server: RunningServer, fake: FakeModel) -> None:
        fake.phrase = None
        with peer(server.port) as caller:
            caller.begin()
            speak(caller)
            result = caller.result()
            assert (result["text"], result["score"]) == (UNKNOWN, 0)

    def test_silence_says_nothing_and_decodes_nothing(self, server: RunningServer, fake: FakeModel) -> None:
        with peer(server.port) as caller:
            caller.begin()
            caller.play(silence(5000))
            assert caller.hears_nothing()
        assert not fake.utterances

    def test_the_onset_is_reported_within_150_ms_of_audio(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            caller.play(silence(700) + hum(140))
            assert caller.result()["text"] == SPEAKING

    def test_frames_of_any_length_are_understood(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            whole = WORD + AFTER
            for start in range(0, len(whole), 501):
                caller.socket.send(whole[start : start + 501])
            assert caller.result()["text"] == SPEAKING
            caller.play(silence(60))
            assert caller.result()["text"] == "목욕"

    def test_a_result_waits_until_recognize_runs_again(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            caller.play(WORD + AFTER)
            assert caller.result()["text"] == SPEAKING
            assert caller.hears_nothing(), "Asterisk would have thrown this result away"
            caller.play(silence(20))
            assert caller.hears_nothing(), "this frame may have been under way already"
            caller.play(silence(20))
            assert caller.result()["text"] == "목욕"

    def test_a_key_ends_the_turn_and_nothing_of_it_comes_later(self, server: RunningServer, fake: FakeModel) -> None:
        fake.may_finish.clear()
        with peer(server.port) as caller:
            caller.begin()
            speak(caller)
            assert "error_msg" not in caller.set(grammar="day")
            fake.may_finish.set()
            caller.play(silence(1000))
            assert caller.hears_nothing()
            fake.phrase = "내일"
            speak(caller)
            assert (result := caller.result())["text"] == "내일"
            assert result["grammar"] == "day"

    def test_recognize_again_without_set_listens_again(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            for _ in range(3):
                speak(caller)
                assert caller.result()["text"] == "목욕"

    def test_her_own_endpoint(self, server: RunningServer, fake: FakeModel) -> None:
        with peer(server.port) as caller:
            caller.begin()
            assert "error_msg" not in caller.set(endpoint_ms="1500")
            speak(caller)
            assert caller.hears_nothing()
            caller.play(AFTER)
            assert caller.result()["text"] == "목욕"
            for wrong in ("0", "99999", "soon", "", "9" * 4000):
                assert "error_msg" in caller.set(endpoint_ms=wrong)

    def test_her_pace_is_the_service_s_setting(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            assert "error_msg" not in caller.set(pace="slow")
            speak(caller)
            assert caller.hears_nothing(), "she may be going on"
            caller.play(AFTER)
            assert caller.result()["text"] == "목욕"
            assert "error_msg" not in caller.set(pace="normal")
            speak(caller)
            assert caller.result()["text"] == "목욕"
            assert "error_msg" in caller.set(pace="hasty")

    def test_an_endless_monologue_is_decided_after_ten_seconds(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            caller.play(hum(1000))
            assert caller.result()["text"] == SPEAKING
            caller.play(hum(9500))
            assert caller.result()["text"] == "목욕"

    def test_a_line_that_sends_nothing_in_silence_is_ended_by_the_clock(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            caller.play(WORD)
            assert caller.result()["text"] == SPEAKING
            caller.play(hum(100))
            assert caller.result(timeout=3)["text"] == "목욕"

    def test_a_recogniser_that_breaks_sends_her_to_the_keys(self, server: RunningServer, fake: FakeModel) -> None:
        fake.fails = True
        with peer(server.port) as caller:
            caller.begin()
            speak(caller)
            assert caller.result()["text"] == UNAVAILABLE
            fake.fails = False
            caller.set(grammar="day")
            speak(caller)
            assert caller.result()["text"] == "목욕"

    def test_what_she_says_is_not_in_the_log(self, server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG), peer(server.port) as caller:
            caller.begin()
            speak(caller)
            assert caller.result()["text"] == "목욕"
        assert not [
            record for record in caplog.records if record.name.startswith("ivr.") and "목욕" in record.getMessage()
        ]


class TestArchive:
    def test_what_was_not_understood_is_kept_and_named(
        self, server: RunningServer, fake: FakeModel, tmp_path: Path
    ) -> None:
        fake.phrase = None
        with peer(server.port) as caller:
            caller.begin()
            speak(caller)
            name, mark, key = caller.result()["grammar"].partition(AUDIO_MARK)
        assert (name, mark) == ("service", ":")
        kept = tmp_path / "heard" / f"{key}.wav"
        with wave.open(str(kept)) as file:
            audio = file.readframes(file.getnframes())
        assert hashlib.sha256(kept.read_bytes()).hexdigest() == key
        assert WORD[-4000:] in audio, "her voice"
        assert kept.stat().st_mode & 0o077 == 0, "nobody else may listen"

    def test_what_was_understood_is_not_kept(self, server: RunningServer, tmp_path: Path) -> None:
        with peer(server.port) as caller:
            caller.begin()
            speak(caller)
            assert caller.result()["grammar"] == "service"
        assert not (tmp_path / "heard").exists()

    def test_a_full_disk_costs_the_audio_and_not_the_answer(
        self, server: RunningServer, fake: FakeModel, tmp_path: Path
    ) -> None:
        (tmp_path / "heard").write_text("no folder can be made here")
        fake.phrase = None
        with peer(server.port) as caller:
            caller.begin()
            speak(caller)
            result = caller.result()
            assert (result["text"], result["grammar"]) == (UNKNOWN, "service")

    def test_the_settings_decide(self, tmp_path: Path) -> None:
        assert [Archive(tmp_path).wants(understood) for understood in (False, True)] == [False, False]
        assert [Archive(tmp_path, failed=True).wants(understood) for understood in (False, True)] == [True, False]
        both = Archive(tmp_path, failed=True, understood=True)
        assert [both.wants(understood) for understood in (False, True)] == [True, True]


class TestGrammar:
    def test_an_unknown_grammar_is_refused_and_ends_the_recognize(self, server: RunningServer) -> None:
        # SPEECH SET says "result=1" to an error too, so the refusal alone would not reach the AGI.
        with peer(server.port) as caller:
            caller.begin()
            assert "error_msg" in caller.set(grammar="nosuch")
            caller.play(silence(60))
            assert caller.result()["text"] == UNAVAILABLE
            assert "error_msg" not in caller.set(grammar="day")
            speak(caller)
            assert caller.result()["text"] == "목욕"

    def test_names_of_this_call_go_with_the_name(self, server: RunningServer, fake: FakeModel) -> None:
        with peer(server.port) as caller:
            caller.begin("day|김 할머니|박 할아버지")
            speak(caller)
            assert caller.result()["grammar"] == "day"
            assert caller.ask("get", params=["grammar"])["params"] == {"grammar": "day"}
        [utterance] = fake.utterances
        assert {"김 할머니", "박 할아버지", "내일"} <= utterance.grammar.phrases.keys()

    def test_a_stream_without_a_grammar_ends_the_recognize_too(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.setup()
            caller.play(silence(60))
            assert caller.result()["text"] == UNAVAILABLE

    def test_settings_can_be_read(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin("day")
            assert caller.ask("get", params=["grammar"])["params"] == {"grammar": "day"}
            assert caller.ask("get", params=["endpoint_ms"])["params"] == {"endpoint_ms": "700"}
            assert caller.ask("get", params=["results"])["params"]["results"][0]["text"] == ""
            for wrong in (["nosuch"], [], "grammar", None, [7], [["grammar"]]):
                assert "error_msg" in caller.ask("get", params=wrong)
