"""The automatic care call line by line: what she presses, and the rows that it leaves at every step."""

from __future__ import annotations

import io
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from asterisk.agi import AGIHangup
from sqlalchemy import Engine, select

from dispatch import campaign_calls, campaigns, dial, duties, events, jobs, outbox
from dispatch.campaigns import NewCampaign
from dispatch.gateways import ConsoleGateway
from dispatch.outbox import transaction
from ivr import care, inbound
from ivr.agi import Line
from ivr.prompts import voice, words
from ivr.turns import care as care_turns
from ivr.turns.state import Care
from models import clock
from models.audio import Audio
from models.calls import Call, CallEvent, CallState
from models.campaigns import Campaign, CampaignStatus, CareAnswer, CareVisit
from models.dialing import Attempt
from models.duties import CareProof, Duty, Group
from models.journal import Entry
from models.orders import Order
from models.outbox import OutboxEntry
from models.people import Elder
from models.service_items import ServiceItem
from models.session import read, write
from models.tasks import Task
from models.vocabulary import LANGUAGES
from tests.ivr.fake_asterisk import environment
from tests.support import world
from tests.support.oracle import care_problems

MONDAY = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # 9:30 in Harbin: the heating is on
# A silence, and a hang-up, where a key was expected.
SILENCE, GONE = "", "-1"
WELL = ["1", "1", "3", "1", "3", "2"]  # well, has eaten, no medicine, warm, no company, no word


class Telephone(io.RawIOBase):
    """What Asterisk answers, command by command: a key for each question, and `free` agents."""

    def __init__(self, keys: list[str], free: int, channel: str) -> None:
        super().__init__()
        self._keys, self._free = iter(keys), free
        self._lines = environment(agi_uniqueid=channel).splitlines(keepends=True)
        self.asked = 0
        self.commands: list[str] = []

    def readline(self, _size: int | None = -1) -> bytes:
        return self._lines.pop(0) if self._lines else b""

    def write(self, command: bytes) -> int:  # type: ignore[override]
        self.commands.append(command.decode())
        self._lines.append(self._answer(command.decode()) + b"\n")
        return len(command)

    def writable(self) -> bool:
        return True

    def _answer(self, command: str) -> bytes:
        if command.startswith("GET VARIABLE"):
            return f"200 result=1 ({self._free})".encode()
        # What is said before the first question is not asked.
        if command.startswith("GET DATA"):
            if "hello" in command:
                return b"200 result= (timeout)"
            self.asked += 1
            key = next(self._keys, GONE)
            return b"200 result= (timeout)" if key == SILENCE else f"200 result={key}".encode()
        return b"200 result=0"


@pytest.fixture(autouse=True)
def _monday(database: Engine, monkeypatch: pytest.MonkeyPatch) -> ConsoleGateway:
    box = ConsoleGateway()
    monkeypatch.setenv("HOTLINE_RECORDING", "false")
    monkeypatch.setenv("HOTLINE_SPEECH", "false")
    monkeypatch.setattr(clock, "now", lambda: MONDAY)
    monkeypatch.setattr(outbox, "wake", lambda ids: len(list(ids)))
    monkeypatch.setattr(dial, "gateway", lambda: box)
    said = lambda lines, *_manner: "hello" if any("hello" in one.key for one in lines) else "prompt"  # noqa: E731
    monkeypatch.setattr(voice, "utterance", said)
    world.settle_new_town(MONDAY)
    with write() as session:
        duties.settle_rules(session, MONDAY)
    return box


@pytest.fixture
def channel(_monday: ConsoleGateway) -> str:
    """The ledger's campaign has rung 王秀英, who lives alone; returns the call's channel."""
    return rung(_monday, Group.ALONE)


def rung(box: ConsoleGateway, group: Group, script: str = "care", language: str = "zh-CN") -> str:
    with transaction() as session:
        elder = session.scalars(select(Elder).order_by(Elder.id)).first()
        assert elder is not None
        elder.person.language, elder_id = language, elder.id
        duties.join(session, elder_id, group, MONDAY - timedelta(days=1))
        row = campaigns.create(session, NewCampaign("探访", script), MONDAY)
        campaigns.move(session, row.id, CampaignStatus.RUNNING, MONDAY)
        campaigns.add_elders(session, row, [elder_id], MONDAY)
        assert campaign_calls.begin_calls(session, row.id, 5, MONDAY) == 1
    with read() as session:
        errands = list(session.scalars(select(OutboxEntry.id).where(OutboxEntry.done_at.is_(None))))
    for entry_id in errands:
        jobs.run(entry_id)
    return box.rung[-1].channel_id


def answers(channel: str, keys: list[str], free: int = 0) -> Telephone:
    """She answers, and presses `keys`; after them she hangs up."""
    telephone = Telephone(keys, free, channel)
    line = Line(telephone, telephone)  # type: ignore[arg-type]
    with suppress(AGIHangup):
        care.care(line)
    with read() as session:
        assert care_problems(session) == []
    return telephone


