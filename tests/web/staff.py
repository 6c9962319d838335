"""A recording studio that has been used, a house that was set: for the console's pictures."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from agents import admin_hours, admin_services, admin_skills, changing
from agents.changing import By, Kind, Values
from ivr.prompts import studio
from ivr.prompts.intake import Limits, take_in
from ivr.prompts.studio import Take
from models.recordings import Source
from models.users import User
from tests.support.takes import encoded, voiced
from tests.web.world import World


def has_recorded(world: World, name: str) -> str:
    """Two prompts recorded in Chinese and a code shown; returns the key of the one with a story."""
    told = "leave_message"
    with world.rows() as db:
        user = db.scalars(select(User).where(User.name == name)).one()
        takes = [(told, Source.TELEPHONE, 3.1, 2), (told, Source.UPLOAD, 2.6, 1), ("goodbye", Source.UPLOAD, 1.4, 0)]
        for key, source, seconds, days in takes:
            at = world.now - timedelta(days=days, hours=2)
            samples = take_in(encoded(voiced(seconds)), Limits())
            row = studio.keep(db, Take(key, "zh-CN", source, user.id), samples, at)
            studio.publish(db, row, user.id, at)
        studio.new_code(db, Take(told, "zh-CN", Source.TELEPHONE, user.id), world.now)
    studio.announce("zh-CN")
    return told


def sets_the_house(world: World) -> tuple[User, User]:
    """An administrator has set hours, a special day, languages and prices; returns her, and an agent of hers."""
    boss, agent = world.user("刘主任", "admin"), world.user("小金", language="ko")
    week = {str(day): "08:00-11:30, 13:00-17:00" for day in range(5)}
    day = (world.now + timedelta(days=9)).date().isoformat()
    deeds: tuple[tuple[Kind, str, Values], ...] = (
        (admin_hours.WEEK, admin_hours.WEEK_KEY, week),
        (admin_hours.DAY, day, {"name": "培训", "hours": "13:00-17:00"}),
        (admin_skills.SKILLS, str(agent.id), {"ko": 0, "zh-CN": 5, "dialect_hamgyong": 0}),
        (admin_services.SERVICE, "bathing", {"is_offered": True, "price_fen": 8000, "unit": "visit"}),
        (admin_services.SERVICE, "leisure", {"is_offered": False, "price_fen": None, "unit": "visit"}),
    )
    with world.rows() as db:
        for kind, key, values in deeds:
            changing.change(db, kind, (key, None), values, By(db.get_one(User, boss.id), world.now))
    return boss, agent
