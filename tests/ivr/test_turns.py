"""The whole graph of turns, walked in every language: it always ends at a person, a request, a message or a goodbye."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import outbound_turns
from ivr.outbound_turns import CALLBACK_KEYS, DECLINE_KEYS, LOOK_IN_KEYS, OFFER_KEYS, Notice
from ivr.prompts.words import line
from ivr.turns import (
    STEPS,
    Ask,
    Care,
    Digits,
    Do,
    GoodBye,
    Heard,
    Her,
    Key,
    KnownOrder,
    Matters,
    Missed,
    Move,
    OpenOffer,
    ReturnDue,
    Said,
    Silence,
    Slots,
    State,
    ToPerson,
    Unknown,
    WorkerHere,
    begin,
    done,
    hear,
    steps,
)
from ivr.turns.steps import SILENCES_BEFORE_PERSON, TURNS_BEFORE_PERSON, UNKNOWN_BEFORE_PERSON
from ivr.understanding import understand
from models import vocabulary
from models.vocabulary import LANGUAGES

# The walks take their time.
pytestmark = pytest.mark.slow

HARBIN = ZoneInfo("Asia/Shanghai")
MORNING = datetime(2026, 11, 22, 9, 0, tzinfo=HARBIN)
TODAY = MORNING.date()
WANG = Her(1, "王", "f", "zh-CN")
LI = Her(2, "李", "m", "zh-CN")
BATH = KnownOrder(11, 1011, "bathing", TODAY + timedelta(days=1), "morning", "confirmed")
TAKEN = KnownOrder(12, 1012, "accompaniment", TODAY + timedelta(days=2), "afternoon", "accepted")
DONE = KnownOrder(13, 1013, "bathing", TODAY - timedelta(days=1), "morning", "completed")
USUAL = Slots("bathing", TODAY + timedelta(days=3), "morning")
VISIT = Care(9, ("feel", "eaten", "medicine", "warm", "cool", "company"))
OFFER = OpenOffer(5, "道里区", "bathing", TODAY + timedelta(days=1), "morning", 1011)
# What each deed may bring: the walk takes every one of them.
RESULTS: dict[str, tuple[object, ...]] = {
    "place": ((1011, True), (1011, False)),
    "orders": ((), (BATH,), (TAKEN,), (BATH, TAKEN), (BATH,) * 5),
    "cancel": (True, False),
    "change": (True, False),
    "to_rate": (None, BATH),
    "rate": ("low", "well"),
    "take": ((WANG, Matters()), (LI, Matters(usual=USUAL))),
    "card": (None, (WANG, Matters())),
    "heard_callback": (None,),
    "heard_reminder": (None,),
    "word": (True, False),
    "decline_because": (None,),
    "name": (True, False),
    "ring_back": (None,),
    "message": (True, False),
    "answer_offer": ("accepted", "declined", "too_late"),
    "worker": (None, *(WorkerHere(4, "zh-CN", orders) for orders in ((), (TAKEN,), (BATH, TAKEN), (TAKEN,) * 5))),
    "visit_number": (None, TAKEN),
    "visit": ("arrived", "done", "known", "gone"),
    "agent_free": (True, False),
    "care_word": (None,),
}


def calls(language: str, moment: datetime = MORNING) -> dict[str, State]:
    """Everybody who may ring, at the beginning of the call."""
    plain = State(moment, language, number="+8645110000001")
    wang, li = replace(WANG, language=language), replace(LI, language=language)
    return {
        "one": replace(plain, people=(wang,)),
        "with a habit": replace(plain, people=(wang,), matters=Matters(usual=USUAL)),
        "missed the reminder": replace(
            plain, people=(wang,), matters=Matters(missed=Missed(3, TAKEN, "康乐", reminder=True))
        ),
        "missed the return visit": replace(plain, people=(wang,), matters=Matters(asked=ReturnDue(6, (DONE, TAKEN)))),
        "return visit": replace(plain, how="return_visit", people=(wang,), asked=(DONE, TAKEN), visit_id=6),
        "rings back": replace(plain, people=(wang,), matters=Matters(missed=Missed(3, TAKEN, "康乐"))),
        "rings back about a care visit": replace(
            plain, people=(wang,), matters=Matters(care=replace(VISIT, back=True))
        ),
        "wants a person": replace(plain, people=(replace(wang, person_first=True),)),
        "household": replace(plain, how="household", people=(wang, li)),
        "daughter": replace(plain, how="contact", people=(wang,)),
        "butler": replace(plain, how="contact", people=(wang, li)),
        "butler of many": replace(plain, how="contact", people=(wang, li) * 3),
        "unknown": replace(plain, how="unknown"),
        "withheld": replace(plain, how="withheld", number=None),
        "provider": replace(plain, how="provider", offers=(OFFER, replace(OFFER, offer_id=6))),
        "idle provider": replace(plain, how="provider"),
    }


def visits(language: str, moment: datetime) -> list[State]:
    """Calls of ours that ask how she is."""
    wang = replace(WANG, language=language)
    plain = State(moment, language, how="care", people=(wang,), her=wang, care=VISIT, at_door=False)
    short = replace(VISIT, questions=("feel",), word=False, notice="care_notice_cold", insist=True)
    return [plain, replace(plain, care=short)]


YES = {"zh-CN": "对", "ko": "네", "en": "yes"}


def answers(state: State) -> Iterator[Heard]:
    """Every key that answers the question of this state, and numbers where one is asked for."""
    asked = STEPS[state.step]
    yield from (Key(key) for key in asked.keys(state))
    if asked.take is not None:
        yield from (Digits("05"), Digits("99"), Digits("13900000000"))
    if state.at_door:
        yield Digits("*1234")
    if state.step == "usual" or (state.step == "readback" and state.ours):
        # By voice it goes another way than by key.
        yield Said(YES[state.language], 99)
    if asked.grammar == "score":
        yield Said(vocabulary.SCORES[0].phrases[state.language][0], 90)


def alike(state: State, move: Move) -> object:
    """What makes two moments of a conversation the same for the walk: which service it is does not matter."""
    slots = state.slots
    sensitive = slots.service is not None and vocabulary.SERVICE[slots.service].sensitive
    kept = (slots.service is None, sensitive, slots.day == TODAY, slots.day is None, slots.part, state.at_door)
    visit = state.care and (state.care.insist, state.care.back, state.misses)
    told = move if isinstance(move, Do | ToPerson) else type(move)
    missed = state.matters.missed if state.step == "missed" else None
    left = len(state.orders), len(state.asked), state.visit_id, missed and missed.reminder
    ours = state.step in ("readback", "sure") and (state.ours, state.unnamed, state.agreed == slots.service)
    asked = (state.step, state.how, kept, state.wish, state.chosen, left, state.turns, ours)
    return (*asked, state.language, visit, told)


@cache
def walk(language: str, hour: int = 9) -> list[tuple[State, Move]]:
    """Every moment that calls, keys and what comes of deeds lead to, with the move that was made."""
    seen: set[object] = set()
    found: list[tuple[State, Move]] = []
    waiting = deque(begin(state) for state in calls(language, MORNING.replace(hour=hour)).values())
    waiting += [begin(state) for state in visits(language, MORNING.replace(hour=hour))]
    while waiting:
        state, move = waiting.popleft()
        if (same := alike(state, move)) in seen:
            continue
        seen.add(same)
        found.append((state, move))
        if isinstance(move, Do):
            waiting += [done(state, move, result) for result in RESULTS[move.verb]]
        elif isinstance(move, Ask):
            silence = (Silence(),) if state.care is not None else ()
            waiting += [hear(state, heard) for heard in (*answers(state), *silence)]
    return found


@pytest.fixture(scope="module", autouse=True)
def _understands_once() -> Iterator[None]:
    """The walk says the same words at a hundred questions: what they mean is worked out once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "understand", cache(understand))
        yield


