"""Facts about sampling: the frame on screen at k/fps, the time it stands for, and what was lost, by construction."""

import threading
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import synthetic
from av.stream import Disposition
from synthetic import constant_rate, number_of, number_on_screen, numbered_image, write_film

from screentime import film_file
from screentime.picture import kept_size
from screentime.timeline import frame_durations, microseconds, rounded_s, sample_times
from screentime.video import SampledFrame, VideoFacts, VideoSampler

RATE = Fraction(25)
CFR = constant_rate(60, RATE)
INTRA = {"g": "1", "bf": "0"}  # every frame stands alone
B_FRAMES = {"bf": "2", "b_strategy": "0", "g": "12", "x264-params": "b-pyramid=none"}
QUICK_VP9 = {"deadline": "realtime", "cpu-used": "8"}
MILLISECONDS = Fraction(1, 1000)


def uneven(n_frames: int, tick: Fraction) -> list[Fraction]:
    """A variable rate: gaps of 10 to 400 milliseconds, and one of 3 seconds."""
    gaps = np.random.default_rng(7).integers(10, 400, n_frames - 1)
    gaps[n_frames // 2] = 3000
    return [Fraction(0), *(Fraction(int(total)) * tick for total in np.cumsum(gaps))]


VFR = uneven(60, MILLISECONDS)
DROPPED = [Fraction(number) / RATE for number in range(91) if number % 3 != 1]  # the last two are neighbours


def sampled(path: Path, fps=RATE, max_side: int = 64) -> tuple[list[SampledFrame], VideoFacts]:
    sampler = VideoSampler(path, Fraction(fps), max_side)
    return list(sampler), sampler.facts


def numbers(frames: list[SampledFrame]) -> list[int]:
    return [number_of(frame.image) for frame in frames]


def check_weights(frames: list[SampledFrame], facts: VideoFacts) -> None:
    times_s = np.array([rounded_s(frame.time_s) for frame in frames])
    durations_s = frame_durations(times_s, rounded_s(facts.length_s))
    assert sum(round(duration_s * 1e6) for duration_s in durations_s) == microseconds(facts.length_s)
    assert np.all(durations_s > 0)


FILMS = {
    "constant rate": ("film.mp4", CFR, {}),
    "NTSC 30000/1001": ("film.mp4", constant_rate(90, Fraction(30000, 1001)), {}),
    "film in NTSC 24000/1001": ("film.mov", constant_rate(60, Fraction(24000, 1001)), {}),
    "variable rate": ("film.mp4", VFR, {"time_base": MILLISECONDS, "codec_options": {"bf": "0"}}),
    "variable rate with B-frames": ("film.mkv", VFR, {"time_base": MILLISECONDS, "codec_options": B_FRAMES}),
    "B-frames": ("film.mp4", CFR, {"codec_options": B_FRAMES}),
    "late first frame": ("film.mp4", constant_rate(60, RATE, Fraction(43, 40)), {"time_base": MILLISECONDS}),
    "late first frame, Matroska": ("film.mkv", constant_rate(60, RATE, Fraction(43, 40)), {"time_base": MILLISECONDS}),
    "fragmented": ("film.mp4", CFR, {"container_options": {"movflags": "frag_keyframe+empty_moov"}}),
    "transport stream": ("film.ts", constant_rate(60, RATE, Fraction(3)), {}),
    "Flash": ("film.flv", CFR, {}),
    "HEVC": ("film.mp4", CFR, {"codec": "libx265", "codec_options": {"x265-params": "log-level=none"}}),
    "AV1": ("film.mkv", CFR, {"codec": "libsvtav1", "codec_options": {"preset": "12"}}),
    "VP8": ("film.webm", CFR, {"codec": "libvpx"}),
    "VP9 without a duration": (
        "film.webm",
        CFR,
        {"codec": "libvpx-vp9", "codec_options": QUICK_VP9, "container_options": {"live": "1"}},
    ),
    "MPEG-2": ("film.mpg", CFR, {"codec": "mpeg2video", "codec_options": {"bf": "2"}}),
    "MPEG-4 in AVI": ("film.avi", CFR, {"codec": "mpeg4"}),
    "MPEG-4 in AVI with B-frames": ("film.avi", CFR, {"codec": "mpeg4", "codec_options": {"bf": "2"}}),
    "MPEG-4 in AVI with dropped frames": ("film.avi", DROPPED, {"codec": "mpeg4", "time_base": 1 / RATE}),
    "H.264 in AVI with B-frames": ("film.avi", CFR, {"codec_options": B_FRAMES}),
    "H.264 without a container": ("film.h264", CFR, {}),
    "one frame": ("film.mp4", CFR[:1], {}),
    "one frame without a duration": ("film.webm", CFR[:1], {"codec": "libvpx", "container_options": {"live": "1"}}),
}


@pytest.mark.parametrize("fps", [Fraction(10, 3), RATE, Fraction(1, 2)])
@pytest.mark.parametrize("film", FILMS)
def test_each_sample_shows_the_frame_on_screen_at_its_moment(tmp_path, film, fps):
    name, starts_s, options = FILMS[film]
    write_film(tmp_path / name, starts_s, **options)

    frames, facts = sampled(tmp_path / name, fps)

    shown = [number_on_screen(starts_s, frame.time_s) for frame in frames]
    last_s = starts_s[-1] - starts_s[-2] if len(starts_s) > 1 else 1 / RATE
    ends_s = [*starts_s[1:], starts_s[-1] + last_s]
    assert numbers(frames) == shown
    assert facts.length_s == ends_s[-1] - starts_s[0]
    assert tuple(frame.time_s for frame in frames) == sample_times(facts.length_s, fps)
    assert [frame.frame_time_s for frame in frames] == [starts_s[number] - starts_s[0] for number in shown]
    assert [frame.frame_end_s for frame in frames] == [ends_s[number] - starts_s[0] for number in shown]
    assert (facts.frames_decoded, facts.bad_packets, facts.missing_s) == (len(starts_s), 0, 0)
    check_weights(frames, facts)


@pytest.mark.parametrize(
    ("film", "first_s", "claimed_s", "repaired"),
    [
        ("constant rate", Fraction(0), Fraction(60, 25), 0),
        ("late first frame", Fraction(43, 40), Fraction(60, 25), 0),
        ("late first frame, Matroska", Fraction(43, 40), Fraction(60, 25), 0),
        ("VP9 without a duration", Fraction(0), None, 0),
        ("H.264 without a container", Fraction(0), None, 60),  # no timestamps: the header's rate from zero
    ],
)
def test_the_first_frames_own_time_and_the_claimed_length_are_told(tmp_path, film, first_s, claimed_s, repaired):
    name, starts_s, options = FILMS[film]
    write_film(tmp_path / name, starts_s, **options)

    _, facts = sampled(tmp_path / name)

    assert (facts.first_frame_time_s, facts.claimed_s, facts.repaired_timestamps) == (first_s, claimed_s, repaired)


def test_a_long_frame_is_decoded_once_and_shared_by_its_samples(tmp_path):
    write_film(tmp_path / "film.mkv", [Fraction(0), Fraction(1), Fraction(9)], time_base=MILLISECONDS)

    frames, _ = sampled(tmp_path / "film.mkv", 1)

    assert numbers(frames) == [0] + [1] * 8 + [2] * 8
    assert all(before.image is after.image for before, after in pairwise(frames[1:9]))


# ---- decoding what the samples need


FILMS_TO_PLAN = FILMS | {
    "open groups": ("film.mp4", CFR, {"codec_options": {"x264-params": "open-gop=1:keyint=12:scenecut=0:bframes=3"}}),
    "open groups, HEVC": (
        "film.mp4",
        CFR,
        {"codec": "libx265", "codec_options": {"x265-params": "log-level=none:open-gop=1:keyint=12:bframes=4"}},
    ),
    "pyramids of B-frames": (
        "film.mkv",
        CFR,
        {"codec_options": {"x264-params": "b-pyramid=normal:bframes=8:keyint=30:ref=5"}},
    ),
    "renewed strip by strip": ("film.mp4", CFR, {"codec_options": {"x264-params": "intra-refresh=1:keyint=12"}}),
    "renewed strip by strip, transport stream": (
        "film.ts",
        CFR,
        {"codec_options": {"x264-params": "intra-refresh=1:keyint=12"}},
    ),
    "two fields in a frame": (
        "film.mp4",
        CFR,
        {"codec_options": {"x264-params": "interlaced=1:keyint=12"}},
    ),
    "VP9 with hidden frames": (
        "film.webm",
        CFR,
        {"codec": "libvpx-vp9", "codec_options": QUICK_VP9 | {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "16"}},
    ),
    "every frame a key": ("film.mp4", CFR, {"codec_options": INTRA}),
    "MPEG-4 with B-frames": ("film.mp4", CFR, {"codec": "mpeg4", "codec_options": {"bf": "2", "g": "12"}}),
}
DECODED_WHOLE = {  # no times of presentation
    "MPEG-4 in AVI", "MPEG-4 in AVI with B-frames", "MPEG-4 in AVI with dropped frames", "H.264 in AVI with B-frames",
    "H.264 without a container",
}  # fmt: skip


class Planned(VideoSampler):
    """A sampler that notes whether it had to decode everything after all."""

    def __init__(self, path: Path, fps: Fraction | int, threads: int = 1) -> None:
        super().__init__(path, Fraction(fps), 64, every_frame=False, threads=threads)
        self.whole_from: int | None = None

    def _in_full(self, given: int):
        self.whole_from = given
        return super()._in_full(given)


def same(frames: list[SampledFrame]) -> list[tuple]:
    return [(frame.time_s, frame.frame_time_s, frame.frame_end_s, frame.image.tobytes()) for frame in frames]


@pytest.mark.parametrize("fps", [Fraction(10, 3), Fraction(1, 2)])
@pytest.mark.parametrize("film", FILMS_TO_PLAN)
def test_decoding_what_the_samples_need_gives_what_decoding_everything_gives(tmp_path, monkeypatch, film, fps):
    name, starts_s, options = FILMS_TO_PLAN[film]
    write_film(tmp_path / name, starts_s, **options)
    frames, facts = sampled(tmp_path / name, fps)

    monkeypatch.setattr(film_file, "LEAST_IN_PART", 1)
    for threads in (1, 3):
        planned = Planned(tmp_path / name, fps, threads)

        assert same(planned) == same(frames)
        assert planned.facts == replace(facts, every_frame=film in DECODED_WHOLE)
        assert (planned.whole_from == 0) == (film in DECODED_WHOLE)


def test_most_packets_of_a_film_are_never_decoded(tmp_path, monkeypatch):
    write_film(tmp_path / "film.mp4", constant_rate(250, RATE), codec_options={"g": "50", "bf": "2"})
    given = []
    needed = film_file.needed
    monkeypatch.setattr(film_file, "needed", lambda packets, wanted: given.append(needed(packets, wanted)) or given[-1])

    frames = list(Planned(tmp_path / "film.mp4", Fraction(1, 2)))

    assert numbers(frames) == [0, 50, 100, 150, 200]
    assert given[0].sum() <= 60  # a key frame each, and the last group for the end of the film


@pytest.mark.parametrize(("spoilt", "whole_from"), [(0, 0), (30, 2), (-1, 4)])
def test_where_a_needed_frame_does_not_come_everything_is_decoded_after_all(tmp_path, spoilt, whole_from):
    write_film(tmp_path / "film.mp4", CFR, codec_options=INTRA)
    synthetic.spoil_packet(tmp_path / "film.mp4", spoilt)
    frames, facts = sampled(tmp_path / "film.mp4", Fraction(5, 3))

    planned = Planned(tmp_path / "film.mp4", Fraction(5, 3))

    assert same(planned) == same(frames)
    assert planned.facts == facts
    assert planned.whole_from == whole_from


@pytest.mark.parametrize("spoilt", [0, 30, -1])
def test_several_decoders_notice_damage_as_one_does(tmp_path, spoilt):
    write_film(tmp_path / "film.mp4", CFR, codec_options=INTRA)
    synthetic.spoil_packet(tmp_path / "film.mp4", spoilt)
    frames, facts = sampled(tmp_path / "film.mp4", 10)

    planned = Planned(tmp_path / "film.mp4", 10, threads=2)

    assert same(planned) == same(frames)
    assert planned.facts == facts
    assert planned.whole_from is not None


def test_whoever_wants_no_more_frames_leaves_no_thread_behind(tmp_path):
    write_film(tmp_path / "film.mp4", CFR, codec_options=INTRA)
    before = threading.active_count()
    frames = iter(Planned(tmp_path / "film.mp4", 25, threads=2))
    first = next(frames)
    assert threading.active_count() > before

    frames.close()

    assert (first.time_s, threading.active_count()) == (0, before)


def test_damage_that_no_sample_needs_is_passed_over(tmp_path):
    write_film(tmp_path / "film.mp4", CFR, codec_options=INTRA)
    synthetic.spoil_packet(tmp_path / "film.mp4", 20)
    frames, facts = sampled(tmp_path / "film.mp4", 1)

    planned = Planned(tmp_path / "film.mp4", 1)

    assert same(planned) == same(frames)
    assert planned.whole_from is None
    assert (planned.facts.frames_decoded, planned.facts.bad_packets, facts.bad_packets) == (60, 0, 1)
    assert planned.facts.length_s == facts.length_s


# ---- damage


def test_decoding_goes_on_after_a_bad_packet_and_the_frame_before_it_is_held(tmp_path):
    write_film(tmp_path / "film.mp4", CFR, codec_options=INTRA)
    synthetic.spoil_packet(tmp_path / "film.mp4", 20)

    frames, facts = sampled(tmp_path / "film.mp4")

    assert numbers(frames) == [19 if number == 20 else number for number in range(60)]
    assert (frames[20].frame_time_s, frames[20].frame_end_s) == (Fraction(19, 25), Fraction(21, 25))
    assert (facts.frames_decoded, facts.bad_packets, facts.missing_s) == (59, 1, 0)
    assert facts.length_s == Fraction(60, 25)
    check_weights(frames, facts)


def test_a_bad_packet_near_the_end_takes_no_good_frame_with_it(tmp_path):
    write_film(tmp_path / "film.mp4", CFR, codec_options=B_FRAMES)
    order = [round(tick / 512) for _, _, tick in synthetic.packets(tmp_path / "film.mp4")]
    synthetic.spoil_packet(tmp_path / "film.mp4", -1)

    frames, facts = sampled(tmp_path / "film.mp4")

    assert order[-2:] == [59, 58]  # the spoilt one is a B-frame, which no other needs
    assert numbers(frames) == [*range(58), 57, 59]
    assert (facts.frames_decoded, facts.bad_packets, facts.length_s) == (59, 1, Fraction(60, 25))


def test_a_lost_last_frame_is_reported_as_missing_and_not_filled(tmp_path):
    write_film(tmp_path / "film.mp4", CFR, codec_options=INTRA)
    synthetic.spoil_packet(tmp_path / "film.mp4", -1)

    frames, facts = sampled(tmp_path / "film.mp4")

    assert numbers(frames) == list(range(59))
    assert (facts.length_s, facts.claimed_s, facts.missing_s) == (Fraction(59, 25), Fraction(60, 25), Fraction(1, 25))


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_a_missing_tail_is_reported_as_claimed_minus_decoded(tmp_path, name):
    options = {"movflags": "faststart"} if name.endswith("mp4") else {}
    write_film(tmp_path / name, CFR, codec_options=INTRA, container_options=options)
    position, size, _ = synthetic.packets(tmp_path / name)[40]
    synthetic.cut_file(tmp_path / name, position + size // 2)

    frames, facts = sampled(tmp_path / name)

    assert numbers(frames) == list(range(40))
    assert (facts.length_s, facts.claimed_s, facts.missing_s) == (Fraction(40, 25), Fraction(60, 25), Fraction(20, 25))
    check_weights(frames, facts)


def test_what_an_edit_list_leaves_out_is_not_part_of_the_film(tmp_path):
    path = tmp_path / "film.mp4"
    write_film(path, CFR, codec_options={"bf": "0"})
    data = path.read_bytes()
    edits = data.index(b"elst") + 12  # one entry: its length (ticks of 1 ms), its start in the stream (1/12800 s)
    entry = (1200).to_bytes(4) + (10 * 512).to_bytes(4)
    path.write_bytes(data[:edits] + entry + data[edits + len(entry) :])

    frames, facts = sampled(path)

    assert numbers(frames) == list(range(10, 40))
    assert (facts.length_s, facts.missing_s) == (Fraction(30, 25), 0)
    assert same(Planned(path, 5)) == same(sampled(path, 5)[0])


def test_a_second_recording_in_one_file_goes_on_where_the_first_stopped_at_the_size_of_the_first(tmp_path):
    write_film(tmp_path / "one.ts", CFR)
    write_film(tmp_path / "two.ts", CFR, width=64, image_of=lambda number, *size: numbered_image(60 + number, *size))
    both = tmp_path / "both.ts"
    both.write_bytes((tmp_path / "one.ts").read_bytes() + (tmp_path / "two.ts").read_bytes())

    frames, facts = sampled(both)

    assert numbers(frames) == list(range(120))
    assert facts.length_s == Fraction(120, 25)
    assert facts.repaired_timestamps == 60
    assert {frame.image.shape for frame in frames} == {(32, 64, 3)}
    assert same(Planned(both, 5)) == same(sampled(both, 5)[0])


def test_damage_makes_no_noise(tmp_path, capfd):
    write_film(tmp_path / "film.mp4", CFR, codec_options=INTRA)
    synthetic.spoil_packet(tmp_path / "film.mp4", 20)
    capfd.readouterr()

    sampled(tmp_path / "film.mp4")

    assert capfd.readouterr() == ("", "")


# ---- the streams of a file


def other_numbers(number: int, width: int, height: int) -> np.ndarray:
    return numbered_image(1000 + number, width, height)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (Disposition.default, Disposition.default, 0),
        (Disposition.default, Disposition(0), 0),
        (Disposition(0), Disposition.default, 1000),
        (Disposition(0), Disposition(0), 0),
    ],
)
def test_of_several_streams_the_first_default_one_is_the_film(tmp_path, first, second, expected):
    with av.open(str(tmp_path / "film.mkv"), "w") as container:
        tracks = [
            synthetic.FilmTrack(container, CFR),
            synthetic.FilmTrack(container, CFR, width=256, height=128, image_of=other_numbers),
        ]
        for track, disposition in zip(tracks, (first, second), strict=True):
            track.stream.disposition = disposition
        for track in tracks:
            track.write()

    frames, _ = sampled(tmp_path / "film.mkv")

    assert numbers(frames) == [expected + number for number in range(60)]


