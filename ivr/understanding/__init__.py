"""What she means by what she said: text in, a `Meaning` out. Pure: no line, no rows, no clock."""

from ivr.understanding.meaning import NOTHING, Meaning, When
from ivr.understanding.names import which
from ivr.understanding.understand import understand

__all__ = ["NOTHING", "Meaning", "When", "understand", "which"]
