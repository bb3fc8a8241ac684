"""Serve a site to this machine alone: on the loopback address, for reading, under the policies of its pages.

A page of another site that the reader has open may send requests to any address: a request is answered only if its Host
names this server (so that no other name can be pointed at it), and only GET and HEAD are known.
"""

import html
import re
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from harness import text as words
from harness.commands.site import LIVE_JSON
from harness.errors import HarnessError
from harness.report.site.pages import INDEX

LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost")
WAIT_SECONDS = 30.0  # for the rest of a request
_POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy" content="([^"]*)">')
_NOTHING = "default-src 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}

Pages = Callable[[str], bytes | None]  # address -> page, None if there is none; may raise HarnessError


class Server(ThreadingHTTPServer):
    """A server of pages, each made when it is asked for."""

    daemon_threads = True
    allow_reuse_address = False  # on some systems, two servers could share a port

    def __init__(self, pages: Pages, port: int = 0) -> None:
        self.pages = pages
        try:
            super().__init__((LOOPBACK, port), Handler)
        except OSError as error:
            raise HarnessError(
                f"--port {port}: {error.strerror or error}; name another port, or leave --port out for a free one"
            ) from error

    @property
    def port(self) -> int:
        """Return the port that the server listens at."""
        return int(self.server_address[1])

    @property
    def address(self) -> str:
        """Return the address of the first page."""
        return f"http://{LOOPBACK}:{self.port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Do nothing: the reader has closed the connection."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    timeout = WAIT_SECONDS
    server_version, sys_version = "harness", ""

    def do_GET(self) -> None:
        """Answer with a page."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer with a page's headers."""
        self._answer()

    def _answer(self) -> None:
        if self.headers.get_all("Host", []) not in [[f"{name}:{self.server.port}"] for name in NAMES]:
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, "the Host is not this server")
            return
        address = unquote(urlsplit(self.path).path).removeprefix("/") or INDEX
        try:
            page = self.server.pages(address)
        except HarnessError as error:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _told("This page cannot be made", str(error)))
            return
        if page is None:
            self._send(HTTPStatus.NOT_FOUND, _told("There is no such page", "RESULTs may have changed."))
            return
        self._send(HTTPStatus.OK, page, "application/json" if address == LIVE_JSON else "text/html")

    def _send(self, status: HTTPStatus, page: bytes, kind: str = "text/html") -> None:
        found = _POLICY.search(page[:4096]) if kind == "text/html" else None
        policy = html.unescape(found[1].decode()) if found else _NOTHING
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Content-Security-Policy", f"{policy}; frame-ancestors 'none'")
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a line; a method that is not known is not allowed."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else HTTPStatus(code)
        self.close_connection = True
        self._send(status, _told(status.phrase, ""))

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin an answer; one to an unknown method names those that are known."""
        super().send_response(code, message)
        if code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  http.server's name
        """Print nothing."""


def _told(what: str, why: str) -> bytes:
    """Return a page with a sentence."""
    said = html.escape(words.visible(f"{what}. {why}".strip()))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(what)}</title>'
        f'<p>{said}</p><p><a href="/">All RESULTs</a></p></html>'
    ).encode("utf-8", "replace")