@pytest.fixture(params=LANGUAGES)
def questions(request: pytest.FixtureRequest) -> list[State]:
    """Every state in which something is asked, in the morning, in one language; one of each kind."""
    kinds = {
        (s.step, s.how, len(s.orders), s.slots.part): s for s, move in walk(request.param) if isinstance(move, Ask)
    }
    return list(kinds.values())


def test_every_question_is_walked_and_every_prompt_can_be_said(questions: list[State]) -> None:
    assert {state.step for state in questions} == set(STEPS)
    for state in questions:
        _, move = hear(state, Key("*"))
        assert isinstance(move, Ask) and move.lines
        assert all(said.text(state.language) and said.codes() for said in move.lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_call_ends_after_eight_turns_at_most(language: str) -> None:
    ends = set()
    for state, move in walk(language):
        if isinstance(move, Ask):
            assert state.turns < TURNS_BEFORE_PERSON, state
        else:
            ends.add(type(move))
    assert ends == {Do, ToPerson, GoodBye}
    assert {move.verb for _, move in walk(language) if isinstance(move, Do)} == set(RESULTS)


# Keys without a word, each for a reason: no word ever accepts an offer or says that a worker has come; a stranger's
# language is not known; another date, another page and a way back are said by saying the date, the service; who is
# none of them says "a person".
CARE_QUESTIONS = {"care_feel", "care_eaten", "care_medicine", "care_warm", "care_cool", "care_company"}
VISITS = {"worker_code", "which_visit", "visit_number", "visit"}
KEYS_ONLY = {"provider", "provider_why", "provider_idle", "stranger", "number", "card", "person_first", *VISITS}
WAYS_ROUND = {
    ("day", "4"),
    ("others", "1"),
    ("others", "8"),
    ("what_changes", "4"),
    ("which", "8"),
    ("return_visit", "8"),
}
# A spoken score is read back first.
READ_BACK = {"score", "return_visit"}


def test_every_choice_is_reached_by_a_word_as_by_its_key(questions: list[State]) -> None:
    for state in questions:
        asked = STEPS[state.step]
        if state.step in KEYS_ONLY:
            continue
        said = [*asked.names(state), *vocabulary.phrases(state.language, asked.grammar)]
        by_word = {outcome(hear(state, Said(phrase, 90))) for phrase in said}
        for key in asked.keys(state):
            if state.step in READ_BACK and key in "12345":
                continue
            if (state.step, key) not in WAYS_ROUND and not (state.step == "usual" and key == "1"):
                assert outcome(hear(state, Key(key))) in by_word, (state.step, key)


def outcome(following: tuple[State, Move]) -> object:
    """What an answer leads to."""
    state, move = following
    return state.step, state.slots, state.wish, state.chosen, move if isinstance(move, Do | ToPerson) else type(move)


def test_help_is_one_key_or_one_word_away_at_every_moment(questions: list[State]) -> None:
    emergency, person, repeat = vocabulary.ALWAYS
    for state in questions:
        for concept, reason in ((emergency, "emergency"), (person, "asked")):
            every: list[Heard] = [Key(concept.key), *(Said(phrase, 1) for phrase in concept.phrases[state.language])]
            for heard in every:
                _, move = hear(state, heard)
                assert isinstance(move, ToPerson) and move.reason == reason, (state.step, heard)
        again: list[Heard] = [Key("*"), *(Said(phrase, 1) for phrase in repeat.phrases[state.language])]
        for heard in again:
            _, move = hear(state, heard)
            assert isinstance(move, Ask) and move.lines == state.lines, (state.step, heard)


def test_hash_goes_through_all_languages_and_back_to_the_same_question(questions: list[State]) -> None:
    for state in questions:
        again, seen = state, []
        for _ in LANGUAGES:
            again, move = hear(again, Key("#"))
            assert isinstance(move, Ask) and again.step == state.step and again.slots == state.slots
            seen.append(again.language)
        assert sorted(seen) == sorted(LANGUAGES)
        assert again.lines == STEPS[state.step].say(state), "back in her language it is said as at first"


@pytest.mark.parametrize(
    "nothing", [Silence(), Unknown(), Key("A"), Key("D"), Key(""), Said("您拨打的电话已关机", 99)], ids=repr
)
def test_silence_and_nonsense_end_at_a_person_or_after_the_request_with_goodbye(
    questions: list[State], nothing: Heard
) -> None:
    for first in questions:
        if first.step == "provider_why":
            continue  # The decline stands: silence goes on to the next offer.
        state, said = replace(first, misses=0), 0
        while True:
            state, move = hear(state, nothing)
            said += 1
            if not isinstance(move, Ask):
                break
        silent = isinstance(nothing, Silence)
        assert said <= (SILENCES_BEFORE_PERSON if silent else UNKNOWN_BEFORE_PERSON)
        if first.care is not None and not first.care.back and first.step in CARE_QUESTIONS:
            # We have rung: it may be a machine. She is rung again, or a person listens, if one is free.
            there = bool(first.care.answers)
            assert isinstance(move, ToPerson) if there else move in (GoodBye((line("care_machine"),)), Do("agent_free"))
            continue
        if first.how == "return_visit":
            # We have rung: a machine is not put through to a person, somebody who has answered before is.
            expected: type = GoodBye if silent or not first.turns else ToPerson
        else:
            expected = GoodBye if first.step in ("done", "care_word") and silent else ToPerson
        assert isinstance(move, expected), first.step


def test_what_was_not_understood_is_asked_once_more_differently() -> None:
    state, _ = begin(replace(calls("ko")["one"], listens=True))
    _, move = hear(state, Unknown())
    assert isinstance(move, Ask)
    assert [said.key for said in move.lines] == ["not_understood", "ask_service", "person_hint"]


def test_whoever_was_not_heard_is_told_how_to_come_to_a_person(questions: list[State]) -> None:
    for state in questions:
        for nothing in (Silence(), Unknown()):
            _, move = hear(replace(state, misses=0), nothing)
            if isinstance(move, Ask) and move.lines[0].key in ("not_heard", "not_understood"):
                assert move.lines[-1].key == "person_hint", state.step


def test_what_she_drops_half_way_is_not_looked_for_among_her_orders() -> None:
    for words in ("算了取消", "没事了"):
        state, _ = begin(calls("zh-CN")["one"])
        state, _ = hear(state, Said("洗澡", 90))
        after, move = hear(state, Said(words, 90))
        assert isinstance(move, Ask) and [said.key for said in move.lines] == ["nothing_ordered", "ask_anything_else"]
        assert after.request() == {}
    # Which order is to be cancelled, she has said: one that stands.
    assert hear(state, Said("取消明天的洗澡", 90))[1] == Do("orders")


def test_her_usual_at_another_time_is_read_back() -> None:
    for words, slots in {
        "后天来吧": replace(USUAL, day=TODAY + timedelta(days=2)),
        "对，不过下午来": replace(USUAL, part="afternoon"),
        "不，改到下午三点": replace(USUAL, part="afternoon", at=time(15)),
        "和上周一样，后天来": replace(USUAL, day=TODAY + timedelta(days=2)),
        "老样子，下午": replace(USUAL, part="afternoon"),
    }.items():
        state, _ = begin(calls("zh-CN")["with a habit"])
        after, move = hear(state, Said(words, 90))
        assert (after.step, after.slots) == ("readback", slots), words
        assert isinstance(move, Ask)
    # Said at the open question, behind a "no" to it, too.
    opened, _ = hear(state, Said("不是", 90))
    assert (opened.step, hear(opened, Said("还是老样子，后天来", 90))[0].slots.day) == (
        "open",
        TODAY + timedelta(days=2),
    )
    # Another service is another order, of which nothing is known yet.
    assert hear(state, Said("后天送饭", 90))[0].slots == Slots("meals", TODAY + timedelta(days=2))


def test_an_answer_makes_good_what_was_missed(questions: list[State]) -> None:
    for state in questions:
        tired = replace(state, misses=1)
        for heard in answers(state):
            after, move = hear(tired, heard)
            again = isinstance(move, Ask) and (move.lines == state.lines or move.lines[0].key == "not_understood")
            if isinstance(move, Ask) and not again:
                assert after.misses == 0, (state.step, heard)


# In the night, in the morning, and from the hours on in which a part of the day is over.
@pytest.mark.parametrize("hour", [0, 9, 12, 13, 17])
def test_no_order_lies_in_the_past(hour: int) -> None:
    placed = [s for s, move in walk("zh-CN", hour) if isinstance(move, Do) and move.verb in ("place", "change")]
    assert placed
    for state in placed:
        assert state.slots.day is not None and state.slots.day >= TODAY
        if state.slots.day == TODAY:
            assert hour < 17 and not (state.slots.part == "morning" and hour >= 12)


def test_the_question_invites_to_speak_only_where_somebody_listens() -> None:
    for listens, keys in (
        (True, ["ask_service_spoken"]),
        (False, ["ask_service"]),
    ):
        _, move = begin(replace(calls("ko")["one"], listens=listens))
        assert isinstance(move, Ask) and [said.key for said in move.lines] == ["greeting", *keys]


@pytest.mark.parametrize(
    ("language", "words", "slots"),
    [
        ("zh-CN", "明天上午来给我洗个澡", Slots("bathing", TODAY + timedelta(days=1), "morning")),
        ("ko", "내일 오후에 목욕", Slots("bathing", TODAY + timedelta(days=1), "afternoon")),
        ("en", "a bath tomorrow morning", Slots("bathing", TODAY + timedelta(days=1), "morning")),
    ],
)
def test_one_sentence_fills_every_slot_and_is_read_back(language: str, words: str, slots: Slots) -> None:
    state, _ = begin(calls(language)["one"])
    state, move = hear(state, Said(words, 90))
    assert (state.step, state.slots) == ("readback", slots)
    state, move = hear(state, Key("1"))
    assert move == Do("place")


def test_a_clock_time_is_read_back_and_kept_with_its_part_of_the_day() -> None:
    state, _ = begin(calls("zh-CN")["one"])
    state, move = hear(state, Said("明天下午三点打扫卫生", 90))
    assert state.slots.as_data() == {"service": "cleaning", "day": "2026-11-23", "part": "afternoon", "at": "15:00"}
    assert isinstance(move, Ask) and "三点" in move.lines[-1].text("zh-CN")


def test_two_wishes_in_one_sentence_are_ordered_one_after_the_other() -> None:
    state, _ = begin(calls("zh-CN")["one"])
    state, _ = hear(state, Said("明天上午送饭还有洗澡", 90))
    assert state.slots.service == "meals" and state.others == ("bathing",)
    state, move = hear(state, Key("1"))
    assert isinstance(move, Do)
    state, move = done(state, move, (1011, True))
    assert (state.step, state.slots) == ("readback", Slots("bathing", TODAY + timedelta(days=1), "morning"))
    assert isinstance(move, Ask) and move.lines[0].key == "order_done"


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ((), "每周三上午洗澡"),
        ((), "明天和后天都来洗澡"),
        (("洗澡",), "每天上午"),
        (("洗澡", "明天"), "每个星期"),
        (("明天上午洗澡",), "对，每周都来"),
        (("明天上午洗澡",), "不对，每周三"),
        (("明天上午洗澡", Key("2")), "每天都来"),
    ],
)
def test_again_and_again_or_on_several_days_is_never_one_order(before: tuple[str | Key, ...], words: str) -> None:
    state, _ = begin(calls("zh-CN")["one"])
    for one in (*before, words):
        state, move = hear(state, one if isinstance(one, Key) else Said(one, 90))
    assert isinstance(move, ToPerson) and move.reason == "repeated"
    assert state.request()["service"] == "bathing" and state.request()["every"] in ("day", "week", "several")


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "每个月"), ("ko", "매월"), ("en", "every month")])
def test_how_often_without_what_is_asked_again_before_it_is_for_a_person(language: str, words: str) -> None:
    state, _ = begin(calls(language)["one"])
    state, move = hear(state, Said(words, 58))
    assert isinstance(move, Ask)
    _, move = hear(state, Said(words, 58))
    assert isinstance(move, ToPerson)