def rows() -> tuple[str | None, str, str, dict[str, str]]:
    """The attempt's outcome, the visit, the duty, and what she answered."""
    with read() as session:
        return (
            session.scalars(select(Attempt.outcome)).one(),
            session.scalars(select(CareVisit.status)).one(),
            session.scalars(select(Duty.status)).first() or "",
            {one.question: one.answer for one in session.scalars(select(CareAnswer))},
        )


def kinds() -> list[str]:
    with read() as session:
        return sorted(session.scalars(select(Task.kind)))


def test_all_is_well(channel: str) -> None:
    assert answers(channel, WELL).asked == len(WELL)
    said = {"feel": "well", "eaten": "yes", "medicine": "none", "warm": "yes", "company": "no"}
    assert rows() == ("proved", "proved", "proved", said)
    assert kinds() == []
    with read() as session:
        assert session.scalars(select(CareProof.kind)).all() == ["key"]
        assert session.scalars(select(Call.end)).all() == ["goodbye"]


@pytest.mark.parametrize("after", range(1, len(WELL)))
def test_whoever_hangs_up_after_a_key_was_there(channel: str, after: int) -> None:
    answers(channel, WELL[:after])
    outcome, visit, duty, said = rows()
    assert (outcome, visit, duty, len(said)) == ("proved", "proved", "proved", min(after, 5))


@pytest.mark.parametrize(
    ("hows", "waits"),
    [
        (("key", "key", "key"), [True, False, False]),
        (("word", "word", "word"), [True, True, False]),
        (("heard", "word", "key", "word"), [True, True, True, False]),
    ],
)
def test_what_proves_is_on_the_disk_before_anything_follows(hows: tuple[str, ...], waits: list[bool]) -> None:
    answers = [(f"question{number}", "yes", how) for number, how in enumerate(hows)]
    cares = [Care(1, (), answers=tuple(answers[:given])) for given in range(len(hows))]
    assert [not care_turns.proved(one) for one in cares] == waits


def test_whoever_hangs_up_at_once_proves_nothing(channel: str) -> None:
    answers(channel, [])
    assert rows() == ("hung_up", "waiting", "open", {})


def test_silence_is_asked_again_and_is_a_class_of_its_own(channel: str) -> None:
    telephone = answers(channel, [SILENCE, SILENCE])
    assert telephone.asked == 2 and rows() == ("silent", "waiting", "open", {})
    with read() as session:
        visit = session.scalars(select(CareVisit)).one()
        assert (visit.silences, visit.due_at) == (1, MONDAY + timedelta(minutes=10))


def test_what_talks_on_and_answers_nothing_is_a_machine(channel: str) -> None:
    events.handle({"Event": "ChannelTalkingStart", "Uniqueid": channel})
    with write() as session:
        session.scalars(select(Call)).one().state = "talking"
    events.handle({"Event": "ChannelTalkingStop", "Uniqueid": channel, "Duration": "5200"})
    answers(channel, [SILENCE, SILENCE])
    assert rows()[:3] == ("machine", "waiting", "open")


@pytest.mark.parametrize(("free", "outcome", "visit"), [(1, "person", "agent"), (0, "silent", "agent")])
def test_silence_at_high_risk_is_a_persons(_monday: ConsoleGateway, free: int, outcome: str, visit: str) -> None:
    answers(rung(_monday, Group.HIGH), [SILENCE, SILENCE], free)
    assert rows()[:3] == (outcome, visit, "open") and kinds() == ["care"]


def test_need_help_is_an_alarm_and_a_living_person(channel: str) -> None:
    answers(channel, ["3"])
    assert rows() == ("proved", "proved", "proved", {"feel": "help"}) and kinds() == ["alarm"]


def test_nine_is_an_emergency_and_zero_a_person_at_every_question(_monday: ConsoleGateway) -> None:
    answers(rung(_monday, Group.ALONE), [*WELL[:3], "9"])
    assert rows()[0] == "proved" and kinds() == ["alarm"]
    with read() as session:
        assert session.scalars(select(Call.state)).all() == ["waiting"]


def test_what_she_needs_is_a_task_where_the_call_did_not_bring_it(channel: str) -> None:
    answers(channel, ["2", "3", *WELL[1:]])
    assert rows()[3]["feel"] == "need" and kinds() == ["ring_back"]


def test_she_orders_a_bath(channel: str) -> None:
    answers(channel, ["2", "1", "2", "2", "1", "1", "2"])
    with read() as session:
        assert session.scalars(select(Order.service)).all() == ["bathing"]
    assert rows()[0] == "proved" and kinds() == []


def test_a_chat_is_company_ordered_at_once(channel: str) -> None:
    answers(channel, [*WELL[:4], "2", "2", "1", "1", "2"])
    with read() as session:
        assert session.scalars(select(Order.service)).all() == ["companionship"]
    assert rows()[3]["company"] == "chat"


