"""Who may be on the line: several contacts at one telephone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from dispatch.outbox import quick_transaction, transaction
from ivr import callers, deeds, inbound_rows
from ivr.turns.state import Her, State
from models import clock, register
from models.base import new_public_id
from models.calls import CallEvent
from models.contacts import Relation
from models.journal import Entry
from models.people import Elder
from models.phone import normalise
from models.preferences import Because, Origin, Setting, put
from models.register import NewContact, NewElder
from models.session import read

HOME = normalise("+8645110000040")  # the telephone of a daughter and her husband


@pytest.fixture
def elders(database: Engine) -> list[int]:
    """Wang and Kim, with nobody by them yet."""
    with transaction() as session:
        new = (
            NewElder("王秀英", [normalise("+8645110000041")], sex="f"),
            NewElder("金英", [normalise("+8645110000042")]),
        )
        return [register.add_elder(session, one, clock.now()).id for one in new]


def stands_by(elder_id: int, name: str, **consents: Any) -> None:
    with transaction() as session:
        elder = session.get_one(Elder, elder_id)
        register.add_contact(session, elder, NewContact(name, [HOME], Relation.CHILD, **consents), clock.now())


def seen() -> callers.Seen:
    with quick_transaction() as rows:
        return callers.look(rows, HOME, clock.now())


def told() -> str:
    """What the journal of a call from the number says of who rings."""
    opened = inbound_rows.open_call(new_public_id(), HOME)
    with read() as session:
        identified = CallEvent.call_id == opened.call_id, CallEvent.kind == Entry.IDENTIFIED
        return str(session.scalars(select(CallEvent).where(*identified)).one().data["how"])


def test_her_dialect_is_known_where_she_rings_herself_and_not_where_somebody_rings_for_her(elders: list[int]) -> None:
    with transaction() as session:
        put(session, elders[0], (Setting.DIALECT, "shandong"), Because(Origin.AGENT), clock.now())
    stands_by(elders[0], "王芳", may_order=True)
    with quick_transaction() as rows:
        herself = callers.look(rows, normalise("+8645110000041"), clock.now())
    daughter = seen()
    now = clock.now()
    assert State(now, "zh-CN", how=herself.how, people=herself.people).dialect == "shandong"
    # She keys her card, or one of a household says who she is: then she is known, too.
    known = deeds._as_she_likes_it
    with read() as session:
        her = known(session, daughter.people[0])
    assert her.dialect == "shandong"
    assert State(now, "zh-CN", how="household", people=(her, her), her=her).dialect == "shandong"
    assert State(now, "zh-CN", how="household", people=(her, her)).dialect == "", "it is not said yet who rings"
    assert State(now, "zh-CN", how="contact", people=(her,), her=her).dialect == ""


def test_two_contacts_at_one_telephone_are_asked_for_which_of_their_elders(elders: list[int]) -> None:
    stands_by(elders[0], "王芳", may_order=True, may_hear_orders=True)
    assert seen().contact_id is not None
    assert told() == "contact"
    stands_by(elders[1], "金刚", may_order=True)
    both = seen()
    assert (both.how, both.contact_id) == ("contact", None)
    assert told() == "contacts", "the journal says that it is not known which one rings"
    assert {one.elder_id: one.may_hear for one in both.people} == {elders[0]: True, elders[1]: False}


def test_of_two_who_stand_by_the_same_elder_the_lesser_consent_counts(elders: list[int]) -> None:
    stands_by(elders[0], "王芳", may_order=True, may_hear_orders=True)
    stands_by(elders[0], "刘强", may_order=True)
    [only] = seen().people
    assert not only.may_hear
    stands_by(elders[0], "刘洋")
    assert (seen().how, seen().people) == ("unknown", ())


def test_a_card_keyed_at_a_telephone_of_two_contacts_gives_what_both_may(elders: list[int]) -> None:
    """It is not known who of them rings: what both have been allowed is had, and nothing else."""
    with transaction() as session:
        for elder_id, card in zip(elders, ("H-100-041", "H-100-042"), strict=True):
            session.get_one(Elder, elder_id).card_number = card
    stands_by(elders[0], "王芳", may_order=True, may_hear_orders=True)
    stands_by(elders[1], "金刚", may_hear_orders=True)

    def keyed(card: str) -> Her | None:
        opened = inbound_rows.open_call(new_public_id(), HOME)
        found = deeds.do("card", deeds.Doing(opened.call_id, State(clock.now(), "zh-CN", opened.seen.how), card))
        return found[0] if isinstance(found, tuple) else None

    wang = keyed("100041")
    assert wang is not None and (wang.elder_id, wang.may_hear) == (elders[0], True)
    assert keyed("100042") is None, "nobody here may order for her"
    stands_by(elders[0], "刘强", may_order=True)
    wang = keyed("100041")
    assert wang is not None and not wang.may_hear, "of two who stand by her the lesser consent counts"
    stands_by(elders[0], "刘洋")
    assert keyed("100041") is None, "who may do nothing has no more by her card"
