"""Telephone numbers: one normal form for whatever arrives, and clear refusals.

E.164 for subscribers. 12349 and 120 are short codes: they are kept as they
are, never given a country code. Local numbers of seven or eight digits get the
hotline's area code (a setting).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers

COUNTRY = "CN"
_SEPARATORS = re.compile(r"[\s\-‐-―().,/·_]+")
# Words that SIP networks send in the place of a number (RFC 3323 and common practice).
_WITHHELD = frozenset({"", "anonymous", "unknown", "unavailable", "restricted", "private", "withheld", "asterisk", "s"})


class NumberKind(StrEnum):
    """What sort of line a number belongs to."""

    LANDLINE = "landline"
    MOBILE = "mobile"
    DEVICE = "device"
    SHORT_CODE = "short_code"  # emergency, service and premium numbers: nobody's own
    FOREIGN = "foreign"


# Whom a person may be asked to ring: nobody's foreign or premium line.
RINGABLE = frozenset({NumberKind.LANDLINE, NumberKind.MOBILE, NumberKind.DEVICE})


class BadNumber(ValueError):
    """The text is not a telephone number. `text` is what was given."""

    def __init__(self, text: str) -> None:
        super().__init__(f"not a telephone number: {text[:40]!r}")
        self.text = text


@dataclass(frozen=True, order=True)
class Number:
    """A normalised number: `value` is E.164 (`+86…`) or a short code (`12349`)."""

    value: str
    kind: NumberKind

    def __str__(self) -> str:
        return self.value

    @property
    def masked(self) -> str:
        """The number as logs may show it: the country code and the last two digits."""
        return mask(self.value)

    @property
    def national(self) -> str:
        """The number as a person in China dials it: trunk 0 before an area code, mobiles bare."""
        if not self.value.startswith("+86"):
            return self.value
        rest = self.value[3:]
        return rest if self.kind is NumberKind.MOBILE else "0" + rest


def mask(value: str) -> str:
    """Mask a number for logs: `+86*******01`."""
    if len(value) <= 6:
        return value
    return value[:3] + "*" * (len(value) - 5) + value[-2:]


def normalise(text: str, area_code: str = "0451") -> Number:
    """Return the normal form of `text`, however it was written.

    `area_code` carries its trunk 0 and completes local numbers. Takes `+86…`,
    `0086…`, a trunk 0, blanks and dashes, full-width digits.

    Raises:
        BadNumber: empty, letters, or a length no number has.
    """
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text or "").strip())
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if not re.fullmatch(r"\+?[0-9]{3,17}", digits):
        raise BadNumber(text or "")
    if re.fullmatch(r"1[0-9]{2,4}|9[0-9]{4}", digits):
        return Number(digits, NumberKind.SHORT_CODE)
    if not digits.startswith("+") and not digits.startswith("0") and len(digits) in (7, 8):
        digits = area_code + digits
    if re.fullmatch(r"86(1[0-9]{10}|[2-9][0-9]{9,10})", digits):
        digits = "+" + digits
    elif digits.startswith("0"):
        digits = "+86" + digits[1:]
    elif re.fullmatch(r"1[0-9]{10}", digits):
        digits = "+86" + digits
    if not digits.startswith("+"):
        raise BadNumber(text)
    try:
        parsed = phonenumbers.parse(digits, COUNTRY)
    except phonenumbers.NumberParseException as error:
        raise BadNumber(text) from error
    # A number that could only be dialled inside one town is cut off: here every number has its area code.
    if phonenumbers.is_possible_number_with_reason(parsed) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise BadNumber(text)
    # Some carriers write the trunk 0 behind the country code as well.
    value = re.sub(r"^\+860", "+86", phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
    if parsed.country_code != 86:
        return Number(value, NumberKind.FOREIGN)
    if phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.PREMIUM_RATE:
        return Number(value, NumberKind.SHORT_CODE)
    mobile = len(value) == 14 and value[3] == "1" and not value.startswith("+8610")
    return Number(value, NumberKind.MOBILE if mobile else NumberKind.LANDLINE)


def caller(text: str | None, area_code: str = "0451") -> Number | None:
    """Return the caller's number from SIP, or None if it is withheld or is no number at all."""
    if text is None or text.strip().lower() in _WITHHELD:
        return None
    try:
        return normalise(text, area_code)
    except BadNumber:
        return None
