"""The entry point of `hotline` and of `python -m hotline`."""

from __future__ import annotations

import sys

from models.startup import loading


def main() -> None:
    """Do what the command line says. `hotline up` stays for good: it loads only what it runs itself."""
    if sys.argv[1:] == ["up"]:
        with loading():
            from hotline import up
            from models import logs
        logs.configure()
        try:
            up.run()
        except KeyboardInterrupt:
            sys.exit("Aborted!")
        return
    with loading():
        from hotline.commands import app
    app()
