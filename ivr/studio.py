"""Staff record a prompt by telephone: the code from the console, read after the tone, listen, keep.

Only from an agent's telephone; anybody else who dials the extension gets a
person, as everywhere.
"""

from __future__ import annotations

import logging

from asterisk.agi import AGIHangup

from dispatch.calls import close_call
from dispatch.outbox import transaction
from ivr import handover
from ivr.agi import Line
from ivr.listening import Listener
from ivr.prompts import intake, sound, studio, voice
from ivr.prompts.sound import Samples
from ivr.prompts.studio import StudioError, Take
from ivr.prompts.words import line as prompt
from ivr.turns import ToPerson
from models import clock, phone
from models.calls import Call, CallEnd, CallState, Direction
from models.journal import Entry, note
from models.lookup import number_row
from models.recordings import Source
from models.session import write
from models.settings import settings

log = logging.getLogger(__name__)

CODE_LENGTH = 6
# Wrong codes and takes in one call.
_CODES = 3
_TAKES = 20
_REFUSALS = {"too_short", "too_long", "too_quiet", "clipped"}


class _Person(Exception):
    """A person is wanted. `reason` as in `ToPerson`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def studio_call(line: Line) -> None:
    """Lead one call of a member of staff to its end, or on to a person."""
    number = phone.caller(line.env.get("agi_callerid"), settings().area_code)
    call_id = _open(line.env["agi_uniqueid"], number)
    visit = _Visit(line)
    try:
        if number is None or number.value not in _staff():
            raise _Person("unknown")
        visit.lead()
        handover.hang_up(line)
        _end(call_id)
    except _Person as wish:
        with transaction() as session:
            session.get_one(Call, call_id).state = CallState.WAITING
            note(session, call_id, Entry.TO_PERSON, clock.now(), reason=wish.reason)
        key = "emergency" if wish.reason == "emergency" else "to_person"
        handover.to_person(line, visit.listener, ToPerson(wish.reason, (prompt(key),)), visit.language)
    except AGIHangup:
        # Nobody is owed a callback for a recording that was not made.
        _end(call_id, Entry.HUNG_UP)
        raise
    finally:
        visit.file.unlink(missing_ok=True)


class _Visit:
    """One visit to the studio."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self.listener = Listener(line, speech=False)
        self.language = settings().languages[0]
        # Asterisk's own number of the call: digits and a dot.
        self.file = settings().run_dir / "studio" / f"{line.env['agi_uniqueid']}.wav"
        self.file.parent.mkdir(parents=True, exist_ok=True)

    def lead(self) -> None:
        """From the code to the kept recording, or to the end of patience."""
        take = self._enter_code()
        if take is None:
            return
        for _ in range(_TAKES):
            samples = self._record(take)
            if samples is not None and self._wanted(samples):
                self._say("studio_kept" if _keep(take, samples) else "studio_waits")
                return

    def _enter_code(self) -> Take | None:
        for _ in range(_CODES):
            digits = self._line.ask_digits(self._file("studio_code"), settings().answer_timeout_ms, CODE_LENGTH)
            if digits in ("0", "9"):
                raise _Person("asked" if digits == "0" else "emergency")
            with write() as session:
                code = studio.use_code(session, digits or "", clock.now())
                if code is not None:
                    if code.user.language in settings().languages:
                        self.language = code.user.language
                    return Take(code.key, code.language, Source.TELEPHONE, code.user_id)
            self._say("studio_wrong_code")
        return None

    def _record(self, take: Take) -> Samples | None:
        """Record once; None if it cannot be used, which has been said."""
        key = self.listener.record((prompt("studio_record"),), self.language, self.file)
        if key in ("0", "9"):
            raise _Person("asked" if key == "0" else "emergency")
        try:
            return intake.take_in(self.file.read_bytes(), studio.limits(take.key, take.language))
        except FileNotFoundError:
            self._say("studio_no_sound")
        except intake.Refused as refused:
            self._say(f"studio_{refused.code}" if refused.code in _REFUSALS else "studio_no_sound")
        return None

    def _wanted(self, samples: Samples) -> bool:
        """Let it be heard as often as wished; return whether it is to be kept."""
        sound.write_wav(self.file, samples)
        for _ in range(_TAKES):
            match self._line.ask_key(self._file("studio_choice"), settings().answer_timeout_ms):
                case "1":
                    self._line.play(str(self.file.with_suffix("")))
                case "2":
                    return True
                case "3":
                    return False
                case "0":
                    raise _Person("asked")
                case "9":
                    raise _Person("emergency")
        return False

    def _file(self, key: str) -> str:
        return voice.utterance((prompt(key),), self.language)

    def _say(self, key: str) -> None:
        self.listener.say((prompt(key),), self.language)


def _keep(take: Take, samples: Samples) -> bool:
    """Keep it, and let callers hear it; return False if it has to wait for its language."""
    now = clock.now()
    with write() as session:
        row = studio.keep(session, take, samples, now)
        try:
            studio.publish(session, row, take.user_id, now)
        except StudioError:
            return False
    studio.announce(take.language)
    return True


def _staff() -> set[str]:
    numbers = set()
    for text in settings().agent_phones:
        try:
            numbers.add(phone.normalise(text, settings().area_code).value)
        except phone.BadNumber:
            log.warning("an agent's telephone in the settings is no number")
    return numbers


def _open(channel_id: str, number: phone.Number | None) -> int:
    now = clock.now()
    with transaction() as session:
        call = Call(
            channel_id=channel_id,
            direction=Direction.IN,
            purpose="studio",
            state=CallState.TALKING,
            number_id=number_row(session, number).id if number else None,
            language=settings().languages[0],
            started_at=now,
            answered_at=now,
        )
        session.add(call)
        session.flush()
        note(session, call.id, Entry.ANSWERED, now)
        return call.id


def _end(call_id: int, *before: Entry) -> None:
    now = clock.now()
    with transaction() as session:
        for entry in before:
            note(session, call_id, entry, now)
        close_call(session, session.get_one(Call, call_id), CallEnd.GOODBYE, now)
