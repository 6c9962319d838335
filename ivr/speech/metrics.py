"""What the speech server counts, for its health page and for Prometheus. No words, no callers."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

# The lag is judged over so long (s), and over so many pieces at most.
_RECENT_S = 10.0
_MOST_LAGS = 4000

_HELP = {
    "streams": ("gauge", "Calls that are being listened to."),
    "max_streams": ("gauge", "Above this, calls are refused and go by keys."),
    "lag_p95_ms": ("gauge", "Age of the oldest sound in a piece when it was decoded, 95th percentile of 10 s."),
    "loop_lag_ms": ("gauge", "How late the event loop is."),
    "decoded_seconds": ("counter", "Audio decoded."),
    "understood": ("counter", "Utterances that were phrases."),
    "not_understood": ("counter", "Utterances that were none."),
    "lost": ("counter", "Utterances that no recogniser could end; those calls went on by keys."),
    "refused": ("counter", "Streams refused: too many, or decoding too far behind."),
    "recogniser_deaths": ("counter", "Recognising processes that died."),
    "restarts": ("counter", "Times that the server itself was replaced."),
}


@dataclass
class Metrics:
    """Counters since the server began."""

    understood: int = 0
    not_understood: int = 0
    lost: int = 0
    refused: int = 0
    restarts: int = 0
    decoded_ms: float = 0.0
    _lags: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MOST_LAGS))

    def decoded(self, audio_ms: float, lag_ms: float) -> None:
        """A piece of audio has been decoded, so long after its oldest sound came."""
        self.decoded_ms += audio_ms
        self._lags.append((time.monotonic(), lag_ms))

    @property
    def lag_p95_ms(self) -> float:
        """The 95th percentile of the lag of the last seconds; 0 where nothing was decoded."""
        since = time.monotonic() - _RECENT_S
        while self._lags and self._lags[0][0] < since:
            self._lags.popleft()
        ordered = sorted(lag for _, lag in self._lags)
        return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else 0.0


def prometheus(values: Mapping[str, float], languages: Mapping[str, str], processes: Mapping[str, int]) -> str:
    """The text format of Prometheus."""
    lines = []
    for name, (kind, text) in _HELP.items():
        full = f"hotline_speech_{name}{'_total' if kind == 'counter' else ''}"
        lines += [f"# HELP {full} {text}", f"# TYPE {full} {kind}", f"{full} {values[name]:g}"]
    lines += ["# HELP hotline_speech_ready Whether a language is understood.", "# TYPE hotline_speech_ready gauge"]
    lines += [f'hotline_speech_ready{{language="{lang}"}} {int(state == "ready")}' for lang, state in languages.items()]
    lines += ["# HELP hotline_speech_recognisers Processes.", "# TYPE hotline_speech_recognisers gauge"]
    lines += [f'hotline_speech_recognisers{{language="{lang}"}} {count}' for lang, count in processes.items()]
    return "\n".join(lines) + "\n"
