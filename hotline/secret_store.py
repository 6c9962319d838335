"""Secrets that nobody has to choose: made on the first start, kept beside the data, readable by the owner only."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

NAMES = ("ami_secret", "web_secret")


def ensure(var_dir: Path) -> dict[str, str]:
    """Return the secrets of this installation, made now where there are none."""
    path = var_dir / "secrets.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in NAMES if name not in kept]
    if missing:
        kept |= {name: secrets.token_urlsafe(32) for name in missing}
        var_dir.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part")
        part.touch(mode=0o600)
        part.write_text(json.dumps(kept))
        part.replace(path)
    return kept
