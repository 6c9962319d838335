"""`python -m dispatch worker` and `python -m dispatch dispatcher`: the processes of this room."""

from __future__ import annotations

import sys

from models.startup import loading

if __name__ == "__main__":
    with loading():
        from dispatch import processes
        from models import logs
    logs.configure()
    {"worker": processes.work, "dispatcher": processes.dispatch}[sys.argv[1]]()
