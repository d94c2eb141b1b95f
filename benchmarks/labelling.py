"""What 5, 10 and 15 minutes of labelling give: with the labeller, evenly in time, and frame by frame.

    python -m benchmarks.labelling                          # ten drawn films of 20 minutes with five characters, in turn
    python -m benchmarks.labelling --films DIR              # films DIR/<video>.mp4 with DIR/<video>.csv: time_s and a
                                                            # column of 0 and 1 for each of --cast

A simulated person does what the labeller says is most useful now (the real desk of `python -m screentime label`, on really
sampled and embedded frames) and answers with the truth, with slips and "cannot tell" among the answers. Two others have
the same time: one labels frames evenly spread over the film, one goes frame by frame from the beginning.

How long things take is a keystroke model, not people: 47 frames a minute where each is looked at by itself, and up to 370
a minute on a page of 24 proposals, less where some have to be corrected. A run trains a network four times: four to
five minutes of a core.

Why ten films: how far evenly spread looks are from the truth of one film is an accident of that film and of how many looks
there are; 235 and 240 of them can differ threefold.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import av
import cv2
import numpy as np
import pandas
import yaml

from screentime import light_head
from screentime.estimates import Round, screen_time, total
from screentime.files import read_json, write_json
from screentime.frames import open_frames
from screentime.inputs import Form
from screentime.labeller.desk import Desk
from screentime.labeller.learner import Ahead, Learned, Learner, Lesson
from screentime.labeller.session import open_desk
from screentime.params import load
from screentime.shots import in_context, shot_starts
from stages.embed import embed
from stages.sample import sample

ROOT = Path(__file__).parents[1]
MARKS_S = (300.0, 600.0, 900.0)
LOOK_S = 60 / 47  # a frame looked at by itself, its keys included
PAGE_S, GLANCE_S = 1.4, 0.1  # a new page with its Enter, each proposal on it
FIX_S = 0.9  # each character corrected; a frame with several takes no longer than a look at it by itself
LEARNING_S, LEARNING_OF_FRAME_S = 5.0, 0.27  # a lesson on two cores, measured with 36, 50 and 98 labelled frames
SLIPS, CANNOT_TELL = 0.02, 0.01  # of the frames: one character answered wrongly, or not at all
START = datetime(2026, 1, 1, tzinfo=UTC)

Truth = Mapping[str, np.ndarray]  # of each film (n_frames, n_characters) bool
Figure = tuple[float, float | None, float | None]  # seconds, low, high


class TimeIsUp(Exception):
    """The last mark has been passed."""


class Person:
    """Somebody who knows the truth, slips now and then, and whose time is counted."""

    def __init__(self, truth: Truth, seed: int) -> None:
        self.truth, self.spent_s = truth, 0.0
        self._random = np.random.default_rng(seed)

    def answer(self, video_id: str, frame: int) -> list[str]:
        """What the person says of a frame, a letter for each character."""
        said = ["1" if there else "0" for there in self.truth[video_id][frame]]
        if self._random.random() < SLIPS:
            place = self._random.integers(len(said))
            said[place] = "0" if said[place] == "1" else "1"
        if self._random.random() < CANNOT_TELL:
            said[self._random.integers(len(said))] = "?"
        return said


class InTime:
    """The labeller's study without a process of its own: what it learned is there when the person has worked for as long as
    it takes on two cores.
    """

    trouble = None

    def __init__(self, learner: Learner, spent_s: Callable[[], float]) -> None:
        self._learner, self._spent_s, self._learning = learner, spent_s, []

    @property
    def busy(self) -> bool:
        return bool(self._learning)

    def prepare(self, ahead: Ahead) -> None:
        """It takes a process 25 s, while the first frames are labelled."""

    def ask(self, lesson: Lesson) -> None:
        n = min(sum(len(rows) for rows, _ in lesson.labelled.values()), 100)  # of more each is looked at less often
        begins_s = max([self._spent_s(), *(done_s for done_s, _, _ in self._learning)])
        learned = self._learner.learn(lesson)
        self._learning.append((begins_s + LEARNING_S + LEARNING_OF_FRAME_S * n, lesson, learned))

    def done(self) -> list[tuple[Lesson, Learned]]:
        done = [one for one in self._learning if one[0] <= self._spent_s()]
        self._learning = self._learning[len(done) :]
        return [(lesson, learned) for _, lesson, learned in done]


@lru_cache(maxsize=1)
def learner_of(folder: Path) -> Learner:
    """A learner on one core, one in each process."""
    embed = load(folder / "params.yaml").embed
    return Learner(folder / "data", Form(embed.backbone, embed.width, embed.height), folder / "kept", threads=1)


class AtTheDesk:
    """A person at the labeller, who does what it says is most useful now."""

    def __init__(self, folder: Path, learner: Learner, truth: Truth, seed: int) -> None:
        params = load(folder / "params.yaml")
        self.person, self.figures = Person(truth, seed), []
        self.desk, _ = open_desk(
            folder, params, params.videos, "simulated", now=self._now, study=InTime(learner, self._spent)
        )
        self._active_s = 0.0
        self._tag, self._requests = f"{np.random.default_rng(seed).integers(10**6):06d}", 0

    def work(self) -> list[list[Figure]]:
        """The figures of all characters at each mark."""
        try:
            while (step := self.desk.plan()).view != "done":
                if step.view == "review":
                    self._review()
                elif step.view == "check":
                    self._look_again()
                elif step.view == "audit" and not self.desk.film(step.video).waiting():
                    self.desk.draw(self._request(), step.video, step.n)
                else:
                    self._look(step.view, step.video, step.n)
                self.desk.hear()
                self.desk.refit()
        except TimeIsUp:
            return self.figures
        return self.figures + [figures_of(self.desk)] * (len(MARKS_S) - len(self.figures))

    def _look(self, view: str, video_id: str | None, n: int) -> None:
        page = self.desk.page(view, video_id)
        items = [(item["v"], item["f"]) for item in page["items"] if "." in item["a"]]
        for video, frame in items[:n]:
            self._spend(LOOK_S)
            self.desk.hear()
            said = self.person.answer(video, frame)
            self.desk.put(
                self._request(), page["page"], [(video, frame, *one) for one in enumerate(said)], "look", self._taken()
            )

    def _review(self) -> None:
        page = self.desk.page("review")
        said = [self.person.answer(item["v"], item["f"]) for item in page["items"]]
        wrong_of = [
            [(item["v"], item["f"], place, one) for place, one in enumerate(answers) if one != shown(item, place)]
            for item, answers in zip(page["items"], said, strict=True)
        ]
        wrong = [cell for of_frame in wrong_of for cell in of_frame]
        self._spend(PAGE_S + sum(GLANCE_S + min(FIX_S * len(of_frame), LOOK_S) for of_frame in wrong_of))
        if wrong:
            self.desk.put(self._request(), page["page"], wrong, "look", self._taken())
        accepted = [(item["v"], item["f"], "".join(answers)) for item, answers in zip(page["items"], said, strict=True)]
        self.desk.accept(self._request(), page["page"], accepted, self._taken())

    def _look_again(self) -> None:
        """At every frame of a page as long as at a new one."""
        page = self.desk.page("check")
        for item in page["items"]:
            video, frame = item["v"], item["f"]
            self._spend(LOOK_S)
            said = self.person.answer(video, frame)
            wrong = [(video, frame, place, answer) for place, answer in enumerate(said) if answer != item["a"][place]]
            if wrong:
                self.desk.put(self._request(), page["page"], wrong, "look", self._taken())
            self.desk.accept(self._request(), page["page"], [(video, frame, "".join(said))], self._taken())

    def _spend(self, seconds: float) -> None:
        self.person.spent_s += seconds
        self._active_s += seconds
        while self.person.spent_s > MARKS_S[len(self.figures)]:
            self.figures.append(figures_of(self.desk))
            if len(self.figures) == len(MARKS_S):
                raise TimeIsUp

    def _spent(self) -> float:
        return self.person.spent_s

    def _taken(self) -> float:
        """The active seconds since the last request."""
        taken, self._active_s = self._active_s, 0.0
        return taken

    def _request(self) -> str:
        self._requests += 1
        return f"{self._tag}-{self._requests}"

    def _now(self) -> datetime:
        return START + timedelta(seconds=self.person.spent_s)


def shown(item: Mapping, place: int) -> str:
    """The value of a character that a page of proposals shows: the answer, else the proposal, else not there."""
    return next((letter for letter in (item["a"][place], item["p"][place]) if letter != "."), "0")


def figures_of(desk: Desk) -> list[Figure]:
    """Seconds and interval of every character, over all films."""
    times = [film.screen_times() for film in desk.films.values()]
    wholes = [total([of_film[place] for of_film in times]) for place in range(len(desk.cast))]
    return [(whole.seconds, whole.low, whole.high) for whole in wholes]


# the two others


def looked_at(truth: Truth, rows: Mapping[str, np.ndarray], person: Person) -> dict[str, np.ndarray]:
    """Of each film (n_frames, n_characters) float64: 1 and 0 as the person said of some frames, else NaN."""
    said = {video_id: np.full(there.shape, np.nan) for video_id, there in truth.items()}
    for video_id, frames in rows.items():
        for frame in frames:
            said[video_id][frame] = [{"1": 1.0, "0": 0.0}.get(one, np.nan) for one in person.answer(video_id, frame)]
    return said


def evenly(truth: Truth, seed: int, minutes_s: float) -> list[Figure]:
    """Frames spread evenly over the films, from a random start: as good an audit as that many looks can be.

    The interval is the labeller's own, of labels alone: the same formula with the same score for every frame.
    """
    random, n_all = np.random.default_rng(seed), sum(map(len, truth.values()))
    rows = {}
    for video_id, there in truth.items():
        n = min(len(there), round(minutes_s / LOOK_S * len(there) / n_all))
        rows[video_id] = np.unique(((np.arange(n) + random.random()) * len(there) / n).astype(int))
    said = looked_at(truth, rows, Person(truth, seed + 1))
    figures = []
    for place in range(next(iter(truth.values())).shape[1]):
        parts = []
        for video_id, there in truth.items():
            answers, looked = said[video_id][:, place], np.zeros(len(there), bool)
            looked[rows[video_id]] = True
            share = np.full(len(there), np.nanmean(answers))
            one = Round(known=np.zeros(len(there), bool), drawn=looked)
            parts.append(screen_time(np.ones(len(there)), share, answers, looked, [one]))
        whole = total(parts)
        figures.append((whole.seconds, whole.low, whole.high))
    return figures


def in_order(truth: Truth, seen: Mapping[str, np.ndarray], seed: int, minutes_s: float) -> list[Figure]:
    """Frame by frame from the beginning; a light head on these frames says the rest. Nothing measures its error."""
    left, rows = int(minutes_s / LOOK_S), {}
    for video_id, there in truth.items():
        rows[video_id] = np.arange(min(left, len(there)))
        left -= len(rows[video_id])
    said = looked_at(truth, rows, Person(truth, seed + 1))
    head = light_head.fit(
        np.concatenate([seen[video_id][frames] for video_id, frames in rows.items()]),
        np.concatenate([said[video_id][frames] for video_id, frames in rows.items()]),
        video_ids=[video_id for video_id, frames in rows.items() for _ in frames],
        times_s=np.concatenate(list(rows.values())).astype(float),
    )
    figures = np.zeros(next(iter(truth.values())).shape[1])
    for video_id, answers in said.items():
        scores = head.scores(seen[video_id], video_id, np.arange(len(answers), dtype=float))
        scores = np.where(np.isnan(scores), np.nan_to_num(np.nanmean(answers, axis=0)), scores)
        figures += np.where(np.isnan(answers), scores, answers).sum(axis=0)
    return [(float(seconds), None, None) for seconds in figures]


# films


DRAWN_FILMS, DRAWN_CAST = 10, ["ball", "box", "tent", "plane", "star"]


def drawn_film(path: Path, n_frames: int, seed: int) -> np.ndarray:
    """Write a film at one frame a second in which five figures come and go; who is there, (n_frames, 5) bool.

    Shots last 2 to 14 seconds and return to a few settings; a figure is there for the whole shot or enters or leaves in it,
    moves, is large or small, and may be partly hidden. Things of the figures' colours lie about in the settings.
    """
    random = np.random.default_rng(seed)
    settings = [setting(random) for _ in range(14)]
    there = np.zeros((n_frames, len(FIGURES)), bool)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=1)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        frame = 0
        while frame < n_frames:
            length = min(int(random.integers(2, 15)), n_frames - frame)
            background = settings[random.integers(len(settings))]
            zoom, shift = random.uniform(1, 1.5), random.integers(-40, 41, 2)
            stays = random.random(len(FIGURES)) < OFTEN
            first, last = np.zeros(len(FIGURES), int), np.full(len(FIGURES), length)
            for figure in np.flatnonzero(random.random(len(FIGURES)) < 0.3):
                (first if random.random() < 0.5 else last)[figure] = random.integers(1, length)
            place = random.uniform((60, 140), (580, 300), (len(FIGURES), 2))
            step = random.normal(scale=9, size=(len(FIGURES), 2))
            size = random.choice([16, 26, 40, 64], len(FIGURES), p=[0.2, 0.3, 0.3, 0.2]) * zoom
            for second in range(length):
                middle, turned = (320 + shift[0], 180 + shift[1]), float(np.sin(second + seed)) * 0.6
                moved = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), turned, zoom)
                image = cv2.warpAffine(background, moved, (640, 360), borderMode=cv2.BORDER_REFLECT)
                here = stays & (first <= second) & (second < last)
                for figure in np.flatnonzero(here):
                    x, y = np.clip(place[figure] + second * step[figure], (20, 30), (620, 340)).astype(int)
                    FIGURES[figure](image, x, y, int(size[figure]))
                image = np.clip(image + random.normal(scale=4, size=image.shape), 0, 255).astype(np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
                there[frame] = here
                frame += 1
        container.mux(stream.encode(None))
    return there


def setting(random: np.random.Generator) -> np.ndarray:
    """A background, (360, 640, 3) uint8: blurred noise in two colours, with things lying about."""
    cloud = cv2.GaussianBlur(random.normal(size=(360, 640)), (0, 0), float(random.uniform(4, 40)))
    cloud = (cloud - cloud.min()) / np.ptp(cloud)
    colours = random.integers(20, 236, (2, 3))
    image = (cloud[..., None] * colours[0] + (1 - cloud[..., None]) * colours[1]).astype(np.uint8)
    for _ in range(random.integers(3, 9)):
        corner, side = random.integers((0, 0), (600, 330)), random.integers(10, 70, 2)
        colour = [int(value) for value in random.choice(COLOURS)]
        if random.random() < 0.5:
            cv2.rectangle(image, corner.tolist(), (corner + side).tolist(), colour, -1)
        else:
            cv2.circle(image, corner.tolist(), int(side[0] // 2), colour, -1)
    return image


COLOURS = np.array([(240, 200, 30), (205, 45, 40), (60, 160, 60), (50, 90, 210), (150, 60, 170)])
OFTEN = np.array([0.55, 0.4, 0.25, 0.12, 0.05])  # of the shots


def _eyes(image: np.ndarray, x: int, y: int, size: int) -> None:
    for side in (-1, 1):
        cv2.circle(image, (x + side * size // 4, y - size // 5), max(2, size // 7), (255, 255, 255), -1)
        cv2.circle(image, (x + side * size // 4, y - size // 5), max(1, size // 14), (0, 0, 0), -1)


def _round_one(image: np.ndarray, x: int, y: int, size: int) -> None:
    cv2.circle(image, (x, y), size // 2, COLOURS[0].tolist(), -1)
    cv2.ellipse(image, (x, y + size // 8), (size // 4, size // 6), 0, 0, 180, (120, 20, 20), -1)
    _eyes(image, x, y, size)


def _square_one(image: np.ndarray, x: int, y: int, size: int) -> None:
    half = size // 2
    cv2.rectangle(image, (x - half, y - half), (x + half, y + half), COLOURS[1].tolist(), -1)
    cv2.rectangle(image, (x - half, y - half - size // 4), (x + half, y - half), (30, 30, 30), -1)
    _eyes(image, x, y, size)


def _pointed_one(image: np.ndarray, x: int, y: int, size: int) -> None:
    corners = np.array([(x, y - size // 2), (x - size // 2, y + size // 2), (x + size // 2, y + size // 2)])
    cv2.fillPoly(image, [corners], COLOURS[2].tolist())
    _eyes(image, x, y + size // 4, size)


def _long_one(image: np.ndarray, x: int, y: int, size: int) -> None:
    cv2.ellipse(image, (x, y), (size // 4, size // 2), 0, 0, 360, COLOURS[3].tolist(), -1)
    cv2.line(image, (x - size // 2, y), (x + size // 2, y), COLOURS[3].tolist(), max(2, size // 10))
    _eyes(image, x, y - size // 8, size * 2 // 3)


def _starry_one(image: np.ndarray, x: int, y: int, size: int) -> None:
    turns = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2, size / 4.5, size / 2)
    corners = np.stack([x + reach * np.cos(turns), y + reach * np.sin(turns)], axis=1).astype(int)
    cv2.fillPoly(image, [corners], COLOURS[4].tolist())
    _eyes(image, x, y + size // 10, size * 2 // 3)


FIGURES = (_round_one, _square_one, _pointed_one, _long_one, _starry_one)


def prepared(folder: Path, films: Path, cast: Sequence[str]) -> None:
    """Sample and embed films, as the stages do, into a project that the labeller opens."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params |= {"videos": sorted(path.name for path in films.glob("*.mp4")), "cast": list(cast)}
    params.pop("demo")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False), encoding="utf-8")
    data, read = folder / "data", load(folder / "params.yaml")
    sample(videos=films, frames=data / "frames", metrics=folder / "sample.json", params=read)
    embed(frames=data / "frames", features=data / "features", params=read)