# Where a wish may be said, and so how often.
WISHES = {"open", "when", "readback", "anything", "change", "orders"}
OFTEN = {
    "zh-CN": ("每个月", "每周", "每天都来", "每周三上午", "明天和后天"),
    "ko": ("매월", "매주", "매일", "매주 수요일", "내일하고 모레"),
    "en": ("every month", "every week", "daily", "every wednesday", "tomorrow and friday"),
}


def test_how_often_is_for_a_person_at_every_question_for_a_wish(questions: list[State]) -> None:
    asked = [one for one in questions if STEPS[one.step].grammar in WISHES or one.step == "cancel_sure"]
    assert {"open", "service", "day", "part", "readback", "what_changes", "which_order", "order", "usual", "done"} <= {
        one.step for one in asked
    }
    for state in asked:
        for words in OFTEN[state.language]:
            after, move = hear(replace(state, misses=0), Said(words, 90))
            if isinstance(move, Ask):
                # The first answer of a call that names neither what nor when: asked once more.
                assert (state.slots.service, state.turns, after.step) == (None, 0, state.step), words
                after, move = hear(after, Said(words, 90))
            assert isinstance(move, ToPerson), (state.step, words)
            if move.reason != "too_long":
                assert move.reason == "repeated" and after.request()["every"], (state.step, words)


