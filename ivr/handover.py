"""The only place that names the dialplan's channel variables: what happens to the call after AGI."""

from __future__ import annotations

from ivr.agi import Line
from ivr.prompts import voice
from ivr.turns import ToPerson


def to_person(line: Line, move: ToPerson, language: str) -> None:
    """Tell her that a person comes, and tell the dialplan why. It is the dialplan's default in any case."""
    line.set_variable("HOTLINE_WHY", move.reason)
    line.set_variable("HOTLINE_LANGUAGE", language)
    line.set_variable("HOTLINE_NEXT", "person")
    if move.lines:
        try:
            line.play(voice.utterance(move.lines, language))
        except voice.VoiceFailed:
            return  # She is passed on without the sentence rather than not at all.


def hang_up(line: Line) -> None:
    """The conversation came to its designed end: the dialplan may hang up."""
    line.set_variable("HOTLINE_NEXT", "hangup")
