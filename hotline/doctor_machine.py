"""What the doctor looks at on the machine: Python, packages, programs, ports, disk, clock."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psutil
from packaging.requirements import Requirement

from hotline.doctor import Check, Finding, failed, ok, warning
from models import toolbox
from models.settings import ROOT, Settings

SYNC = "run `make setup`, which brings .venv to the lock file"
# No release of this project existed before: a clock that says so has lost its battery.
NOT_BEFORE = datetime(2026, 7, 1, tzinfo=UTC)
DISK_LOW_GB = 2.0
DISK_FULL_GB = 0.3


def python(settings: Settings) -> Iterator[Finding]:
    """The interpreter of this environment."""
    said = f"{sys.version.split()[0]}, {sys.prefix}"
    if sys.version_info < (3, 11):  # noqa: UP036 -- this is the check that tells so
        yield failed("Python", said, "install Python 3.11 or newer, then `make distclean setup`")
    else:
        yield ok("Python", said)


def locked_versions(lock: Path) -> dict[str, str]:
    """What the lock file wants on this machine: name → version."""
    wanted: dict[str, str] = {}
    for line in lock.read_text(encoding="utf8").splitlines():
        if line and not line[0].isspace() and not line.startswith("#"):
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate():
                wanted[_canonical(requirement.name)] = next(iter(requirement.specifier)).version
    return wanted


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def packages(settings: Settings) -> Iterator[Finding]:
    """The lock file against what is installed."""
    lock = ROOT / "requirements.lock"
    if not lock.exists():
        yield warning("Packages", f"{lock} is not there, nothing to compare with", "run from a clone")
        return
    wanted = locked_versions(lock)
    installed = {_canonical(d.metadata["Name"]): d.version for d in importlib.metadata.distributions()}
    wrong = [f"{n} {installed.get(n, 'missing')} (lock: {v})" for n, v in wanted.items() if installed.get(n) != v]
    if wrong:
        shown = ", ".join(wrong[:5]) + (f" and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        yield failed("Packages", shown, SYNC)
    else:
        yield ok("Packages", f"{len(wanted)} as locked")


def asterisk(settings: Settings) -> Iterator[Finding]:
    """The telephone exchange."""
    try:
        tool = toolbox.asterisk(settings.cache_dir, settings.asterisk_binary)
    except toolbox.ToolMissing as error:
        yield failed("Asterisk", str(error), error.remedy)
        return
    where = "on PATH" if len(tool.argv) == 1 else f"from Debian {toolbox.manifest(settings.cache_dir).get('suite')}"
    if not any(tool.modules_dir.glob("res_agi.so")):
        yield failed(
            "Asterisk", f"{tool.version}, but no modules in {tool.modules_dir}", "install its modules package too"
        )
    else:
        yield ok("Asterisk", f"{tool.version}, {where}")


def voice_tools(settings: Settings) -> Iterator[Finding]:
    """Programs that make prompts, and the one that makes load."""
    for name, find in (("espeak-ng", toolbox.espeak), ("sox", toolbox.sox)):
        try:
            yield ok(name, find(settings.cache_dir).version)
        except toolbox.ToolMissing as error:
            yield failed(name, str(error), error.remedy)
    try:
        yield ok("SIPp", toolbox.sipp(settings.cache_dir).version)
    except toolbox.ToolMissing as error:
        yield warning("SIPp", f"{error}; only `make bench` needs it", error.remedy)


def ports(settings: Settings) -> Iterator[Finding]:
    """Each port is free, or held by a process of this hotline."""
    wanted = {
        "sip_port": (settings.sip_port, socket.SOCK_DGRAM),
        "ami_port": (settings.ami_port, socket.SOCK_STREAM),
        "asterisk_http_port": (settings.asterisk_http_port, socket.SOCK_STREAM),
        "agi_port": (settings.agi_port, socket.SOCK_STREAM),
        "speech_port": (settings.speech_port, socket.SOCK_STREAM),
        "web_port": (settings.web_port, socket.SOCK_STREAM),
    }
    busy: dict[str, int] = {n: p for n, (p, kind) in wanted.items() if not _free(settings.host, p, kind)}
    foreign = {n: p for n, p in busy.items() if not _ours(p, settings)}
    for name, port in foreign.items():
        variable = f"HOTLINE_{name.upper()}"
        yield failed("Ports", f"{port} is taken by {_holder(port)}", f"end it, or set {variable} to another port")
    numbers = [port for port, _ in wanted.values()]
    if len(set(numbers)) < len(numbers):
        yield failed("Ports", f"one number for two services: {sorted(numbers)}", "give each HOTLINE_…_PORT its own")
    if settings.rtp_end - settings.rtp_start < 9 or settings.rtp_start <= settings.sip_port <= settings.rtp_end:
        said = f"audio on {settings.rtp_start}–{settings.rtp_end}, SIP on {settings.sip_port}"
        yield failed("Ports", said, "set HOTLINE_RTP_START and HOTLINE_RTP_END to a wide range of their own")
    elif not foreign:
        running = "the hotline is running" if busy else "all free"
        yield ok("Ports", f"{', '.join(map(str, numbers))} on {settings.host}: {running}")


def _free(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # Connections that have just ended do not hold a port for a server.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _holders(port: int) -> list[psutil.Process]:
    try:
        connections = psutil.net_connections("inet")
    except psutil.AccessDenied:
        return []
    pids = {c.pid for c in connections if c.laddr and c.laddr.port == port and c.pid and not c.raddr}
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def _holder(port: int) -> str:
    names = [f"{p.name()} (pid {p.pid})" for p in _holders(port)]
    return ", ".join(names) or "another user's process"


def _ours(port: int, settings: Settings) -> bool:
    """Our processes name the run directory (Asterisk) or the clone's interpreter on their command line."""
    marks = (str(settings.var_dir.absolute()), str(ROOT / ".venv"))
    for process in _holders(port):
        try:
            if any(mark in argument for argument in process.cmdline() for mark in marks):
                return True
        except psutil.Error:
            continue
    return False


