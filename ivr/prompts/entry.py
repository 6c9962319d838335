"""What a prompt is: a key, where it is used, its text in each language."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Place(StrEnum):
    """Where in which call a prompt is spoken; the console shows it and filters by it."""

    START = "inbound.start"  # who is calling, the greeting
    SERVICE = "inbound.service"  # what she needs
    TIME = "inbound.time"
    READBACK = "inbound.readback"
    DONE = "inbound.done"
    MANAGE = "inbound.manage"  # status, change, cancel, rate, message
    MISSED = "inbound.missed"  # not heard, not understood
    PERSON = "person.transfer"  # on the way to a person
    WAITING = "person.waiting"
    MESSAGE = "person.message"  # nobody is free: a message, a callback
    VISIT = "inbound.visit"  # a worker reports from the elder's telephone
    OFFER = "outbound.offer"
    CALLBACK = "outbound.callback"
    CARE = "outbound.care"  # how are you: a care visit
    LOOK_IN = "outbound.look_in"  # a contact or a butler is asked to look in
    RETURN = "outbound.return_visit"
    STUDIO = "staff.studio"
    PART = "part"  # fills a variable of another prompt


@dataclass(frozen=True)
class Prompt:
    """One entry of the catalogue.

    `text` has every language, with the same `{variables}`; it is what an operator
    reads when recording. `static`: the dialplan plays it by itself, when Python
    may be away, so it has no variables.
    """

    key: str
    place: Place
    text: Mapping[str, str]
    static: bool = False

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Its variables, in the order in which the Chinese text speaks them."""
        return tuple(name for _, name, _, _ in string.Formatter().parse(self.text["zh-CN"]) if name)
