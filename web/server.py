"""The console under gunicorn: one worker, many threads, a quick and clean stop."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from models.settings import Settings
from web.app import create_app
from web.config import ConsoleSettings

# No address, no query, no referrer, no user agent: a log line is about a request, not about a person.
ACCESS_LOG = "%(m)s %(U)s %(s)s %(b)s %(M)sms"


class AccessLog(Logger):
    """Gunicorn's log without the supervisor's question every two seconds."""

    def access(self, resp: Any, req: Any, environ: MutableMapping[str, Any], request_time: Any) -> None:
        """Log one request, unless it only asked whether the process lives."""
        if environ.get("PATH_INFO") != "/livez":
            super().access(resp, req, environ, request_time)


class Console(BaseApplication):
    """Gunicorn, told everything here instead of by a file or a command line."""

    def __init__(self, app: Flask, settings: Settings, console: ConsoleSettings) -> None:
        self._app = app
        self._options: dict[str, Any] = {
            "bind": f"{settings.host}:{settings.web_port}",
            "workers": 1,  # streams of all pages share one watcher; threads carry the load
            "worker_class": "gthread",
            "threads": console.threads,
            "worker_connections": console.threads * 4,
            "keepalive": 15,
            "timeout": 60,
            "graceful_timeout": 3,
            "accesslog": "-",
            "logger_class": AccessLog,
            "access_log_format": ACCESS_LOG,
            "errorlog": "-",
            "loglevel": "info",
            # The scheme is not believed from anybody; web.security does that for listed proxies only.
            "forwarded_allow_ips": "",
            "secure_scheme_headers": {},
            "control_socket_disable": True,
            "limit_request_line": 2048,
            "post_worker_init": self._tell_watcher,
        }
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Give gunicorn the application."""
        return self._app

    def _tell_watcher(self, worker: Any) -> None:
        # Open streams would hold up a stopping worker; they end as soon as it begins to stop.
        self._app.extensions["watcher"].stopping = lambda: not worker.alive


def serve(settings: Settings) -> None:
    """Serve the console until SIGTERM or SIGINT."""
    console = ConsoleSettings()
    Console(create_app(settings, console), settings, console).run()
