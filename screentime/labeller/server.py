"""The desk over HTTP, for one person on this machine: behind the gate of screentime.local_page.

The page itself holds no data. Frames are asked for by number, never by a path.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from screentime import local_page
from screentime.errors import InputError
from screentime.labeller.desk import Desk
from screentime.labeller.errors import Refused
from screentime.labeller.pictures import Pictures
from screentime.local_page import HEADERS, refused

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("page.html", "text/html"),
    "/labeller.css": ("labeller.css", "text/css"),
    **{f"/{module.name}": (module.name, "text/javascript") for module in PAGE.glob("*.js")},
}
LARGEST_BODY = 4_000_000  # bytes: a whole film of 5,000 frames accepted at once is far less


def application(desk: Desk, pictures: Pictures, *, token: str, port: int, project: dict) -> Starlette:
    """The server.

    Args:
        desk: what is done here.
        pictures: the frames.
        token: as `local_page.new_token` gives it.
        port: the one it listens on; part of the Host that it answers to.
        project: what the page shows of the project: its characters, say.
    """

    async def state(request: Request) -> Response:
        return await answered(lambda: project | desk.state())

    async def film(request: Request) -> Response:
        return await answered(lambda: desk.overview(request.path_params["video"]))

    async def picture(request: Request) -> Response:
        video, frame = request.path_params["video"], request.path_params["frame"]
        kind = request.path_params["kind"]
        jpeg = await run_in_threadpool(pictures.get, kind, video, frame)
        if jpeg is None:
            return refused(404, "there is no such picture")
        return Response(jpeg, 200, HEADERS | {"Cache-Control": "private, max-age=3600"}, "image/jpeg")

    def action(work: Callable[[dict], object]) -> Callable[[Request], Awaitable[Response]]:
        """A route that does something with a JSON object."""

        async def route(request: Request) -> Response:
            try:
                data = await bounded(request)
                if data is None:
                    return refused(413, "the request is too large")
                body = json.loads(data)
                if not isinstance(body, dict):
                    raise ValueError
            except (ValueError, UnicodeDecodeError):
                return refused(400, "a JSON object was expected")
            return await answered(lambda: work(body))

        return route

    def op(body: dict) -> str:
        name = body["op"]
        if not isinstance(name, str) or not 8 <= len(name) <= 64:
            raise Refused("an operation needs an id")
        return name

    actions = {
        "page": lambda b: desk.page(b.get("view"), b.get("video"), b.get("frame"), b.get("character")),
        "look": lambda b: desk.look(b["page"]),
        "put": lambda b: desk.put(op(b), b["page"], b["cells"], b["how"], b.get("active_s", 0.0)),
        "accept": lambda b: desk.accept(op(b), b["page"], b["items"], b.get("active_s", 0.0)),
        "shot": lambda b: desk.shot(b["page"], b["video"], b["frame"]),
        "take-shot": lambda b: desk.take_shot(
            op(b), b["page"], b["video"], b["frame"], b["values"], b.get("active_s", 0.0)
        ),
        "undo": lambda b: desk.undo(op(b), b.get("active_s", 0.0)),
        "redo": lambda b: desk.redo(op(b), b.get("active_s", 0.0)),
        "draw": lambda b: desk.draw(op(b), b["video"], b["n"]),
        "settle": lambda b: desk.settle(op(b), b["question"], b["keep"]),
        "active": lambda b: desk.active(b["active_s"]) or {},
        "portrait": lambda b: desk.portrait(op(b), b["character"], b["video"], b["frame"]),
        "skip": lambda b: desk.skip(op(b), b["video"], b["first"], b["last"], b["reason"]),
    }
    routes = [
        Route("/api/state", state),
        Route("/api/film/{video}", film),
        Route("/picture/{kind}/{video}/{frame:int}", picture),
        *(Route(f"/api/{name}", action(work), methods=["POST"]) for name, work in actions.items()),
    ]
    return local_page.application(PAGE, FILES, routes, token=token, port=port)


async def answered(work: Callable[[], object]) -> Response:
    """Do something in a thread of its own and tell how it went."""
    try:
        result = await run_in_threadpool(work)
    except Refused as error:
        return refused(409, str(error))
    except InputError as error:
        return refused(409, str(error))
    except OSError as error:  # the label folder, or the disk it is on
        return refused(409, f"not saved: {(error.strerror or str(error)).lower()}; make room on the disk")
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        return refused(400, "the request is not of the expected form")
    return JSONResponse(result, 200, HEADERS)


async def bounded(request: Request) -> bytes | None:
    """The body; None where it is larger than LARGEST_BODY, whatever its header said."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)
