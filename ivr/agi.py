"""The one adapter to Asterisk's AGI, over pyst2.

pyst2 0.5.1 was made for a script on standard input: its `AGI.__init__` installs
a signal handler (impossible outside the main thread) and writes the caller's
data to standard error; `_quote` escapes nothing; a bare `HANGUP` line or an end
of file becomes a ValueError; a 520 answer cut short loops for ever; one
misplaced byte stops the decoding; the reply pattern breaks at blanks. What is
wrong is replaced here, each fault with a test (tests/ivr/test_agi.py).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import BinaryIO

from asterisk.agi import AGI, AGIError, AGIHangup, AGIInvalidCommand, AGIUsageError

log = logging.getLogger(__name__)

# Asterisk sends some thirty headers; whoever sends more is not Asterisk.
LARGEST_ENVIRONMENT = 200
LONGEST_LINE = 64 * 1024
# Asterisk reads a command into 2048 bytes; the rest of a longer one would be a command of its own.
LONGEST_COMMAND = 2000
# agi_callingpres: from here on the network says that the number is not to be shown.
_PROHIBITED = 32
_REPLY = re.compile(r"(\d{3})(?:[ -](.*))?$", re.DOTALL)
_RESULT = re.compile(r"result=(\S*)(?: \((.*?)\))?(?: (.*))?$", re.DOTALL)
_FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)')


class NotAgi(Exception):
    """What connected does not speak AGI."""


class LineLost(AGIHangup):
    """The connection has ended without a word from Asterisk: nobody hung up, something of ours broke."""


@dataclass(frozen=True)
class Reply:
    """Asterisk's answer: `result`, the word in parentheses, and the named fields behind it."""

    result: str
    data: str
    fields: dict[str, str]


