"""Who may be ringing: elders, households, those who ring for them, providers; and by service card. Both databases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, event, select

from models import register
from models.callers import Candidates, elder_by_card, who_rings
from models.contacts import Contact, Relation
from models.people import Elder, card_digits
from models.phone import normalise
from models.register import NewContact, NewElder, NewProvider
from models.session import read, write

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
HOME, OTHER_HOME = normalise("+8645110000001"), normalise("+8645110000002")
DAUGHTER, BUTLER, SHOP = normalise("+8611000000003"), normalise("+8645110000004"), normalise("+8645110000005")


@pytest.fixture(params=["database", "postgres_database"])
def base(request: pytest.FixtureRequest) -> Engine:
    engine: Engine = request.getfixturevalue(request.param)
    return engine


@pytest.fixture
def town(base: Engine) -> dict[str, int]:
    """A couple behind one telephone, a widow, the couple's daughter, a butler for all three, a shop."""
    with write() as session:
        wang = register.add_elder(session, NewElder("王秀英", [HOME], sex="f", card_number="D-0001"), NOW)
        li = register.add_elder(session, NewElder("李大山", [HOME], sex="m", card_number="２３０１-77"), NOW)
        kim = register.add_elder(session, NewElder("김영희", [OTHER_HOME], language="ko", card_number="E0001"), NOW)
        daughter = NewContact("李小梅", [DAUGHTER], Relation.CHILD, sex="f", may_order=True, may_hear_orders=True)
        register.add_contact(session, wang, daughter, NOW)
        register.add_contact(session, li, daughter, NOW)
        for elder in (kim, wang, li):
            butler = NewContact("孙管家", [BUTLER], Relation.BUTLER, may_order=elder is not kim)
            register.add_contact(session, elder, butler, NOW)
        shop = register.add_provider(session, NewProvider("康乐助浴", [SHOP], ["bathing"]), NOW)
        return {"wang": wang.id, "li": li.id, "kim": kim.id, "shop": shop.id}


def test_one_number_one_elder(town: dict[str, int]) -> None:
    with read() as session:
        found = who_rings(session, OTHER_HOME)
    assert [elder.person_id for elder in found.elders] == [town["kim"]]
    (kim,) = found.elders
    assert (kim.name, kim.family_name, kim.sex, kim.language) == ("김영희", "김", None, "ko")
    assert not found.helpers and not found.providers


def test_a_household_is_several_elders_in_the_order_of_registration(town: dict[str, int]) -> None:
    with read() as session:
        assert [elder.person_id for elder in who_rings(session, HOME).elders] == [town["wang"], town["li"]]


def test_a_daughter_rings_for_both_parents(town: dict[str, int]) -> None:
    with read() as session:
        found = who_rings(session, DAUGHTER)
    (daughter,) = found.helpers
    assert not found.elders and daughter.who.name == "李小梅" and daughter.who.family_name == "李"
    assert [charge.elder.person_id for charge in daughter.charges] == [town["wang"], town["li"]]
    (one, _) = daughter.charges
    assert (one.relation, one.may_order, one.may_hear_orders, one.may_hear_money, one.may_hear_health) == (
        "child", True, True, False, False,
    )  # fmt: skip


def test_a_butler_is_one_person_with_many_elders_and_a_right_for_each(town: dict[str, int]) -> None:
    with read() as session:
        (butler,) = who_rings(session, BUTLER).helpers
    assert {charge.elder.person_id: charge.may_order for charge in butler.charges} == {
        town["wang"]: True, town["li"]: True, town["kim"]: False,
    }  # fmt: skip


def test_a_provider_and_a_stranger(town: dict[str, int]) -> None:
    with read() as session:
        (shop,) = who_rings(session, SHOP).providers
        assert (shop.provider_id, shop.name) == (town["shop"], "康乐助浴")
        assert who_rings(session, normalise("+8645110000999")) == Candidates()


def test_a_daughter_who_lives_with_her_mother_makes_no_household(base: Engine) -> None:
    with write() as session:
        mother = register.add_elder(session, NewElder("王秀英", [HOME]), NOW)
        register.add_contact(session, mother, NewContact("李小梅", [HOME, DAUGHTER], Relation.CHILD), NOW)
        found = who_rings(session, HOME)
        assert len(found.elders) == 1 and [helper.who.name for helper in found.helpers] == ["李小梅"]
        assert [line.role for line in mother.person.numbers] == ["own"]


def test_a_wife_who_is_an_elder_herself_may_ring_for_her_husband(base: Engine) -> None:
    with write() as session:
        wife = register.add_elder(session, NewElder("王秀英", [HOME]), NOW)
        husband = register.add_elder(session, NewElder("李大山", [OTHER_HOME]), NOW)
        contact = register.add_contact(session, husband, NewContact("王秀英", [HOME], Relation.SPOUSE), NOW)
        assert contact.person_id == wife.id
        found = who_rings(session, HOME)
        assert found.elders[0].person_id == found.helpers[0].who.person_id == wife.id


def test_who_is_no_contact_any_more_is_not_offered(town: dict[str, int]) -> None:
    with write() as session:
        for contact in session.scalars(select(Contact).where(Contact.relation == Relation.CHILD)):
            contact.ended_at = NOW
    with read() as session:
        assert who_rings(session, DAUGHTER) == Candidates()


def test_cards_are_known_by_the_digits_that_are_keyed(town: dict[str, int]) -> None:
    with read() as session:
        li = elder_by_card(session, "230177")
        assert li is not None and li.person_id == town["li"]
        assert elder_by_card(session, "0001") is None, "D-0001 and E0001 agree in their digits: nobody is guessed"
        assert elder_by_card(session, "9999") is None
        assert elder_by_card(session, "") is None and elder_by_card(session, "#*") is None


def test_the_digits_follow_the_card(town: dict[str, int]) -> None:
    with write() as session:
        session.get_one(Elder, town["kim"]).card_number = "K-4711"
    with read() as session:
        kim, wang = elder_by_card(session, "4711"), elder_by_card(session, "0001")
        assert kim and kim.person_id == town["kim"] and wang and wang.person_id == town["wang"]
    with write() as session:
        session.get_one(Elder, town["kim"]).card_number = None
        session.flush()
        assert elder_by_card(session, "4711") is None


@pytest.mark.parametrize(("card", "digits"), [("D-0001", "0001"), ("", None), (None, None), ("ABC", None)])
def test_digits_of_a_card(card: str | None, digits: str | None) -> None:
    assert card_digits(card) == digits


def test_it_takes_one_question_while_she_waits(town: dict[str, int], base: Engine) -> None:
    asked: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    with read() as session:
        session.connection()
        event.listen(base, "before_cursor_execute", listen)
        try:
            who_rings(session, BUTLER)
        finally:
            event.remove(base, "before_cursor_execute", listen)
    assert len(asked) == 1
