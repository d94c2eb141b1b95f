"""Appearances for editors and players, read back by libraries that are not ours, and held against the film's own frames."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import av
import film_tables
import numpy as np
import opentimelineio as otio
import pandas
import pycmx
import pympi
import pysubs2
import pytest
import synthetic
import timecode
import webvtt

from screentime.__main__ import main
from screentime.editors.clock import FilmClock, clock_of
from screentime.editors.edl import edl_texts
from screentime.editors.formats import FORMATS, write_listing
from screentime.editors.listing import Appearance, Listing
from screentime.editors.sources import listing_of, reported
from screentime.errors import InputError
from screentime.exchange import elan
from screentime.files import sha256_of, write_json
from screentime.sections import Video
from screentime.table_files import write_table
from screentime.tables import APPEARANCES, SCREEN_TIME, TIMELINE
from screentime.video import VideoSampler

NTSC = Fraction(30000, 1001)
LATE = 36  # frames before the first one
QUARTER_TURN = (0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824)
Read = list[tuple[str, float, float]]  # name, from, to: seconds of the film's file


def results_of(folder: Path, film: Path, rows: list[tuple], cast: tuple[str, ...]) -> Path:
    """A folder as `score` leaves it, of a film and made-up appearances (character, frame, frame after the last)."""
    sampler = VideoSampler(film, Fraction(1), max_side=64)
    times_s = [float(sample.time_s) for sample in sampler]
    facts, name = sampler.facts, film.stem
    durations_s = np.diff(times_s, append=round(float(facts.length_s), 6))
    scores = dict.fromkeys(cast, 0.5)
    timeline = pandas.DataFrame({"time_s": times_s, "duration_s": durations_s}).assign(**scores)
    write_table(folder / name / "timeline.csv", timeline, TIMELINE, cast)
    table = pandas.DataFrame(rows, columns=["character", "start_s", "end_s", "score"])
    write_table(folder / name / "appearances.csv", table, APPEARANCES)
    of_film = [(name, one, 1.0, np.nan, np.nan, 0.1, 1.0, "count", 0, 0) for one in cast]
    columns = [column.name for column in SCREEN_TIME.columns]
    totals = [("*", *row[1:]) for row in of_film]
    write_table(folder / "screen_time.csv", pandas.DataFrame(of_film + totals, columns=columns), SCREEN_TIME)
    kept = {
        "video_sha256": sha256_of(film),
        "first_frame_time_s": facts.first_frame_time_s,
        "claimed_s": facts.claimed_s,
    }
    write_json(folder / ".screentime/films" / f"{name}.json", {key: _plain(value) for key, value in kept.items()})
    write_json(folder / ".screentime/paths.json", {name: str(film)})
    return folder


def _plain(value: object) -> object:
    return float(value) if isinstance(value, Fraction) else value


def exported(results: Path, *words: object) -> Path:
    """The folder of what was exported."""
    out = results / "exported"
    main(["export", *map(str, words), "--results", str(results), "--out", str(out)])
    return out


def refused(capsys, *words: object) -> str:
    """What `export` says where it ends with exit code 1."""
    with pytest.raises(SystemExit) as ended:
        main(["export", *map(str, words)])
    assert ended.value.code == 1
    return capsys.readouterr().err


def from_webvtt(path: Path) -> Read:
    assert path.read_text(encoding="utf-8").startswith("WEBVTT\n")
    unescaped = lambda text: text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")  # noqa: E731
    cues = webvtt.read(str(path))
    assert [re.findall(r"\w+", unescaped(cue.text)) for cue in cues] == [re.findall(r"\w+", cue.voice) for cue in cues]
    return [(unescaped(cue.text), seconds(cue.start), seconds(cue.end)) for cue in cues]


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(rest)


def from_ass(path: Path) -> Read:
    script = pysubs2.load(str(path), encoding="utf-8", format_="ass")
    assert {event.style for event in script} <= set(script.styles)
    return [(event.plaintext, event.start / 1000, event.end / 1000) for event in script]


def from_elan(path: Path) -> Read:
    document = pympi.Eaf(str(path))
    return [
        (name, begin / 1000, end / 1000)
        for name in document.get_tier_names()
        for begin, end, text in document.get_annotation_data_for_tier(name)
        if text == "visible"
    ]


def from_otio(path: Path) -> Read:
    timeline = otio.adapters.read_from_file(str(path))
    film, *tracks = timeline.tracks
    assert film[0].source_range == film[0].media_reference.available_range
    zero = film[0].source_range.start_time
    found = []
    for track in tracks:
        for clip in track.find_clips():
            at, source = clip.range_in_parent(), clip.source_range
            assert (at.start_time, at.duration) == (
                source.start_time - zero,
                source.duration,
            )  # above the film's own frames
            assert clip.metadata["screentime"]["character"] == track.name == clip.name
            found.append((clip.name, at.start_time.to_seconds(), at.end_time_exclusive().to_seconds()))
    return found


def from_lossless_cut(path: Path) -> Read:
    """As the program itself reads it: three columns, seconds."""
    with open(path, newline="", encoding="utf-8") as file:
        return [(label, float(start), float(end)) for start, end, label in csv.reader(file)]


def from_fcpxml(path: Path) -> Read:
    """Keyword ranges; the adapter of OpenTimelineIO, which reads no such ranges, has to find the markers of the same moments."""
    root = ElementTree.parse(path).getroot()
    frame = exact(root.find("resources/format").get("frameDuration"))
    clip = root.find("library/event/asset-clip")
    zero = exact(clip.get("start"))
    for element in root.iter():
        for name in ("start", "duration", "offset", "tcStart"):
            assert (exact(element.get(name, "0s")) / frame).denominator == 1
    words = [(one.get("value"), exact(one.get("start")), exact(one.get("duration"))) for one in clip.iter("keyword")]
    (timeline,) = otio.adapters.read_from_file(str(path))
    (track,) = timeline.tracks
    whole = int(1 / frame)  # the adapter counts in whole frames a second
    assert [(one.name, one.marked_range.start_time.value) for one in track[0].markers] == [
        (name, int(float(start) * whole)) for name, start, _ in words
    ]
    collections = {one.get("name") for one in root.iter("keyword-collection")}
    assert {name for name, _, _ in words} <= collections
    return [(name, float(start - zero), float(start - zero + duration)) for name, start, duration in words]


def exact(text: str) -> Fraction:
    return Fraction(text.removesuffix("s"))


def from_edl(path: Path, rate: str = "29.97") -> Read:
    """By pycmx, its time codes by the package timecode; OpenTimelineIO has to find the same events."""
    text = path.read_text(encoding="utf-8")
    with open(path, encoding="utf-8") as file:
        found = pycmx.parse_cmx3600(file)
        events = [event for event in found.events if event.edits]
    drop = "FCM: DROP FRAME" in text
    frames = lambda code: timecode.Timecode(rate, code, force_non_drop_frame=not drop).frames - 1  # noqa: E731
    exact_rate = Fraction(round(float(rate)) * 1000, 1001) if "." in rate else Fraction(rate)
    read, record = [], None
    for event in events:
        (cut,) = event.edits
        assert not list(event.unrecognized_statements)
        assert len(cut.source) <= 8
        assert ";" in cut.source_in if drop else ";" not in cut.source_in
        begin, end = frames(cut.source_in), frames(cut.source_out)
        assert frames(cut.record_out) - frames(cut.record_in) == end - begin
        assert frames(cut.record_in) == (record or frames(cut.record_in))  # one after the other
        record = frames(cut.record_out)
        (name,) = [one.text.removeprefix("COMMENT: ") for one in event.statements if getattr(one, "text", "").startswith("COMMENT")]  # fmt: skip
        read.append((name, float(begin / exact_rate), float(end / exact_rate)))
    if events:
        timeline = otio.adapters.read_from_file(str(path), rate=float(exact_rate))
        clips = list(timeline.find_clips())
        assert [clip.source_range.duration.value for clip in clips] == [
            frames(event.edits[0].source_out) - frames(event.edits[0].source_in) for event in events
        ]
    return read


READERS: dict[str, Callable[[Path], Read]] = {
    "webvtt": from_webvtt, "ass": from_ass, "elan": from_elan, "otio": from_otio, "losslesscut": from_lossless_cut,
    "fcpxml": from_fcpxml, "edl": from_edl,
}  # fmt: skip


def numbers_between(film: Path, start_s: float, end_s: float) -> tuple[int, int]:
    """The first and the last number that a film's frames carry whose own times in the file lie in a stretch."""
    shown = []
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            if start_s - 1e-6 <= frame.time < end_s - 1e-6:
                shown.append(synthetic.number_of(frame.to_ndarray(format="rgb24")))
    return shown[0], shown[-1]


