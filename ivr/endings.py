"""However a call of ours breaks off, it is written before the line is left: one place for all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from asterisk.agi import AGIHangup

from ivr.agi import LineLost

log = logging.getLogger(__name__)


@contextmanager
def written(channel_id: str, *, hung_up: Callable[[str], None], broken: Callable[[str], None]) -> Iterator[None]:
    """Write how the conversation inside ends, should it end before its time; whatever ended it goes on.

    `hung_up`: whoever was rung has put the receiver down. `broken`: Asterisk, its connection or something of ours
    broke: nobody is blamed for it, and whoever was rung is rung again; the call itself goes on to a person, which
    is the dialplan's default.
    """
    try:
        yield
    except LineLost:
        log.warning("the line of %s was lost in the middle of the call", channel_id)
        broken(channel_id)
        raise
    except AGIHangup:
        hung_up(channel_id)
        raise
    except Exception:
        broken(channel_id)
        raise
