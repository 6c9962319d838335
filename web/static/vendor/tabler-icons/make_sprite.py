"""Draw sprite.svg from Tabler's outline icons: `python make_sprite.py node_modules/@tabler/icons/icons/outline`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ICONS = """
address-book alert-circle alert-triangle arrow-back-up arrow-right arrow-right-circle
arrows-transfer-up ban building-store cake calendar calendar-check chart-bar check chevron-down
circle-check circle-dashed clipboard-list clock coffee dialpad door dots-vertical download ear edit
eye file-spreadsheet gauge git-merge headphones headset heart history home hourglass id-badge-2
keyboard language layout-dashboard list list-check lock logout map-pin message message-question
microphone microphone-off moon notes phone phone-call phone-incoming phone-off phone-outgoing
phone-plus player-pause player-play player-record player-stop plus point progress robot search send
settings shield-lock star stethoscope sun sun-moon tool transfer upload urgent user user-check
user-plus user-search users volume wifi wifi-off x
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
