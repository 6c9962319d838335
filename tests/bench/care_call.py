"""The automatic care call as both sides of P13 play it, and the elders' telephones that answer it (SIPp)."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr import turns
from ivr.prompts import voice
from ivr.turns import Ask, Care, GoodBye, Her, Key, State
from models import care_scripts, clock, toolbox
from models.settings import settings
from tests.bench.journey import ANSWER_TIMEOUT_S, FAMILY_NAME, LANGUAGE, SEX, THINKS_MS, length_ms
from tests.bench.load import Running

# She is well, has eaten, takes no medicine, is neither cold nor hot, wants no visit, has nothing to add.
KEYS = {"feel": "1", "eaten": "1", "medicine": "3", "warm": "1", "cool": "1", "company": "3", "word": "2"}
SCRIPT = "care"
CONTEXT = "bench-care"
MARK = "a plain care call is complete"
# Whoever answers needs a moment to bring the telephone to the ear (dialplans/care.conf), and rings before (ms).
EAR_MS, RINGS_MS = 700, 300


@dataclass(frozen=True)
class CareCall:
    """Prompts as they are heard: hello, one for each key, goodbye; and the keys that follow the questions."""

    files: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def pauses_ms(self) -> tuple[int, ...]:
        """From the answer, or the last key, to each key: she hears the question out and thinks."""
        hello, *questions, _thanks = map(length_ms, self.files)
        first, *rest = (length + THINKS_MS for length in questions)
        return (EAR_MS + hello + first, *rest)

    @property
    def seconds(self) -> float:
        """From the answer to the hotline's hang-up."""
        return (sum(self.pauses_ms) + length_ms(self.files[-1])) / 1000

    @property
    def answers(self) -> int:
        """How many answers a whole call leaves; the free word that she does not want to say is none."""
        return len(self.keys) - 1


def walk() -> CareCall:
    """Walk the conversation by keys as the hotline does, with the same prompt files."""
    her = Her(1, FAMILY_NAME, SEX, LANGUAGE)
    moment = clock.local(clock.now())
    asked = care_scripts.questions(SCRIPT, moment.date())
    state = State(moment, LANGUAGE, how="care", people=(her,), her=her, care=Care(1, asked), at_door=False)
    state, move = turns.begin(state)
    assert isinstance(move, Ask) and move.first
    files, keys = [voice.utterance(move.first, LANGUAGE)], []
    while isinstance(move, Ask):
        files.append(voice.utterance(move.lines, LANGUAGE))
        keys.append(KEYS[state.step.removeprefix("care_")])
        state, move = turns.hear(state, Key(keys[-1]))
    assert isinstance(move, GoodBye)
    files.append(voice.utterance(move.lines, LANGUAGE))
    return CareCall(tuple(files), tuple(keys))


def dialplan(call: CareCall) -> str:
    """The other side: Asterisk alone plays the same files and reads the same keys, and logs that it came to the end."""
    hello, *questions, thanks = call.files
    lines = ["", f"[{CONTEXT}]", f"exten => s,1,Wait({EAR_MS / 1000})", f" same => n,Playback({hello})"]
    lines += [f" same => n,Read(KEY,{file},1,,1,{ANSWER_TIMEOUT_S})" for file in questions]
    return "\n".join(
        [*lines, f" same => n,Log(NOTICE,{MARK})", f" same => n,Playback({thanks})", " same => n,Hangup()", ""]
    )


@dataclass(frozen=True)
class Telephones:
    """Everybody's telephone at 127.0.0.1:`port`: it rings, is answered, presses the call's keys, waits for the end.

    `audio`: a file of raw A-law that every line sends all the while, as a telephone does that is held to an ear.
    """

    call: CareCall
    port: int
    media_port: int
    audio: str = ""

    def begin(self, folder: Path, calls: int, seconds: float) -> Running:
        """Answer so many calls, which come within `seconds`."""
        (folder / "scenario.xml").write_text(_scenario(self.call, self.audio, self.media_port))
        tool = toolbox.sipp(settings().cache_dir)
        command = (
            *tool.argv, "-sf", "scenario.xml", "-i", "127.0.0.1", "-p", str(self.port), "-m", str(calls),
            "-l", "1000", "-nostdin", "-trace_err", "-recv_timeout", "20000",
        )  # fmt: skip
        with (folder / "screen").open("wb") as out:
            process = subprocess.Popen(
                command, cwd=folder, env=tool.environ(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        return Running(process, folder, calls, seconds + self.call.seconds)


def _scenario(call: CareCall, audio: str, media_port: int) -> str:
    media = "[rtpstream_audio_port]" if audio else str(media_port)
    parts = [_ANSWER.format(rings=RINGS_MS, media=media)]
    if audio:
        parts.append(f'<nop><action><exec rtp_stream="{audio},-1,8,PCMA/8000"/></action></nop>')
    pauses: Sequence[tuple[int, str]] = list(zip(call.pauses_ms, call.keys, strict=True))
    parts += [_PRESS.format(pause=pause, key=key, cseq=number) for number, (pause, key) in enumerate(pauses, start=1)]
    return "\n".join([*parts, _OVER])


_REPLY = """\
<send{retrans}><![CDATA[
SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:]{tag}
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
{body}
]]></send>
"""
_TAG = ";tag=[call_number]x"

_ANSWER = (
    """\
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="an elder answers a care call">
<recv request="INVITE" rrs="true">
<action><ereg regexp=".*" search_in="hdr" header="From:" assign_to="hotline"/></action>
</recv>
"""
    + _REPLY.format(retrans="", status="180 Ringing", tag=_TAG, body="Content-Length: 0\n")
    + '<pause milliseconds="{rings}"/>\n'
    + _REPLY.format(
        retrans=' retrans="500"',
        status="200 OK",
        tag=_TAG,
        body="""\
Content-Type: application/sdp
Content-Length: [len]

v=0
o=elder 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio {media} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20""",
    )
    + """\
<recv request="ACK">
<action><ereg regexp=".*" search_in="hdr" header="To:" assign_to="elder"/></action>
</recv>"""
)

_PRESS = """\
<pause milliseconds="{pause}"/>
<send retrans="500"><![CDATA[
INFO [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$elder]
To:[$hotline]
Call-ID: [call_id]
CSeq: {cseq} INFO
Contact: <sip:[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={key}
Duration=160
]]></send>
<recv response="200"/>"""

_OVER = (
    '<recv request="BYE"/>\n'
    + _REPLY.format(retrans="", status="200 OK", tag="", body="Content-Length: 0\n")
    + '<Reference variables="hotline,elder"/>\n</scenario>'
)