def test_a_chat_every_week_and_all_her_orders_cancelled_are_for_a_person() -> None:
    visit = replace(VISIT, questions=("company",), back=True)
    state = begin(replace(calls("zh-CN")["one"], matters=Matters(care=visit)))[0]
    after, move = hear(state, Said("每周三来聊天", 90))
    assert isinstance(move, ToPerson) and after.request() | {"day": ""} == {
        "service": "companionship", "day": "", "every": "week",
    }  # fmt: skip
    state = begin(calls("zh-CN")["one"])[0]
    state, move = done(*hear(state, Said("取消洗澡", 90)), (BATH,))  # type: ignore[arg-type]
    assert state.step == "cancel_sure"
    after, move = hear(state, Said("对，每周的都取消", 90))
    assert isinstance(move, ToPerson) and (after.wish, after.every) == ("cancel", "week")


def test_her_usual_wanted_every_week_is_for_a_person() -> None:
    state, _ = begin(calls("zh-CN")["with a habit"])
    state, move = hear(state, Said("对，每个星期都来", 90))
    assert isinstance(move, ToPerson) and state.request()["every"] == "week"


def test_a_service_that_is_not_offered_is_for_a_person_who_hears_what_she_wanted() -> None:
    state, _ = begin(replace(calls("zh-CN")["one"], off=frozenset({"bathing"})))
    for heard in (Key("2"), Said("后天下午洗澡", 90)):
        after, move = hear(state, heard)
        assert isinstance(move, ToPerson) and move.reason == "not_offered"
        assert after.request()["service"] == "bathing"
    after, move = hear(state, Key("1"))
    assert isinstance(move, Ask) and after.step == "day"
    # What she has again and again is not held out to her either, while nobody offers it.
    for called in ("with a habit", "household"):
        state = replace(calls("zh-CN")[called], off=frozenset({"bathing"}), matters=Matters(usual=USUAL))
        assert begin(state)[0].step != "usual"


