"""From what she said to what she means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from ivr.understanding import dates, lexicon
from ivr.understanding import text as texts
from ivr.understanding.cover import Piece, cover
from ivr.understanding.meaning import NOTHING, Meaning, When
from ivr.understanding.time_words import Said
from models.vocabulary import DAYS

# Below it she is asked once more, differently. Chosen on the first part of tests/ivr/intents_*.csv (`make bench`).
THRESHOLD = 65
# Of several intents in a sentence the first of these counts.
_PRIORITY = ("cancel", "change", "status", "rate", "message", "usual", "behalf", "goodbye", "more")
# Questions to which a time is an answer, also one that is over.
_ASKS_TIME = ("when", "day", "part", "confirm", "readback", "change")


def understand(text: str, language: str, grammar: str, now: datetime, week: date | None = None) -> Meaning:
    """Return what `text` means as an answer to the question `grammar`; `NOTHING` if that is not clear.

    `now` is aware local time: words of time are seen from it. `week`: the Monday of a week that
    she named before without a day (`When.week`); a weekday is then one of it.

    Raises:
        KeyError: no such language or grammar.
    """
    meaning = weigh(text, language, grammar, now, week)
    return meaning if meaning.score >= THRESHOLD else NOTHING


def weigh(text: str, language: str, grammar: str, now: datetime, week: date | None = None) -> Meaning:
    """Return the likeliest meaning, however little of it is certain: what the threshold is chosen from."""
    said = texts.read(text, language)
    if lexicon.emergency(said, language):
        return Meaning("emergency", "emergency", score=100)
    pieces = _sure(cover(said, language, lexicon.active(grammar)))
    heard = _Heard(grammar).take(pieces, said.letters, language)
    score = _score(pieces)
    intent = heard.intent() if score else None
    if intent is None:
        return NOTHING
    when = dates.resolve(heard.times, now, week)
    services = heard.services or (heard.refused if intent == "cancel" else [])
    return Meaning(
        intent=intent,
        code=_who(said, language) if intent == "behalf" else heard.code(intent) or _code(grammar, when, now),
        service=services[0] if services else None,
        others=tuple(services[1:]),
        when=when,
        note=_rest(said.letters, pieces),
        score=score,
    )


def _sure(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces; a word of one letter (对, 好, 不, 我) is an answer only where nothing is left over."""
    if not any(piece.group in ("rest", "decoy") for piece in pieces):
        return pieces
    doubtful = ("answer", "score", "who", "always", "slot")
    return [
        replace(piece, group="rest") if piece.group in doubtful and piece.end - piece.start == 1 else piece
        for piece in pieces
    ]


def _who(said: texts.Text, language: str) -> str | None:
    """Return for whom she asks."""
    people = [piece.code for piece in cover(said, language, ("who", "little")) if piece.group == "who"]
    return next((person for person in people if person != "self"), None)


def _code(grammar: str, when: When, now: datetime) -> str | None:
    """Return the concept that answers the question for a day or a part of it."""
    if grammar == "part":
        return when.part
    ahead = (when.day - now.date()).days if grammar == "day" and when.day and not when.past else -1
    return DAYS[ahead].code if 0 <= ahead < len(DAYS) else None


@dataclass
class _Heard:
    """What the pieces of one sentence say."""

    grammar: str
    services: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    intents: list[str] = field(default_factory=list)
    always: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    times: list[Said] = field(default_factory=list)

    def take(self, pieces: Sequence[Piece], letters: str, language: str) -> _Heard:
        """Sort the pieces; a denial refuses the service or time beside it: the next one, in Korean the one before.

        "Not tomorrow, the day after": the refused day is let go. "No, the day after": a mere "no" refuses
        only what something else of its kind follows.
        """
        named = [piece for piece in pieces if piece.group not in ("little", "rest", "decoy")]
        step = -1 if language == "ko" else 1
        refused: set[int] = set()
        doubted: set[int] = set()
        untold: set[int] = set()  # "I have not ordered a meal" neither orders nor cancels one
        for number, piece in enumerate(named):
            no = (piece.group, piece.code) == ("answer", "no")
            if piece.group == "deny" or (no and lexicon.denies(letters[piece.start : piece.end], language)):
                refused.add(number + step)
                if letters[piece.start : piece.end].startswith("没"):
                    untold.add(number + step)
            elif no:
                doubted.add(number + 1)
        kept = {_kind(piece): number for number, piece in enumerate(named) if number not in refused}
        for number, piece in enumerate(named):
            denied = number in refused or (number in doubted and kept.get(_kind(piece), number) > number)
            match piece.group:
                case "service" if number in untold:
                    continue
                case "service":
                    _once(self.refused if denied else self.services, piece.code)
                case "time" if not denied:
                    self.times += piece.time
                case "intent" | "behalf":
                    _once(self.intents, piece.code)
                case "always":
                    _once(self.always, piece.code)
                case "answer":
                    _once(self.answers, piece.code)
                case "slot" | "score" | "who" | "ordinal":
                    _once(self.own, piece.code)
        if len(self.own) > 1 and "self" in self.own:  # "I am his grandmother"
            self.own.remove("self")
        return self

    def intent(self) -> str | None:
        """Return the one intent, or None if there is none."""
        asked = self.services or self.times
        named = next((intent for intent in _PRIORITY if intent in self.intents), None)
        if self.own and not asked and named in ("change", "rate"):
            return "answer"  # "another day", to the question what is to be changed
        if named:
            return named
        if self.always and not asked:
            return self.always[0]
        if "no" in self.answers:
            return "no"
        if self.own:
            return "answer"
        if self.refused and not self.services:
            return "no" if "answer" in lexicon.active(self.grammar) else "cancel"
        if asked and not self._told():
            return "order"
        return "yes" if self.answers == ["yes"] and not asked else None

    def _told(self) -> bool:
        """Whether all this was on a day that is over, and no time was asked for: she tells a story."""
        if self.grammar in _ASKS_TIME:
            return False
        days = [word for word in self.times if word.kind in ("day", "weekday", "week", "date")]
        return bool(days) and all(
            word.kind != "date" and (word.m if word.kind == "weekday" else word.n) == -1 for word in days
        )

    def code(self, intent: str) -> str | None:
        """Return the concept of the question's own grammar."""
        if intent in ("yes", "no", "person", "repeat"):
            return intent
        if self.own:
            return self.own[0]
        if self.grammar == "service" and self.services:
            return self.services[0]
        return None


def _kind(piece: Piece) -> str:
    """Return what pieces are alternatives of: days of days, hours of hours."""
    if piece.group == "time":
        return "hour" if piece.time[0].kind in ("part", "clock") else "day"
    return piece.group


def _once(known: list[str], code: str) -> None:
    if code not in known:
        known.append(code)


def _score(pieces: Sequence[Piece]) -> int:
    """Return how much of the letters is understood, 0–100; 0 if only little words are."""
    if not any(piece.group not in ("little", "rest", "decoy", "deny") for piece in pieces):
        return 0
    whole = sum(piece.end - piece.start for piece in pieces)
    known = sum(piece.quality * (piece.end - piece.start) for piece in pieces if piece.group not in ("rest", "decoy"))
    return round(100 * known / whole)


def _rest(letters: str, pieces: Sequence[Piece]) -> str:
    """Return what fits nothing, its neighbours joined."""
    found: list[str] = []
    end = -1
    for piece in pieces:
        if piece.group != "rest":
            continue
        if piece.start == end:
            found[-1] += letters[piece.start : piece.end]
        else:
            found.append(letters[piece.start : piece.end])
        end = piece.end
    return " ".join(part for part in found if len(part) > 1)
