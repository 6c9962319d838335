"""What `hotline up` prepares before the supervisor takes over: folders, schema, prompts, configuration."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from datetime import datetime

from hotline import asterisk_config, health, secret_store
from hotline.supervisor import Program, Supervisor, programs
from ivr.prompts import completeness, recorded, voice
from models import schema, toolbox
from models.session import engine
from models.settings import Settings, settings


def use_secrets() -> Settings:
    """Put the installation's secrets where this process and its children find them; return the settings."""
    for name, value in secret_store.ensure(settings().var_dir).items():
        os.environ.setdefault(f"HOTLINE_{name.upper()}", value)
    settings.cache_clear()
    return settings()


def embedded_redis(chosen: Settings) -> list[Program]:
    """Return the embedded server as a program; none where a real Redis is configured."""
    if chosen.redis_url:
        return []
    folder = chosen.var_dir / "redis"
    folder.mkdir(parents=True, exist_ok=True)
    path = chosen.redis_socket
    command = (
        *toolbox.redis_binary().argv, "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700",
        "--dir", str(folder), "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--loglevel", "warning", "--daemonize", "no",
    )  # fmt: skip
    return [Program("redis", command, {}, health.redis_socket(path))]


def prepare(say_progress: bool = True) -> tuple[Settings, list[str]]:
    """Make the installation ready to run; return the settings and Asterisk's command."""
    chosen = use_secrets()
    for folder in (chosen.var_dir, chosen.run_dir, chosen.spool_dir, chosen.audio_dir, chosen.prompt_dir):
        folder.mkdir(parents=True, exist_ok=True)
    chosen.var_dir.chmod(0o700)
    schema.upgrade(engine())
    engine().dispose()
    if lacking := completeness.check_texts(chosen.languages):
        named = ", ".join(sorted({f"{problem.language} {problem.key}" for problem in lacking})[:5])
        raise SystemExit(f"{len(lacking)} prompts are not whole: {named}; see `hotline prompts check`")
    recorded.refresh()
    for number, language in enumerate(chosen.languages, start=1):
        if voice.build_static(language) and say_progress:
            print(f"prompts {number}/{len(chosen.languages)}: {language}", file=sys.stderr, flush=True)  # noqa: T201
    return chosen, asterisk_config.write(chosen)


def run() -> None:
    """Run the hotline until SIGTERM or Ctrl-C."""
    chosen, asterisk_command = prepare()
    asyncio.run(_run(chosen, asterisk_command))


async def _run(chosen: Settings, asterisk_command: list[str]) -> None:
    def say(name: str, text: str) -> None:
        print(f"{datetime.now():%H:%M:%S} {name:<10} {text}", flush=True)  # noqa: T201, DTZ005

    supervisor = Supervisor(chosen, say)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, supervisor.stop)
    await supervisor.run(programs(chosen, asterisk_command), embedded_redis(chosen))