def moment(frame: int, rate: Fraction = NTSC) -> float:
    """When a frame comes on screen, as a table says it."""
    return round(float(frame / rate), 6)


@pytest.fixture(scope="module")
def late(tmp_path_factory) -> Path:
    """A mute film at 30000/1001 whose first frame comes at 1.2012 s of its file."""
    path = tmp_path_factory.mktemp("late") / "late film.mp4"
    starts_s = synthetic.constant_rate(240, NTSC, LATE / NTSC)
    synthetic.write_film(path, starts_s, time_base=Fraction(1, 30000))
    return path


@pytest.fixture(scope="module")
def export_of_the_late_film(late, tmp_path_factory) -> Path:
    rows = [("ann", moment(60), moment(120), 0.9), ("ann", moment(150), moment(240), 0.8), ("bob", moment(0), moment(90), 0.7)]  # fmt: skip
    return exported(results_of(tmp_path_factory.mktemp("results"), late, rows, ("ann", "bob", "cleo")))


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_names_the_very_frames_of_a_film_that_begins_late(form, late, export_of_the_late_film):
    read = READERS[form](export_of_the_late_film / f"late film{FORMATS[form].ending}")

    # what counts frames says them as frames of a clock that begins at 0; this film's lie a little beside those
    give_s = 0.5 / NTSC if form in ("otio", "fcpxml", "edl") else 0
    frames = sorted((name, *numbers_between(late, start_s - give_s, end_s - give_s)) for name, start_s, end_s in read)
    assert frames == [("ann", 60, 119), ("ann", 150, 239), ("bob", 0, 89)]


