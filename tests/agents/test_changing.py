"""Settings are changed one at a time, with what stood before; taken back; refused when somebody was faster."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from agents import accounts, admin_hours, admin_lists, admin_services, admin_skills, admin_users, audit, changing
from agents.admin_lists import DIALECT
from agents.admin_queues import QUEUES
from agents.admin_skills import SKILLS
from agents.admin_users import USER
from agents.changing import By, Kind, Refused, Values
from dispatch import roster
from models import session
from models.changes import SettingChange
from models.dialects import Dialect, dialects
from models.hours import OpeningHours, SpecialDay
from models.presence import AgentPresence, PauseReason
from models.queue_rules import queue_rules
from models.users import AuditEvent, Role, User
from tests.web.world import PASSWORD, World
from web.admin import KINDS

WEEK = {"0": "08:00-11:30, 13:00-17:00", "5": "09:00-12:00"}


@pytest.fixture
def boss(world: World) -> User:
    return world.user("刘主任", "admin")


def put(kind: Kind, key: str | None, values: Values | None, who: User, seen: str | None = None) -> str | None:
    with session.write() as db:
        return changing.change(db, kind, (key, seen), values, By(db.get_one(User, who.id), who.created_at))


def back(who: User, public_id: str) -> SettingChange:
    with session.write() as db:
        return changing.undo(db, public_id, By(db.get_one(User, who.id), who.created_at), KINDS)


def changes() -> list[SettingChange]:
    with session.read() as db:
        return list(db.scalars(select(SettingChange).order_by(SettingChange.id)))


def stands(kind: Kind, key: str) -> Values | None:
    with session.read() as db:
        return kind.read(db, key)


def problems(refused: pytest.ExceptionInfo[Refused]) -> dict[str, str]:
    return refused.value.problems


def test_a_change_keeps_what_stood_before_and_is_taken_back(world: World, boss: User) -> None:
    assert put(admin_hours.WEEK, "week", WEEK, boss) == "week"
    assert put(admin_hours.WEEK, "week", {}, boss) == "week"
    first, second = changes()
    assert (first.before, first.after, second.before, second.after) == ({}, WEEK, WEEK, {})
    assert stands(admin_hours.WEEK, "week") == {}
    # Not the first: another change came after it.
    with pytest.raises(Refused) as refused:
        back(boss, first.public_id)
    assert problems(refused) == {"": "overtaken"}
    back(boss, second.public_id)
    assert stands(admin_hours.WEEK, "week") == WEEK
    with session.read() as db:
        assert db.scalar(select(func.count()).select_from(OpeningHours)) == 3
        assert db.scalars(select(AuditEvent.action).where(AuditEvent.subject == "week")).all() == [
            "setting_changed", "setting_changed", "setting_undone",
        ]  # fmt: skip
    assert changes()[-1].undoes_id == second.id
    with pytest.raises(Refused) as refused:
        back(boss, second.public_id)
    assert problems(refused) == {"": "undone"}
    # A taking back is a change like any other.
    back(boss, changes()[-1].public_id)
    assert stands(admin_hours.WEEK, "week") == {}


def test_what_would_change_nothing_leaves_no_trace(world: World, boss: User) -> None:
    assert put(admin_hours.WEEK, "week", {}, boss) is None
    assert changes() == []


def test_a_form_that_shows_something_old_changes_nothing(world: World, boss: User) -> None:
    shown = changing.token(stands(admin_hours.WEEK, "week"))
    put(admin_hours.WEEK, "week", WEEK, boss, shown)
    with pytest.raises(Refused) as refused:
        put(admin_hours.WEEK, "week", {"6": "10:00-11:00"}, boss, shown)
    assert problems(refused) == {"": "overtaken"}
    assert stands(admin_hours.WEEK, "week") == WEEK and len(changes()) == 1


def test_a_special_day_is_made_taken_away_and_comes_back(world: World, boss: User) -> None:
    day = {"name": "停电", "hours": ""}
    put(admin_hours.DAY, "2026-12-05", day, boss)
    put(admin_hours.DAY, "2026-12-05", None, boss)
    assert stands(admin_hours.DAY, "2026-12-05") is None
    made, removed = changes()
    back(boss, removed.public_id)
    assert stands(admin_hours.DAY, "2026-12-05") == day
    with pytest.raises(Refused):
        back(boss, removed.public_id)
    # What was made is taken away again, once nothing stands against it.
    back(boss, made.public_id)
    with session.read() as db:
        assert db.scalar(select(func.count()).select_from(SpecialDay)) == 0


def test_what_older_rows_name_is_hidden_and_not_taken_away(world: World, boss: User) -> None:
    key = put(admin_lists.REASON, None, {"names": {"zh-CN": "吃饭"}, "position": 3, "is_shown": True}, boss)
    assert key is not None
    with pytest.raises(Refused) as refused:
        put(admin_lists.REASON, key, None, boss)
    assert problems(refused) == {"": "kept"}
    with pytest.raises(Refused) as refused:
        back(boss, changes()[0].public_id)
    assert problems(refused) == {"": "kept"}
    put(admin_lists.REASON, key, {"names": {"zh-CN": "吃饭"}, "position": 3, "is_shown": False}, boss)
    with session.read() as db:
        assert db.get_one(PauseReason, int(key)).hidden_at is not None


def test_one_reason_one_final_result_and_one_item_stay_on_their_lists(world: World, boss: User) -> None:
    with session.read() as db:
        reasons, results, items = admin_lists.reasons(db), admin_lists.results(db), admin_lists.quality_items(db)
    for kind, rows in (
        (admin_lists.REASON, reasons), (admin_lists.RESULT, results), (admin_lists.QUALITY_ITEM, items),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            for key, values in rows:
                put(kind, key, {**values, "is_shown": False}, boss)
        assert problems(refused) == {"": "last_one"}


def test_nothing_is_half_written(world: World, boss: User) -> None:
    """A kind whose write fails after its first row leaves no row, no change, no line of the audit."""

    def write(db: Session, key: str | None, values: Values | None, now: datetime) -> str:
        admin_hours.WEEK.write(db, key, values, boss.created_at)
        db.flush()
        raise Refused({"": "last_one"})

    broken = Kind("week", admin_hours.WEEK.read, write)
    with pytest.raises(Refused):
        put(broken, "week", WEEK, boss)
    assert stands(admin_hours.WEEK, "week") == {} and changes() == []


def test_the_last_administrator_stays(world: World, boss: User) -> None:
    key = str(boss.id)
    values = stands(USER, key)
    assert values is not None
    for less in ({"role": "agent"}, {"may_log_in": False}):
        with pytest.raises(Refused) as refused:
            put(USER, key, {**values, **less}, boss)
        assert problems(refused) == {"": "last_admin"}
    # One who has not chosen a password yet is nobody to rely on.
    second = put(USER, None, {"name": "新主任", "role": "admin", "language": "ko", "may_log_in": True}, boss)
    with pytest.raises(Refused):
        put(USER, key, {**values, "role": "agent"}, boss)
    with session.write() as db:
        accounts.change_password(db, db.get_one(User, int(str(second))), PASSWORD, boss.created_at)
    put(USER, key, {**values, "role": "agent"}, boss)
    assert stands(USER, key) == {**values, "role": "agent"}


def logs_in(name: str, password: str, who: User) -> bool:
    proof = accounts.prove(name, password)
    with session.write() as db:
        return accounts.verify(db, proof, who.created_at) is not None


def test_who_is_locked_out_is_out_at_once(world: World, boss: User) -> None:
    agent = world.user("小陈")
    version = agent.session_version
    values = stands(USER, str(agent.id))
    assert values is not None
    put(USER, str(agent.id), {**values, "may_log_in": False}, boss)
    with session.read() as db:
        row = db.get_one(User, agent.id)
        assert row.disabled_at is not None and row.session_version == version + 1
    assert not logs_in("小陈", PASSWORD, boss)
    back(boss, changes()[-1].public_id)
    assert logs_in("小陈", PASSWORD, boss)


def test_there_is_no_default_password_and_a_link_opens_once(world: World, boss: User) -> None:
    key = put(USER, None, {"name": "小金", "role": "agent", "language": "ko", "may_log_in": True}, boss)
    assert not any(logs_in("小金", guess, boss) for guess in ("", "!", accounts.NO_PASSWORD, "小金"))
    with session.write() as db:
        user = db.get_one(User, int(str(key)))
        old = admin_users.issue_link(db, user, By(boss, world.now))
        secret = admin_users.issue_link(db, user, By(boss, world.now))
    later = world.now + timedelta(hours=25)
    with session.write() as db:
        for nothing, at in ((old, world.now), ("guess", world.now), (secret, later)):
            with pytest.raises(KeyError):
                admin_users.redeem(db, nothing, PASSWORD, at)
        with pytest.raises(accounts.PasswordRefused):
            admin_users.redeem(db, secret, "short", world.now)
        assert admin_users.redeem(db, secret, PASSWORD, world.now).name == "小金"
        with pytest.raises(KeyError):
            admin_users.redeem(db, secret, PASSWORD, world.now)
    assert logs_in("小金", PASSWORD, boss)


def test_a_reset_ends_the_old_password_and_nobody_resets_herself(world: World, boss: User) -> None:
    agent = world.user("小陈")
    proved_before = accounts.prove("小陈", PASSWORD)
    assert proved_before.fits
    with session.write() as db:
        admin_users.issue_link(db, db.get_one(User, agent.id), By(db.get_one(User, boss.id), world.now))
        with pytest.raises(Refused) as refused:
            admin_users.issue_link(db, db.get_one(User, boss.id), By(db.get_one(User, boss.id), world.now))
    assert problems(refused) == {"": "yourself"}
    assert not logs_in("小陈", PASSWORD, boss)
    # Whoever had just given the old password is not let in by it.
    with session.write() as db:
        assert accounts.verify(db, proved_before, world.now) is None


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"name": "x", "role": "agent", "language": "ko"}, {"name": "length"}),
        ({"name": "小\u200b金", "role": "agent", "language": "ko"}, {"name": "bad"}),
        ({"name": "小金", "role": "root", "language": "fr"}, {"role": "bad", "language": "bad"}),
    ],
)
def test_a_users_form_is_checked(form: dict[str, str], wrong: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        admin_users.user_values(form)
    assert problems(refused) == wrong


def test_names_are_taken_once(world: World, boss: User) -> None:
    with pytest.raises(Refused) as refused:
        put(USER, None, {"name": "刘主任", "role": "agent", "language": "ko", "may_log_in": True}, boss)
    assert problems(refused) == {"name": "taken"}


def test_skills_are_what_the_queues_get(world: World, boss: User) -> None:
    agent = world.user("小陈")
    put(SKILLS, str(agent.id), admin_skills.skill_values({"takes_ko": "yes", "penalty_ko": "3"}), boss)
    with session.read() as db:
        assert roster.skills(db).languages == {agent.id: {"ko": 3}}
        queues = {asked.language: [(p, one.name) for p, one in asked.takes] for asked in admin_skills.queues(db)}
    assert queues["ko"] == [(3, "小陈"), (10, "刘主任")] and queues["zh-CN"] == [(0, "刘主任")]
    back(boss, changes()[-1].public_id)
    with session.read() as db:
        assert roster.skills(db).languages == {}
    with pytest.raises(Refused) as refused:
        admin_skills.skill_values({"takes_ko": "yes", "penalty_ko": "-1", "takes_en": "yes", "penalty_en": "999"})
    assert problems(refused) == {"penalty_ko": "range", "penalty_en": "range"}


@pytest.mark.parametrize(
    ("price", "fen"), [("", None), ("80", 8000), ("0.5", 50), ("80.005", "range"), ("-1", "range"), ("NaN", "range"),
                       ("Infinity", "range"), ("1e99", "range"), ("八十", "bad")]
)  # fmt: skip
def test_a_price_is_yuan_in_the_form_and_fen_in_the_row(price: str, fen: int | str | None) -> None:
    form = {"price": price, "unit": "visit"}
    if isinstance(fen, str):
        with pytest.raises(Refused) as refused:
            admin_services.service_values(form)
        assert set(problems(refused)) == {"price"}
    else:
        assert admin_services.service_values(form)["price_fen"] == fen


def test_a_week_without_an_hour_is_not_round_the_clock() -> None:
    with pytest.raises(Refused) as refused:
        admin_hours.week_values({})
    assert problems(refused) == {"": "never_open"}
    with pytest.raises(Refused) as refused:
        admin_hours.week_values({"day_0": "17:00-08:00", "day_1": "08:00-12:00, 11:00-13:00", "day_2": "8-12"})
    assert set(problems(refused)) == {"day_0", "day_1", "day_2"}
    assert admin_hours.week_values({"day_0": "13:00-17:00，08:00～11:30".replace("～", "~")}) == {
        "0": "08:00-11:30, 13:00-17:00"
    }


def test_the_outlook_tells_what_a_caller_would_meet(world: World, boss: User) -> None:
    put(admin_hours.WEEK, "week", {str(day): "08:00-17:00" for day in range(5)}, boss)
    put(admin_hours.DAY, "2026-11-24", {"name": "培训", "hours": "13:00-17:00"}, boss)
    from models import clock

    def at(day: int, hour: int) -> admin_hours.Outlook:
        moment = clock.local(world.now).replace(2026, 11, day, hour, 0, 0, 0)
        with session.read() as db:
            return admin_hours.outlook(db, moment, "zh-CN")

    assert at(23, 9).is_open and at(24, 14).is_open
    closed = at(24, 9)
    assert not closed.is_open and closed.day.why == "special" and closed.day.name == "培训"
    assert closed.again is not None and (closed.again.day, closed.again.hour) == (24, 13)
    sunday = at(22, 12)
    assert sunday.again is not None and (sunday.again.day, sunday.again.hour) == (23, 8)
    with session.read() as db:
        days = admin_hours.calendar(db, date(2026, 9, 30), 3, "zh-CN")
    assert [(line.why, line.hours) for line in days][1] == ("holiday", "")


def test_the_audit_shows_persons_masked_and_what_may_be_taken_back(world: World, boss: User) -> None:
    values = {"elder": 1, "name": "赵小梅", "numbers": ["+8613800001234"], "relation": "child", "rights": ["may_order"]}
    kind = KINDS["contact"]
    with session.write() as db:
        changing.note(db, kind, changing.Move("7", None, values), By(boss, world.now))
        put_before = {**values, "numbers": ["+8613800001235"]}
        changing.note(db, kind, changing.Move("7", values, put_before), By(boss, world.now))
    with session.read() as db:
        changed, made = audit.lines(db, audit.Wish("settings"), KINDS)
    told = str((changed, made))
    assert "赵小梅" not in told and "13800001234" not in told and "赵**" in told
    assert [field for field, _, _ in changed.fields] == ["numbers"] and changed.may_undo
    with session.read() as db:
        assert audit.lines(db, audit.Wish("reads"), KINDS) == []
        assert len(audit.lines(db, audit.Wish(user=boss.public_id, subject="contact"), KINDS)) == 2
        assert audit.lines(db, audit.Wish(before=made.id, subject="contact"), KINDS) == []
        assert audit.lines(db, audit.Wish(subject="contact", until=world.now - timedelta(days=1)), KINDS) == []


def two_at_once(world: World, boss: User) -> None:
    other = world.user("王主任", "admin")
    shown = changing.token(stands(admin_hours.WEEK, "week"))
    gate, ends = threading.Barrier(2), []

    def one(who: User, goal: User, hours: str) -> None:
        gate.wait()
        try:
            put(admin_hours.WEEK, "week", {"0": hours}, who, shown)
            ends.append("kept")
        except Refused as refused:
            ends.append(refused.problems[""])
        try:
            put(USER, str(goal.id), {"name": goal.name, "role": "agent", "language": "ko", "may_log_in": True}, who)
            ends.append("kept")
        except Refused as refused:
            ends.append(refused.problems[""])

    both = [
        threading.Thread(target=one, args=args) for args in ((boss, other, "08:00-09:00"), (other, boss, "09:00-10:00"))
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(ends) == ["kept", "kept", "last_admin", "overtaken"]
    with session.read() as db:
        assert db.scalar(select(func.count()).select_from(User).where(User.role == Role.ADMIN)) == 1


def test_of_two_administrators_at_once_one_is_told(world: World, boss: User) -> None:
    two_at_once(world, boss)


def test_of_two_administrators_at_once_one_is_told_on_postgresql(postgres_database: Engine) -> None:
    world = World()
    two_at_once(world, world.user("刘主任", "admin"))


@pytest.mark.parametrize("base", ["world", "postgres_database"])
def test_who_takes_which_calls_and_how_long_it_rings_on_either_database(
    base: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(base)
    world = World()
    boss, agent = world.user("刘主任", "admin"), world.user("小陈")
    # Times and weights: what is set holds, what was before comes back.
    times = stands(QUEUES, "queues")
    assert times is not None
    put(QUEUES, "queues", {**times, "ring_s": 15, "weight_ko": 4}, boss, changing.token(times))
    with session.read() as db:
        rules = queue_rules(db)
        assert (rules.ring_s, dict(rules.weights)) == (15, {"zh-CN": 0, "ko": 4, "en": 0})
    back(boss, changes()[-1].public_id)
    assert stands(QUEUES, "queues") == times
    # A dialect on the list, and an agent who speaks it.
    names = {"zh-CN": "温州话", "en": "Wenzhou"}
    dialect = {"names": names, "language": "zh-CN", "position": 9, "is_shown": True}
    key = put(DIALECT, None, dialect, boss)
    with session.read() as db:
        code = db.get_one(Dialect, int(str(key))).code
    put(SKILLS, str(agent.id), {"zh-CN": 0, f"dialect_{code}": 3}, boss)
    with session.read() as db:
        assert roster.skills(db) == roster.Skills({agent.id: {"zh-CN": 0}}, {agent.id: {("zh-CN", code): 3}})
        asked = next(one for one in admin_skills.queues(db) if one.language == "zh-CN")
        assert [(one.code, [(p, who.name) for p, who in speak]) for one, speak in asked.dialects] == [
            (code, [(3, "小陈")])
        ]
    # Off the list it is in no queue; what she has on her card is kept, also by a form that does not name it.
    put(DIALECT, key, {**dialect, "is_shown": False}, boss)
    with session.read() as db:
        assert roster.skills(db).dialects == {} and code not in [one.code for one in dialects(db)]
        assert code in [one.code for one in admin_skills.dialects_of(db, agent.id)]
    back(boss, changes()[-1].public_id)
    with session.read() as db:
        assert roster.skills(db).dialects == {agent.id: {("zh-CN", code): 3}}


def test_a_presence_of_nobody_is_shown_as_offline(world: World, boss: User) -> None:
    with session.write() as db:
        db.add(AgentPresence(user_id=boss.id, state="pause", reason="meal", since=world.now))
    with session.read() as db:
        (line,) = admin_users.user_lines(db)
    assert (line.state, line.reason) == ("pause", "meal")
