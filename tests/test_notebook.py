"""Films in a notebook: what `screentime.show` puts on the page, and the notebook of the documents as it is committed."""

import base64
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pytest
import synthetic
from PIL import Image
from synthetic import constant_rate, number_of
from test_sound_copy import clicks
from test_sound_copy import film as clicking_film

import screentime
from screentime.errors import InputError
from screentime.notebook import EMBEDDED
from screentime.video import NativeFrames

ROOT = Path(__file__).parents[1]


def numbered(path: Path, n_frames: int = 50, **more) -> Path:
    synthetic.write_film(path, constant_rate(n_frames, Fraction(25)), **more)
    return path


def put_in(shown: object, path: Path) -> Path:
    """What an element of the page holds, as a file."""
    kind, data = re.search(r'src="data:([\w/]+);base64,([^"]+)"', shown._repr_html_()).groups()
    assert kind in ("video/mp4", "image/gif", "image/png")
    path.write_bytes(base64.b64decode(data))
    return path


def refusal(*arguments: object) -> str:
    with pytest.raises(InputError) as caught:
        screentime.show(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_importing_the_package_brings_nothing_along():
    code = "import screentime, sys; print({'numpy', 'av', 'PIL', 'screentime.notebook', 'IPython'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"
    with pytest.raises(AttributeError, match="module 'screentime' has no attribute 'shown'"):
        screentime.shown  # noqa: B018


def test_a_small_film_is_put_in_as_it_is(tmp_path):
    path = numbered(tmp_path / "film.mp4")

    shown = screentime.show(path)

    assert put_in(shown, tmp_path / "shown.mp4").read_bytes() == path.read_bytes()
    assert 'width="128" height="64"' in shown._repr_html_()
    assert re.fullmatch(r"<film.mp4: [\d.]+ KB, in the notebook>", repr(shown))


def test_a_large_film_is_named_by_its_path_from_the_notebook(tmp_path, monkeypatch):
    folder = tmp_path / "the films"
    folder.mkdir()
    (tmp_path / "docs").mkdir()
    path = numbered(folder / "film.mp4", 5, width=1280, height=720)
    with open(path, "ab") as file:  # a box that players pass over, ISO/IEC 14496-12, 8.1.2
        file.write((EMBEDDED + 8).to_bytes(4, "big") + b"free" + bytes(EMBEDDED))
    monkeypatch.chdir(tmp_path / "docs")

    shown = screentime.show("../the films/film.mp4")

    assert 'src="../the%20films/film.mp4"' in shown.html and 'width="640" height="360"' in shown.html
    assert repr(shown) == "<film.mp4: 8.0 MB, beside the notebook>"


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv", "film.avi"])
def test_a_stretch_of_any_film_has_its_frames_and_their_sound(name, tmp_path):
    path = clicking_film(tmp_path / name, {"eng": "mp3"})  # 3 s of pictures, clicks at whole seconds

    shown = screentime.show(path, 0.68, 2.6)

    stretch = put_in(shown, tmp_path / "stretch.mp4")
    frames = list(NativeFrames(stretch))
    assert [number_of(frame.image()) for frame in frames] == list(range(17, 65))
    assert [frame.start_s for frame in frames] == [Fraction(index, 25) for index in range(48)]
    expected = [time_s - 0.68 for time_s in clicks(path) if 0.68 < time_s < 2.6]
    assert len(expected) == 2 and clicks(stretch) == pytest.approx(expected, abs=0.03)
    assert shown.told.startswith(f"{name}, 0.68 s to 2.6 s: ")


def test_a_stretch_is_as_large_as_it_is_displayed_and_upright(tmp_path):
    def turned(number: int, width: int, height: int) -> np.ndarray:
        return np.ascontiguousarray(np.rot90(synthetic.numbered_image(number, height, width)))

    path = numbered(
        tmp_path / "film.mp4", 30, width=720, height=1280, image_of=turned,
        display_matrix=(0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824),
    )  # fmt: skip

    shown = screentime.show(path, 0.4)

    frames = list(NativeFrames(put_in(shown, tmp_path / "stretch.mp4")))
    assert [number_of(frame.image()) for frame in frames] == list(range(10, 30))
    assert frames[0].image().shape == (360, 640, 3)
    assert 'width="640" height="360"' in shown.html


def test_a_film_of_one_pixel_is_shown(tmp_path):
    def grey(number: int, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), 128, np.uint8)

    path = numbered(tmp_path / "film.mkv", 10, codec="ffv1", width=1, height=1, image_of=grey)

    shown = screentime.show(path, 0.2)

    images = [frame.image() for frame in NativeFrames(put_in(shown, tmp_path / "stretch.mp4"))]
    assert len(images) == 5 and np.abs(np.array(images).astype(int) - 128).max() < 8


def test_pictures_are_shown_too(tmp_path):
    images = [Image.fromarray(synthetic.numbered_image(number)) for number in (3, 5)]
    images[0].save(tmp_path / "moving & more.gif", save_all=True, append_images=images[1:], duration=100)

    shown = screentime.show(tmp_path / "moving & more.gif")

    assert put_in(shown, tmp_path / "shown.gif").read_bytes() == (tmp_path / "moving & more.gif").read_bytes()
    assert (
        '<img src="data:image/gif;' in shown.html
        and 'alt="moving &amp; more.gif" width="128" height="64"' in shown.html
    )
    assert repr(shown).startswith("<moving & more.gif: 2 frames, ")


def test_what_cannot_be_shown_is_one_sentence(tmp_path):
    text, raw, path = tmp_path / "notes.mp4", tmp_path / "raw.mkv", numbered(tmp_path / "film.mp4")
    text.write_text("dear diary")
    numbered(raw, 5, codec="ffv1")
    Image.new("RGB", (8, 8)).save(tmp_path / "still.png")

    assert refusal(text) == (
        f"{text}: this is not a film that can be read, a video file was expected; check that a player opens it"
    )
    assert refusal(tmp_path / "absent.mp4").startswith(f"{tmp_path / 'absent.mp4'}: there is no such file")
    assert refusal(raw) == (
        f"{raw}: browsers do not play ffv1 in '.mkv', H.264 in MP4 was expected; name a stretch, `show(path, 0, 10)`, which is "
        "encoded anew"
    )
    assert refusal(path, 7.0) == f"{path}: it ends before 7 s; name a stretch inside the film"
    for times in ((2, 1), (0, 61), (-1, 1), (float("nan"), 1)):
        assert "a stretch of at most 60 s that ends after it begins was expected; correct the times" in refusal(
            path, *times
        )
    assert refusal(tmp_path / "still.png", 1.0) == (
        f"{tmp_path / 'still.png'}: a picture was found, a film was expected to show a stretch of; leave out the times"
    )


def test_the_notebook_is_committed_without_what_it_shows():
    """Its outputs, films among them, would be a megabyte that changes with every run."""
    notebook = nbformat.read(ROOT / "docs" / "notebook.ipynb", as_version=4)

    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 5
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert notebook.metadata.kernelspec.name == "python3"
