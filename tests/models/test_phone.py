"""One normal form for every number, clear refusals, and masks wherever a log could show one."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.logs import MaskingFormatter, masked
from models.phone import BadNumber, Number, NumberKind, caller, mask, normalise

HOME = "+8645188881234"
MOBILE = "+8613912345678"


@pytest.mark.parametrize(
    "text",
    ["88881234", "8888-1234", "045188881234", "0451-8888-1234", "(0451) 8888 1234", "+8645188881234",
     "+86 451 88881234", "008645188881234", "86 451 8888 1234", "+86 0451 88881234", "8645188881234",
     "８８８８１２３４", "＋８６４５１８８８８１２３４",
     " 0451\u30008888\u00a01234 "],
)  # fmt: skip
def test_every_way_to_write_a_landline(text: str) -> None:
    assert normalise(text, "0451") == Number(HOME, NumberKind.LANDLINE)


def test_seven_digits_get_the_area_code_of_the_setting() -> None:
    assert normalise("5551234", "0453").value == "+864535551234"
    assert normalise("88881234", "010").value == "+861088881234"


@pytest.mark.parametrize(
    "text", ["13912345678", "139 1234 5678", "+86 139-1234-5678", "008613912345678", "8613912345678", "013912345678"]
)
def test_every_way_to_write_a_mobile(text: str) -> None:
    assert normalise(text) == Number(MOBILE, NumberKind.MOBILE)


@pytest.mark.parametrize("text", ["110", "119", "120", "12349", "12345", "95588", "1258", " 120 "])
def test_short_codes_stay_as_they_are(text: str) -> None:
    assert normalise(text) == Number(text.strip(), NumberKind.SHORT_CODE)


@pytest.mark.parametrize("text", ["+12125550100", "0082 2 312 3456", "+852 2345 6789"])
def test_foreign_numbers_are_told_apart(text: str) -> None:
    assert normalise(text).kind is NumberKind.FOREIGN


def test_a_premium_number_is_nobodys_own() -> None:
    assert normalise("+8616812345").kind is NumberKind.SHORT_CODE


@pytest.mark.parametrize(
    "text",
    ["", " ", "+", "abc", "0451-8888-12ab", "12", "123456", "0451120", "+86120", "1" * 40, "+86", "000", "١٢٣٤٥٦٧٨",
     "88881234;ext=1", "88881234\r\nX: y", "1; DROP TABLE", "$(reboot)", "+8645188881234 x", "4008123456",
     "0" * 4096, "\x00"],
)  # fmt: skip
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadNumber):
        normalise(text)
    assert caller(text) is None


@pytest.mark.parametrize("text", [None, "", "anonymous", "Anonymous", "UNKNOWN", "Restricted", "asterisk", "s"])
def test_withheld_callers_have_no_number(text: str | None) -> None:
    assert caller(text) is None


def test_the_national_form_is_what_a_person_dials() -> None:
    assert normalise(HOME).national == "045188881234"
    assert normalise(MOBILE).national == "13912345678"
    assert normalise("120").national == "120"


@given(st.text(alphabet="0123456789+- ()０１２", max_size=20))
def test_the_normal_form_is_its_own_normal_form(text: str) -> None:
    try:
        number = normalise(text)
    except BadNumber:
        return
    assert normalise(number.value, "010") == number
    assert normalise(number.national, "010") == number


@given(st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    assert caller(text) is None or caller(text) == normalise(text)


def test_masks() -> None:
    assert mask(HOME) == "+86*********34"
    assert normalise(MOBILE).masked == "+86*********78"
    assert mask("12349") == "12349"


@pytest.mark.parametrize(
    "text",
    ["from +8645188881234", "电话13912345678", "sip:13912345678@10.0.0.1", "13912345678.", "PJSIP/045188881234@trunk",
     "0451-88881234", "number=8645188881234,", "tel:+8645188881234>", "8888123", "008645188881234"],
)  # fmt: skip
def test_logs_mask_numbers_in_every_company(text: str) -> None:
    shown = masked(text)
    assert "8888123" not in shown and "3912345" not in shown, shown


@pytest.mark.parametrize("text", ["1763766000.12", "hotline-ab12cd34", "port 45732", "2026-11-22", "a1763766000b"])
def test_logs_keep_what_is_no_number(text: str) -> None:
    assert masked(text) == text


def test_a_traceback_is_masked_too() -> None:
    try:
        raise ValueError("Key (value)=(+8645188881234) already exists")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed for %s", (MOBILE,), (type(error), error, None))
    text = MaskingFormatter().format(record)
    assert "already exists" in text and "88881234" not in text and "12345678" not in text
