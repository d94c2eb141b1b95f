"""`watch`: a live eye on a camera, a stream or a film."""

import argparse
import os
import shutil
import signal
import sys
import threading
import time
import webbrowser
from pathlib import Path

from screentime.commandline.parser import add_command
from screentime.errors import InputError, did_you_mean
from screentime.params import Params, load
from screentime.wording import clock, count_text

HELP = """\
Watch a camera, a stream or a film with a trained model. SOURCE is `camera` (or camera:1, /dev/video1), an address (rtsp://,
http://, rtmp://, srt://, udp://, tcp://), a film, or `lavfi:` and a graph of FFmpeg's filters, as a test picture:
lavfi:testsrc=rate=10.

The newest frame is judged, watch.fps times a second, never one that has waited. A page on 127.0.0.1 shows the picture, the
scores, the last minutes and the running seconds; the terminal has a line for each judged frame. More than watch.total_frames
frames in a row that pass watch.threshold are an event: DIR/events.csv, its picture, its clip with some seconds before and
after, and an alert by mail, webhook or command (section watch.alert of params.yaml). `--test-alert` sends one and ends.

A stream that drops is opened anew; the time until then is unknown, not absent. Ctrl-C ends the watch."""

CLOSING_S = 30.0  # for alerts and clips that are still under way
BESIDE = 24  # letters of a line of the terminal that are not scores


def add(commands: argparse._SubParsersAction) -> None:
    """Add `watch`."""
    one = add_command(
        commands, "watch", "a live eye on a camera, a stream or a film", HELP, _watch,
        "  python -m screentime watch camera --model models/trained --out watched",
    )  # fmt: skip
    one.add_argument("source", nargs="?", metavar="SOURCE", help="what to watch")
    one.add_argument("--model", type=Path, metavar="DIR", help="a trained model: models/trained, or clips/models")
    one.add_argument("--out", type=Path, metavar="DIR", help="the folder that gets events, pictures and clips")
    one.add_argument("--for", dest="for_s", type=float, metavar="SECONDS", help="end after so long")
    one.add_argument("--quiet", action="store_true", help="no line for each frame, only events and what goes wrong")
    one.add_argument("--port", type=int, default=0, metavar="N", help="port of the page (default: a free one)")
    one.add_argument("--no-browser", action="store_true", help="print the page's address, open nothing")
    one.add_argument("--no-page", action="store_true", help="no page at all")
    one.add_argument(
        "--test-alert", action="store_true", help="send an alert every way that is set, say how it went, end"
    )
    one.add_argument(
        "--params", default="params.yaml", type=Path, metavar="FILE", help="its section `watch` is asked (default: %(default)s)"
    )  # fmt: skip


def _watch(arguments: argparse.Namespace) -> None:
    params = load(arguments.params)
    if arguments.test_alert:
        _test_alert(arguments, params)
        return
    for word, value in (("SOURCE", arguments.source), ("--model", arguments.model), ("--out", arguments.out)):
        if value is None:
            raise InputError(
                f"watch: {word} was not given, it was expected; `python -m screentime watch --help` explains it"
            )
    from screentime.watching.alerts import Alerts
    from screentime.watching.judge import opened_judge
    from screentime.watching.place import place_of
    from screentime.watching.record import EVENTS, Record, held
    from screentime.watching.source import Source
    from screentime.watching.watch import Watch
    from screentime.watching.ways import ways_of

    place = place_of(arguments.source)
    judge = opened_judge(arguments.model, params.score.threads)
    for name in params.watch.characters:
        if name not in judge.names:
            raise InputError(
                f"{arguments.params}: watch: characters: '{name}' is not known to {arguments.model}; "
                f"{did_you_mean(name, judge.names)}"
            )
    ways = ways_of(params.watch.alert, os.environ)
    terminal = _Terminal(judge.names, params.watch.threshold, quiet=arguments.quiet)
    with held(arguments.out):
        alerts = Alerts(params.watch.alert, ways, place.name, terminal.say)
        record = Record(
            arguments.out,
            judge.names,
            params.watch,
            lambda event, jpeg: terminal.began(event, alerts.began(event, jpeg)),
            terminal.say,
        )
        started_s = time.monotonic()
        source = Source(
            place, silence_s=params.watch.silence_s, each=record.frame, tell=terminal.say, started_s=started_s
        )  # fmt: skip
        watch = Watch(source, judge, params.watch, record, terminal.judged, started_s)
        if watch.fps != params.watch.fps:
            terminal.say(
                f"{arguments.model}: its frames were sampled {watch.fps:g} times a second, so it is asked as often"
            )
        before = {number: signal.signal(number, lambda *_: watch.stop()) for number in (signal.SIGINT, signal.SIGTERM)}
        timer = threading.Timer(arguments.for_s or 0.0, watch.stop)
        if arguments.for_s is not None:
            timer.start()
        page = None if arguments.no_page else _Page(watch, arguments, place.name)
        record.start()
        try:
            watch.run()
        finally:
            timer.cancel()
            if page is not None:
                page.close()
            record.close()
            alerts.close(CLOSING_S)
            for number, handler in before.items():
                signal.signal(number, handler)
    _tell_end(watch, arguments.out / EVENTS.path)


