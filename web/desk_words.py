"""The desk's words for its codes; the names of results are data and come from their rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

Words = Mapping[str, Any]

ORDER_PROBLEM: Words = {
    "service_missing": _l("Choose a service."),
    "service_off": _l("This is not offered at present."),
    "day_missing": _l("Choose a day."),
    "day_past": _l("Too late for that: choose another day or part of the day."),
    "day_bad": _l("That is too far ahead."),
    "part_missing": _l("Choose a part of the day."),
    "at_bad": _l("Not a time."),
    "at_outside": _l("That time lies outside the part of the day."),
    "at_past": _l("That time is over."),
    "note_long": _l("The note is too long."),
}
PERSON_PROBLEM: Words = {
    "missing": _l("This is needed."),
    "long": _l("This is too long."),
    "bad": _l("This cannot be right."),
    "taken": _l("Another elder has this."),
    "overtaken": _l("A colleague has changed this meanwhile; look at the card again."),
}
FIELD: Words = {
    "name": _l("Name"),
    "sex": _l("Sex"),
    "born_on": _l("Born"),
    "language": _l("Language"),
    "numbers": _l("Telephone numbers"),
    "district": _l("District"),
    "community": _l("Community"),
    "grid": _l("Grid"),
    "address": _l("Address"),
    "card_number": _l("Service card"),
    "needs": _l("Special needs"),
}
HISTORY: Words = {
    "orders": _l("Orders"),
    "calls": _l("Calls"),
    "tasks": _l("Tasks"),
    "notes": _l("Notes"),
    "changes": _l("Corrections"),
}
TWIN: Words = {
    "birth": _l("There is another registration with the same name and the same birth."),
    "number": _l("There is another registration with the same name and the same number."),
}
MERGE_PROBLEM: Words = {
    "same": _l("These are not two registrations."),
    "gone": _l("One of them was made one with another already."),
}
DEED_PROBLEM: Words = {
    "sms_state": _l("This text message has arrived, or may still arrive; it is not sent again."),
    "sms_told": _l("What the text message says does not hold any more; it is not sent again."),
    "sms_barred": _l("This number takes no text messages; ring instead."),
    "too_late": _l("It is too late for that: look at how the order stands now."),
    "no_number": _l("This provider has no telephone number."),
    "same": _l("This provider has the order already."),
}
KEY_PROBLEM: Words = {
    "twice": _l("One key would do two things."),
    "bad": _l("Only letters, digits and plain signs can be shortcuts."),
}
DESK: dict[str, Words] = {
    "order_problem": ORDER_PROBLEM,
    "person_problem": PERSON_PROBLEM,
    "field": FIELD,
    "history": HISTORY,
    "twin": TWIN,
    "merge_problem": MERGE_PROBLEM,
    "deed_problem": DEED_PROBLEM,
    "key_problem": KEY_PROBLEM,
}
