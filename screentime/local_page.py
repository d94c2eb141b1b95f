"""A page for one person on this machine: what every server of this project is behind.

It listens on 127.0.0.1 only. Every answer wants the run's token and a Host that is this server's own (so that no foreign
name can be made to point here); whatever writes also wants this page's own Origin and JSON.
"""

import hmac
import secrets
import socket
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from screentime.errors import InputError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def new_token() -> str:
    """What this run's page must show to be let in."""
    return secrets.token_urlsafe(24)


class Gate:
    """Lets in only what this run's own page asks, from this machine.

    Args:
        token: as `new_token` gives it.
        port: the one that is listened on; part of the Host that is answered to.
        files: addresses that anybody on this machine may read: the page itself.
    """

    def __init__(self, app: ASGIApp, *, token: str, port: int, files: Collection[str]) -> None:
        self._app, self._token, self._files = app, token, files
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        refusal = self._refusal(request)
        if refusal is not None:
            await refused(*refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, request: Request) -> tuple[int, str] | None:
        host = request.headers.get("host", "")
        if host not in self._hosts:
            return 421, "this server answers to 127.0.0.1 only"
        if request.url.path in (*self._files, "/favicon.ico") and request.method in ("GET", "HEAD"):
            return None
        given = request.headers.get("x-token") or request.query_params.get("token") or ""
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return 403, "the token of this run is missing; open the address that the command printed"
        if request.method == "GET":
            return None
        if request.headers.get("origin") != f"http://{host}":
            return 403, "a request from another page is refused"
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "JSON was expected"
        return None


def refused(status: int, sentence: str) -> Response:
    """A refusal as one sentence."""
    return JSONResponse({"refused": sentence}, status, HEADERS)


def application(
    page: Path, files: Mapping[str, tuple[str, str]], routes: Sequence[Route], *, token: str, port: int
) -> Starlette:
    """A server behind the gate.

    Args:
        page: the folder of the page.
        files: what anybody on this machine may read: of each address the file in that folder and its kind.
        routes: all else.
        token: as `new_token` gives it.
        port: the one it listens on.
    """

    def no_icon(request: Request) -> Response:
        return Response(status_code=204, headers=HEADERS)

    def file(request: Request) -> Response:
        name, kind = files[request.url.path]
        return FileResponse(page / name, media_type=kind, headers=HEADERS)

    return Starlette(
        routes=[*(Route(path, file) for path in files), Route("/favicon.ico", no_icon), *routes],
        middleware=[Middleware(Gate, token=token, port=port, files=files)],
        exception_handlers={404: lambda request, error: refused(404, "there is nothing here"),
                            405: lambda request, error: refused(405, "this is not done here")},
    )  # fmt: skip


def listening_socket(port: int) -> socket.socket:
    """A socket of this machine alone; port 0 takes a free one.

    Raises:
        InputError: the port is taken or cannot be.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(64)  # whoever is told the address may ask at once
    except (OSError, OverflowError) as error:
        raise InputError(
            f"--port: {port} cannot be listened on ({getattr(error, 'strerror', None) or error}), a free port was expected; "
            "choose another or leave it out"
        ) from None
    return listening
