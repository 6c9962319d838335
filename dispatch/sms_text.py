"""The words of a text message, made from the rows when it is sent, and how many segments they take."""

from __future__ import annotations

from babel.dates import format_skeleton
from sqlalchemy.orm import Session

from models import vocabulary
from models.contacts import Contact
from models.orders import Order
from models.sms import SmsMessage
from models.vocabulary.sms import TEMPLATES

# Characters of GSM 03.38; each of the second row takes two places.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENDED = frozenset("^{}\\[~]|€\f")
# Places in one message alone, and in each of several.
_GSM_ALONE, _GSM_PART, _UCS2_ALONE, _UCS2_PART = 160, 153, 70, 67
# Who may be sent a text in which a service marked sensitive is named: the provider that does it.
_NAMES_ALL = frozenset({"hand_over"})
# A name, an address or a note of a row takes so many characters at most: nobody pays for a novel.
LONGEST_VALUE = 60


def segments(text: str) -> int:
    """Return how many messages the network makes of `text`: GSM-7 where every character is in it, else UCS-2."""
    if all(char in _GSM or char in _GSM_EXTENDED for char in text):
        return _parts([2 if char in _GSM_EXTENDED else 1 for char in text], _GSM_ALONE, _GSM_PART)
    # UTF-16 code units: an emoji takes two, and is not divided.
    return _parts([len(char.encode("utf-16-le")) // 2 for char in text], _UCS2_ALONE, _UCS2_PART)


def _parts(places: list[int], alone: int, part: int) -> int:
    if sum(places) <= alone:
        return 1
    count, used = 1, 0
    for width in places:
        if used + width > part:
            count, used = count + 1, 0
        used += width
    return count


def render(session: Session, message: SmsMessage) -> str:
    """Return the words of `message` as the rows are now."""
    order, language = message.order, message.language
    locale = language.replace("-", "_")
    values = {
        "number": str(order.number),
        "day": format_skeleton("MMMEd", order.wanted_on, locale=locale),
        "part": _part(order, language),
        "service": _service(session, message),
        "provider": _short(order.provider.name) if order.provider else "",
        "elder": _short(order.elder.person.name),
        "address": _short(order.elder.address) or TEMPLATES["no_address"][language],
        "needs": _needs(order, language),
    }
    return TEMPLATES[message.template][language].format(**values)


def _part(order: Order, language: str) -> str:
    """Return the part of the day, with the hour that she named."""
    part = vocabulary.PART[order.wanted_part].name[language]
    return f"{part} {order.wanted_at:%H:%M}" if order.wanted_at else part


def _service(session: Session, message: SmsMessage) -> str:
    service, language = vocabulary.SERVICE[message.order.service], message.language
    if service.sensitive and message.template not in _NAMES_ALL and not _may_hear_health(session, message):
        return TEMPLATES["service"][language]
    return vocabulary.name_of(service, language)


def _may_hear_health(session: Session, message: SmsMessage) -> bool:
    """A telephone lies about: even hers is not sent what she would not want read by others."""
    contact = session.query(Contact).filter_by(person_id=message.person_id, elder_id=message.order.elder_id).first()
    return contact is not None and contact.ended_at is None and contact.may_hear_health


def _needs(order: Order, language: str) -> str:
    needs = _short(order.elder.needs)
    return TEMPLATES["needs"][language].format(text=needs) if needs else ""


def _short(text: str) -> str:
    """Return a value of a row as one short line; an address of the web in it would have the carrier refuse it all."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    for mark in ("://", "www."):
        line = line.replace(mark, " ")
    return line if len(line) <= LONGEST_VALUE else line[: LONGEST_VALUE - 1] + "…"
