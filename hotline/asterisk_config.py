"""Renders Asterisk's configuration for `hotline up` from the same files that are the production samples.

A line that ends in `; @name` has its value replaced by the setting of that
name; a line that is only `; @name` is replaced by lines. Everything else is
copied as it stands, so that what is tried here is what production runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from socket import AF_INET

import psutil

from ivr.prompts import voice
from models.queue_rules import RULES_FILE
from models.settings import ROOT, Settings
from models.toolbox import AsteriskTool, asterisk

# On the way to a person: begun, with the notice, unless the conversation has begun it or decided against it.
_RECORD_PERSON = ' same => n,GosubIf($["${RECORDED}" = ""]?record,notice,1)'
SAMPLES = ROOT / "dialplans" / "etc"
DIALPLAN = ROOT / "dialplans"
_VALUE = re.compile(r"^(?P<head>[^;\[]*?=>?\s*)(?P<value>.*?)\s*;\s*@(?P<name>\w+)\s*$")
_SECTION = re.compile(r"^\[[^\]]*\]\s*;\s*@(?P<name>\w+)\s*$")
_LINES = re.compile(r"^;\s*@(?P<name>\w+)\s*$")


class UnknownMark(KeyError):
    """A sample names a value that nobody gives."""


def render(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with every marked value replaced.

    Raises:
        UnknownMark: a mark has no value.
    """
    return "\n".join(_render_line(line, values) for line in text.splitlines()) + "\n"


def _render_line(line: str, values: Mapping[str, str]) -> str:
    for pattern, form in ((_VALUE, "{head}{new}"), (_SECTION, "[{new}]"), (_LINES, "{new}")):
        match = pattern.match(line)
        if match:
            name = match.group("name")
            if name not in values:
                raise UnknownMark(name)
            new = values[name] if pattern is _LINES else _value(values[name])
            return form.format(new=new, **{k: v for k, v in match.groupdict().items() if k == "head"})
    return line


def _value(text: str) -> str:
    """Return `text` as the value of a line: no comment begins in it, and it is one line."""
    if not text.isprintable():
        raise ValueError("a line break or a control character in a value of Asterisk's configuration")
    return text.replace(";", "\\;")


def values(settings: Settings, tool: AsteriskTool, run_dir: Path) -> dict[str, str]:
    """Return what the marks of all samples stand for in this installation."""
    lib = run_dir / "asterisk" / "lib"
    return {
        "etc_dir": str(run_dir / "asterisk" / "etc"),
        "modules_dir": str(tool.modules_dir),
        "lib_dir": str(lib),
        "data_dir": str(lib),
        "agi_bin_dir": str(lib / "agi-bin"),
        "asterisk_spool_dir": str(run_dir / "asterisk" / "spool"),
        "asterisk_run_dir": str(run_dir / "asterisk"),
        "asterisk_log_dir": str(run_dir / "asterisk" / "log"),
        "sbin_dir": str(lib),
        "host": settings.host,
        "sip_bind": f"{settings.host}:{settings.sip_port}",
        "trunk_contact": f"sip:{settings.trunk}",
        "trunk_hosts": ",".join(settings.trunk_hosts) or _trunk_comes_from(settings),
        "trunk_asks": "\n".join(_trunk_asks(settings)),
        "most_calls": str(settings.most_calls),
        "rtp_start": str(settings.rtp_start),
        "rtp_end": str(settings.rtp_end),
        "ami_port": str(settings.ami_port),
        "ami_section": settings.ami_user,
        "ami_secret": settings.ami_secret,
        "asterisk_http_port": str(settings.asterisk_http_port),
        "agi_url": f"agi://{settings.host}:{settings.agi_port}",
        **{
            f"speech_url_{language.replace('-', '_')}": f"ws://{settings.host}:{settings.speech_port}/{language}"
            for language in settings.languages
        },
        "static_prompts": str(voice.static_dir()),
        **{
            f"moh_{language.replace('-', '_')}": str(voice.static_dir() / language / "hold")
            for language in settings.languages
        },
        "spool_dir": str(settings.spool_dir),
        "first_language": settings.languages[0],
        "studio_extension": f"{settings.studio_extension},1,Goto(studio,s,1)",
        # Without recording the lines are not there: they cost nothing.
        "record_person": _RECORD_PERSON if settings.recording else "",
        "queue_wait_s": str(settings.queue_wait_s),
        "wait_lap_s": str(settings.wait_lap_s),
        "queue_rules": f'#tryinclude "{settings.run_dir / RULES_FILE}"',
        "emergency_number": settings.emergency_number,
        "on_call_number": settings.on_call_number,
        "agent_ring_s": str(settings.agent_ring_s),
        "hotline_number": settings.hotline_number,
        "ice_host_candidates": "\n".join(
            f"{address} => {settings.host}" for address in _own_addresses(settings) if address != settings.host
        ),
        "agent_members": "\n".join(
            f"member => Local/{phone}@agent-phone/n,0,,Local/{phone}@agent-phone" for phone in settings.agent_phones
        ),
    }


