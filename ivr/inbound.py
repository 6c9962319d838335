"""Somebody rings: who is it, what does she need, is it right; and then it is done, or a person takes the call."""

from __future__ import annotations

from asterisk.agi import AGIHangup

from ivr import inbound_rows
from ivr.agi import Line
from ivr.conversation import Conversation
from ivr.turns import State
from models import clock, phone
from models.settings import settings


def answer_call(line: Line) -> None:
    """Lead the conversation of one inbound call to its end, or on to a person."""
    number = _number(line)
    opened = inbound_rows.open_call(line.env["agi_uniqueid"], number)
    call_id = opened.call_id
    conversation = Conversation(line, opened, _first(opened, number), inbound_rows)
    try:
        conversation.lead()
    except AGIHangup:
        inbound_rows.hung_up(call_id)
        raise
    except Exception:
        inbound_rows.failed(call_id)
        raise
    finally:
        conversation.listener.close()


def _number(line: Line) -> phone.Number | None:
    return phone.caller(line.shown_number, settings().area_code)


def _first(opened: inbound_rows.Opened, number: phone.Number | None) -> State:
    seen = opened.seen
    return State(
        clock.local(clock.now()),
        seen.language,
        how=seen.how,
        people=seen.people,
        number=number.value if number else None,
        matters=seen.matters,
        offers=seen.offers,
        off=opened.off,
    )
