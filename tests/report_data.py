"""Folders as the stages before the report leave them, for films that never were: drawn frames, planted appearances.

The truth is known by construction: a character is in the picture, as a coloured disc, exactly where `present` says so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from screentime.files import write_json
from screentime.frames import encode_jpeg
from screentime.params import Params, load
from screentime.sections import Video
from screentime.table_files import write_table
from screentime.tables import APPEARANCES, AUDIT, FRAMES, PLACES, SCREEN_TIME, SKIPPED, TARGETS, TIMELINE
from screentime.timeline import appearances

ROOT = Path(__file__).parents[1]
COLOURS = ((214, 69, 65), (65, 131, 215), (38, 166, 91), (244, 179, 80), (155, 89, 182), (90, 90, 90))


@dataclass(frozen=True)
class FilmPlan:
    """A film to make up.

    Attributes:
        n_frames: sampled frames, one a second.
        basis: what its figures rest on: labels, audit, model or count.
        skipped: ranges that are not part of the film, (start_s, end_s, reason).
        facts: facts of the sampling that differ from a faultless film.
    """

    n_frames: int
    basis: str = "audit"
    skipped: Sequence[tuple[float, float, str]] = ()
    facts: Mapping | None = None


def drawn_frame(present: np.ndarray, width: int = 192, height: int = 108) -> np.ndarray:
    """A picture with one disc for each present character, (height, width, 3) uint8 RGB."""
    image = np.full((height, width, 3), 232, np.uint8)
    image[height * 2 // 3 :] = (205, 214, 190)
    rows, columns = np.mgrid[:height, :width]
    for index in np.flatnonzero(present):
        x, y = (index % 6 + 0.5) * width / 6, (0.3 + 0.25 * (index // 6)) * height
        image[(rows - y) ** 2 + (columns - x) ** 2 < (height / 9) ** 2] = COLOURS[index % len(COLOURS)]
    return image


def planted_presence(n_frames: int, n_cast: int, seed: int) -> np.ndarray:
    """Appearances of random length, (n_frames, n_cast) bool; the first character is the most frequent."""
    random = np.random.default_rng(seed)
    present = np.zeros((n_frames, n_cast), bool)
    for character in range(n_cast):
        at = int(random.integers(0, 12))
        while at < n_frames:
            stay = int(random.gamma(2, 8)) + 1
            present[at : at + stay, character] = True
            at += stay + int(random.gamma(1.5, 14 * (character + 1))) + 1
    return present


def planted_scores(present: np.ndarray, seed: int) -> np.ndarray:
    """Scores that are right most of the time and unsure some of it, (n_frames, n_cast) float64 in [0, 1]."""
    random = np.random.default_rng(seed + 1)
    noise = random.normal(0, 1.6, present.shape)
    return np.round(1 / (1 + np.exp(-(np.where(present, 3.2, -3.4) + noise))), 6)


def write_data(
    root: Path,
    cast: Sequence[str],
    films: Mapping[str, FilmPlan],
    *,
    seed: int = 0,
    frame: Callable[[str, int, np.ndarray], bytes] | None = None,
    quiet: Sequence[str] = (),
) -> dict[str, Path]:
    """Write everything the stage report reads; returns its arguments but `reports` and `params`.

    Args:
        frame: gives the JPEG of a film's frame from its number and who is present; drawn discs where it is None.
        quiet: characters that never appear and never score.
    """
    paths = {name: root / "data" / name for name in ("estimates", "scores", "frames", "audit", "targets", "skipped")}
    paths |= {"evaluation": root / "metrics" / "evaluate.json", "sampling": root / "metrics" / "sample.json"}
    paths |= {"models": root / "models" / "trained", "videos": root / "data" / "videos"}
    for name in ("estimates", "scores", "frames", "audit", "targets", "skipped"):
        paths[name].mkdir(parents=True)
    rows, facts, measured = [], {}, set()
    for order, (video_id, plan) in enumerate(films.items()):
        present = planted_presence(plan.n_frames, len(cast), seed + order)
        scores = planted_scores(present, seed + order)
        for name in quiet:
            present[:, list(cast).index(name)] = False
            scores[:, list(cast).index(name)] = 0.004
        rows += _write_film(paths, video_id, plan, list(cast), present, scores, frame)
        facts[video_id] = _facts(video_id, plan)
        measured.add(plan.basis)
    for name in cast:
        parts = [row for row in rows if row[1] == name]
        if parts:
            rows.append(_total_row(name, parts))
    write_table(paths["estimates"] / "screen_time.csv", _frame(rows, SCREEN_TIME), SCREEN_TIME)
    write_json(paths["sampling"], {"videos": facts, "total": {}})
    write_json(paths["evaluation"], _evaluation(cast, measured))
    write_json(paths["models"] / "model.json", model_of(cast))
    return paths


def report_params(
    cast: Sequence[str], films: Sequence[str], skipped: Mapping[str, str] | None = None, **report
) -> Params:
    """The parameters of this repository, with another cast, other films and other settings of the report."""
    params = load(ROOT / "params.yaml")
    videos = [Video(file=f"{video_id}.mp4") for video_id in films]
    videos += [Video(file=f"{video_id}.mp4", skip=reason) for video_id, reason in (skipped or {}).items()]
    settings = params.report.model_copy(update={"credits": [], **report})
    return params.model_copy(update={"videos": tuple(videos), "cast": tuple(cast), "report": settings})


def model_of(cast: Sequence[str], **facts: object) -> dict:
    """What a training says of its model: a probe, unless other facts are given."""
    return {
        "method": "probe",
        "run_key": "0123456789abcdef",
        "form": {"backbone": "efficientnet-lite0", "width": 448, "height": 256},
        "params": {"exclusive": False, "folds": 4, "block_s": 10.0, "guard_s": 3.0},
        "data": {"n_frames": 60},
        "libraries": {"keras": "3.15.1", "tensorflow": "2.21.0"},
        "cast": list(cast),
        **facts,
    }


def _frame(rows: list[tuple], table) -> pandas.DataFrame:
    return pandas.DataFrame(rows, columns=[column.name for column in table.columns])


def _facts(video_id: str, plan: FilmPlan) -> dict:
    return {
        "video_id": video_id,
        "fps": 1,
        "n_frames": plan.n_frames,
        "length_s": float(plan.n_frames),
        "claimed_s": float(plan.n_frames),
        "missing_s": 0.0,
        "first_frame_time_s": 0.0,
        "codec": "h264",
        "native_width": 1280,
        "native_height": 720,
        "frames_decoded": plan.n_frames * 24,
        "bad_packets": 0,
        "repaired_timestamps": 0,
        "every_frame": True,
        **(plan.facts or {}),
    }


def place_of(character: int) -> tuple[float, float]:
    """Where the evidence for the character of that number is said to be, (x, y)."""
    return round(0.1 + 0.15 * character, 6), 0.25


def _write_film(
    paths: dict[str, Path],
    video_id: str,
    plan: FilmPlan,
    cast: list[str],
    present: np.ndarray,
    scores: np.ndarray,
    frame: Callable[[str, int, np.ndarray], bytes] | None,
) -> list[tuple]:
    """All files of one film; returns its rows of screen_time.csv."""
    times, ones = np.arange(plan.n_frames, dtype=float), np.ones(plan.n_frames)
    _write_frames(paths["frames"], video_id, present, frame)
    write_json(paths["frames"] / f"{video_id}.json", _facts(video_id, plan))
    timeline = pandas.DataFrame({"time_s": times, "duration_s": ones} | dict(zip(cast, scores.T, strict=True)))
    write_table(paths["estimates"] / video_id / "timeline.csv", timeline, TIMELINE, cast)
    weights = ones.copy()
    for start_s, end_s, _ in plan.skipped:
        weights[(times >= start_s) & (times < end_s)] = 0
    stretches = [
        (name, *stretch)
        for index, name in enumerate(cast)
        for stretch in appearances((scores[:, index] >= 0.5) & (weights > 0), times, ones, scores[:, index])
    ]
    write_table(paths["estimates"] / video_id / "appearances.csv", _frame(stretches, APPEARANCES), APPEARANCES)
    strongest = [(time_s, name, *place_of(index)) for time_s in times for index, name in enumerate(cast)]
    write_table(paths["scores"] / f"{video_id}.places.csv", _frame(strongest, PLACES), PLACES)
    if plan.skipped:
        write_table(paths["skipped"] / f"{video_id}.csv", _frame(list(plan.skipped), SKIPPED), SKIPPED)
    if plan.n_frames:
        _write_labels(paths, video_id, plan, cast, present)
    return [_row(video_id, name, plan, weights, present[:, i], scores[:, i]) for i, name in enumerate(cast)]


def _write_frames(folder: Path, video_id: str, present: np.ndarray, frame: Callable | None) -> None:
    rows, offset = [], 0
    with open(folder / f"{video_id}.mjpeg", "wb") as file:
        for index, here in enumerate(present):
            jpeg = frame(video_id, index, here) if frame else encode_jpeg(drawn_frame(here), 80)
            file.write(jpeg)
            rows.append((index, 1, index, index + 1, offset, len(jpeg)))
            offset += len(jpeg)
    write_table(folder / f"{video_id}.csv", _frame(rows, FRAMES), FRAMES)


def _write_labels(paths: dict[str, Path], video_id: str, plan: FilmPlan, cast: list[str], present: np.ndarray) -> None:
    chosen = np.unique(np.linspace(3, plan.n_frames - 4, 60).astype(int))
    manual = [(i, name, str(int(present[i, c])), "manual", "") for i in chosen for c, name in enumerate(cast)]
    write_table(paths["targets"] / f"{video_id}.csv", _frame(manual, TARGETS), TARGETS)
    if plan.basis == "audit":
        step = max(plan.n_frames // 80, 1)
        drawn = [i for i in range(1, plan.n_frames, step) if i not in set(chosen)][:80]
        rows = [
            (i, name, str(int(present[i, c])), "audit", "", 1, 0.1, "", "systematic", plan.n_frames - len(chosen))
            for i in drawn
            for c, name in enumerate(cast)
        ]
        write_table(paths["audit"] / f"{video_id}.csv", _frame(rows, AUDIT), AUDIT)


def _row(
    video_id: str, name: str, plan: FilmPlan, weights: np.ndarray, present: np.ndarray, scores: np.ndarray
) -> tuple:
    truth, counted = float((weights * present).sum()), float((weights * (scores >= 0.5)).sum())
    seconds = truth if plan.basis in ("labels", "audit") else float((weights * scores).sum())
    half = {"labels": 0.0, "audit": 3 + 0.07 * seconds, "model": 8 + 0.2 * seconds, "count": np.nan}[plan.basis]
    length = max(float(weights.sum()), 1.0)
    low, high = (np.nan, np.nan) if np.isnan(half) else (max(0.0, seconds - half), min(length, seconds + half))
    n_audit = 80 if plan.basis == "audit" else 0
    return video_id, name, seconds, low, high, seconds / length, counted, plan.basis, 60, n_audit


def _total_row(name: str, parts: list[tuple]) -> tuple:
    seconds = sum(part[2] for part in parts)
    low, high = sum(part[3] for part in parts), sum(part[4] for part in parts)
    length = sum(part[2] / part[5] if part[5] else 0.0 for part in parts) or 1.0
    basis = max((part[7] for part in parts), key=("labels", "audit", "model", "count").index)
    return "*", name, seconds, low, high, min(seconds / length, 1.0), sum(p[6] for p in parts), basis, 60, 80


def _evaluation(cast: Sequence[str], measured: set[str]) -> dict:
    """Figures of the right shape, as metrics/evaluate.json has them; made up."""
    groups = {"audit": "audit", "model": "test", "count": "out_of_fold"}
    found = {}
    for basis in sorted(measured & set(groups)):
        characters = {}
        for index, name in enumerate(cast):
            right = 0.96 - 0.008 * index
            figures = {
                "accuracy": right,
                "commoner_accuracy": 0.6 + 0.02 * index,
                "average_precision": None if index == 5 else 0.97 - 0.015 * index,
                "f1": 0.93 - 0.012 * index,
                "seconds_error": -14.0 + 5 * index,
                "counted_seconds_error": -20.0 + 5 * index,
                "n_frames": 80,
                "n_present": 40 - 2 * index,
                "n_cannot_tell": 0,
            }
            if basis == "audit":
                figures |= {"accuracy_low": right - 0.07, "accuracy_high": right + 0.02}
                figures |= {"seconds_error_low": -26.0 + 5 * index, "seconds_error_high": -2.0 + 5 * index}
            characters[name] = figures
        means = ("accuracy", "commoner_accuracy", "average_precision", "f1", "seconds_error", "counted_seconds_error")
        macro = {key: float(np.mean([f[key] for f in characters.values() if f[key] is not None])) for key in means}
        macro["absolute_seconds_error"] = float(np.mean([abs(f["seconds_error"]) for f in characters.values()]))
        found[groups[basis]] = {"split": "made up", "characters": characters, "macro": macro}
    return found or {"split": "nothing was measured"}
