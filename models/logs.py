"""Logs: one line an event on standard error, telephone numbers masked whatever wrote them."""

from __future__ import annotations

import logging
import re

from models.phone import mask

# Anything that looks like a subscriber's number: with or without +, seven to fifteen digits in a row.
# Ids of channels (`1763766000.12`) and longer words around the digits stay as they are.
_NUMBER = re.compile(r"(?<![A-Za-z0-9_])(?:\+|00)?[0-9]{7,15}(?![A-Za-z0-9_]|\.[0-9])")


def masked(text: str) -> str:
    """Return `text` with every telephone number masked."""
    return _NUMBER.sub(lambda match: mask(match.group()), text)


class MaskingFormatter(logging.Formatter):
    """Masks the finished text: a traceback quotes what a database or a caller has said."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as it is written, masked."""
        return masked(super().format(record))


def configure(level: int = logging.INFO) -> None:
    """Send this process's logs to standard error, masked."""
    handler = logging.StreamHandler()
    handler.setFormatter(MaskingFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.basicConfig(level=level, handlers=[handler], force=True)
