"""The server on a real socket, with a recogniser that hears what the test wants."""

from __future__ import annotations

import json
import statistics
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from ivr.speech import UNAVAILABLE
from ivr.speech.models import Models
from ivr.speech.server import ServerSettings
from models.vocabulary import phrases
from tests.speech.fakes import AFTER, WORD, FakeModel, peer, speak
from tests.speech.support import InProcess, RunningServer, health, serving, silence, understanding
from tests.support.patience import PATIENCE


def eventually(port: int, streams: int) -> bool:
    """Whether the server comes to have so many streams."""
    for _ in range(100):
        if health(port)[1]["streams"] == streams:
            return True
        time.sleep(0.02)
    return False


class TestSetup:
    def test_the_codec_is_agreed(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            assert caller.setup(language="ko")["codecs"] == [{"name": "slin"}]

    def test_the_language_may_come_in_either_place(self, server: RunningServer) -> None:
        with peer(server.port, "/") as caller:
            assert "error_msg" not in caller.setup(language="ko")
            assert caller.ask("get", params=["language"])["params"] == {"language": "ko"}
        with peer(server.port, "/ko") as caller:
            assert "error_msg" not in caller.setup()

    @pytest.mark.parametrize(("path", "status"), [("/en", 503), ("/fr", 404), ("/../etc", 404), ("/%ff", 404)])
    def test_a_language_without_a_model_is_refused_in_the_handshake(
        self, server: RunningServer, path: str, status: int
    ) -> None:
        with pytest.raises(InvalidStatus) as refused, peer(server.port, path):
            pass
        assert refused.value.response.status_code == status

    def test_a_refused_setup_leaves_the_closing_to_asterisk(self, server: RunningServer) -> None:
        with peer(server.port, "/") as caller:
            assert "error_msg" in caller.setup(language="en")
            assert "error_msg" in caller.setup()
            assert "error_msg" in caller.ask("setup", codecs=[{"name": "ulaw"}], params={"language": "ko"})
            assert "error_msg" in caller.ask("setup", codecs="slin", params=["ko"])
            assert "error_msg" in caller.set(grammar="service")
            assert caller.hears_nothing()
            assert "error_msg" not in caller.setup(language="ko")

    def test_audio_before_the_setup_is_ignored(self, server: RunningServer, fake: FakeModel) -> None:
        with peer(server.port) as caller:
            caller.play(WORD)
            caller.begin()
            assert caller.hears_nothing()
            assert not fake.utterances

    def test_surplus_streams_are_refused_and_room_is_made_again(self, server: RunningServer) -> None:
        with ExitStack() as open_streams:
            for _ in range(8):
                open_streams.enter_context(peer(server.port)).setup()
            with pytest.raises(InvalidStatus) as refused, peer(server.port):
                pass
            assert refused.value.response.status_code == 503
        assert eventually(server.port, 0)
        with peer(server.port) as caller:
            caller.begin()


class TestTrouble:
    @pytest.mark.parametrize("text", ["", "{", "[]", '{"a":1}', "\x00", "[" * 50_000, '{"request":{}}'])
    def test_what_is_no_message_costs_nothing(self, server: RunningServer, text: str) -> None:
        with peer(server.port) as caller:
            caller.socket.send(text)
            assert "error_msg" in json.loads(caller.socket.recv(5))
            caller.begin()

    def test_unknown_requests_are_answered_and_unknown_responses_are_not(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            assert "error_msg" in caller.ask("dance")
            assert "error_msg" in caller.set(dance="now")
            assert "error_msg" in caller.ask("set", params={})
            assert "error_msg" in caller.ask("set")
            caller.socket.send('{"response":"dance","id":"1"}')
            caller.socket.send('{"response":"set","id":"of another"}')
            assert caller.hears_nothing(0.2)

    def test_a_peer_that_speaks_nothing_but_nonsense_is_given_up(self, server: RunningServer) -> None:
        with peer(server.port) as caller, pytest.raises(ConnectionClosed):
            for _ in range(50):
                caller.socket.send("nonsense")
                caller.socket.recv(5)

    def test_an_oversized_frame_closes_its_own_socket_only(self, server: RunningServer) -> None:
        with peer(server.port) as other, peer(server.port) as caller:
            other.begin()
            caller.begin()
            caller.socket.send(bytes(100_000))
            with pytest.raises(ConnectionClosed):
                caller.socket.recv(5)
            speak(other)
            assert other.result()["text"] == "목욕"

    def test_a_socket_dropped_at_any_moment_leaves_nothing_behind(self, server: RunningServer, fake: FakeModel) -> None:
        fake.may_finish.clear()
        for pcm in (b"", silence(500), WORD, WORD + AFTER):
            with peer(server.port) as caller:
                caller.begin()
                caller.play(pcm)
                caller.socket.socket.close()
        fake.may_finish.set()
        assert eventually(server.port, 0)
        with peer(server.port) as caller:
            caller.begin()
            speak(caller)
            assert caller.result()["text"] == "목욕"


class TestHealth:
    def test_it_names_languages_and_streams(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            status, body = health(server.port)
        assert status == 200
        assert body["status"] == "ok"
        assert body["languages"] == {"ko": "ready", "en": "missing"}
        assert body["streams"] == 1
        assert {"max_streams", "lag_ms", "loop_lag_ms"} <= body.keys()

    def test_it_listens_while_the_models_load_and_says_so(self) -> None:
        models = Models(["ko"], lambda language: Path("/fake"))
        with serving(models, phrases, ServerSettings(port=0)) as running:
            status, told = health(running.port)
            assert (status, told["languages"]) == (503, {"ko": "loading"})
            with pytest.raises(InvalidStatus), peer(running.port):
                pass
            models.put("ko", InProcess(FakeModel()))
            assert health(running.port)[0] == 200
            with peer(running.port) as caller:
                caller.begin()
                models.lose("ko")
                assert "error_msg" in caller.set(grammar="day")
                caller.play(silence(60))
                assert caller.result()["text"] == UNAVAILABLE
            models.fail("ko")
            assert health(running.port)[1]["languages"] == {"ko": "failed"}

    def test_the_counters_are_there_for_prometheus(self, server: RunningServer, fake: FakeModel) -> None:
        with peer(server.port) as caller:
            caller.begin()
            for fake.phrase in ("목욕", None):
                speak(caller)
                caller.result()
            with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        assert told["hotline_speech_streams"] == "1"
        assert told["hotline_speech_understood_total"] == told["hotline_speech_not_understood_total"] == "1"
        assert float(told["hotline_speech_decoded_seconds_total"]) > 1
        assert told['hotline_speech_ready{language="en"}'] == "0"
        assert "목욕" not in "".join(lines)

    def test_who_comes_when_decoding_is_behind_is_sent_to_the_keys(self, server: RunningServer) -> None:
        with peer(server.port) as caller:
            caller.begin()
            server.server.metrics.decoded(100, 5000)
            with pytest.raises(InvalidStatus) as refused, peer(server.port):
                pass
            assert refused.value.response.status_code == 503
            assert health(server.port)[1]["refused"] == 1
            speak(caller)
            assert caller.result()["text"] == "목욕", "who is being listened to is not touched"

    def test_it_answers_at_once_while_every_decoder_is_busy(self, server: RunningServer, fake: FakeModel) -> None:
        fake.may_finish.clear()
        took = []
        with ExitStack() as calls:
            callers = [calls.enter_context(peer(server.port)) for _ in range(6)]
            for caller in callers:
                caller.begin()
                caller.play(WORD + AFTER)
            for _ in range(20):
                before = time.monotonic()
                assert health(server.port)[0] == 200
                took.append(time.monotonic() - before)
            fake.may_finish.set()
        assert statistics.median(took) < 0.05 * PATIENCE


class TestStop:
    def test_calls_go_on_by_keys_when_the_server_stops(self, fake: FakeModel) -> None:
        with serving(understanding(fake), phrases, ServerSettings(port=0)) as running, peer(running.port) as caller:
            caller.begin()
            caller.play(silence(100))
            caller.ask("get", params=["language"])  # by its answer the audio has been taken
            stopping = threading.Thread(target=running.stop)
            stopping.start()
            assert caller.result()["text"] == UNAVAILABLE
            with pytest.raises(ConnectionClosed):
                caller.socket.recv(5)
            stopping.join(10)
            assert not stopping.is_alive()
