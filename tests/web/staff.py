"""A recording studio that has been used: for the console's pictures."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

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