def disk(settings: Settings) -> Iterator[Finding]:
    """Room for recordings and for downloads, and leave to write there."""
    for name, folder in (("Data folder", settings.var_dir), ("Cache folder", settings.cache_dir)):
        existing = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
        variable = "HOTLINE_VAR_DIR" if folder == settings.var_dir else "HOTLINE_CACHE_DIR"
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            yield failed(name, f"{folder} cannot be written", f"give this user {existing}, or set {variable}")
            continue
        free = shutil.disk_usage(existing).free / 1e9
        said = f"{folder}, {free:.1f} GB free"
        if free < DISK_FULL_GB:
            yield failed(name, said, f"make room, or set {variable} to another disk")
        elif free < DISK_LOW_GB:
            yield warning(name, said, f"make room: {DISK_LOW_GB:.0f} GB at least for recordings and downloads")
        else:
            yield ok(name, said)


def clock(settings: Settings) -> Iterator[Finding]:
    """The time zone is known, the time is plausible and kept right."""
    try:
        local = datetime.now(ZoneInfo(settings.timezone))
    except (ZoneInfoNotFoundError, ValueError):
        yield failed(
            "Time zone",
            f"{settings.timezone} is unknown here",
            "apt-get install tzdata, or correct HOTLINE_TIMEZONE",
        )
        return
    said = f"{local:%Y-%m-%d %H:%M} in {settings.timezone}"
    if local < NOT_BEFORE:
        yield failed("Clock", f"{said}: that is past", "set the clock, and have NTP keep it")
    elif _synchronised() == "no":
        yield warning("Clock", f"{said}, kept right by nobody", "timedatectl set-ntp true")
    else:
        yield ok("Clock", said)


def _synchronised() -> str:
    """`yes`, `no`, or empty where nobody can tell (containers)."""
    if shutil.which("timedatectl") is None:
        return ""
    try:
        done = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=5,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


MACHINE: dict[str, Check] = {
    "Python": python,
    "Packages": packages,
    "Asterisk": asterisk,
    "Voice tools": voice_tools,
    "Ports": ports,
    "Disk": disk,
    "Clock": clock,
}
