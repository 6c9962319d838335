"""The recording of a call begins after a notice in her language; where it is off, nothing of this is asked."""

from __future__ import annotations

import logging

from dispatch import disk
from ivr.agi import Line
from ivr.listening import Listener
from ivr.prompts.words import line as prompt
from models import clock
from models.journal import Entry, write_turn
from models.settings import settings

log = logging.getLogger(__name__)


def begin(line: Line, listener: Listener, call_id: int, language: str) -> str | None:
    """Say the notice and record from there on; return the key with which she spoke up meanwhile.

    She need not hear it out: 0 and 9 are what they always are, and any other key is her
    first answer where that question is an open one (ivr/conversation.py). On a full disk
    there is neither recording nor notice, and the call goes on.
    """
    if not settings().recording:
        return None
    if disk.is_low():
        # So that the dialplan does not begin either, should the call go on to a person.
        line.set_variable("RECORDED", "no")
        write_turn(call_id, clock.now(), [(Entry.RECORDING, {"how": "disk_full"})])
        return None
    key = listener.ask_before(prompt("recording_notice"), language)
    line.gosub("record")
    write_turn(call_id, clock.now(), [(Entry.RECORDING, {"how": "on"})])
    return key
