"""Every setting of the hotline, read from the environment (`HOTLINE_…`) or from `.env`.

Defaults serve one machine on loopback: SQLite, the embedded Redis-compatible
server, Asterisk with a trunk to 127.0.0.1. PostgreSQL and a real Redis are two
settings away (`HOTLINE_DATABASE_URL`, `HOTLINE_REDIS_URL`).
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from datetime import time
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.toolbox import default_cache_dir

ROOT = Path(__file__).resolve().parent.parent
# What neither a URL nor the client that reads it takes apart.
_PLAIN = re.compile(r"[^\s=?#%]+")


class Settings(BaseSettings):
    """Values are read once a process; times are seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="HOTLINE_", env_file=".env", extra="ignore")

    # Where things lie.
    var_dir: Path = Field(ROOT / "var", description="database, recordings, run directory, logs")
    cache_dir: Path = Field(default_factory=default_cache_dir, description="downloads, shared by clones")

    # Stores. Empty means: SQLite in var_dir, the embedded server in var_dir.
    database_url: str = ""
    redis_url: str = ""
    db_busy_ms: int = Field(5000, description="how long a writer waits for a lock of the database (ms)")
    db_statement_ms: int = Field(15_000, description="how long PostgreSQL may take for one statement (ms)")
    db_caller_ms: int = Field(
        1200, description="both, while somebody on the telephone waits: after it she is passed on to a person (ms)"
    )

    # Ports, all on `host`.
    host: str = "127.0.0.1"
    sip_port: int = 5060
    rtp_start: int = 10000
    rtp_end: int = 10999
    # A call that is with an agent has two legs of two ports each: the range above carries 250 of them.
    most_calls: int = Field(200, ge=1, description="calls at once, in and out; more are refused by Asterisk")
    ami_port: int = 5038
    asterisk_http_port: int = 8088
    agi_port: int = 4573
    speech_port: int = 9099
    web_port: int = 8080

    # The carrier's SIP trunk, host:port.
    trunk: str = "127.0.0.1:5070"
    # What some carriers ask for besides (Twilio's Elastic SIP Trunking: all three).
    trunk_user: str = Field("", pattern=r"^[^\s;]*$", description="name by which the trunk knows us; empty: by address")
    trunk_password: str = Field("", pattern=r"^[^\s;]*$", description="password to that name")
    trunk_caller_id: str = Field(
        "",
        pattern=r"^(\+[0-9]+)?$",
        description="number (+86…) that the carrier lets us show; empty: the hotline's own",
    )
    trunk_hosts: tuple[str, ...] = Field(
        (),
        description="hosts and networks its calls come from (host, network, host:port); empty: the trunk's",
    )
    asterisk_binary: str = Field("", description="empty: `asterisk` on PATH if new enough, else the fetched one")
    ami_user: str = "hotline"
    ami_secret: str = Field("", description="empty: made on first start, kept in var_dir/secrets")
    web_secret: str = Field("", description="empty: made on first start, kept in var_dir/secrets")

    # What is kept of a caller's voice, to be heard by agents and to improve recognition. Recording needs her consent.
    keep_failed_audio: bool = Field(True, description="keep the audio of answers that were not understood")
    keep_all_audio: bool = Field(False, description="keep the audio of every spoken answer")
    audio_keep_days: int = Field(30, ge=0, description="after so many days kept answers are erased")
    message_keep_days: int = Field(
        365, ge=1, description="the same for messages, once nobody has to hear them any more"
    )
    recording: bool = Field(False, description="record whole calls, after a spoken notice")
    recording_keep_days: int = Field(90, ge=0, description="after so many days recordings of calls are erased")
    recording_free_gb: float = Field(1.0, ge=0, description="with less room on the disk no recording begins (GB)")

    # The hotline itself.
    hotline_number: str = "12349"
    district_unknown: str = Field("本市", description="spoken to a provider when the elder has no area yet")
    area_code: str = Field("0451", description="for local numbers of 7 or 8 digits; with the trunk 0")
    timezone: str = "Asia/Shanghai"
    languages: tuple[str, ...] = ("zh-CN", "ko", "en")
    agent_phones: tuple[str, ...] = Field((), description="numbers that ring when a caller wants a person, JSON list")
    studio_extension: str = Field(
        "*12349", pattern=r"^[*#0-9]{2,16}$", description="what staff dial to record prompts by telephone"
    )
    gateway: Literal["asterisk", "console"] = Field("asterisk", description="console: rings nobody, for rehearsals")
    speech: bool = Field(True, description="listen for words as well as keys")
    voice: Literal["espeak", "tones"] = Field("espeak", description="stand-in prompt voice; tones for tests")

    # The agents' telephones in the browser.
    phone_media_address: str = Field(
        "", description="address that browsers on other computers reach Asterisk's audio at; empty: `host`"
    )
    phone_realm: str = Field("hotline", pattern=r"^[A-Za-z0-9.-]{1,40}$", description="realm of their SIP accounts")
    phone_line_s: int = Field(3600, ge=60, description="a SIP password lives so long; the page renews it before")
    wrap_up_s: int = Field(30, ge=0, description="after a call an agent is not rung for so long")
    watch_shown: bool = Field(True, description="an agent sees that a supervisor is in her call")
    wrap_up_more_s: int = Field(60, ge=1, description="so much is added when she asks for more")
    browser_grace_s: float = Field(
        3.5, ge=0, description="a browser that is gone for so long is offline; a reload is not"
    )

    # Clocks of the conversation and of dispatch.
    clock_offset_s: float = Field(0, description="moves the hotline's clock; for tests and rehearsals")
    answer_timeout_ms: int = Field(6000, description="silence after a prompt before it is repeated; at least 4000")
    answer_timeout_slow_ms: int = Field(10_000, description="the same for an elder whose pace is slow")
    endpoint_ms: int = Field(700, ge=200, le=5000, description="pause that ends a spoken answer (ms)")
    endpoint_slow_ms: int = Field(1200, ge=200, le=5000, description="the same for an elder whose pace is slow")
    offer_ring_s: int = Field(25, description="how long a provider's telephone rings")
    callback_ring_s: int = Field(35, description="how long an elder's telephone rings")
    task_lock_s: int = Field(60, ge=20, description="an open task is closed to others for so long after its last sign")
    care_hold_s: int = Field(
        900, ge=60, description="an elder of the staff's run is free again so long after her agent's last sign"
    )
    task_owned_s: int = Field(
        1800, ge=60, description="a task goes back to the pool when its owner does nothing so long"
    )
    agent_ring_s: int = Field(20, description="how long an agent's telephone rings before the next")
    wait_lap_s: int = Field(25, description="how long she hears ringing before she is told her place again")
    queue_wait_s: int = Field(300, description="how long a caller waits for a person before leaving a message")
    emergency_number: str = Field(
        "", pattern=r"^\+?[0-9]*$", description="rung when an emergency finds no agent; see decision 030"
    )
    on_call_number: str = Field(
        "", pattern=r"^\+?[0-9]*$", description="rung outside the opening hours; it presses 1 to accept"
    )
    outbound_windows: tuple[tuple[time, time], ...] = Field(
        ((time(9), time(11, 30)), (time(14), time(18))), min_length=1,
        description='when a rule may ring elders, without the midday rest: [["09:00","11:30"],["14:00","18:00"]]',
    )  # fmt: skip
    callback_windows: tuple[tuple[time, time], ...] = Field(
        ((time(7), time(21)),), min_length=1,
        description="when she is told who comes; whoever ordered within the hour is told at once",
    )  # fmt: skip
    reminder_windows: tuple[tuple[time, time], ...] = Field(
        ((time(18), time(20)),), min_length=1, description="the evening in which she is reminded of tomorrow"
    )
    reminder_attempts: int = Field(2, ge=1, description="dialled attempts; then she hears it if she rings")
    reminder_retry_s: int = Field(900, ge=0, description="pause between two attempts to remind her")
    return_visit_days: int = Field(1, ge=0, description="so many days after the completion she is asked how it was")
    return_visit_workdays: bool = Field(True, description="on workdays only; False: on every day")
    return_visit_attempts: int = Field(3, ge=1, description="dialled attempts before an agent is asked to ring her")
    return_visit_retry_s: int = Field(7200, ge=0, description="pause between two attempts to ask her how it was")
    callback_attempts: int = Field(3, ge=1, description="dialled attempts before an agent is asked to ring her")
    callback_retry_s: int = Field(600, description="pause between two attempts to reach the elder")
    callback_busy_s: int = Field(120, ge=0, description="the same when her line was engaged: somebody is at home")
    retry_rules: dict[str, dict[str, int | str | None]] = Field(
        default_factory=dict, description='changes to dispatch/retry.py: {"callback.busy": {"pause_s": 60, "times": 2}}'
    )
    trunk_causes: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="what a trunk means by a Q.850 cause or a SIP answer, and by one that follows an announcement: "
        '{"trunk": {"20": "invalid", "480": "busy", "early 480": "invalid"}}',
    )
    trunk_calls_per_s: int = Field(5, ge=1, description="calls begun a second, of all workers together")
    trunk_channels: int = Field(30, ge=1, description="calls of ours that are open at once, of all workers together")
    dial_never: tuple[str, ...] = Field(
        ("+86160", "+86168"), description="numbers that begin so are never dialled by a rule"
    )
    dial_countries: tuple[str, ...] = Field((), description="foreign numbers that begin so may be dialled: +852")
    dial_allowed: tuple[str, ...] = Field((), description="exceptions, in full: these may be dialled all the same")
    outside_role: Literal["agent", "supervisor", "admin"] = Field(
        "agent", description="from this role on a number outside the register may be dialled and given a call"
    )
    dead_number_after: int = Field(3, ge=1, description="so often invalid in a row, and a number counts as dead")
    dead_number_days: int = Field(30, ge=1, description="after so long a dead number is tried again")
    transient_retry_s: int = Field(5, description="pause after a fault of ours or the trunk's")
    stop_calls_s: float = Field(180, ge=0, description="how long a stop waits for the calls under way to end")
    sweep_s: float = Field(2.0, description="how often due rows are looked for")
    lost_job_s: int = Field(30, description="an enqueued job not done by then is enqueued again")
    lost_call_s: int = Field(15, description="a dialled call that Asterisk does not know after this is reconciled")

    # Text messages (dispatch/sms.py).
    sms: Literal["off", "console", "twilio"] = Field("off", description="console: into a file, for rehearsals")
    sms_quiet: tuple[int, int] = Field(
        (21, 8), description="hours from, to in which none is sent but urgent ones; the same twice: no quiet hours"
    )
    sms_attempts: int = Field(3, ge=1, description="so often one message is handed to the carrier at most")
    sms_settle_s: int = Field(180, ge=30, description="so long after a lost answer the carrier is asked what it has")
    sms_poll_s: int = Field(300, ge=1, description="nothing heard of a delivery for so long: the carrier is asked")
    sms_give_up_h: float = Field(48, gt=0, description="after so long nobody is asked any more")
    twilio_account: str = Field("", pattern=r"^(AC[0-9a-f]{32})?$", description="account SID")
    twilio_token: str = Field("", description="auth token; also signs Twilio's webhooks")
    twilio_from: str = Field("", description="number, sender name, or messaging service (MG…) that sends")
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^/?#\s]+)?$",
        description="how the console is reached from outside, for the carrier's reports; empty: they are asked for",
    )
    # Campaigns of care visits (dispatch/campaign_round.py).
    campaign_s: float = Field(1.0, gt=0, description="how often whom to ring next is chosen")
    ledger_s: float = Field(600, gt=0, description="how often new duties are looked for")

    # Deadlines (models/deadlines.py), in hours; 2 h, 24 h and 7 d are Beijing 12345's classes.
    urgent_h: float = Field(2, gt=0, description="danger to life or property: she hears who comes within so long")
    soon_h: float = Field(24, gt=0, description="what daily life depends on: the same")
    general_h: float = Field(168, gt=0, description="everything else: the same")
    urgent_categories: tuple[str, ...] = Field(("emergency",), description="service categories, JSON list")
    soon_categories: tuple[str, ...] = Field(
        ("repairs", "meals", "medical_accompaniment", "health"), description="service categories, JSON list"
    )
    arrival_grace_h: float = Field(2, ge=0, description="after the wanted part of the day the worker must have come")
    visit_h: float = Field(6, gt=0, description="so long after the arrival the work must be done")
    return_visit_h: float = Field(
        48, gt=0, description="so long after completion she must have been asked; days off come on top"
    )
    warn_share: float = Field(0.75, gt=0, lt=1, description="share of the time after which a deadline is warned of")
    part_hours: dict[str, tuple[int, int]] = Field(
        {"morning": (8, 11), "noon": (11, 13), "afternoon": (13, 18), "evening": (18, 21)},
        description="the parts of the day as hours from, to; JSON object",
    )

    # The choice of a provider (dispatch/choice.py): points that a reason gives or takes.
    offer_together: int = Field(3, ge=1, description="an urgent order is offered to so many providers at once")
    offer_together_h: float = Field(2, ge=0, description="urgent is what must be answered within so long")
    points_favourite: int = Field(30, ge=0, description="she rated this provider 4 or 5 the last time")
    points_score: int = Field(30, ge=0, description="of the mean of its ratings: 1 gives nothing, 5 all")
    points_volunteers: int = Field(10, ge=0, description="volunteers, where volunteers fit")
    points_lately: int = Field(3, ge=0, description="taken off for each order it accepted in `fair_days`")
    points_again: int = Field(50, ge=0, description="taken off where it has done this very order before")
    points_doubted: int = Field(25, ge=0, description="taken off where it said that the service is not its own")
    fair_days: int = Field(7, ge=1, description="orders of so many days count for the fair share")
    score_days: int = Field(180, ge=1, description="ratings of so many days count")
    volunteer_services: tuple[str, ...] = Field(
        ("companionship", "leisure", "errands"), description="where volunteers fit, JSON list"
    )

    # What her calls teach (dispatch/learning.py).
    learn_every_s: float = Field(60, gt=0, description="how often ended calls are looked at")
    learn_looks_back: int = Field(10, ge=1, description="how many of her last calls count")
    learn_slow_timeouts: int = Field(2, ge=1, description="time-outs in a row that make a call a slow one")
    learn_slow_calls: int = Field(2, ge=1, description="slow calls after which she is spoken to slowly")
    learn_person_calls: int = Field(3, ge=1, description="calls in a row that ended with a person: person first")
    learn_quiet_days: int = Field(30, ge=0, description="after an undo the same is not learnt again for so long")

    @property
    def sqlalchemy_url(self) -> str:
        """The database URL, in the form SQLAlchemy takes."""
        return self.database_url or f"sqlite:///{self.var_dir / 'hotline.db'}"

    @property
    def run_dir(self) -> Path:
        """Rendered configuration, sockets and pid files of the running hotline."""
        return self.var_dir / "run"

    @property
    def audio_dir(self) -> Path:
        """The one store of audio, by content key."""
        return self.var_dir / "audio"

    @property
    def prompt_dir(self) -> Path:
        """Rendered and composed prompts; may be emptied at any time."""
        return self.var_dir / "prompts"

    @property
    def spool_dir(self) -> Path:
        """What the dialplan writes without Python: messages and notes of calls, worked off by the sweep."""
        return self.var_dir / "spool"

    @property
    def heard_dir(self) -> Path:
        """Where the speech server leaves audio until the call's row is written; emptied by the sweep."""
        return self.var_dir / "heard"

    @property
    def redis_location(self) -> str:
        """The URL of Redis: the configured one, else the embedded server's socket."""
        return self.redis_url or f"unix://{self.redis_socket}"

    @property
    def redis_socket(self) -> Path:
        """The embedded server's socket. The kernel allows it 107 bytes, and a client of Redis takes what is told of it
        apart at blanks and at "=": a deeper clone, or one in a folder with such a name, gets one in /tmp."""
        path = self.run_dir.absolute() / "redis.sock"
        key = hashlib.sha256(str(path).encode()).hexdigest()[:16]
        others = [Path(folder) / f"hotline-{key}.sock" for folder in (tempfile.gettempdir(), "/tmp")]  # noqa: S108
        usable = [one for one in (path, *others) if len(os.fsencode(one)) < 100 and _PLAIN.fullmatch(str(one))]
        return usable[0] if usable else others[-1]


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
