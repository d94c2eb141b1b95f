"""Films in a notebook: `screentime.show(path)` displays a film, a stretch of it, a GIF or a picture where the cell ends."""

import base64
import html
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import av
from PIL import Image, UnidentifiedImageError

from screentime.errors import InputError
from screentime.film_file import Damage, decoded, opened, usual_gap_s, video_stream
from screentime.outside.film_writer import FilmWriter
from screentime.outside.sound import SoundReader
from screentime.picture import Picture
from screentime.room import size_text
from screentime.timeline import Shown as OnScreen
from screentime.timeline import on_screen
from screentime.video import NativeFrames

WIDEST, HIGHEST = 640, 480  # pixels on the page
EMBEDDED = 8_000_000  # bytes: larger films would make the notebook's own file a film; browsers read them beside it
LONGEST_S, USUAL_S = 60.0, 10.0  # of a stretch
BEFORE_S = Fraction(1)  # sought before a stretch: some containers find a key frame a little late
PICTURES = {"GIF": "image/gif", "PNG": "image/png", "JPEG": "image/jpeg"}
# what browsers play: container and codecs of picture and sound
PLAYED = {
    "mp4": ("video/mp4", {"h264", "av1"}, {"aac", "mp3", "opus", "flac"}),
    "webm": ("video/webm", {"vp8", "vp9", "av1"}, {"vorbis", "opus"}),
}


@dataclass(frozen=True)
class Shown:
    """What a notebook displays; without a notebook it says what it is.

    Attributes:
        told: what is shown, in a few words.
        html: the element of the page.
    """

    told: str
    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<{self.told}>"


def show(path: str | Path, start_s: float | None = None, end_s: float | None = None) -> Shown:
    """A film, a stretch of it, a GIF or a picture, to be displayed in a notebook.

    What takes up to 8 MB is put into the notebook itself, so that it stays where the notebook goes; of a larger film the
    notebook holds the path from the working folder, which is the notebook's own. A stretch is cut out, at most as large as it
    is displayed, and always put in.

    Args:
        path: the film or picture.
        start_s, end_s: of a film, the stretch, seconds from the first frame, at most 60 s; without start_s from the beginning,
            without end_s 10 s long. Neither: all of it.

    Raises:
        InputError: the file is neither a film nor a picture, browsers do not play such a film, or it has no such stretch.

    >>> show("kitten.mp4")
    Traceback (most recent call last):
        ...
    screentime.errors.InputError: kitten.mp4: there is no such file, a film was expected; check the name or put the film there
    """
    path = Path(path)
    is_stretch = start_s is not None or end_s is not None
    if picture := _picture(path):
        if is_stretch:
            raise InputError(
                f"{path}: a picture was found, a film was expected to show a stretch of; leave out the times"
            )
        return picture
    return _stretch(path, start_s or 0.0, end_s) if is_stretch else _film(path)


def _picture(path: Path) -> Shown | None:
    """A GIF or a still; None for anything else."""
    with suppress(OSError, UnidentifiedImageError), Image.open(path, formats=list(PICTURES)) as picture:
        kind, (width, height) = PICTURES[picture.format], picture.size
        n_frames = getattr(picture, "n_frames", 1)
        data = path.read_bytes()
        told = f"{path.name}: {f'{n_frames} frames, ' if n_frames > 1 else ''}{size_text(len(data))}"
        source = _embedded(data, kind) if len(data) <= EMBEDDED else _reference(path)
        name = html.escape(path.name)
        return Shown(told, f'<img src="{source}" alt="{name}" {_size(width, height)}>')
    return None


def _film(path: Path) -> Shown:
    with opened(path) as container:
        stream = video_stream(container, path)
        sounds = {one.codec_context.codec.canonical_name for one in container.streams.audio if one.codec_context}
        codec, formats = stream.codec_context.codec.canonical_name, container.format.name.split(",")
        form = "webm" if path.suffix.lower() == ".webm" and "webm" in formats else "mp4" if "mp4" in formats else ""
    kind, codecs, sound_codecs = PLAYED.get(form, ("", set(), set()))
    if codec not in codecs or sounds - sound_codecs:
        raise InputError(
            f"{path}: browsers do not play {', '.join([codec, *sorted(sounds)])} in '{path.suffix}', H.264 in MP4 was expected; "
            "name a stretch, `show(path, 0, 10)`, which is encoded anew"
        )
    n_bytes = path.stat().st_size
    source = _embedded(path.read_bytes(), kind) if n_bytes <= EMBEDDED else _reference(path)
    where = "in the notebook" if n_bytes <= EMBEDDED else "beside the notebook"
    image = next(iter(NativeFrames(path))).image()
    return Shown(
        f"{path.name}: {size_text(n_bytes)}, {where}", _video(path.name, source, image.shape[1], image.shape[0])
    )


