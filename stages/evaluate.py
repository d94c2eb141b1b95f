"""Stage evaluate: how good the scores are, in frames and in seconds, and on which frames that was measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.estimates import correction, round_shares
from screentime.files import new_folder, write_json
from screentime.ledger import Ledger, open_ledgers
from screentime.metrics import (
    accuracy,
    average_precision,
    calibration,
    commoner_accuracy,
    f1,
    macro,
    precision_recall,
    wilson,
)
from screentime.params import Params
from screentime.table_files import Table, write_table
from screentime.tables import CALIBRATION, MEASURED, PRECISION_RECALL

AUDIT = "audit"
TEST = "test"
OUT_OF_FOLD = "out_of_fold"

SPLITS = {
    AUDIT: (
        "audit: frames drawn at random, labelled without seeing a guess, never in training; a random sample of all "
        "frames that nobody had labelled by looking, so it speaks for the rest of its film. seconds_error: the sum of "
        "the scores over that rest minus its true seconds, as the audit estimates it (Horvitz-Thompson, 95 % interval "
        "low to high); the seconds in reports have this error taken out. counted_seconds_error: the same for the "
        "plain count"
    ),
    TEST: (
        "test: films with split: test, whose labels measured and never trained; they speak for films to come. "
        "seconds_error: the sum of the scores over the labelled frames minus the labelled seconds. "
        "counted_seconds_error: the same for the plain count"
    ),
    OUT_OF_FOLD: (
        "out of fold: frames that a person chose and labelled by looking, each scored by a model that did not train "
        "on its neighbourhood, in films without a complete audit; chosen frames are not a random sample: these "
        "figures do not speak for the film. seconds_error: the sum of the scores over these frames minus their "
        "labelled seconds. counted_seconds_error: the same for the plain count"
    ),
}
CURVE_POINTS = 200  # of one curve in the plots, which are in Git: more cannot be told apart by eye
NOTHING = (
    "nothing was measured: there is neither a complete audit, nor a labelled test film, nor a frame labelled by looking"
)
MEANS = ("accuracy", "commoner_accuracy", "average_precision", "f1", "seconds_error", "counted_seconds_error")


@dataclass(frozen=True)
class Measured:
    """The frames of one film that measure one character.

    Attributes:
        times_s: (n_frames,) float64, seconds.
        truth: (n_frames,) float64, 1, 0 or NaN (cannot be told).
        scores: (n_frames,) float64 in [0, 1].
        weights: (n_frames,) float64, how many frames each speaks for.
        seconds: (n_frames,) float64, how many seconds each speaks for.
        seconds_error, counted_seconds_error: estimate minus truth, seconds, with the half-width of the 95 % interval.
    """

    times_s: np.ndarray
    truth: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    seconds: np.ndarray
    seconds_error: tuple[float, float]
    counted_seconds_error: tuple[float, float]


def evaluate(
    *,
    scores: Path,
    audit: Path,
    targets: Path,
    skipped: Path,
    frames: Path,
    models: Path,
    measured: Path,
    metrics: Path,
    plots: Path,
    params: Params,
) -> None:
    """Measure the scores on the audit, on test films, and where there is no audit on chosen frames, out of fold.

    metrics holds, for each of these groups, how its split was made, and per character and as macro averages: accuracy,
    accuracy of always guessing the commoner value, average precision, F1 and the error in seconds. measured holds the
    answers themselves, truth beside score; plots holds the curves.
    """
    ledgers = {AUDIT: [], TEST: [], OUT_OF_FOLD: []}
    videos = params.shown_videos
    opened = open_ledgers(
        [video.video_id for video in videos], params.cast, frames=frames, scores=scores, targets=targets, audit=audit,
        skipped=skipped, models=models,
    )  # fmt: skip
    for video, ledger in zip(videos, opened, strict=True):
        ledgers[TEST if video.split == "test" else AUDIT if any(ledger.rounds) else OUT_OF_FOLD].append(ledger)
    threshold = params.estimate.threshold
    groups, curves, bins, answers = {}, [], [], []
    for group, of_group in ledgers.items():
        films = {ledger.video_id: _film(group, ledger, params.cast, threshold) for ledger in of_group}
        films = {video_id: film for video_id, film in films.items() if film}
        if films:
            groups[group] = _group(group, films, params.cast, threshold)
            pooled = _pooled(films, params.cast)
            curves += _curves(group, pooled)
            bins += _bins(group, pooled, params.evaluate.calibration_bins)
            answers += [row for video_id, film in films.items() for row in _answers(group, video_id, film)]
            print(_line(group, groups[group]))
    with new_folder(measured) as folder:
        write_table(folder / "answers.csv", _frame(answers, MEASURED), MEASURED)
    with new_folder(plots) as folder:
        write_table(folder / "precision_recall.csv", _frame(curves, PRECISION_RECALL), PRECISION_RECALL)
        write_table(folder / "calibration.csv", _frame(bins, CALIBRATION), CALIBRATION)
    write_json(metrics, groups or {"split": NOTHING})
    if not groups:
        print(NOTHING)


def _film(group: str, ledger: Ledger, cast: Sequence[str], threshold: float) -> dict[str, Measured]:
    """What one film measures, by character; a character that nothing measures is left out."""
    measure = _on_audit if group == AUDIT else _on_labels
    measured = {name: measure(ledger, number, threshold, group) for number, name in enumerate(cast)}
    return {name: one for name, one in measured.items() if one is not None and not np.isnan(one.truth).all()}


def _on_audit(ledger: Ledger, character: int, threshold: float, _: str) -> Measured | None:
    """The frames that complete rounds drew; each speaks for the frames it was drawn from."""
    rounds, scores = ledger.rounds[character], ledger.scores[:, character]
    if not rounds:
        return None
    truth = ledger.answers[:, character]
    weights = np.zeros(len(truth))
    for share, one in zip(round_shares(ledger.weights_s, rounds), rounds, strict=True):
        weights[one.drawn] += share * (~one.known).sum() / one.drawn.sum()

    def error(guess: np.ndarray) -> tuple[float, float]:
        missing, half = correction(ledger.weights_s, guess, np.where(np.isnan(truth), guess, truth), rounds)
        return -missing, half

    here = ledger.audited(character)
    return Measured(
        ledger.times_s[here], truth[here], scores[here], weights[here], (weights * ledger.weights_s)[here],
        error(scores), error((scores >= threshold).astype(np.float64)),
    )  # fmt: skip


def _on_labels(ledger: Ledger, character: int, threshold: float, group: str) -> Measured:
    """The labelled frames of a test film, or the chosen frames that a person looked at and that trained."""
    truth = ledger.labels[:, character] if group == TEST else ledger.answers[:, character]
    asked = ledger.looked[:, character] | ~np.isnan(truth)
    here = asked & (ledger.weights_s > 0) & ~(ledger.drawn & (group == OUT_OF_FOLD))
    truth, scores, weights_s = truth[here], ledger.scores[here, character], ledger.weights_s[here]

    def error(guess: np.ndarray) -> tuple[float, float]:
        return float(np.nansum(weights_s * (guess - truth))), 0.0

    return Measured(
        ledger.times_s[here], truth, scores, np.ones(len(truth)), weights_s,
        error(scores), error((scores >= threshold).astype(np.float64)),
    )  # fmt: skip


def _pooled(measured: dict[str, dict[str, Measured]], cast: Sequence[str]) -> dict[str, Measured]:
    """The frames of all films together, by character: errors in seconds add, chance adds by squares."""
    pooled = {}
    for name in cast:
        parts = [film[name] for film in measured.values() if name in film]
        if parts:
            pooled[name] = Measured(
                *(
                    np.concatenate([getattr(part, field) for part in parts])
                    for field in ("times_s", "truth", "scores", "weights", "seconds")
                ),
                *(
                    (sum(error for error, _ in errors), float(np.sqrt(sum(half**2 for _, half in errors))))
                    for errors in ([p.seconds_error for p in parts], [p.counted_seconds_error for p in parts])
                ),
            )
    return pooled


def _group(group: str, measured: dict[str, dict[str, Measured]], cast: Sequence[str], threshold: float) -> dict:
    """The figures of one group of films: pooled, and per film as macro averages where there are several films."""
    figures = _figures(group, _pooled(measured, cast), threshold)
    if len(measured) > 1:
        figures["videos"] = {
            video_id: _figures(group, film, threshold)["macro"] for video_id, film in sorted(measured.items())
        }
    return {"split": SPLITS[group], **figures}


def _figures(group: str, measured: dict[str, Measured], threshold: float) -> dict:
    characters = {name: _character(group, one, threshold) for name, one in measured.items()}
    means = {name: macro(one[name] for one in characters.values()) for name in MEANS}
    means["absolute_seconds_error"] = macro(abs(one["seconds_error"]) for one in characters.values())
    means["n_characters"] = len(characters)
    means["n_frames"] = max(one["n_frames"] for one in characters.values())
    return {"characters": characters, "macro": means}


def _character(group: str, one: Measured, threshold: float) -> dict:
    """The figures of one character; what its frames cannot tell is NaN."""
    predicted = one.scores >= threshold
    known = ~np.isnan(one.truth)
    right = accuracy(one.truth, predicted, one.weights)
    figures = {
        "accuracy": right,
        "commoner_accuracy": commoner_accuracy(one.truth, one.weights),
        "average_precision": average_precision(one.truth, one.scores, one.weights),
        "f1": f1(one.truth, predicted, one.weights),
        "seconds_error": one.seconds_error[0],
        "counted_seconds_error": one.counted_seconds_error[0],
        "n_frames": int(known.sum()),
        "n_present": int((one.truth == 1).sum()),
        "n_cannot_tell": int((~known).sum()),
    }
    if group == AUDIT:
        low, high = wilson(right, _equal_frames(one.weights[known]))
        figures |= {"accuracy_low": low, "accuracy_high": high}
        for name, (error, half) in (
            ("seconds_error", one.seconds_error),
            ("counted_seconds_error", one.counted_seconds_error),
        ):
            figures |= {f"{name}_low": error - half, f"{name}_high": error + half}
    return figures


def _equal_frames(weights: np.ndarray) -> float:
    """How many frames of equal weight tell as much (Kish 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _answers(group: str, video_id: str, film: dict[str, Measured]) -> list[tuple]:
    """The rows of answers.csv for one film."""
    said = {1.0: "1", 0.0: "0"}
    return [
        (video_id, time_s, name, group, said.get(truth, "?"), score, weight, seconds)
        for name, one in film.items()
        for time_s, truth, score, weight, seconds in zip(
            one.times_s, one.truth, one.scores, one.weights, one.seconds, strict=True
        )
    ]


def _curves(group: str, pooled: dict[str, Measured]) -> list[tuple]:
    """The rows of precision_recall.csv for one group."""
    return [
        (group, name, threshold, recall, precision)
        for name, one in pooled.items()
        for threshold, precision, recall in _thinned(
            zip(*precision_recall(one.truth, one.scores, one.weights), strict=True)
        )
    ]


def _bins(group: str, pooled: dict[str, Measured], bins: int) -> list[tuple]:
    """The rows of calibration.csv for one group."""
    return [
        (group, name, *point)
        for name, one in pooled.items()
        for point in zip(*calibration(one.truth, one.scores, bins, one.weights), strict=True)
    ]


def _thinned(points: Iterable[tuple]) -> list[tuple]:
    """At most CURVE_POINTS of the points: the first, the last, and some evenly between."""
    points = list(points)
    kept = np.unique(np.linspace(0, len(points) - 1, min(len(points), CURVE_POINTS)).round().astype(int))
    return [points[place] for place in kept]


def _frame(rows: list[tuple], table: Table) -> pandas.DataFrame:
    return pandas.DataFrame(rows, columns=[column.name for column in table.columns])


def _line(group: str, figures: dict) -> str:
    means = figures["macro"]
    return (
        f"{group.replace('_', ' ')}: {means['n_frames']} frames, macro average precision "
        f"{means['average_precision']:.3f}, accuracy {means['accuracy']:.3f} (guessing the commoner value: "
        f"{means['commoner_accuracy']:.3f}), "
        f"F1 {means['f1']:.3f}" + (": chosen frames, which do not speak for the film" if group == OUT_OF_FOLD else "")
    )


if __name__ == "__main__":
    command.run(evaluate)
