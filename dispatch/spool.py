"""The dialplan's spool: notes and recordings of calls on their way to a person.

Asterisk writes them without Python, so they are there when everything else is
down. A note is a text file `<uniqueid>.note` of lines `name=value`; the last
line `end=…` says that the call is over. The message, if one was left, is
`<uniqueid>.wav` beside it; what she said after another key, `<uniqueid>-2.wav`
and so on. Working a note off is safe to repeat.

What was said after the tone of a conversation lies there as `<uniqueid>-<kind>.wav`
until the conversation has written it. Where it could not, it is taken up here.
"""

from __future__ import annotations

import logging
import time
import wave
from contextlib import suppress
from pathlib import Path

from sqlalchemy import select

from dispatch import recordings, returns, tasks, waiting
from dispatch.calls import close_call
from dispatch.outbox import transaction
from models import clock
from models.calls import Call, CallEnd, CallState
from models.dialing import Attempt
from models.journal import Entry, note
from models.settings import settings
from models.tasks import TaskKind

log = logging.getLogger(__name__)

# A note without an end is of a call that Asterisk did not live to finish. While Asterisk cannot be
# asked, this much older than any wait for a person (s).
STALE_S = 900
# By kind, what a conversation has recorded (ivr/conversation.py); so long it may still be writing it itself (s).
KINDS = ("message", "name", "word", "care_word")
SETTLES_S = 60


def collect(living: set[str] | None) -> int:
    """Work off every finished note and recording that was left; return how many.

    `living`: the channels that exist now, None if nobody knows.
    """
    done = 0
    for path in sorted(settings().spool_dir.glob("*.note")):
        try:
            done += _collect_one(path, living)
        except Exception:
            # One unreadable note must not hold up the others; it stays where it is.
            log.exception("the note %s could not be worked off", path.name)
    # After the notes: one of them may have written the row of the call.
    for path in sorted(settings().spool_dir.glob("*-*.wav")):
        try:
            done += _take_up(path, living)
        except Exception:
            log.exception("the recording %s could not be taken up", path.name)
    return done


def shown_number(channel_id: str) -> str | None:
    """Return the number that the call of this channel shows, as the dialplan noted it; None: withheld, or no note."""
    try:
        return _read(settings().spool_dir / f"{channel_id}.note").get("number") or None
    except OSError:
        return None


def has(channel_id: str) -> bool:
    """Whether a note of this channel waits: whoever works it off writes how its call has ended."""
    return (settings().spool_dir / f"{channel_id}.note").exists()


def _collect_one(path: Path, living: set[str] | None) -> int:
    fields = _read(path)
    channel_id = path.stem
    patience = STALE_S if living is None else settings().lost_call_s
    gone = living is None or channel_id not in living
    over = "end" in fields or (gone and abs(time.time() - path.stat().st_mtime) > patience)
    if not over and fields.get("why") != "emergency" and "person" not in fields:
        return 0
    now = clock.now()
    recording = path.with_suffix(".wav")
    with transaction() as session:
        why = fields.get("why", "fault")
        call = waiting.call_on_line(session, channel_id, fields.get("number"), why, now)
        if why == "emergency":
            tasks.open_task(session, tasks.for_call(TaskKind.ALARM, call), now)
        # Whoever was on call and pressed 1 is a person like an agent, but no event of the queue tells of her.
        talked = fields.get("end") == "agent" or "person" in fields
        if "person" in fields and call.ended_at is None and call.state != CallState.AGENT:
            call.state = CallState.AGENT
            note(session, call.id, Entry.AGENT_ANSWERED, now)
        if not over:
            return 0
        if talked:
            close_call(session, call, CallEnd.PERSON, now)
        elif why == waiting.HUNG_UP:
            close_call(session, call, CallEnd.HUNG_UP, now)
        else:
            if "ring_back" in fields:
                waiting.ring_back(session, call, None, now)
            _join(recording)
            message = recordings.keep(session, call, recording, now)
            if message is not None:
                tasks.open_task(session, tasks.for_message(call, message.id), now)
                close_call(session, call, CallEnd.MESSAGE, now)
            close_call(session, call, CallEnd.ABANDONED, now)
    # Committed: only now may the spool forget.
    for taken in (recording, *_more(recording)):
        taken.unlink(missing_ok=True)
    path.unlink()
    return 1


def _more(first: Path) -> list[Path]:
    """Return the files of what she said after the first one, in order."""
    found = {path: path.stem.removeprefix(f"{first.stem}-") for path in first.parent.glob(f"{first.stem}-*.wav")}
    return sorted((path for path, take in found.items() if take.isdigit()), key=lambda path: int(found[path]))


def _join(first: Path) -> None:
    """Put what she said in several goes into one file: one message, one task. If killed, a part comes twice."""
    more = _more(first)
    if not more:
        return
    parts = []
    for path in (first, *more):
        # Whoever hung up at the beep has left a file without a sound, or none.
        with suppress(FileNotFoundError, EOFError, wave.Error), wave.open(str(path), "rb") as taken:
            parts.append((taken.getparams(), taken.readframes(taken.getnframes())))
    if parts:
        joined = first.with_suffix(".joined")
        with wave.open(str(joined), "wb") as whole:
            whole.setparams(parts[0][0])
            for _, frames in parts:
                whole.writeframes(frames)
        joined.replace(first)
    for path in more:
        path.unlink(missing_ok=True)


def _take_up(path: Path, living: set[str] | None) -> int:
    """Keep what a conversation has recorded and could not write, as it would have: nothing that was said is lost."""
    channel_id, _, kind = path.stem.rpartition("-")
    age = abs(time.time() - path.stat().st_mtime)
    over = age > STALE_S if living is None else channel_id not in living and age > SETTLES_S
    if kind not in KINDS or not over:
        return 0
    now = clock.now()
    with transaction() as session:
        # Locked: two dispatchers may come at the same time.
        call = session.scalar(select(Call).where(Call.channel_id == channel_id).with_for_update())
        if call is None:
            call = waiting.call_on_line(session, channel_id, None, waiting.HUNG_UP, now)
            close_call(session, call, CallEnd.HUNG_UP, now)
        kept = recordings.keep(session, call, path, now, kind)
        if kept is not None and kind == "message":
            tasks.open_task(session, tasks.for_message(call, kept.id), now)
        if kept is not None and kind == "word":
            visit_id = session.scalar(select(Attempt.return_visit_id).where(Attempt.call_id == call.id))
            if visit_id is not None:
                returns.keep_word(session, visit_id, kept.id, now)
    path.unlink(missing_ok=True)
    return 1


def _read(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}
