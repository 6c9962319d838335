"""The return visit: she has answered our call and is asked how it was; the turns are those of her own calls."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from sqlalchemy.orm import object_session

from ivr import endings, handover, outbound
from ivr.agi import Line
from ivr.conversation import Conversation
from ivr.matters import known
from ivr.outbound_turns import Gone
from ivr.turns import Her, State
from models import clock
from models.calls import CallEnd
from models.dialing import Attempt, Outcome
from models.followups import ReturnVisitStatus
from models.orders import OrderStatus
from models.preferences import preferences


@dataclass(frozen=True)
class _Ends:
    """Whatever was not settled by what she said is written with the end of the call."""

    channel_id: str

    def to_person(self, _call_id: int, reason: str) -> None:
        """She wants a person, who will ask her as well."""
        outbound.go_to_person(self.channel_id, reason)

    def goodbye(self, _call_id: int) -> None:
        """It came to its end. With questions left over nobody was there, or a machine."""
        outbound.end(self.channel_id, Outcome.NO_KEY, CallEnd.GOODBYE)


def return_visit(line: Line) -> None:
    """The elder has answered: ask her about each order, then take a word of her own."""
    channel_id = line.env["agi_uniqueid"]
    answered = outbound.answer(channel_id, _state)
    if answered is None:
        handover.hang_up(line)
        return
    state = answered.notice
    if isinstance(state, Gone):
        handover.hang_up(line)
        outbound.end(channel_id, Outcome.TOO_LATE, CallEnd.GOODBYE)
        return
    conversation = Conversation(line, answered, state, _Ends(channel_id))
    ends = endings.written(channel_id, hung_up=outbound.hung_up, broken=outbound.give_up)
    with closing(conversation.listener), ends:
        conversation.lead()


def _state(attempt: Attempt) -> State | Gone:
    """Return the conversation's beginning; `Gone` where she has said it all meanwhile."""
    visit, session = attempt.return_visit, object_session(attempt)
    assert visit is not None and session is not None  # noqa: S101 (the dialplan's context and the attempt agree)
    person = visit.elder.person
    asked = tuple(known(one.order) for one in visit.open_questions if one.order.status == OrderStatus.COMPLETED)
    if visit.status != ReturnVisitStatus.OPEN or not asked:
        return Gone((), person.language)
    way = preferences(session, person.id)
    her = Her(person.id, person.family_name, person.sex, person.language, way.pace, way.volume, dialect=way.dialect)
    now = clock.local(clock.now())
    return State(now, her.language, how="return_visit", people=(her,), asked=asked, visit_id=visit.id)
