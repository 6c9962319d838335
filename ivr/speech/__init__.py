"""The speech server: turns what a caller says into one of the phrases of the turn.

A process of its own, because Vosk can abort. Asterisk's speech API is its
client; docs/decisions/010-speech-server.md gives the exact sequence of AGI
commands and what comes back.
"""

from ivr.speech.protocol import AUDIO_MARK, SPEAKING, UNAVAILABLE, UNKNOWN

__all__ = ["AUDIO_MARK", "SPEAKING", "UNAVAILABLE", "UNKNOWN"]
