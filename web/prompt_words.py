"""The console's words for the catalogue of prompts and the recording studio."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l

Words = Mapping[str, Any]

PLACE: Words = {
    "inbound.start": _l("Greeting"),
    "inbound.service": _l("What she needs"),
    "inbound.time": _l("When"),
    "inbound.readback": _l("Read back"),
    "inbound.done": _l("Done, farewell"),
    "inbound.manage": _l("Her orders"),
    "inbound.missed": _l("Not heard, not understood"),
    "person.transfer": _l("On the way to a person"),
    "person.waiting": _l("While she waits"),
    "person.message": _l("Nobody is free"),
    "outbound.offer": _l("Offer to a provider"),
    "inbound.visit": _l("A worker at the elder's"),
    "outbound.callback": _l("Call to an elder"),
    "outbound.care": _l("Care visit"),
    "outbound.look_in": _l("Asked to look in"),
    "outbound.return_visit": _l("Return visit"),
    "staff.studio": _l("Recording studio"),
    "part": _l("Part of another prompt"),
}
LACK: Words = {
    "no_text": _l("no text"),
    "variables": _l("other variables"),
    "silent": _l("cannot be spoken"),
    "too_long": _l("longer than 7 s"),
    "choices": _l("more than four choices"),
}
RECORDING_SOURCE: Words = {"telephone": _l("By telephone"), "upload": _l("Uploaded")}
STUDIO_PROBLEM: Words = {
    "no_file": _l("No file was chosen, or it is empty."),
    "unknown_format": _l("This is no WAV, MP3 or M4A file. Save the recording in one of these and try again."),
    "damaged": _l("The file is damaged and cannot be read. Record or save it again."),
    "no_sound": _l("There is nothing to hear in this file."),
    "too_short": _l("The recording is too short to be this sentence."),
    "too_long": _l("The recording is too long. Read only the text, without words before or after it."),
    "too_quiet": _l("The recording is too quiet. Go closer to the microphone."),
    "clipped": _l("The recording is overdriven. Speak from further away, or turn the microphone down."),
    "too_large": _l("The file is too large. A prompt lasts a few seconds: cut the recording and try again."),
    "no_prompt": _l("There is no such prompt."),
    "has_variables": _l("A sentence with variables cannot be recorded."),
    "incomplete": _l("It is kept, but callers do not hear it yet: the language is not whole."),
}