def _trunk_comes_from(settings: Settings) -> str:
    """Return what a request must come from to be the trunk's, where nobody has said it.

    On this machine a browser, or the proxy before it, has the same address: there the trunk's port belongs to it, or
    anybody who reaches the WebSocket would be the carrier. A carrier elsewhere may send from any port.
    """
    host = settings.trunk.rpartition(":")[0]
    here = {one.address for all_of in psutil.net_if_addrs().values() for one in all_of}
    return settings.trunk if host.strip("[]") in here | {"localhost"} or host.startswith("127.") else host


def _own_addresses(settings: Settings) -> list[str]:
    """Return this machine's addresses where browsers are on this machine only; none where others reach its audio."""
    if settings.phone_media_address not in ("", settings.host):
        return []
    found = {one.address for all_of in psutil.net_if_addrs().values() for one in all_of if one.family == AF_INET}
    return sorted(found)


def _trunk_asks(settings: Settings) -> Iterator[str]:
    """Yield the lines by which the trunk knows us, where it asks who we are; the last of them open a section."""
    if settings.trunk_caller_id:
        # A carrier that checks what we show refuses every other number, also of a call that is passed on.
        yield f"from_user={settings.trunk_caller_id}\nsend_pai=no"
    if settings.trunk_user:
        yield "outbound_auth=trunk-auth"
        yield f"\n[trunk-auth]\ntype=auth\nauth_type=digest\nusername={settings.trunk_user}"
        yield f"password={settings.trunk_password}"


def write(settings: Settings) -> list[str]:
    """Write the configuration into the run directory; return the command that starts Asterisk with it.

    Raises:
        ToolMissing: there is no Asterisk that is new enough.
    """
    tool = asterisk(settings.cache_dir, settings.asterisk_binary)
    base = settings.run_dir / "asterisk"
    etc = base / "etc"
    for folder in (
        etc,
        base / "lib" / "agi-bin",
        base / "lib" / "keys",
        base / "spool",
        base / "log",
        settings.spool_dir,
    ):
        folder.mkdir(parents=True, exist_ok=True)
    filled = values(settings, tool, settings.run_dir)
    sources = {path.name.removesuffix(".sample"): path for path in SAMPLES.glob("*.conf.sample")}
    sources |= {path.name: path for path in DIALPLAN.glob("*.conf")}
    sources["asterisk.conf"] = ROOT / "asterisk.conf.sample"
    for name, source in sources.items():
        target = etc / name
        target.write_text(render(source.read_text(), filled))
        target.chmod(0o600)
    for name in ("documentation", "static-http", "rest-api"):
        # Asterisk looks for its documentation under its data directory, which is ours.
        link, real = base / "lib" / name, tool.data_dir / name
        if real.is_dir() and not link.exists():
            link.symlink_to(real)
    return [*tool.argv, "-f", "-n", "-C", str(etc / "asterisk.conf")]
