"""The inbound conversation as pure turns: (state, heard) → (state, what to do next).

Nothing here touches a line, a row or a clock, so a test walks the whole graph.
`who` finds out who is calling, `capture` what she needs, `readback` has it confirmed, `manage` what stands
already, `ratings` how it was; `strangers` and `providers` lead those who are no elders we know, `visits` the worker
who has come to one.
"""

from __future__ import annotations

from ivr.turns import capture, care, manage, providers, ratings, readback, strangers, visits, who
from ivr.turns.state import (
    Ask,
    Care,
    Digits,
    Do,
    GoodBye,
    Heard,
    Her,
    Key,
    KnownOrder,
    Matters,
    Missed,
    Move,
    OpenOffer,
    ReturnDue,
    Said,
    Silence,
    Slots,
    State,
    ToPerson,
    Unknown,
    WorkerHere,
)
from ivr.turns.steps import STEPS, done, hear, language_after

begin = who.begin
# Importing them puts their questions among the steps.
_ROOMS = (capture, care, readback, manage, providers, ratings, strangers, visits, who)

__all__ = [
    "STEPS",
    "Ask",
    "Care",
    "Digits",
    "Do",
    "GoodBye",
    "Heard",
    "Her",
    "Key",
    "KnownOrder",
    "Matters",
    "Missed",
    "Move",
    "OpenOffer",
    "ReturnDue",
    "Said",
    "Silence",
    "Slots",
    "State",
    "ToPerson",
    "Unknown",
    "WorkerHere",
    "begin",
    "done",
    "hear",
    "language_after",
]
