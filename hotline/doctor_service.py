"""What the doctor looks at in the hotline itself: its stores, its voice and ear, its people, its secrets."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import redis as redis_client
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from dispatch import disk, retry
from hotline.doctor import Check, Finding, failed, ok, warning
from ivr.prompts.catalogue import CATALOGUE, DIALPLAN_PROMPTS
from ivr.speech.models import model_folder
from models import schema, toolbox
from models.session import make_engine
from models.settings import ROOT, Settings


def redis(settings: Settings) -> Iterator[Finding]:
    """The job queue's store: the configured server answers, or the embedded one can be started."""
    location = settings.redis_location
    shown = location.split("@")[-1]
    embedded = not settings.redis_url
    if embedded and not settings.redis_socket.exists():
        try:
            yield ok("Redis", f"embedded, not running: {toolbox.redis_binary().version}")
        except toolbox.ToolMissing as error:
            yield failed("Redis", str(error), error.remedy)
        return
    try:
        with redis_client.Redis.from_url(location, socket_timeout=3, socket_connect_timeout=3) as client:
            version = client.info("server")["redis_version"]
            persistence = client.config_get("appendonly").get("appendonly", "")
    except redis_client.ConnectionError as error:
        if embedded:
            yield ok("Redis", "embedded, not running (its socket is left over)")
        else:
            yield failed("Redis", f"{shown}: {error}", "start the server, or correct HOTLINE_REDIS_URL")
        return
    except redis_client.RedisError as error:
        yield failed("Redis", f"{shown}: {error}", "correct HOTLINE_REDIS_URL (password, database)")
        return
    if persistence == "no":
        yield warning(
            "Redis", f"{version} at {shown} keeps nothing on disk", "set `appendonly yes` in its configuration"
        )
    else:
        yield ok("Redis", f"{version} at {shown}")


def database(settings: Settings) -> Iterator[Finding]:
    """Reachable, and its tables are those of this code."""
    url = make_url(settings.sqlalchemy_url)
    shown = url.render_as_string(hide_password=True)
    upgrade = "run `hotline db upgrade` (`hotline up` does it too)"
    (head, *more) = schema.heads()
    if more:
        yield failed(
            "Database",
            f"the migrations have several heads: {head}, {', '.join(more)}",
            "merge them: alembic merge",
        )
        return
    # Opening a SQLite file that is not there would make one.
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        yield warning("Database", f"{shown} is not there yet", upgrade)
        return
    engine = make_engine(settings.sqlalchemy_url)
    try:
        current = schema.current(engine)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        yield failed("Database", f"{shown}: {reason}", "start the server, or correct HOTLINE_DATABASE_URL")
        return
    finally:
        engine.dispose()
    if current == head:
        yield ok("Database", f"{shown}, at {head}")
    elif current is None:
        yield warning("Database", f"{shown} is empty", upgrade)
    else:
        yield failed("Database", f"{shown} is at {current}, the code is at {head}", upgrade)


def prompts(settings: Settings) -> Iterator[Finding]:
    """Every language has its texts, and what the dialplan plays by itself is rendered."""
    untranslated = [
        f"{k} ({lang})" for k, prompt in CATALOGUE.items() for lang in settings.languages if lang not in prompt.text
    ]
    if untranslated:
        shown = ", ".join(untranslated[:3])
        yield failed(
            "Prompts", f"{len(untranslated)} have no text: {shown}", "add the texts, or correct HOTLINE_LANGUAGES"
        )
        return
    static = settings.prompt_dir / settings.voice / "static"
    files = [static / lang / f"{key}.wav" for lang in settings.languages for key in DIALPLAN_PROMPTS]
    missing = [f for f in files if not f.exists()]
    if missing:
        yield warning(
            "Prompts", f"{len(missing)} of {len(files)} not rendered yet", "`hotline up` renders them as it starts"
        )
    else:
        yield ok("Prompts", f"{len(CATALOGUE)} in {', '.join(settings.languages)}; stand-in voice {settings.voice}")


def speech(settings: Settings) -> Iterator[Finding]:
    """A model for each language, else keys only in that language."""
    if not settings.speech:
        yield warning("Speech", "switched off, keys only", "HOTLINE_SPEECH=true")
        return
    deaf = [lang for lang in settings.languages if model_folder(lang, settings.cache_dir) is None]
    heard = [lang for lang in settings.languages if lang not in deaf]
    if deaf:
        names = " and ".join(f"`hotline speech fetch {lang.split('-')[0]}`" for lang in deaf)
        detail = f"listens in {', '.join(heard) or 'no language'}; keys only in {', '.join(deaf)} (no model)"
        yield warning("Speech", detail, f"run {names}")
    else:
        yield ok("Speech", f"listens in {', '.join(heard)}")


