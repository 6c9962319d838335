"""An order whose deadline has passed comes before a person, once for each deadline."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from dispatch import tasks
from dispatch.outbox import transaction
from models.orders import Order
from models.session import read
from models.tasks import TaskKind

# In one round; the next round takes the rest.
AT_ONCE = 100


def escalate(now: datetime) -> int:
    """Open a task for every order that is late and of which nobody was told yet; return how many."""
    missed = select(Order.id).where(Order.escalate_at <= now).order_by(Order.escalate_at).limit(AT_ONCE)
    with read() as session:
        # Mostly there is none, and a question takes no lock.
        if session.scalar(missed.limit(1)) is None:
            return 0
    with transaction() as session:
        # Whoever is moving an order just now may be setting its clock anew: it is looked at in the next round.
        late = select(Order).where(Order.id.in_(missed), Order.escalate_at <= now)
        orders = list(session.scalars(late.with_for_update(of=Order, skip_locked=True)))
        for order in orders:
            key = f"order:{order.id}:{order.escalate_at:%Y%m%d%H%M%S}"
            data = {"status": order.status}
            new = tasks.NewTask(TaskKind.LATE, key, order_id=order.id, elder_id=order.elder_id, data=data)
            tasks.open_task(session, new, now)
            order.escalate_at = None
    return len(orders)