@pytest.mark.parametrize(("service", "keys"), [("bathing", ["2", "1", "2"]), ("companionship", [*WELL[:4], "2"])])
def test_what_is_not_offered_at_present_is_a_persons(channel: str, service: str, keys: list[str]) -> None:
    with write() as session:
        session.add(ServiceItem(service=service, is_offered=False))
    answers(channel, keys)
    with read() as session:
        assert session.scalars(select(Order)).all() == []
        assert session.scalars(select(Call.state)).one() == CallState.WAITING
        entry = session.scalars(select(CallEvent).where(CallEvent.kind == Entry.TO_PERSON)).one()
    assert entry.data["reason"] == "not_offered"


def test_she_rings_back_and_goes_on_where_nothing_was_asked(channel: str) -> None:
    events.handle({"Event": "Hangup", "Uniqueid": channel, "Cause": "19"})
    telephone = Telephone(["1", "2"], 1, "1763766000.77")
    with pytest.raises(AGIHangup):
        inbound.answer_call(Line(telephone, telephone))  # type: ignore[arg-type]
    outcome, visit, duty, said = rows()
    assert (outcome, visit, duty, said) == ("no_answer", "proved", "proved", {"feel": "well", "eaten": "no"})
    with read() as session:
        proof = session.scalars(select(CareProof)).one()
        assert session.get_one(Call, proof.call_id).direction == "in"
        assert session.scalars(select(Audio.id)).all() == []


# Every answer that is not "all is well": the keys up to it, what is kept, and who hears of it.
OTHERWISE = [
    (["2", "3"], {"feel": "need"}, ["ring_back"]),
    (["2", "2"], {"feel": "need"}, []),  # she goes to a person in the same call
    (["3"], {"feel": "help"}, ["alarm"]),
    (["1", "2"], {"feel": "well", "eaten": "no"}, []),
    (["1", "1", "1"], {"feel": "well", "eaten": "yes", "medicine": "yes"}, []),
    (["1", "1", "2"], {"feel": "well", "eaten": "yes", "medicine": "no"}, []),
    (["1", "1", "3", "2"], {"feel": "well", "eaten": "yes", "medicine": "none", "warm": "no"}, []),
    ([*WELL[:4], "1", "2"], {"company": "visit"}, ["ring_back"]),
    ([*WELL[:4], "2"], {"company": "chat"}, ["ring_back"]),  # she hangs up before it is ordered
]


@pytest.mark.parametrize("number", range(len(OTHERWISE)))
def test_every_other_answer_is_kept_in_whatever_language(_monday: ConsoleGateway, number: int) -> None:
    keys, said, tasks = OTHERWISE[number]
    # Each in one of the languages: that every step has its words in all of them, the walk of test_turns holds.
    language = LANGUAGES[number % len(LANGUAGES)]
    answers(rung(_monday, Group.ALONE, language=language), keys)
    outcome, visit, duty, kept = rows()
    assert (outcome, visit, duty) == ("proved", "proved", "proved") and said.items() <= kept.items()
    assert kinds() == tasks
    with read() as session:
        assert session.scalars(select(Call.language)).all() == [language]


@pytest.mark.parametrize(
    ("script", "questions"),
    [("storm", ["feel"]), ("cold", ["feel", "warm"]), ("heat", ["feel"]), ("holiday", ["feel", "company"])],
)
def test_a_warning_or_a_greeting_is_said_before_the_first_question(
    _monday: ConsoleGateway, monkeypatch: pytest.MonkeyPatch, script: str, questions: list[str]
) -> None:
    heard: list[str] = []

    def utterance(lines: tuple[words.Line, ...], *_manner: object) -> str:
        heard.extend(one.key for one in lines)
        return "hello" if lines[0].key == "care_hello" else "prompt"

    monkeypatch.setattr(voice, "utterance", utterance)
    keys = {"feel": "1", "warm": "1", "company": "3"}
    answers(rung(_monday, Group.ALONE, script), [keys[one] for one in questions])
    asked = [f"care_{one}" for one in questions]
    assert heard == ["care_hello", f"care_notice_{script}", *asked, "care_thanks"]
    assert rows()[:2] == ("proved", "proved")
    with read() as session:
        # Who was not there to hear good wishes is not looked for by her family.
        assert session.scalars(select(Campaign.escalate)).one() == (script != "holiday")


def test_whoever_has_answered_is_no_machine_and_is_not_listened_to_for_one(channel: str) -> None:
    telephone = answers(channel, WELL)
    told = [n for n, one in enumerate(telephone.commands) if "TALK_DETECT(remove)" in one]
    asked = [n for n, one in enumerate(telephone.commands) if one.startswith("GET DATA")]
    assert len(told) == 1 and asked[1] < told[0] < asked[2]


def test_who_wants_a_person_before_any_answer_is_not_listened_to_either(channel: str) -> None:
    assert sum("TALK_DETECT(remove)" in one for one in answers(channel, ["0"]).commands) == 1
    assert rows()[0] == "proved"