def told(path: Path, cast: Sequence[str], times_s: np.ndarray) -> np.ndarray:
    """Who is there in every sampled frame, by a table with time_s and a column for each character."""
    table = pandas.read_csv(path)
    rows = np.abs(table["time_s"].to_numpy()[None] - times_s[:, None]).argmin(axis=1)
    return table[list(cast)].to_numpy()[rows] == 1


# runs and tables


@dataclass(frozen=True)
class Case:
    """A project with its films, who is there in them, and what a light head sees of them."""

    folder: Path
    truth: Truth
    seen: Mapping[str, np.ndarray]

    @property
    def seconds(self) -> list[int]:
        """Of each character."""
        return sum(there.sum(axis=0) for there in self.truth.values()).tolist()


def case(folder: Path, films: Path, cast: Sequence[str], known: Truth) -> Case:
    """Sample and embed films; who is there is known, or in the table beside the film."""
    prepared(folder, films, cast)
    truth, seen = dict(known), {}
    for video in load(folder / "params.yaml").videos:
        frames = open_frames(folder / "data" / "frames", video.video_id)
        if video.video_id not in truth:
            truth[video.video_id] = told(films / f"{video.video_id}.csv", cast, frames.times_s)
        features = np.load(folder / "data" / "features" / f"{video.video_id}.npy", allow_pickle=False)
        seen[video.video_id] = in_context(features, shot_starts(features, frames.times_s))
    return Case(folder, truth, seen)


