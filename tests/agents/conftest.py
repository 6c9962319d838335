"""The agents' world needs the rows of the console's tests, and no HTTP."""

from __future__ import annotations

from tests.web.conftest import quick_hashes, var_dir, world

__all__ = ["quick_hashes", "var_dir", "world"]
