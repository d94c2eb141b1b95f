"""A live eye: the newest frame always, what was not seen is unknown, events are kept with picture and clip."""

import statistics
import threading
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from rtsp import RtspCamera
from servers import http_server
from streams import Camera
from watched import Numbers, Watching, live, settings

from screentime.errors import InputError
from screentime.table_files import read_table
from screentime.video import NativeFrames
from screentime.watching import source as source_module
from screentime.watching.clip import EventClip, Past
from screentime.watching.place import place_of
from screentime.watching.record import EVENTS, UNKNOWN
from screentime.watching.source import _Pace
from screentime.watching.spells import Spells
from screentime.watching.standing import Standing

RATE = 60
SOON_S = 0.25  # a busy machine may take so long to wake a thread; what queues is seconds late


def nobody(number: int) -> tuple[float, float]:
    return 0.0, 0.0


def shown_for(watching: Watching) -> float:
    """Seconds from the first judged frame to the last."""
    first, *_, last = watching.judged
    return last.frame.shown_s - first.frame.shown_s


def numbered_film(path: Path, n_frames: int, rate: int = 20, **more) -> Path:
    synthetic.write_film(path, synthetic.constant_rate(n_frames, Fraction(rate)), **more)
    return path


def test_scoring_five_times_too_slow_never_falls_behind_a_stream(tmp_path):
    """A minute of a stream of ten frames a second, six times as fast as it was taken."""
    lags = []
    with Camera(rate=RATE) as camera:
        judge = Numbers(nobody, slow_s=5 / RATE)
        take = judge.scores
        judge.scores = lambda frame: (
            lags.append((synthetic.number_of(frame.image(128)), camera.newest)),
            take(frame),
        )[1]
        watching = Watching(camera.address, judge, tmp_path, fps=60.0)
        watching.watch.fps = 1000.0  # as often as it can
        threading.Timer(11, watching.watch.stop).start()
        watching.run()

    late = [newest - number for number, newest in lags if number > 10 * RATE * 0.9]
    assert late, "the stream did not last a minute"
    assert statistics.median(late) < SOON_S * RATE
    assert watching.source.n_frames > 3 * len(judge.numbers)  # others came, and were passed over


def test_a_film_is_watched_at_its_own_speed_however_slow_the_scoring(tmp_path):
    """Judging each of its frames would take five times as long as it lasts."""
    film = numbered_film(tmp_path / "film.mp4", 120, rate=RATE)
    judge = Numbers(nobody, slow_s=5 / RATE)

    watching = Watching(film, judge, tmp_path / "out", fps=60.0).run()

    lasts_s, took_s = (judge.numbers[-1] - judge.numbers[0]) / RATE, shown_for(watching)
    assert watching.source.n_frames == 120
    assert judge.numbers[-1] > 100
    assert 0.9 * lasts_s < took_s < 2.5 * lasts_s
    assert judge.numbers == sorted(set(judge.numbers))
    assert len(judge.numbers) < 60
    assert statistics.median(judged.waited_s for judged in watching.judged) < SOON_S


def test_a_film_on_a_server_is_a_film_and_no_stream(tmp_path):
    numbered_film(tmp_path / "film.mkv", 60, rate=60)
    with http_server(tmp_path) as address:
        watching = Watching(f"{address}/film.mkv", Numbers(nobody), tmp_path / "out", fps=20.0).run()

    assert watching.source.n_frames == 60
    assert watching.judged[-1].frame.shown_s > 0.9
    assert watching.said == []


def test_a_judge_is_asked_no_more_often_than_it_should(tmp_path):
    film = numbered_film(tmp_path / "film.mp4", 120, rate=RATE)

    watching = Watching(film, Numbers(nobody), tmp_path / "out", fps=5.0).run()

    assert 5 < len(watching.judged) <= 1 + 5 * (shown_for(watching) + SOON_S)


