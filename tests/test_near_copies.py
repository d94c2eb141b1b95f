"""Pictures of one scene, a moment apart, are one group; another scene is not."""

import av
import numpy as np
from excerpt import RATE

from screentime.near_copies import groups_of_near_copies, looks_of


def cut_frames(film, start_s: float, count: int) -> list[np.ndarray]:
    """Neighbouring frames of a film, from a moment on."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        frames = (frame for frame in container.decode(stream) if frame.pts * stream.time_base >= start_s - 1e-6)
        return [frame.to_ndarray(format="rgb24") for frame, _ in zip(frames, range(count), strict=False)]


def test_a_burst_out_of_a_real_film_is_one_group_whatever_moves_in_it(demo_excerpt):
    """Half a second each, at 8 frames a second, of six scenes; in mixed order."""
    moments = (8, 30, 58, 77, 101, 127)
    pictures = [(moment, image) for moment in moments for image in cut_frames(demo_excerpt, moment, int(RATE) // 2)]
    order = np.random.default_rng(0).permutation(len(pictures))

    groups = groups_of_near_copies(looks_of(pictures[place][1] for place in order))

    found = {
        moment: {int(group) for place, group in zip(order, groups, strict=True) if pictures[place][0] == moment}
        for moment in moments
    }
    assert all(len(of_one) == 1 for of_one in found.values()), found
    assert len(set.union(*found.values())) == len(moments)


def test_groups_do_not_depend_on_the_size_of_a_picture_or_on_the_quality_of_its_jpeg(demo_excerpt):
    import cv2

    whole = cut_frames(demo_excerpt, 30, 1) + cut_frames(demo_excerpt, 77, 1)
    worse = [
        cv2.imdecode(
            cv2.imencode(".jpg", cv2.resize(image, (150, 150)), [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR
        )
        for image in whole
    ]

    assert groups_of_near_copies(looks_of([*whole, *worse])).tolist() == [1, 2, 1, 2]


def test_what_is_alike_by_a_third_picture_is_one_group():
    """A camera that turns: each picture is like the next one, the last is not like the first."""
    rows, columns = np.mgrid[0:90, 0:400]
    scene = (127 + 120 * np.sin(rows / 11 + columns / 23)[:, :, None] * (1, 0.5, -0.7)).astype(np.uint8)
    turning = [np.ascontiguousarray(scene[:, shift : shift + 160]) for shift in range(0, 90, 6)]
    looks = looks_of(turning)

    assert not looks.alike(looks, 0)[-1]
    assert set(groups_of_near_copies(looks).tolist()) == {1}


def test_black_pictures_are_near_copies_of_each_other_and_of_nothing_else():
    black, white = np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 255, np.uint8)
    scene = np.random.default_rng(1).integers(0, 40, (90, 160, 3), dtype=np.uint8)

    assert groups_of_near_copies(looks_of([black, scene, white, black, white])).tolist() == [1, 2, 3, 1, 3]


def test_no_pictures_make_no_groups():
    assert groups_of_near_copies(looks_of([])).tolist() == []