def test_sound_beside_the_film_changes_nothing(tmp_path):
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        track = synthetic.FilmTrack(container, CFR)
        synthetic.write_sound(container, 5.0)
        track.write()

    frames, facts = sampled(tmp_path / "film.mp4")

    assert numbers(frames) == list(range(60))
    assert (facts.length_s, facts.claimed_s) == (Fraction(60, 25), Fraction(60, 25))


# ---- pictures


def stored_picture(upright: np.ndarray, a: int, b: int, c: int, d: int) -> np.ndarray:
    """The picture that the display matrix makes upright: its point (x, y) goes to (a x + c y, b x + d y)."""
    height, width = upright.shape[:2] if b == 0 else upright.shape[1::-1]
    y, x = np.mgrid[:height, :width]
    x, y = 2 * x - (width - 1), 2 * y - (height - 1)  # twice the distance from the centre: whole numbers
    shown_x, shown_y = a * x + c * y, b * x + d * y
    return upright[(shown_y + upright.shape[0] - 1) // 2, (shown_x + upright.shape[1] - 1) // 2]


@pytest.mark.parametrize(
    ("a", "b", "c", "d", "rotation"),
    [
        (1, 0, 0, 1, 0),
        (0, 1, -1, 0, 90),
        (-1, 0, 0, -1, 180),
        (0, -1, 1, 0, 270),
        (-1, 0, 0, 1, 0),  # mirrored left to right
        (1, 0, 0, -1, 180),  # mirrored top to bottom
        (0, 1, 1, 0, 270),
        (0, -1, -1, 0, 90),
    ],
)
def test_frames_come_out_upright(tmp_path, a, b, c, d, rotation):
    one = 1 << 16
    width, height = (128, 64) if b == 0 else (64, 128)  # as shown
    write_film(
        tmp_path / "film.mp4",
        CFR[:5],
        width=128,
        height=64,
        display_matrix=[a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30],
        image_of=lambda number, *_: stored_picture(numbered_image(number, width, height), a, b, c, d),
    )

    frames, facts = sampled(tmp_path / "film.mp4", max_side=1000)

    assert numbers(frames) == list(range(5))
    assert {frame.image.shape for frame in frames} == {(height, width, 3)}
    assert (facts.width, facts.height, facts.native_width, facts.native_height) == (width, height, 128, 64)
    assert facts.rotation == rotation


@pytest.mark.parametrize(
    ("max_side", "pixel_aspect", "shape"),
    [
        (1000, None, (64, 128, 3)),  # never enlarged
        (100, None, (50, 100, 3)),
        (1000, Fraction(1, 2), (64, 64, 3)),  # narrow pixels
        (1000, Fraction(2), (32, 128, 3)),  # wide pixels
    ],
)
def test_frames_keep_their_shape_and_are_never_enlarged(tmp_path, max_side, pixel_aspect, shape):
    write_film(tmp_path / "film.mp4", CFR[:5], pixel_aspect=pixel_aspect)

    frames, facts = sampled(tmp_path / "film.mp4", max_side=max_side)

    assert {frame.image.shape for frame in frames} == {shape} == {(facts.height, facts.width, 3)}
    assert numbers(frames) == list(range(5))
    assert all(frame.image.dtype == np.uint8 for frame in frames)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1, 1, Fraction(1), 448), (1, 1)),
        ((10_000, 2, Fraction(1), 448), (448, 1)),
        ((448, 252, Fraction(1), 448), (448, 252)),
        ((720, 480, Fraction(8, 9), 320), (320, 240)),
    ],
)
def test_kept_sizes_are_at_least_a_pixel(size, expected):
    assert kept_size(*size) == expected


