"""`python -m ivr.speech`: the speech server, a family of processes (family.py)."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from models import logs
from models.settings import settings


def _phrases(language: str, grammar: str) -> Sequence[str]:
    # Imported at the first turn, so that a fault in the vocabulary cannot keep the server from starting.
    from models.vocabulary import phrases

    return phrases(language, grammar)


def _cries(language: str) -> Sequence[str]:
    from models.vocabulary import ALWAYS

    return [phrase for concept in ALWAYS if concept.code == "emergency" for phrase in concept.phrases[language]]


def main() -> int:
    """Runs until SIGTERM; 1 where the port is taken."""
    logs.configure()
    # Its arithmetic is on frames of 20 ms; and a process that forks must have no threads.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from ivr.speech.family import Family

    try:
        Family(settings(), _phrases, _cries).run()
    except OSError as error:
        logging.getLogger(__name__).error("speech server cannot listen: %s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
