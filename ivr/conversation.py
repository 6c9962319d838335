"""One conversation of turns: says what the turns say, brings them what was heard, has done what they want done.

The same for her calls and for those of ours in which she is asked something; what
is written when it ends is the caller's matter (`Ends`).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Protocol

from dispatch.orders import OrderRequest
from ivr import care_rows, deeds, handover, inbound_rows, recording, turns
from ivr.agi import Line
from ivr.deeds import Doing
from ivr.inbound_rows import Turn, Words
from ivr.listening import ALWAYS_KEYS, Listener
from ivr.prompts.words import Line as Prompt
from ivr.prompts.words import line as prompt
from ivr.turns import Ask, Do, GoodBye, Heard, Key, Move, Said, State, ToPerson, Unknown
from ivr.turns.state import replace
from models.settings import settings

# What is recorded by which deed, and the sentence that asks for it.
_RECORDED = {"message": "ask_message", "name": "ask_name", "word": "ask_word", "care_word": "ask_care_word"}
# First questions at which a key is only a choice that is read back later: whoever knows them need not hear them out.
_OPEN = frozenset({"open", "stranger"})


class Row(Protocol):
    """The call's row, by its ids: `public_id` names it to the agents' screens."""

    @property
    def call_id(self) -> int: ...

    @property
    def public_id(self) -> str: ...


class Ends(Protocol):
    """What is written when a conversation ends, each in a transaction of its own."""

    def to_person(self, call_id: int, reason: str) -> None:
        """The call goes to a person, and why; before it goes."""

    def goodbye(self, call_id: int) -> None:
        """It came to its designed end."""


class Conversation:
    """One call, from its first question to its end or to a person."""

    def __init__(self, line: Line, row: Row, state: State, ends: Ends) -> None:
        self._line, self._call_id, self._public_id, self._ends = line, row.call_id, row.public_id, ends
        self.listener = Listener(line, speech=settings().speech)
        self._state = replace(state, listens=self.listener.listens_for(state.language))
        self._told: ToPerson | None = None
        self._early: str | None = None  # a key that came before the first question
        self._placed = 0  # how many orders were confirmed in this call

    def lead(self) -> None:
        """Go on until the call goes to a person, or she is done."""
        self._state, move = turns.begin(self._state)
        self._as_she_likes_it()
        self._early = recording.begin(self._line, self.listener, self._call_id, self._state.language)
        if self._early not in ALWAYS_KEYS and self._state.step not in _OPEN:
            self._early = None  # Nobody orders, confirms or scores what was not said yet.
        while True:
            self._as_she_likes_it()
            match move:
                case Ask():
                    move = self._ask(move)
                case Do():
                    move = self.do(move)
                case ToPerson(reason=reason):
                    self._on_the_way(move)
                    self._ends.to_person(self._call_id, reason)
                    handover.to_person(self._line, self.listener, move, self._state.language)
                    return
                case GoodBye(lines=lines):
                    self.listener.say(lines, self._state.language)
                    self._ends.goodbye(self._call_id)
                    handover.hang_up(self._line)
                    return

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self._state

    def _on_the_way(self, move: ToPerson) -> None:
        if self._told != move:
            handover.on_the_way(self._line, move, self._state.language, self._public_id, self._state.dialect)
            self._told = move

    def _as_she_likes_it(self) -> None:
        her = self._state.her
        if her is not None:
            self.listener.pace = "slow" if her.pace == "slow" else "normal"
            self.listener.volume = her.volume

    @property
    def _elder_id(self) -> int | None:
        return self._state.her.elder_id if self._state.her else None

    def _ask(self, move: Ask) -> Move:
        """One turn: ask, hear, write what was heard and understood before anything follows from it."""
        early, self._early = self._early, None
        heard = self.listener.ask(move, self._state.language, early)
        before = self._state
        listens = self.listener.listens_for(turns.language_after(before, heard))
        self._state, following = turns.hear(replace(before, listens=listens), heard)
        if isinstance(following, ToPerson):
            self._on_the_way(following)
        turn = _turn(before, self._state, heard)
        if following == Do("place"):
            # The turn that confirms is written with the order, in one transaction.
            return self._place(following, turn)
        if before.care is not None and before.her is not None:
            care_rows.keep(self._call_id, (before, self._state), heard, turn)
            return following
        # Only she herself chooses the language in which she is greeted the next time.
        own = self._elder_id if before.how in ("one", "household") else None
        inbound_rows.keep_turn(self._call_id, own, turn)
        return following

    def do(self, deed: Do) -> Move:
        if deed.verb in _RECORDED:
            return self._record(deed)
        result = deeds.do(deed.verb, Doing(self._call_id, self._state, deed.value))
        return self.done(deed, result)

    def done(self, deed: Do, result: object) -> Move:
        before = self._state
        self._state, move = turns.done(before, deed, result)
        if self._state.language != before.language:
            self._state = replace(self._state, listens=self.listener.listens_for(self._state.language))
        asked = self._state.request()
        if asked and asked != before.request():
            # What a deed has put into the request is kept like what she said herself.
            inbound_rows.keep_request(self._call_id, asked)
        return move

    def _place(self, deed: Do, turn: Turn) -> Move:
        """Write the order; it is spoken of only after the commit."""
        slots = self._state.slots
        assert self._elder_id is not None and slots.service and slots.day and slots.part  # noqa: S101 (the turns saw to it)
        request = OrderRequest(
            key=f"call:{self._call_id}:{self._placed}",
            channel="phone",
            elder_id=self._elder_id,
            service=slots.service,
            wanted_on=slots.day,
            wanted_part=slots.part,
            wanted_at=slots.at,
            note=slots.note,
            language=self._state.language,
            call_id=self._call_id,
        )
        placed = inbound_rows.place_order(request, turn)
        self._placed += 1
        return self.done(deed, placed)

    def _record(self, deed: Do) -> Move:
        """Let her speak after the tone; what she said is kept, also when she hangs up at its end."""
        target = settings().spool_dir / f"{self._line.env['agi_uniqueid']}-{deed.verb}.wav"
        target.parent.mkdir(parents=True, exist_ok=True)
        key = None
        try:
            key = self.listener.record(_asked_for(deed), self._state.language, target)
        finally:
            kept = self._keep(deed.verb, target)
        if key in ("0", "9"):
            self._state, move = turns.hear(self._state, Key(key))
            return move
        return self.done(deed, kept)

    def _keep(self, verb: str, target: Path) -> object:
        kept = deeds.do("keep_recording", Doing(self._call_id, self._state, (verb, target)))
        with suppress(FileNotFoundError):
            target.unlink()
        return kept


def _asked_for(deed: Do) -> tuple[Prompt, ...]:
    """Return what is said before the tone; the turns may have something to say in front of it."""
    before = deed.value if isinstance(deed.value, tuple) else ()
    return (*before, prompt(_RECORDED[deed.verb]))


def _turn(before: State, after: State, heard: Heard) -> Turn:
    """Return what this turn leaves in the journal: what was heard, and what changed by it."""
    return Turn(
        before.step,
        type(heard).__name__.lower(),
        key=heard.key if isinstance(heard, Key) else None,
        words=_words(heard, before.language),
        slots=after.request() if after.request() != before.request() else None,
        language=after.language if after.language != before.language else None,
        speech_off=before.listens and not after.listens,
    )


def _words(heard: Heard, language: str) -> Words | None:
    match heard:
        case Said(phrase, score, audio):
            return Words(phrase, score, language, audio)
        case Unknown(text, audio) if text or audio:
            return Words(text, 0, language, audio)
    return None
