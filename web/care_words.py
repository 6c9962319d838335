"""The words of the care visits' pages for their codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

Words = Mapping[str, Any]

CARE_GROUP: Words = {
    "alone": _l("Lives alone"),
    "empty_nest": _l("Empty nest"),
    "left_behind": _l("Left behind"),
    "disabled": _l("Disabled"),
    "severely_disabled": _l("Severely disabled"),
    "family_planning": _l("Special family-planning family"),
    "high": _l("High risk"),
    "key": _l("Key person"),
    "general": _l("General"),
}
CARE_WHAT: Words = {
    "due": _l("Due"),
    "done": _l("Reached"),
    "in_time": _l("Reached in time"),
    "late": _l("Reached late"),
    "decided": _l("Ended by a decision"),
    "pending": _l("Still to be reached"),
    "overdue": _l("Overdue"),
    "escalated": _l("Others are looking in"),
    "key": _l("by a key"),
    "answers": _l("by two answers"),
    "agent": _l("by a conversation"),
    "visit": _l("by a visit"),
}
CARE_BY: Words = {
    "all": _l("All"),
    "group": _l("By group"),
    "community": _l("By community"),
    "butler": _l("By butler"),
}
CARE_PROOF: Words = {
    "key": _l("pressed a key"),
    "answers": _l("answered two questions"),
    "agent": _l("talked with a person"),
    "visit": _l("visit in person"),
}
CARE_SCRIPT: Words = {
    "care": _l("Well-being, all questions"),
    "short": _l("Well-being, one question"),
    "cold": _l("Cold warning"),
    "heat": _l("Heat warning"),
    "storm": _l("Storm warning"),
    "holiday": _l("Holiday greeting"),
}
CARE_SOURCE: Words = {
    "ledger": _l("Duty ledger"),
    "filter": _l("Groups and areas"),
    "import": _l("Uploaded list"),
}
CARE_MODE: Words = {"machine": _l("The machine rings"), "staff": _l("People ring")}
CAMPAIGN_STATUS: Words = {
    "draft": _l("Draft"),
    "running": _l("Running"),
    "paused": _l("Paused"),
    "stopped": _l("Stopped"),
    "done": _l("Done"),
}
CAMPAIGN_PROBLEM: Words = {
    "missing": _l("This is needed."),
    "long": _l("This is too long."),
    "bad": _l("This cannot be right."),
    "nobody": _l("That is nobody."),
}
LIST_PROBLEM: Words = {
    "broken": _l("The line cannot be read: %(more)s"),
    "missing": _l("The card number is missing."),
    "double": _l("The same card as in line %(more)s."),
    "unknown": _l("No elder has this card."),
}
VISIT_STATUS: Words = {
    "waiting": _l("Waits for the call"),
    "calling": _l("Is being rung"),
    "agent": _l("In front of a person"),
    "escalated": _l("Others are looking in"),
    "proved": _l("Reached"),
    "unreached": _l("Not reached"),
    "decided": _l("Ended by a decision"),
    "stopped": _l("Stopped"),
}
DECISION: Words = {
    "hospital": _l("in hospital"),
    "moved": _l("moved away"),
    "died": _l("has died"),
    "refuses": _l("refuses visits"),
    "away": _l("with family for a while"),
    "regrouped": _l("belongs to another group now"),
    "other": _l("another decision"),
}
VISIT_PROBLEM: Words = {
    "gone": _l("Somebody else works on this visit now, or it has come to its end. Take the next one."),
    "result": _l("Choose a result."),
    "note_missing": _l("Write a short note: the next colleague must understand it."),
    "note_long": _l("The note is too long."),
    "in_call": _l("The call is still under way: hang up first."),
    "not_answered": _l("Nobody answered this call, so it proves nothing. Choose another result, or ring again."),
    "no_call": _l("No call was made from here: write in the note how you talked with her."),
    "nobody": _l("There is no such colleague."),
}
VISITED_PROBLEM: Words = {
    "visited_when": _l("Write when it was: within the last month, and not in the future."),
    "visited_who": _l("Choose who was there."),
}
RULE_PROBLEM: Words = {
    "nobody": _l("No elder has this card."),
}
CARE_QUESTION: Words = {
    "feel": _l("How she is"),
    "eaten": _l("Meals"),
    "medicine": _l("Medicine"),
    "warm": _l("Warm at home"),
    "cool": _l("Bears the heat"),
    "company": _l("Visit or chat"),
}
_yes_no = {"yes": _l("yes"), "no": _l("no")}
_asked_so = ("eaten", "medicine", "warm", "cool")
# Question and answer together: "no" to meals is another "no" than to company.
CARE_ANSWER: Words = {
    "feel:well": _l("well"),
    "feel:need": _l("needs something"),
    "feel:help": _l("needs help"),
    "medicine:none": _l("takes none"),
    "company:visit": _l("wants a visit"),
    "company:chat": _l("wants a chat"),
    "company:no": _l("neither"),
    **{f"{question}:{code}": text for question in _asked_so for code, text in _yes_no.items()},
}
CARE: dict[str, Words] = {
    name.lower(): value for name, value in list(globals().items()) if name.isupper() and isinstance(value, dict)
}


def care_line(by: str, name: str) -> str:
    """Return what a line of the month is called."""
    if by == "group":
        return str(CARE_GROUP.get(name, name))
    if by == "all":
        return str(CARE_BY["all"])
    return name or (_("No butler") if by == "butler" else _("No community"))
