"""Numbers as words, in three languages. Pure; no prompt, no row, no clock.

Chinese 十二 and 两, Korean with both of its rows of numbers (일 이 삼 for
minutes and money, 한 두 세 for people and hours). English voices read figures
well, so English keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping

# The largest number that is spoken in words; a larger one is a mistake somewhere.
LARGEST = 99_999_999

_ZH = "零一二三四五六七八九"
_KO = "영일이삼사오육칠팔구"
_KO_NATIVE_ONES = ("", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉")
_KO_NATIVE_TENS = ("", "열", "스물", "서른", "마흔", "쉰", "예순", "일흔", "여든", "아흔")
_POWERS = {"zh-CN": ("", "十", "百", "千"), "ko": ("", "십", "백", "천")}
_MYRIAD = {"zh-CN": "万", "ko": "만"}
# On the telephone 1 is 幺 in Chinese, and 0 is 공 in Korean: nothing else sounds like them.
_DIGITS: Mapping[str, str] = {"zh-CN": _ZH, "ko": _KO}
_PHONE_DIGITS: Mapping[str, str] = {"zh-CN": "零幺二三四五六七八九", "ko": "공일이삼사오육칠팔구"}


def cardinal(number: int, language: str) -> str:
    """Return the number in words: 十二, 십이, "12".

    Raises:
        ValueError: below 0 or above `LARGEST`.
    """
    if not 0 <= number <= LARGEST:
        raise ValueError(f"{number} is not spoken as a number")
    if language == "en":
        return str(number)
    if number == 0:
        return _DIGITS[language][0]
    high, low = divmod(number, 10_000)
    text = _below_myriad(high, language) + _MYRIAD[language] if high else ""
    if language == "ko":
        # 만, not 일만.
        text = "만" if high == 1 else text
        return text + _below_myriad(low, language)
    gap = "零" if high and 0 < low < 1000 else ""
    text += gap + _below_myriad(low, language)
    # 十二 alone, but 一百一十二.
    return text[1:] if text.startswith("一十") else text


def _below_myriad(number: int, language: str) -> str:
    text, gap = "", False
    for power in (3, 2, 1, 0):
        digit = number // 10**power % 10
        if digit == 0:
            gap = bool(text)
            continue
        if gap and language == "zh-CN":
            text += "零"
        gap = False
        # 백, not 일백.
        spoken = "" if language == "ko" and digit == 1 and power else _DIGITS[language][digit]
        text += spoken + _POWERS[language][power]
    return text


def native(number: int) -> str:
    """Return a Korean number before a counter, 1 to 99: 한, 두, 열두, 스무, 스물한. Larger ones are 일 이 삼."""
    if not 0 < number < 100:
        return cardinal(number, "ko")
    tens, ones = divmod(number, 10)
    if number == 20:
        return "스무"
    return _KO_NATIVE_TENS[tens] + _KO_NATIVE_ONES[ones]


def counted(number: int, language: str) -> str:
    """Return the number as it stands before a counter: 两, 두, "2"."""
    if language == "ko":
        return native(number)
    return "两" if language == "zh-CN" and number == 2 else cardinal(number, language)


def digit_by_digit(figures: str, language: str, telephone: bool = False) -> list[str]:
    """Return each figure as a word; English voices read figures."""
    table = (_PHONE_DIGITS if telephone else _DIGITS).get(language)
    return [table[int(figure)] if table else figure for figure in figures if figure.isdecimal()]
