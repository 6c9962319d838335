"""From what she said to what she means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise

from ivr.understanding import dates, lexicon
from ivr.understanding import text as texts
from ivr.understanding.cover import Piece, cover
from ivr.understanding.meaning import NOTHING, Meaning, When
from ivr.understanding.time_words import Said
from models.vocabulary import DAYS

# Pieces that say nothing of their own.
_UNNAMED = ("little", "rest", "decoy")
# Below it she is asked once more, differently. Chosen on the first part of tests/ivr/intents_*.csv (`make bench`).
THRESHOLD = 65
# Of several intents in a sentence the first of these counts.
_PRIORITY = ("cancel", "change", "status", "rate", "message", "usual", "behalf", "goodbye", "more")
# Questions to which a time is an answer, also one that is over.
_ASKS_TIME = ("when", "day", "part", "confirm", "readback", "change")
# Questions that name a request and ask whether it is right: a yes there may repeat it.
_ASKS_IF_RIGHT = ("readback", "confirm")
# Intents about an order that stands: who denies one of them ("don't cancel the bath") orders nothing by it.
_OF_AN_ORDER = ("cancel", "change", "status")
# After these the denial is over: "I don't want to go any more (了), cancel it".
_CLOSES = frozenset("了吧啊呀呢")
# "Tomorrow, not the day after": with these, and nothing more, it is the second of two days that is not wanted.
_REFUSES_THE_NEXT = {
    *("不要", "别", "不用", "不想", "甭", "不是", "不想要", "别在", "不要在", "不需要", "可别", "可不要", "不去"),
    *("not", "noton", "insteadof", "ratherthan", "don't", "donot", "don'twant", "never", "without", "isn't"),
}
# Between two days: both of them.
_JOINS = frozenset(("", "和", "跟", "还有", "and", "하고", "와", "과", "랑", "이랑"))
# A good word denied is a bad one, and the other way round: "not very satisfied".
_DENIED_SCORE = {"5": "2", "4": "2", "3": "2", "2": "3", "1": "3"}


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
    if len({dates.resolve(day, now, week).day for day in heard.days}) > 1:
        when = replace(when, every=when.every or "several")
    if intent == "order" and not heard.services and not when:
        return NOTHING  # two in the night: no time at which anybody comes
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
    doubtful = ("answer", "score", "who", "always", "slot", *lexicon.CARE)
    named = [piece for piece in pieces if piece.group not in _UNNAMED]
    before_intent = {piece for piece, then in pairwise(named) if piece.code == "no" and then.group == "intent"}
    return [
        replace(piece, group="deny" if piece in before_intent else "rest")
        if piece.group in doubtful and piece.end - piece.start == 1
        else piece
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
    denied: list[str] = field(default_factory=list)
    always: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    own: list[str] = field(default_factory=list)
    times: list[Said] = field(default_factory=list)
    days: list[tuple[Said, ...]] = field(default_factory=list)  # those that were named side by side

    def take(self, pieces: Sequence[Piece], letters: str, language: str) -> _Heard:
        """Sort the pieces; a denial refuses the service or time beside it: the next one, in Korean the one before.

        "Not tomorrow, the day after": the refused day is let go. "No, the day after": a mere "no" refuses
        only what something else of its kind follows.
        """
        named = [piece for piece in pieces if piece.group not in _UNNAMED]
        step = -1 if language == "ko" else 1
        refused: set[int] = set()
        doubted: set[int] = set()
        untold: set[int] = set()  # "I have not ordered a meal" neither orders nor cancels one
        for number, piece in enumerate(named):
            no = (piece.group, piece.code) == ("answer", "no")
            if (no or piece.group == "deny") and language != "ko" and _takes_back(named, number, letters):
                refused.add(number - 1)
            elif piece.group == "deny" or (no and lexicon.denies(letters[piece.start : piece.end], language)):
                refused.add(number + step)
                if letters[piece.start : piece.end].startswith("没"):
                    untold.add(number + step)
            elif no:
                doubted.add(number + 1)
        refused = {number for number in refused if not _is_intent(named, number)}
        refused |= _denied_intents(named, letters, language)
        self.days = _side_by_side([piece for n, piece in enumerate(named) if n not in refused], letters)
        kept = {_kind(piece): number for number, piece in enumerate(named) if number not in refused}
        for number, piece in enumerate(named):
            denied = number in refused or (number in doubted and kept.get(_kind(piece), number) > number)
            match piece.group:
                case "service" if number in untold:
                    continue
                case "service":
                    _once(self.refused if denied else self.services, piece.code)
                    if denied and piece.code in self.services:
                        self.services.remove(piece.code)  # "a bath – not a bath, the cleaning"
                case "time" if not denied:
                    self.times += piece.time
                case "intent" | "behalf" if number in refused:
                    _once(self.denied, piece.code)
                case "slot" if denied:
                    _once(self.denied, piece.code)
                case "intent" | "behalf":
                    _once(self.intents, piece.code)
                case "always":
                    _once(self.always, piece.code)
                case "answer":
                    _once(self.answers, piece.code)
                case "score" if number in refused:
                    _once(self.own, _DENIED_SCORE[piece.code])
                case "slot" | "score" | "who" | "ordinal" | "feel" | "ate" | "dose" | "company" | "need":
                    _once(self.own, piece.code)
        if len(self.own) > 1 and "self" in self.own:  # "I am his grandmother"
            self.own.remove("self")
        if language == "ko" and self.grammar == "confirm" and "no" in self.answers and "cancel" in self.intents:
            # "아니요, 취소 안 해요": the recogniser has no word of one syllable, and may lose the 안.
            self.intents.remove("cancel")
        if not self.intents and set(self.denied) & set(_OF_AN_ORDER):
            self.answers, self.services, self.refused, self.times = ["no"], [], [], []
        return self

    def intent(self) -> str | None:
        """Return the one intent, or None if there is none."""
        asked = self.services or self.times
        named = next((intent for intent in _PRIORITY if intent in self.intents), None)
        if self.own and not asked and named in ("change", "rate"):
            return "answer"  # "another day", to the question what is to be changed
        if asked and self.answers == ["yes"] and (named is None or (named, self.grammar) == ("change", "readback")):
            return "yes" if self.grammar in _ASKS_IF_RIGHT else named or "order"
        if named in ("goodbye", "more") and asked and self._told():
            return None  # "the day before yesterday the doctor said it is nothing"
        if named:
            return named
        if self.always and not asked:
            return self.always[0]
        if "no" in self.answers and not (self.own and self.grammar == "change"):
            return "no"
        if self.own:
            return "answer"
        if self.refused and not self.services:
            return "no" if "answer" in lexicon.active(self.grammar) else "cancel"
        if self.denied and not asked:
            return "no"
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


def _takes_back(named: Sequence[Piece], number: int, letters: str) -> bool:
    """Whether a denial between two days, hours or services refuses the first one: "tomorrow, no, Friday"."""
    if not 0 < number < len(named) - 1 or _kind(named[number - 1]) != _kind(named[number + 1]):
        return False
    between = letters[named[number].start : named[number + 1].start]
    if _kind(named[number - 1]) == "service" and between == "不":
        return False  # 送饭不洗澡
    return _kind(named[number - 1]) in ("day", "hour", "service") and between not in _REFUSES_THE_NEXT


def _side_by_side(kept: Sequence[Piece], letters: str) -> list[tuple[Said, ...]]:
    """Return the days that are joined: "tomorrow and the day after"; both are wanted."""
    found: list[tuple[Said, ...]] = []
    for piece, then in pairwise(kept):
        if _kind(piece) == _kind(then) == "day" and letters[piece.end : then.start] in _JOINS:
            found += [piece.time, then.time]
    return found


def _is_intent(named: Sequence[Piece], number: int) -> bool:
    return 0 <= number < len(named) and named[number].group in ("intent", "behalf")


def _denied_intents(named: Sequence[Piece], letters: str, language: str) -> set[int]:
    """Return the numbers of the intents that a denial stands before (Korean: after): 别取消, 취소 안 해요."""
    denied = set()
    for number, piece in enumerate(named):
        said = letters[piece.start : piece.end]
        no = (piece.group, piece.code) == ("answer", "no")
        at = number - 1 if language == "ko" else number + 1
        if not _is_intent(named, at):
            continue
        if piece.group != "deny" and not (no and (language == "ko" or lexicon.denies_intent(said, language))):
            continue
        if _CLOSES & set(letters[piece.end : named[at].start]):
            continue
        corrected = any(then.group in ("service", "time") for then in named[at + 1 :])
        if named[at].code != "change" or not corrected or not lexicon.corrects(said):
            denied.add(at)
    return denied


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
