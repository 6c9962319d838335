"""What production runs is what is tried here: the samples, loaded by Asterisk itself without a complaint of ours."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket

import pytest
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from dispatch import agent_events, events, queue_rules
from dispatch.ami import Ami
from hotline import asterisk_config
from hotline.asterisk_config import UnknownMark, render
from models.orphans import dies_with_me
from models.queue_rules import RULES_FILE, QueueRules
from models.settings import ROOT, settings
from models.toolbox import asterisk
from tests.support.ports import PortBlock

MARK = re.compile(r";\s*@(\w+)\s*$", re.MULTILINE)
# The engines of res_aeap read `@language` as a parameter's name; it is no mark.
SOURCES = [
    ROOT / "asterisk.conf.sample",
    *sorted((ROOT / "dialplans/etc").glob("*.sample")),
    *sorted((ROOT / "dialplans").glob("*.conf")),
]
MANAGER = ROOT / "dialplans/etc/manager.conf.sample"
DIALPLAN = {path.name: path.read_text() for path in SOURCES if path.parent.name == "dialplans"}


def marks() -> set[str]:
    return {name for path in SOURCES for name in MARK.findall(path.read_text())}


def test_a_mark_is_replaced_and_everything_else_is_copied() -> None:
    text = "; a comment\nport=5038 ; @p\n[hotline] ; @s\nkey => v ; @k\n; @lines\nplain=1 ; not a mark\nx=1;2\n"
    filled = render(text, {"p": "1", "s": "me", "k": "w", "lines": "a=1\nb=2"})
    assert filled == "; a comment\nport=1\n[me]\nkey => w\na=1\nb=2\nplain=1 ; not a mark\nx=1;2\n"
    with pytest.raises(UnknownMark):
        render("a=1 ; @nobody\n", {})


def test_dispatch_hears_every_event_that_it_acts_on() -> None:
    """AMI lets through only what its filter names: any other event is handled in unit tests and never on a line."""
    acted_on: set[object] = set()
    for source in (events, agent_events):
        for node in ast.walk(ast.parse(inspect.getsource(source.handle))):
            if isinstance(node, ast.MatchValue) and isinstance(node.value, ast.Constant):
                acted_on.add(node.value.value)
    let_through = re.findall(r"^eventfilter\(action\(include\),name\((\w+)\)\)=", MANAGER.read_text(), re.MULTILINE)
    assert "Hangup" in acted_on and acted_on <= set(let_through)


def test_a_value_cannot_become_a_comment_or_a_line() -> None:
    assert render("secret=x ; @s\n", {"s": "a;b"}) == "secret=a\\;b\n"
    with pytest.raises(ValueError, match="line"):
        render("secret=x ; @s\n", {"s": "a\nread=all"})


def test_every_mark_has_a_value_and_every_value_is_used(hotline_dir: Path) -> None:
    filled = asterisk_config.values(settings(), asterisk(settings().cache_dir), settings().run_dir)
    assert set(filled) == marks()


def test_a_carrier_that_asks_who_we_are_is_told_and_any_other_is_not(
    hotline_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trunk() -> str:
        settings.cache_clear()
        filled = asterisk_config.values(settings(), asterisk(settings().cache_dir), settings().run_dir)
        return render((ROOT / "dialplans/etc/pjsip.conf.sample").read_text(), filled)

    assert "auth" not in trunk().replace("auto", "") and "from_user" not in trunk()
    asked = {"USER": "u", "PASSWORD": "p", "CALLER_ID": "+8645112345000", "HOSTS": '["10.0.0.0/24"]'}
    for name, value in asked.items():
        monkeypatch.setenv(f"HOTLINE_TRUNK_{name}", value)
    assert "from_user=+8645112345000\nsend_pai=no\noutbound_auth=trunk-auth\n\n[trunk-auth]\ntype=auth\n" in trunk()
    assert "username=u\npassword=p\n" in trunk() and "match=10.0.0.0/24\n" in trunk()


@pytest.mark.parametrize(
    ("trunk", "match"),
    [("127.0.0.1:5070", "127.0.0.1:5070"), ("localhost:5070", "localhost:5070"), ("[::1]:5070", "[::1]:5070"),
     ("sip.carrier.example:5060", "sip.carrier.example"), ("203.0.113.7:5060", "203.0.113.7")],
)  # fmt: skip
def test_a_trunk_on_this_machine_is_known_by_its_port_as_well(
    hotline_dir: Path, monkeypatch: pytest.MonkeyPatch, trunk: str, match: str
) -> None:
    monkeypatch.setenv("HOTLINE_TRUNK", trunk)
    settings.cache_clear()
    filled = asterisk_config.values(settings(), asterisk(settings().cache_dir), settings().run_dir)
    assert filled["trunk_hosts"] == match


def test_what_up_runs_is_written_for_the_owner_only(hotline_dir: Path) -> None:
    command = asterisk_config.write(settings())
    etc = settings().run_dir / "asterisk/etc"
    assert command[-1] == str(etc / "asterisk.conf")
    assert {path.name for path in etc.iterdir()} == {path.name.removesuffix(".sample") for path in SOURCES}
    assert all(path.stat().st_mode & 0o077 == 0 for path in etc.iterdir())
    assert not [path.name for path in etc.iterdir() if MARK.search(path.read_text())]


class Running:
    """Asterisk on the production samples; `says` is its console."""

    def __init__(self, folder: Path, ports: PortBlock) -> None:
        self.tool = asterisk(settings().cache_dir)
        self.folder = folder
        for name in ("etc", "log", "spool", "data", "data/keys", "run"):
            (folder / name).mkdir()
        for name in ("documentation", "static-http", "rest-api"):
            if (self.tool.data_dir / name).is_dir():
                (folder / "data" / name).symlink_to(self.tool.data_dir / name)
        self.trunk, self.sip, self.http, self.ami = (ports.take() for _ in range(4))
        # Only directories and ports differ from what the samples say.
        changed = {
            "etc_dir": folder / "etc", "modules_dir": self.tool.modules_dir, "lib_dir": folder / "data",
            "data_dir": folder / "data", "agi_bin_dir": folder / "data", "asterisk_spool_dir": folder / "spool",
            "asterisk_run_dir": folder / "run", "asterisk_log_dir": folder / "log", "sbin_dir": folder / "run",
            "ami_port": self.ami, "asterisk_http_port": self.http, "sip_bind": f"127.0.0.1:{self.sip}",
            "trunk_hosts": f"127.0.0.1:{self.trunk}",
            "moh_zh_CN": folder / "data", "moh_ko": folder / "data", "moh_en": folder / "data",
        }  # fmt: skip
        for path in SOURCES:
            text = path.read_text()
            for name, value in changed.items():
                text = re.sub(rf"^([^;\n]*?=>?\s*).*?\s*;\s*@{name}$", rf"\g<1>{value}", text, flags=re.MULTILINE)
            text = text.replace("; @queue_rules", f'#tryinclude "{folder / "run" / RULES_FILE}"')
            (folder / "etc" / path.name.removesuffix(".sample")).write_text(text)
        self.conf = folder / "etc/asterisk.conf"
        with (folder / "stdout").open("wb") as out:
            self.process = subprocess.Popen(
                [*self.tool.argv, "-f", "-n", "-C", str(self.conf)],
                stdout=out, stderr=out, env=self.tool.environ(), preexec_fn=dies_with_me(),
            )  # fmt: skip

    def says(self, command: str) -> str:
        done = subprocess.run(
            [*self.tool.argv, "-C", str(self.conf), "-rx", command],
            capture_output=True, text=True, env=self.tool.environ(), timeout=20, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr

    def log(self) -> str:
        return (self.folder / "log/messages.log").read_text()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    ports = PortBlock()
    one = Running(tmp_path_factory.mktemp("a"), ports)
    try:
        deadline = time.monotonic() + 30
        while "fully booted" not in one.says("core waitfullybooted") and time.monotonic() < deadline:
            assert one.process.poll() is None, (one.folder / "stdout").read_text()
            time.sleep(0.1)
        yield one
    finally:
        one.process.kill()
        one.process.wait()
        ports.release()


def test_asterisk_loads_the_production_samples_without_a_complaint(running: Running) -> None:
    assert os.access(running.folder / "log/messages.log", os.R_OK)
    complaints = [line for line in running.log().splitlines() if re.search(r"WARNING|ERROR", line)]
    assert complaints == []


def test_the_rules_of_the_queues_are_taken_while_it_runs(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "var_dir", running.folder)
    assert "W:0" in running.says("queue show person-ko") and "W:10" in running.says("queue show urgent-ko")
    ami = Ami()
    ami.connect("127.0.0.1", running.ami)
    ami.login("hotline", "change-me")
    # The first file, and one in its place: whether there was one when Asterisk started does not matter.
    for weight, ring_s in ((4, 15), (2, 33)):
        rules = QueueRules(ring_s, 45, 90, 30, 600, {"zh-CN": 0, "ko": weight, "en": 1})
        queue_rules.tell(ami, rules)
        assert f"W:{weight}" in running.says("queue show person-ko")
        said = running.says("dialplan show globals")
        assert f"AGENT_RING={ring_s}" in said and "WAIT_LAP=30" in said and "QUEUE_WAIT=600" in said
    assert "W:10" in running.says("queue show urgent-ko")
    # A dialect that comes on the list has a queue at once, and none when it goes.
    assert "No such queue" in running.says("queue show person-ko-pyongan")
    queue_rules.tell(ami, rules, [("ko", "pyongan")])
    assert "W:2" in running.says("queue show person-ko-pyongan")
    queue_rules.tell(ami, rules)
    assert "No such queue" in running.says("queue show person-ko-pyongan")
    ami.close()


class TwoSpeakKorean:
    """Two agents take Korean calls, 70 and 71; 70 speaks Hamgyong. Their telephones are ordinary ones."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.ami = Ami()
        self.ami.connect("127.0.0.1", running.ami)
        self.ami.login("hotline", "change-me")
        queue_rules.tell(self.ami, QueueRules(1, 45, 90, 30, 600, {"ko": 0}), [("ko", "hamgyong")])
        for number, queue in (("70", "person-ko"), ("71", "person-ko"), ("70", "person-ko-hamgyong")):
            telephone = f"Local/{number}@agent-phone"
            add = {"Interface": f"{telephone}/n", "StateInterface": telephone, "Queue": queue, "Penalty": "5"}
            self.ami.send_action({"Action": "QueueAdd", **add})
        for line in (
            "s,1,Gosub(whose-dialect,s,1)", "s,2,Set(GLOBAL(ASKED)=[${DIALECT}])",
            "join,1,Queue(person-ko-hamgyong,,,,10)", "join,2,Set(GLOBAL(ASKED)=[${QUEUESTATUS}])",
            # For this one nobody may be rung: she waits while both are free.
            "waits,1,Set(QUEUE_MAX_PENALTY=0)", "waits,2,Queue(person-ko)",
        ):  # fmt: skip
            running.says(f"dialplan add extension {line} into asks-dialect")

    def rings(self, exten: str, **variables: str) -> None:
        """A caller comes to this line of the dialplan above."""
        passed = [f"__{name}={value}" for name, value in variables.items()]
        channel = {"Channel": f"Local/{exten}@asks-dialect/n", "Variable": passed, "Async": "true"}
        self.ami.send_action({"Action": "Originate", **channel, "Application": "Wait", "Data": "30"})

    def asks(self, exten: str = "s", **variables: str) -> str:
        """Which queue is asked first for a Korean caller who speaks Hamgyong; of `join` what the queue says."""
        self.running.says("dialplan set global ASKED -")
        self.rings(exten, **{"QUEUE": "person-ko", "HOTLINE_DIALECT": "hamgyong", **variables})
        return self.told()

    def told(self) -> str:
        return self.waits_for(r"ASKED=\[(.*)\]", "dialplan show globals")

    def pauses(self, number: str, yes: bool = True) -> None:
        who = {"Interface": f"Local/{number}@agent-phone/n", "Paused": str(yes).lower()}
        self.ami.send_action({"Action": "QueuePause", **who})

    def waits_for(self, pattern: str, command: str) -> str:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if found := re.search(pattern, self.running.says(command)):
                return found[found.re.groups]
            time.sleep(0.05)
        raise AssertionError(self.running.says(command))


