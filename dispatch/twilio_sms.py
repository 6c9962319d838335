"""Text messages by Twilio's Messages resource. Which of its answers mean what is data at the head of this module."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ConnectTimeout, RequestException
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from dispatch.gateways import GatewayUnavailable, OutcomeUnknown
from dispatch.sms_gateways import CarrierSms, OutboundSms, SmsRefused
from models.settings import settings
from models.sms import SmsStatus

# Its library writes each address it asks to the log, and telephone numbers stand in them.
logging.getLogger("twilio.http_client").setLevel(logging.WARNING)

# A request may take so long (s); a job has 30.
TIMEOUT_S = 10
# So many of the newest messages to a number are looked through for a lost one.
LOOKS_BACK = 50
# What Twilio says that it did not process, so that asking again doubles nothing: 429 and 503 (docs: 20429, 20503).
# A key that is refused (401, 403) is a fault of ours: messages wait until it is put right.
_NOT_TAKEN = frozenset({401, 403, 429, 503})
# Codes of refusals and of reports that hold for the number, not for this message.
NEVER_AGAIN: Mapping[str, str] = {
    "21610": "opted_out",
    "21211": "unreachable",  # not a number
    "21614": "unreachable",  # not a mobile number
    "30005": "unreachable",  # unknown destination handset
    "30006": "unreachable",  # a landline, or a carrier that takes none
}
# Twilio's words for where a message stands; what is missing here is still under way.
_STATUS: Mapping[str, SmsStatus] = {
    "delivered": SmsStatus.DELIVERED,
    "read": SmsStatus.DELIVERED,
    "undelivered": SmsStatus.UNDELIVERED,
    "failed": SmsStatus.FAILED,
    "canceled": SmsStatus.FAILED,
}


def status_of(word: str) -> SmsStatus:
    """Return our status for Twilio's word; whatever is not an end is "sent": the carrier has it."""
    return _STATUS.get(word, SmsStatus.SENT)


def report_url(public_id: str) -> str:
    """Return where Twilio reports what becomes of a message; empty where it cannot reach us."""
    base = settings().public_url
    return f"{base}/twilio/sms/{public_id}" if base else ""


class TwilioSms:
    """Speaks HTTPS to Twilio; `http` takes the place of its own HTTP client."""

    def __init__(self, http: HttpClient | None = None) -> None:
        chosen = settings()
        if not (chosen.twilio_account and chosen.twilio_token and chosen.twilio_from):
            raise GatewayUnavailable("HOTLINE_TWILIO_ACCOUNT, _TOKEN and _FROM are not all set")
        # Never a retry below us: it would send twice without our knowing.
        client = http or TwilioHttpClient(timeout=TIMEOUT_S, max_retries=0)
        known = Client(chosen.twilio_account, chosen.twilio_token, http_client=client)  # type: ignore[no-untyped-call]
        self._messages = known.messages

    def send(self, sms: OutboundSms) -> CarrierSms:
        """Create the message."""
        sender = settings().twilio_from
        # A number or a name sends by itself; a messaging service (MG…) chooses its sender.
        by = {"messaging_service_sid": sender} if sender.startswith("MG") else {"from_": sender}
        if url := report_url(sms.public_id):
            by["status_callback"] = url
        try:
            return _told(self._messages.create(to=sms.number, body=sms.text, **by))
        except TwilioRestException as error:
            raise _refusal(error) from error
        except (ConnectTimeout, NoConnection) as error:
            # Before there was a connection nothing was said; after that nobody knows.
            if isinstance(error, ConnectTimeout) or _never_connected(error):
                raise GatewayUnavailable("Twilio cannot be reached") from error
            raise OutcomeUnknown("the connection to Twilio broke") from error
        except (RequestException, TwilioException, ValueError, KeyError) as error:
            raise OutcomeUnknown(f"Twilio's answer was lost: {type(error).__name__}") from error

    def look_up(self, carrier_id: str) -> CarrierSms:
        """Fetch the message."""
        try:
            return _told(self._messages(carrier_id).fetch())
        except (TwilioException, RequestException, ValueError) as error:
            raise GatewayUnavailable(f"Twilio cannot be asked: {type(error).__name__}") from error

    def sent_to(self, number: str) -> Iterable[CarrierSms]:
        """List the messages to `number`. Not by the day: what Twilio has not passed on yet has no date of sending."""
        try:
            return [_told(one) for one in self._messages.list(to=number, limit=LOOKS_BACK, page_size=LOOKS_BACK)]
        except (TwilioException, RequestException, ValueError) as error:
            raise GatewayUnavailable(f"Twilio cannot be asked: {type(error).__name__}") from error


def _told(message: Any) -> CarrierSms:
    error = str(message.error_code) if message.error_code else None
    return CarrierSms(message.sid, message.to or "", message.body or "", status_of(message.status), error)


def _refusal(error: TwilioRestException) -> Exception:
    code = str(error.code or error.status)
    if error.status in _NOT_TAKEN:
        return GatewayUnavailable(f"Twilio took nothing: {error.status} ({code})")
    if error.status >= 500:
        # "If you retry the request, it is possible for a customer to receive multiple messages" (docs: 20500).
        return OutcomeUnknown(f"Twilio failed: {error.status} ({code})")
    return SmsRefused(code, NEVER_AGAIN.get(code, ""))


def _never_connected(error: NoConnection) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)
