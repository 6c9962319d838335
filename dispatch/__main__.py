"""`python -m dispatch worker` and `python -m dispatch dispatcher`: the processes of this room."""

from __future__ import annotations

import sys

from dispatch import processes
from models import logs

if __name__ == "__main__":
    logs.configure()
    {"worker": processes.work, "dispatcher": processes.dispatch}[sys.argv[1]]()
