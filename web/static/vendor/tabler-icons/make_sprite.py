"""Draw sprite.svg from Tabler's outline icons: `python make_sprite.py node_modules/@tabler/icons/icons/outline`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ICONS = """
alert-circle alert-triangle arrow-right arrows-transfer-up ban building-store check circle-check
circle-dashed clipboard-list clock headset heart hourglass keyboard language list-check logout
message message-question microphone microphone-off moon phone phone-incoming phone-off
phone-outgoing player-play player-stop point progress robot sun sun-moon tool upload urgent user
user-check user-search volume
"""
DRAWN = (
    'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" stroke-linejoin="round"'
)


def symbol(name: str, svg: str) -> str:
    """One icon as a symbol, without Tabler's invisible frame and without needless blanks."""
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    body = re.sub(r'<path stroke="none"[^>]*/>', "", body)
    body = re.sub(r"\s+", " ", body).replace(" />", "/>").replace("> <", "><").strip()
    return f'<symbol id="{name}" {DRAWN}>{body}</symbol>'


if __name__ == "__main__":
    outline = Path(sys.argv[1])
    symbols = [symbol(name, (outline / f"{name}.svg").read_text()) for name in ICONS.split()]
    sprite = "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>", ""])
    Path(__file__).with_name("sprite.svg").write_text(sprite)