def people(settings: Settings) -> Iterator[Finding]:
    """Somebody has to be rung when a caller wants a person, and somebody has to carry the calls."""
    if settings.agent_phones:
        yield ok("Agent phones", f"{len(settings.agent_phones)} configured")
    else:
        remedy = 'set HOTLINE_AGENT_PHONES=["0451…"]; until then callers for a person leave a message'
        yield warning("Agent phones", "none: nobody is rung", remedy)
    if settings.trunk.rpartition(":")[0] in ("127.0.0.1", "localhost", ""):
        yield warning(
            "SIP trunk",
            f"{settings.trunk} is this machine",
            "for real calls set HOTLINE_TRUNK to the carrier's host:port",
        )
    else:
        yield ok("SIP trunk", settings.trunk)


def dialling(settings: Settings) -> Iterator[Finding]:
    """What the trunk's causes mean and how outcomes are retried: the tables as they hold now."""
    try:
        own, rules = retry.trunk_causes(), retry.rules()
    except ValueError as error:
        yield failed("Dialling", str(error), "correct HOTLINE_TRUNK_CAUSES, HOTLINE_RETRY_RULES")
        return
    special = ", ".join(f"{'any other' if code == '0' else code} → {outcome}" for code, outcome in sorted(own.items()))
    detail = (
        f"{len(retry.CAUSES)} causes known, any other is {retry.UNKNOWN_CAUSE}; of this trunk's own: "
        f"{special or 'none'}; {len(rules)} retry rules, {len(settings.retry_rules)} changed; "
        f"{settings.trunk_calls_per_s} calls a second, {settings.trunk_channels} at once"
    )
    yield ok("Dialling", detail)


def recordings(settings: Settings) -> Iterator[Finding]:
    """Whether calls are recorded, for how long they are kept, and whether the disk has room for more."""
    if not settings.recording:
        yield ok("Recording", "off (HOTLINE_RECORDING)")
        return
    left = f"calls are kept for {settings.recording_keep_days} days; {disk.free_bytes() / 1e9:.1f} GB free"
    if disk.is_low():
        yield failed("Recording", f"{left}: calls go on, none is recorded", "make room, or keep them for fewer days")
    else:
        yield ok("Recording", left)


def texts(settings: Settings) -> Iterator[Finding]:
    """The carrier of text messages."""
    if settings.sms == "off":
        yield ok("Text messages", "off (HOTLINE_SMS)")
    elif settings.sms == "console":
        yield warning("Text messages", "written into a file, sent to nobody", "HOTLINE_SMS=twilio")
    elif not (settings.twilio_account and settings.twilio_token and settings.twilio_from):
        yield failed("Text messages", "Twilio's account is not complete", "set HOTLINE_TWILIO_ACCOUNT, _TOKEN, _FROM")
    elif not settings.public_url.startswith("https://"):
        remedy = "set HOTLINE_PUBLIC_URL=https://…, where Twilio reaches the console"
        yield warning("Text messages", "by Twilio; what becomes of them has to be asked for", remedy)
    else:
        yield ok("Text messages", f"by Twilio, reports come to {settings.public_url}")


def secrets(settings: Settings) -> Iterator[Finding]:
    """Files with secrets are readable by their owner alone."""
    places = [ROOT / ".env", settings.var_dir / "secrets.json", *settings.run_dir.rglob("manager.conf")]
    there = [f for f in places if f.exists()]
    if open_files := [f for f in there if stat.S_IMODE(f.stat().st_mode) & 0o077]:
        names = " ".join(f"'{f}'" for f in open_files)
        yield failed("Secrets", f"others may read {names}", f"chmod go= {names}")
    else:
        yield ok("Secrets", f"{len(there)} files for their owner alone" if there else "none made yet")


SERVICE: dict[str, Check] = {
    "Redis": redis,
    "Database": database,
    "Prompts": prompts,
    "Speech": speech,
    "People": people,
    "Dialling": dialling,
    "Recording": recordings,
    "Text messages": texts,
    "Secrets": secrets,
}
