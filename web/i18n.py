"""Languages: Chinese first, Korean, English; English texts are the message ids.

The catalogues (`translations/*/LC_MESSAGES/messages.po`) are compiled in memory
when the application starts: there is no build step to forget, no compiled file
that can be older than its source, and the folder may be read-only.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Flask, g, request, session
from flask_babel import Babel, get_locale

FOLDER = Path(__file__).parent / "translations"
DEFAULT = "zh-CN"
# Our code for a language, Babel's locale, and the name it calls itself by.
LOCALES = {"zh-CN": "zh_CN", "ko": "ko", "en": "en"}
NAMES = {"zh-CN": "中文", "ko": "한국어", "en": "English"}
COOKIE = "language"


@cache
def catalogue(locale: str) -> NullTranslations:
    """Return the compiled catalogue of `locale`; English needs none."""
    source = FOLDER / locale / "LC_MESSAGES" / "messages.po"
    if not source.exists():
        return NullTranslations()
    compiled = BytesIO()
    with source.open("rb") as read:
        write_mo(compiled, read_po(read, locale=locale))
    compiled.seek(0)
    return Translations(compiled)


def language() -> str:
    """Return the language of this request: the user's, else the browser's cookie, else Chinese."""
    forced = g.get("language")
    wanted = forced or session.get("language") or request.cookies.get(COOKIE)
    return wanted if wanted in LOCALES else DEFAULT


def init_app(app: Flask) -> None:
    """Give `app` its languages."""
    babel = Babel(app, default_locale=LOCALES[DEFAULT], locale_selector=lambda: LOCALES[language()])  # type: ignore[no-untyped-call]
    with app.app_context():
        cache_of = babel.domain_instance.cache
        for locale in LOCALES.values():
            cache_of[str(Locale.parse(locale)), "messages"] = catalogue(locale)
    app.jinja_env.globals.update(language=language, locale=get_locale, language_names=NAMES, default_language=DEFAULT)