def test_who_speaks_her_dialect_is_asked_first_and_nobody_waits_for_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings(), "var_dir", running.folder)
    queues = TwoSpeakKorean(running)
    assert queues.asks() == "person-ko-hamgyong"
    assert queues.asks(HOTLINE_DIALECT="pyongan") == "", "nobody has such a queue"
    assert "queue person-ko-pyongan was not found" not in running.log()
    assert queues.asks(HOTLINE_DIALECT="") == ""
    assert queues.asks(HOTLINE_WHY="emergency") == "", "everybody is asked at once"
    # Nobody joins a queue in which nobody could be rung at once, whoever else is free.
    queues.pauses("70")
    assert queues.asks() == "" and queues.asks("join") == "JOINEMPTY"
    queues.pauses("70", False)
    # Two free, one waits: there is one for each of them.
    queues.rings("waits")
    queues.waits_for("person-ko has 1 calls", "queue show person-ko")
    assert queues.asks() == "person-ko-hamgyong"
    # One free, one waits: she came first.
    queues.pauses("71")
    assert queues.asks() == ""
    # Nobody stays in it when whoever was rung did not answer.
    running.says("dialplan set global ASKED -")
    queues.rings("join")
    queues.waits_for("person-ko-hamgyong has 1 calls", "queue show person-ko-hamgyong")
    queues.pauses("70")
    assert queues.told() == "LEAVEEMPTY"
    running.says("channel request hangup all")
    queues.ami.close()