def test_ffmpeg_itself_reads_the_subtitles_as_they_were_meant(export_of_the_late_film):
    for ending in (".vtt", ".ass"):
        with av.open(str(export_of_the_late_film / f"late film{ending}")) as container:
            (stream,) = container.streams
            found = [
                (float(packet.pts * packet.time_base), one.dialogue.decode())
                for packet in container.demux(stream)
                for one in packet.decode()
            ]
        assert [name for _, name in found] == ["bob", "ann", "ann"]
        assert [start_s for start_s, _ in found] == pytest.approx([1.2012, 3.2032, 6.2062], abs=0.01)


def test_counted_from_where_the_file_begins_the_same_film_begins_at_0(late, tmp_path, capsys):
    results = results_of(tmp_path, late, [("ann", moment(0), moment(60), 0.9)], ("ann",))

    out = exported(results, "--clock", "start", "--to", "losslesscut", "edl")

    assert from_lossless_cut(out / "late film.losslesscut.csv") == [("ann", 0.0, pytest.approx(moment(60)))]
    assert "00:00:00;00 00:00:02;00 01:00:00;00 01:00:02;00" in (out / "late film.edl").read_text()
    assert "--clock start" not in capsys.readouterr().out


NAMES = {
    'Tom "the cat" O\'Neil': 'Tom "the cat" O\'Neil',
    "two\nlines": "two lines",
    "トムとジェリー": "トムとジェリー",
    "ليلى": "ليلى",
    "a <b> & c --> d": "a <b> & c --> d",
    "{brace} back\\Nslash": "{brace} back\\Nslash",
    "one, two": "one, two",
}
OTHERWISE = {  # what a format cannot hold, and what stands there
    ("ass", "{brace} back\\Nslash"): "\uff5bbrace\uff5d back\\\u2060Nslash",
    ("fcpxml", "one, two"): "one\u201a two",
}


