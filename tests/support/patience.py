"""How many times longer than on a free machine a test may wait before it says "late": CI says 2."""

from __future__ import annotations

import os

PATIENCE = float(os.environ.get("HOTLINE_PATIENCE", "1"))
