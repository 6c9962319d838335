"""`python -m web` serves the console."""

from __future__ import annotations

import sys

from models.startup import loading

if __name__ == "__main__":
    with loading():
        from models.settings import settings
        from web.app import NoSecret
        from web.server import serve
    try:
        serve(settings())
    except NoSecret as error:
        sys.exit(f"hotline: {error}")