@pytest.fixture(scope="module")
def odd_names(tmp_path_factory) -> Path:
    """What was exported of a film in which everybody has a name that some format stumbles over."""
    folder = tmp_path_factory.mktemp("names")
    film = folder / 'ein "Film" über #1 & 100%\'.mkv'
    synthetic.write_film(film, synthetic.constant_rate(100, Fraction(25)), width=64, height=48)
    rows = [(name, place / 2, place / 2 + 0.4, 0.9) for place, name in enumerate(NAMES)]
    return exported(results_of(folder / "results", film, rows, tuple(NAMES)))


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "fcpxml"])
def test_names_with_quotes_newlines_and_other_scripts_come_back(form, odd_names):
    path = odd_names / f'ein "Film" über #1 & 100%\'{FORMATS[form].ending}'

    read = from_edl(path, rate="25") if form == "edl" else READERS[form](path)

    expected = [OTHERWISE.get((form, name), shown) for name, shown in NAMES.items()]
    assert [name for name, _, _ in sorted(read, key=lambda one: one[1])] == expected


def test_ffmpeg_itself_shows_the_names_and_no_more(odd_names):
    with av.open(str(odd_names / 'ein "Film" über #1 & 100%\'.vtt')) as container:
        shown = [one.ass.decode() for packet in container.demux(subtitles=0) for one in packet.decode()]

    plain = lambda text: text.split(",", 8)[8].replace("\\{{}", "{").replace("\u2060", "")  # noqa: E731 - as it writes a brace
    assert [plain(text) for text in shown] == list(NAMES.values())


def test_names_come_back_from_keywords_and_markers_of_fcpxml(odd_names):
    root = ElementTree.parse(odd_names / 'ein "Film" über #1 & 100%\'.fcpxml').getroot()

    assert [one.get("value") for one in root.iter("marker")] == list(NAMES.values())
    keywords = [OTHERWISE.get(("fcpxml", name), shown) for name, shown in NAMES.items()]
    assert [one.get("value") for one in root.iter("keyword")] == keywords
    assert [one.get("name") for one in root.iter("keyword-collection")] == keywords


def test_the_film_is_found_from_every_format_that_names_it(odd_names):
    name = 'ein "Film" über #1 & 100%\''
    film = odd_names.parent.parent / f"{name}.mkv"

    timeline = otio.adapters.read_from_file(str(odd_names / f"{name}.otio"))
    (media,) = pympi.Eaf(str(odd_names / f"{name}.eaf")).get_linked_files()
    asset = ElementTree.parse(odd_names / f"{name}.fcpxml").getroot().find("resources/asset")

    urls = (timeline.tracks[0][0].media_reference.target_url, media["MEDIA_URL"], asset.get("src"))
    for url in urls:
        assert Path(otio.url_utils.filepath_from_url(url)).samefile(film)
    assert (odd_names / media["RELATIVE_MEDIA_URL"]).samefile(film)
    assert f"* FROM CLIP NAME: {film.name}\n" in (odd_names / f"{name}.edl").read_text()
    assert "hasAudio" not in asset.attrib


@pytest.mark.parametrize("form", FORMATS)
def test_a_film_without_appearances_gives_whole_files_with_none(form, late, tmp_path, capsys):
    out = exported(results_of(tmp_path, late, [], ("ann", "bob")), "--to", form)

    path = out / f"late film{FORMATS[form].ending}"
    if form == "webvtt":
        assert len(webvtt.read(str(path))) == 0
    else:
        assert READERS[form](path) == []
    assert "nobody is on screen: the files hold no appearance" in capsys.readouterr().out