def test_a_film_of_one_pixel_is_sampled(tmp_path):
    def grey(number, width, height):
        return np.full((height, width, 3), 40 * number, np.uint8)

    write_film(tmp_path / "film.mkv", constant_rate(5, Fraction(1)), codec="ffv1", width=1, height=1, image_of=grey)

    frames, facts = sampled(tmp_path / "film.mkv", 1)

    assert [frame.image.tolist() for frame in frames] == [[[[40 * number] * 3]] for number in range(5)]
    assert facts.length_s == 5


def test_the_same_film_gives_the_same_pictures_and_facts_twice(tmp_path):
    write_film(tmp_path / "film.mp4", CFR)
    sampler = VideoSampler(tmp_path / "film.mp4", Fraction(3), 100)

    first, first_facts = list(sampler), sampler.facts
    second, second_facts = list(sampler), sampler.facts

    assert first_facts == second_facts
    assert all(np.array_equal(one.image, other.image) for one, other in zip(first, second, strict=True))


# ---- what a caller may ask


def test_facts_are_known_only_after_the_last_frame(tmp_path):
    write_film(tmp_path / "film.mp4", CFR)
    sampler = VideoSampler(tmp_path / "film.mp4", Fraction(1), 64)
    next(iter(sampler))

    with pytest.raises(RuntimeError, match="the facts are known after the last frame; iterate to the end first"):
        _ = sampler.facts


@pytest.mark.parametrize(("fps", "max_side"), [(Fraction(0), 64), (Fraction(1), 0)])
def test_a_rate_or_a_size_of_zero_is_refused(fps, max_side):
    with pytest.raises(ValueError, match="fps must be above 0 and max_side at least 1"):
        VideoSampler(Path("film.mp4"), fps, max_side)


def test_a_turned_or_mirrored_number_is_not_read():
    for wrong in (np.rot90(numbered_image(5)), numbered_image(5)[:, ::-1], numbered_image(5)[..., ::-1]):
        with pytest.raises(ValueError, match="corner"):
            number_of(wrong)
