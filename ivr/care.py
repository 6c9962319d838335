"""We have rung an elder to ask how she is: the conversation of an automatic care call."""

from __future__ import annotations

from contextlib import closing

from ivr import care_rows, endings, handover, outbound
from ivr.agi import Line
from ivr.conversation import Conversation
from ivr.turns import Ask, Do, Move, ToPerson
from models.calls import CallEnd
from models.settings import settings

# How many people could take the call over now: everybody is a member of the urgent queues.
_FREE = "QUEUE_MEMBER(urgent-{},free)"


def care(line: Line) -> None:
    """Lead the call to its end, or on to a person. What was answered until then is kept, whatever happens."""
    channel_id = line.env["agi_uniqueid"]
    answered = outbound.answer(channel_id, care_rows.asked)
    if answered is None:
        handover.hang_up(line)
        return
    ends = _Ends(channel_id)
    conversation = ends.conversation = _CareCall(line, answered, answered.notice, ends)
    written = endings.written(channel_id, hung_up=care_rows.hung_up, broken=care_rows.give_up)
    with closing(conversation.listener), written:
        conversation.lead()


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
    """The same conversation as an inbound one; it knows who could take it over, and when no machine need be feared."""

    _watched = True  # what talks on the line is told to dispatch

    def _ask(self, move: Ask) -> Move:
        following = super()._ask(move)
        if self.state.care is not None and self.state.care.answers:
            self._stop_watching()
        return following

    def _on_the_way(self, move: ToPerson) -> None:
        super()._on_the_way(move)
        self._stop_watching()

    def _stop_watching(self) -> None:
        """Whoever has answered is no machine: Asterisk need not listen to every packet of hers any more."""
        if self._watched:
            self._line.set_variable("TALK_DETECT(remove)", "")
            self._watched = False

    def do(self, deed: Do) -> Move:
        """Have it done; whether an agent is free, the queue itself knows."""
        if deed.verb == "agent_free":
            free = self._line.get_variable(_FREE.format(settings().languages[0]))
            return self.done(deed, free not in ("", "0", None))
        return super().do(deed)
