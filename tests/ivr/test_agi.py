"""Each fault of pyst2's AGI that the adapter replaces, against a fake Asterisk that speaks raw AGI."""

from __future__ import annotations

import threading
import time

import pytest
from asterisk.agi import AGIAppError, AGIError, AGIException, AGIHangup, AGIInvalidCommand, AGIUsageError
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr import agi
from ivr.agi import NotAgi
from tests.ivr.fake_asterisk import FakeAsterisk, connected, dribble, environment, in_thread, line, peer
from tests.support.patience import PATIENCE

OK = b"200 result=1\n"


def test_works_outside_the_main_thread_and_over_bytes() -> None:
    def work() -> None:
        with line(OK) as (made, asterisk):
            made.set_variable("HOTLINE_WHY", "问询")
            assert asterisk.commands == ['SET VARIABLE "HOTLINE_WHY" "问询"']

    in_thread(work)


def test_the_environment_is_read_as_it_was_sent() -> None:
    with line(header=environment(agi_calleridname="a: b: c")) as (made, _):
        assert made.env["agi_uniqueid"] == "1763766000.12"
        assert made.env["agi_calleridname"] == "a: b: c"


@pytest.mark.parametrize(
    "answer",
    [b"HANGUP\n", b"", b"HANGUP\n511 Command Not Permitted on a dead channel or intercept routine\n", b"200 res"],
    ids=["bare HANGUP, then the end", "end of file", "HANGUP before the answer", "cut in the answer"],
)
def test_the_end_of_the_call_is_a_hangup_and_nothing_else(answer: bytes) -> None:
    with line(answer) as (made, _), pytest.raises(AGIHangup):
        made.execute("ANSWER")


@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        (b"HANGUP\n", False),
        (b"", True),
        (b"HANGUP\n511 Command Not Permitted on a dead channel or intercept routine\n", False),
        (b"200 res", True),
        (b"HANGUP\n200 res", False),
    ],
    ids=["HANGUP, then the end", "end of file", "HANGUP before the answer", "cut in the answer", "HANGUP, then cut"],
)
def test_a_connection_that_ends_without_a_word_is_a_fault_and_no_hangup(answer: bytes, lost: bool) -> None:
    with line(answer) as (made, _), pytest.raises(AGIHangup) as caught:
        made.execute("ANSWER")
    assert isinstance(caught.value, agi.LineLost) is lost


def test_an_answer_behind_the_hangup_notice_still_counts() -> None:
    with line(b"HANGUP\n200 result=0\n") as (made, _):
        assert made.execute("NOOP").result == "0"


def test_a_subroutine_is_waited_for_behind_the_word_that_it_is_tried() -> None:
    with line(b"100 result=0 Trying...\n200 result=0 Gosub complete\n200 result=7\n") as (made, _):
        made.gosub("record")
        assert made.execute("NOOP").result == "7"


def test_an_endless_stream_of_notices_is_no_conversation() -> None:
    with line(b"HANGUP\n" * 100_000) as (made, _), pytest.raises(AGIError):
        made.execute("NOOP")


def test_an_answer_of_minus_one_is_a_hangup() -> None:
    with line(b"200 result=-1\nHANGUP\n") as (made, _), pytest.raises(AGIHangup):
        made.ask_key("prompt", 4000)
    with line(b"200 result=-1 endpos=0\nHANGUP\n") as (made, _), pytest.raises(AGIHangup):
        made.play("prompt")


def test_writing_to_a_call_that_is_gone_is_a_hangup() -> None:
    with line() as (made, asterisk):
        asterisk.close()
        with pytest.raises(AGIHangup):
            made.execute("NOOP")


@pytest.mark.parametrize(
    "value",
    ['"; HANGUP', 'a"b', "back\\slash", '\\"', "two\nHANGUP\n", "cr\rHANGUP", "\x00\x1b[2J", "result=-1", "$(reboot)",
     "${CALLERID(num)}", "a;b|c%d", "\udce4", "王秀英\u2028HANGUP", "😀"],
)  # fmt: skip
def test_no_value_becomes_a_command_of_its_own(value: str) -> None:
    with line(OK) as (made, asterisk):
        made.set_variable("X", value)
        (command,) = asterisk.commands
        # What Asterisk reads back by its own rules for quotes is one argument: the value.
        quoted = command.removeprefix('SET VARIABLE "X" ')
        assert quoted[0] == quoted[-1] == '"'
        inside = quoted[1:-1]
        unescaped, rest = "", iter(inside)
        for char in rest:
            assert char != '"', f"the quote ends early in {command!r}"
            unescaped += next(rest) if char == "\\" else char
        assert unescaped == "".join(char if char.isprintable() else " " for char in value)


def test_a_command_longer_than_asterisk_reads_is_refused_before_it_is_sent() -> None:
    # Asterisk reads 2048 bytes; what is behind them would be a command of the caller's.
    name = "x" * 4000 + "\nHANGUP"
    with line(OK) as (made, asterisk):
        with pytest.raises(AGIUsageError, match="longer"):
            made.set_variable("NAME", name)
        made.set_variable("NAME", "next")
        assert asterisk.commands == ['SET VARIABLE "NAME" "next"']


def test_nothing_about_the_caller_reaches_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with line(OK, b"200 result=1 (secret)\n") as (made, _):
        made.set_variable("NAME", "王秀英")
        made.execute("GET VARIABLE", "NAME")
    assert capfd.readouterr() == ("", "")


