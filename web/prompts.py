"""The catalogue of prompts and the recording studio, for supervisors."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from flask import Blueprint, Flask, abort, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from ivr import speech_health
from ivr.prompts import completeness, intake, overview, recorded, studio, voice
from ivr.prompts.catalogue import CATALOGUE, Place, Prompt
from ivr.prompts.samples import typical
from ivr.prompts.studio import StudioError, Take
from models import clock
from models.recordings import PromptRecording, Source, StudioCode
from models.session import read, write
from models.settings import settings
from models.users import Role
from web import i18n
from web.access import allow, must_be_me
from web.security import takes_up_to

routes = Blueprint("prompts", __name__)

# What is around the file in a form (bytes).
_FORM = 16 * 1024


def init_app(app: Flask) -> None:
    """Register the pages."""
    app.register_blueprint(routes)


@routes.get("/prompts")
@allow(Role.SUPERVISOR)
def catalogue() -> str:
    """Show every prompt with its voice; `language`, `place` and `voice` choose which."""
    languages = settings().languages
    default = i18n.language() if i18n.language() in languages else languages[0]
    language = request.args.get("language", default)
    if language not in languages:
        language = default
    place, lacking = request.args.get("place", ""), request.args.get("voice", "") == "stand-in"
    with read() as db:
        everything = overview.listed(db, (language,))
    shown = [
        one
        for one in everything
        if place in ("", one.prompt.place) and not (lacking and (one.spoken[0].live or not one.recordable))
    ]
    recordable = [one for one in everything if one.recordable]
    return render_template(
        "prompts.html",
        groups=[(at, found) for at in Place if (found := [one for one in shown if one.prompt.place == at])],
        languages=languages,
        chosen=language,
        places=[at for at in Place if any(one.prompt.place == at for one in everything)],
        place=place,
        lacking=lacking,
        done=sum(one.spoken[0].live is not None for one in recordable),
        of=len(recordable),
        problems=completeness.check_texts((language,)),
        listens=_listens(),
        now=clock.now(),
    )


@routes.get("/prompts/<key>/<language>")
@allow(Role.SUPERVISOR)
def room(key: str, language: str) -> str:
    """Show the studio for one prompt in one language."""
    return _room(key, language)


@routes.get("/prompts/<key>/<language>/audio")
@allow(Role.SUPERVISOR)
def play(key: str, language: str) -> BaseResponse:
    """Play the prompt as callers hear it, variables filled with typical values; `voice=stand-in`: the stand-in."""
    _known(key, language)
    try:
        if request.args.get("voice") == "stand-in" and not CATALOGUE[key].variables:
            path = voice.stand_in(key, language)
        else:
            path = Path(voice.utterance((typical(key, language),), language) + ".wav")
    except voice.VoiceFailed:
        abort(503)
    return send_file(path, mimetype="audio/wav", conditional=True, max_age=0)


@routes.get("/prompt-recordings/<public_id>/audio")
@allow(Role.SUPERVISOR)
def recording(public_id: str) -> BaseResponse:
    """Play one recording, whether callers hear it or not."""
    with read() as db:
        content_key = _row(db, public_id).content_key
    path = recorded.sound_of(content_key)
    if not path.is_file():
        abort(404)
    return send_file(path, mimetype="audio/wav", conditional=True, max_age=0)


@routes.post("/prompts/<key>/<language>/code")
@allow(Role.SUPERVISOR)
def code(key: str, language: str) -> BaseResponse | tuple[str, int]:
    """Make a code to record this prompt by telephone."""
    _known(key, language)
    take = Take(key, language, Source.TELEPHONE, must_be_me().id)
    try:
        with write() as db:
            studio.new_code(db, take, clock.now())
    except StudioError as error:
        return _room(key, language, error.code), 422
    return redirect(url_for("prompts.room", key=key, language=language, _anchor="telephone"), 303)


@routes.post("/prompts/<key>/<language>/upload")
@allow(Role.SUPERVISOR)
@takes_up_to(intake.LARGEST + _FORM)
def upload(key: str, language: str) -> BaseResponse | tuple[str, int]:
    """Take in a file, keep it, and let callers hear it."""
    _known(key, language)
    file = request.files.get("file")
    now = clock.now()
    try:
        studio.check_recordable(key, language)
        data = file.read(intake.LARGEST + 1) if file else b""
        if not data:
            return _room(key, language, "no_file"), 422
        samples = intake.take_in(data, studio.limits(key, language))
        with write() as db:
            row = studio.keep(db, Take(key, language, Source.UPLOAD, must_be_me().id), samples, now)
        public_id = row.public_id
    except (intake.Refused, StudioError) as error:
        return _room(key, language, error.code), 422
    return _publish(public_id, now)


@routes.post("/prompt-recordings/<public_id>/publish")
@allow(Role.SUPERVISOR)
def publish(public_id: str) -> BaseResponse | tuple[str, int]:
    """Let callers hear a recording that waits, or an older one again."""
    return _publish(public_id, clock.now())


@routes.post("/prompt-recordings/<public_id>/retire")
@allow(Role.SUPERVISOR)
def retire(public_id: str) -> BaseResponse:
    """Give the prompt back to the stand-in."""
    with write() as db:
        row = _row(db, public_id)
        studio.retire(db, row, must_be_me().id, clock.now())
        key, language = row.key, row.language
    studio.announce(language)
    return redirect(url_for("prompts.room", key=key, language=language), 303)


def _listens() -> frozenset[str]:
    """The languages in which callers are heard by voice at this moment; in the others only keys count."""
    return speech_health.ask() if settings().speech else frozenset()


def _publish(public_id: str, now: datetime) -> BaseResponse | tuple[str, int]:
    with read() as db:
        row = _row(db, public_id)
        key, language = row.key, row.language
    try:
        with write() as db:
            studio.publish(db, _row(db, public_id), must_be_me().id, now)
    except StudioError as error:
        return _room(key, language, error.code), 409
    studio.announce(language)
    return redirect(url_for("prompts.room", key=key, language=language), 303)


def _room(key: str, language: str, problem: str = "") -> str:
    prompt = _known(key, language)
    now = clock.now()
    with read() as db:
        query = select(PromptRecording).where(PromptRecording.key == key, PromptRecording.language == language)
        rows = list(db.scalars(query.order_by(PromptRecording.id.desc())))
        code = db.scalar(
            select(StudioCode)
            .where(
                StudioCode.key == key,
                StudioCode.language == language,
                StudioCode.user_id == must_be_me().id,
                StudioCode.used_at.is_(None),
                StudioCode.expires_at > now,
            )
            .order_by(StudioCode.id.desc())
        )
    live = next((row for row in rows if row.live_at is not None and row.retired_at is None), None)
    return render_template(
        "prompt.html",
        prompt=prompt,
        language_code=language,
        languages=settings().languages,
        rows=rows,
        live=live,
        code=code,
        extension=settings().studio_extension,
        staff=bool(settings().agent_phones),
        longest_s=studio.limits(key, language).longest_ms / 1000,
        megabytes=intake.LARGEST // 1024**2,
        problem=problem,
        lacking=completeness.check(language) if problem == "incomplete" else [],
        now=now,
    )


def _known(key: str, language: str) -> Prompt:
    if key not in CATALOGUE or language not in settings().languages:
        abort(404)
    return CATALOGUE[key]


def _row(db: Session, public_id: str) -> PromptRecording:
    row = db.scalar(select(PromptRecording).where(PromptRecording.public_id == public_id))
    if row is None:
        abort(404)
    return row