def _stretch(path: Path, start_s: float, end_s: float | None) -> Shown:
    end_s = start_s + USUAL_S if end_s is None else end_s
    if not (0 <= start_s < end_s <= start_s + LONGEST_S):
        raise InputError(
            f"{path}: {start_s:g} s to {end_s:g} s was found, a stretch of at most {LONGEST_S:g} s that ends after it begins was "
            "expected; correct the times"
        )
    with TemporaryDirectory() as folder:
        cut = Path(folder) / "stretch.mp4"
        width, height = _cut(path, _exact(start_s), _exact(end_s), cut)
        data = cut.read_bytes()
    told = f"{path.name}, {start_s:g} s to {end_s:g} s"
    return Shown(
        f"{told}: {size_text(len(data))}, in the notebook", _video(told, _embedded(data, "video/mp4"), width, height)
    )


def _exact(time_s: float) -> Fraction:
    """A time as it was meant, to the microsecond: 2.6 is no whole number of halves, quarters and so on."""
    return Fraction(time_s).limit_denominator(1_000_000)


def _cut(path: Path, start_s: Fraction, end_s: Fraction, to: Path) -> tuple[int, int]:
    """Write a stretch, pictures and sound, as a film of its own; its width and height, pixels.

    It seeks, so that the end of a long film does not take its length to show; where a file answers that wrongly, or not at
    all, it is decoded from the beginning.
    """
    frames = NativeFrames(path)
    image = next(iter(frames)).image()
    zero_s, (width, height) = frames.zero_s, _fitting(image.shape[1], image.shape[0])
    with opened(path) as container:
        gap_s = usual_gap_s(video_stream(container, path))
    reader = SoundReader(path, zero_s, from_s=start_s)
    writer = sound = None
    try:
        for shown, picture in _frames_from(path, zero_s + start_s, max(width, height)):
            if shown.start_s - zero_s >= end_s:
                break
            first_s, last_s = max(shown.start_s - zero_s, start_s), min(shown.end_s - zero_s, end_s)
            if writer is None:
                writer = FilmWriter(to, (picture.width, picture.height), gap_s)
                sound = writer.encoded_sound(reader.rate, reader.layout) if reader.rate else None
            writer.show_image(picture.image(shown.picture), first_s - start_s, last_s - start_s)
        if writer is None:
            raise InputError(f"{path}: it ends before {float(start_s):g} s; name a stretch inside the film")
        for piece in reader:
            first = max(0, round((start_s - piece.start_s) * reader.rate))
            last = round((end_s - piece.start_s) * reader.rate)
            if last <= 0:
                break
            if first < piece.samples.shape[1]:
                sound.play(piece.samples[:, first:last], piece.start_s + Fraction(first, reader.rate) - start_s)
        writer.finish()
    finally:
        if writer is not None:
            writer.discard()
    return picture.width, picture.height


def _frames_from(path: Path, moment_s: Fraction, max_side: int) -> Iterator[tuple[OnScreen, Picture]]:
    """The frames from the one on screen at a moment of the file's own clock on, with what makes images of them."""
    for seeks in (True, False):
        given = False
        with opened(path) as container:
            stream = video_stream(container, path)
            if seeks:
                with suppress(av.FFmpegError):
                    container.seek(int((moment_s - BEFORE_S) / stream.time_base), stream=stream)
            picture = None
            for shown in on_screen(decoded(container, stream, Damage()), usual_gap_s(stream)):
                picture = picture or Picture(shown.picture, stream.sample_aspect_ratio, max_side)
                if seeks and not given and shown.start_s > moment_s:
                    break  # it went too far
                if shown.end_s > moment_s:
                    given = True
                    yield shown, picture
        if given:
            return


def _embedded(data: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _reference(path: Path) -> str:
    return quote(Path(os.path.relpath(path)).as_posix())


def _video(told: str, source: str, width: int, height: int) -> str:
    name = html.escape(told)
    return f'<video controls preload="metadata" {_size(width, height)} src="{source}" title="{name}">{name}</video>'


def _size(width: int, height: int) -> str:
    """The size on the page; a narrow page makes it smaller."""
    width, height = _fitting(width, height)
    return f'width="{width}" height="{height}" style="max-width: 100%; height: auto"'


def _fitting(width: int, height: int) -> tuple[int, int]:
    """A size at most as large as what is displayed, in its shape.

    >>> _fitting(1280, 720), _fitting(1080, 1920), _fitting(96, 64)
    ((640, 360), (270, 480), (96, 64))
    """
    scale = min(1.0, WIDEST / width, HIGHEST / height)
    return max(1, round(width * scale)), max(1, round(height * scale))
