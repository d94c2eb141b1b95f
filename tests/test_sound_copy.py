"""The sound of a film in a copy of it: the same packets at the same distance from the pictures, or encoded where MP4 has no place."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import synthetic
from synthetic import constant_rate, number_of

from screentime.film_file import opened
from screentime.outside.film_writer import FilmWriter
from screentime.outside.sound import SoundReader
from screentime.outside.sound_copy import SoundCopy
from screentime.video import NativeFrames

FPS = Fraction(25)


def film(
    path: Path,
    codecs: Mapping[str, str],
    *,
    first_s: Fraction = Fraction(0),
    sound_first_s: float = 0.0,
    sound_s: int = 4,
    rate: int = 48_000,
    layout: str = "mono",
) -> Path:
    """75 frames that carry their numbers, and tracks of sound by language, with a click 1 s, 2 s, 3 s after they begin."""
    with av.open(str(path), "w") as container:
        options = {"bf": "2", "g": "48"}
        track = synthetic.FilmTrack(container, constant_rate(75, FPS, first_s), None, 1 / FPS, codec_options=options)
        sounds = [container.add_stream(codec, rate=rate, layout=layout) for codec in codecs.values()]
        for sound, language in zip(sounds, codecs, strict=True):
            sound.metadata["language"] = language
        track.write()
        for sound in sounds:
            wave = np.zeros((av.AudioLayout(layout).nb_channels, sound_s * rate), np.float32)
            for second in range(1, sound_s):
                wave[:, second * rate : second * rate + 200] = np.sin(np.arange(200) * 0.6)
            size, first = sound.codec_context.frame_size or 1024, round(sound_first_s * rate)
            resampler = av.AudioResampler(sound.codec_context.format.name, layout, rate)
            for start in range(0, wave.shape[1] // size * size, size):
                samples = np.ascontiguousarray(wave[:, start : start + size])
                piece = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
                piece.sample_rate = rate
                for whole in resampler.resample(piece):
                    whole.pts, whole.time_base = first + start, Fraction(1, rate)
                    container.mux(sound.encode(whole))
            container.mux(sound.encode(None))
    return path


def copied(path: Path) -> tuple[Path, list[str]]:
    """A copy with nothing drawn in, and what it says of the sound."""
    written, frames, writer = path.with_name("copy.mp4"), NativeFrames(path), None
    for frame in frames:
        if writer is None:
            writer = FilmWriter(written, (128, 64), 1 / FPS)
            sound = SoundCopy(path, frames.zero_s, writer)
        writer.show_image(frame.image(), frame.start_s, frame.end_s)
        sound.write_until(frame.end_s)
    sound.write_until(None)
    writer.finish()
    numbers = [number_of(frame.image()) for frame in NativeFrames(written)]
    assert numbers == [number_of(frame.image()) for frame in frames]
    return written, sound.changed


def zero_of(path: Path) -> Fraction:
    frames = NativeFrames(path)
    next(iter(frames))
    return frames.zero_s


def packets(path: Path, track: int = 0) -> list[tuple[float, bytes]]:
    """When each packet of a sound begins, seconds from the first frame, and its bytes."""
    zero_s = zero_of(path)
    with opened(path) as container:
        stream = container.streams.audio[track]
        found = [packet for packet in container.demux(stream) if packet.size]
        return [(float(packet.pts * stream.time_base - zero_s), bytes(packet)) for packet in found]


def clicks(path: Path) -> list[float]:
    """When the clicks are heard, seconds from the first frame."""
    heard, last = [], -1.0
    reader = SoundReader(path, zero_of(path))
    for sound in reader:
        for place in np.flatnonzero(np.abs(sound.samples[0]) > 0.4):
            time_s = float(sound.start_s) + place / reader.rate
            if time_s - last > 0.1 and time_s > 0:
                heard.append(time_s)
            last = time_s
    return heard


KINDS = {  # name of the film, codec, how it is made; milliseconds that its container rounds to
    "AAC": ("film.mp4", "aac", {}, 0),
    "AAC that begins late": ("film.mp4", "aac", {"sound_first_s": 0.6}, 0),
    "AAC longer than the pictures": ("film.mp4", "aac", {"sound_s": 6}, 0),
    "AAC shorter": ("film.mp4", "aac", {"sound_s": 2}, 0),
    "AAC in Matroska": ("film.mkv", "aac", {}, 1),
    "pictures that begin late": ("film.mkv", "aac", {"first_s": Fraction(38, 25)}, 1),
    "MP3": ("film.avi", "mp3", {}, 0),
    "AC-3 of six channels": ("film.mkv", "ac3", {"layout": "5.1(side)"}, 1),
    "FLAC": ("film.mkv", "flac", {}, 1),
    "Opus": ("film.mkv", "libopus", {}, 1),
    "ALAC": ("film.mov", "alac", {}, 0),
}


@pytest.mark.parametrize("kind", KINDS)
def test_packets_are_copied_as_they_are_at_their_times(kind, tmp_path):
    name, codec, more, rounded_ms = KINDS[kind]
    path = film(tmp_path / name, {"eng": codec}, **more)

    written, changed = copied(path)

    own, copy = packets(path), packets(written)
    kept = [one for one in own if one[0] > -0.125]  # but for what ended before the first picture
    copy_s, own_s = (np.array([start_s for start_s, _ in one]) for one in (copy, kept[-len(copy) :]))
    assert [data for _, data in copy] == [data for _, data in kept[-len(copy) :]]
    assert len(kept) - len(copy) <= 3 and copy_s[0] <= max(0, own[0][0]) + 0.001
    assert np.abs(copy_s - own_s).max() <= (rounded_ms + 0.05) / 1000
    assert changed == []
    assert clicks(written) == pytest.approx(clicks(path), abs=(rounded_ms + 0.05) / 1000)
    assert len(clicks(path)) >= 1


def test_sound_of_a_transport_stream_loses_its_packets_headers_and_nothing_else(tmp_path):
    path = film(tmp_path / "film.ts", {"eng": "aac"})

    written, _ = copied(path)

    own, copy = packets(path), packets(written)
    assert [data for _, data in copy] == [data[7:] for _, data in own]  # ADTS: 7 bytes, ISO/IEC 14496-3, 1.A.3.2
    assert [start_s for start_s, _ in copy] == pytest.approx([start_s for start_s, _ in own], abs=3e-5)
    assert clicks(written) == pytest.approx(clicks(path), abs=3e-5)


@pytest.mark.parametrize(
    "more", [{}, {"sound_first_s": 0.6}, {"rate": 192_000, "layout": "5.1"}], ids=["as usual", "late", "studio"]
)
def test_what_has_no_place_in_mp4_is_encoded_and_that_is_told(more, tmp_path):
    path = film(tmp_path / "film.mov", {"eng": "pcm_s16le"}, **more)

    written, changed = copied(path)

    assert changed == ["sound 1, pcm_s16le, has no sure place in MP4 and is encoded anew as AAC"]
    assert clicks(written) == pytest.approx(clicks(path), abs=0.002)
    with av.open(str(written)) as container:
        (sound,) = container.streams.audio
        wanted = ("aac", 96_000, 6) if "rate" in more else ("aac", 48_000, 1)
        assert (sound.codec_context.name, sound.rate, sound.layout.nb_channels) == wanted


def test_all_tracks_stay_with_their_languages(tmp_path):
    path = film(tmp_path / "film.mkv", {"eng": "aac", "deu": "pcm_s16le", "fra": "ac3"})

    written, changed = copied(path)

    with av.open(str(written)) as container:
        found = [(sound.metadata["language"], sound.codec_context.name) for sound in container.streams.audio]
    assert found == [("eng", "aac"), ("deu", "aac"), ("fra", "ac3")]
    assert changed == ["sound 2, pcm_s16le, has no sure place in MP4 and is encoded anew as AAC"]
    assert [data for _, data in packets(written, 2)] == [data for _, data in packets(path, 2)]


def test_a_damaged_packet_moves_no_other(tmp_path):
    path = film(tmp_path / "film.mp4", {"eng": "aac"})
    with av.open(str(path)) as container:
        found = [one for one in container.demux(container.streams.audio[0]) if one.size]
        positions = [(one.pos, one.size) for one in found[60:63]]
    with open(path, "r+b") as file:
        for position, size in positions:
            file.seek(position)
            file.write(b"\xff" * size)

    written, _ = copied(path)

    assert packets(written) == packets(path)
    assert clicks(written) == pytest.approx(clicks(path), abs=5e-5)
    assert len(clicks(path)) == 3


def test_a_film_whose_end_is_missing_keeps_the_sound_there_is(tmp_path):
    path = film(tmp_path / "film.ts", {"eng": "aac"})
    synthetic.cut_file(path, path.stat().st_size * 2 // 3)

    written, _ = copied(path)

    own, copy = ([data for _, data in packets(one)] for one in (path, written))
    assert 0 < len(own) < 188
    assert copy in ([data[7:] for data in own], [data[7:] for data in own[:-1]])  # the last came in part
