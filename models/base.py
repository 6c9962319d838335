"""The declarative base and the column types that every table shares."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, String, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

# No 0/O, 1/l/I: an id may be read out from a screen to the engineer on call.
_ID_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_public_id() -> str:
    """Return a random id of 16 characters (79 bits): it names a row to the outside and cannot be guessed."""
    # One question to the operating system instead of one a character.
    number, size = secrets.randbelow(len(_ID_ALPHABET) ** 16), len(_ID_ALPHABET)
    return "".join(_ID_ALPHABET[number // size**place % size] for place in range(16))


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time. Refuses naive values; stores and returns aware UTC on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: times are aware UTC inside, local only at the edge")
        value = value.astimezone(UTC)
        # SQLite has no time zones: the text in the file is UTC by this one rule.
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# 64 bits everywhere: a journal outgrows 32. SQLite numbers rows by itself only for plain INTEGER.
BigInt = BigInteger().with_variant(Integer(), "sqlite")
Json = JSON().with_variant(JSONB(), "postgresql")

Pk = Annotated[int, mapped_column(primary_key=True)]
PublicId = Annotated[str, mapped_column(String(16), unique=True, default=new_public_id)]
Code = Annotated[str, mapped_column(String(32))]


class Base(DeclarativeBase):
    """Base of all tables. Constraint names are fixed, so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BigInt, datetime: UtcDateTime, dict[str, Any]: Json}  # noqa: RUF012 (SQLAlchemy's form)
