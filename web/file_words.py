"""What the rules of an imported file say, in the console's languages."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import lazy_gettext as _l

from models.elder_columns import columns as elder_columns
from models.provider_columns import columns as provider_columns

# What the rules of files say, in the console's languages. %(a)s … are the parts that the pattern has found.
_COLUMNS = {column.name: column.heading for column in (*provider_columns(), *elder_columns())}
_SAID: tuple[tuple[str, Any], ...] = (
    (r"line (?P<a>\d+): (?P<rest>.+)", _l("Line %(a)s: %(rest)s")),
    (r"the name is missing", _l("The name is missing.")),
    (r"the services are missing", _l("The services are missing.")),
    (r"the telephone number is missing", _l("The telephone number is missing.")),
    (r"(?P<a>'.*') is not a telephone number", _l("%(a)s is not a telephone number.")),
    (r"(?P<a>\S+) is a short code, nobody's own number", _l("%(a)s is a short code, nobody's own number.")),
    (r"(?P<field>\w+) is longer than (?P<a>\d+) characters", _l("%(field)s is longer than %(a)s characters.")),
    (
        r"(?P<field>\w+) contains a line break or a control character",
        _l("%(field)s contains a line break or a character that cannot be seen."),
    ),
    (
        r"(?P<field>\w+) is (?P<a>'.*'); it can be a number from 0 to (?P<b>\d+) or empty",
        _l("%(field)s is %(a)s; it can be a number from 0 to %(b)s, or empty."),
    ),
    (
        r"(?P<field>\w+) is (?P<a>'.*'); it can be (?P<b>.+) or empty",
        _l("%(field)s is %(a)s; it can be %(b)s, or empty."),
    ),
    (r"(?P<field>\w+) is (?P<a>'.*'); it can be (?P<b>.+)", _l("%(field)s is %(a)s; it can be %(b)s.")),
    (r"(?P<field>\w+) is (?P<a>'.*'); write it as (?P<b>\S+)", _l("%(field)s is %(a)s; write it as %(b)s.")),
    (r"born_on is (?P<a>'.*'): no elder was born then", _l("Born on %(a)s: no elder was born then.")),
    (r"call_hours, not_on: (?P<rest>.+); write .+", _l("%(rest)s; write it as 10:00-11:30；14:00-18:00.")),
    (r"not_on: (?P<a>'.*') is no weekday", _l("%(a)s is no weekday.")),
    (
        r"areas has (?P<a>'.*'); write district>community>grid",
        _l("The areas have %(a)s; write district>community>grid."),
    ),
    (r"hours has (?P<a>'.*'); write (?P<b>.+)", _l("The hours have %(a)s; write %(b)s.")),
    (
        r"hours has (?P<a>'.*'); a weekday is one of (?P<b>.+)",
        _l("The hours have %(a)s; a weekday is one of %(b)s."),
    ),
    (
        r"hours has (?P<a>'.*'); it must end after it begins, on the same day",
        _l("The hours have %(a)s; it must end after it begins, on the same day."),
    ),
    (
        r"hours has (?P<a>'.*'); the week begins on Monday",
        _l("The hours have %(a)s; the week begins on Monday."),
    ),
    (r"(?P<field>worker\d+) needs a name and a code", _l("%(field)s needs a name and a code.")),
    (
        r"(?P<field>worker\d+_code) is (?P<a>'.*'); it must be 3 to 8 digits",
        _l("%(field)s is %(a)s; it must be 3 to 8 digits."),
    ),
    (r"one worker's code is there twice", _l("One worker's code is there twice.")),
    (r"worker's code (?P<a>\S+) was given out already", _l("The worker's code %(a)s was given out already.")),
    (
        r"its numbers and workers' codes belong to several providers",
        _l("Its numbers and workers' codes belong to several providers."),
    ),
    (r"it is the provider of line (?P<a>\d+) too", _l("It is the provider of line %(a)s too.")),
    (r"name (?P<a>.+) is in line (?P<b>\d+) too", _l("The name %(a)s is in line %(b)s too.")),
    (r"worker's code (?P<a>\S+) is in line (?P<b>\d+) too", _l("The worker's code %(a)s is in line %(b)s too.")),
    (r"already registered \((?P<a>.+)\)", _l("Already registered (%(a)s).")),
    (r"the same as line (?P<a>\d+) \((?P<b>.+)\)", _l("The same as line %(a)s (%(b)s).")),
    (
        r"(?P<field>contact\d+) needs a name, a relation and a telephone number",
        _l("%(field)s needs a name, a relation and a telephone number."),
    ),
    (r"(?P<field>contact\d+) is the elder herself", _l("%(field)s is the elder herself.")),
    (r"(?P<field>contact\d+) is there twice", _l("%(field)s is there twice.")),
    (r"(?P<a>\d+) cells more than the heading has", _l("%(a)s cells more than the heading has.")),
    (
        r"the first line must name the columns; missing: (?P<a>.+)",
        _l("The first line must name the columns; missing: %(a)s."),
    ),
    (r"the same column is there twice: (?P<a>.+)", _l("The same column is there twice: %(a)s.")),
    (r"the file is empty|the sheet is empty|it has no sheet", _l("The file has no lines.")),
    (r"larger than (?P<a>\d+) MB.*", _l("The file is larger than %(a)s MB.")),
    (
        r"an old \.xls workbook, or one under a password.*",
        _l("An old .xls workbook, or one under a password: save it as .xlsx without a password."),
    ),
    (r"the workbook is broken.*", _l("The workbook is broken; is the file cut off?")),
    (r"neither UTF-8 nor GB18030.*", _l("The file is neither UTF-8 nor GB18030; save it as “CSV UTF-8”.")),
    (r".*is the file cut off\?", _l("The file seems to be cut off.")),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), said) for pattern, said in _SAID)


def file_said(english: str) -> str:
    """Return what the rules of a file say, in the language of the page; as it is where no words are known."""
    for pattern, said in _PATTERNS:
        if found := pattern.fullmatch(english):
            parts = {name: text for name, text in found.groupdict().items() if text is not None}
            if "rest" in parts:
                parts["rest"] = file_said(parts["rest"])
            if "field" in parts:
                parts["field"] = column_word(parts["field"])
            return str(said) % parts if parts else str(said)
    return english


def is_known(english: str) -> bool:
    """Whether there are words for what the rules of a file say."""
    return any(pattern.fullmatch(english) for pattern, _ in _PATTERNS)


def column_word(name: str) -> str:
    """Return the heading as it stands in the file."""
    return _COLUMNS.get(name) or _COLUMNS.get(f"{name}_name", name).removesuffix("姓名")
