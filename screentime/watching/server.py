"""The page of a watch, for this machine alone: behind the gate of screentime.local_page, it only reads."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from screentime import local_page
from screentime.frames import encode_jpeg
from screentime.local_page import HEADERS, refused
from screentime.watching.standing import RIBBON_S
from screentime.watching.watch import Watch

PAGE = Path(__file__).parent / "page"
FILES = {
    "/": ("watch.html", "text/html"),
    "/watch.js": ("watch.js", "text/javascript"),
    "/watch.css": ("watch.css", "text/css"),
}
PICTURE_SIDE, PICTURE_QUALITY = 1280, 80
ANSWER_S = 1.0  # an answer waits so long for a newer frame


def application(watch: Watch, folder: Path, *, name: str, token: str, port: int) -> Starlette:
    """The server.

    Args:
        watch: what is shown.
        folder: where its events are kept.
        name: what is watched.
        token: as `local_page.new_token` gives it.
        port: the one it listens on.
    """

    async def state(request: Request) -> Response:
        try:
            frame, stretch = (int(request.query_params.get(key, 0)) for key in ("frame", "stretch"))
        except ValueError:
            return refused(400, "numbers were expected")
        judged = await run_in_threadpool(watch.after, frame, ANSWER_S)
        settings = watch.settings
        told = watch.standing.told(watch.now_s, stretch) | {
            "name": name,
            "names": list(watch.judge.names),
            "threshold": settings.threshold,
            "total_frames": settings.total_frames,
            "wanted": list(settings.characters or watch.judge.names),
            "ribbon_s": RIBBON_S,
            "frame": 0 if judged is None else judged.frame.number,
            "took_s": None if judged is None else round(judged.took_s, 4),
            "rate": round(watch.rate, 2),
            "down": watch.source.down,
            "over": not watch.source.is_alive(),
            "events": watch.record.latest,
            "n_events": watch.record.n_events,
        }
        return JSONResponse(told, 200, HEADERS)

    def picture(request: Request) -> Response:
        if watch.newest is None:
            return refused(404, "there is no picture yet")
        jpeg = encode_jpeg(watch.newest.frame.image(PICTURE_SIDE), PICTURE_QUALITY)
        return Response(jpeg, 200, HEADERS, "image/jpeg")

    def event_picture(request: Request) -> Response:
        known = {row["picture"] for row in watch.record.latest if row["picture"]}
        wanted = f"events/{request.path_params['file']}"
        if wanted not in known or not (folder / wanted).is_file():
            return refused(404, "there is no such picture")
        return FileResponse(folder / wanted, media_type="image/jpeg", headers=HEADERS)

    routes = [Route("/api/state", state), Route("/picture", picture), Route("/event/{file}", event_picture)]
    return local_page.application(PAGE, FILES, routes, token=token, port=port)
