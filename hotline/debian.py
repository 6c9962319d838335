"""Where Debian's newer packages come from on this machine: a mirror, and the keys it must be signed with.

No mirror's address is written here. Debian machines name theirs in apt's own
sources; elsewhere it is read out of the `debootstrap` package, which carries it.
Standard library only: it runs before the virtual environment exists.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hotline.apt import Apt, FetchError

KEYRINGS = Path("/usr/share/keyrings")
KEYRING_NAMES = ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp")
NETWORK_REMEDY = (
    "check the network and http_proxy, or set HOTLINE_DEBIAN_MIRROR to a Debian mirror that carries forky or sid"
)


@dataclass(frozen=True)
class Source:
    """One line of apt's sources, reduced to what matters here."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""
    trusted: bool = False


@dataclass(frozen=True)
class Mirror:
    """Where to ask, and whose signature to demand."""

    uri: str
    keyrings: tuple[Path, ...]
    trusted: bool = False

    def line(self, suite: str) -> str:
        """The line for apt's sources; a mirror on disk is copied from, else apt leaves the packages there."""
        uri = self.uri.replace("file:", "copy:", 1) if self.uri.startswith("file:") else self.uri
        return f"deb {'[trusted=yes] ' if self.trusted else ''}{uri} {suite} main"


def parse_list(text: str) -> Iterator[Source]:
    """The one-line form: `deb [option=value …] uri suite component…`."""
    for line in text.splitlines():
        found = re.match(r"^\s*deb\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)", line)
        if found:
            options = dict(o.split("=", 1) for o in (found[1] or "").split() if "=" in o)
            yield Source(
                found[2],
                found[3],
                tuple(found[4].split()),
                options.get("signed-by", ""),
                options.get("trusted") == "yes",
            )


def parse_deb822(text: str) -> Iterator[Source]:
    """The form with fields, one paragraph for several suites and mirrors."""
    # A comment line may stand inside a paragraph, and would otherwise end a field.
    without_comments = re.sub(r"(?m)^#.*\n?", "", text)
    for paragraph in re.split(r"\n\s*\n", without_comments):
        unfolded = re.sub(r"\n[ \t]+", " ", paragraph)
        pairs = [line.split(":", 1) for line in unfolded.splitlines() if ":" in line]
        fields = {key.strip().lower(): value.strip() for key, value in pairs}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        signed_by = fields.get("signed-by", "")
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(
                    uri,
                    suite,
                    tuple(fields.get("components", "").split()),
                    # A key written out in place has no file; the archive's keyring serves then.
                    signed_by if signed_by.startswith("/") else "",
                    fields.get("trusted", "").lower() == "yes",
                )


def machine_sources(etc: Path = Path("/etc/apt")) -> list[Source]:
    """All sources of this machine, both forms."""
    files = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    sources: list[Source] = []
    for path in files:
        if path.suffix in (".list", ".sources") and path.is_file() and os.access(path, os.R_OK):
            text = path.read_text(errors="replace")
            sources += parse_deb822(text) if path.suffix == ".sources" else parse_list(text)
    return sources


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """Which distribution this is."""
    if not path.is_file():
        return {}
    pairs = (line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
    return {key: value.strip().strip('"') for key, value in pairs}


def debian_sources(sources: list[Source], codename: str) -> list[Source]:
    """The sources that are Debian's main archive, likeliest first; foreign repositories use codenames too."""
    archive_suites = {codename, "stable", "testing", "unstable", "sid", "forky", "trixie", "bookworm"} - {""}
    main = [s for s in sources if "main" in s.components and s.suite in archive_suites and s.uri[:6] != "cdrom:"]
    return sorted(main, key=lambda s: not s.uri.rstrip("/").endswith("/debian"))


def find_mirrors(work: Path) -> list[Mirror]:
    """Where to try, in order. The setting overrides everything."""
    release = os_release()
    archive_keyrings = tuple(KEYRINGS / n for n in KEYRING_NAMES if (KEYRINGS / n).is_file())[:1]
    configured = os.environ.get("HOTLINE_DEBIAN_MIRROR", "").rstrip("/")
    mirrors: list[Mirror] = []
    if not configured and release.get("ID") == "debian":
        for source in debian_sources(machine_sources(), release.get("VERSION_CODENAME", "")):
            signers = tuple(Path(p) for p in source.signed_by.split() if Path(p).is_file())
            mirror = Mirror(source.uri.rstrip("/"), (*archive_keyrings, *signers), source.trusted)
            if (mirror.keyrings or mirror.trusted) and mirror not in mirrors:
                mirrors.append(mirror)
    if mirrors:
        return mirrors
    return [_mirror_of_another_distribution(work, configured, archive_keyrings)]


def _mirror_of_another_distribution(work: Path, uri: str, keyrings: tuple[Path, ...]) -> Mirror:
    """On Ubuntu the mirror and the keys come out of two small packages of Ubuntu's own archive."""
    try:
        if uri and keyrings:
            return Mirror(uri, keyrings)
        apt = Apt(work / "machine", status=Path("/var/lib/dpkg/status"))
        apt.update()
        if not uri:
            uri = mirror_in_debootstrap(apt.fetch_one("debootstrap"))
        unpacked = apt.fetch_one("debian-archive-keyring") / "usr/share/keyrings"
    except subprocess.CalledProcessError as error:
        raise FetchError(f"this machine's own package sources do not answer: {error.stderr}", NETWORK_REMEDY) from None
    found = tuple(unpacked / n for n in KEYRING_NAMES if (unpacked / n).is_file())[:1]
    return Mirror(uri, found)


def mirror_in_debootstrap(unpacked: Path) -> str:
    """Ubuntu's script for sid says `default_mirror URI`; Debian's own program has it as its default."""
    places = (
        "usr/share/debootstrap/scripts/sid",
        "usr/share/debootstrap/scripts/debian-common",
        "usr/sbin/debootstrap",
    )
    for path in (unpacked / place for place in places):
        text = path.read_text(errors="replace") if path.is_file() else ""
        found = re.search(r"""^\s*(?:default_mirror\s+|DEF_MIRROR=)["']?(\w+:[^"'\s]+/debian)/?["']?\s*$""", text, re.M)
        if found:
            return found[1]
    raise FetchError("the debootstrap package names no mirror of Debian", NETWORK_REMEDY)


def open_suite(work: Path, mirror: Mirror, suite: str) -> Apt:
    """The suite's index, verified.

    An old keyring (Ubuntu 22.04) may not know the newest archive key; Debian's
    releases are signed with the old key as well and carry the new keyring.
    """
    apt = Apt(work / suite, mirror.line(suite), mirror.keyrings)
    try:
        apt.update()
        return apt
    except subprocess.CalledProcessError as error:
        if not re.search(r"NO_PUBKEY|Missing key|not signed", str(error.stderr)):
            raise
        refused = error
    for release in ("trixie", "bookworm"):
        older = Apt(work / f"keys-{release}", mirror.line(release), mirror.keyrings)
        try:
            older.update()
            newer = older.fetch_one("debian-archive-keyring") / "usr/share/keyrings"
        except subprocess.CalledProcessError:
            continue
        keyrings = tuple(newer / n for n in KEYRING_NAMES if (newer / n).is_file())[:1]
        apt = Apt(work / suite, mirror.line(suite), keyrings)
        apt.update()
        return apt
    raise refused
