"""Gateways of text messages. One small protocol; Twilio is the real one, the console twin writes into a file."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Protocol

from dispatch.gateways import GatewayRefused, GatewayUnavailable
from models import clock
from models.settings import settings
from models.sms import SmsStatus


class SmsRefused(GatewayRefused):
    """Permanent: the carrier will not send this message. `code` is its own; `for_good`: never one to this number."""

    def __init__(self, code: str, for_good: str = "") -> None:
        super().__init__(f"the text message was refused: {code}")
        self.code, self.for_good = code, for_good


@dataclass(frozen=True)
class OutboundSms:
    """A text message to send. `public_id` names it in the carrier's reports."""

    public_id: str
    number: str  # E.164
    text: str


@dataclass(frozen=True)
class CarrierSms:
    """What the carrier says of a message. `status` is one of ours: sent as long as its end is open."""

    carrier_id: str
    number: str
    text: str
    status: SmsStatus
    error: str | None = None


class SmsGateway(Protocol):
    """What dispatch needs of a carrier of text messages."""

    def send(self, sms: OutboundSms) -> CarrierSms:
        """Hand the message over.

        Raises:
            SmsRefused: it is not sent, and never will be.
            GatewayUnavailable: it was not taken; it may be tried again.
            OutcomeUnknown: nobody knows whether it was taken.
        """

    def look_up(self, carrier_id: str) -> CarrierSms:
        """Return how a message stands.

        Raises:
            GatewayUnavailable: the carrier cannot be asked, or does not know it.
        """

    def sent_to(self, number: str) -> Iterable[CarrierSms]:
        """Return the newest messages that the carrier took for `number`, in any order.

        Raises:
            GatewayUnavailable: the carrier cannot be asked.
        """


class ConsoleSms:
    """A twin for rehearsals: nobody gets anything, each message is a line of a file that all processes share."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def send(self, sms: OutboundSms) -> CarrierSms:
        """Write the message down. It arrives when somebody asks after it."""
        taken = CarrierSms(f"console-{secrets.token_hex(8)}", sms.number, sms.text, SmsStatus.SENT)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.touch(mode=0o600)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"at": clock.now().isoformat(), **asdict(taken)}, ensure_ascii=False) + "\n")
        return taken

    def look_up(self, carrier_id: str) -> CarrierSms:
        """Return the message: it has arrived."""
        for sms in self._all():
            if sms.carrier_id == carrier_id:
                return replace(sms, status=SmsStatus.DELIVERED)
        raise GatewayUnavailable("no such message on the console")

    def sent_to(self, number: str) -> Iterable[CarrierSms]:
        """Return what was written down for the number."""
        return [sms for sms in self._all() if sms.number == number]

    def _all(self) -> Iterable[CarrierSms]:
        lines = self._file.read_text(encoding="utf-8").splitlines() if self._file.exists() else []
        for line in lines:
            row = json.loads(line)
            row.pop("at")
            yield CarrierSms(**{**row, "status": SmsStatus(row["status"])})


@cache
def sms_gateway() -> SmsGateway:
    """Return the gateway of text messages of this process, as configured.

    Raises:
        GatewayUnavailable: none is configured, or not wholly.
    """
    if settings().sms == "console":
        return ConsoleSms(settings().var_dir / "console-sms.jsonl")
    if settings().sms == "twilio":
        from dispatch.twilio_sms import TwilioSms

        return TwilioSms()
    raise GatewayUnavailable("text messages are switched off (HOTLINE_SMS)")