@pytest.mark.parametrize(("why", "first"), [("service", "60"), ("emergency", "30")])
def test_who_has_lost_her_agent_rings_longer_once_and_an_emergency_never(
    running: Running, monkeypatch: pytest.MonkeyPatch, why: str, first: str
) -> None:
    monkeypatch.setattr(settings(), "var_dir", running.folder)
    queues = TwoSpeakKorean(running)
    caller = {"Channel": "Local/lost@agent-gone/n", "Variable": [f"__HOTLINE_WHY={why}", "__HOTLINE_LANGUAGE=ko"]}
    away = {"Application": "Wait", "Data": "60", "Async": "true"}
    queues.ami.send_action({"Action": "Originate", **caller, **away})
    in_queue, shown = r"!person-ko,rtCcb\(agent-leg\^s\^1\),,,(\d+)!", "core show channels concise"
    assert queues.waits_for(in_queue, shown) == first
    # The next lap, as after a key or when the first one is over.
    channel = queues.waits_for(r"(?m)^(Local/lost@agent-gone-\w+;2)!", shown)
    running.says("dialplan add extension s,1,Wait(30) into asks-lap")
    led = {"Action": "Redirect", "Channel": channel, "Exten": "s"}
    queues.ami.send_action({**led, "Context": "asks-lap", "Priority": "1"})
    queues.waits_for(r"!asks-lap!s!1!.*(!Wait!)", shown)
    queues.ami.send_action({**led, "Context": "person", "Priority": "lap"})
    assert queues.waits_for(in_queue, shown) == "30"
    running.says("channel request hangup all")
    queues.waits_for(r"\b(0) active channels", "core show channels")
    queues.ami.close()


