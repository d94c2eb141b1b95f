"""What a picture a second costs: this project's two ways of reading a film beside what others do.

    python -m benchmarks.sampling data/videos/big_buck_bunny.mp4 --rounds 5

All give RGB pictures of one size, the long side 448 pixels. Measured are CPU seconds of the process with all its threads, as
ratios to OpenCV reading every frame, in the same round; median and range of all rounds.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from screentime.video import VideoSampler

SIDE = 448


def opencv_reads_all(path: Path) -> Iterator[np.ndarray]:
    """Every frame is read, every rate-th is kept: what most projects do."""
    return _opencv(path, lambda film, wanted: film.read())


def opencv_grabs_all(path: Path) -> Iterator[np.ndarray]:
    """Every frame is decoded, only the kept ones are converted."""
    return _opencv(path, lambda film, wanted: film.read() if wanted else (film.grab(), None))


def _opencv(path: Path, read: Callable[[cv2.VideoCapture, bool], tuple]) -> Iterator[np.ndarray]:
    film = cv2.VideoCapture(str(path))
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


def every_frame(path: Path) -> Iterator[np.ndarray]:
    """As the stage sample does, so that damage anywhere is counted."""
    return (frame.image for frame in VideoSampler(path, Fraction(1), SIDE))


def needed_packets(path: Path) -> Iterator[np.ndarray]:
    """The same pictures from the packets they need."""
    return (frame.image for frame in VideoSampler(path, Fraction(1), SIDE, every_frame=False))


WAYS = {
    "OpenCV, read every frame": opencv_reads_all,
    "OpenCV, grab every frame": opencv_grabs_all,
    "this project, every frame": every_frame,
    "this project, needed packets": needed_packets,
}


def cpu_s(way: Callable[[Path], Iterator[np.ndarray]], path: Path) -> tuple[float, int]:
    """CPU seconds, and how many pictures came."""
    began = time.process_time()
    n_pictures = sum(1 for _ in way(path))
    return time.process_time() - began, n_pictures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("films", nargs="+", type=Path, metavar="FILM")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    arguments = parser.parse_args()
    print("| film | way | pictures | CPU s | times as fast as reading every frame with OpenCV: median, range |")
    print("|---|---|---|---|---|")
    for film in arguments.films:
        found = [{name: cpu_s(way, film) for name, way in WAYS.items()} for _ in range(arguments.rounds)]
        first = next(iter(WAYS))
        for name in WAYS:
            spent = np.array([one[name][0] for one in found])
            times = np.array([one[first][0] for one in found]) / spent
            print(
                f"| {film.stem} | {name} | {found[0][name][1]} | {np.median(spent):.1f} | {np.median(times):.2f}, "
                f"{times.min():.2f} to {times.max():.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
