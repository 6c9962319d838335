"""What protects every page: cookies, CSRF, headers, and proxies that are believed only when listed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, current_app, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from models.settings import Settings
from web.config import ConsoleSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

View = TypeVar("View", bound=Callable[..., Any])

# Nothing is inline and nothing comes from elsewhere, so nothing else has to be allowed.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "media-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
}
_FORWARDED = ("FOR", "PROTO", "HOST", "PORT", "PREFIX")


class ListedProxies:
    """Believe X-Forwarded-* from the listed proxies; from anybody else the headers are taken off."""

    def __init__(self, app: WSGIApplication, console: ConsoleSettings) -> None:
        self._app = app
        self._behind = ProxyFix(app, x_for=1, x_proto=1, x_host=1)
        self._networks = console.trusted_proxies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request; `hotline.forwarded` says whether a proxy stands between, believed or not."""
        names = ("HTTP_FORWARDED", *(f"HTTP_X_FORWARDED_{name}" for name in _FORWARDED))
        environ["hotline.forwarded"] = any(name in environ for name in names)
        if self._listed(str(environ.get("REMOTE_ADDR", ""))):
            return self._behind(environ, start_response)
        for name in names:
            environ.pop(name, None)
        return self._app(environ, start_response)

    def _listed(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def policy(settings: Settings, console: ConsoleSettings) -> str:
    """Return the policy of this console: its own, and the way to the telephone exchange.

    Behind a proxy that is the console's own address. Without HTTPS a microphone works on this machine alone.
    """
    if console.phone_url:
        reached = [console.phone_url]
    elif console.https:
        reached = []
    else:
        reached = [f"ws://{name}:{settings.asterisk_http_port}" for name in ("127.0.0.1", "localhost")]
    return CONTENT_SECURITY_POLICY.replace("connect-src 'self'", " ".join(("connect-src 'self'", *reached)))


def init_app(app: Flask, settings: Settings, console: ConsoleSettings) -> CSRFProtect:
    """Set cookies, CSRF and headers of `app`; return the protection, for views that have another one."""
    app.config.update(
        # The prefix makes the browser refuse the cookie unless it is Secure and for this host alone.
        SESSION_COOKIE_NAME="__Host-hotline" if console.https else "hotline",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=console.https,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(seconds=console.session_s),
        # A page may stay open for a whole shift; the token ends with the session.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=console.https,
        MAX_CONTENT_LENGTH=256 * 1024,
    )
    # Before the token is looked for, because that reads the form.
    app.before_request(_raise_limit)
    csrf = CSRFProtect(app)  # type: ignore[no-untyped-call]
    app.wsgi_app = ListedProxies(app.wsgi_app, console)  # type: ignore[method-assign]

    headers = HEADERS | {"Content-Security-Policy": policy(settings, console)}

    @app.after_request
    def _headers(response: BaseResponse) -> BaseResponse:
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if console.https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        if request.endpoint == "static":
            _cache_static(response)
        else:
            # Pages show people: no copy stays on a disk or in a proxy.
            response.headers["Cache-Control"] = "no-store"
        return response

    return csrf


def takes_up_to(size: int) -> Callable[[View], View]:
    """Declare that a view takes a larger body than the others (bytes)."""

    def declare(view: View) -> View:
        view.max_body = size  # type: ignore[attr-defined]
        return view

    return declare


def _raise_limit() -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    if size := getattr(view, "max_body", 0):
        request.max_content_length = size


def _cache_static(response: Any) -> None:
    # A file's address carries its content's hash, so a new version has a new address.
    if response.status_code == 200 and request.args.get("v"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
