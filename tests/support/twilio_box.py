"""Twilio's Messages resource in a box: an HTTP client that obeys the documented contract, for the real library.

What it checks and answers is from Twilio's reference of the Message resource (2010-04-01), its
list of errors and its rules of requests: Basic authentication by account and token, form fields, 201 with
the resource, 4xx with `code`, `message`, `more_info`, `status`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from twilio.http import HttpClient
from twilio.http.response import Response

ACCOUNT = "AC" + "0" * 32
TOKEN = "t" * 32
SENDER = "+15005550006"
# Twilio's own numbers for tests, and what they bring.
REFUSED_NUMBERS: Mapping[str, tuple[int, int]] = {
    "+15005550001": (400, 21211),
    "+15005550004": (400, 21610),
    "+15005550009": (400, 21614),
}
_FIELDS = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback"}


@dataclass
class Message:
    """A message that the box has taken."""

    sid: str
    to: str
    body: str
    callback: str
    status: str = "queued"
    error_code: int | None = None


@dataclass
class TwilioBox(HttpClient):
    """`fails` answers the next request by that status or raises it; `loses` does the same after it was done."""

    messages: list[Message] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    fails: int | BaseException | None = None
    loses: int | BaseException | None = None
    # Nothing that is to be sent is taken, as long as this is set; questions are answered.
    takes_nothing: int | None = None

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Answer one request."""
        where = urlsplit(url)
        self.requests.append((method, where.path))
        assert (where.scheme, where.hostname) == ("https", "api.twilio.com")
        if (failure := self._fault("fails")) is not None:
            return failure
        if auth != (ACCOUNT, TOKEN):
            return _error(401, 20003)
        root = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
        assert where.path.startswith(root), where.path
        if method == "POST" and self.takes_nothing:
            return _error(self.takes_nothing, 20500)
        if method == "POST":
            answer = self._create(data or {})
            return self._fault("loses") or answer
        if where.path == f"{root}.json":
            assert params is not None and params.keys() <= {"To", "PageSize"}, params
            found = [one for one in reversed(self.messages) if one.to == params["To"]][: int(params["PageSize"])]
            page = {"messages": [_resource(one) for one in found], "next_page_uri": None}
            return Response(200, json.dumps(page))
        sid = where.path.removeprefix(f"{root}/").removesuffix(".json")
        named = [one for one in self.messages if one.sid == sid]
        return Response(200, json.dumps(_resource(named[0]))) if named else _error(404, 20404)

    def _fault(self, name: str) -> Response | None:
        fault = getattr(self, name)
        setattr(self, name, None)
        if isinstance(fault, BaseException):
            raise fault
        return _error(fault, {429: 20429, 503: 20503}.get(fault, 20500)) if fault else None

    def _create(self, data: dict[str, Any]) -> Response:
        given = {name: value for name, value in data.items() if isinstance(value, str)}
        assert given.keys() <= _FIELDS, given.keys()
        to, body = given.get("To", ""), given.get("Body", "")
        if not to:
            return _error(400, 21604)
        if to in REFUSED_NUMBERS:
            return _error(*REFUSED_NUMBERS[to])
        if ("From" in given) == ("MessagingServiceSid" in given):
            return _error(400, 21603)
        if not body:
            return _error(400, 21602)
        if len(body) > 1600:
            return _error(400, 21617)
        made = Message(f"SM{len(self.messages):032x}", to, body, given.get("StatusCallback", ""))
        self.messages.append(made)
        return Response(201, json.dumps(_resource(made)))


def _resource(one: Message) -> dict[str, Any]:
    created = "Sun, 22 Nov 2026 01:00:00 +0000"
    return {
        "account_sid": ACCOUNT, "api_version": "2010-04-01", "body": one.body, "date_created": created,
        "date_sent": None, "date_updated": created, "direction": "outbound-api", "error_code": one.error_code,
        "error_message": None, "from": SENDER, "messaging_service_sid": None, "num_media": "0", "num_segments": "1",
        "price": None, "price_unit": "USD", "sid": one.sid, "status": one.status, "subresource_uris": {}, "to": one.to,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{one.sid}.json",
    }  # fmt: skip


def _error(status: int, code: int) -> Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Response(status, json.dumps({"code": code, "message": "…", "more_info": more, "status": status}))
