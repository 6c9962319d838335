"""Who an elder is: found by anything, corrected, taken back, made one of two and two of one."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, delete, func, select

from agents import circle, history, merging, notes, people
from agents.cards import elder_card
from agents.people import PersonError
from agents.search import find
from dispatch import campaigns
from models import callers, elder_export, lookup, search, session
from models.amendments import ElderChange
from models.calls import Call
from models.campaigns import CareVisit, VisitStatus
from models.contacts import Contact, Relation
from models.orders import Order
from models.people import Elder, PersonNumber
from models.phone import normalise
from models.preferences import Because, Origin, Setting, put
from models.register import NewContact, add_contact
from models.tables import metadata
from models.tasks import Task, TaskKind, TaskState, TaskStep, move_task
from models.users import AuditEvent, User
from tests.web import desk_town, town
from tests.web.world import World, landline, mobile

TODAY = date(2026, 11, 22)


@pytest.fixture
def chen(world: World) -> User:
    return world.user("小陈")


def names(query: str) -> list[str]:
    with session.read() as db:
        return [one.name for one in find(db, query, TODAY, "0451").elders]


def form_of(elder: Elder, **changed: str) -> dict[str, str]:
    with session.read() as db:
        values = people.values_of(db, people.find_elder(db, elder.person.public_id))
    return {**values, **{f"seen_{field}": value for field, value in values.items()}, **changed}


def test_an_elder_is_found_by_whatever_she_can_tell(world: World) -> None:
    town.build(world)
    world.elder("单秀英", mobile(111), address="道里区经纬街12号")
    for query in (
        "王桂兰", "桂兰", "wang", "wangguilan", "guilan", "WGL", "H-000-101", "h000101", "000101", "尚志大街",
        "尚志大街 1 号院", "王 尚志大街", "wgl 尚志大街", "0451 1000 0101", "+86 451 1000 0101", "008645110000101",
        "10000101", "10000 101",
    ):  # fmt: skip
        assert "王桂兰" in names(query), query
    assert names("dan") == names("shan") == ["单秀英"]
    assert names("김순자") == names("순자") == names("ㄱㅅㅈ") == ["김순자"]
    assert set(names("10000101")) == {"王桂兰", "赵德福"}
    assert names("") == names("！") == names("查无此人") == names("' OR 1=1 --") == names("%") == []
    with session.read() as db:
        assert [order.number for order in find(db, "1001", TODAY, "0451").orders] == [1001]


def test_search_on_postgresql(postgres_database: Engine) -> None:
    world = World()
    world.elder("王桂兰", landline(101), address="尚志大街1号院")
    with session.write() as db:
        assert search.index_missing(db.connection(), world.now) == 0
        plan = find(db, "wgl 尚志", TODAY, "0451")
    assert [one.name for one in plan.elders] == ["王桂兰"]


def test_whom_an_import_brought_is_found_after_the_sweep(world: World) -> None:
    elder = world.elder("王桂兰", landline(101))
    with world.rows() as db:
        db.connection().execute(search.SearchTerm.__table__.delete())  # type: ignore[attr-defined]
        db.get_one(Elder, elder.id).indexed_at = None
    assert names("wgl") == []
    with world.rows() as db:
        assert search.index_missing(db.connection(), world.now) == 1
    assert names("wgl") == ["王桂兰"]


def test_a_correction_keeps_what_stood_and_is_taken_back(world: World, chen: User) -> None:
    wang = world.elder("王桂兰", landline(101), address="尚志大街1号")
    public_id = wang.person.public_id
    wanted = form_of(wang, name="王桂蓝", address="经纬街2号", numbers="13800001111, 0451-1000-0101")
    with world.rows() as db:
        people.correct(db, public_id, wanted, chen, world.now)
    assert names("经纬街") == ["王桂蓝"]
    assert names("尚志大街") == []
    assert names("13800001111") == ["王桂蓝"]
    with session.read() as db:
        change = db.scalars(select(ElderChange)).one()
        assert change.before == {"name": "王桂兰", "address": "尚志大街1号", "numbers": "+8645110000101"}
        audit = db.scalars(select(AuditEvent).where(AuditEvent.action == "elder_changed")).one()
        assert audit.data == {}  # what she is called stands in rows that can be erased, not in the audit
    with world.rows() as db:
        assert people.undo(db, change.public_id, chen, world.now) == public_id
    assert names("尚志大街") == ["王桂兰"]
    assert names("13800001111") == []
    with world.rows() as db, pytest.raises(KeyError):
        people.undo(db, change.public_id, chen, world.now)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("name", " \x07", "missing"), ("name", "王" * 81, "long"), ("born_on", "2031-01-01", "bad"),
        ("born_on", "x", "bad"),
        ("numbers", "110", "bad"), ("numbers", "+14155550100", "bad"), ("numbers", "abc", "bad"), ("sex", "x", "bad"),
        ("language", "fr", "bad"), ("card_number", "H-9", "taken"), ("grid", "三", "missing"),
    ],
)  # fmt: skip
def test_mistakes_are_named_and_nothing_is_written(
    world: World, chen: User, field: str, value: str, problem: str
) -> None:
    world.elder("李淑珍", mobile(9), card_number="H-9")
    wang = world.elder("王桂兰", landline(101), area=())
    with pytest.raises(PersonError) as caught, world.rows() as db:
        people.correct(db, wang.person.public_id, form_of(wang, **{field: value}), chen, world.now)
    assert problem in caught.value.problems.values()
    with session.read() as db:
        assert db.scalars(select(ElderChange)).all() == []


def test_of_two_who_correct_the_same_the_second_is_told(world: World, chen: User) -> None:
    wang = world.elder("王桂兰", landline(101), address="尚志大街1号")
    first, second = form_of(wang, address="经纬街2号"), form_of(wang, address="经纬街3号")
    with world.rows() as db:
        people.correct(db, wang.person.public_id, first, chen, world.now)
    with world.rows() as db, pytest.raises(PersonError, match="address"):
        people.correct(db, wang.person.public_id, second, chen, world.now)


def test_a_stranger_is_registered_and_the_call_and_its_tasks_are_hers(world: World, chen: User) -> None:
    call = desk_town.stranger(world, "13800001234")
    task = world.task(TaskKind.PARTIAL, call_id=call.id)
    with world.rows() as db:
        form = {"name": "赵秀英", "numbers": "138 0000 1234", "language": "zh-CN"}
        elder = people.register(db, form, chen, world.now)
        people.attach(db, call.public_id, (elder, True), chen, world.now)
    with session.read() as db:
        assert db.get_one(Call, call.id).elder_id == elder.id
        assert db.get_one(Task, task.id).elder_id == elder.id
        assert [one.name for one in callers.who_rings(db, normalise("13800001234")).elders] == ["赵秀英"]


def test_a_call_that_was_held_to_be_hers_is_her_husbands_and_what_she_asked_herself_stays(
    world: World, chen: User
) -> None:
    wang, zhao = world.elder("王桂兰", landline(101)), world.elder("赵德福", landline(102))
    call = world.call(wang, caller_person_id=wang.id)
    before = world.call(wang)
    with_it = world.task(TaskKind.PARTIAL, call_id=call.id, elder_id=wang.id)
    done = world.task(TaskKind.MESSAGE, call_id=call.id, elder_id=wang.id)
    hers = world.task(TaskKind.MESSAGE, call_id=before.id, elder_id=wang.id)
    with world.rows() as db:
        move_task(db.get_one(Task, done.id), TaskStep(TaskState.CLOSED, result="settled"), world.now, chen.id)
        people.attach(db, call.public_id, (zhao, False), chen, world.now)
    with session.read() as db:
        row = db.get_one(Call, call.id)
        assert (row.elder_id, row.identified_by, row.caller_person_id) == (zhao.id, "agent", None)
        assert [db.get_one(Task, one.id).elder_id for one in (with_it, done, hers)] == [zhao.id, wang.id, wang.id]
        told = db.execute(select(AuditEvent.action, AuditEvent.subject, AuditEvent.subject_id)).all()
    assert ("call_taken_off", "elder", wang.id) in told and ("call_attached", "call", call.id) in told
    # A click that only confirms who she is takes nothing off anybody.
    with world.rows() as db:
        people.attach(db, call.public_id, (zhao, False), chen, world.now)
    with session.read() as db:
        assert len(db.scalars(select(AuditEvent).where(AuditEvent.action == "call_taken_off")).all()) == 1


def twins(world: World) -> tuple[Elder, Elder]:
    """The same elder, registered twice, each with a life of her own."""
    born = date(1943, 3, 18)
    kept = world.elder("王桂兰", landline(101), born_on=born, card_number="H-1")
    gone = world.elder("王桂兰", landline(102), born_on=born, card_number="H-2", address="尚志大街1号", needs="耳背")
    for elder in (kept, gone):
        world.order(elder)
        world.call(elder)
        world.task(TaskKind.MESSAGE, elder_id=elder.id)
        with world.rows() as db:
            put(db, elder.id, (Setting.PACE, "slow"), Because(Origin.AGENT), world.now)
    return kept, gone


def belongs(elder: Elder) -> dict[str, int]:
    """How many rows of each table point to her."""
    counts = {}
    with session.read() as db:
        for table, column in merging._pointing():
            count = db.scalar(select(func.count()).select_from(table).where(column == elder.id)) or 0
            counts[f"{table.name}.{column.name}"] = count
    return {name: count for name, count in counts.items() if count}


def test_two_registrations_become_one_and_two_again(world: World, chen: User) -> None:
    kept, gone = twins(world)
    with world.rows() as db:
        notes.add_note(db, gone.person.public_id, ("听力差", ""), chen, world.now)
    before = belongs(kept), belongs(gone)
    with session.read() as db:
        card = elder_card(db, kept.person.public_id, datetime(2026, 11, 22, 1, 0, tzinfo=UTC))
    assert card is not None
    assert [(twin.who.public_id, twin.why) for twin in card[1].twins] == [(gone.person.public_id, "birth")]
    with world.rows() as db:
        merged = merging.merge(db, kept.person.public_id, gone.person.public_id, chen, world.now)
    after = belongs(kept)
    # Nothing is lost: what pointed to either points to the one.
    assert after == {name: before[0].get(name, 0) + before[1].get(name, 0) for name in before[0] | before[1]}
    assert belongs(gone) == {}
    assert names("wgl") == ["王桂兰"]
    assert names("尚志大街") == ["王桂兰"]
    with session.read() as db:
        row = db.get_one(Elder, kept.id)
        assert (row.address, row.needs, row.card_number) == ("尚志大街1号", "耳背", "H-1")
        for card_number in ("1", "2"):
            somebody = callers.elder_by_card(db, card_number)
            assert somebody is not None
            assert somebody.person_id == kept.id
        assert merging.kept_by(db, gone.person.public_id) == kept.person.public_id
        assert len(history.page(db, kept.id, "orders", None).orders) == 2
    with world.rows() as db, pytest.raises(merging.MergeError, match="gone"):
        merging.merge(db, kept.person.public_id, gone.person.public_id, chen, world.now)
    with world.rows() as db:
        merging.undo(db, merged.public_id, chen, world.now)
    assert (belongs(kept), belongs(gone)) == before
    with session.read() as db:
        assert db.get_one(Elder, kept.id).address == ""
        assert db.get_one(Elder, gone.id).merged_into_id is None
    assert names("wgl") == ["王桂兰", "王桂兰"]


def test_what_both_have_stays_once(world: World, chen: User) -> None:
    kept = world.elder("王桂兰", landline(101))
    gone = world.elder("王桂兰", landline(101))
    with world.rows() as db:
        db.add(Contact(person_id=kept.id, elder_id=gone.id, relation="relative", since=world.now))
    with world.rows() as db:
        merged = merging.merge(db, kept.person.public_id, gone.person.public_id, chen, world.now)
    with session.read() as db:
        assert db.scalars(select(PersonNumber.person_id)).all() == [kept.id, gone.id]
        assert not db.scalars(select(Contact).where(Contact.person_id == Contact.elder_id)).all()
    with world.rows() as db:
        merging.undo(db, merged.public_id, chen, world.now)


def test_who_was_registered_twice_at_one_number_is_one_on_the_telephone(world: World, chen: User) -> None:
    """She is not asked which of the two she is, nor rung or written into a file twice."""
    kept, gone = world.elder("王桂兰", landline(101)), world.elder("王桂兰", landline(101))
    husband = world.elder("赵德福", landline(102))
    for elder in (kept, gone):
        with world.rows() as db:
            daughter = NewContact("赵敏", [normalise(mobile(300))], Relation.CHILD, may_order=True)
            add_contact(db, db.get_one(Elder, elder.id), daughter, world.now)
    with world.rows() as db:
        lately = campaigns.create(db, campaigns.NewCampaign("寒潮"), world.now)
        campaigns.add_elders(db, lately, [gone.id, kept.id], world.now)

    def of_the_two() -> list[list[int]]:
        number = normalise(landline(101))
        with session.read() as db:
            charges = [
                charge.elder.person_id
                for one in callers.who_rings(db, normalise(mobile(300))).helpers
                for charge in one.charges
            ]
            return [
                [one.id for one in lookup.callers_at(db, number)[1]],
                [one.id for one in lookup.elders_at(db, number)],
                [one.person_id for one in callers.who_rings(db, number).elders],
                charges,
                [one for one in campaigns.filtered(db, campaigns.Filter()) if one != husband.id],
            ]  # fmt: skip

    def roles() -> list[str]:
        with session.read() as db:
            of_the_line = PersonNumber.person_id.in_((kept.id, gone.id))
            return list(db.scalars(select(PersonNumber.role).where(of_the_line).order_by(PersonNumber.person_id)))

    assert of_the_two() == [[kept.id, gone.id]] * 5 and roles() == ["shared", "shared"]
    with world.rows() as db:
        merged = merging.merge(db, kept.person.public_id, gone.person.public_id, chen, world.now)
    assert of_the_two() == [[kept.id]] * 5
    assert roles()[0] == "own", "texts go to her own telephone again"
    with session.read() as db:
        person = people.find_elder(db, kept.person.public_id).person
        assert circle.household(db, person) == ()
        waiting = select(CareVisit.elder_id).where(CareVisit.status == VisitStatus.WAITING)
        assert list(db.scalars(waiting)) == [kept.id]
        assert lookup.callers_at(db, normalise(landline(102)))[1][0].id == husband.id
    with session.read() as db:
        assert elder_export.count(db) == len(list(elder_export.rows(db))) == 2
    with world.rows() as db:
        merging.undo(db, merged.public_id, chen, world.now)
    assert of_the_two() == [[kept.id, gone.id]] * 5 and roles() == ["shared", "shared"]


def test_an_emptied_card_alone_at_a_number_leaves_a_number_of_nobody(world: World, chen: User) -> None:
    """The row of the number is still found: the call is written at it."""
    kept, gone = world.elder("王桂兰", landline(101)), world.elder("王桂兰", landline(101))
    with world.rows() as db:
        merging.merge(db, kept.person.public_id, gone.person.public_id, chen, world.now)
        db.execute(delete(PersonNumber).where(PersonNumber.person_id == kept.id))
    with session.read() as db:
        number_id, known = lookup.callers_at(db, normalise(landline(101)))
    assert number_id is not None and known == ()


@pytest.mark.parametrize("first", ["kept", "gone"])
def test_a_card_that_was_taken_over_goes_back(world: World, chen: User, first: str) -> None:
    """Whichever row is the older one: the number of the card is in one of them at a time."""
    cards: dict[str, dict[str, str]] = {"kept": {}, "gone": {"card_number": "H-2"}}
    rows = {name: world.elder("王桂兰", **cards[name]) for name in sorted(cards, key=lambda name: name != first)}
    kept, gone = rows["kept"], rows["gone"]
    with world.rows() as db:
        merged = merging.merge(db, kept.person.public_id, gone.person.public_id, chen, world.now)
    with session.read() as db:
        assert db.get_one(Elder, kept.id).card_number == "H-2"
    with world.rows() as db:
        merging.undo(db, merged.public_id, chen, world.now)
    with session.read() as db:
        assert db.get_one(Elder, kept.id).card_number is None
        back = db.get_one(Elder, gone.id)
        assert (back.card_number, back.card_digits) == ("H-2", "2")


def test_every_table_that_points_to_an_elder_is_thought_of() -> None:
    """A table with two keys to people has to be looked at by somebody before it is merged by rule."""
    found = {f"{table.name}.{column.name}" for table, column in merging._pointing()}
    assert {
        "orders.elder_id",
        "calls.elder_id",
        "calls.caller_person_id",
        "tasks.elder_id",
        "contacts.person_id",
    } <= found
    assert all(len(metadata.tables[name.split(".")[0]].primary_key.columns) == 1 for name in found)


def test_the_history_has_pages(world: World) -> None:
    wang = world.elder("王桂兰", landline(101))
    for _ in range(history.SHOWN + 1):
        world.order(wang)
    with session.read() as db:
        first = history.page(db, wang.id, "orders", None)
        second = history.page(db, wang.id, "orders", first.next_before)
        total = db.scalar(select(func.count()).select_from(Order))
    assert (len(first.orders), len(second.orders), second.next_before) == (history.SHOWN, 1, None)
    assert total == history.SHOWN + 1
