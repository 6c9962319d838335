"""The words of administration: problems of its forms, fields of what was changed, subjects of the audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel import units
from babel.dates import get_day_names
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _l

from agents.admin_queues import TIMES, weight_field
from web.audit_words import AUDIT_ACTION, AUDIT_GROUP
from web.file_words import column_word, file_said
from web.i18n import LOCALES, NAMES

Words = Mapping[str, Any]

# What the weight of a language's queue is called in the audit.
_WEIGHT_OF = {weight_field(language): language for language in LOCALES}

SETTING_PROBLEM: Words = {
    "missing": _l("This is needed."),
    "long": _l("This is too long."),
    "bad": _l("This cannot be right."),
    "taken": _l("There is another one with this already."),
    "range": _l("This is outside of what is possible."),
    "length": _l("2 to 64 characters."),
    "one_span": _l("One span of the day, such as 09:00-12:00."),
    "overtaken": _l("A colleague has changed this meanwhile. This is how it stands now; nothing of yours was written."),
    "undone": _l("This was taken back already."),
    "kept": _l("This cannot be taken away, for older records name it. It can be hidden instead."),
    "last_admin": _l("At least one administrator who can log in has to stay."),
    "last_one": _l("One of these has to stay on the list."),
    "yourself": _l("Your own password is changed under “My account”."),
    "never_open": _l("Give the hours of one day at least, or choose round the clock."),
    "code_taken": _l("This worker's code was given out already: %(told)s"),
    "file": _l("This cannot be right."),
    "herself": _l("This is the elder herself."),
    "twice": _l("This person stands by her already."),
    "elder": _l("This person is an elder too: name and numbers are corrected on her own card."),
    "empty": _l("The file has no lines."),
    "large": _l("The file is too large: 10 MB at most."),
    "gone": _l("This file was written already, or is older than a day. Choose it again."),
    "kind": _l("Choose what the file holds."),
    "table": _l("The file cannot be read."),
}
SETTING_KIND: Words = {
    "user": _l("User"),
    "skills": _l("Languages and dialects of an agent"),
    "pause_reason": _l("Reason for a pause"),
    "result": _l("Result"),
    "quality_item": _l("Item of the form of marks"),
    "dialect": _l("Dialect"),
    "queues": _l("Queues"),
    "service": _l("Service"),
    "week": _l("Opening hours"),
    "special_day": _l("Special day"),
    "provider": _l("Provider"),
    "contact": _l("Contact"),
    "elder": _l("Elder"),
    "order": _l("Order"),
    "call": _l("Call"),
    "task": _l("Task"),
    "audio": _l("Recording"),
    "prompt_recording": _l("Prompt"),
    "person": _l("Person"),
    "call_rules": _l("Rules of calling"),
    "calls": _l("Calls"),
    "campaign": _l("Campaign"),
    "care_visit": _l("Care visit"),
    "duties": _l("Duties of care"),
    "users": _l("Users"),
}
SETTING_FIELD: Words = {
    "name": _l("Name"),
    "names": _l("Called"),
    "role": _l("Role"),
    "language": _l("Language"),
    "may_log_in": _l("May log in"),
    "position": _l("Place in the list"),
    "is_shown": _l("On the list"),
    "weight": _l("Weight"),
    "ring_s": _l("An agent is rung for"),
    "wrap_up_s": _l("After a call she has"),
    "wrap_up_more_s": _l("More time, when she asks"),
    "lap_s": _l("A caller is told her place every"),
    "wait_s": _l("A caller waits for at most"),
    "scope": _l("Where"),
    "is_final": _l("Final"),
    "retry_s": _l("Again after"),
    "needs_note": _l("Needs a note"),
    "is_offered": _l("Offered"),
    "price_fen": _l("Price"),
    "unit": _l("Unit"),
    "hours": _l("Hours"),
    "kind": _l("Kind"),
    "phones": _l("Telephone numbers"),
    "numbers": _l("Telephone numbers"),
    "services": _l("Services"),
    "areas": _l("Areas"),
    "capacity": _l("Orders in a part of the day"),
    "sms": _l("Text messages"),
    "paused_until": _l("Not asked before"),
    "pause_reason": _l("Reason"),
    "relation": _l("Relation"),
    "rights": _l("Consents"),
    "elder": _l("Elder"),
}
RESULT_SCOPE: Words = {
    "task": _l("Tasks"),
    "call": _l("Calls"),
    "both": _l("Calls and tasks"),
    "visit": _l("The staff's run"),
    "skip": _l("Passed over in the run"),
}
UNIT: Words = {"visit": _l("a visit"), "hour": _l("an hour"), "meal": _l("a meal"), "day": _l("a day")}
IMPORT_KIND: Words = {"elders": _l("Elders"), "providers": _l("Providers and workers")}
DAY_WHY: Words = {
    "special": _l("special day"),
    "holiday": _l("public holiday: Sunday's hours"),
    "make_up": _l("worked for a holiday: Monday's hours"),
    "usual": _l("usual"),
}
ADMIN: dict[str, Words] = {
    "setting_problem": SETTING_PROBLEM,
    "setting_kind": SETTING_KIND,
    "setting_field": SETTING_FIELD,
    "result_scope": RESULT_SCOPE,
    "unit": UNIT,
    "import_kind": IMPORT_KIND,
    "day_why": DAY_WHY,
    "audit_group": AUDIT_GROUP,
    "audit_action": AUDIT_ACTION,
}


def field_word(field: str) -> str:
    """Return what a field of a change is called: a weekday, a language, a worker's column, or a name of its own."""
    if field.isdigit():
        return str(get_day_names("wide", locale=get_locale())[int(field)])
    if field in LOCALES:
        return NAMES[field]
    if field in _WEIGHT_OF:
        return str(gettext("Weight of %(language)s", language=NAMES[_WEIGHT_OF[field]]))
    return str(SETTING_FIELD.get(field) or column_word(field))


def setting_problem(code: str, told: str = "") -> str:
    """Return what is wrong; `told`: what more the rules have said."""
    if told and code in ("file", "table"):
        return file_said(told)
    said = SETTING_PROBLEM.get(code, code)
    return str(said) % {"told": told} if code == "code_taken" else str(said)


def setting_text(field: str, value: Any, word: Any) -> str:
    """Return a value of the audit for a reader."""
    if value is None or value == "" or value == []:
        return "—"
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if field == "names" and isinstance(value, dict):
        return " · ".join(str(one) for one in value.values())
    if field == "price_fen":
        return f"¥{value / 100:.2f}"
    if field in TIMES:
        return str(units.format_unit(value, "duration-second", length="short", locale=get_locale()))
    if field == "retry_s":
        return str(gettext("%(num)d min", num=value // 60))
    if field in ("role", "relation", "unit"):
        return str(word(field, value))
    if field == "scope":
        return str(word("result_scope", value))
    if field == "rights":
        return " · ".join(word("right", one) for one in value)
    return " · ".join(str(one) for one in value) if isinstance(value, list) else str(value)
