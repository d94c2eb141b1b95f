"""Stretches cut out of films: the right frames at the right times, their sound with them, and appearances to the frame."""

import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synthetic
from scored import CAST, RATE, film, pictures, write_models
from synthetic import constant_rate, number_of, numbered_image
from test_docs import FORMATS, described

from screentime.__main__ import main
from screentime.outside.clips import APPEARANCE_CLIPS
from screentime.outside.cutting import Cut, cut
from screentime.outside.edges import coarse
from screentime.outside.sound import SoundReader
from screentime.scorer import Scorer
from screentime.table_files import read_table
from screentime.video import NativeFrames

ROOT = Path(__file__).parents[1]
FPS = Fraction(25)
HERTZ = 48_000


def clicking_film(path: Path, n_frames: int = 200, first_s: Fraction = Fraction(0), sound_s: float = 8, **more) -> Path:
    """Frames that carry their numbers, and a click at every whole second of the film's clock."""
    options = {"codec": "libx264", "codec_options": {"bf": "2", "g": "48"}} | more
    with av.open(str(path), "w") as container:
        track = synthetic.FilmTrack(container, constant_rate(n_frames, FPS, first_s), time_base=1 / FPS, **options)
        sound = container.add_stream("aac", rate=HERTZ, layout="mono") if sound_s else None
        track.write()
        if sound is not None:
            wave = np.zeros(int(sound_s * HERTZ), np.float32)
            for second in range(1, int(sound_s)):
                at = int((first_s + second) * HERTZ)
                if at + 200 < len(wave):
                    wave[at : at + 200] = np.sin(np.arange(200) * 0.6)
            for start in range(0, len(wave) // 1024 * 1024, 1024):
                piece = av.AudioFrame.from_ndarray(wave[None, start : start + 1024], format="fltp", layout="mono")
                piece.sample_rate, piece.pts = HERTZ, start
                container.mux(sound.encode(piece))
            container.mux(sound.encode(None))
    return path


def frames_of(path: Path) -> tuple[list[int], list[Fraction]]:
    """The numbers that the frames of a film carry, and when each comes."""
    frames = [(number_of(frame.image()), frame.start_s) for frame in NativeFrames(path)]
    return [number for number, _ in frames], [start_s for _, start_s in frames]


def clicks_of(path: Path) -> list[float]:
    """When the clicks of a film are heard, seconds from its first frame."""
    frames = NativeFrames(path)
    next(iter(frames))
    reader = SoundReader(path, frames.zero_s)
    heard = []
    for sound in reader:
        loud = np.flatnonzero(np.abs(sound.samples[0]) > 0.3)
        times = [float(sound.start_s) + at / reader.rate for at in loud]
        heard += [time_s for place, time_s in enumerate(times) if time_s - (heard or [-1])[-1] > 0.1]
        heard = sorted({round(one, 4): one for one in heard}.values())
        heard = [one for place, one in enumerate(heard) if place == 0 or one - heard[place - 1] > 0.1]
    return heard


def done(film: Path, *cuts: Cut) -> None:
    cut(film, cuts, lambda share: None)


UPRIGHT = {"width": 128, "height": 64}
KINDS = {
    "as usual": ("film.mp4", {}),
    "a late first frame": ("film.mkv", {"first_s": Fraction(2)}),
    "few key frames": ("film.mp4", {"codec_options": {"g": "500", "bf": "3"}}),
    "odd width": ("film.mkv", {"codec": "ffv1", "codec_options": {}, "width": 131, "height": 65}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_has_its_frames_and_their_sound_and_nothing_else(kind, tmp_path):
    name, more = KINDS[kind]
    path = clicking_film(tmp_path / name, **more)

    done(path, Cut(Fraction(63, 25), Fraction(140, 25), tmp_path / "clip.mp4"))

    numbers, starts_s = frames_of(tmp_path / "clip.mp4")
    assert numbers == list(range(63, 140))
    assert starts_s == [Fraction(index, 25) for index in range(77)]
    first_s = more.get("first_s", Fraction(0))
    expected = [s - 63 / 25 for s in range(3, 6)]
    assert clicks_of(tmp_path / "clip.mp4") == pytest.approx(expected, abs=0.03), first_s
    with av.open(str(tmp_path / "clip.mp4")) as container:
        video, sound = container.streams.video[0], container.streams.audio[0]
        assert (video.width % 2, video.height % 2, video.codec_context.pix_fmt) == (0, 0, "yuv420p")
        assert float(video.duration * video.time_base) == pytest.approx(77 / 25, abs=1e-4)
        assert float(sound.duration * sound.time_base) == pytest.approx(77 / 25, abs=0.05)


def test_stretches_that_overlap_and_a_supercut_come_out_of_one_pass(tmp_path):
    path = clicking_film(tmp_path / "film.mp4")
    cuts = [
        Cut(Fraction(10, 25), Fraction(60, 25), tmp_path / "a.mp4"),
        Cut(Fraction(40, 25), Fraction(80, 25), tmp_path / "b.mp4"),
        Cut(Fraction(40, 25), Fraction(60, 25), tmp_path / "super.mp4"),
        Cut(Fraction(110, 25), Fraction(160, 25), tmp_path / "super.mp4"),
        Cut(Fraction(190, 25), Fraction(400, 25), tmp_path / "end.mp4"),  # the film ends before it
    ]

    done(path, *cuts)

    assert frames_of(tmp_path / "a.mp4")[0] == list(range(10, 60))
    assert frames_of(tmp_path / "b.mp4")[0] == list(range(40, 80))
    assert frames_of(tmp_path / "end.mp4")[0] == list(range(190, 200))
    numbers, starts_s = frames_of(tmp_path / "super.mp4")
    assert numbers == [*range(40, 60), *range(110, 160)]
    assert starts_s == [Fraction(index, 25) for index in range(70)]
    expected = [2 - 40 / 25, 20 / 25 + 5 - 110 / 25, 20 / 25 + 6 - 110 / 25]
    assert clicks_of(tmp_path / "super.mp4") == pytest.approx(expected, abs=0.03)
    assert {one.name for one in tmp_path.iterdir()} == {"film.mp4", "a.mp4", "b.mp4", "super.mp4", "end.mp4"}


@pytest.mark.parametrize(
    "sound_s", [0, 1, 30], ids=["no sound", "sound that ends early", "sound longer than the picture"]
)
def test_sound_may_be_absent_short_or_long(sound_s, tmp_path):
    path = clicking_film(tmp_path / "film.mp4", sound_s=sound_s)

    done(path, Cut(Fraction(50, 25), Fraction(100, 25), tmp_path / "clip.mp4"))

    assert frames_of(tmp_path / "clip.mp4")[0] == list(range(50, 100))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert len(container.streams.audio) == (sound_s > 2)  # the clip begins at 2 s


def test_a_turned_film_gives_a_turned_clip(tmp_path):
    def turned(number: int, width: int, height: int) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(numbered_image(number, height, width)))

    synthetic.write_film(
        tmp_path / "film.mp4", constant_rate(50, FPS), width=64, height=128, image_of=turned,
        display_matrix=(0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824),
    )  # fmt: skip

    done(tmp_path / "film.mp4", Cut(Fraction(10, 25), Fraction(20, 25), tmp_path / "clip.mp4"))

    assert frames_of(tmp_path / "clip.mp4")[0] == list(range(10, 20))


def test_a_disk_that_fills_leaves_nothing_that_looks_like_a_film(tmp_path):
    path = clicking_film(tmp_path / "film.mp4")
    code = (
        "import sys; from fractions import Fraction as F; from pathlib import Path; from screentime.command import guarded\n"
        "from screentime.outside.cutting import Cut, cut\n"
        f"guarded(lambda: cut(Path({str(path)!r}), [Cut(F(0), F(2), Path({str(tmp_path / 'a.mp4')!r})), "
        f"Cut(F(0), F(8), Path({str(tmp_path / 'b.mp4')!r}))], lambda share: None))"
    )
    room = 8_000

    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )  # fmt: skip

    assert (ended.returncode, ended.stderr.count("\n"), "Traceback" in ended.stderr) == (1, 1, False), ended.stderr
    assert "room to write was expected" in ended.stderr
    assert {one.name for one in tmp_path.iterdir()} - {"a.mp4"} == {"film.mp4"}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cutting") / "models"
    write_models(folder)
    return folder


def test_an_appearance_is_cut_from_its_first_frame_to_its_last(models, tmp_path, capsys):
    scorer = Scorer(models, threads=1)
    shown = pictures(60, seed=11)
    scores = np.array([scorer.scores(one)[0] for one in shown])
    there, absent = shown[scores.argmax()], shown[scores.argmin()]
    assert scores.max() > 0.9 and scores.min() < 0.1
    here = [*range(41, 77), *range(103, 130)]  # frames, 12 a second: neither begins nor ends at a second

    def picture(number: int, width: int, height: int) -> np.ndarray:
        return (there if number in here else absent)[:height, :width]

    synthetic.write_film(tmp_path / "film.mp4", constant_rate(180, RATE), width=160, height=90, image_of=picture)
    words = ["extract", str(tmp_path / "film.mp4"), "--character", CAST[0], "--as", "clips", "supercut"]
    main([*words, "--model", str(models), "--out", str(tmp_path / "out")])

    table = read_table(tmp_path / "out" / "film" / "clips.csv", APPEARANCE_CLIPS)
    ends = [(41 / 12, 77 / 12), (103 / 12, 130 / 12)]
    assert list(zip(table["start_s"], table["end_s"], strict=True)) == [pytest.approx(one, abs=1e-5) for one in ends]
    assert set(table["refined"]) == {"yes"} and set(table["within_s"]) == {1.0}
    for file, n_frames in zip(table["file"], (36, 27), strict=True):
        assert sum(1 for _ in NativeFrames(tmp_path / "out" / "film" / file)) == n_frames
    frames = list(NativeFrames(tmp_path / "out" / "film" / "ann" / "film_supercut.mp4"))
    assert len(frames) == 63
    assert min(scorer.scores(frame.image())[0] for frame in frames) > 0.5
    assert "film: 2 appearances cut" in capsys.readouterr().out


def test_where_frames_cannot_be_judged_alone_the_ends_are_told_to_be_unsure():
    (first, second) = coarse([(0, 0.0, 3.0), (0, 5.0, 8.0)], np.arange(8.0))

    assert (first.start_s, first.end_s, first.within_s) == (0, 3, 1)
    assert (second.start_s, second.end_s, second.within_s) == (5, 8, 1)
    (whole,) = coarse([(0, 0.0, 8.0)], np.arange(8.0))
    assert whole.within_s == 0


def test_a_film_of_a_second_is_cut(models, tmp_path):
    path = film(tmp_path / "film.mp4", length_s=1)

    main(["extract", str(path), "--as", "clips", "sheet", "--model", str(models), "--out", str(tmp_path / "out")])

    table = read_table(tmp_path / "out" / "film" / "clips.csv", APPEARANCE_CLIPS)
    assert all((tmp_path / "out" / "film" / file).is_file() for file in table["file"])


def test_the_table_is_documented_by_its_contract():
    assert described(APPEARANCE_CLIPS) in FORMATS
