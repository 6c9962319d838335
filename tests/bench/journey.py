"""The inbound journey as both sides play it: one walk through the real turns gives prompts, keys and pauses."""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ivr import turns
from ivr.prompts import voice
from ivr.turns import Ask, Do, Her, Key, Move, State
from models import clock

# A bath, tomorrow, in the morning, yes.
KEYS = ("2", "2", "1", "1")
# She hears each question to its end, thinks, presses; after the last sentence she hangs up (ms).
THINKS_MS = 1000
# Who knows the menu by heart presses while it is being spoken (ms after its beginning).
HURRIES_MS = 400
ANSWER_TIMEOUT_S = 6
# What is dialled: the hotline, and the same in plain dialplan.
NUMBER, PLAIN = "12349", "plain"
FAMILY_NAME, SEX, LANGUAGE = "王", "f", "zh-CN"

_CODEC = "m=audio [field1] RTP/AVP 8 0 101"


@dataclass(frozen=True)
class Journey:
    """The files in the order in which they are heard, and how long each lasts (ms)."""

    files: tuple[str, ...]
    lengths_ms: tuple[int, ...]
    hurried: bool = False
    keys: tuple[str, ...] = KEYS  # one fewer than prompts: during the last one she hangs up

    @property
    def pauses_ms(self) -> tuple[int, ...]:
        """How long after the beginning of each prompt she presses the next key, or hangs up."""
        return tuple(HURRIES_MS if self.hurried else length + THINKS_MS for length in self.lengths_ms)

    @property
    def seconds(self) -> float:
        """From answer to hang-up."""
        return sum(self.pauses_ms) / 1000


def walk(language: str = LANGUAGE, family_name: str = FAMILY_NAME, listens: bool = False) -> Journey:
    """Walk the conversation by `KEYS` as the hotline does, with the same prompt files."""
    her = Her(1, family_name, SEX, language)
    state, move = turns.begin(State(clock.local(clock.now()), language, people=(her,), listens=listens))
    files = [_file(move, language)]
    for key in KEYS:
        state, move = turns.hear(state, Key(key))
        if isinstance(move, Do):
            state, move = turns.done(state, move, (1234, True))
        files.append(_file(move, language))
    return Journey(tuple(files), tuple(map(length_ms, files)))


def _file(move: Move, language: str) -> str:
    if not isinstance(move, Ask):
        raise TypeError(f"the journey is no longer a row of questions: {move}")
    return voice.utterance(move.lines, language)


def length_ms(file: str) -> int:
    """Return how long a prompt's file lasts."""
    with wave.open(f"{file}.wav") as sound:
        return int(sound.getnframes() * 1000 / sound.getframerate())


def dialplan(journey: Journey, mark: str = "") -> str:
    """The other side: Asterisk alone plays the same files, reads the same keys, and logs `mark` after the last key."""
    lines = ["", "[inbound]", f"exten => {PLAIN},1,Answer()"]
    lines += [f" same => n,Read(KEY,{file},1,,1,{ANSWER_TIMEOUT_S})" for file in journey.files]
    if mark:
        lines.insert(-1, f" same => n,Log(NOTICE,{mark})")
    return "\n".join([*lines, " same => n,Hangup()", ""])


def scenario(journey: Journey, audio: str = "") -> str:
    """SIPp's side of the call; `audio` is a file that it sends all the while, looped."""
    *pauses, last = journey.pauses_ms
    parts = [_BEGIN]
    if audio:
        parts.append(f'<nop><action><exec rtp_stream="{audio},-1,8,PCMA/8000"/></action></nop>')
    for number, (pause, key) in enumerate(zip(pauses, journey.keys, strict=True)):
        parts.append(_PRESS.format(pause=pause, key=key, cseq=number + 2))
    parts.append(_END.format(pause=last, cseq=len(pauses) + 2))
    return "\n".join(parts)


def callers(path: Path, numbers: Sequence[str], media_port: int) -> None:
    """Write the numbers from which SIPp rings, one a call."""
    path.write_text("SEQUENTIAL\n" + "".join(f"{number};{media_port}\n" for number in numbers))


_HEAD = """\
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]:[local_port]>;tag=[call_number]x
To: <sip:[service]@[remote_ip]:[remote_port]>{to}
Call-ID: [call_id]
CSeq: {cseq} {method}
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70"""

_BEGIN = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="an elder orders by key">
<send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{_HEAD.format(to="", cseq=1, method="INVITE")}
P-Asserted-Identity: <sip:[field0]@[local_ip]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=elder 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
{_CODEC}
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=ptime:20
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="183" optional="true"/>
<recv response="200" rrs="true"/>
<send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{_HEAD.format(to="[peer_tag_param]", cseq=1, method="ACK")}
Content-Length: 0

]]></send>"""

_PRESS = (
    """\
<pause milliseconds="{pause}"/>
<send retrans="500"><![CDATA[
INFO sip:[service]@[remote_ip]:[remote_port] SIP/2.0
"""
    + _HEAD.format(to="[peer_tag_param]", cseq="{cseq}", method="INFO")
    + """
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={key}
Duration=160
]]></send>
<recv response="200"/>"""
)

_END = (
    """\
<pause milliseconds="{pause}"/>
<send retrans="500"><![CDATA[
BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
"""
    + _HEAD.format(to="[peer_tag_param]", cseq="{cseq}", method="BYE")
    + """
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>"""
)
