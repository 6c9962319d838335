"""Logs: one line an event on standard error, telephone numbers masked whatever wrote them."""

from __future__ import annotations

import logging
import re

from models.phone import mask

# Anything that looks like a subscriber's number: with or without +, seven digits or more in a row.
# Ids of channels and epochs are longer words around the digits and stay as they are.
_NUMBER = re.compile(r"(?<![\w.:-])(?:\+|00)?[0-9]{8,15}(?![\w.])")


class MaskNumbers(logging.Filter):
    """Masks telephone numbers in the finished message."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        masked = _NUMBER.sub(lambda match: mask(match.group()), message)
        if masked != message:
            record.msg, record.args = masked, None
        return True


def configure(level: int = logging.INFO) -> None:
    """Send this process's logs to standard error, masked."""
    handler = logging.StreamHandler()
    handler.addFilter(MaskNumbers())
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
