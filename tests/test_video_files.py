"""Facts about files: any name works, what is no film is refused in a sentence, and nasty real files come out right."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synthetic
from av.stream import Disposition
from synthetic import constant_rate, number_of, numbered_image, write_film

from screentime.errors import InputError
from screentime.timeline import frame_durations, microseconds, rounded_s, sample_times
from screentime.video import VideoFacts, VideoSampler

CFR = constant_rate(60, Fraction(25))


def numbers(path: Path) -> list[int]:
    return [number_of(frame.image) for frame in VideoSampler(path, Fraction(25), 64)]


def sampled_each_second(path: Path) -> tuple[np.ndarray, VideoFacts]:
    """Times of the samples, (n_frames,) float64, seconds; and the facts."""
    sampler = VideoSampler(path, Fraction(1), 64)
    times_s = np.array([rounded_s(frame.time_s) for frame in sampler])
    return times_s, sampler.facts


# ---- names and titles


@pytest.mark.parametrize(
    "name", ["with spaces.mp4", "Žluťoučký kůň.mp4", "映画.mkv", "part 1: the end.mp4", "100%d.mp4"]
)
def test_any_name_works(tmp_path, name):
    write_film(tmp_path / "film.mp4", CFR)
    (tmp_path / "film.mp4").rename(tmp_path / name)

    assert numbers(tmp_path / name) == list(range(60))


def test_a_name_that_looks_like_an_address_is_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_film(tmp_path / "film.mp4", CFR)
    Path("film.mp4").rename("concat:film.mp4")

    assert numbers(Path("concat:film.mp4")) == list(range(60))


def test_a_title_in_an_old_encoding_does_no_harm(tmp_path):
    path = tmp_path / "film.avi"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "caf*"
        synthetic.FilmTrack(container, CFR, codec="mpeg4").write()
    path.write_bytes(path.read_bytes().replace(b"caf*", "café".encode("latin-1")))

    assert numbers(path) == list(range(60))


# ---- what is refused


def not_there(path: Path) -> None:
    pass


def folder(path: Path) -> None:
    path.mkdir()


def empty(path: Path) -> None:
    path.touch()


def text(path: Path) -> None:
    path.write_text("not a film at all\n" * 100)


def cut_before_its_index(path: Path) -> None:
    write_film(path, CFR, container_format="mp4")
    synthetic.cut_file(path, 3000)


def cut_after_its_index(path: Path) -> None:
    write_film(path, CFR, container_format="mp4", container_options={"movflags": "faststart"})
    synthetic.cut_file(path, synthetic.packets(path)[0][0])


def cut_to_a_few_bytes(path: Path) -> None:
    write_film(path, CFR, container_format="matroska")
    synthetic.cut_file(path, 100)


def sound_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        synthetic.write_sound(container, 1.0)


def sound_with_cover(path: Path) -> None:
    with av.open(str(path), "w") as container:
        cover = container.add_stream("png")
        cover.width, cover.height, cover.pix_fmt = 64, 64, "rgb24"
        cover.disposition = Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(numbered_image(3, 64, 64), format="rgb24")
        picture.pts, picture.time_base = 0, Fraction(1, 25)
        synthetic.write_sound(container, 1.0)
        container.mux(cover.encode(picture))


def subtitles(path: Path) -> None:
    path.write_text("1\n00:00:01,000 --> 00:00:02,000\nhello\n\n2\n00:00:03,000 --> 00:00:04,000\nagain\n")


def picture(path: Path) -> None:
    av.VideoFrame.from_ndarray(numbered_image(3), format="rgb24").save(str(path.with_suffix(".png")))
    path.with_suffix(".png").rename(path)


def list_of_films(path: Path) -> None:
    write_film(path.with_name("other.mp4"), CFR)
    path.write_text("ffconcat version 1.0\nfile other.mp4\n")


def unknown_codec(path: Path) -> None:
    write_film(path, CFR)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))


INCOMPLETE = "no frame could be decoded; is the file complete?"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (not_there, "there is no such file, a film was expected; check the name or put the film there"),
        (folder, "a folder was found, a film was expected; name the file itself"),
        (empty, "the file is empty (0 bytes), a film was expected; copy it again"),
        (text, "this is not a film that can be read, a video file was expected; check that a player opens it"),
        (cut_before_its_index, INCOMPLETE),
        (cut_after_its_index, INCOMPLETE),
        (cut_to_a_few_bytes, INCOMPLETE),
        (sound_only, "no video stream was found (streams: audio), a film was expected; is it the right file?"),
        (
            sound_with_cover,
            "no video stream was found (streams: audio, cover), a film was expected; is it the right file?",
        ),
        (subtitles, "no video stream was found (streams: subtitle), a film was expected; is it the right file?"),
        (
            picture,
            "a picture, a text or a list was found (format 'png_pipe'), a film was expected; name a film",
        ),
        (
            list_of_films,
            "a picture, a text or a list was found (format 'concat'), a film was expected; name a film",
        ),
        (unknown_codec, "its video codec is not known here; convert the film, to H.264 for instance"),
    ],
)
def test_a_file_that_cannot_be_sampled_is_refused_with_one_sentence(tmp_path, capfd, make, sentence):
    path = tmp_path / "film.mp4"
    make(path)
    capfd.readouterr()

    with pytest.raises(InputError) as refusal:
        numbers(path)

    assert str(refusal.value) == f"{path}: {sentence}"
    assert capfd.readouterr() == ("", "")


# ---- real files that break readers: frames decoded and length from the table beside them


NASTY = {
    "goldeneye-vfr-drop3.mp4": (160, 10.01),
    "bulk-water.mov": (480, 20.02),
    "delayed_start.mp4": (24, 0.96),
    "corrupted.mp4": (49, 5),
    "no_duration.webm": (74, 4.938),
    "av1_video.mkv": (125, 5),
    "video_90.mov": (3, 0.1),
    "video_270.mov": (3, 0.1),
    "nasa_13013.mp4": (325, 13),
    "test_video.mp4": (5, 5),
    "cityCC0.mpg": (190, 7.6),
    "h265_video.mp4": (10, 1),
    "bikes.mp4": (250, 10),
    "Megamind_bugy.avi": (270, 9),
}


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_file_comes_out_with_the_frames_and_the_length_of_its_table(shared_data, name):
    n_frames, length_s = NASTY[name]

    times_s, facts = sampled_each_second(shared_data / "decode" / name)
    durations_s = frame_durations(times_s, rounded_s(facts.length_s))

    assert facts.frames_decoded == n_frames
    assert abs(facts.length_s - Fraction(str(length_s))) < Fraction(2, 1000)
    assert len(times_s) == len(sample_times(facts.length_s, Fraction(1)))
    assert sum(round(duration_s * 1e6) for duration_s in durations_s) == microseconds(facts.length_s)


@pytest.mark.parametrize("name", NASTY)
def test_of_a_nasty_file_too_decoding_what_the_samples_need_gives_the_same(shared_data, name):
    every, needed = (
        VideoSampler(shared_data / "decode" / name, Fraction(1), 448, every_frame=one) for one in (True, False)
    )

    for one, other in zip(every, needed, strict=True):
        assert (one.time_s, one.frame_time_s, one.frame_end_s) == (other.time_s, other.frame_time_s, other.frame_end_s)
        assert np.array_equal(one.image, other.image)
    assert every.facts == replace(needed.facts, every_frame=True)


def test_what_was_lost_or_repaired_in_nasty_files_is_counted(shared_data):
    _, corrupted = sampled_each_second(shared_data / "decode" / "corrupted.mp4")
    _, buggy = sampled_each_second(shared_data / "decode" / "Megamind_bugy.avi")

    assert corrupted.bad_packets == 1
    assert buggy.repaired_timestamps == 1  # AVI: the last frame comes without a tick


def test_real_sound_is_refused(shared_data):
    path = shared_data / "decode" / "nasa_13013.mp4.audio.mp3"

    with pytest.raises(InputError) as refusal:
        numbers(path)

    assert (
        str(refusal.value)
        == f"{path}: no video stream was found (streams: audio), a film was expected; is it the right file?"
    )