def test_a_turned_film_with_sound_is_described_as_it_is_seen(tmp_path):
    film = tmp_path / "turned.mp4"
    with av.open(str(film), "w") as container:
        pictures = synthetic.FilmTrack(container, synthetic.constant_rate(50, Fraction(25)), width=128, height=64)
        pictures.stream.set_display_matrix(QUARTER_TURN)
        synthetic.write_sound(container, 2.0)
        pictures.write()

    out = exported(results_of(tmp_path / "results", film, [("ann", 0.0, 1.0, 0.9)], ("ann",)), "--to", "ass", "fcpxml")

    info = pysubs2.load(str(out / "turned.ass")).info
    assert (info["PlayResX"], info["PlayResY"]) == ("64", "128")
    root = ElementTree.parse(out / "turned.fcpxml").getroot()
    assert (root.find("resources/format").get("width"), root.find("resources/format").get("height")) == ("64", "128")
    asset = root.find("resources/asset")
    assert (asset.get("hasAudio"), asset.get("audioRate"), asset.get("audioChannels")) == ("1", "48000", "2")


def test_a_film_with_time_code_is_counted_by_it(tmp_path):
    film = tmp_path / "coded.mov"
    with av.open(str(film), "w") as container:
        pictures = synthetic.FilmTrack(container, synthetic.constant_rate(90, NTSC), width=64, height=48)
        pictures.stream.metadata["timecode"] = "00:59:59;00"
        pictures.write()

    out = exported(results_of(tmp_path / "results", film, [("ann", moment(30), moment(60), 0.9)], ("ann",)))

    assert "01:00:00;00 01:00:01;00 01:00:00;00 01:00:01;00" in (out / "coded.edl").read_text()
    timeline = otio.adapters.read_from_file(str(out / "coded.otio"))
    assert otio.opentime.to_timecode(timeline.global_start_time, float(NTSC), True) == "00:59:59;00"
    assert from_otio(out / "coded.otio") == [("ann", pytest.approx(1.001), pytest.approx(2.002))]
    assert from_fcpxml(out / "coded.fcpxml") == [("ann", pytest.approx(1.001), pytest.approx(2.002))]


@pytest.mark.parametrize(
    ("rate", "grid"),
    [
        (Fraction(24000, 1001), Fraction(24000, 1001)), (Fraction(12), Fraction(24)), (Fraction(25, 2), Fraction(25)), (Fraction(1), Fraction(24)),
        (Fraction(15000, 1001), NTSC), (Fraction(18), Fraction(24)), (Fraction(120), Fraction(60)), (Fraction(60000, 1001), Fraction(60000, 1001)),
    ],
)  # fmt: skip
def test_rates_are_exact_and_odd_ones_are_placed_on_a_usual_grid(rate, grid, tmp_path):
    film = tmp_path / "film.mp4"
    synthetic.write_film(film, synthetic.constant_rate(6, rate), width=64, height=48)

    clock = clock_of(film)

    assert (clock.rate, clock.constant, clock.grid) == (rate, True, grid)


def test_a_rate_is_exact_where_the_file_keeps_whole_milliseconds_alone(tmp_path):
    for rate in (NTSC, Fraction(24000, 1001), Fraction(24)):
        film = tmp_path / "film.mkv"
        synthetic.write_film(
            film, synthetic.constant_rate(60, rate), time_base=Fraction(1, rate.numerator), width=64, height=48
        )

        clock = clock_of(film)

        assert (clock.rate, clock.constant) == (rate, True)


def test_a_film_of_variable_rate_keeps_its_times_and_says_so(tmp_path, capsys):
    film = tmp_path / "variable.mp4"
    starts_s = [Fraction(number, 25) for number in range(100) if number % 7 < 5]
    synthetic.write_film(film, starts_s, Fraction(4), time_base=Fraction(1, 12800), width=64, height=48)
    shown = (round(float(starts_s[20]), 6), round(float(starts_s[40]), 6))

    out = exported(results_of(tmp_path / "results", film, [("ann", *shown, 0.9)], ("ann",)))

    assert (
        "otio, fcpxml, edl: frames do not last equally long; each time is that of a frame of a constant grid"
        in capsys.readouterr().out
    )
    for form in FORMATS:
        path = out / f"variable{FORMATS[form].ending}"
        ((name, start_s, end_s),) = from_edl(path, rate="25") if form == "edl" else READERS[form](path)
        assert (name, *numbers_between(film, start_s, end_s)) == ("ann", 20, 39)