def named(pattern: str) -> set[str]:
    return {found for text in DIALPLAN.values() for found in re.findall(pattern, text)}


def missing(names: set[str], ask: Callable[[str], str], absent: str) -> list[str]:
    return [name for name in sorted(names) if absent in ask(name)]


def test_every_application_and_function_of_the_dialplan_exists(running: Running) -> None:
    applications = named(r"(?:exten =>[^,]+,[^,]+|same => [^,]+),(\w+)\(") | named(r"\?(\w+)\(")
    assert {"AGI", "Queue", "Record", "Playback", "Set"} <= applications
    no_application = "Your application(s) is"
    assert missing(applications, lambda name: running.says(f"core show application {name}"), no_application) == []
    functions = named(r"\$\{([A-Z_]+)\(") | named(r"Set\(([A-Z]+)\(")
    assert {"FILE", "FILTER", "CHANNEL", "IF", "CALLERID"} <= functions
    no_function = "No function by that name"
    assert missing(functions, lambda name: running.says(f"core show function {name}"), no_function) == []
    # The question can be answered with no.
    assert no_application in running.says("core show application NoSuch")
    assert no_function in running.says("core show function NOSUCH")


def test_every_context_that_is_named_exists(running: Running) -> None:
    plan = running.says("dialplan show")
    contexts = set(re.findall(r"\[ Context '([^']+)'", plan))
    targets = named(r"Goto\((?:[^?)]*\?)?([a-z][a-z-]+),") | named(r"\?([a-z-]+),[^,]+,1") | named(r"@([a-z-]+)/n")
    targets |= set(re.findall(r"context\s*=\s*([\w-]+)", "".join(path.read_text() for path in SOURCES)))
    targets |= {"offer", "callback", "person-ended"}
    assert targets - {"s"} <= contexts, targets - contexts
    assert {"inbound", "after-agi", "person", "message", "failsafe"} <= contexts


