"""The doctor sees what is wrong, and says what to do about it."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from hotline import doctor, doctor_machine, doctor_service, secret_store
from hotline.doctor import Check, Finding, Status
from models import schema
from models.session import make_engine
from models.settings import ROOT, Settings

FREE_PORTS = ("sip_port", "ami_port", "asterisk_http_port", "agi_port", "speech_port", "web_port")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def machine(tmp_path: Path) -> Settings:
    """A hotline that was just cloned, with ports of its own."""
    ports = {name: free_port() for name in FREE_PORTS}
    return changed(Settings(_env_file=None), var_dir=tmp_path / "var", **ports)


def changed(settings: Settings, **values: object) -> Settings:
    return settings.model_copy(update=values)


def one(check: Check, settings: Settings) -> Finding:
    (finding,) = check(settings)
    return finding


def test_everything_is_looked_at_and_each_shortcoming_has_a_remedy(machine: Settings) -> None:
    findings = doctor.check(machine)
    names = {f.name for f in findings}
    assert {"Python", "Packages", "Asterisk", "espeak-ng", "sox", "Ports", "Data folder", "Cache folder"} <= names
    assert {"Clock", "Redis", "Database", "Prompts", "Speech", "Agent phones", "Secrets"} <= names
    assert [f for f in findings if (f.status is Status.OK) == bool(f.remedy)] == []
    assert [f for f in findings if f.status is Status.FAILED] == []
    assert doctor.healthy(findings)


def test_looking_changes_nothing(machine: Settings) -> None:
    doctor.check(machine)
    assert not machine.var_dir.exists()


def test_a_check_that_breaks_is_a_finding_and_stops_no_other(
    machine: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Settings) -> Iterator[Finding]:
        raise RuntimeError("no such thing")

    monkeypatch.setitem(doctor_machine.MACHINE, "Clock", broken)
    findings = doctor.check(machine)
    (clock,) = [f for f in findings if f.name == "Clock"]
    assert clock.status is Status.FAILED and "RuntimeError: no such thing" in clock.detail
    assert any(f.name == "Database" for f in findings)
    assert not doctor.healthy(findings)


def test_the_table_shows_brackets_as_they_are_and_the_remedy_below() -> None:
    finding = doctor.failed("Agent phones", "[red]none[/red]", 'HOTLINE_AGENT_PHONES=["0451"]')
    out = io.StringIO()
    Console(file=out, width=100, no_color=True).print(doctor.render_table([finding]))
    assert "✗  Agent phones  [red]none[/red]" in out.getvalue()
    assert '→ HOTLINE_AGENT_PHONES=["0451"]' in out.getvalue()


def test_json_says_whether_it_can_run() -> None:
    findings = [doctor.ok("A", "well"), doctor.warning("B", "so so", "mend")]
    assert json.loads(doctor.as_json(findings))["healthy"] is True
    told = json.loads(doctor.as_json([*findings, doctor.failed("C", "gone", "bring")]))
    assert told["healthy"] is False
    assert told["findings"][2] == {"name": "C", "status": "failed", "detail": "gone", "remedy": "bring"}


# --- the machine -----------------------------------------------------------


def test_the_lock_file_is_read_with_its_markers(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(
        "# made by a tool\n"
        "Some_Name==1.2 \\\n    --hash=sha256:00\n    # via other\n"
        "old==1 ; python_full_version < '3.9' \\\n    --hash=sha256:00\n"
        "new==2 ; python_full_version >= '3.9' \\\n    --hash=sha256:00\n"
    )
    assert doctor_machine.locked_versions(tmp_path / "lock") == {"some-name": "1.2", "new": "2"}


def test_a_package_other_than_locked_is_named(
    machine: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "requirements.lock").write_text("flask==0.1 \\\n    --hash=sha256:00\nno-such==3 \\\n    --hash=x\n")
    monkeypatch.setattr(doctor_machine, "ROOT", tmp_path)
    finding = one(doctor_machine.packages, machine)
    assert finding.status is Status.FAILED
    assert "(lock: 0.1)" in finding.detail and "no-such missing (lock: 3)" in finding.detail
    assert "make setup" in finding.remedy


def test_a_missing_asterisk_is_a_failure_with_its_remedy(
    machine: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    bare = changed(machine, cache_dir=tmp_path / "cache")
    finding = one(doctor_machine.asterisk, bare)
    assert finding.status is Status.FAILED and "make demo" in finding.remedy
    tools = {f.name: f.status for f in doctor_machine.voice_tools(bare)}
    assert tools == {"espeak-ng": Status.FAILED, "sox": Status.FAILED, "SIPp": Status.WARNING}


@pytest.fixture
def stranger() -> Iterator[int]:
    """A port held by a process that is not the hotline's."""
    # Not the environment's interpreter: that one would be taken for ours.
    python = os.path.realpath(Path(sysconfig.get_config_var("BINDIR")) / f"python{sys.version[:4]}")
    code = (
        "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "print(s.getsockname()[1], flush=True); input()"
    )
    with subprocess.Popen([python, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/") as process:
        assert process.stdout and process.stdin
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def test_a_port_held_by_a_stranger_is_named_with_its_holder_and_setting(machine: Settings, stranger: int) -> None:
    finding = one(doctor_machine.ports, changed(machine, web_port=stranger))
    assert finding.status is Status.FAILED
    assert f"{stranger} is taken by python" in finding.detail and "HOTLINE_WEB_PORT" in finding.remedy


def test_a_port_held_by_the_running_hotline_is_well(machine: Settings) -> None:
    code = (
        "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
        "print(s.getsockname()[1], flush=True); input()"
    )
    # Asterisk names its configuration in the run directory on its command line.
    command = [sys.executable, "-c", code, f"{machine.run_dir}/asterisk.conf"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            finding = one(doctor_machine.ports, changed(machine, ami_port=int(process.stdout.readline())))
        finally:
            process.kill()
    assert finding.status is Status.OK and "the hotline is running" in finding.detail


def test_two_services_on_one_port_are_refused(machine: Settings) -> None:
    finding = next(iter(doctor_machine.ports(changed(machine, agi_port=machine.ami_port))))
    assert finding.status is Status.FAILED and "two services" in finding.detail


def test_a_folder_that_cannot_be_written_is_a_failure(machine: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    data, cache = doctor_machine.disk(changed(machine, var_dir=tmp_path / "file" / "var", cache_dir=tmp_path))
    assert (data.status, cache.name) == (Status.FAILED, "Cache folder")
    assert "HOTLINE_VAR_DIR" in data.remedy


def test_a_full_disk_is_a_failure_and_a_fuller_one_a_warning(
    machine: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free, wanted in ((1e8, Status.FAILED), (1e9, Status.WARNING), (1e11, Status.OK)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert {f.status for f in doctor_machine.disk(machine)} == {wanted}


def test_an_unknown_time_zone_is_a_failure(machine: Settings) -> None:
    finding = one(doctor_machine.clock, changed(machine, timezone="Asia/Nowhere"))
    assert finding.status is Status.FAILED and "tzdata" in finding.remedy


def test_a_clock_that_nobody_keeps_is_a_warning(machine: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_machine, "_synchronised", lambda: "no")
    assert one(doctor_machine.clock, machine).status is Status.WARNING
    monkeypatch.setattr(doctor_machine, "_synchronised", lambda: "yes")
    assert one(doctor_machine.clock, machine).status is Status.OK


# --- the hotline -----------------------------------------------------------


def test_the_database_at_head_is_well_and_at_another_revision_is_not(machine: Settings) -> None:
    absent = one(doctor_service.database, machine)
    assert absent.status is Status.WARNING and "hotline db upgrade" in absent.remedy
    machine.var_dir.mkdir()
    engine = make_engine(machine.sqlalchemy_url)
    schema.upgrade(engine)
    assert one(doctor_service.database, machine).status is Status.OK
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'older'")
    stale = one(doctor_service.database, machine)
    engine.dispose()
    assert stale.status is Status.FAILED and "is at older" in stale.detail


def test_an_unreachable_database_is_named_without_its_password(machine: Settings) -> None:
    url = f"postgresql+psycopg://hotline:pa55word@127.0.0.1:{free_port()}/hotline"
    finding = one(doctor_service.database, changed(machine, database_url=url))
    assert finding.status is Status.FAILED and "HOTLINE_DATABASE_URL" in finding.remedy
    assert "pa55word" not in repr(finding)


def test_an_unreachable_redis_is_named_without_its_password(machine: Settings) -> None:
    url = f"redis://:pa55word@127.0.0.1:{free_port()}/0"
    finding = one(doctor_service.redis, changed(machine, redis_url=url))
    assert finding.status is Status.FAILED and "HOTLINE_REDIS_URL" in finding.remedy
    assert "pa55word" not in repr(finding)


@pytest.mark.parametrize(("persistent", "wanted"), [("yes", Status.OK), ("no", Status.WARNING)])
def test_a_redis_that_keeps_nothing_is_a_warning(
    persistent: str, wanted: Status, machine: Settings, tmp_path: Path
) -> None:
    from models.toolbox import redis_binary

    server = redis_binary()
    path = tmp_path / "redis.sock"
    options = ("--port", "0", "--unixsocket", str(path), "--appendonly", persistent, "--dir", str(tmp_path))
    with subprocess.Popen([*server.argv, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert any("ready to accept connections unix" in line.lower() for line in process.stdout)
            finding = one(doctor_service.redis, changed(machine, redis_url=f"unix://{path}"))
        finally:
            process.kill()
    assert finding.status is wanted


def test_prompts_not_rendered_yet_are_a_warning_and_untranslated_ones_a_failure(machine: Settings) -> None:
    assert one(doctor_service.prompts, machine).status is Status.WARNING
    finding = one(doctor_service.prompts, changed(machine, languages=("zh-CN", "xx")))
    assert finding.status is Status.FAILED and "(xx)" in finding.detail


def test_a_language_without_a_model_is_keys_only(machine: Settings) -> None:
    assert one(doctor_service.speech, changed(machine, languages=("ko",))).status is Status.OK
    finding = one(doctor_service.speech, changed(machine, languages=("ko", "zh-CN")))
    assert finding.status is Status.WARNING and "keys only in zh-CN" in finding.detail
    assert one(doctor_service.speech, changed(machine, speech=False)).status is Status.WARNING


def test_nobody_to_ring_is_a_warning(machine: Settings) -> None:
    phones, trunk = doctor_service.people(machine)
    assert (phones.status, trunk.status) == (Status.WARNING, Status.WARNING)
    phones, trunk = doctor_service.people(changed(machine, agent_phones=("045187654321",), trunk="192.0.2.7:5060"))
    assert (phones.status, trunk.status) == (Status.OK, Status.OK)
    assert "0451" not in phones.detail


def test_secrets_that_others_may_read_are_a_failure(machine: Settings) -> None:
    secret_store.ensure(machine.var_dir)
    assert one(doctor_service.secrets, machine).status is Status.OK
    (secret,) = machine.var_dir.iterdir()
    secret.chmod(0o640)
    finding = one(doctor_service.secrets, machine)
    assert finding.status is Status.FAILED and finding.remedy == f"chmod go= '{secret}'"
    secret.chmod(0o600)
    assert one(doctor_service.secrets, machine).status is Status.OK


def test_this_clones_lock_file_is_what_is_installed(machine: Settings) -> None:
    assert (ROOT / "requirements.lock").exists()
    assert one(doctor_machine.packages, machine).status is Status.OK
