"""`python -m web` serves the console."""

import gc
import sys

from models.settings import settings
from web.app import NoSecret
from web.server import serve

if __name__ == "__main__":
    # What was imported stays for good: nobody has to walk it again, neither at work nor at the end.
    gc.freeze()
    try:
        serve(settings())
    except NoSecret as error:
        sys.exit(f"hotline: {error}")
