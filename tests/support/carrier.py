"""The public telephone network in a box: a second Asterisk, driven from Python.

    with Carrier(hotline="127.0.0.1:15060") as network:
        provider = network.phone("+864510000101").accepts()
        call = network.phone("+864510000001").rings("12349").answered()
        call.hears("ask_service").presses("1")

Everything that leaves it is real: SIP, RTP, RFC 4733 digits. It needs neither
pytest nor the hotline's code, so the demonstration uses it as well.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType

from ivr.tones import Code, collisions, tone_code
from models.toolbox import AsteriskTool
from tests.support.agi_line import AgiLine, AgiServer, LineGone
from tests.support.ami import Ami, AmiError, AmiPool, Event, Headers
from tests.support.asterisk_process import AsteriskProcess
from tests.support.call import Call
from tests.support.carrier_config import Account, Places, configuration
from tests.support.exchange import AudioExchange
from tests.support.patience import PATIENCE
from tests.support.phone import Phone
from tests.support.ports import PortBlock

_UP, _RINGING = "6", "5"
_RINGS_AT_MOST_S = 600


class Carrier:
    """`hotline` is host:port of its SIP trunk; if empty, the network's telephones ring each other."""

    def __init__(
        self,
        hotline: str = "",
        *,
        codecs: tuple[str, ...] = ("alaw", "ulaw"),
        dtmf: str = "rfc4733",
        folder: Path | None = None,
        program: AsteriskTool | None = None,
        account: Account | None = None,
    ) -> None:
        self._own_folder = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="carrier-"))
        self.patience = PATIENCE
        self.problems: list[Exception] = []
        self.known_codes: dict[Code, str] = {}
        self.calls: list[Call] = []
        self.is_closing = False
        # A demonstration shows each step as it happens; it may be called on any thread.
        self.on_step: Callable[[Call, str], None] | None = None
        self._phones: dict[str, Phone] = {}
        self._lock = Lock()
        self._numbers = itertools.count(1)
        self._by_uid: dict[str, Call] = {}
        self._ended_early: dict[str, int] = {}
        self._block = PortBlock()
        take = self._block.take
        self._places = Places(
            take(), take(), take(), take(), self._block.rtp, secrets.token_hex(12), self.folder, codecs, dtmf, account
        )
        self.hotline = hotline or self.address
        self._asterisk = AsteriskProcess(self.folder, configuration(self._places), program)
        self._exchange = AudioExchange(self._places.audio)
        self._exchange_thread = Thread(target=self._exchange.serve, name="exchange", daemon=True)
        self._manager: Ami | None = None
        self._sessions = AmiPool(self._places.ami, self._places.secret)
        self._agi: AgiServer | None = None

    # Telephones and prompts.

    @property
    def address(self) -> str:
        """host:port on which the network takes calls from the hotline: its trunk."""
        return f"127.0.0.1:{self._places.sip}"

    @property
    def pid(self) -> int:
        """Of its Asterisk."""
        return self._asterisk.pid

    def phone(self, number: str, lines: int = 1) -> Phone:
        """The telephone with this number, always the same one."""
        with self._lock:
            return self._phones.setdefault(number, Phone(self, number, lines))

    def learn(self, keys: Iterable[str]) -> None:
        """Prompt keys that the telephones can name; two keys with one melody are an error."""
        new = {tone_code(key): key for key in keys}
        clash = collisions([*self.known_codes.values(), *new.values()])
        if clash:
            raise ValueError(f"prompts that sound alike: {clash}")
        self.known_codes.update(new)

    def name_of(self, code: Code) -> str | Code:
        """The key of a melody, the melody itself if nobody has taught its key."""
        if code in self.known_codes:
            return self.known_codes[code]
        begun = [key for known, key in self.known_codes.items() if known[: len(code)] == code]
        return f"{begun[0]} (cut off)" if len(begun) == 1 else code

    def story(self) -> str:
        """All calls so far."""
        return "\n".join(call.story() for call in list(self.calls)) or "no calls at all"

    def raise_problems(self) -> None:
        """Raises what went wrong on the threads of the habits."""
        problems, self.problems = self.problems, []
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise ExceptionGroup("problems of called telephones", problems)

    # Its life.

    def __enter__(self) -> Carrier:
        try:
            self._exchange_thread.start()
            self._agi = AgiServer(self._places.agi, self._take_call)
            self._asterisk.start()
            self._manager = self._asterisk.connect(self._places.ami, self._places.secret, self._event)
            if os.environ.get("HOTLINE_TRACE"):
                for command in ("pjsip set logger on", "core set verbose 5"):
                    self._manager.send("Command", {"Command": command})
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        died = not self._asterisk.is_running
        story = self.story() if error or self.problems or died else ""
        self.close(keep=bool(story))
        if story:
            report = f"The public network ({self.folder}):\n{story}\n{self._asterisk.log_tail()}"
            if error is not None:
                error.add_note(report)
            for problem in self.problems:
                problem.add_note(report)
                if error is not None:
                    error.add_note(f"A called telephone also had a problem: {problem!r}")
        if error is None:
            self.raise_problems()
            if died:
                raise AmiError(f"the carrier's Asterisk died\n{self._asterisk.log_tail()}")

    def close(self, *, keep: bool = False) -> None:
        """Hangs up, ends Asterisk and all threads; with `keep` the folder with logs and sounds stays."""
        if self.is_closing:
            return
        self.is_closing = True
        for call in list(self.calls):
            if call.ended_at is None:
                call.hangs_up()
        if self._agi is not None:
            self._agi.close()
        if self._manager is not None:
            self._manager.close()
        self._sessions.close()
        self._asterisk.stop()
        self._exchange.close()
        if self._exchange_thread.is_alive():
            self._exchange_thread.join(2)
        for call in self.calls:
            if call.ended_at is None:
                call.has_ended(0)
            if keep or not self._own_folder:
                call.save_sound(self.folder)
        self._block.release()
        if self._own_folder and not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    # What calls need of it.

    def next_call_number(self) -> int:
        """Counts the calls."""
        return next(self._numbers)

    def manager_session(self) -> AbstractContextManager[Ami]:
        """A manager session for an action that takes its time."""
        return self._sessions.session()

    def try_to(self, action: str, headers: Headers) -> None:
        """An action on a call that may just have ended, which then is no fault."""
        if self._manager is not None:
            with contextlib.suppress(AmiError):
                self._manager.send(action, headers)

    def audio_argument(self, call: Call) -> str:
        """Where Asterisk shall bring the sound of a call."""
        audio_id = str(uuid.uuid4())
        self._exchange.expect(audio_id, call)
        return f"{audio_id},127.0.0.1:{self._places.audio}"

    def dial(self, call: Call, shown: dict[str, str]) -> None:
        """Sends the INVITE of a call to the hotline; `shown` is how the caller shows itself."""
        call.uid = f"call-{call.number_in_run}-{self._places.sip}"
        folder = self.folder / call.uid
        folder.mkdir()
        for name, value in shown.items():
            # Files, because names may hold what no manager header can carry.
            (folder / name).write_text(value, "utf-8", "surrogateescape", newline="")
        self._add(call)
        audio_id = self.audio_argument(call).partition(",")[0]
        headers = {
            "Channel": f"PJSIP/hotline/sip:{call.other}@{self.hotline}",
            "Context": "answered",
            "Exten": "s",
            "Priority": "1",
            "Timeout": str(_RINGS_AT_MOST_S * 1000),
            "ChannelId": call.uid,
            "PreDialGoSub": f"showing,{call.uid},1",
            "Variable": f"AUDIO_ID={audio_id}",
        }
        call.note(f"dials {call.other}")
        Thread(target=self._originate, args=(call, headers), name=call.uid, daemon=True).start()

    def _originate(self, call: Call, headers: Headers) -> None:
        """Blocks while it rings: an asynchronous Originate would leave out the PreDialGoSub."""
        try:
            with self.manager_session() as manager:
                manager.send("Originate", headers, timeout=_RINGS_AT_MOST_S + 10)
        except (AmiError, OSError) as error:
            # A call that was refused has its Hangup event; one that could not even be begun has not.
            if not call.wait_for(lambda: call.ended_at is not None, 1):
                call.note(f"cannot be begun: {error}")
                call.has_ended(0)

    def _add(self, call: Call) -> None:
        with self._lock:
            self.calls.append(call)
            self._by_uid[call.uid] = call
            ended = self._ended_early.pop(call.uid, None)
        if ended is not None:
            call.has_ended(ended)

    def _event(self, event: Event) -> None:
        uid = event.get("Uniqueid", "")
        call = self._by_uid.get(uid)
        match event.get("Event"):
            case "Newstate" if call is not None:
                call.channel = event.get("Channel", "")
                if event.get("ChannelState") == _RINGING:
                    call.is_ringing_now()
                elif event.get("ChannelState") == _UP:
                    call.is_answered_now()
            case "Hangup":
                cause = int(event.get("Cause") or 0)
                with self._lock:
                    call = self._by_uid.get(uid)
                    if call is None:
                        self._ended_early[uid] = cause
                if call is not None:
                    call.has_ended(cause)

    def _take_call(self, agi: AgiLine) -> None:
        """A call from the hotline; runs on the thread of its AGI connection."""
        environment = agi.environment
        phone = self._phones.get(environment.get("agi_extension", ""))
        number = environment.get("agi_extension", "")
        call = Call(phone or Phone(self, number), self, environment.get("agi_callerid", ""), incoming=True)
        call.agi = agi
        call.uid = environment.get("agi_uniqueid", "")
        call.channel = environment.get("agi_channel", "")
        call.shown_name = environment.get("agi_calleridname", "")
        agi.listen()
        self._add(call)
        call.note(f"the hotline shows {call.other}")
        try:
            call.sip_from = agi.value_of("${PJSIP_HEADER(read,From)}")
            call.sip_identity = agi.value_of("${PJSIP_HEADER(read,P-Asserted-Identity)}")
        except LineGone:
            pass
        try:
            if phone is None:
                call.rejects(404)
            else:
                phone.receive(call)
        finally:
            agi.close()
