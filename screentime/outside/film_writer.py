"""A film written frame by frame, with sound: H.264 in MP4, at the frames' own times, whole or not at all."""

import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation

from screentime.files import PARTIAL
from screentime.video import NativeFrame

QUALITY = {"crf": "18", "preset": "veryfast"}
SCALING = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.BITEXACT
CLOCK = Fraction(1, 90_000)  # seconds: ticks of the written films; every usual rate is a whole number of them to 11 us
MP4 = {
    "movflags": "+faststart",
    "movie_timescale": str(CLOCK.denominator),
}  # where late sound begins is told in the film's ticks
# sound that goes into MP4 as it is: what players expect there (Vorbis and PCM FFmpeg would write, and few would play)
COPIED = ("aac", "mp3", "ac3", "eac3", "alac", "flac", "opus")


class FilmWriter:
    """One MP4 that looks like the film its frames come from: size, shape of pixels, orientation, colours.

    `finish` brings it under its name; what is left without that, by `discard` or a crash, never looks like a film.

    Args:
        path: the film.
        size: width and height, pixels; a last odd column or row is left out, and a single one is shown twice.
        gap_s: how long a frame usually lasts, seconds.
        like: a frame of the film whose frames are written (`show`): orientation and colours are taken over. None: images are
            written (`show_image`).
        pixel_aspect: width of a pixel / its height; None: square.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        gap_s: Fraction,
        *,
        like: av.VideoFrame | None = None,
        pixel_aspect: Fraction | None = None,
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._partial = path, path.with_name(f".{path.name}{PARTIAL}")
        self._container = av.open(str(self._partial), "w", format="mp4", options=MP4)
        self._video = self._container.add_stream("libx264", rate=1 / gap_s, options=QUALITY)
        self._video.width, self._video.height = (max(2, side // 2 * 2) for side in size)
        self._video.pix_fmt = "yuv420p"
        context = self._video.codec_context
        context.time_base = CLOCK
        if like is None:
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
            context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        else:
            context.colorspace, context.color_range = like.colorspace, like.color_range
            context.color_primaries, context.color_trc = like.color_primaries, like.color_trc
            matrix = like.side_data.get("DISPLAYMATRIX")
            if matrix is not None:
                self._video.set_display_matrix(np.frombuffer(matrix, np.int32).tolist())
        if pixel_aspect:
            context.sample_aspect_ratio = pixel_aspect
        self._sounds: list[EncodedSound] = []
        self._durations: dict[int, int] = {}

    def encoded_sound(self, rate: int, layout: str, like: av.AudioStream | None = None) -> "EncodedSound":
        """A track of sound that will be played into the film as samples; to be asked for before the first frame.

        Args:
            rate, layout: as `SoundReader` has them.
            like: the stream that it comes from: language, title and rank among the tracks are taken over.
        """
        stream = self._container.add_stream("aac", rate=rate, layout=layout)
        if like is not None:
            _as_told(stream, like)
        self._sounds.append(EncodedSound(self._container, stream, rate, layout))
        return self._sounds[-1]

    def copied_sound(self, like: av.AudioStream) -> "CopiedSound":
        """A track of sound that gets the packets of a stream whose codec is in COPIED; to be asked for before the first frame."""
        stream = self._container.add_stream_from_template(like)
        _as_told(stream, like)
        return CopiedSound(self._container, stream)

    def finish(self) -> None:
        """Write what is still to be written, and give the film its name."""
        try:
            self._mux(self._video.encode(None))
            for sound in self._sounds:
                sound.finish()
            self._container.close()
            with open(self._partial, "rb") as written:
                os.fsync(written.fileno())
            os.replace(self._partial, self._path)
        finally:
            self.discard()

    def discard(self) -> None:
        """Leave nothing, where it was not finished."""
        if self._partial.exists():
            with suppress(av.FFmpegError, OSError):  # closing writes, on a full disk too
                self._container.close()
            self._partial.unlink(missing_ok=True)

    def show(self, frame: NativeFrame, start_s: Fraction, end_s: Fraction) -> None:
        """Write a frame, on screen from start_s to end_s, exact seconds from the beginning of what is written."""
        width, height = self._video.width, self._video.height
        picture = frame.decoded
        if (picture.width // 2 * 2, picture.height // 2 * 2) == (width, height):
            picture = picture.reformat(format="yuv420p")
        else:  # the size of the pictures changes within the film
            picture = picture.reformat(width, height, "yuv420p")
        if (picture.width, picture.height) != (width, height):
            picture = _cropped(picture, width, height)
        self._write(picture, start_s, end_s)

    def show_image(self, image: np.ndarray, start_s: Fraction, end_s: Fraction) -> None:
        """The same of an image, (height, width, 3) uint8 RGB."""
        width, height = self._video.width, self._video.height
        if all(0 <= side - own < 2 for side, own in zip(image.shape, (height, width), strict=False)):
            image = image[:height, :width]
        if 1 in image.shape[:2]:
            image = image.repeat(3 - min(2, image.shape[0]), axis=0).repeat(3 - min(2, image.shape[1]), axis=1)
        image = np.ascontiguousarray(image)
        picture = av.VideoFrame.from_ndarray(image, format="rgb24")
        self._write(
            picture.reformat(
                width,  # a picture of another size, as when a stream comes back with one, is scaled
                height,
                "yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
                interpolation=SCALING,
            ),
            start_s,
            end_s,
        )

    def _write(self, picture: av.VideoFrame, start_s: Fraction, end_s: Fraction) -> None:
        tick = round(start_s / CLOCK)
        picture.pts, picture.time_base, picture.pict_type = tick, CLOCK, 0
        self._durations[tick] = max(1, round(end_s / CLOCK) - tick)
        self._mux(self._video.encode(picture))

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._container.mux(packet)


class EncodedSound:
    """A track of a film that is being written, encoded as AAC; `FilmWriter.encoded_sound` makes it."""

    def __init__(self, container: av.container.OutputContainer, stream: av.AudioStream, rate: int, layout: str) -> None:
        self._container, self._stream, self._rate, self._layout = container, stream, rate, layout
        self._n_samples = 0

    def play(self, samples: np.ndarray, start_s: Fraction) -> None:
        """Write sound, (n_channels, n_samples) float32, from start_s on; a gap before it is silence, an overlap is dropped."""
        first = round(start_s * self._rate)
        if first > self._n_samples:
            self._encode(np.zeros((samples.shape[0], first - self._n_samples), np.float32))
        self._encode(samples[:, max(0, self._n_samples - first) :])

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if self._n_samples:
            self._container.mux(self._stream.encode(None))

    def _encode(self, samples: np.ndarray) -> None:
        if not samples.shape[1]:
            return
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._n_samples, Fraction(1, self._rate)
        self._n_samples += samples.shape[1]
        self._container.mux(self._stream.encode(frame))


class CopiedSound:
    """A track of a film that is being written, its packets as they come; `FilmWriter.copied_sound` makes it."""

    def __init__(self, container: av.container.OutputContainer, stream: av.AudioStream) -> None:
        self._container, self._stream = container, stream

    def take(self, packet: av.Packet, start_s: Fraction) -> None:
        """Write a packet at a time, exact seconds; before 0 it is decoded by players and not heard (an edit list says so)."""
        tick_s = Fraction(1, self._stream.rate)
        duration_s = (packet.duration or 0) * packet.time_base
        packet.stream, packet.time_base = self._stream, tick_s
        packet.pts = packet.dts = round(start_s / tick_s)
        packet.duration = round(duration_s / tick_s)
        self._container.mux(packet)


def _as_told(stream: av.AudioStream, like: av.AudioStream) -> None:
    """Take over what a film tells of one of its tracks."""
    stream.metadata.update({key: like.metadata[key] for key in ("language", "title") if key in like.metadata})
    stream.disposition = like.disposition


def _cropped(picture: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """A yuv420p picture without its last, odd row and column."""
    planes = []
    for number, plane in enumerate(picture.planes):
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
        planes.append(rows[: height >> (number > 0), : width >> (number > 0)])
    whole = np.concatenate([np.ascontiguousarray(plane).reshape(-1) for plane in planes]).reshape(
        height * 3 // 2, width
    )
    cropped = av.VideoFrame.from_ndarray(whole, format="yuv420p")
    cropped.colorspace, cropped.color_range = picture.colorspace, picture.color_range
    return cropped
