"""Fetches the speech models that no package registry carries, from their makers' site.

A download that was cut goes on where it stopped (Range). What has come is
checked against the SHA-256 of this table; where the table has none, against the
maker's own list of models, and its SHA-256 is recorded on first use and
demanded ever after. Only then does it take the model's place, in one step.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hotline.apt import FetchError, Progress, sha256
from hotline.fetch import locked

SITE = "https://alphacephei.com/vosk/models"
_TIMEOUT_S = 20
_PIECE = 1 << 16
# A server that cuts every connection is given up after so many without progress.
_TRIES = 5
_NEEDED = ("am/final.mdl", "conf/model.conf")


@dataclass(frozen=True)
class Model:
    """A model on the site. `sha256` is empty where nobody has published one that we trust."""

    name: str
    megabytes: int
    sha256: str = ""


MODELS: dict[str, Model] = {
    "zh-CN": Model("vosk-model-small-cn-0.22", 42),
    # As pinned by the installer of Numen, a voice control for Linux, which uses this model.
    "en": Model("vosk-model-small-en-us-0.15", 40, "30f26242c4eb449f948e42cb302dd7a686cb29a3423a8367f99ff41780942498"),
}
SHORT = {"zh": "zh-CN"}


def fetch(language: str, cache_dir: Path, site: str = SITE) -> Path:
    """Make sure of the model of `language` (zh, zh-CN, en) and return its folder. Raises FetchError."""
    language = SHORT.get(language, language)
    model = MODELS.get(language)
    if model is None:
        known = ", ".join([*SHORT, *MODELS])
        raise FetchError(f"no speech model is fetched for {language!r}", f"say one of {known}; Korean is a package")
    store = cache_dir / "speech"
    final = store / language
    with locked(store / ".lock", f"Speech model {language}"):
        if _is_whole(final):
            return final
        progress = Progress(f"Speech model {language}")
        archive = store / f"{model.name}.zip"
        _download(f"{site}/{model.name}.zip", archive, progress)
        _verify(model, archive, store, site, progress)
        _unpack(archive, final, progress)
        archive.unlink()
        progress.done(f"{model.name} is in {final}; `hotline up` listens in {language} from its next start")
    return final


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _NEEDED)


def _download(url: str, archive: Path, progress: Progress) -> None:
    """Download to `archive`, going on where an earlier try stopped."""
    part = archive.with_suffix(".part")
    if archive.exists():
        return
    without_progress = 0
    problem = ""
    while without_progress < _TRIES:
        before = part.stat().st_size if part.exists() else 0
        try:
            if _go_on(url, part, progress):
                part.replace(archive)
                return
            problem = "the connection ended early"
        except urllib.error.HTTPError as error:
            if error.code == 416 and before:  # more than there is: another file under the same name
                part.unlink()
            elif error.code < 500:
                raise FetchError(f"{url}: HTTP {error.code}", _by_hand(url, archive)) from error
            problem = f"HTTP {error.code}"
        except (OSError, ValueError) as error:
            problem = str(getattr(error, "reason", error))
        grown = part.exists() and part.stat().st_size > before
        without_progress = 0 if grown else without_progress + 1
    raise FetchError(f"{url}: {problem}", _by_hand(url, archive))


def _by_hand(url: str, archive: Path) -> str:
    return (
        f"this machine has no way to {url.split('/')[2]}: set https_proxy, or fetch {url} elsewhere, put it at "
        f"{archive} and run this again; until then callers press keys"
    )


def _go_on(url: str, part: Path, progress: Progress) -> bool:
    """Append what is missing; whether it is whole now. Raises OSError, ValueError, HTTPError."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 (ours)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        if answer.status != 206:
            have = 0  # it sends everything again
        total = have + int(answer.headers.get("Content-Length") or 0)
        with part.open("ab" if have else "wb") as file:
            for piece in _pieces(answer):
                file.write(piece)
                have += len(piece)
                share = f"{have * 100 // total} % of {total / 1e6:.0f} MB" if total else f"{have / 1e6:.0f} MB"
                progress.show(share)
    return have >= total > 0


def _pieces(answer: object) -> Iterator[bytes]:
    while piece := answer.read(_PIECE):  # type: ignore[attr-defined]
        yield piece


def _verify(model: Model, archive: Path, store: Path, site: str, progress: Progress) -> None:
    """Compare checksums; a wrong file is thrown away. Raises FetchError."""
    progress.show("checking")
    record = store / "checksums.json"
    recorded: dict[str, str] = {}
    with suppress(OSError, ValueError):
        recorded = json.loads(record.read_text())
    found = sha256(archive)
    wanted = model.sha256 or recorded.get(model.name, "")
    if wanted and found != wanted:
        archive.unlink()
        raise FetchError(
            f"{model.name}.zip has the checksum {found}, not {wanted}; it is thrown away",
            "run this again; if it stays so, somebody between here and the site changes files",
        )
    if not wanted:
        md5 = _listed_md5(model, site)
        with archive.open("rb") as file:
            if md5 and hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() != md5:
                archive.unlink()
                raise FetchError(f"{model.name}.zip is not the file of the site's list", "run this again")
        progress.done(f"no SHA-256 is published; recorded on first use: {found}")
        record.write_text(json.dumps(recorded | {model.name: found}, indent=1) + "\n")


def _listed_md5(model: Model, site: str) -> str:
    """Return what the maker's own list says of the file; empty where it says nothing."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        with urllib.request.urlopen(f"{site}/model-list.json", timeout=_TIMEOUT_S) as answer:  # noqa: S310
            listed = json.loads(answer.read(4 << 20))
        return next((str(entry["md5"]) for entry in listed if entry["name"] == model.name), "")
    return ""


def _unpack(archive: Path, final: Path, progress: Progress) -> None:
    progress.show("unpacking")
    partial = final.with_name(f"{final.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(partial)  # zipfile itself keeps every name inside
    except zipfile.BadZipFile as error:
        archive.unlink()
        raise FetchError(f"{archive.name} is no archive", "run this again") from error
    inside = next((folder for folder in (partial, *partial.iterdir()) if _is_whole(folder)), None)
    if inside is None:
        shutil.rmtree(partial)
        archive.unlink()
        raise FetchError(f"{archive.name} holds no speech model", "run this again")
    shutil.rmtree(final, ignore_errors=True)
    inside.rename(final)
    shutil.rmtree(partial, ignore_errors=True)