class Line(AGI):
    """One call's AGI connection. `env` holds the call's AGI environment.

    Raises:
        AGIHangup: from every command, once the call is over; `LineLost` where only the connection is gone.
        AGIError: Asterisk did not understand or could not do a command, or it was too long to be sent.
    """

    def __init__(self, reader: BinaryIO, writer: BinaryIO) -> None:
        # AGI.__init__ is skipped on purpose: see above.
        self._reader, self._writer = reader, writer
        self._got_sighup = False
        self.env: dict[str, str] = {}
        self._get_agi_env()

    def _get_agi_env(self) -> None:
        for _ in range(LARGEST_ENVIRONMENT):
            name, colon, value = self._read_line().partition(":")
            if not name and not colon:
                return
            self.env[name.strip()] = value.strip()
        raise NotAgi("an endless AGI environment")

    def _read_line(self) -> str:
        """Return the next line; an end of file ends the call, whatever came before it."""
        try:
            line = self._reader.readline(LONGEST_LINE)
        except (OSError, ValueError) as error:
            raise self._gone("the connection is gone") from error
        if not line.endswith(b"\n"):
            raise self._gone("the connection ended")
        return line.rstrip(b"\r\n").decode("utf-8", "replace")

    def _gone(self, why: str) -> AGIHangup:
        """Return what the end means: Asterisk says HANGUP before it closes a line, and a killed one says nothing."""
        return AGIHangup(why) if self._got_sighup else LineLost(why)

    def _quote(self, string: object) -> str:
        """Quote an argument: nothing that a caller or a row contains can become a command of its own."""
        text = str(string)
        if not text.isprintable():
            text = "".join(char if char.isprintable() else " " for char in text)
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def execute(self, command: str, *args: object) -> Reply:
        """Send one command, its arguments quoted, and return Asterisk's answer."""
        text = " ".join([command, *(self._quote(arg) for arg in args)])
        sent = text.encode("utf-8", "replace")
        if len(sent) > LONGEST_COMMAND:
            raise AGIUsageError(f"{command} with {len(text)} characters is longer than Asterisk reads")
        try:
            self._writer.write(sent + b"\n")
            self._writer.flush()
        except (OSError, ValueError) as error:
            raise self._last_word() from error
        return self.get_result()

    def _last_word(self) -> AGIHangup:
        """Nothing can be sent any more: what had been said before may still be read."""
        try:
            if self._reader.readline(LONGEST_LINE).startswith(b"HANGUP"):
                self._got_sighup = True
        except (OSError, ValueError):
            log.debug("a connection that was reset")
        return self._gone("the connection is gone")

    def get_result(self, stdin: object = None) -> Reply:
        """Read the answer to the last command."""
        line = self._read_line()
        if line.startswith("HANGUP"):
            # Asterisk's own notice comes between commands, once; the answer still follows, or the end of file.
            self._got_sighup = True
            line = self._read_line()
        match = _REPLY.match(line)
        if match is None:
            raise AGIError(f"not an AGI reply: {line[:60]!r}")
        code, rest = match.group(1), match.group(2) or ""
        if code == "100":
            # GOSUB says first that it tries.
            return self.get_result()
        if code == "200":
            return self._parse(rest)
        if code == "510":
            raise AGIInvalidCommand(rest)
        if code == "511":
            raise AGIHangup("the channel is dead")
        if code == "520":
            # Only "520-" is followed by the usage; Asterisk says "520 …" where it has none to tell.
            more = line.startswith("520-")
            for _ in range(LARGEST_ENVIRONMENT if more else 0):
                if self._read_line().startswith("520"):
                    break
            raise AGIUsageError(rest)
        raise AGIError(f"unexpected AGI reply {code}")

    @staticmethod
    def _parse(rest: str) -> Reply:
        match = _RESULT.match(rest)
        if match is None:
            raise AGIError(f"not an AGI result: {rest[:60]!r}")
        fields = {
            name: value[1:-1] if value.startswith('"') else value
            for name, value in _FIELD.findall(match.group(3) or "")
        }
        return Reply(match.group(1), match.group(2) or "", fields)

    def gosub(self, context: str) -> None:
        """Run the dialplan's subroutine `context` from its beginning to its Return()."""
        self.execute("GOSUB", context, "s", "1")

    def ask_key(self, file: str, timeout_ms: int) -> str | None:
        """Play `file` and take one key, during or after it. `#` comes as `#`; None is silence."""
        return self.ask_digits(file, timeout_ms, 1)

    def ask_digits(self, file: str, timeout_ms: int, most: int) -> str | None:
        """Play `file` and take up to `most` keys, ended by `#` or by `timeout_ms` without one; None is silence."""
        reply = self.execute("GET DATA", file, timeout_ms, most)
        if reply.result == "-1":
            raise AGIHangup("hung up")
        if reply.data == "timeout":
            return reply.result or None
        # `#` ends an entry in Asterisk: alone, it leaves an empty one that has not timed out.
        return reply.result or "#"

    def record(self, file: str, longest_s: int, silence_s: int) -> str | None:
        """Record into `file` (without extension) until a key, silence or the longest time; return the key."""
        reply = self.execute("RECORD FILE", file, "wav", "0123456789*#", longest_s * 1000, f"s={silence_s}")
        if reply.result == "-1" or reply.data == "hangup":
            raise AGIHangup("hung up")
        return chr(int(reply.result)) if reply.data == "dtmf" else None

    @property
    def shown_number(self) -> str | None:
        """The caller's number as the network shows it; None where it says that it is not to be shown."""
        withheld = int(self.env.get("agi_callingpres") or 0) >= _PROHIBITED
        return None if withheld else self.env.get("agi_callerid")

    def get_variable(self, name: str) -> str:
        """Return a channel variable, or what a dialplan function returns; empty if there is none."""
        return self.execute("GET VARIABLE", name).data

    def play(self, file: str) -> None:
        """Play `file` to its end; keys do not stop it."""
        if self.execute("STREAM FILE", file, "").result == "-1":
            raise AGIHangup("hung up")

    def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable for the dialplan."""
        self.execute("SET VARIABLE", name, value)
