"""`python -m dispatch worker` and `python -m dispatch dispatcher`: the processes of this room."""

from __future__ import annotations

import gc
import sys

from dispatch import processes
from models import logs

if __name__ == "__main__":
    logs.configure()
    # What was imported stays for good: nobody has to walk it again, neither at work nor at the end.
    gc.freeze()
    {"worker": processes.work, "dispatcher": processes.dispatch}[sys.argv[1]]()
