"""An agent at her console in Chromium, with a telephone that really rings: for journeys over SIP."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from ivr import tones
from models import clock
from models.presence import AgentPresence, AgentSkill
from tests.calls.conftest import Town
from tests.support import sound
from tests.support.patience import PATIENCE
from tests.web.chromium import FLAGS
from tests.web.world import PASSWORD

# What comes out of the agent's microphone, again and again: the far end names it.
AGENT_SPEAKS = "agent_speaks"
ELDER_SPEAKS = "elder_speaks"

# How loud a frequency comes out of the telephone within a second, at its loudest (dB).
HEARS = """async (hertz) => {
  const stream = document.querySelector("#phone [data-sound]").srcObject;
  if (!stream) return -200;
  const ctx = new AudioContext();
  await ctx.resume();
  const meter = ctx.createAnalyser();
  meter.fftSize = 8192;
  meter.smoothingTimeConstant = 0;
  ctx.createMediaStreamSource(stream).connect(meter);
  const bins = new Float32Array(meter.frequencyBinCount);
  let best = -200;
  for (let look = 0; look < 20; look++) {
    await new Promise((done) => setTimeout(done, 50));
    meter.getFloatFrequencyData(bins);
    best = Math.max(best, bins[Math.round(hertz * meter.fftSize / ctx.sampleRate)]);
  }
  await ctx.close();
  return best;
}"""
# Fainter than this (dB) nobody hears it; a tone of the far end comes with -25.
FAINT_DB = -55

ISSUES = """async () => {
  const csrf = document.querySelector("meta[name=csrf-token]").content;
  const headers = { "X-CSRFToken": csrf, "Content-Type": "application/json" };
  return (await fetch("/phone/line", { method: "POST", headers, body: "{}" })).json();
}"""
# A microphone of this page's own: a tone whose pitch can be changed while it sounds.
TONE_MICROPHONE = """(hertz) => {
  if (!window.voice) {
    const ctx = new AudioContext(), out = ctx.createMediaStreamDestination(), gain = ctx.createGain();
    window.voice = ctx.createOscillator();
    gain.gain.value = 0.3;
    window.voice.connect(gain).connect(out);
    window.voice.start();
    navigator.mediaDevices.getUserMedia = async () => out.stream.clone();
  }
  window.voice.frequency.value = hertz;
}"""
REGISTERS = """(account) => new Promise((done) => {
  const script = document.createElement("script");
  const go = () => {
    const ua = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(account.server)], password: account.password,
      uri: `sip:${account.user}@${account.realm}`, register_expires: 60 });
    ua.on("registered", () => { done(200); ua.stop(); });
    ua.on("registrationFailed", ({ response }) => { done(response ? response.status_code : 0); ua.stop(); });
    ua.start();
  };
  if (window.JsSIP) return go();
  script.src = document.querySelector("link[rel=stylesheet]").href
    .replace(/console.css.*/, "vendor/jssip/jssip.min.js");
  script.onload = go;
  document.head.append(script);
})"""


def microphone_file(folder: Path) -> Path:
    """Write what the fake microphone says: a melody, a pause, again."""
    path = folder / "microphone.wav"
    melody = tones.render(AGENT_SPEAKS)
    sound.save(path, np.tile(np.concatenate([melody, np.zeros(4000, np.int16)]), 4))
    return path


def flags(folder: Path) -> list[str]:
    """Return the flags of a Chromium whose microphone is a file."""
    return [
        *FLAGS,
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone_file(folder)}",
        "--autoplay-policy=no-user-gesture-required",
    ]


__all__ = ["AGENT_SPEAKS", "ELDER_SPEAKS", "AgentDesk", "flags", "hire"]


def hire(town: Town, name: str, *languages: str, role: str = "agent") -> int:
    """Make an agent who takes calls in these languages; the first is her best."""
    from agents import accounts

    with town.rows.writing() as session:
        user = accounts.create_user(session, name, PASSWORD, role, clock.now())
        for place, language in enumerate(languages):
            session.add(AgentSkill(user_id=user.id, language=language, penalty=10 * place))
        return user.id


class AgentDesk:
    """One agent, one browser profile, one tab (or more)."""

    def __init__(self, town: Town, chromium: Browser, name: str, *languages: str, user_id: int | None = None) -> None:
        self.town = town
        self.name = name
        self.user_id = user_id or hire(town, name, *(languages or ("zh-CN",)))
        self.context: BrowserContext = chromium.new_context(
            base_url=f"http://127.0.0.1:{town.hotline.web_port}",
            viewport={"width": 1440, "height": 900},
            permissions=["microphone"],
        )
        self.context.set_default_timeout(15_000 * PATIENCE)
        self.complaints: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """Open one more tab."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.add_init_script("localStorage.setItem('phone.processing', '0')")
        return page

    def logs_in(self) -> AgentDesk:
        """At the log-in page."""
        self.page.goto("/")
        self.page.fill("#name", self.name)
        self.page.fill("#password", PASSWORD)
        self.page.press("#password", "Enter")
        return self.is_connected()

    def is_connected(self, within: float = 10) -> AgentDesk:
        """The telephone is registered, `within` seconds."""
        expect(self.page.locator("#phone")).to_have_attribute("data-line", "up", timeout=within * 1000)
        return self

    def chooses(self, value: str) -> AgentDesk:
        """ready, pause:meal, offline."""
        self.page.select_option("#phone-presence", value)
        return self

    def is_shown(self, state: str, within: float = 5) -> AgentDesk:
        """The page says so."""
        expect(self.page.locator(".phone-state")).to_have_attribute(
            "data-state", state, timeout=within * 1000 * PATIENCE
        )
        return self

    def stands(self, state: str, within: float = 5) -> AgentPresence:
        """The rows say so."""

        def found() -> AgentPresence | None:
            rows = [one for one in self.town.rows.all(AgentPresence) if one.user_id == self.user_id]
            return next((one for one in rows if one.state == state), None)

        return self.town.rows.wait_for(found, within, f"presence {state} of {self.name}")

    def is_ready(self) -> AgentDesk:
        """Ready for calls, in the rows and on the page."""
        self.chooses("ready").is_shown("ready", 15)
        self.stands("ready")
        return self

    def rings(self, within: float = 8) -> AgentDesk:
        """The telephone in the page rings."""
        expect(self.key("answer")).to_be_visible(timeout=within * 1000 * PATIENCE)
        return self

    def key(self, act: str) -> Locator:
        """One key of the telephone."""
        # The alert about the microphone leads to the settings, too; that one is no key.
        return self.page.locator(f"#phone [data-act='{act}']:not([data-how])")

    def presses(self, act: str) -> AgentDesk:
        """A key of the telephone."""
        self.key(act).click()
        return self

    def talks(self, within: float = 5) -> AgentDesk:
        """The call stands."""
        expect(self.page.locator("#phone")).to_have_attribute("data-stage", "up", timeout=within * 1000 * PATIENCE)
        return self

    def is_free(self, within: float = 5) -> AgentDesk:
        """No call is on the telephone."""
        expect(self.page.locator("#phone")).to_have_attribute("data-stage", "", timeout=within * 1000 * PATIENCE)
        return self

    def hears(self, hertz: int, within: float = 5) -> AgentDesk:
        """A tone comes out of the telephone."""
        deadline = time.monotonic() + within * PATIENCE
        while True:
            level = self.page.evaluate(HEARS, hertz)
            if level > FAINT_DB:
                return self
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} hears {hertz} Hz at {level:.0f} dB only")

    def says(self, hertz: int) -> AgentDesk:
        """Her microphone, the next one that a call asks for, and that of the call under way, gives this tone."""
        self.page.evaluate(TONE_MICROPHONE, hertz)
        return self

    def does_not_hear(self, hertz: int) -> AgentDesk:
        """For a second this tone does not come out of the telephone."""
        level = self.page.evaluate(HEARS, hertz)
        assert level < FAINT_DB, f"{self.name} hears {hertz} Hz at {level:.0f} dB"
        return self

    def passes(self, deed: str, to: str) -> AgentDesk:
        """Transfer to, or consult, a colleague by name or a number outside."""
        self.presses("transfer")
        target = self.page.locator("#phone-target")
        if to[0] in "+0123456789":
            self.page.fill("#phone-number", to)
        else:
            label = target.locator("option", has_text=to)
            expect(label).to_have_count(1)
            target.select_option(label.get_attribute("value"))
        self.presses(f"do-{deed}")
        expect(self.page.locator("[data-dialog=transfer]")).to_be_hidden()
        return self

    def account(self) -> dict[str, str]:
        """Have a fresh account of the telephone issued, as the page's script does."""
        issued: dict[str, str] = self.page.evaluate(ISSUES)
        return issued

    def registers(self, account: dict[str, str]) -> int:
        """Register with an account from this page's own scripts, as a thief would; return the answer's status."""
        status: int = self.page.evaluate(REGISTERS, account)
        return status

    def queues(self) -> str:
        """What app_queue says of its members."""
        return asterisk(self.town, "queue show")


def asterisk(town: Town, command: str) -> str:
    """Ask the hotline's Asterisk on its console."""
    import subprocess

    from models.settings import settings
    from models.toolbox import asterisk as found

    tool = found(settings().cache_dir)
    conf = town.hotline.folder / "run/asterisk/etc/asterisk.conf"
    done = subprocess.run(
        [*tool.argv, "-C", str(conf), "-rx", command], capture_output=True, text=True, env=tool.environ(), check=False
    )
    return done.stdout + done.stderr
