"""A fresh hotline for one test: its folder and settings from the environment, nothing remembered from before."""

from __future__ import annotations

from dispatch import gateways, outbox
from models import clock, session, settings


def forget() -> None:
    """Drop what a process keeps for good: settings, zone, engine, Redis clients, the gateway."""
    if session.engine.cache_info().currsize:
        session.engine().dispose()
    for cached in (
        settings.settings,
        clock.zone,
        session.engine,
        session._writer,
        outbox.redis,
        outbox.waker,
        gateways.gateway,
    ):
        cached.cache_clear()
