"""What the telephone's script says, and why something is refused. Words that other pages have stand in web/words.py."""

from __future__ import annotations

from flask_babel import gettext as _

from web.words import PRESENCE, PRESENCE_REASON, WATCHED, WATCHING


def refusals() -> dict[str, str]:
    """Return why something was not done, by code."""
    return {
        "not_yours": _("Somebody else works on this visit now. Take the next one."),
        "away": _("The telephone exchange does not answer. It is tried again."),
        "no_line": _("Your telephone is not connected yet."),
        "reason": _("There is no such reason."),
        "not_in_wrap_up": _("There is nothing to be wrapped up."),
        "in_call": _("You are in a call already."),
        "no_call": _("There is no call."),
        "own_call": _("A call of your own cannot be passed on; ask the other side to wait and dial again."),
        "number": _("That is no telephone number."),
        "closed_task": _("This task has been closed meanwhile. Reload the page."),
        "locked_task": _("Somebody else has this task open and works on it."),
        "gone_task": _("There is no such task any more. Reload the page."),
        "not_hers": _("This number is not on her card any more. Reload the page."),
        "forbidden": _("This number may not be dialled from here."),
        "outside": _("Your role may only call numbers that the hotline knows. Ask a supervisor."),
        "engaged": _("That line is engaged just now."),
        "full": _("All lines of the trunk are taken. Try again in a moment."),
        "asked": _("Somebody is being asked already. Go back to the caller first, or hand over."),
        "nobody": _("Nobody is there, or has not answered yet."),
        "gone": _("The call has ended."),
        "refused": _("The telephone exchange has refused it."),
        "too_late": _("It took too long and was not done. Try again."),
        "illegal": _("That is not possible just now."),
        "yourself": _("That is your own call."),
        "agents_own": _("The agent dialled this call herself: you can listen and whisper, not join or take over."),
        "not_talking": _("This agent is in no call."),
    }


def said_by_script() -> dict[str, str]:
    """Return the words and sentences that the script says by itself."""
    return {
        **{code: str(word) for code, word in (PRESENCE | PRESENCE_REASON).items()},
        "connecting": _("The telephone is being connected …"),
        "connected": _("Telephone connected"),
        "coming": _("A call is coming to you"),
        "away": _("The telephone exchange does not answer. It is tried again."),
        "elsewhere": _("Your telephone is open in another tab."),
        "taken": _("Another tab has taken over the telephone."),
        "no_microphone": _("The microphone is not allowed."),
        "no_device": _("No microphone was found. Plug in the headset."),
        "busy_device": _("Another program uses the microphone. Close it and try again."),
        "insecure": _("A microphone works only over HTTPS or on this computer."),
        "hold": _("On hold"),
        "muted": _("Microphone off"),
        "dialing": _("Dialling …"),
        "leaving": _("You are in a call. Leave all the same?"),
        "ended_caller": _("The caller has hung up."),
        "ended_done": _("Call ended."),
        "ended_lost": _("The call was cut off. The caller is put through again."),
        "ended_missed": _("You did not answer; the call goes to somebody else."),
        "ended_rejected": _("Rejected; the call goes to somebody else."),
        "ended_taken": _("A supervisor has taken the call over."),
        "ended_transferred": _("Transferred."),
        "after": _("After this call: {0}"),
        "colleague": _("A colleague asks"),
        "emergency": _("Emergency"),
        "consulting": _("The caller holds"),
        "together": _("All together"),
        "busy_elsewhere": _("A call is under way in the other tab."),
        "other_computer": _("Another computer has taken over the telephone."),
        "unknown_caller": _("Incoming call"),
        "good": _("Good line"),
        "fair": _("The line is fair"),
        "poor": _("The line is bad"),
        "quality": _("loss {0} %, jitter {1} ms, delay {2} ms"),
        "seconds": _("{0} s"),
        **{f"watching_{code}": str(word) for code, word in WATCHING.items()},
        **{f"watched_{code}": str(word) for code, word in WATCHED.items()},
    }