def made_up(n: int, length_s: int, each_s: int = 1) -> Listing:
    """A long film at 30000/1001, with so many appearances."""
    clock = FilmClock(Fraction(0), None, Fraction(0), NTSC, True, 1920, 1080, None, "")
    step_s = Fraction(length_s - each_s, max(1, n - 1))
    stretches = tuple(Appearance("ann", place * step_s, place * step_s + each_s, 0.9) for place in range(n))
    return Listing("long", Path("long.mxf"), clock, Fraction(length_s), ("ann",), stretches)


def test_a_cut_list_holds_999_events_and_the_rest_goes_into_further_ones(tmp_path):
    paths = write_listing(tmp_path, made_up(2100, 7200), ["edl"])

    assert [path.name for path in paths] == ["long-1-of-3.edl", "long-2-of-3.edl", "long-3-of-3.edl"]
    assert [len(from_edl(path)) for path in paths] == [999, 999, 102]
    assert paths[2].read_text().startswith("TITLE: long 3 of 3\nFCM: DROP FRAME\n001  LONG     V     C ")


def test_a_cut_list_ends_before_its_24_hours_do():
    first, second = edl_texts(made_up(10, 20 * 3600, each_s=3 * 3600))

    assert (first.count("COMMENT"), second.count("COMMENT")) == (7, 3)  # 23 hours, from one o'clock on


def test_a_film_past_24_hours_has_no_time_code():
    with pytest.raises(InputError) as refusal:
        edl_texts(made_up(3, 90_000))

    assert str(refusal.value) == (
        "long.mxf: its last frame is at 90000 s of the film's clock, less than 24 hours were expected, which is how far time code "
        "counts; count from where the film begins (--clock start), or leave out edl"
    )


def test_one_character_alone_of_one_film_alone(late, tmp_path, capsys):
    rows = [("ann", 0.0, 1.0, 0.9), ("bob", 1.0, 2.0, 0.9)]
    results = results_of(tmp_path, late, rows, ("ann", "bob"))

    out = exported(results, "late film", "--character", "bob", "--to", "losslesscut", "elan")

    assert [name for name, _, _ in from_lossless_cut(out / "late film.losslesscut.csv")] == ["bob"]
    assert list(pympi.Eaf(str(out / "late film.eaf")).get_tier_names()) == ["bob"]
    assert sorted(os.listdir(out)) == ["late film.eaf", "late film.losslesscut.csv"]
    told = capsys.readouterr().out
    assert told.startswith("late film: 1 appearance of 1 character, 30000/1001 frames a second\n")
    assert "ELAN opens it with the film; corrected, `labels import` takes it" in told


def test_elan_hands_the_appearances_back_to_labels_import(export_of_the_late_film):
    found = elan.read(export_of_the_late_film / "late film.eaf")

    assert found.of_file and found.names == {"ann", "bob", "cleo"}
    assert {(one.name, one.start_s, one.present) for one in found.stretches} == {
        ("ann", 3.203, "1"), ("ann", 6.206, "1"), ("bob", 1.201, "1"),
    }  # fmt: skip


def test_a_film_that_moved_is_found_by_its_bytes_and_one_that_is_gone_is_told(late, tmp_path, capsys):
    film = tmp_path / "late film.mp4"
    film.write_bytes(late.read_bytes())
    results = results_of(tmp_path / "results", film, [("ann", 0.0, 1.0, 0.9)], ("ann",))
    words = ("--results", results, "--out", tmp_path / "out", "--to", "edl")
    moved = film.rename(tmp_path / "another name.mp4")

    assert refused(capsys, *words) == (
        f"{film}: the film late film is not there any more, its file was expected, for its rate and its first frame; bring it back, "
        "or name the file where it is now\n"
    )
    exported(results, moved, "--to", "edl")
    assert from_edl(results / "exported/late film.edl")[0][0] == "ann"


