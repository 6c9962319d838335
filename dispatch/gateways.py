"""Gateways ring people. One small protocol; Asterisk is the real one, the console twin prints."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from models.settings import settings


class GatewayError(Exception):
    """Base of what can go wrong with a gateway."""


class GatewayUnavailable(GatewayError):
    """Transient: it cannot be spoken to, and nothing was asked of it. Try again later."""


class GatewayRefused(GatewayError):
    """Permanent: it answered that it will not place this call."""


class OutcomeUnknown(GatewayError):
    """It was asked, and the answer was lost. Never ask again: find out what became of the call."""


@dataclass(frozen=True)
class OutboundCall:
    """A call to place. `channel_id` names it from now on; `context` is the dialplan's part that talks."""

    channel_id: str
    number: str  # E.164
    context: str  # offer, callback, reminder, return_visit
    ring_s: int
    language: str


class Gateway(Protocol):
    """What dispatch needs of a carrier."""

    def ready(self) -> None:
        """Make sure it can be spoken to now.

        Raises:
            GatewayUnavailable: it cannot.
        """

    def ring(self, call: OutboundCall) -> None:
        """Have the call dialled and return at once; its fate comes as events.

        Raises:
            GatewayRefused: it will not be dialled.
            OutcomeUnknown: nobody knows whether it is dialled.
        """

    def break_off(self, channel_ids: Collection[str], context: str) -> None:
        """End those of these calls that still ring; lead those that talk to the dialplan's `context`, at once.

        Raises:
            GatewayUnavailable: it cannot be spoken to.
        """

    def free_agents(self) -> int:
        """Return how many people could take a call now.

        Raises:
            GatewayUnavailable: it cannot be asked.
        """

    def living(self) -> Iterable[str]:
        """Return the channel ids of all calls that exist now.

        Raises:
            GatewayUnavailable: it cannot be asked.
        """


@dataclass
class ConsoleGateway:
    """A twin for rehearsals: rings nobody, remembers and prints what it was asked."""

    rung: list[OutboundCall] = field(default_factory=list)
    broken_off: list[str] = field(default_factory=list)
    agents: int = 2  # who sit there and are free

    def ready(self) -> None:
        """It is always ready."""

    def ring(self, call: OutboundCall) -> None:
        """Remember the call."""
        self.rung.append(call)

    def break_off(self, channel_ids: Collection[str], context: str) -> None:
        """Remember the calls."""
        self.broken_off.extend(sorted(channel_ids))

    def free_agents(self) -> int:
        """Return those who were named."""
        return self.agents

    def living(self) -> Iterable[str]:
        """Return the calls it was asked to place; they never end by themselves."""
        return [call.channel_id for call in self.rung]


@cache
def gateway() -> Gateway:
    """Return the gateway of this process, as configured."""
    if settings().gateway == "console":
        return ConsoleGateway()
    from dispatch.asterisk_gateway import AsteriskGateway

    return AsteriskGateway()