@pytest.mark.parametrize("wanted", ["yes", ""])
def test_an_agents_own_call_is_recorded_under_the_calls_name_where_dispatch_says_so(
    running: Running, wanted: str
) -> None:
    """What runs on the telephone that has answered: the notice, and both sides into the spool."""
    spool = running.folder / f"recorded-{wanted}"
    for name, value in (("SPOOL", spool), ("HOTLINE_LANGUAGE", "ko"), ("RECORD_OWN", wanted or "no")):
        running.says(f"dialplan set global {name} {value}")
    spool.mkdir()
    for line in (
        "7,1,Answer", "7,2,PlayTones(425)", "7,3,Wait(3)",
        "8,1,Gosub(agent-out-answered,s,1(agent-abc))", "8,2,PlayTones(300)", "8,3,Wait(2)",
    ):  # fmt: skip
        running.says(f"dialplan add extension {line} into answered-{wanted}")
    originate = {
        "Action": "Originate", "Channel": f"Local/7@answered-{wanted}/n", "Context": f"answered-{wanted}",
        "Exten": "8", "Priority": "1", "Async": "true",
    }  # fmt: skip
    ami = Ami()
    ami.connect("127.0.0.1", running.ami)
    ami.login("hotline", "change-me")
    assert ami.send_action(originate).header("Response") == "Success"
    ami.close()
    time.sleep(1)  # The channels are made a moment later.
    deadline = time.monotonic() + 15
    # Both files, each with a sound of its own length; or nothing at all until the call is over.
    while time.monotonic() < deadline:
        busy = "0 active channels" not in running.says("core show channels count")
        if not busy and (wanted == "" or len(list(spool.iterdir())) == 2):
            break
        time.sleep(0.1)
    assert sorted(path.name for path in spool.iterdir()) == (
        ["agent-abc.in.alaw", "agent-abc.out.alaw"] if wanted else []
    )