def test_another_film_under_the_same_name_is_told(late, tmp_path, capsys):
    film = tmp_path / "late film.mp4"
    film.write_bytes(late.read_bytes())
    results = results_of(tmp_path / "results", film, [("ann", 0.0, 1.0, 0.9)], ("ann",))
    synthetic.write_film(film, synthetic.constant_rate(30, NTSC), width=64, height=48)

    assert refused(capsys, "--results", results, "--out", tmp_path / "out") == (
        f"{film}: this is another film than the one that was scored as late film, the same file was expected; bring it back, or "
        "name the file where it is now, or score it anew\n"
    )
    assert not (tmp_path / "out").exists()


def test_the_films_of_a_report_are_those_of_the_project(late, tmp_path, monkeypatch):
    results = results_of(tmp_path / "reports", late, [("ann", moment(60), moment(90), 0.9)], ("ann",))
    params = film_tables.params(Video(file="season 1/late film.mp4"), cast=("ann",))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/videos/season 1").mkdir(parents=True)
    (tmp_path / "data/videos/season 1/late film.mp4").symlink_to(late)

    (source,) = reported(results, tmp_path / "data/frames", params)
    listing = listing_of(source, [], from_start=False)

    assert listing.frames_of(listing.appearances[0], NTSC) == (LATE + 60, LATE + 90)
    assert listing.path == Path("data/videos/season 1/late film.mp4")
    gone = film_tables.params(cast=("ann",))
    with pytest.raises(InputError) as refusal:
        listing_of(reported(results, tmp_path / "data/frames", gone)[0], [], from_start=False)
    assert str(refusal.value) == (
        "late film: nothing tells where this film is, its file was expected, for its rate and its first frame; name the file itself"
    )


def test_words_that_mean_nothing_are_refused_in_a_sentence(late, tmp_path, capsys):
    results = results_of(tmp_path / "results", late, [("ann", 0.0, 1.0, 0.9)], ("ann", "bob"))
    other = tmp_path / "other.mp4"
    synthetic.write_film(other, synthetic.constant_rate(30, NTSC), width=64, height=48)
    rest = ("--results", results, "--out", tmp_path / "out")

    assert refused(capsys, "--character", "anne", *rest) == (
        "--character: 'anne' is not in the cast of late film; did you mean 'ann'?\n"
    )
    assert refused(capsys, "late", *rest) == (
        "late: no film of this name was found, one of the report's or a film's file was expected; did you mean 'late film'?\n"
    )
    assert refused(capsys, other, *rest) == (
        f"{other}: this film is none of those in the report (late film), the very file that was scored was expected; score it first\n"
    )
    (tmp_path / "file").touch()
    assert refused(capsys, "--results", results, "--out", tmp_path / "file") == (
        f"{tmp_path / 'file'}: this is a file, a folder for the files was expected; name another one\n"
    )
    assert refused(capsys, "--results", tmp_path / "nothing", "--out", tmp_path / "out") == (
        f"{tmp_path / 'nothing'}: no screen_time.csv was found, a report was expected; name the folder that `score` wrote\n"
    )


def test_it_needs_neither_tensorflow_nor_dvc():
    heavy = ["tensorflow", "keras", "dvc", "mlflow", "opentimelineio"]
    asked = f"import sys, screentime.commandline.export; print([one for one in {heavy} if one in sys.modules])"

    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_the_two_exports_name_each_other(capsys):
    for words, other in ((["export"], "labels export"), (["labels", "export"], "python -m screentime export")):
        with pytest.raises(SystemExit):
            main([*words, "--help"])
        assert other in " ".join(capsys.readouterr().out.split())
