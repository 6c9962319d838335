"""What an elder thought of a service: one rating an order, given by whom it was for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Pk
from models.orders import Order


class OrderRating(Base):
    """The elder's rating of one order. Said again, it replaces the first: `order_id` is unique."""

    __tablename__ = "order_ratings"
    __table_args__ = (
        CheckConstraint("score BETWEEN 1 AND 5", name="score"),
        Index("ix_order_ratings_provider", "provider_id", "at", "score"),
    )

    id: Mapped[Pk]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    # Whom the rating is of, so that a provider's score is one look into an index.
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("providers.id"))
    score: Mapped[int]  # 1 (bad) to 5 (very good)
    call_id: Mapped[int | None] = mapped_column(ForeignKey("calls.id"))
    utterance_id: Mapped[int | None] = mapped_column(ForeignKey("utterances.id"))  # her words, erasable
    at: Mapped[datetime]


def rate(session: Session, rating: OrderRating) -> OrderRating:
    """Write `rating`; whoever rates an order again has changed her mind: the new score and words replace the old.

    Raises:
        ValueError: the score is not 1–5.
        sqlalchemy.exc.NoResultFound: there is no such order.
    """
    if not 1 <= rating.score <= 5:
        raise ValueError(f"a score is 1 to 5, not {rating.score}")
    # The order's row lock: two calls that rate it at once wait for each other (on SQLite the transaction does).
    order = select(Order.id, Order.provider_id).where(Order.id == rating.order_id).with_for_update()
    rating.provider_id = session.execute(order).one().provider_id
    known = session.scalar(select(OrderRating).where(OrderRating.order_id == rating.order_id))
    if known is None:
        session.add(rating)
        session.flush()
        return rating
    known.score, known.call_id, known.utterance_id, known.at, known.provider_id = (
        rating.score, rating.call_id, rating.utterance_id, rating.at, rating.provider_id,
    )  # fmt: skip
    session.flush()
    return known