def test_a_holiday_is_named_before_it_is_confirmed() -> None:
    state, _ = begin(calls("ko", datetime(2026, 9, 30, 9, tzinfo=HARBIN))["one"])
    for key in ("2", "2", "1"):
        state, move = hear(state, Key(key))
    assert isinstance(move, Ask) and [said.key for said in move.lines] == ["is_holiday", "readback"]


def test_what_is_said_without_a_service_is_kept_and_only_the_rest_is_asked() -> None:
    state, _ = begin(calls("zh-CN")["one"])
    state, _ = hear(state, Said("后天下午", 90))
    assert state.step == "service" and state.slots == Slots(None, TODAY + timedelta(days=2), "afternoon")
    state, _ = hear(state, Key("2"))
    assert state.step == "readback"


def test_one_slot_is_changed_at_the_readback_and_the_rest_stays() -> None:
    state, _ = begin(calls("zh-CN")["one"])
    state, _ = hear(state, Said("明天上午洗澡", 90))
    by_word, _ = hear(state, Said("不对 后天", 90))
    assert by_word.step == "readback" and by_word.slots == Slots("bathing", TODAY + timedelta(days=2), "morning")
    by_key = state
    for key in ("2", "2", "3"):
        by_key, _ = hear(by_key, Key(key))
    assert (by_key.step, by_key.slots) == (by_word.step, by_word.slots)