def test_the_trunk_the_queue_and_the_engines_stand(running: Running) -> None:
    assert "trunk" in running.says("pjsip show endpoints")
    for language in ("zh-CN", "ko", "en"):
        for kind in ("person", "urgent"):
            assert f"{kind}-{language} has 0 calls" in running.says(f"queue show {kind}-{language}")
    assert running.says("manager show user hotline").count("hotline") >= 1
    for name in ("hotline-zh-CN", "hotline-ko", "hotline-en"):
        assert name in running.says("aeap show clients")


def asks(method: str, via: str, name: str = "stranger") -> str:
    """Return a SIP request of somebody who brings no credentials, and says to be `name`."""
    body = (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"
        "a=rtpmap:8 PCMA/8000\r\n"
    )
    content = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    return (
        f"{method} sip:12349@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bK{name}{via[:2]}{method};rport\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:{name}@127.0.0.1>;tag=1\r\nTo: <sip:12349@127.0.0.1>\r\n"
        f"Call-ID: {name}{via[:2]}{method}\r\nCSeq: 1 {method}\r\nContact: <sip:{name}@127.0.0.1:40001>\r\n"
        + (content if method == "INVITE" else "Content-Length: 0\r\n\r\n")
    )


@pytest.mark.parametrize("method", ["INVITE", "REGISTER", "OPTIONS"])
@pytest.mark.parametrize("name", ["stranger", "trunk", "trunk-auth", "anonymous"])
def test_a_browser_without_an_account_is_not_the_trunk(running: Running, method: str, name: str) -> None:
    """It has the trunk's address here; a stranger's datagram has it, too. And anybody can say that she is the trunk."""
    before = running.says("core show channels count")
    with connect(f"ws://127.0.0.1:{running.http}/ws", subprotocols=[Subprotocol("sip")]) as page:
        page.send(asks(method, "WS 127.0.0.1:40001", name))
        assert str(page.recv(timeout=5)).startswith("SIP/2.0 401"), method
    with socket(AF_INET, SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        assert answered(stranger, running, method, name).startswith("SIP/2.0 401")
    assert running.says("core show channels count").splitlines()[-1] == before.splitlines()[-1], "calls processed"


def test_the_trunk_itself_needs_no_account(running: Running) -> None:
    with socket(AF_INET, SOCK_DGRAM) as carrier:
        carrier.bind(("127.0.0.1", running.trunk))
        assert answered(carrier, running, "OPTIONS").startswith("SIP/2.0 200")


def answered(sender: socket, running: Running, method: str, name: str = "stranger") -> str:
    """Send a request over UDP and return its first answer."""
    sender.settimeout(5)
    sender.sendto(asks(method, f"UDP 127.0.0.1:{sender.getsockname()[1]}", name).encode(), ("127.0.0.1", running.sip))
    return sender.recv(4096).decode()


def test_who_hangs_up_in_the_failsafe_is_in_the_note_once(running: Running) -> None:
    """Python is away: before anything is said it is written down who rings, and at her end that she has hung up."""
    spool = running.folder / "notes"
    spool.mkdir()
    running.says("module load res_clioriginate.so")
    running.says(f'dialplan set global SPOOL "{spool}"')
    running.says("channel originate Local/s@failsafe application Wait 1")
    deadline = time.monotonic() + 15
    while "end=" not in (text := "".join(path.read_text() for path in spool.glob("*.note"))):
        assert time.monotonic() < deadline, text + running.log()[-3000:]
        time.sleep(0.1)
    assert [line.partition("=")[0] for line in text.splitlines()] == ["number", "why", "end"], text
    assert "why=fault" in text
    shown = running.says("dialplan show failsafe")
    assert 0 < shown.index("noted") < shown.index("Playback")
