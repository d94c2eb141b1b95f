"""`label`: the labeller, in the browser."""

import argparse
import os
import signal
import threading
import webbrowser
from pathlib import Path

from screentime.checks import entry_named
from screentime.commandline.parser import add_command
from screentime.errors import InputError
from screentime.params import Params, load
from screentime.project.tools import git, repro
from screentime.project.videos import add_videos, sources
from screentime.sections import Video
from screentime.table_files import is_formula

HELP = """\
Label films in the browser. It opens on what is most useful now: first frames that differ most, then a random sample that
measures how wrong the seconds are (the audit), then the least certain frames. Everything goes by keys; H shows them.

A film that the project does not know yet (a file, a folder, an address) is taken in first: linked, sampled, embedded.
Without VIDEO all films are one queue. Answers are kept at once, in .screentime/journal.jsonl, and written to
data/labels/VIDEO.csv within a second. Stop with Ctrl-C; the next time it goes on where it was.

The server listens on 127.0.0.1 only. From another machine: ssh -L 8765:127.0.0.1:8765 HOST, with --port 8765."""

TICK_S = 0.2


def add(commands: argparse._SubParsersAction) -> None:
    """Add `label`."""
    one = add_command(
        commands,
        "label",
        "label films in the browser",
        HELP,
        _label,
        "  python -m screentime label ~/films/episode1.mp4",
    )
    one.add_argument("videos", nargs="*", metavar="VIDEO", help="films of the project, or files to take in; none: all")
    one.add_argument("--annotator", metavar="NAME", help="who labels (default: Git's user.name)")
    one.add_argument("--port", type=int, default=0, metavar="N", help="port to listen on (default: a free one)")
    one.add_argument("--no-browser", action="store_true", help="print the address, open nothing")


def _label(arguments: argparse.Namespace) -> None:
    folder = Path()
    params = load(folder / "params.yaml")
    wanted = _taken_in(folder, params, arguments.videos)
    params = load(folder / "params.yaml")
    if not params.cast:
        raise InputError(
            "params.yaml: cast: no character is named, at least one was expected; name who shall be found: `python -m "
            "screentime cast add NAME...`"
        )
    videos = [video for video in params.shown_videos if not wanted or video.video_id in wanted]
    if not videos:
        raise InputError(
            "params.yaml: videos: no film is named, at least one was expected; take one in: `python -m screentime label "
            "FILE`"
        )
    _prepare(folder, params, videos)
    annotator = " ".join(
        (arguments.annotator or git(folder, "config", "user.name") or os.environ.get("USER", "")).split()
    )
    if is_formula(annotator):
        raise InputError(
            f"--annotator: '{annotator}' begins as what a spreadsheet would run as a formula, a name was expected; give one "
            "without a leading = + - @"
        )
    _serve(folder, params, videos, annotator, arguments.port, browser=not arguments.no_browser)


def _taken_in(folder: Path, params: Params, words: list[str]) -> set[str]:
    """The films that are meant, by video_id; those that the project does not know are taken in."""
    wanted, new = set(), []
    entries = [{"file": video.file} for video in params.videos]
    for word in words:
        try:
            file = entry_named(word, entries)["file"]
            if _elsewhere(Path(word), folder / "data" / "videos" / file):
                new.append(word)
            else:
                wanted.add(Path(file).stem)
        except InputError:
            if not (Path(word).exists() or word.lower().startswith(("http://", "https://"))):
                raise
            new.append(word)
    if new:
        arrivals, sentences = add_videos(folder, sources(new), private=False, facts={}, told=print)
        wanted |= {Path(arrival.file).stem for arrival in arrivals}
        if sentences:
            raise InputError("\n".join(sentences))
    return wanted


def _elsewhere(path: Path, own: Path) -> bool:
    """Whether a path is a file of the name that a film of the project has, and not that film's file itself."""
    return path.is_file() and own.is_file() and not path.samefile(own)


def _prepare(folder: Path, params: Params, videos: list[Video]) -> None:
    """Sample and embed what is not yet; as `dvc repro embed` does it, so that it is not done twice."""
    from screentime.labeller.session import is_prepared

    if all(is_prepared(folder, video, params) for video in videos):
        return
    print("sampling and embedding first:", flush=True)
    done = repro(folder, "embed")
    missing = [video.video_id for video in videos if not is_prepared(folder, video, params)]
    if not done or missing:
        raise InputError(
            f"data/features: {', '.join(missing) or 'the films'} could not be sampled and embedded; what stopped it stands "
            "above: repair it, then run this again"
        )


def _serve(folder: Path, params: Params, videos: list[Video], annotator: str, port: int, *, browser: bool) -> None:
    """Open the desk and answer until Ctrl-C."""
    import uvicorn
    from threadpoolctl import threadpool_limits

    from screentime.label_lock import label_lock
    from screentime.labeller.server import application
    from screentime.labeller.session import open_desk
    from screentime.labeller.study import study_of
    from screentime.local_page import listening_socket, new_token

    # a refit is many small solutions: BLAS's threads would spin between them, at ten times the CPU, beside the answers
    threadpool_limits(1, user_api="blas")
    listening = listening_socket(port)
    port = listening.getsockname()[1]
    with label_lock(folder, f"the labeller at http://127.0.0.1:{port}"):
        print(f"opening {len(videos)} films" if len(videos) > 1 else f"opening {videos[0].video_id}", flush=True)
        study = study_of(folder, params)
        desk, pictures = open_desk(folder, params, videos, annotator, study=study)
        token = new_token()
        app = application(desk, pictures, token=token, port=port, project={"cast": list(params.cast)})
        address = f"http://127.0.0.1:{port}/#token={token}"
        stopped = threading.Event()
        worker = threading.Thread(target=_work, args=(desk, stopped), daemon=True)
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )
        # before anybody knows the address: while the server starts, an interrupt as an exception can be lost
        signal.signal(signal.SIGINT, lambda *_: setattr(server, "should_exit", True))
        try:
            worker.start()
            print(f"the labeller is at {address}\nstop it with Ctrl-C; everything is saved as you go", flush=True)
            if browser:
                threading.Timer(0.5, webbrowser.open, [address]).start()
            server.run(sockets=[listening])
        finally:
            stopped.set()
            worker.join()
            study.close()
            desk.write()
            trouble = desk.state()["trouble"]
    print(f"\n{desk.summary()}\nnext: dvc repro")
    if trouble:
        raise InputError(trouble)


def _work(desk, stopped: threading.Event) -> None:
    """What goes on behind the person's back: label files written, the head fitted anew."""
    while not stopped.wait(TICK_S):
        desk.tick()