def test_her_usual_is_one_key_and_a_lone_yes_is_read_back_first() -> None:
    state, move = begin(calls("ko")["with a habit"])
    assert state.step == "usual"
    assert hear(state, Key("1"))[1] == Do("place")
    spoken, move = hear(state, Said("네", 99))
    assert spoken.step == "readback" and isinstance(move, Ask)


def test_two_spoken_yeses_are_no_order_a_key_or_the_service_in_her_words_is() -> None:
    state, move = begin(calls("ko")["with a habit"])
    for expected in ("readback", "sure"):
        state, move = hear(state, Said("네", 99))
        assert state.step == expected and isinstance(move, Ask)
    assert hear(state, Key("1"))[1] == Do("place")
    assert hear(state, Said("목욕", 99))[1] == hear(state, Said("네 목욕", 99))[1] == Do("place")
    assert hear(state, Said("식사", 99))[0].slots.service == "meals"
    assert isinstance(hear(state, Said("네", 99))[1], ToPerson)
    # Who named the service in this call has said enough; so has who presses a key at once.
    at_readback, _ = hear(begin(calls("ko")["with a habit"])[0], Said("네", 99))
    assert hear(at_readback, Said("네 목욕", 99))[1] == hear(at_readback, Key("1"))[1] == Do("place")


def test_a_word_misheard_does_not_turn_her_usual_into_another_service() -> None:
    """Its day and hour stand already, so that one word and a "yes" would be an order for what nobody asked for."""
    habit, _ = begin(calls("ko")["with a habit"])
    at_readback, _ = hear(habit, Said("네", 99))
    other, move = hear(at_readback, Said("식사", 99))
    assert (other.step, other.slots.service) == ("readback", "meals") and isinstance(move, Ask)
    asked_again, move = hear(other, Said("네", 99))
    assert asked_again.step == "sure" and isinstance(move, Ask)
    # Named a second time, with a "yes" or alone, or a key: it is hers.
    named_again = (hear(other, Said("네 식사", 99)), hear(asked_again, Said("식사", 99)), hear(other, Key("1")))
    assert [move for _, move in named_again] == [Do("place")] * 3
    # What was agreed to is not what stands after another word misheard.
    agreed, _ = hear(at_readback, Said("목욕", 99))
    assert hear(agreed, Said("네", 99))[1] == Do("place")
    assert hear(hear(agreed, Said("식사", 99))[0], Said("네", 99))[0].step == "sure"
    # A service chosen by key needs no second word.
    by_key = at_readback
    for key in ("2", "1", "1"):
        by_key, _ = hear(by_key, Key(key))
    assert by_key.step == "readback" and hear(by_key, Said("네", 99))[1] == Do("place")


def test_a_matter_of_health_is_named_only_after_she_has_named_it() -> None:
    for state, move in walk("zh-CN"):
        if not isinstance(move, Ask) or state.step not in ("which_order", "cancel_sure", "usual", "missed"):
            continue
        for said in move.lines:
            assert "助医" not in said.text("zh-CN"), state.step


def test_a_spoken_score_is_read_back_and_a_key_closes_at_once() -> None:
    for who in ("return visit", "missed the return visit"):
        state, move = begin(calls("zh-CN")[who])
        assert isinstance(move, Ask) and [said.key for said in move.lines][-2:] == [
            "rate_what", "ask_score" if who == "return visit" else "ask_score_or_else",
        ]  # fmt: skip
        assert hear(state, Key("5"))[1] == Do("rate", (DONE.order_id, 5))
        spoken, move = hear(state, Said("很好", 90))
        assert spoken.step == "score_sure" and isinstance(move, Ask)
        assert move.lines[0].text("zh-CN").startswith("您给五分")
        assert hear(spoken, Said("对", 90))[1] == Do("rate", (DONE.order_id, 5))
        assert hear(spoken, Said("不对", 90))[0].step == "return_visit"
        # A lone "yes" to the question itself is no answer.
        after, move = hear(state, Said("对", 99))
        assert isinstance(move, Ask) and after.step == "return_visit" and move.lines[0].key == "not_understood"


def test_several_orders_are_asked_one_after_the_other_and_then_comes_her_own_word() -> None:
    state, move = begin(calls("ko")["return visit"])
    assert isinstance(move, Ask) and [said.key for said in move.first] == ["return_hello"]
    state, move = done(*hear(state, Key("5")), "well")  # type: ignore[arg-type]
    assert isinstance(move, Ask) and [said.key for said in move.lines] == ["rated", "rate_what", "ask_score"]
    state, move = done(*hear(state, Key("1")), "low")  # type: ignore[arg-type]
    assert isinstance(move, Do) and move.verb == "word" and [said.key for said in move.value] == ["rated_low"]  # type: ignore[attr-defined]
    state, move = done(state, move, True)
    assert isinstance(move, GoodBye)


