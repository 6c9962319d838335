"""What her answers tell over time: each hint with its words, and none where nothing has changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from dispatch import campaigns
from dispatch.attempts import new_attempt
from dispatch.campaigns import NewCampaign
from dispatch.care_hints import Hint, Visit, explained, hints, history
from models.calls import Call
from models.campaigns import CareAnswer, CareVisit
from models.people import Elder
from models.session import write
from tests.dispatch.town import Town

FIRST = datetime(2026, 9, 1, 1, 0, tzinfo=UTC)


def visits(*answers: dict[str, str], words: tuple[int, ...] = (), waits: tuple[float, ...] = ()) -> list[Visit]:
    count = max(len(answers), len(words), len(waits))
    return [
        Visit(
            n, FIRST + timedelta(days=30 * n), answers[n] if n < len(answers) else {},
            words[n] if n < len(words) else None, waits[n] if n < len(waits) else None,
        )
        for n in range(count)
    ]  # fmt: skip


WELL, NEED = {"feel": "well"}, {"feel": "need"}


@pytest.mark.parametrize(
    ("told", "codes"),
    [
        (visits(WELL, WELL, WELL, NEED), ["mood"]),
        (visits(WELL, WELL, NEED), []),  # three are needed
        (visits(WELL, NEED, WELL, NEED), []),  # she is now so, now so
        (visits(WELL, WELL, WELL, WELL), []),
        (visits({"eaten": "no"}, {"eaten": "no"}), ["meals"]),
        (visits({"eaten": "no"}, {"eaten": "yes"}), []),
        (visits({"medicine": "no"}, {"medicine": "no"}), ["medicine"]),
        (visits({"warm": "no"}), ["home"]),
        (visits(words=(20_000, 12_000, 6_000)), ["shorter"]),
        (visits(words=(20_000, 12_000, 15_000)), []),
        (visits(waits=(5, 10, 18)), ["later"]),
        (visits(waits=(5, 6, 7)), []),
        ([], []),
    ],
)
def test_a_change_is_a_hint(told: list[Visit], codes: list[str]) -> None:
    assert [hint.code for hint in hints(told)] == codes


def test_a_hint_names_its_calls_and_says_why_in_words() -> None:
    [hint] = hints(visits(WELL, WELL, WELL, NEED))
    assert hint == Hint("mood", {"times": "3", "now": "need"}, (0, 1, 2, 3))
    assert explained(hint, "en") == "She said 3 times that she is well, and now: she needs something."
    assert explained(hint, "zh-CN") == "连续3次说好，这次说有事。"
    for told in (visits(words=(9000, 5000, 2000)), visits(waits=(1, 8, 20)), visits({"warm": "no"}, {"eaten": "no"})):
        for one in hints(told):
            for language in ("zh-CN", "ko", "en"):
                assert "{" not in explained(one, language)


def test_a_hint_comes_from_the_rows_of_her_calls(town: Town) -> None:
    with write() as session:
        elder = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert elder is not None
        number = elder.person.numbers[0].number_id
        campaign = campaigns.create(session, NewCampaign("x", source="filter"), town.now)
        for n, feel in enumerate(("well", "well", "well", "need")):
            at = town.now + timedelta(days=30 * n)
            campaigns.add_elders(session, campaign, [elder.id], at, wave=str(n))
            visit = session.scalars(select(CareVisit).order_by(CareVisit.id.desc())).first()
            assert visit is not None
            attempt = new_attempt(session, visit, number, at)
            call = Call(
                channel_id=attempt.channel_id, direction="out", purpose="care", state="ended", number_id=number,
                elder_id=elder.id, started_at=at,
            )  # fmt: skip
            session.add(call)
            session.flush()
            # She comes to the telephone later and later, and says less and less.
            attempt.call_id, attempt.dialed_at, attempt.answered_at = call.id, at, at + timedelta(seconds=5 + 5 * n)
            for question, answer, amount in (("feel", feel, None), ("word", "said", 20_000 // (n + 1))):
                said = {"question": question, "answer": answer, "how": "key", "amount": amount, "at": at}
                session.add(CareAnswer(visit_id=visit.id, elder_id=elder.id, call_id=call.id, **said))
        session.flush()
        found = hints(history(session, elder.id))
    assert [hint.code for hint in found] == ["mood", "shorter", "later"]
    assert explained(found[2], "en") == "She picks up later and later: from 10 s to 20 s."
