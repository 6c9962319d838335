"""`python -m ivr`: the FastAGI server."""

from __future__ import annotations

from models.startup import loading

if __name__ == "__main__":
    with loading():
        from ivr.server import serve
        from models import logs
    logs.configure()
    serve()