@pytest.fixture(scope="module", params=[Camera, RtspCamera], ids=["http", "rtsp"])
def broken(request, tmp_path_factory) -> Watching:
    """A stream that is cut and restored; somebody is on it all the time."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(source_module, "WAITS_S", (0.1,))
    with request.param(rate=20) as camera:
        steps = iter((camera.cut, camera.restore, lambda: watching.watch.stop()))

        def each(judged) -> None:
            n_said = len(watching.said)
            wanted = {0: 8, 1: 0, 2: 8}
            seen[n_said] = seen.get(n_said, 0) + 1
            if seen[n_said] == wanted[n_said]:
                next(steps)()

        seen: dict[int, int] = {}
        watching = Watching(
            camera.address, Numbers(lambda number: (0.9, 0.1)), tmp_path_factory.mktemp("cut"), fps=10.0, total_frames=3, each=each,
            silence_s=1.0,
        )  # fmt: skip
        say = watching.source._tell

        def told(sentence: str) -> None:
            say(sentence)
            if len(watching.said) == 1:
                next(steps)()  # it is known to be down: serve again

        watching.source._tell = told
        watching.run()
    monkeypatch.undo()
    return watching


def test_a_stream_that_drops_is_opened_anew_and_both_are_said(broken):
    address = broken.watch.source._place.name
    assert address.endswith(("/live", "/door")) and "secret" not in address
    down, back = broken.said
    assert down.startswith(f"{address}: the stream ") and down.endswith(
        "; trying again, the time until then counts as unknown"
    )
    assert back == f"{address}: the stream is back"
    assert len(broken.judged) > 10 and broken.watch.judge.numbers == sorted(set(broken.watch.judge.numbers))


def test_while_it_was_down_is_unknown_and_not_absent(broken):
    told = broken.watch.standing.told(broken.watch.now_s)
    (unknown,) = read_table(broken.out / "unknown.csv", UNKNOWN).itertuples()
    known_s, unknown_s = told["known_s"], told["unknown_s"]
    assert unknown.start < unknown.end
    assert unknown_s > 0
    assert told["seconds"] == pytest.approx([0.9 * known_s, 0.1 * known_s], abs=0.01)
    assert any(scores is None for *_, scores in told["stretches"])


def test_an_event_ends_where_the_line_breaks_and_the_model_forgets(broken):
    first, second = read_table(broken.out / "events.csv", EVENTS).itertuples()
    (unknown,) = read_table(broken.out / "unknown.csv", UNKNOWN).itertuples()
    assert (first.character, second.character) == ("even", "even")
    assert first.end == unknown.start
    assert second.start >= unknown.end
    assert broken.watch.judge.forgotten == 2  # there, and at the end


def passing_stretch(number: int) -> tuple[float, float]:
    return (0.9, 0.0) if 40 <= number < 80 else (0.2, 0.0)


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Watching:
    """Somebody comes at 2 s and goes at 4 s."""
    folder = tmp_path_factory.mktemp("watched")
    film = numbered_film(folder / "film.mp4", 140)
    return Watching(
        film, Numbers(passing_stretch), folder / "out", fps=20.0, total_frames=5, before_s=0.5, after_s=0.25, speed=2.0
    ).run()  # fmt: skip


def test_an_event_says_who_when_how_sure_and_has_its_picture(watched):
    (event,) = read_table(watched.out / "events.csv", EVENTS).itertuples()
    assert (event.character, event.alert, event.score) == ("even", "none", pytest.approx(0.9))
    passed = [judged for judged in watched.judged if judged.scores[0] > 0.5]
    assert event.n_frames == len(passed)
    assert event.start.startswith(f"{passed[0].frame.at:%Y-%m-%dT%H:%M:%S}")
    picture = cv2.imread(str(watched.out / event.picture))[:, :, ::-1]
    assert 40 <= synthetic.number_of(picture) < 80


def test_a_clip_begins_before_the_event_and_ends_after_it(watched):
    (event,) = read_table(watched.out / "events.csv", EVENTS).itertuples()
    numbers = [synthetic.number_of(frame.image()) for frame in NativeFrames(watched.out / event.clip)]
    came = next(number for number in watched.watch.judge.numbers if number >= 40)
    left = next(number for number in watched.watch.judge.numbers if number >= 80)
    assert numbers == sorted(set(numbers))
    assert numbers[0] == pytest.approx(came - 0.5 * 2 * 20, abs=SOON_S * 2 * 20)
    assert numbers[-1] == pytest.approx(left + 0.25 * 2 * 20, abs=SOON_S * 2 * 20)
    assert not list((watched.out / "events").glob(".*"))


def test_a_second_watch_goes_on_with_the_same_table(watched, tmp_path):
    film = numbered_film(tmp_path / "film.mp4", 30)
    before = (watched.out / "events.csv").read_text(encoding="utf-8")

    Watching(film, Numbers(lambda number: (0.0, 0.9)), watched.out, fps=10.0, total_frames=3).run()

    after = (watched.out / "events.csv").read_text(encoding="utf-8")
    assert after.startswith(before)
    assert [row.character for row in read_table(watched.out / "events.csv", EVENTS).itertuples()] == ["even", "odd"]


def test_pictures_and_clips_make_room_for_newer_ones(tmp_path):
    film = numbered_film(tmp_path / "film.mp4", 200)
    often = Watching(
        film, Numbers(lambda number: (0.9 * (number % 40 < 20), 0.0)), tmp_path / "out", fps=20.0, total_frames=3, before_s=0.0,
        after_s=0.0, limit_gb=6e-6, speed=2.0,
    ).run()  # fmt: skip

    rows = read_table(often.out / "events.csv", EVENTS)
    there = {f"events/{path.name}" for path in (often.out / "events").iterdir()}
    assert {file for column in ("picture", "clip") for file in rows[column] if file} == there
    assert 0 < sum((often.out / file).stat().st_size for file in there) <= 6_000
    assert not rows["picture"].iloc[0] and len(rows) > 2


def test_a_stream_that_comes_back_in_another_size_stays_in_its_clip(tmp_path):
    clip = EventClip(tmp_path / "clip.mp4", longest_s=60.0)
    sizes = [(128, 64)] * 5 + [(640, 480)] * 5 + [(64, 48)] * 5
    past = Past(kept_s=60.0)
    for number, (width, height) in enumerate(sizes):
        picture = cv2.resize(synthetic.numbered_image(number), (width, height), interpolation=cv2.INTER_NEAREST)
        assert clip.add(past.add(live(picture, number, number / 10)))
    clip.finish()

    frames = list(NativeFrames(clip.path))
    assert [frame.image().shape for frame in frames] == [(64, 128, 3)] * len(sizes)
    assert [synthetic.number_of(frame.image()) for frame in frames] == list(range(len(sizes)))


def test_a_record_that_nothing_but_a_mistake_of_ours_can_end_ends_the_watch(tmp_path):
    film = numbered_film(tmp_path / "film.mp4", 100)
    watching = Watching(film, Numbers(lambda number: (0.9, 0.0)), tmp_path / "out", fps=20.0, total_frames=3)
    watching.record._file_names = {}  # the name of its picture cannot be had: no disk is to blame

    with pytest.raises(KeyError):
        watching.run()

    assert watching.source.n_frames < 100
    assert not list((tmp_path / "out" / "events").iterdir())


def test_a_folder_is_watched_into_by_one_at_a_time(tmp_path):
    film = numbered_film(tmp_path / "film.mp4", 30)
    first = Watching(film, Numbers(nobody), tmp_path / "out")

    with pytest.raises(InputError) as refused:
        Watching(film, Numbers(nobody), tmp_path / "out")

    assert str(refused.value) == (
        f"{tmp_path / 'out'}: another watch writes here now, a folder of one's own was expected; name another one with --out"
    )
    first.run()


NOTHING = np.zeros((2, 2, 3), np.uint8)


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 5))
def test_an_event_is_more_than_so_many_passing_frames_in_a_row(passes, total_frames):
    spells = Spells(("ann", "bob"), [], 0.5, total_frames)
    began, ended = [], []
    for number, passing in enumerate([*passes, False]):
        new, old = spells.judged(live(NOTHING, number, number / 10), np.array([0.75 if passing else 0.25, 0.0]))
        began += new
        ended += old

    runs, start = [], None
    for number, passing in enumerate([*passes, False]):
        if passing and start is None:
            start = number
        if not passing and start is not None:
            runs += [(start, number)] if number - start > total_frames else []
            start = None
    assert [(event.start_s, event.end_s) for event in ended] == [(first / 10, last / 10) for first, last in runs]
    assert [event.n_frames for event in ended] == [last - first for first, last in runs]
    assert [event.number for event in began] == [event.number for event in ended] == list(range(1, len(runs) + 1))
    assert all(event.n_frames == total_frames + 1 for event in began)


@given(
    st.lists(st.tuples(st.floats(0.01, 5), st.booleans(), st.floats(0, 1)), min_size=1, max_size=30), st.floats(0.1, 3)
)
def test_known_and_unknown_seconds_add_up_to_the_watch(steps, hold_s):
    standing, now_s = Standing(("ann",), hold_s), 0.0
    standing.judged(0.0, np.array([0.5]))
    wanted, scores = 0.0, 0.5
    for step_s, lost, score in steps:
        wanted += min(step_s, hold_s) * (scores or 0.0) if scores is not None else 0.0
        now_s += step_s
        if lost:
            standing.lost(now_s)
            scores = None
        else:
            standing.judged(now_s, np.array([score]))
            scores = score

    told = standing.told(now_s)
    assert told["known_s"] + told["unknown_s"] == pytest.approx(now_s, abs=0.01)
    assert told["seconds"][0] == pytest.approx(wanted, abs=0.01)
    ends = [(start, end) for _, start, end, _ in told["stretches"]]
    assert all(end == start for (_, end), (start, _) in pairwise(ends))


def test_a_decoder_that_cannot_follow_leaves_frames_out():
    pace = _Pace(Fraction(1, 25), 1.0, waits=False)
    skipped = []
    for index, now_s in enumerate([0.0, 0.04, 2.0, 6.0, 0.17]):
        pace.until_due(Fraction(index, 25), now_s)
        skipped.append(pace.skipped)
    assert skipped == ["DEFAULT", "DEFAULT", "NONREF", "NONKEY", "DEFAULT"]


def test_times_that_jump_or_are_missing_do_not_stop_the_picture():
    pace = _Pace(Fraction(1, 25), 1.0, waits=True)
    assert [pace.until_due(None, 0.0), pace.until_due(None, 0.0)] == [0.0, pytest.approx(0.04)]
    assert pace.until_due(Fraction(95_443), 0.1) == pytest.approx(0.0, abs=1e-6)
    assert pace.until_due(Fraction(3), 0.2) == pytest.approx(0.0, abs=1e-6)


NOT_SOURCES = {
    "ftp://example.org/film.mp4": (
        "ftp://example.org/film.mp4: 'ftp' was found, one of http, https, rtsp, rtsps, rtmp, rtmps, srt, udp, tcp, rtp was expected; "
        "did you mean 'tcp'?"
    ),
    "rtps://ann:secret@10.0.0.7/door": (
        "rtps://10.0.0.7/door: 'rtps' was found, one of http, https, rtsp, rtsps, rtmp, rtmps, srt, udp, tcp, rtp was expected; "
        "did you mean 'rtsps'?"
    ),
    "no.mp4": (
        "no.mp4: there is no such film, a film, an address like rtsp://10.0.0.7/door, or `camera` was expected; check the name"
    ),
}


@pytest.mark.parametrize("word", NOT_SOURCES)
def test_a_word_that_is_no_source_is_refused_in_a_sentence(word):
    with pytest.raises(InputError) as refused:
        place_of(word)
    assert str(refused.value) == NOT_SOURCES[word]


def test_no_camera_no_stream_no_film_are_sentences(tmp_path):
    (tmp_path / "text.mp4").write_text("this is no film")
    for word, sentence in {
        "camera:7": "camera:7: no camera could be opened (no such file or directory), a camera was expected; plug one in, name another "
        "as `camera:1`, or name a film or an address",
        "http://ann:secret@127.0.0.1:9/live?key=1": "http://127.0.0.1:9/live: no stream could be opened (connection refused), one was "
        "expected; check the address and that it is on",
        "lavfi:nonsense": "lavfi:nonsense: FFmpeg made no pictures of that (filter not found), a graph like testsrc=rate=5 was expected; "
        "correct it",
        str(tmp_path / "text.mp4"): f"{tmp_path / 'text.mp4'}: this is not a film that can be read (invalid data found when processing "
        "input), a video file was expected; check that a player opens it",
    }.items():  # fmt: skip
        with pytest.raises(InputError) as refused:
            Watching(word, Numbers(nobody), tmp_path / "out").run()
        assert str(refused.value) == sentence


def test_a_camera_that_refuses_the_password_is_a_sentence_without_it(tmp_path):
    with RtspCamera(rate=20) as camera:
        for address in (camera.address.replace("secret", "guess"), camera.address.replace("ann:secret@", "")):
            with pytest.raises(InputError) as refused:
                Watching(address, Numbers(nobody), tmp_path / "out").run()
            name = camera.address.replace("ann:secret@", "")
            assert str(refused.value) == (
                f"{name}: it wants another user or password, those that it knows were expected; name them as in "
                f"{name.replace('://', '://USER:PASSWORD@')}"
            )


def test_a_damaged_film_is_watched_as_far_as_it_goes(tmp_path):
    film = numbered_film(tmp_path / "film.mkv", 60)
    film.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])

    watching = Watching(film, Numbers(nobody), tmp_path / "out", fps=20.0, speed=2.0).run()

    assert 10 < watching.source.n_frames < 60


def test_settings_are_checked_at_the_door(tmp_path):
    from screentime.params import load

    text = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")
    for old, new, sentence in (
        ('quiet: [] ', 'quiet: ["9-17"] ', "params.yaml: watch: alert: quiet 1 is '9-17', expected is a stretch of the day like 22:00-07:00; correct it"),
        ("webhook: null ", "webhook: example.org ", "params.yaml: watch: alert: webhook is 'example.org', expected is an address that begins with https:// or http://; correct it"),
        ("total_frames: 10 ", "total_frame: 10 ", "params.yaml: watch: unknown key 'total_frame'; did you mean 'total_frames'?"),
    ):  # fmt: skip
        assert text.count(old) == 1
        path = tmp_path / "params.yaml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(InputError) as refused:
            load(path)
        assert str(refused.value).endswith(sentence)


def test_the_project_watches_nobody_by_mail_unless_it_is_told():
    own = settings()
    assert (own.alert.mail, own.alert.webhook, own.alert.command) == (None, None, [])
