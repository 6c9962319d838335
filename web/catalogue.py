"""For developers: collect every text of the console into the catalogues. `python -m web.catalogue` after a change.

What is new stands in the `.po` files with an empty translation; a test fails
until it has one in every language.
"""

from __future__ import annotations

from io import SEEK_END, BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from models.orders import ORDER_MOVES
from web.i18n import FOLDER, LOCALES

WEB = Path(__file__).parent
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "_l": None, "gettext": None, "ngettext": (1, 2)}
TRANSLATED = tuple(locale for locale in LOCALES.values() if locale != "en")

# Without dates and addresses: they would change the file with every run and say nothing.
HEADER = """# The console's texts. Written by `python -m web.catalogue`; only the translations are edited by hand.
msgid ""
msgstr ""
"Language: {locale}\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def extract() -> Catalog:
    """Return every text that is to be translated, where it stands as comment."""
    found = Catalog(project="12349 hotline", charset="utf-8", fuzzy=False)
    options = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
    rows = extract_from_dir(str(WEB), METHODS, options_map=options, keywords=KEYWORDS)
    for filename, _line, message, _comments, context in rows:
        # No line numbers: they would change the catalogue with every edit elsewhere.
        found.add(message, None, [(filename, 0)], context=context)
    for sentence in dict.fromkeys(ORDER_MOVES.values()):
        found.add(sentence, None, [("models/orders.py", 0)])
    return found


def path_of(locale: str) -> Path:
    """Return where the catalogue of `locale` lies."""
    return FOLDER / locale / "LC_MESSAGES" / "messages.po"


def load(locale: str) -> Catalog:
    """Return the catalogue of `locale`; an empty one if there is none yet."""
    path = path_of(locale)
    if not path.exists():
        return Catalog(locale=locale, fuzzy=False)
    with path.open("rb") as read:
        return read_po(read, locale=locale)


def update() -> None:
    """Bring every catalogue to the texts of the code. Nothing is guessed: what is new stays empty."""
    template = extract()
    for locale in TRANSLATED:
        catalogue = load(locale)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        written = BytesIO(HEADER.format(locale=locale).encode())
        written.seek(0, SEEK_END)
        write_po(written, catalogue, width=110, omit_header=True, sort_output=True, include_lineno=False)
        path_of(locale).parent.mkdir(parents=True, exist_ok=True)
        path_of(locale).write_bytes(written.getvalue())


if __name__ == "__main__":
    update()
