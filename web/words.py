"""The console's words for every code that rows hold. English here; the catalogues have the others.

An unknown code is shown as it is: a newer hotline may write what this console
does not know yet, and a page must not break over it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from babel import Locale
from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _l

from models import vocabulary
from models.orders import ORDER_MOVES
from web.admin_words import ADMIN
from web.care_words import CARE
from web.desk_words import DESK
from web.i18n import LOCALES, NAMES, language
from web.prompt_words import LACK, PLACE, RECORDING_SOURCE, STUDIO_PROBLEM

Words = Mapping[str, Any]

ORDER_STATUS: Words = {
    "confirmed": _l("Confirmed"),
    "offered": _l("Asking providers"),
    "accepted": _l("Accepted"),
    "arrived": _l("Worker arrived"),
    "completed": _l("Completed"),
    "return_visited": _l("Return visit done"),
    "settled": _l("Settled"),
    "needs_agent": _l("Needs an agent"),
    "cancelled": _l("Cancelled"),
    "reopened": _l("Reopened"),
}
ORDER_GROUP: Words = {
    "agent": _l("Waiting for an agent"),
    "dispatch": _l("Being dispatched"),
    "provider": _l("With a provider"),
}
CALL_STATE: Words = {
    "dialing": _l("Dialling"),
    "talking": _l("With the machine"),
    "waiting": _l("Waiting for a person"),
    "agent": _l("With an agent"),
    "ended": _l("Ended"),
}
CALL_END: Words = {
    "goodbye": _l("Came to its end"),
    "hung_up": _l("Hung up midway"),
    "person": _l("Answered by an agent"),
    "message": _l("Left a message"),
    "abandoned": _l("Gave up waiting"),
    "ring_back": _l("Chose to be rung back"),
    "not_answered": _l("Nobody answered"),
    "lost": _l("Cut off by a fault"),
}
PRESENCE: dict[str, Any] = {
    "offline": _l("Offline"),
    "ready": _l("Ready"),
    "ringing": _l("Ringing"),
    "talking": _l("In a call"),
    "wrap_up": _l("Wrap-up"),
    "pause": _l("Pause"),
}
# Reasons that are nobody's choice; those of `pause_reasons` carry their names.
PRESENCE_REASON: dict[str, Any] = {
    "missed": _l("Call missed"),
    "owed": _l("Result still owed"),
    "lost": _l("Connection lost"),
    "watching": _l("In an agent's call"),
    "third_gone": _l("Whom you asked did not answer, or has left"),
}
# A supervisor in an agent's call: as she sees it, and as the agent does.
WATCHING: Words = {
    "listen": _l("You listen; nobody hears you."),
    "whisper": _l("Only the agent hears you."),
    "join": _l("Both hear you."),
    "take_over": _l("You have taken the call over."),
}
WATCHED: Words = {
    "listen": _l("A supervisor is listening."),
    "whisper": _l("A supervisor speaks to you; the caller does not hear it."),
    "join": _l("A supervisor has joined the call."),
    "take_over": _l("A supervisor has taken the call over."),
}
WATCHED_CALL: Words = {
    "listen": _l("Listened to"),
    "whisper": _l("Spoke to the agent"),
    "join": _l("Joined the call"),
    "take_over": _l("Took the call over"),
}
MARK_PROBLEM: Words = {
    "points": _l("Give every item 1 to 5 points."),
    "comment": _l("The comment is too long: at most 1000 characters."),
    "agent": _l("This agent did not talk in the call."),
    "own": _l("Your own call is marked by somebody else."),
}
FIGURE: Words = {
    "asked": _l("Put through to people"),
    "answered": _l("Answered"),
    "in_time": _l("Answered within 15 s"),
    "abandoned": _l("Gave up waiting"),
    "took_message": _l("Message or ring back"),
    "missed": _l("Missed"),
    "marked": _l("Marked"),
}
PURPOSE: Words = {
    "inbound": _l("Incoming call"),
    "offer": _l("Offer call"),
    "callback": _l("Callback"),
    "reminder": _l("Reminder"),
    "return_visit": _l("Return visit"),
    "care": _l("Care visit"),
    "look_in": _l("Asked to look in"),
    "agent": _l("Call by an agent"),
    "studio": _l("Recording studio"),
}
TASK_KIND: Words = {
    "alarm": _l("Emergency"),
    "partial": _l("Unfinished request"),
    "message": _l("Message"),
    "missed": _l("Missed caller"),
    "no_provider": _l("No provider found"),
    "callback": _l("Callback not delivered"),
    "ring_back": _l("Wants to be rung back"),
    "fault": _l("Fault on our side"),
    "sms": _l("Text message not delivered"),
    "dead_number": _l("Number no longer exists"),
    "tell_provider": _l("Tell the provider"),
    "dissatisfied": _l("Not satisfied"),
    "unreachable": _l("Return visit not possible"),
    "word": _l("A word of hers"),
    "late": _l("Order is late"),
    "check_item": _l("Check a provider's service"),
    "check_visit": _l("Check a worker's visit"),
    "care": _l("Care visit: ring her yourself"),
    "follow_up": _l("Care visit: to be followed up"),
    "go_there": _l("Not reached: someone goes there"),
}
TASK_ADVICE: Words = {
    "dead_number": _l("Find out the new number and correct it; until then it is not rung."),
    "alarm": _l("Call back at once; if nobody answers, send help."),
    "partial": _l("Call back and finish the request; what she said so far is in the details."),
    "message": _l("Listen to the message, then call back."),
    "missed": _l("She waited for a person and nobody came: call back."),
    "no_provider": _l("Find a provider by telephone, or agree on another time."),
    "callback": _l("She does not know yet who comes: tell her."),
    "ring_back": _l("Nobody was free and we promised to ring back: ring her."),
    "fault": _l("The call was cut by a fault: call back and ask what she needs."),
    "tell_provider": _l(
        "The order was cancelled, or given to another, after this provider had accepted it: ring it and say so."
    ),
    "late": _l("The deadline has passed: see where the order stands, tell her, and have it done."),
    "check_item": _l("The provider says that this service is not its own: ring it and put its entry right."),
    "check_visit": _l("The worker reported from a telephone that is not the elder's: ask the elder whether she came."),
    "care": _l("The machine could not find out whether she is well: ring her, and write how she is."),
    "follow_up": _l("A colleague has talked with her: read the note, and see to what she needs."),
    "go_there": _l("Nobody reaches her: send somebody to her door before the deadline, and write who was there."),
    "unreachable": _l("She could not be asked how it was: ring her, and have it done again where it was not good."),
    "word": _l("She was content and has said something: listen to it."),
    "sms": _l("The text message has not arrived, or nobody knows: tell by telephone what it would have said."),
    "dissatisfied": _l("She was not content: call her, hear what was wrong, have it done again."),
}
AFTERWARDS_PROBLEM: Words = {
    "day": _l("Choose a day within the next month."),
    "part": _l("Choose a part of the day."),
    "state": _l("The order stands otherwise by now."),
}
TRANSCRIPT: Words = {
    "": _l("Not written down yet: listen to the recording."),
    "done": _l("The words have been erased."),
    "no_words": _l("No words were understood: listen to the recording."),
    "no_model": _l("There is no speech model for this language here: listen to the recording."),
    "failed": _l("Writing it down failed: listen to the recording."),
}
TASK_PROBLEM: Words = {
    "closed": _l("This task has been closed already."),
    "locked": _l("A colleague has this task open and works on it."),
    "overtaken": _l("A colleague has changed this meanwhile; look at the card again."),
    "result": _l("Choose a result."),
    "note_missing": _l("Write a short note: the next colleague must understand it."),
    "note_long": _l("The note is too long."),
    "score": _l("She cannot be asked about this order any more."),
}
OFFER_STATUS: Words = {
    "open": _l("Being asked"),
    "accepted": _l("Accepted"),
    "declined": _l("Declined"),
    "expired": _l("No answer"),
    "withdrawn": _l("Withdrawn"),
}
SMS_STATUS: Words = {
    "queued": _l("To be sent"),
    "sending": _l("Being sent"),
    "unknown": _l("Not known whether sent"),
    "sent": _l("Sent"),
    "delivered": _l("Delivered"),
    "undelivered": _l("Not delivered"),
    "failed": _l("Refused"),
    "withdrawn": _l("Not needed any more"),
}
SMS_GROUP: Words = {"waiting": _l("Waiting"), "trouble": _l("Not arrived")}
SMS_TEMPLATE: Words = {
    "hand_over": _l("The order in writing"),
    "comes": _l("Who comes"),
    "confirmed": _l("The order is noted"),
    "reminder": _l("Reminder"),
}
SMS_ERROR: Words = {
    "no_mobile": _l("no mobile number"),
    "forbidden": _l("a number that is never dialled"),
    "opted_out": _l("does not want any"),
    "unreachable": _l("takes no text messages"),
    "lost": _l("the carrier never had it"),
    "21211": _l("not a telephone number"),
    "21610": _l("does not want any"),
    "21614": _l("no mobile number"),
    "30003": _l("telephone switched off or out of reach"),
    "30004": _l("blocked by the recipient's network"),
    "30005": _l("number not in use"),
    "30006": _l("a landline, or a network that takes none"),
    "30007": _l("filtered by the carrier"),
}
RECORDING: Words = {"on": _l("after the notice"), "disk_full": _l("not begun: the disk is nearly full")}
LATENESS: Words = {"late": _l("Late"), "soon": _l("Due soon"), "in_time": _l("In time")}
CHOICE_REASON: Words = {
    "favourite": _l("she rated it well"),
    "score": _l("elders' ratings"),
    "volunteers": _l("volunteers fit this service"),
    "lately": _l("has had orders lately"),
    "doubted": _l("said the service is not its own"),
    "again": _l("has done this order before"),
}
CHOICE_BAR: Words = {
    "item": _l("does not offer the service"),
    "area": _l("does not cover the place"),
    "paused": _l("is paused"),
    "closed": _l("does not work at that time"),
    "full": _l("is full in that part of the day"),
    "refused": _l("she rated it badly"),
    "asked": _l("was asked already"),
    "no_number": _l("has no telephone number"),
}
DECLINE_REASON: Words = {"busy": _l("no time"), "too_far": _l("too far"), "not_ours": _l("not its service")}
PROVIDER_KIND: Words = {"business": _l("Business"), "volunteers": _l("Volunteers")}
PROVIDER_PROBLEM: Words = {
    "past": _l("A pause ends on a day to come."),
    "reason_long": _l("The reason is too long."),
    "day": _l("Choose the day from which it is asked again."),
}
CALLBACK_STATUS: Words = {
    "open": _l("Still to be told"),
    "confirmed": _l("Told and confirmed"),
    "failed": _l("Could not be told"),
    "withdrawn": _l("Withdrawn"),
}
REMINDER_STATUS: Words = {
    "open": _l("Still to be reminded"),
    "heard": _l("Has heard it"),
    "failed": _l("Not reached: she hears it if she rings"),
    "withdrawn": _l("Withdrawn"),
}
RETURN_VISIT_STATUS: Words = {
    "open": _l("Still to be asked"),
    "done": _l("Has said how it was"),
    "failed": _l("Could not be asked"),
    "withdrawn": _l("Nothing left to ask"),
}
ATTEMPT: Words = {
    "due": _l("To be dialled"),
    "dialing": _l("Dialling"),
    "answered": _l("Answered"),
    "closed": _l("Ended"),
    "accepted": _l("Accepted"),
    "declined": _l("Declined"),
    "confirmed": _l("Told and confirmed"),
    "no_key": _l("Answered, no key pressed"),
    "person": _l("Asked for a person"),
    "too_late": _l("Answered too late"),
    "busy": _l("Busy"),
    "no_answer": _l("Nobody answered"),
    "invalid": _l("Number does not exist"),
    "congestion": _l("Network fault"),
    "refused": _l("Cannot be dialled"),
    "lost": _l("Cut off by a fault"),
    "proved": _l("She was reached"),
    "silent": _l("Answered and kept silent"),
    "machine": _l("A machine answered"),
    "hung_up": _l("Hung up before an answer"),
}
JOURNAL: Words = {
    "answered": _l("Call answered"),
    "identified": _l("Caller"),
    "turn": _l("Reply"),
    "slot": _l("Understood"),
    "language": _l("Language changed"),
    "order_placed": _l("Order placed"),
    "order_known": _l("The same order stands already"),
    "order_changed": _l("Order changed to another time"),
    "order_cancelled": _l("Order cancelled"),
    "orders_told": _l("Told how her orders stand"),
    "order_rated": _l("Service rated"),
    "identified_as": _l("It was said who is meant"),
    "offer_accepted": _l("Offer accepted"),
    "offer_declined": _l("Offer declined"),
    "offer_too_late": _l("Accepted too late, somebody else has it"),
    "visit": _l("A worker's visit reported"),
    "callback_confirmed": _l("She has heard it and confirmed"),
    "care": _l("Care visit"),
    "look_in": _l("Asked to look in"),
    "talked": _l("Something talked on the line"),
    "reminder_heard": _l("She has heard the reminder"),
    "to_person": _l("Put through to a person"),
    "wait_told": _l("Told her place in the queue"),
    "ring_back": _l("Chose to be rung back"),
    "agent_rung": _l("An agent's telephone rang"),
    "agent_answered": _l("An agent answered"),
    "agent_missed": _l("The agent did not answer"),
    "agent_lost": _l("The agent's line broke: she waits again"),
    "transferred": _l("Passed on by an agent"),
    "message": _l("Message left"),
    "speech_off": _l("Speech recognition off, keys only"),
    "recording": _l("Recorded"),
    "fault": _l("Fault"),
    "hung_up": _l("The other side hung up"),
    "ended": _l("Call ended"),
    "heard": _l("Heard"),
}
IDENTIFIED: Words = {
    "one": _l("known by the number"),
    "household": _l("household line, several elders"),
    "unknown": _l("unknown number"),
    "withheld": _l("number withheld"),
    "contact": _l("somebody who stands by an elder"),
    "contacts": _l("one of several contacts at this number, not known which"),
    "provider": _l("a service provider"),
}
STEP: Words = {
    "open": _l("What she needs"),
    "others": _l("Something else"),
    "service": _l("Which service"),
    "menu2": _l("Which service, page 2"),
    "menu3": _l("Which service, page 3"),
    "menu4": _l("Which service, page 4"),
    "day": _l("Which day"),
    "date": _l("Which date"),
    "part": _l("Which part of the day"),
    "readback": _l("Confirmation"),
    "what_changes": _l("What is to change"),
    "usual": _l("The usual service"),
    "missed": _l("Our missed call"),
    "which_order": _l("Which order"),
    "order": _l("How an order stands"),
    "cancel_sure": _l("Confirmation of the cancellation"),
    "score": _l("How it was"),
    "score_sure": _l("Confirmation of the score"),
    "return_visit": _l("Return visit: how it was"),
    "care_feel": _l("How she is"),
    "care_eaten": _l("Whether she has eaten"),
    "care_medicine": _l("Whether she has taken her medicine"),
    "care_warm": _l("Whether it is warm at home"),
    "care_cool": _l("Whether the heat troubles her"),
    "care_company": _l("Whether she wants a visit or a chat"),
    "care_need": _l("What she needs"),
    "care_word": _l("Whether she has something to say"),
    "which": _l("Which of them is calling"),
    "for_her": _l("For whom she calls"),
    "card": _l("Service card"),
    "stranger": _l("An unknown caller"),
    "this_number": _l("The number to ring back"),
    "number": _l("Another number"),
    "provider": _l("An open offer"),
    "provider_why": _l("Why the provider declines"),
    "person_first": _l("Greeting before a person"),
    "worker_code": _l("The worker's code"),
    "which_visit": _l("For which order the worker came"),
    "visit_number": _l("The order's number, keyed by the worker"),
    "visit": _l("The worker's report"),
    "provider_idle": _l("No open offer"),
    "done": _l("Anything else"),
    "notice": _l("Notice"),
}
TURN: Words = {
    "key": _l("key"),
    "said": _l("said"),
    "silence": _l("silence"),
    "unknown": _l("not understood"),
    "digits": _l("keyed number"),
}
REASON: Words = {
    "asked": _l("asked for a person"),
    "agent_lost": _l("the agent's line broke"),
    "emergency": _l("emergency"),
    "government": _l("government enquiry"),
    "household": _l("household line, several elders"),
    "unknown": _l("unknown number"),
    "withheld": _l("number withheld"),
    "not_heard": _l("nothing heard"),
    "not_understood": _l("not understood"),
    "fault": _l("fault"),
    "legal_aid": _l("legal aid"),
    "contact": _l("somebody who stands by an elder"),
    "behalf": _l("calls for somebody else"),
    "provider": _l("a service provider"),
    "person_first": _l("gets a person first"),
    "too_long": _l("too many questions"),
    "card_unknown": _l("card not found"),
    "no_consent": _l("no consent to be told"),
    "many_orders": _l("many orders"),
    "not_offered": _l("wants what is not offered"),
    "repeated": _l("wants it again and again, or on several days"),
    "change": _l("change to an arranged order"),
    "callback": _l("about who comes"),
    "worker_unknown": _l("worker or order not found"),
    "silent": _l("answered a care call and kept silent"),
    "care": _l("needs something, in a care visit"),
    "visit": _l("a worker's order has changed"),
}
WHERE: Words = {"conversation": _l("in the conversation"), "agi": _l("the conversation could not begin")}
SLOT: Words = {
    "service": _l("Service"),
    "day": _l("Day"),
    "part": _l("Part of the day"),
    "at": _l("Time of day"),
    "wish": _l("Of an order that stands"),
    "every": _l("Again and again"),
    "others": _l("Also"),
}
EVERY: Words = {
    "day": _l("every day"),
    "week": _l("every week"),
    "month": _l("every month"),
    "several": _l("on several days"),
}
ACTOR: Words = {
    "elder": _l("Elder"),
    "contact": _l("Contact, for her"),
    "provider": _l("Provider"),
    "worker": _l("Worker"),
    "agent": _l("Agent"),
    "system": _l("System"),
}
PROOF: Words = {
    "place": _l("from her landline"),
    "her_phone": _l("from her mobile"),
    "unproved": _l("from another telephone"),
}
CHANNEL: Words = {"phone": _l("By telephone"), "agent": _l("By an agent"), "app": _l("By the app")}
ROLE: Words = {"agent": _l("Agent"), "supervisor": _l("Supervisor"), "admin": _l("Administrator")}
SEX: Words = {"f": _l("female"), "m": _l("male")}
NUMBER_KIND: Words = {
    "landline": _l("Landline"),
    "mobile": _l("Mobile"),
    "device": _l("Device"),
    "short_code": _l("Short number"),
    "foreign": _l("Foreign number"),
}
PROCESS: Words = {"worker": _l("Worker process"), "dispatcher": _l("Dispatcher")}
ERRAND: Words = {
    "offer_order": _l("Ask the next provider"),
    "dial": _l("Dial"),
    "tell_others": _l("Tell the other providers"),
    "escalate": _l("Ask somebody to look in"),
    "send_sms": _l("Send a text message"),
    "ask_sms": _l("Ask what became of a text message"),
}
NUMBER_ROLE: Words = {"own": _l("her own"), "shared": _l("household line"), "relative": _l("a relative's")}
SETTING: Words = {
    "pace": _l("Pace"),
    "volume": _l("Volume"),
    "person_first": _l("Begins with"),
    "language": _l("Language"),
    "sms": _l("Text messages"),
    "dialect": _l("Dialect"),
}
PACE: Words = {"normal": _l("Normal pace"), "slow": _l("Slow")}
VOLUME: Words = {"normal": _l("Normal volume"), "loud": _l("Loud")}
SMS: Words = {"no": _l("none"), "yes": _l("wanted")}
DIALECT: Words = {"none": _l("No dialect")}
PERSON_FIRST: Words = {"no": _l("the machine"), "yes": _l("a person")}
ORIGIN: Words = {
    "agent": _l("Set by an agent"),
    "learnt": _l("Learnt from her calls"),
    "import": _l("From the import"),
    "caller": _l("Chosen by her on the telephone"),
}
WHY: Words = {
    "timeouts": _l("she let the time run out several times in a row"),
    "persons": _l("they all ended with a person"),
}
WEEKDAY: Words = {
    "1": _l("Mon"),
    "2": _l("Tue"),
    "3": _l("Wed"),
    "4": _l("Thu"),
    "5": _l("Fri"),
    "6": _l("Sat"),
    "7": _l("Sun"),
}
MANNER_PROBLEM: Words = {
    "hours": _l("These are no hours in which she could be rung; nothing was changed."),
    "moved": _l("It was changed meanwhile; nothing was undone. This is what holds now."),
}
RELATION: Words = {
    "spouse": _l("Spouse"),
    "child": _l("Child"),
    "relative": _l("Relative"),
    "neighbour": _l("Neighbour"),
    "guardian": _l("Guardian"),
    "butler": _l("Butler"),
}
RIGHT: Words = {
    "may_order": _l("may order for her"),
    "may_hear_orders": _l("may hear of orders"),
    "may_hear_health": _l("may hear of her health"),
    "may_hear_money": _l("may hear of money"),
    "may_look_in": _l("looks in when she is not reached"),
    "wants_sms": _l("wants text messages"),
}
IDENTIFIED_BY: Words = {
    "caller_id": _l("by the number alone"),
    "household": _l("by the number, and she said who"),
    "contact": _l("by a contact's number"),
    "card": _l("by the service card"),
    "worker": _l("by a worker's code"),
    "agent": _l("by an agent"),
    "none": _l("not known"),
}
THEME: Words = {"auto": _l("Automatic"), "light": _l("Light"), "dark": _l("Dark")}

ALL: Mapping[str, Words] = {
    **DESK,
    **CARE,
    **ADMIN,
    **{"place": PLACE, "lack": LACK, "recording_source": RECORDING_SOURCE, "studio_problem": STUDIO_PROBLEM},
    **{name.lower(): value for name, value in list(globals().items()) if name.isupper() and isinstance(value, dict)},
}
_CONCEPTS = {
    "service": vocabulary.SERVICE,
    "day": vocabulary.DAY,
    "part": vocabulary.PART,
    "wish": {intent.code: intent for intent in vocabulary.INTENTS},
}
_ANSWERS = {concept.code: concept for concept in (*vocabulary.ANSWERS, *vocabulary.ALWAYS)}


def word(of: str, code: str | None) -> str:
    """Return the word for `code` in the list named `of`; the code itself if it is unknown."""
    return _said(of, code or "", get_locale())


# A board says the same few words hundreds of times; each is looked for by way of request, locale and catalogue.
@lru_cache(4000)
def _said(of: str, code: str, _locale: Locale | None) -> str:
    return str(ALL[of].get(code, code))


def concept(of: str, code: str) -> str:
    """Return the word for what was understood: the vocabulary's name of a service, a day or a part of the day."""
    if of == "every":
        return word(of, code)
    if of == "others":
        return " · ".join(concept("service", one) for one in code.split(","))
    found = _CONCEPTS.get(of, {}).get(code) or _ANSWERS.get(code)
    return vocabulary.name_of(found, language()) if found else code


def sentence(english: str) -> str:
    """Translate a sentence of the table of moves."""
    return str(gettext(english)) if english in ORDER_MOVES.values() else english


def setting_value(name: str, value: str) -> str:
    """Return the word for a value of an elder's setting."""
    return language_name(value) if name == "language" else word(name, value)


def language_name(code: str) -> str:
    """Return how a language calls itself."""
    return NAMES.get(code, code) if code in LOCALES else code
