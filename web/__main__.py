"""`python -m web` serves the console."""

import sys

from models.settings import settings
from web.app import NoSecret
from web.server import serve

if __name__ == "__main__":
    try:
        serve(settings())
    except NoSecret as error:
        sys.exit(f"hotline: {error}")
