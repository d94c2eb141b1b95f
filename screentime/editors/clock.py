"""What editors and players have to know of a film's file: its clock, the rate of its frames, size, sound, time code."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from math import floor
from pathlib import Path

import av

from screentime.editors.timecode import Counting, counting_of, frame_at
from screentime.film_file import claimed_s, opened, usual_gap_s, video_stream
from screentime.timeline import MICROSECOND
from screentime.video import NativeFrames

# the rates that editing programs count in; others are placed on the grid of one of these
USUAL = tuple(
    Fraction(*rate)
    for rate in ((24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1), (60000, 1001), (60, 1))
)
LOOKED_AT = 3000  # packets: two minutes of an ordinary film
COARSE = 8  # ticks between two frames: from here on they may be rounded to ticks; below, a tick is a frame or more
REORDERED = 32  # packets at the end of those that others, not looked at, may be shown before
SAME = Fraction(
    1, 5000
)  # of a rate: closer than this two ways of writing it mean one; 24 and 24000/1001 are five times as far


@dataclass(frozen=True)
class FilmClock:
    """The clock of a film. Exact seconds.

    Attributes:
        first_s: the first frame's time on the clock that is counted by.
        claimed_s: how long the film says it is; None where it does not say.
        begin_s: where the file begins on its own clock, be it with sound or with a picture.
        rate: frames a second; of a film of variable rate the one it would usually have.
        constant: whether all frames last equally long, as far as was looked.
        width, height: of a picture, upright, square pixels.
        sound: samples a second and channels of its sound; None: there is none.
        code: the time code of the clock's zero, as the file has it; "" where it has none.
    """

    first_s: Fraction
    claimed_s: Fraction | None
    begin_s: Fraction
    rate: Fraction
    constant: bool
    width: int
    height: int
    sound: tuple[int, int] | None
    code: str

    @property
    def grid(self) -> Fraction:
        """The rate that editing programs count this film in: its own where that is usual, else one that holds its frames.

        The smallest usual rate that is a whole multiple of it, else the largest that it is a multiple of, else the next
        above it.
        """
        if self.rate in USUAL:
            return self.rate
        multiples = [rate for rate in USUAL if (rate / self.rate).denominator == 1]
        parts = [rate for rate in USUAL if (self.rate / rate).denominator == 1]
        above = [
            rate for rate in USUAL if rate > self.rate and (rate.denominator == 1) == (self.rate.denominator != 1001)
        ]
        return min(multiples, default=None) or max(parts, default=None) or min(above, default=USUAL[-1])

    def code_at_zero(self, rate: Fraction) -> tuple[int, Counting]:
        """The number of the frame at the clock's zero, by the file's own time code, and how it counts; 0 without one."""
        return frame_at(self.code, rate) or (0, counting_of(rate))

    def file_s(self, time_s: Fraction) -> Fraction:
        """A moment counted from the first frame, on the clock."""
        return max(Fraction(0), self.first_s + time_s)

    def milliseconds(self, time_s: Fraction) -> int:
        """The same in whole milliseconds, rounded down: a frame that begins at a stretch's begin is in it, one at its end is not."""
        return floor((self.file_s(time_s) + MICROSECOND) * 1000)

    def frame(self, time_s: Fraction, rate: Fraction) -> int:
        """The number, from the clock's zero, of the frame on screen at a moment counted from the first frame.

        The first frame has the number nearest to its time: a late beginning need not be a whole number of frames.
        """
        return max(0, round(self.first_s * rate) + floor((time_s + MICROSECOND) * rate))


def clock_of(path: Path) -> FilmClock:
    """Read a film's clock: its header, its first frame, the times of its first packets.

    Raises:
        InputError: the film cannot be read.
    """
    frames = NativeFrames(path)
    image = next(iter(frames)).image()
    with opened(path) as container:
        stream = video_stream(container, path)
        sound = container.streams.best("audio")
        heard = sound is not None and sound.codec_context is not None and sound.rate
        words = [stream.metadata, container.metadata, *(one.metadata for one in container.streams)]
        rate, constant = _rate(container, stream)
        return FilmClock(
            first_s=frames.zero_s,
            claimed_s=claimed_s(container, stream, frames.zero_s),
            begin_s=Fraction(container.start_time or 0, av.time_base),
            rate=rate,
            constant=constant,
            width=image.shape[1],
            height=image.shape[0],
            sound=(sound.rate, sound.channels) if heard else None,
            code=next((found for one in words if (found := one.get("timecode", ""))), ""),
        )


def _rate(container: av.container.InputContainer, stream: av.VideoStream) -> tuple[Fraction, bool]:
    """The rate of a film's frames, and whether it is constant; the stream is read from where it stands."""
    told = [_usual_or(rate) for rate in (stream.guessed_rate, stream.average_rate) if rate]
    likely = told[0] if told else 1 / usual_gap_s(stream)
    stamps = _stamps(container, stream)
    gaps = [after - before for before, after in pairwise(stamps)]
    if not gaps:
        return likely, True
    rounding = 2 if min(gaps) >= COARSE else 0
    if max(gaps) - min(gaps) > rounding:
        return likely, False
    gap_s, exact_to_s = sum(gaps) * stream.time_base / len(gaps), rounding * stream.time_base / len(gaps)
    rate = next((one for one in (*told, *USUAL) if abs(1 / one - gap_s) <= exact_to_s), _usual_or(1 / gap_s))
    astray = abs(stream.average_rate / rate - 1) * (stream.frames or len(stamps)) if stream.average_rate else 0
    return rate, astray <= 2  # frames: more than that, and the film changes further on


def _stamps(container: av.container.InputContainer, stream: av.VideoStream) -> list[int]:
    """The times of a film's first frames, ticks, increasing; those that others may come before are left out."""
    stamps = []
    try:
        for packet in islice(container.demux(stream), LOOKED_AT):
            stamp = packet.dts if packet.pts is None else packet.pts
            if packet.size and stamp is not None:
                stamps.append(stamp)
    except av.FFmpegError:
        pass  # damage further on: what was read tells enough
    return sorted(set(stamps))[: -REORDERED if len(stamps) > LOOKED_AT // 2 else None]


def _usual_or(rate: Fraction) -> Fraction:
    """The usual rate that a rate means, else itself."""
    return next((usual for usual in USUAL if abs(rate / usual - 1) < SAME), Fraction(rate))
