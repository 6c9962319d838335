"""A fresh hotline for one test: its folder and settings from the environment, nothing remembered from before."""

from __future__ import annotations

from dispatch import gateways, outbox
from ivr.prompts import voice
from models import clock, session, settings


def forget() -> None:
    """Drop what a process keeps for good: settings, zone, engine, Redis clients, the gateway, the voice."""
    old = session.engine() if session.engine.cache_info().currsize else None
    for cached in (
        settings.settings,
        clock.zone,
        session.engine,
        session._writer,
        outbox.redis,
        outbox.waker,
        gateways.gateway,
        voice.voice,
    ):
        cached.cache_clear()
    # Last: a thread that is still at work gets no connection of an engine that is being put away.
    if old is not None:
        old.dispose()
