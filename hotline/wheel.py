"""A wheel of the project that only points to the clone: what an editable install is, without a build.

A build backend would be one more download, and one more thing that can fail on
a bare machine. Standard library only: it runs before the virtual environment exists.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
import zipfile
from pathlib import Path


def write_wheel(root: Path, folder: Path) -> Path:
    """Write the wheel for the clone at `root` into `folder`."""
    text = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))
    project = text["project"]
    packages: list[str] = text["tool"]["setuptools"]["packages"]
    base = f"{project['name'].replace('-', '_')}-{project['version']}"
    info = f"{base}.dist-info"
    scripts = "".join(f"{name} = {target}\n" for name, target in project["scripts"].items())
    requires = "".join(f"Requires-Dist: {d}\n" for d in project["dependencies"])
    files = {
        f"__editable__.{base}.pth": f"{root}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        f"Requires-Python: {project['requires-python']}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hotline\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{scripts}",
        # importlib.metadata reads from here whose the generic package names are.
        f"{info}/top_level.txt": "".join(f"{name}\n" for name in sorted({p.split(".")[0] for p in packages})),
    }
    record = "".join(f"{name},{_digest(content)},{len(content.encode())}\n" for name, content in files.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{base}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def _digest(content: str) -> str:
    raw = hashlib.sha256(content.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