def test_whoever_rings_for_something_else_is_not_kept_by_the_return_visit() -> None:
    state, _ = begin(calls("zh-CN")["missed the return visit"])
    other, _ = hear(state, Key("8"))
    assert other.step == "open" and not other.asked and other.visit_id is None
    ordering, _ = hear(state, Said("明天上午来给我洗个澡", 90))
    assert ordering.step == "readback" and not ordering.asked


def test_a_worker_reports_on_the_line_of_an_elder_who_has_a_person_first() -> None:
    state, move = begin(calls("zh-CN")["wants a person"])
    assert isinstance(move, Ask) and move.star and [said.key for said in move.lines] == ["greeting"]
    assert hear(state, Digits("*1234"))[1] == Do("worker", "1234")
    for nothing in (Silence(), Key("5")):
        _, move = hear(state, nothing)
        assert isinstance(move, ToPerson) and move.reason == "person_first"


def test_a_provider_who_rings_back_and_declines_is_asked_why() -> None:
    state, _ = begin(calls("zh-CN")["provider"])
    state, move = hear(state, Key("2"))
    state, move = done(state, Do("answer_offer", (5, "decline")), "declined")
    assert isinstance(move, Ask) and [said.key for said in move.lines] == ["offer_why"]
    assert hear(state, Key("2"))[1] == Do("decline_because", (5, "too_far"))
    state, move = hear(state, Silence())
    assert isinstance(move, Ask) and move.lines[0].key == "offer_declined" and state.offers[0].offer_id == 6


def test_a_star_and_a_code_at_the_first_question_are_a_worker_and_nothing_else_changes_for_the_elder() -> None:
    for name, call in calls("ko").items():
        state, move = begin(call)
        if not isinstance(move, Ask) or call.how == "return_visit":
            continue
        assert move.star, name
        assert hear(state, Key("*"))[1] == replace(move, lines=state.lines, news=0), name
        state, move = hear(state, Digits("*1234"))
        assert move == Do("worker", "1234"), name
    state, move = begin(calls("ko")["one"])
    state, move = hear(state, Key("2"))
    assert isinstance(move, Ask) and not move.star, "later a star only repeats"
    state, move = hear(state, Digits("*1234"))
    assert isinstance(move, Ask) and move.lines[0].key == "not_understood"


def _asked(following: tuple[State, Move]) -> tuple[str, str]:
    state, move = following
    assert isinstance(move, Ask)
    return state.step, move.lines[0].key


def test_an_hour_of_today_that_is_over_is_not_ordered_by_changing_the_day() -> None:
    now = MORNING.replace(hour=10, minute=30)
    nine = Slots("bathing", TODAY + timedelta(days=1), "morning", time(9))
    state = replace(begin(calls("ko", now)["one"])[0], slots=nine)
    for step, heard in (("readback", Said("오늘", 95)), ("day", Key("1")), ("date", Digits("22"))):
        after, move = hear(replace(state, step=step), heard)
        assert _asked((after, move)) == ("day", "part_is_over"), step
        assert after.slots == Slots("bathing"), "neither the hour nor the part of the day goes on to another day"
    eleven = replace(state, slots=replace(nine, at=time(11)), step="day")
    after, move = hear(eleven, Key("1"))
    assert _asked((after, move)) == ("readback", "readback") and after.slots.at == time(11)


def test_an_order_that_stands_is_not_moved_to_an_hour_of_today_that_is_over() -> None:
    now = MORNING.replace(hour=10, minute=30)
    order = replace(BATH, at=time(9))
    state = replace(begin(calls("ko", now)["one"])[0], wish="change", slots=Slots(day=TODAY), step="open")
    assert _asked(done(state, Do("orders"), (order,))) == ("day", "part_is_over")


@pytest.mark.parametrize("step", [one.name for one in STEPS.values() if one.take is not None])
def test_who_is_frightened_and_presses_nine_or_zero_several_times_is_heard_where_a_number_is_asked_for(
    step: str,
) -> None:
    state = replace(begin(calls("ko")["one"])[0], step=step, at_door=False)
    for keyed in ("99", "999", *(() if step == "visit_number" else ("9999", "9" * 11))):
        move = hear(state, Digits(keyed))[1]
        assert isinstance(move, ToPerson) and move.reason == "emergency", keyed
    for keyed in ("00", "000", "00000"):
        move = hear(state, Digits(keyed))[1]
        assert isinstance(move, ToPerson) and move.reason == "asked", keyed
    if step == "visit_number":
        assert hear(state, Digits("9999"))[1] == Do("visit_number", "9999"), "an order may have this number"


def test_a_star_and_nothing_but_nines_is_an_emergency_too() -> None:
    move = hear(begin(calls("ko")["one"])[0], Digits("*999"))[1]
    assert isinstance(move, ToPerson) and move.reason == "emergency"