def drawn_case(folder: Path, seed: int) -> Case:
    """A drawn film."""
    (folder / "videos").mkdir(parents=True, exist_ok=True)
    there = drawn_film(folder / "videos" / "drawn.mp4", 1200, seed)
    return case(folder, folder / "videos", DRAWN_CAST, {"drawn": there})


def run(of: Case, seed: int) -> dict:
    """One run of all three: per way of labelling, mark and character a figure. Kept, so that 50 runs can be interrupted."""
    done = of.folder / "runs" / f"{seed}.json"
    if not done.is_file():
        done.parent.mkdir(exist_ok=True)
        write_json(done, run_now(of, seed))
    return read_json(done)


def run_now(of: Case, seed: int) -> dict:
    """One run of all three."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        project = Path(name)
        (project / "data").mkdir()
        for part in ("frames", "features"):
            (project / "data" / part).symlink_to(of.folder / "data" / part)
        (project / "params.yaml").write_bytes((of.folder / "params.yaml").read_bytes())
        return {
            "seconds": of.seconds,
            "labeller": AtTheDesk(project, learner_of(of.folder), of.truth, seed).work(),
            "evenly": [evenly(of.truth, seed, mark_s) for mark_s in MARKS_S],
            "frame by frame": [in_order(of.truth, of.seen, seed, mark_s) for mark_s in MARKS_S],
        }


WAYS = ("labeller", "evenly", "frame by frame")


def table_of(found: Sequence[Mapping], cast: Sequence[str]) -> str:
    """The runs as a table: half an interval and the error, each median and worst."""
    lines = [
        "| minutes | character | seconds | labeller: half interval | evenly: half interval | labeller: error | evenly: error "
        "| frame by frame: error |",
        "|---|---|---|---|---|---|---|---|",
    ]
    n_cast = range(len(cast))
    seconds = np.array([one["seconds"] for one in found])
    between = [f"{min(of)}" if min(of) == max(of) else f"{min(of)} to {max(of)}" for of in seconds.T]
    rows = [(name, of, [place]) for name, of, place in zip(cast, between, n_cast, strict=True)] + [
        ("mean of all", "", list(n_cast))
    ]
    for mark, mark_s in enumerate(MARKS_S):
        cells = {way: _halves_and_errors([one[way][mark] for one in found], seconds) for way in WAYS}
        for name, of, places in rows:
            told = {way: [_median_and_worst(figures[:, places].mean(axis=1)) for figures in cells[way]] for way in WAYS}
            (ours, even, order) = (told[way] for way in WAYS)
            lines.append(
                f"| {mark_s / 60:.0f} | {name} | {of} | {ours[0]} | {even[0]} | {ours[1]} | {even[1]} | {order[1]} |"
            )
    held = [
        low <= there <= high
        for one in found
        for figures in one["labeller"]
        for there, (_, low, high) in zip(one["seconds"], figures, strict=True)
        if low is not None
    ]
    return "\n".join(lines) + f"\n\n{len(found)} runs; the labeller's intervals held the truth in {np.mean(held):.1%}"


def _halves_and_errors(runs: Sequence[Sequence[Sequence[float | None]]], seconds: np.ndarray) -> list[np.ndarray]:
    """Half of every interval and every error, each (n_runs, n_characters) float64, seconds; no interval is an infinite one."""
    halves = [[np.inf if low is None else (high - low) / 2 for _, low, high in figures] for figures in runs]
    return [np.array(halves), np.abs(np.array([[figure[0] for figure in figures] for figures in runs]) - seconds)]


def _median_and_worst(values: np.ndarray) -> str:
    return "none" if np.isinf(np.median(values)) else f"{np.median(values):.0f}, {np.max(values):.0f}"


def processes() -> ProcessPoolExecutor:
    """One for each core."""
    return ProcessPoolExecutor(os.cpu_count(), get_context("spawn"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--films", type=Path, metavar="DIR", help="films with their truth, instead of the synthetic one"
    )
    parser.add_argument("--cast", default="tom,jerry", help="columns of the truth (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument(
        "--project", type=Path, help="where to sample and embed and where runs are kept; the same call goes on there"
    )
    arguments = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder, cast = (arguments.project or Path(name)).resolve(), arguments.cast.split(",")
        if arguments.films is None:
            cast = DRAWN_CAST
            numbers = range(min(DRAWN_FILMS, arguments.runs))
            with processes() as workers:
                cases = list(workers.map(drawn_case, (folder / str(number) for number in numbers), numbers))
        else:
            cases = [case(folder, arguments.films.resolve(), cast, {})]
        seeds = sorted(range(arguments.runs), key=lambda seed: seed % len(cases))  # a film's runs one after the other
        found = []
        with processes() as workers:  # others than those that embedded: TensorFlow keeps its number of threads
            for one in workers.map(run, (cases[seed % len(cases)] for seed in seeds), seeds):
                found.append(one)
                print(f"\r{len(found)} of {arguments.runs} runs", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        print(table_of(found, cast))


if __name__ == "__main__":
    main()
