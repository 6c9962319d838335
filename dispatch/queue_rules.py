"""Brings times and weights of the queues, as an administrator has set them, to Asterisk.

app_queue takes them from its configuration only: a file of ours, which queues.conf includes last, is written anew and
read again. What the dialplan waits for stands in its global variables.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from dispatch.ami import Ami
from dispatch.roster import queue_of, urgent_queue_of
from models.queue_rules import RULES_FILE, URGENT_WEIGHT, QueueRules
from models.settings import settings

log = logging.getLogger(__name__)


# Of the dialects on the list: language and code.
Dialects = Sequence[tuple[str, str]]


def as_config(rules: QueueRules, dialects: Dialects = ()) -> str:
    """Return the rules in the form of queues.conf: additions to its queues, and a queue for each of the dialects."""
    lines = ["; Written by the dispatcher: what is set in the console under Settings, Queues."]
    for language, weight in rules.weights.items():
        for queue, heavy in ((queue_of(language), weight), (urgent_queue_of(language), URGENT_WEIGHT)):
            lines += [f"[{queue}](+)", f"timeout={rules.ring_s}", f"weight={heavy}"]
    for language, code in dialects:
        if language in rules.weights:
            lines += [f"[{queue_of(language, code)}](dialect)", f"timeout={rules.ring_s}"]
            lines += [f"weight={rules.weights[language]}"]
    return "\n".join(lines) + "\n"


def tell(ami: Ami, rules: QueueRules, dialects: Dialects = ()) -> None:
    """Let Asterisk go by `rules` from the next ring on; callers and members stay where they are.

    A dialect that is on the list no more loses its queue.

    Raises:
        ManagerException: Asterisk cannot be spoken to.
    """
    path, wanted = settings().run_dir / RULES_FILE, as_config(rules, dialects)
    try:
        if not path.exists() or path.read_text() != wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            fresh.write_text(wanted)
            fresh.replace(path)
    except OSError as error:
        # The queues go on by what they have: nobody is less reachable for it.
        log.error("the rules of the queues could not be written: %s", error)
    ami.send_action({"Action": "QueueReload", "Members": "no", "Rules": "no", "Parameters": "yes"})
    for name, seconds in (("AGENT_RING", rules.ring_s), ("WAIT_LAP", rules.lap_s), ("QUEUE_WAIT", rules.wait_s)):
        ami.send_action({"Action": "Setvar", "Variable": name, "Value": str(seconds)})