def test_a_worker_reports_in_her_own_language_and_not_as_the_elder() -> None:
    state, _ = hear(begin(calls("ko")["one"])[0], Digits("*1234"))
    state, move = done(state, Do("worker", "1234"), WorkerHere(4, "zh-CN", (TAKEN,)))
    assert isinstance(move, Ask) and [said.key for said in move.lines] == ["visit", "visit_keys"]
    assert (state.language, state.her, state.how) == ("zh-CN", None, "worker")
    assert hear(state, Key("2"))[1] == Do("visit", (TAKEN.order_id, "done"))
    assert not isinstance(hear(state, Said("做完了", 99))[1], Do)


def test_how_a_worker_reports_is_said_after_a_silence_only_where_one_is_due() -> None:
    for due, hinted in ((True, True), (False, False)):
        state, move = begin(replace(calls("zh-CN")["one"], matters=Matters(visit_due=due)))
        assert isinstance(move, Ask) and "worker_hint" not in [said.key for said in move.lines]
        state, move = hear(state, Silence())
        assert isinstance(move, Ask) and ("worker_hint" in [said.key for said in move.lines]) is hinted


def test_an_order_that_somebody_has_accepted_is_changed_by_a_person() -> None:
    state, move = begin(calls("zh-CN")["one"])
    for heard in (Key("8"), Key("2")):
        state, move = hear(state, heard)
    assert isinstance(move, Do)
    state, move = done(state, move, (TAKEN,))
    _, move = hear(state, Key("1"))
    assert isinstance(move, ToPerson) and move.reason == "change"


PHRASES = sorted({phrase for one in LANGUAGES for phrase in vocabulary.phrases(one, "anything")})
anything = st.one_of(
    st.sampled_from([Silence(), Unknown()]),
    st.sampled_from("0123456789*#ABCD").map(Key),
    st.sampled_from([vocabulary.phrases(one, "anything") for one in LANGUAGES])
    .flatmap(st.sampled_from)
    .map(lambda p: Said(p, 90)),
    st.text(max_size=8).map(lambda text: Said(text, 5)),
    st.text(max_size=3).map(Key),
    st.text(max_size=20).map(Digits),
)


@settings(max_examples=300, deadline=None)
@given(
    language=st.sampled_from(LANGUAGES),
    who=st.sampled_from(sorted(calls("ko"))),
    hour=st.integers(0, 23),
    heard=st.lists(anything, max_size=40),
    data=st.data(),
)
def test_whatever_is_heard_a_request_has_all_its_slots_and_a_yes(
    language: str, who: str, hour: int, heard: list[Heard], data: st.DataObject
) -> None:
    state, move = begin(calls(language, MORNING.replace(hour=hour))[who])
    for one in heard:
        while isinstance(move, Do):
            state, move = done(state, move, data.draw(st.sampled_from(RESULTS[move.verb])))
        if not isinstance(move, Ask):
            return
        before, (state, move) = state, hear(state, one)
        if move == Do("place"):
            assert None not in (state.slots.service, state.slots.day, state.slots.part)
            assert before.step in ("readback", "usual", "sure") and state.her is not None
            assert one == Key("1") or (isinstance(one, Said) and before.step in ("readback", "sure"))
        assert isinstance(move, Ask | ToPerson | Do | GoodBye)


# Our own calls.

SPOKEN = tuple((language, (line("callback_confirmed"),)) for language in LANGUAGES)
NOTICES = [Notice(SPOKEN, keys) for keys in (OFFER_KEYS, CALLBACK_KEYS, DECLINE_KEYS, LOOK_IN_KEYS)]


@pytest.mark.parametrize("notice", NOTICES, ids=["offer", "callback", "why", "look in"])
def test_our_own_calls_end_in_silence(notice: Notice) -> None:
    for nothing in (Silence(), Unknown(), Said("네", 100), Key("7")):
        state, said = notice, 0
        while True:
            state, move = outbound_turns.hear(state, nothing)
            said += 1
            if not isinstance(move, Ask):
                break
        assert move == GoodBye() and said == outbound_turns.REPEATS + 1


@settings(deadline=None)
@given(notice=st.sampled_from(NOTICES), heard=st.lists(anything, max_size=20))
def test_no_word_ever_accepts_and_no_key_but_its_own(notice: Notice, heard: list[Heard]) -> None:
    for one in heard:
        notice, move = outbound_turns.hear(notice, one)
        if isinstance(move, outbound_turns.Answer):
            assert isinstance(one, Key) and dict(notice.answers)[one.key] == move.code
        if isinstance(move, ToPerson):
            asked = Key("2") if notice.answers == CALLBACK_KEYS else Key("0")
            assert one in (Key("0"), Key("9"), asked)
        if not isinstance(move, Ask):
            return


@pytest.mark.parametrize("notice", NOTICES, ids=["offer", "callback", "why", "look in"])
def test_the_hash_key_says_our_own_calls_in_the_next_language(notice: Notice) -> None:
    heard_in = [notice.language]
    for _ in LANGUAGES:
        notice, move = outbound_turns.hear(notice, Key("#"))
        assert move == notice.ask
        heard_in.append(notice.language)
    assert sorted(heard_in[:-1]) == sorted(LANGUAGES) and heard_in[-1] == heard_in[0]
