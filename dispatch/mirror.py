"""Brings what the rows say of the agents to Asterisk: SIP accounts of their browsers, members of the queues.

One thread of the dispatcher compares, several times a second, how it should be
(`dispatch.roster`) with what Asterisk was last told or has said, and tells it
the difference. Whatever was lost on either side, the next look finds it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from datetime import timedelta

from asterisk.manager import ManagerException
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from dispatch import agent_events, asks, presence, queue_rules, roster, watching
from dispatch.agent_events import THERE
from dispatch.ami import Ami, AmiMessage
from dispatch.queue_rules import Dialects
from dispatch.roster import Account, Member, Picture, Skills
from models import clock
from models.dialects import dialects
from models.presence import AgentLine, AgentPresence, Presence
from models.queue_rules import QueueRules
from models.queue_rules import queue_rules as rules_in_force
from models.session import read, read_rows, write
from models.settings import settings
from models.supervision import Watch

log = logging.getLogger(__name__)

# How often the rows are looked at (s); Asterisk is told a moment later.
LOOK_S = 0.1
# The same while nobody has a telephone in the browser.
IDLE_LOOK_S = 0.4
# How often Asterisk is asked what it really has (s).
ASK_S = 5.0
# How often it is read who takes which calls (s): an administrator's change is in the queues a moment later.
SKILLS_S = 1.0
# Q.850.
SUBSCRIBER_ABSENT = "20"
# How Asterisk calls a channel whose far end has not answered yet.
UNANSWERED = ("Down", "Ring", "Ringing")
# Where PJSIP keeps the agents' accounts (dialplans/etc/sorcery.conf.sample).
FAMILY = "agent"


class Mirror:
    """Keeps one Asterisk right. Used by one thread."""

    def __init__(self) -> None:
        self._ami: Ami | None = None
        self._members: dict[tuple[str, str], Member] = {}
        self._accounts: dict[int, str] = {}
        self._asked_at = 0.0
        self._skills = Skills()
        self._skills_at = 0.0
        self._idle = False
        # Channels that were hung up because nobody can hear them ring.
        self._unheard: set[str] = set()
        # What Asterisk was told: times and weights, and which dialects there are.
        self._rules: tuple[QueueRules, Dialects] | None = None

    def run(self, stop: threading.Event) -> None:
        """Go on until `stop`."""
        while not stop.is_set():
            try:
                self.round()
            except ManagerException as error:
                log.warning("the agents are not mirrored: %s", error)
                self.close()
                stop.wait(0.5)
            except SQLAlchemyError as error:
                log.warning("the agents could not be read: %s", type(error).__name__)
                stop.wait(1.0)
            except Exception:
                # Without this thread nobody could log in to the telephone or pause.
                log.exception("the mirror of the agents stumbled")
                self.close()
                stop.wait(1.0)
            stop.wait(IDLE_LOOK_S if self._idle else LOOK_S)
        self.close()

    def round(self) -> None:
        """Look once, and tell Asterisk what has changed.

        Raises:
            ManagerException: Asterisk cannot be spoken to.
        """
        ami = self._connected()
        now = clock.now()
        rules = self._rules
        if time.monotonic() - self._asked_at >= ASK_S:
            self._ask(ami)
        self._idle = self._nothing_to_do()
        if self._idle:
            return
        with read() as session:
            agents = roster.agents(session)
            asked = asks.waiting(session)
            if time.monotonic() - self._skills_at >= SKILLS_S:
                self._skills, self._skills_at = roster.skills(session), time.monotonic()
                rules = rules_in_force(session), [(one.language, one.code) for one in dialects(session)]
        if rules is not None and rules != self._rules:
            queue_rules.tell(ami, *rules)
            self._rules = rules
        for ask_id in asked:
            asks.perform(ami, ask_id)
        due = roster.due(agents, now)
        if due:
            with write() as session:
                presence.look_after(session, due, now)
                agents = roster.agents(session)
        self._let_go(ami, roster.unheard(agents))
        wanted = roster.picture(agents, self._skills, now)
        self._tell_accounts(ami, wanted)
        self._tell_members(ami, wanted)
        # She may register only when Asterisk knows her.
        news = [agent.user_id for agent in agents if agent.line.serial != agent.line.live_serial]
        if news:
            self._are_live(wanted, news)

    def _let_go(self, ami: Ami, unheard: set[str]) -> None:
        """The caller must not wait for a ring that nobody hears: the queue rings the next one at once.

        An answer may have been lost, and a call goes on without the browser's line to us: that one is left alone.
        """
        for leg in unheard - self._unheard:
            state = ami.send_action({"Action": "Getvar", "Channel": leg, "Variable": "CHANNEL(state)"}).header("Value")
            if state in UNANSWERED:
                ami.send_action({"Action": "Hangup", "Channel": leg, "Cause": SUBSCRIBER_ABSENT})
        self._unheard = unheard

    def _nothing_to_do(self) -> bool:
        """Return whether nobody has a telephone or wants anything, nor has Asterisk any. Asked ten times a second."""
        if self._members or self._accounts or time.monotonic() - self._skills_at >= SKILLS_S:
            return False
        with read_rows() as rows:
            return not roster.anybody(rows) and not asks.waiting(rows)

    def close(self) -> None:
        """Forget the connection; what Asterisk has is asked anew."""
        if self._ami is not None:
            self._ami.close()
        self._ami = None
        self._asked_at = self._skills_at = 0.0
        self._rules = None

    def _connected(self) -> Ami:
        if self._ami is None or self._ami.closed.is_set():
            self.close()
            ami = Ami()
            ami.connect(settings().host, settings().ami_port)
            ami.login(settings().ami_user, settings().ami_secret)
            self._ami = ami
        return self._ami

    def _ask(self, ami: Ami) -> None:
        """Read what Asterisk really has, and bring the rows what its events may have failed to tell."""
        self._members = {
            (one.header("Queue"), one.header("Location")): Member(
                int(one.header("Penalty", "0")),
                one.header("Paused") == "1",
                one.header("PausedReason"),
                one.header("Name"),
            )
            for one in _listed(ami, {"Action": "QueueStatus"}, "QueueStatusComplete")
            if one.header("Event") == "QueueMember" and roster.user_of(one.header("Location")) is not None
        }
        self._accounts = {}
        for one in _listed(ami, {"Action": "DBGetTree", "Family": f"{FAMILY}/auth"}, "DBGetTreeComplete"):
            user_id = roster.user_of(one.header("Key").rpartition("/")[2])
            if user_id is not None:
                self._accounts[user_id] = _digest_in(one.header("Val"))
        reachable = {
            roster.user_of(one.header("Endpoint") or one.header("Aor"))
            for one in _listed(ami, {"Action": "PJSIPShowContacts"}, "ContactListComplete")
            if one.header("Status") in THERE
        }
        channels = {
            one.header("Uniqueid"): one
            for one in _listed(ami, {"Action": "CoreShowChannels"}, "CoreShowChannelsComplete")
        }
        self._bring(reachable, set(channels))
        joined = {
            leg for leg, one in channels.items() if one.header("ChannelStateDesc") == "Up" and one.header("BridgeId")
        }
        self._bring_answers(joined)
        self._asked_at = time.monotonic()

    def _bring(self, reachable: set[int | None], legs: set[str]) -> None:
        now = clock.now()
        with read() as session:
            lines = list(session.scalars(select(AgentLine)))
            # What was asked for a moment ago may not be listed yet.
            older = AgentPresence.since < now - timedelta(seconds=settings().lost_call_s)
            held = [leg for leg in session.scalars(select(AgentPresence.leg_id).where(older)) if leg is not None]
            watched = session.scalar(select(Watch.id).where(Watch.ended_at.is_(None)).limit(1)) is not None
        there = {one.user_id for one in lines if one.registered_at is not None and one.gone_at is None}
        gone = there - reachable
        back = {one.user_id for one in lines if one.user_id in reachable} - there
        ended = [leg for leg in held if leg not in legs]
        if gone or back or ended or watched:
            with write() as session:
                watching.close_gone(session, legs, now - timedelta(seconds=settings().lost_call_s), now)
                for user_id in gone:
                    presence.line_seen(session, user_id, False, now)
                for user_id in back:
                    presence.line_seen(session, user_id, True, now)
                for leg in ended:
                    presence.leg_ended(session, leg, now)

    def _bring_answers(self, joined: set[str]) -> None:
        """Whoever rings by the rows and is joined to somebody in Asterisk has answered."""
        ringing = AgentPresence.state == Presence.RINGING
        with read() as session:
            legs = list(session.scalars(select(AgentPresence.leg_id).where(ringing)))
        for leg in legs:
            if leg is not None and leg in joined:
                agent_events.answered_untold(leg)

    def _tell_accounts(self, ami: Ami, wanted: Picture) -> None:
        for user_id, account in wanted.accounts.items():
            if self._accounts.get(user_id) != account.digest:
                for kind, fields in _account(user_id, account).items():
                    _must(ami, {"Action": "DBPut", "Family": f"{FAMILY}/{kind}", "Key": roster.endpoint(user_id)} | {
                        "Val": json.dumps(fields, separators=(",", ":"))
                    })  # fmt: skip
                self._accounts[user_id] = account.digest
        for user_id in [one for one in self._accounts if one not in wanted.accounts]:
            for kind in ("auth", "endpoint", "aor"):
                ami.send_action({"Action": "DBDel", "Family": f"{FAMILY}/{kind}", "Key": roster.endpoint(user_id)})
            del self._accounts[user_id]

    def _tell_members(self, ami: Ami, wanted: Picture) -> None:
        for key in [one for one in self._members if one not in wanted.members]:
            ami.send_action({"Action": "QueueRemove", "Queue": key[0], "Interface": key[1]})
            del self._members[key]
        for key, member in wanted.members.items():
            known = self._members.get(key)
            if known == member:
                continue
            queue, interface = key
            if known is None or known.penalty != member.penalty:
                if known is not None:
                    ami.send_action({"Action": "QueueRemove", "Queue": queue, "Interface": interface})
                ami.send_action(
                    {
                        "Action": "QueueAdd", "Queue": queue, "Interface": interface, "Penalty": str(member.penalty),
                        "Paused": str(member.paused).lower(), "MemberName": member.name,
                        **({"Reason": member.reason} if member.reason else {}),
                    }
                )  # fmt: skip
            else:
                ami.send_action(
                    {
                        "Action": "QueuePause", "Queue": queue, "Interface": interface,
                        "Paused": str(member.paused).lower(), "Reason": member.reason,
                    }
                )  # fmt: skip
            self._members[key] = member

    def _are_live(self, wanted: Picture, user_ids: list[int]) -> None:
        with write() as session:
            for user_id in user_ids:
                account = wanted.accounts.get(user_id)
                if account is not None:
                    line = AgentLine.user_id == user_id, AgentLine.serial == account.serial
                    session.execute(update(AgentLine).where(*line).values(live_serial=account.serial))


def _listed(ami: Ami, action: Mapping[str, str], complete: str) -> list[AmiMessage]:
    """Return the list; one that Asterisk does not give, because there is nothing in it, is empty."""
    return ami.send_list(action, complete)


def _must(ami: Ami, action: Mapping[str, str]) -> None:
    answer = ami.send_action(action)
    if answer.header("Response") != "Success":
        raise ManagerException(f"{action['Action']}: {answer.header('Message')}")


def _digest_in(value: str) -> str:
    try:
        return str(json.loads(value)["md5_cred"])
    except (ValueError, KeyError, TypeError):
        return ""


def _account(user_id: int, account: Account) -> dict[str, dict[str, str]]:
    """Return the three objects of one browser's account, as PJSIP's configuration has them."""
    name, address = roster.endpoint(user_id), settings().phone_media_address or settings().host
    auth = {"auth_type": "md5", "username": name, "realm": settings().phone_realm, "md5_cred": account.digest}
    aor = {
        "max_contacts": "1",
        "remove_existing": "yes",
        # A browser that has vanished without a word is noticed within both.
        "qualify_frequency": "4",
        "qualify_timeout": "2",
    }
    endpoint = {
        "context": "agent-line",
        "aors": name,
        "auth": name,
        "disallow": "all",
        "allow": "opus,alaw,ulaw",
        "webrtc": "yes",
        "dtls_auto_generate_cert": "yes",
        "media_address": address,
        "bind_rtp_to_media_address": "yes",
        "direct_media": "no",
        "allow_transfer": "no",
        "rtp_timeout": "5",
        "rtp_timeout_hold": "60",
        "trust_id_outbound": "no",
        "send_pai": "no",
    }
    return {"aor": aor, "endpoint": endpoint, "auth": auth}
