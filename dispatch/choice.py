"""Which provider is asked first: a pure ranking, with its reasons.

Hard rules bar a provider (it does not offer the service, does not cover the place, is closed,
full or paused, was asked already, was rated badly by her). Among the others points decide, and
every point has a name, so that the console can say why. Equal points: who has had fewer orders
lately, then the operator's own order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from models.hours import Span
from models.settings import settings

# A rating of hers from here on makes a favourite; up to here a refusal.
LIKED, REFUSED = 4, 2
# A provider without ratings counts as if it had so many of this mark: one bad word ends nobody.
_PRIOR_RATINGS, _PRIOR_SCORE = 3, 4.0
BEST, WORST = 5, 1
# Of a wanted part of the day so much must lie in the provider's hours (minutes).
MIN_OVERLAP = 60
# So many others are kept with an offer, to explain it.
OTHERS_KEPT = 10


class Bar(StrEnum):
    """Why a provider is not asked."""

    ITEM = "item"  # does not offer the service
    AREA = "area"  # does not cover the place
    PAUSED = "paused"
    CLOSED = "closed"  # does not work at that time
    FULL = "full"  # has as many orders in that part of the day as it can serve
    REFUSED = "refused"  # she rated it badly
    ASKED = "asked"  # was asked already
    NO_NUMBER = "no_number"  # an empty roster must not ring for ever


class Reason(StrEnum):
    """What gives or takes points."""

    FAVOURITE = "favourite"  # she rated it well
    SCORE = "score"  # what elders say of it
    VOLUNTEERS = "volunteers"  # volunteers fit this service
    LATELY = "lately"  # has had orders lately: others get their share
    DOUBTED = "doubted"  # it said that this service is not its own
    AGAIN = "again"  # it has done this very order, which is to be done again


@dataclass(frozen=True)
class Wanted:
    """What is to be done, where and when. `areas`: the elder's and all that contain it; `span`: minutes of the day."""

    service: str
    areas: frozenset[int]
    weekday: int
    span: Span


@dataclass(frozen=True)
class Candidate:
    """A provider as the ranking sees it. `areas` empty: everywhere; `hours` None: at any time."""

    provider_id: int
    services: frozenset[str]
    areas: frozenset[int] = frozenset()
    hours: frozenset[tuple[int, Span]] | None = None  # weekday, minutes
    position: int = 0
    volunteers: bool = False
    reachable: bool = True
    paused: bool = False
    asked: bool = False
    before: bool = False  # has accepted this very order before
    capacity: int | None = None
    taken: int = 0  # orders it has in that part of that day, and those it is being asked for
    doubted: bool = False
    ratings: int = 0
    rating_sum: int = 0
    lately: int = 0  # orders accepted in the last days
    her_rating: int | None = None  # her last one of it


@dataclass(frozen=True)
class Points:
    """What each reason weighs; see the settings of the same names."""

    favourite: int
    score: int
    volunteers: int
    lately: int
    doubted: int
    again: int
    volunteer_services: frozenset[str]


@dataclass(frozen=True)
class Verdict:
    """What was found of one provider: barred by `bars`, or worth `points` for the reasons in `why`."""

    provider_id: int
    points: float
    why: tuple[tuple[str, float], ...]
    bars: tuple[str, ...]

    @property
    def fit(self) -> bool:
        """Whether it may be asked."""
        return not self.bars


def points_of_settings() -> Points:
    """Return the weights that are set."""
    chosen = settings()
    return Points(
        favourite=chosen.points_favourite,
        score=chosen.points_score,
        volunteers=chosen.points_volunteers,
        lately=chosen.points_lately,
        doubted=chosen.points_doubted,
        again=chosen.points_again,
        volunteer_services=frozenset(chosen.volunteer_services),
    )


def rank(wanted: Wanted, candidates: Iterable[Candidate], points: Points) -> tuple[Verdict, ...]:
    """Return a verdict on every candidate: the fit ones first, the best at the head; the same input, the same order."""
    judged = [(_judge(wanted, candidate, points), candidate) for candidate in candidates]
    judged.sort(
        key=lambda one: (not one[0].fit, -one[0].points, one[1].lately, one[1].position, one[1].provider_id)
    )  # fmt: skip
    return tuple(verdict for verdict, _ in judged)


def explain(verdicts: tuple[Verdict, ...], provider_id: int) -> dict[str, Any]:
    """Return what is kept with the offer to `provider_id`: ids and codes, the best others too."""
    place = next(at for at, verdict in enumerate(verdicts) if verdict.provider_id == provider_id)
    others = [*verdicts[:place], *verdicts[place + 1 :]][:OTHERS_KEPT]
    return {
        **_kept(verdicts[place]),
        "place": place + 1,
        "fit": sum(verdict.fit for verdict in verdicts),
        "others": [{"provider_id": verdict.provider_id, **_kept(verdict)} for verdict in others],
    }


def _kept(verdict: Verdict) -> dict[str, Any]:
    return {"points": verdict.points, "why": dict(verdict.why), "bars": list(verdict.bars)}


def _judge(wanted: Wanted, candidate: Candidate, points: Points) -> Verdict:
    why = tuple((reason, worth) for reason, worth in _points(wanted, candidate, points) if worth)
    return Verdict(
        candidate.provider_id,
        round(sum(worth for _, worth in why), 2),
        why,
        tuple(bar for bar, holds in _bars(wanted, candidate) if holds),
    )


def _bars(wanted: Wanted, one: Candidate) -> Iterable[tuple[str, bool]]:
    yield Bar.ITEM, wanted.service not in one.services
    yield Bar.AREA, bool(one.areas) and not one.areas & wanted.areas
    yield Bar.PAUSED, one.paused
    yield Bar.CLOSED, one.hours is not None and not any(_works(wanted, *span) for span in one.hours)
    yield Bar.FULL, one.capacity is not None and one.taken >= one.capacity
    yield Bar.REFUSED, one.her_rating is not None and one.her_rating <= REFUSED
    yield Bar.ASKED, one.asked
    yield Bar.NO_NUMBER, not one.reachable


def _works(wanted: Wanted, weekday: int, span: Span) -> bool:
    overlap = min(span[1], wanted.span[1]) - max(span[0], wanted.span[0])
    return weekday == wanted.weekday and overlap >= min(MIN_OVERLAP, wanted.span[1] - wanted.span[0])


def _points(wanted: Wanted, one: Candidate, points: Points) -> Iterable[tuple[str, float]]:
    mean = (one.rating_sum + _PRIOR_RATINGS * _PRIOR_SCORE) / (one.ratings + _PRIOR_RATINGS)
    yield Reason.FAVOURITE, points.favourite if (one.her_rating or 0) >= LIKED else 0
    yield Reason.SCORE, round(points.score * (mean - WORST) / (BEST - WORST), 2)
    yield Reason.VOLUNTEERS, points.volunteers if one.volunteers and wanted.service in points.volunteer_services else 0
    yield Reason.LATELY, -points.lately * one.lately
    yield Reason.DOUBTED, -points.doubted if one.doubted else 0
    yield Reason.AGAIN, -points.again if one.before else 0