class _Page:
    """The page, served in a thread of its own."""

    def __init__(self, watch, arguments: argparse.Namespace, name: str) -> None:
        import uvicorn

        from screentime.local_page import listening_socket, new_token
        from screentime.watching.server import application

        listening = listening_socket(arguments.port)
        port, token = listening.getsockname()[1], new_token()
        app = application(watch, arguments.out, name=name, token=token, port=port)
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]}, daemon=True)
        self._thread.start()
        address = f"http://127.0.0.1:{port}/#token={token}"
        print(f"the watch is at {address}\nend it with Ctrl-C", flush=True)
        self._browser = threading.Timer(0.5, webbrowser.open, [address])  # later than a source that is not there
        if not arguments.no_browser:
            self._browser.start()

    def close(self) -> None:
        """End serving."""
        self._browser.cancel()
        self._server.should_exit = True
        self._thread.join(3)


class _Terminal:
    """What a watch says: whole lines, whichever thread they come from."""

    def __init__(self, names: tuple[str, ...], threshold: float, *, quiet: bool) -> None:
        self._names, self._threshold, self._quiet = names, threshold, quiet
        self._lock = threading.Lock()

    def say(self, sentence: str) -> None:
        """A sentence with the time of day."""
        self._line(f"{time.strftime('%H:%M:%S')}      {sentence}")

    def judged(self, judged) -> None:
        """A line for a frame: time, scores, what judging took; a star where a score passes."""
        if self._quiet:
            return
        told = [
            f"{name} {score:.2f}{'*' if score >= self._threshold else ' '}"
            for name, score in zip(self._names, judged.scores, strict=True)
        ]
        room = shutil.get_terminal_size().columns - BESIDE
        if len("  ".join(told)) > room:  # the largest, as many as a line holds
            told = [told[place] for place in judged.scores.argsort(kind="stable")[::-1]]
            while len(told) > 1 and len("  ".join(told)) > room:
                told.pop()
        at = judged.frame.at.astimezone()
        self._line(f"{at:%H:%M:%S}.{at.microsecond // 1000:03}  {'  '.join(told)}  {1000 * judged.took_s:.0f} ms")

    def began(self, event, verdict: str) -> str:
        """An event began; gives the verdict on."""
        told = {"sent": ", alert sent", "none": ""}.get(verdict, f", no alert ({verdict})")
        self.say(
            f"{event.character} is on screen: {count_text(event.n_frames, 'frame', 'frames')} in a row, mean score {event.score:.2f}{told}"
        )
        return verdict

    def _line(self, text: str) -> None:
        with self._lock:
            print(text, flush=True)


def _tell_end(watch, events: Path) -> None:
    """The figures, and where the events are."""
    told = watch.standing.told(watch.now_s)
    known_s, unknown_s = told["known_s"], told["unknown_s"]
    print(
        f"\nwatched {clock(known_s)}"
        + (f", and {clock(unknown_s)} unknown: no picture came" if unknown_s >= 0.5 else "")
    )
    width = max(map(len, watch.judge.names))
    for name, seconds in zip(watch.judge.names, told["seconds"], strict=True):
        print(f"  {name:<{width}}  {clock(seconds):>7}")
    n_events = watch.record.n_events
    where = f", with pictures and clips: {events}" if n_events else ""
    print(f"{count_text(n_events, 'event', 'events')}{where}")


def _test_alert(arguments: argparse.Namespace, params: Params) -> None:
    """Send one alert each way, now, whatever the limits say."""
    from datetime import UTC, datetime

    import numpy as np

    from screentime.frames import encode_jpeg
    from screentime.watching.alerts import Message, Refused
    from screentime.watching.ways import ways_of

    ways = ways_of(params.watch.alert, os.environ)
    if not ways:
        raise InputError(
            f"{arguments.params}: watch.alert: neither mail nor webhook nor command is set, one was expected; set one, then try again"
        )
    rainbow = np.linspace(0, 255, 320 * 180 * 3).reshape(180, 320, 3).astype(np.uint8)
    message = Message("nobody", datetime.now(UTC), 1.0, 0, "a test of alerts", encode_jpeg(rainbow, 80))
    failed = []
    for way in ways:
        try:
            way.send(message)
            print(f"{way.name}: sent", flush=True)
        except Refused as error:
            print(f"{way.name}: {error}", file=sys.stderr, flush=True)
            failed.append(way.name)
    if failed:
        raise InputError(
            f"{arguments.params}: watch.alert: no test alert came through by {', '.join(failed)}; see above"
        )
