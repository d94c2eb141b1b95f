"""Packed frames come back as they were packed, and the packed file is an ordinary MJPEG stream."""

import av
import numpy as np
import pandas
import pytest

from screentime.errors import InputError
from screentime.files import write_json
from screentime.frames import decode_jpeg, encode_jpeg, open_frames
from screentime.table_files import write_table
from screentime.tables import FRAMES


def picture(shade: int) -> np.ndarray:
    image = np.full((48, 64, 3), shade, np.uint8)
    image[:, :32] = (220, 30, 40)
    return image


def packed(folder, shades):
    jpegs = [encode_jpeg(picture(shade), 90) for shade in shades]
    (folder / "film.mjpeg").write_bytes(b"".join(jpegs))
    sizes = np.array([len(jpeg) for jpeg in jpegs])
    times = np.arange(len(shades), dtype=float)
    table = pandas.DataFrame({"time_s": times, "duration_s": 1.0, "frame_time_s": times, "frame_end_s": times + 1})
    write_table(folder / "film.csv", table.assign(offset=np.cumsum(sizes) - sizes, size=sizes), FRAMES)
    write_json(folder / "film.json", {"video_id": "film", "fps": 1})


def test_each_frame_is_found_by_its_index(tmp_path):
    packed(tmp_path, [20, 120, 220])

    pack = open_frames(tmp_path, "film")

    assert len(pack) == 3
    assert [int(np.median(pack.image(i)[:, 40:])) for i in (2, 0, 1)] == [220, 20, 120]
    assert pack.facts["fps"] == 1


def test_colours_are_red_green_blue(tmp_path):
    red = decode_jpeg(encode_jpeg(picture(0), 95))[24, 16]

    assert np.abs(red.astype(int) - (220, 30, 40)).max() < 12


def test_the_packed_file_plays_as_a_video(tmp_path):
    packed(tmp_path, [20, 120, 220])

    with av.open(str(tmp_path / "film.mjpeg")) as container:
        shades = [int(np.median(frame.to_ndarray(format="rgb24")[:, 40:])) for frame in container.decode(video=0)]

    assert np.abs(np.array(shades) - (20, 120, 220)).max() <= 2


def test_a_film_that_was_not_sampled_is_one_sentence(tmp_path):
    with pytest.raises(InputError) as failure:
        open_frames(tmp_path, "other")

    assert str(failure.value) == (
        f"{tmp_path / 'other.csv'}: no sampled frames were found for 'other'; run `dvc repro sample`"
    )


def test_pictures_wider_than_high_keep_their_shape():
    assert decode_jpeg(encode_jpeg(np.zeros((9, 33, 3), np.uint8), 75)).shape == (9, 33, 3)
