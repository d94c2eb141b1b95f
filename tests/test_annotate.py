"""Films with who is on screen drawn in: every frame at its time, its sound with it, the right figures, readable anywhere."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synthetic
from PIL import Image
from scored import CAST, RATE, film, pictures, write_models
from test_cutting import FPS, clicking_film, clicks_of

from screentime.__main__ import main
from screentime.outside import lettering
from screentime.outside.lettering import Lettering
from screentime.outside.overlay import COLOURS, QUIET, SHADE, TEXT, Overlay
from screentime.table_files import read_table
from screentime.tables import SCREEN_TIME, TIMELINE
from screentime.video import NativeFrames

ROOT = Path(__file__).parents[1]
UPRIGHT = {"display_matrix": (0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824)}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("annotate") / "models"
    write_models(folder)
    return folder


def annotated(*words: object, models: Path, out: Path) -> Path:
    """Run the command on a film called film.*; what it wrote."""
    main(
        ["annotate", *map(str, words), "--model", str(models), "--out", str(out), "--params", str(ROOT / "params.yaml")]
    )
    (written,) = [one for one in (out / "film").iterdir() if one.suffix in (".mp4", ".gif")]
    return written


KINDS = {
    "as usual": ("film.mp4", {}),
    "a late first frame": ("film.mkv", {"first_s": Fraction(2)}),
    "odd width": ("film.mkv", {"codec": "ffv1", "codec_options": {}, "width": 131, "height": 65}),
    "no sound": ("film.mp4", {"sound_s": 0}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_copy_has_every_frame_at_its_time_and_the_sound(kind, models, tmp_path):
    name, more = KINDS[kind]
    path = clicking_film(tmp_path / name, n_frames=100, **more)

    written = annotated(path, models=models, out=tmp_path / "out")

    own, copy = list(NativeFrames(path)), list(NativeFrames(written))
    assert [frame.start_s for frame in copy] == [Fraction(index) / FPS for index in range(len(own))]
    height, width = (side // 2 * 2 for side in own[0].image().shape[:2])
    assert copy[50].image().shape == (height, width, 3)
    assert clicks_of(written) == pytest.approx(clicks_of(path), abs=0.03)
    with av.open(str(written)) as container:
        assert len(container.streams.audio) == (more.get("sound_s", 8) > 0)


def large(path: Path, image_of, n_frames: int = 36, **more) -> Path:
    """A film of 640 by 360 pixels, 12 frames a second."""
    synthetic.write_film(
        path, synthetic.constant_rate(n_frames, RATE), width=640, height=360, image_of=image_of, **more
    )
    return path


@pytest.mark.parametrize("more", [{}, UPRIGHT], ids=["as stored", "turned"])
def test_what_is_not_drawn_over_is_the_film(more, models, tmp_path):
    blots = [np.kron(one, np.ones((4, 4, 1), np.uint8)) for one in pictures(6, seed=2)]
    path = large(tmp_path / "film.mp4", lambda number, width, height: blots[number // 6][:height, :width], **more)

    written = annotated(path, models=models, out=tmp_path / "out")

    for own, copy in zip(NativeFrames(path), NativeFrames(written), strict=True):
        height, width = own.image().shape[:2]
        assert copy.image().shape == own.image().shape
        free = slice(height // 2, height - 60), slice(0, width)  # below the names, above the ribbon
        assert np.abs(copy.image()[free].astype(int) - own.image()[free]).mean() < 6


def overlay(scores: np.ndarray, size: tuple[int, int] = (640, 360), cast: tuple[str, ...] = CAST) -> Overlay:
    return Overlay(size, cast, np.arange(float(len(scores))), np.ones(len(scores)), scores, threshold=0.5)


def bar(image: np.ndarray, colour: tuple[int, int, int]) -> int:
    """How many pixels the longest line of a colour has, above the ribbon and beside the boxes."""
    return int((image[:200, 20:] == colour).all(axis=2).sum(axis=1).max())


def test_bars_and_seconds_are_those_of_the_scores():
    scores = np.array([[0.5, 0.0, 1.0], [1.0, 0.25, 1.0], [1.0, 0.75, 0.0]])
    drawn = overlay(scores)
    picture = np.full((360, 640, 3), 128, np.uint8)

    image = drawn.draw(picture, 1.4)

    line = 14
    assert [bar(image, colour) for colour in COLOURS[:3]] == [4 * line, line, 4 * line]
    own = drawn.draw(picture, 1.4, np.array([0.5, 0.0, 0.25]))
    assert [bar(own, colour) for colour in (COLOURS[0], COLOURS[2])] == [2 * line, line]
    below = slice(20, None)  # the line of the time
    assert np.array_equal(
        drawn.draw(picture, 9.0)[below], drawn.draw(picture, 3.0)[below]
    )  # past the end nothing is added
    assert np.array_equal(picture, np.full((360, 640, 3), 128, np.uint8))


@pytest.mark.parametrize("size", [(1, 1), (8, 200), (200, 8)])
def test_pictures_without_room_are_drawn_into_as_far_as_it_goes(size):
    picture = np.full((size[1], size[0], 3), (0, 255, 0), np.uint8)

    image = overlay(np.full((3, 3), 0.5), size=size).draw(picture, 1.0)

    assert image.shape == picture.shape and (image != picture).any()


def test_the_running_seconds_end_as_the_table_has_them(models, tmp_path, monkeypatch):
    blots, told = [np.kron(one, np.ones((4, 4, 1), np.uint8)) for one in pictures(8, seed=2)], []
    path = large(tmp_path / "film.mp4", lambda number, width, height: blots[number // 12][:height, :width], n_frames=96)
    mask = Lettering._mask
    monkeypatch.setattr(Lettering, "_mask", lambda self, text: told.append(text) or mask(self, text))

    annotated(path, models=models, out=tmp_path / "out")
    main(["score", str(path), "--model", str(models), "--out", str(tmp_path / "scored")])

    table = read_table(tmp_path / "scored" / "screen_time.csv", SCREEN_TIME)
    seconds = table[table["video_id"] == "film"]["seconds"]
    clocks = {int(text[2:]) for text in told if text.startswith("0:") and len(text) == 4}
    assert max(clocks) == pytest.approx(seconds.max(), abs=1)
    timeline = read_table(tmp_path / "scored" / "film" / "timeline.csv", TIMELINE, CAST)
    assert {f"{score:.2f}" for name in CAST for score in timeline[name]} <= set(told)
    assert {"0:03, scores of 0:03", *CAST} <= set(told)


def luminance(colour: np.ndarray) -> float:
    """Relative luminance, WCAG 2.2."""
    linear = np.array(colour, float) / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("ground", [0, 90, 180, 255])
def test_text_can_be_read_on_any_picture(ground):
    behind = luminance(SHADE[np.full(3, ground)])

    for colour in (TEXT, QUIET):
        assert (luminance(colour) + 0.05) / (behind + 0.05) >= 4.5


def test_with_every_frame_scored_the_change_is_seen_where_it_is(models, tmp_path):
    from screentime.scorer import Scorer

    scorer = Scorer(models, threads=1)
    shown = pictures(60, seed=11)
    scores = np.array([scorer.scores(one)[0] for one in shown])
    there, absent = shown[scores.argmax()], shown[scores.argmin()]

    there, absent = (np.kron(one, np.ones((4, 4, 1), np.uint8)) for one in (there, absent))
    path = large(
        tmp_path / "film.mp4", lambda number, width, height: (there if number >= 17 else absent)[:height, :width]
    )
    written = annotated(path, "--every-frame", models=models, out=tmp_path / "out")

    # the box before the name is full while the character is there
    full = [np.abs(frame.image()[27:30, 9:12].astype(int) - COLOURS[0]).mean() < 60 for frame in NativeFrames(written)]
    assert full.index(True) == 17 and all(full[17:]) and not any(full[:17])


def test_a_stretch_becomes_a_gif(models, tmp_path, capsys):
    path = film(tmp_path / "film.mp4", length_s=6)

    written = annotated(path, "--gif", "0:01.5", "4", models=models, out=tmp_path / "out")

    assert written.name == "film_1.5s.gif"
    with Image.open(written) as moving:
        assert (moving.n_frames, moving.size, moving.info["loop"]) == (25, (160, 90), 0)
    for words, sentence in (
        (("7", "8"), "ends before 7"),
        (("2", "1"), "a stretch of at most 60 s that ends after it begins"),
        (("one", "2"), "a time like 75.5 or 1:15.5 was expected"),
    ):
        with pytest.raises(SystemExit):
            annotated(path, "--gif", *words, models=models, out=tmp_path / "out")
        said = capsys.readouterr().err
        assert sentence in said and said.count("\n") == 1


def test_names_of_many_scripts_are_written_and_what_no_font_has_is_told(monkeypatch):
    names = ("Zoë", "Жук", "Ωμέγα", "ドラマ", "第一話", "한국")
    letters = Lettering(30)
    nothing = Lettering(30).mask(lettering.NO_LETTER)
    for name in names:
        mask = letters.mask(name)
        assert mask.shape[0] == 30 and mask.max() > 0.9
        assert not any(np.array_equal(letters.mask(letter), nothing) for letter in name)
    assert letters.lacking == set()

    monkeypatch.setattr(lettering, "_installed", tuple)  # a machine without fonts
    letters.mask("\N{THAI CHARACTER KO KAI}")
    assert letters.lacking == {"\N{THAI CHARACTER KO KAI}"}


def test_a_name_with_a_line_break_stays_on_its_line_and_many_names_leave_the_picture_visible():
    cast = tuple(f"character {number}\nof many" for number in range(40))
    scores = np.random.default_rng(0).random((20, 40))
    drawn = overlay(scores, cast=cast)

    image = drawn.draw(np.full((360, 640, 3), 255, np.uint8), 3.0)

    assert 5 < len(drawn.shown) < 40
    most = np.argsort(-scores.sum(axis=0))[: len(drawn.shown)]
    assert drawn.shown == [cast[place] for place in sorted(most)]
    assert (image[:, 600:] == 255).all(axis=2).mean() > 0.25


def test_a_font_that_is_none_is_one_sentence(models, tmp_path, capsys):
    path, font = film(tmp_path / "film.mp4", length_s=2), tmp_path / "font.ttf"
    font.write_text("no font")

    with pytest.raises(SystemExit):
        annotated(path, "--font", font, models=models, out=tmp_path / "out")

    said = capsys.readouterr().err
    assert f"{font}: no font was found" in said and said.count("\n") == 1
    assert not list((tmp_path / "out" / "film").glob("*")) if (tmp_path / "out" / "film").exists() else True
