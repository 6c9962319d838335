"""The gateway of our own Asterisk: asynchronous Originate over AMI, through the carrier's SIP trunk."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable

from asterisk.manager import ManagerException, ManagerSocketException

from dispatch.ami import Ami, AmiMessage, AmiTimeout
from dispatch.gateways import GatewayRefused, GatewayUnavailable, OutboundCall, OutcomeUnknown
from models.settings import settings

# The Q.850 cause by which the carrier knows that no missed call is to be shown.
ANSWERED_ELSEWHERE = "26"


class AsteriskGateway:
    """Speaks AMI on a connection that is opened when first needed and again after it was lost."""

    def __init__(self) -> None:
        self._ami: Ami | None = None
        self._lock = threading.Lock()

    def _connected(self) -> Ami:
        with self._lock:
            if self._ami is not None and not self._ami.closed.is_set():
                return self._ami
            if self._ami is not None:
                self._ami.close()
            ami = Ami()
            try:
                ami.connect(settings().host, settings().ami_port)
                ami.login(settings().ami_user, settings().ami_secret)
            except ManagerException as error:
                ami.close()
                raise GatewayUnavailable(f"Asterisk does not answer on AMI: {error}") from error
            self._ami = ami
            return ami

    def ready(self) -> None:
        """Ping Asterisk, so that a dead connection is found before a call depends on it."""
        try:
            self._connected().send_action({"Action": "Ping"})
        except ManagerException as error:
            self._drop()
            raise GatewayUnavailable(f"Asterisk does not answer on AMI: {error}") from error

    def ring(self, call: OutboundCall) -> None:
        """Originate the call; whatever answers is sent to the dialplan's context `call.context`."""
        action = {
            "Action": "Originate",
            "Channel": f"PJSIP/{call.number}@trunk",
            "ChannelId": call.channel_id,
            "Context": call.context,
            "Exten": "s",
            "Priority": "1",
            "Timeout": str(call.ring_s * 1000),
            "CallerID": settings().hotline_number,
            "Variable": [f"HOTLINE_LANGUAGE={call.language}"],
            "Async": "true",
            "ActionID": call.channel_id,
        }
        try:
            reply = self._connected().send_action(action)
        except GatewayUnavailable as error:
            raise GatewayRefused(f"not sent: {error}") from error
        except (ManagerSocketException, ValueError) as error:
            self._drop()
            raise GatewayRefused(f"not sent: {error}") from error
        except AmiTimeout as error:
            self._drop()
            raise OutcomeUnknown(str(error)) from error
        if reply.header("Response") != "Success":
            raise GatewayRefused(reply.header("Message", "Originate was refused"))

    def break_off(self, channel_ids: Collection[str], context: str) -> None:
        """Hang up what rings ("answered elsewhere"), redirect what is up; what has ended meanwhile is passed over."""
        for channel in self._channels():
            if channel.header("Uniqueid") not in channel_ids:
                continue
            name = channel.header("Channel")
            if channel.header("ChannelStateDesc") == "Up":
                action = {"Action": "Redirect", "Channel": name, "Context": context, "Exten": "s", "Priority": "1"}
            else:
                action = {"Action": "Hangup", "Channel": name, "Cause": ANSWERED_ELSEWHERE}
            try:
                self._connected().send_action(action)
            except ManagerException as error:
                self._drop()
                raise GatewayUnavailable(f"Asterisk does not answer on AMI: {error}") from error

    def free_agents(self) -> int:
        """Return how many are free, as the queue counts them; everybody is a member of the urgent ones."""
        queue = f"urgent-{settings().languages[0]}"
        try:
            events = self._connected().send_list({"Action": "QueueSummary", "Queue": queue}, "QueueSummaryComplete")
        except ManagerException as error:
            self._drop()
            raise GatewayUnavailable(f"Asterisk does not answer on AMI: {error}") from error
        shown = [event.header("Available") for event in events if event.header("Event") == "QueueSummary"]
        return sum(int(one) for one in shown if one.isdigit())

    def living(self) -> Iterable[str]:
        """Return the Uniqueid of every channel that Asterisk has."""
        return {channel.header("Uniqueid") for channel in self._channels()}

    def _channels(self) -> list[AmiMessage]:
        """Return the list of all channels; an unfinished list is no list."""
        try:
            events = self._connected().send_list({"Action": "CoreShowChannels"}, "CoreShowChannelsComplete")
        except ManagerException as error:
            self._drop()
            raise GatewayUnavailable(f"Asterisk does not answer on AMI: {error}") from error
        if events[-1].header("Event") != "CoreShowChannelsComplete":
            # A refusal taken for "no channels" would have every living call declared lost, and dialled again.
            raise GatewayUnavailable(f"Asterisk does not list its channels: {events[-1].header('Message')}")
        return [event for event in events if "Uniqueid" in event.headers]

    def close(self) -> None:
        """Close the connection; it is opened again when needed."""
        self._drop()

    def _drop(self) -> None:
        with self._lock:
            ami, self._ami = self._ami, None
        if ami is not None:
            ami.close()
