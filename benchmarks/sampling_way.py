"""One way to read a picture a second of a film: `python sampling_way.py WAY FILM` prints what it cost, as JSON.

It runs where the way's packages are, and imports nothing else of this project; CPU seconds are those of this process and of
all that it started, from the first picture asked for to the last one that came, imports not counted.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction

sys.path.append(os.environ.get("PEERS", ""))  # behind all else: packages that both have are this project's
SIDE = 448  # pixels: the long side of the pictures


def opencv_reads_all(path: str) -> Iterator[object]:
    """Every frame is read, every rate-th is kept: what most projects do."""
    return _opencv(path, lambda film, wanted: film.read())


def opencv_grabs_all(path: str) -> Iterator[object]:
    """Every frame is decoded, only the kept ones are converted."""
    return _opencv(path, lambda film, wanted: film.read() if wanted else (film.grab(), None))


def _opencv(path: str, read: Callable) -> Iterator[object]:
    import cv2

    film = cv2.VideoCapture(path)
    every, index = round(film.get(cv2.CAP_PROP_FPS)), 0
    while True:
        there, frame = read(film, index % every == 0)
        if not there:
            return
        if index % every == 0:
            scale = SIDE / max(frame.shape[:2])
            size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
            yield cv2.cvtColor(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        index += 1


def moviepy(path: str) -> Iterator[object]:
    """MoviePy's iter_frames, made smaller by the ffmpeg it starts."""
    from moviepy import VideoFileClip

    with VideoFileClip(path, audio=False, target_resolution=(SIDE, None)) as film:
        yield from film.iter_frames(fps=1)


def ffmpeg(path: str) -> Iterator[object]:
    """The program, its filter fps, raw pictures through a pipe."""
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        height = round(stream.height * SIDE / stream.width / 2) * 2
    size = SIDE * height * 3
    words = [
        "-v",
        "error",
        "-i",
        path,
        "-an",
        "-vf",
        f"fps=1:round=up,scale={SIDE}:{height}:flags=area",
        "-f",
        "rawvideo",
    ]
    with subprocess.Popen(
        ["ffmpeg", *words, "-pix_fmt", "rgb24", "-"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        while len(picture := process.stdout.read(size)) == size:
            yield picture


def pyav(path: str) -> Iterator[object]:
    """Every frame decoded by PyAV with FFmpeg's own threads, those at whole seconds kept."""
    import av

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        next_s, height = Fraction(0), round(stream.height * SIDE / stream.width / 2) * 2
        for frame in container.decode(stream):
            if frame.pts * stream.time_base >= next_s:
                next_s += 1
                yield frame.reformat(SIDE, height, "rgb24", interpolation="AREA").to_ndarray()


def torchcodec(path: str) -> Iterator[object]:
    """TorchCodec, frames by their times, made smaller by torch."""
    import torch
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(path, seek_mode="exact")
    begin_s = decoder.metadata.begin_stream_seconds
    seconds = [begin_s + second for second in range(int(decoder.metadata.end_stream_seconds - begin_s))]
    for start in range(0, len(seconds), 16):
        frames = decoder.get_frames_played_at(seconds=seconds[start : start + 16]).data
        height = round(frames.shape[2] * SIDE / frames.shape[3])
        yield from torch.nn.functional.interpolate(frames.float(), (height, SIDE), mode="area").byte()


def every_frame(path: str) -> Iterator[object]:
    """This project as the stage sample does, so that damage anywhere is counted."""
    return _ours(path, every_frame=True)


def needed_packets(path: str) -> Iterator[object]:
    """The same pictures from the packets they need."""
    return _ours(path, every_frame=False)


def needed_by_two(path: str) -> Iterator[object]:
    """The same, decoded by two threads."""
    return _ours(path, every_frame=False, threads=2)


def _ours(path: str, **how: object) -> Iterator[object]:
    from pathlib import Path

    from screentime.video import VideoSampler

    return (frame.image for frame in VideoSampler(Path(path), Fraction(1), SIDE, **how))


WAYS = {
    "OpenCV, read every frame": opencv_reads_all,
    "OpenCV, grab every frame": opencv_grabs_all,
    "MoviePy, iter_frames": moviepy,
    "ffmpeg, fps=1": ffmpeg,
    "PyAV, every frame": pyav,
    "TorchCodec, frames by time": torchcodec,
    "this project, every frame": every_frame,
    "this project, needed packets": needed_packets,
    "this project, needed packets, two threads": needed_by_two,
}


def cpu_s() -> float:
    """CPU seconds so far, of this process and those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(way: str, film: str) -> None:
    pictures = WAYS[way](film)
    first = next(pictures)  # with it everything is imported
    del first
    pictures.close() if hasattr(pictures, "close") else None
    wall, cpu = time.perf_counter(), cpu_s()
    n_pictures = sum(1 for _ in WAYS[way](film))
    print(json.dumps({"n_pictures": n_pictures, "cpu_s": cpu_s() - cpu, "wall_s": time.perf_counter() - wall}))


if __name__ == "__main__":
    main(*sys.argv[1:])
