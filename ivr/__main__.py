"""`python -m ivr`: the FastAGI server."""

from __future__ import annotations

from ivr.server import serve
from models import logs

if __name__ == "__main__":
    logs.configure()
    serve()
