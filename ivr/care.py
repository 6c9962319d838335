"""We have rung an elder to ask how she is: the conversation of an automatic care call."""

from __future__ import annotations

from asterisk.agi import AGIHangup

from ivr import care_rows, handover
from ivr.agi import Line, LineLost
from ivr.conversation import Conversation
from ivr.turns import Do, Move, State
from models import clock
from models.calls import CallEnd
from models.settings import settings

# How many people could take the call over now: everybody is a member of the urgent queues.
_FREE = "QUEUE_MEMBER(urgent-{},free)"


def care(line: Line) -> None:
    """Lead the call to its end, or on to a person. What was answered until then is kept, whatever happens."""
    channel_id = line.env["agi_uniqueid"]
    found = care_rows.answered(channel_id)
    if found is None:
        handover.hang_up(line)
        return
    opened, visit = found
    her = opened.seen.people[0]
    moment = clock.local(clock.now())
    # Nobody at this telephone is a worker who reports: it was we who rang.
    state = State(moment, opened.seen.language, how="care", people=(her,), her=her, care=visit, at_door=False)
    ends = _Ends(channel_id)
    conversation = ends.conversation = _CareCall(line, opened, state, ends)
    try:
        conversation.lead()
    except LineLost:
        care_rows.failed(channel_id)
        raise
    except AGIHangup:
        care_rows.end(channel_id, CallEnd.HUNG_UP)
        raise
    except Exception:
        care_rows.failed(channel_id)
        raise
    finally:
        conversation.listener.close()


class _Ends:
    """What is written when the visit's call ends."""

    conversation: Conversation

    def __init__(self, channel_id: str) -> None:
        self._channel_id = channel_id

    def to_person(self, _call_id: int, reason: str) -> None:
        """She goes to a person; an emergency is an alarm task at once."""
        care_rows.to_person(self._channel_id, reason)

    def goodbye(self, _call_id: int) -> None:
        """All was asked, or nobody answered what was asked."""
        visit = self.conversation.state.care
        care_rows.end(self._channel_id, CallEnd.GOODBYE, silent=visit is not None and visit.silent)


class _CareCall(Conversation):
    """The same conversation as an inbound one; it knows who could take it over."""

    def do(self, deed: Do) -> Move:
        """Have it done; whether an agent is free, the queue itself knows."""
        if deed.verb == "agent_free":
            free = self._line.get_variable(_FREE.format(settings().languages[0]))
            return self.done(deed, free not in ("", "0", None))
        return super().do(deed)