def test_a_usage_answer_is_an_error_and_the_line_goes_on() -> None:
    usage = b"520-Invalid command syntax.  Proper usage follows:\nUsage: NOOP\n\n520 End of proper usage.\n"
    with line(usage, OK) as (made, _):
        with pytest.raises(AGIUsageError):
            made.execute("NOOP")
        assert made.execute("NOOP").result == "1"


def test_a_usage_answer_without_usage_waits_for_nothing() -> None:
    with line(b"520 Invalid command syntax.  Proper usage not available.\n", OK) as (made, _):
        began = time.monotonic()
        with pytest.raises(AGIUsageError):
            made.execute("NOOP")
        assert made.execute("NOOP").result == "1"
        assert time.monotonic() - began < PATIENCE


def test_a_usage_answer_that_is_cut_off_ends() -> None:
    with line(b"520-Invalid command syntax.\nUsage") as (made, _), pytest.raises(AGIHangup):
        made.execute("NOOP")
    with line(b"520-Invalid command syntax.\n" + b"more\n" * 5000) as (made, _), pytest.raises(AGIUsageError):
        made.execute("NOOP")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"510 Invalid or unknown command\n", AGIInvalidCommand),
        (b"511 Command Not Permitted on a dead channel\n", AGIHangup),
        (b"999 what\n", AGIError),
        (b"garbage\n", AGIError),
        (b"\n", AGIError),
        (b"200\n", AGIError),
        (b"200 hello\n", AGIError),
    ],
)
def test_other_answers(answer: bytes, error: type[AGIException]) -> None:
    with line(answer) as (made, _), pytest.raises(error):
        made.execute("NOOP")


def test_a_name_cut_in_the_middle_of_a_character_stops_nothing() -> None:
    name = "王秀英".encode()[:-1]
    header = b"agi_calleridname: " + name + b"\nagi_uniqueid: 1.2\n\n"
    with line(b"200 result=1 (" + name + b")\n", header=header) as (made, _):
        assert made.env == {"agi_calleridname": "王秀\ufffd", "agi_uniqueid": "1.2"}
        assert made.execute("GET VARIABLE", "X").data == "王秀\ufffd"


def test_a_speech_answer_with_blanks_in_its_text() -> None:
    said = '200 result=1 (speech) endpos=0 results=1 score0=90 text0="목욕 하고 싶어요" grammar0=service\n'
    with line(said.encode()) as (made, _):
        reply = made.execute("SPEECH RECOGNIZE", "prompt", 5)
    assert (reply.result, reply.data) == ("1", "speech")
    assert reply.fields == {
        "endpos": "0", "results": "1", "score0": "90", "text0": "목욕 하고 싶어요", "grammar0": "service"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        (b"200 result=5\n", "5"),
        (b"200 result=*\n", "*"),
        (b"200 result=\n", "#"),
        (b"200 result= (timeout)\n", None),
        (b"200 result=7 (timeout)\n", "7"),
    ],
    ids=["a key", "star", "# alone ends an empty entry", "nothing in time", "a key, then nothing"],
)
def test_one_key(answer: bytes, key: str | None) -> None:
    with line(answer) as (made, asterisk):
        assert made.ask_key("/p/x", 4000) == key
        assert asterisk.commands == ['GET DATA "/p/x" "4000" "1"']


def test_an_endless_environment_is_not_agi() -> None:
    with peer(header=b"agi_x: y\n" * 100_000) as asterisk, pytest.raises(NotAgi), connected(asterisk):
        pass


def test_one_line_without_an_end_is_a_hangup() -> None:
    with peer(header=b"x" * (agi.LONGEST_LINE * 3)) as asterisk, pytest.raises(AGIHangup), connected(asterisk):
        pass


@pytest.mark.parametrize("header", [b"", b"agi_network: yes", b"agi_network: yes\nagi_uni"])
def test_an_end_of_file_in_the_header_is_a_hangup(header: bytes) -> None:
    with peer(header=header) as asterisk, pytest.raises(AGIHangup), connected(asterisk):
        pass


def test_a_peer_that_says_nothing_is_given_up() -> None:
    with peer(header=b"agi_network: yes\n", stays=True) as asterisk, pytest.raises(AGIHangup), connected(asterisk, 0.1):
        pass


def test_one_byte_at_a_time_is_slow_but_right() -> None:
    with peer(header=b"", stays=True) as asterisk:
        text = b"agi_uniqueid: 1.2\n\n"
        slow = threading.Thread(target=dribble, args=(asterisk.theirs, text, 0.002))
        slow.start()
        with connected(asterisk, 0.5) as made:
            assert made.env == {"agi_uniqueid": "1.2"}
        slow.join()


@settings(max_examples=150, deadline=None)
@given(
    header=st.one_of(st.binary(max_size=200), st.just(environment())),
    answers=st.lists(
        st.one_of(
            st.binary(max_size=80),
            st.sampled_from([OK, b"200 result=", b"HANGUP\n", b"520-x\n", b"520 x\n", b"200 result=1 (", b"\n", b"51"]),
        ),
        max_size=4,
    ),
)
def test_whatever_a_peer_says_it_ends_with_a_documented_exception(header: bytes, answers: list[bytes]) -> None:
    asterisk = FakeAsterisk(header, answers)
    try:
        # A peer that stops in the middle of a line is given up by the time-out, here a short one.
        with connected(asterisk, 0.03) as made:
            for command in ("ANSWER", "NOOP", "NOOP", "NOOP", "NOOP"):
                try:
                    made.execute(command)
                except AGIHangup:
                    raise
                except AGIError:
                    continue
            made.ask_key("x", 1)
    except (AGIAppError, AGIError, NotAgi):
        pass
    finally:
        asterisk.close()
