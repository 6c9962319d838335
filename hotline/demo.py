"""`hotline demo`: the hotline with an invented world and a public network in a box; one elder rings.

Nothing on the path is a mock: a real Asterisk plays the network and rings ours
over SIP; the order, the offer and the callback are rows. The journey counts
only if the network saw its calls and the database has its rows.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from sqlalchemy import select

from hotline import demo_world
from models import clock, schema
from models.calls import Call
from models.dialing import Attempt, Callback, CallbackStatus, Offer, OfferStatus
from models.orders import Order, OrderStatus
from models.session import engine, read, write
from models.settings import ROOT, settings

if TYPE_CHECKING:
    from tests.support.call import Call as NetworkCall
    from tests.support.carrier import Carrier
    from tests.support.phone import Phone

# The order of magnitude of a journey: prompts are spoken at an elder's pace (s).
JOURNEY_S = 150


@dataclass
class Teller:
    """Prints the journey as it happens; on standard error where standard output is for JSON."""

    quiet: bool
    began: float = 0.0

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self._console = Console(stderr=self.quiet, highlight=False)
        self._lock = threading.Lock()

    def __call__(self, text: str, style: str = "") -> None:
        with self._lock:
            self._console.print(f"[dim]{time.monotonic() - self.began:6.1f} s[/dim]  {text}", style=style)


def run(once: bool, as_json: bool) -> int:
    """Run the demonstration; return the exit code: 0 only if the whole journey was seen."""
    try:
        from tests.support.carrier import Carrier
        from tests.support.hotline_process import PORTS, HotlineProcess
    except ImportError:
        Console(stderr=True).print("The demonstration needs the source checkout: it rings from tests/support.")
        return 2
    _choose_folder()
    tell = Teller(quiet=as_json)
    # SIGINT by name too: whoever is started in the background of a script inherits it ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            tell("The public telephone network (a second Asterisk) starts.")
            network = stack.enter_context(Carrier())
            password = _prepare()
            tell("The hotline starts: Redis, Asterisk, AGI, speech, dispatch, console.")
            ports = {name: _default_port(name) for name in PORTS if _is_free(_default_port(name))}
            chosen = {**ports, "AGENT_PHONES": json.dumps([demo_world.AGENT])}
            hotline = stack.enter_context(HotlineProcess(settings().var_dir, network.address, chosen))
            network.hotline = hotline.sip
            address = f"http://127.0.0.1:{hotline.web_port}"
            tell(f"Ready. Console: [bold]{address}[/bold]  user [bold]{demo_world.CONSOLE_USER}[/bold]  "
                 f"password [bold]{password}[/bold] (for this start)")  # fmt: skip
            seen = _journey(network, tell)
            _summary(seen, tell, as_json)
            if not once:
                tell("Hotline and console stay up; Ctrl-C ends everything.")
                signal.pause()
            return 0 if seen["complete"] else 1
    except KeyboardInterrupt:
        tell("Stopped.")
        return 0


def _choose_folder() -> None:
    """The demonstration keeps its own folder, so that it never mixes with a real installation."""
    os.environ.setdefault("HOTLINE_VAR_DIR", str(ROOT / "var" / "demo"))
    settings.cache_clear()
    engine.cache_clear()
    settings().var_dir.mkdir(parents=True, exist_ok=True)


def _default_port(name: str) -> int:
    return int(getattr(settings(), name.lower()))


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((settings().host, port))
            except OSError:
                return False
    return True


def _prepare() -> str:
    schema.upgrade(engine())
    with write() as session:
        demo_world.settle(session, clock.now())
        return demo_world.console_password(session, clock.now())


def _journey(network: Carrier, tell: Teller) -> dict[str, Any]:
    """Let one elder ring, and return what was seen, in the rows and over SIP."""
    with read() as session:
        wish = demo_world.choose_wish(session, clock.local_date(clock.now()))
        last_order = session.scalar(select(Order.id).order_by(Order.id.desc()).limit(1)) or 0
    names = {wish.number: f"{wish.family_name} (elder)", demo_world.AGENT: "agent"}
    names |= {number: f"provider {n}" for n, number in enumerate(demo_world.PROVIDER_NUMBERS, start=1)}

    def step(call: NetworkCall, text: str) -> None:
        if "silent" not in text:
            tell(f"  [cyan]{names[call.phone.number]:<16}[/cyan] {text}")

    network.on_step = step
    elder = network.phone(wish.number).when_called(_hears_who_comes)
    for number in demo_world.PROVIDER_NUMBERS:
        network.phone(number).accepts(ring=1.5)
    network.phone(demo_world.AGENT).answers_and_stays_silent()
    tell(f"{wish.family_name} rings 12349 and orders {wish.service} by key.", "bold")
    caller = threading.Thread(target=_orders, args=(elder, wish), name="elder", daemon=True)
    caller.start()
    seen = _watch(last_order, wish, network, tell)
    caller.join(timeout=20)
    return seen


def _orders(elder: Phone, wish: demo_world.Wish) -> None:
    """The elder rings, listens to each prompt to its end, and presses the keys of her wish."""
    call = elder.rings("12349").answered()
    for key in wish.keys:
        call.waits_for_end_of_speech().presses(key)
    call.waits_for_end_of_speech().hangs_up()


def _hears_who_comes(call: NetworkCall) -> None:
    """The elder takes the callback, listens to its end and confirms."""
    call.rings_for(1.5).answers().waits_for_end_of_speech().presses("1").waits_until_it_ends(within=20)


def _watch(after: int, wish: demo_world.Wish, network: Carrier, tell: Teller) -> dict[str, Any]:
    """Wait for the callback to be confirmed; tell each move of the order; return all that was seen."""
    deadline = time.monotonic() + JOURNEY_S
    told = ""
    while True:
        seen = _rows(after, wish.elder_id)
        status = str((seen["order"] or {}).get("status", ""))
        if status != told:
            told = status
            tell(f"  [green]order[/green]            {status}")
        if _all_rows(seen) or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    for call in network.phone(wish.number).calls:
        # The last word is still being said when the row is already written.
        call.wait_for(lambda call=call: call.ended_at is not None, 5)  # type: ignore[misc]
    over_sip = _over_sip(network, wish)
    return {**seen, "sip": over_sip, "complete": _all_rows(seen) and all(over_sip.values())}


def _rows(after: int, elder_id: int) -> dict[str, Any]:
    with read() as session:
        order = session.scalar(select(Order).where(Order.id > after, Order.elder_id == elder_id))
        offer = callback = call = back = None
        if order is not None:
            call = session.get(Call, order.call_id)
            offer = session.scalar(
                select(Offer).where(Offer.order_id == order.id, Offer.status == OfferStatus.ACCEPTED)
            )
            callback = session.scalar(select(Callback).where(Callback.order_id == order.id))
        if callback is not None:
            back = session.scalar(select(Attempt).where(Attempt.callback_id == callback.id).order_by(Attempt.id.desc()))
        return {
            "call": call and _told(call, "started_at", "answered_at", "ended_at", "end"),
            "order": order and _told(order, "number", "status", "service", "created_at", "changed_at"),
            "offer": offer and _told(offer, "status", "created_at", "closed_at"),
            "callback": callback
            and _told(callback, "status", "created_at", "closed_at")
            | {"answered_at": back.answered_at if back else None},
        }


def _told(row: Any, *names: str) -> dict[str, Any]:
    return {"id": row.public_id, **{name: getattr(row, name) for name in names}}


def _all_rows(seen: dict[str, Any]) -> bool:
    done: tuple[Callable[[], bool], ...] = (
        lambda: seen["call"]["ended_at"] is not None,
        lambda: seen["order"]["status"] == OrderStatus.ACCEPTED,
        lambda: seen["offer"]["status"] == OfferStatus.ACCEPTED,
        lambda: seen["callback"]["status"] == CallbackStatus.CONFIRMED,
    )
    return all(seen[name] for name in ("call", "order", "offer", "callback")) and all(check() for check in done)


def _over_sip(network: Carrier, wish: demo_world.Wish) -> dict[str, bool]:
    """What the network itself saw: it does not take the database's word."""
    elder = network.phone(wish.number)
    asked = [call for number in demo_world.PROVIDER_NUMBERS for call in network.phone(number).calls_received]
    return {
        "elder_was_answered": any(not call.incoming and call.answered_at is not None for call in elder.calls),
        "provider_was_rung_and_answered": any(call.answered_at is not None for call in asked),
        "elder_was_rung_back_and_answered": any(call.answered_at is not None for call in elder.calls_received),
    }


def _summary(seen: dict[str, Any], tell: Teller, as_json: bool) -> None:
    if as_json:
        json.dump(seen, sys.stdout, ensure_ascii=False, indent=2, default=_json)
        sys.stdout.write("\n")
        sys.stdout.flush()
    for name in ("call", "order", "offer", "callback"):
        row = seen[name] or {}
        details = "  ".join(f"{key} {_json(value)}" for key, value in row.items() if value is not None)
        tell(f"[bold]{name:<9}[/bold] {details or 'missing'}")
    good = "The whole journey was seen, in the database and over SIP."
    bad = "The journey is not complete: " + ", ".join(k for k, v in seen["sip"].items() if not v)
    tell(good if seen["complete"] else bad, "bold green" if seen["complete"] else "bold red")


def _json(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
