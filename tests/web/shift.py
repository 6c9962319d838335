"""A shift for a supervisor's pages: agents in every state, a call recorded and marked, one that is listened to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np

from agents import quality
from agents.quality import Wish
from dispatch import call_audio
from ivr.tones import SAMPLE_RATE, Samples
from models import audio
from models.audio import Audio
from models.calls import Call, CallEnd, CallState
from models.people import Elder
from models.presence import AgentPresence, PresenceSpell
from models.session import write
from models.settings import settings
from models.supervision import Watch
from models.users import User
from tests.web.world import World

# Turns of a conversation: seconds, and who speaks in them (her side: True).
TALK = (
    (0, 4, False), (4, 7, True), (7.5, 12, False), (12.5, 19, True), (19.5, 24, False), (24.5, 27, True),
    (27.5, 34, False), (34.5, 41, True), (42, 47, False),
)  # fmt: skip
LENGTH_S = 48


def begins(world: World, elder: Elder, boss: User) -> Call:
    """Write the shift; return the recorded call."""
    agents = [world.user(name) for name in ("陈小红", "李大力", "吴敏", "赵强")]
    states = (("talking", None, 74), ("ready", None, 300), ("pause", "meal", 620), ("wrap_up", None, 12))
    running = world.call(
        elder, world.ago(90), waiting_since=world.ago(82), state=CallState.AGENT, agent_id=agents[0].id
    )
    with world.rows() as db:
        for user, (state, reason, seconds) in zip(agents, states, strict=True):
            call_id = running.id if state == "talking" else None
            since = world.ago(seconds)
            stands = {"user_id": user.id, "state": state, "reason": reason}
            db.add(AgentPresence(**stands, since=since, call_id=call_id, leg_id="leg"))
            db.add(PresenceSpell(user_id=user.id, state="ready", began_at=world.ago(9000), ended_at=world.ago(4000)))
            for spell, begin, end in (("talking", 4000, 3790), ("wrap_up", 3790, 3740), ("ready", 3740, seconds)):
                db.add(PresenceSpell(user_id=user.id, state=spell, began_at=world.ago(begin), ended_at=world.ago(end)))
            db.add(PresenceSpell(**stands, began_at=since))
        db.add(Watch(
            user_id=boss.id, agent_id=agents[0].id, call_id=running.id, mode="listen", channel_id="w", began_at=since,
        ))  # fmt: skip
    others = [
        (agents[minutes % 4], _answered(world, elder, agents[minutes % 4], minutes)) for minutes in (71, 55, 34, 21, 8)
    ]
    told = _answered(world, elder, agents[1], 15)
    _recorded(told)
    points = {"greeting": 5, "listening": 4, "correctness": 4, "wording": 5, "closing": 3}
    with world.rows() as db:
        wish = Wish(agents[1].public_id, {**points, "closing": 2}, "结束时忘了确认时间。")
        quality.mark(db, db.get_one(User, boss.id), db.get_one(Call, told.id), wish, world.ago(500))
        wish = Wish(agents[1].public_id, points, "听得很耐心；结束时请再确认一次时间。")
        quality.mark(db, db.get_one(User, boss.id), db.get_one(Call, told.id), wish, world.ago(200))
        for (agent, call), given, words in zip(
            others, (5, 4, 3), ("称呼亲切，复述清楚。", "", "语速偏快，老人两次没听清。"), strict=False
        ):
            wish = Wish(agent.public_id, {**dict.fromkeys(points, given), "closing": 4}, words)
            quality.mark(db, db.get_one(User, boss.id), db.get_one(Call, call.id), wish, world.ago(900))
    return told


def _answered(world: World, elder: Elder, agent: User, minutes: int) -> Call:
    at = world.ago(60 * minutes)
    call = world.call(elder, at, waiting_since=at + timedelta(seconds=8), state=CallState.AGENT, agent_id=agent.id)
    who = {"user_id": agent.id}
    world.journal(
        call, (0, "answered", {}), (1, "recording", {"how": "on"}),
        (4, "turn", {"step": "service", "heard": "key", "key": "0"}), (8, "to_person", {"reason": "asked"}),
        (10, "agent_rung", who), (14, "agent_answered", who), (49, "ended", {"end": "person"}),
    )  # fmt: skip
    world.end(call, CallEnd.PERSON, 49)
    return call


def _recorded(call: Call) -> None:
    """Give the call a recording in which the two speak in turn."""
    folder = settings().var_dir
    sides = [np.zeros(LENGTH_S * SAMPLE_RATE, np.int16) for _ in "12"]
    for begin, end, hers in TALK:
        first, last = int(begin * SAMPLE_RATE), int(end * SAMPLE_RATE)
        sides[0 if hers else 1][first:last] = _speech(last - first, 11 + int(begin))
    for name, samples in zip(("left", "right"), sides, strict=True):
        (folder / name).write_bytes(_a_law(samples))
    _keep(call, folder)


def _keep(call: Call, folder: Path) -> None:

    frames = call_audio._join(folder / "left", folder / "right", folder / "both")
    key = audio.keep(settings().audio_dir, folder / "both")
    with write() as db:
        db.add(
            Audio(content_key=key, kind="call", call_id=call.id, duration_ms=frames // 8, created_at=call.started_at)
        )


def _speech(count: int, seed: int) -> Samples:
    """Noise that swells and fades like syllables."""
    random = np.random.default_rng(seed)
    time = np.arange(count) / SAMPLE_RATE
    swell = np.abs(np.sin(2 * np.pi * 1.9 * time + seed)) * (0.4 + 0.6 * np.abs(np.sin(0.7 * time + seed)))
    return np.asarray(random.normal(0, 5200, count) * swell).clip(-30000, 30000).astype(np.int16)


def _a_law(samples: Samples) -> bytes:
    """G.711: as the trunk brings it."""
    size = np.abs(samples.astype(np.int32)) >> 3
    exponent = np.maximum(np.floor(np.log2(np.maximum(size, 1))).astype(np.int32) - 4, 0)
    mantissa = np.where(exponent == 0, size >> 1, size >> np.maximum(exponent, 1)) & 15
    code = np.where(exponent == 0, (size >> 1) & 31, (exponent << 4 | mantissa))
    return bytes(((code & 0x7F) | np.where(samples >= 0, 0x80, 0)).astype(np.uint8) ^ 0x55)
