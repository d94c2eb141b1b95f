"""How well lists of appearances agree with the true ones: a threshold, a threshold with gaps bridged, two states.

    python -m benchmarks.appearances --films DIR --cast tom jerry         # DIR as for benchmarks.models
    python -m benchmarks.appearances --films DIR --cast tom jerry --protocols within across     # without Keras' minutes

**within**: one second of every 5, 10 or 20 of a film is labelled, and the whole film is listed, labelled seconds as people said.
The scores are those of the light head; figures are means over five draws of labels. **default**: the same with the default
training, one second of 15 (the protocol of benchmarks.models), calibrated as the pipeline does. **across**: the light head,
all seconds of another film labelled.

An appearance is found where one of the list shares at least half of their common extent with it (intersection over union).
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.models import EVERY_S, ROOT, inputs_of, sampled, settings_of
from screentime import calibration, fine_tuning, frozen, light_head, two_states
from screentime.film_figures import bridged
from screentime.frames import open_frames
from screentime.params import Params, load
from screentime.sections import Video
from screentime.splits import folds
from screentime.timeline import appearances
from stages.embed import embed

PROTOCOLS = ("within", "default", "across")
LABELLED, DRAWS = (5, 10, 20), 5
ROUNDS = 15  # of Baum and Welch; the lengths hardly change after ten

# scores, answers (NaN: nobody said), times, durations to present
Way = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def thresholded(bridge_s: float) -> Way:
    """The way `threshold` of the stage estimate."""

    def present(scores: np.ndarray, answers: np.ndarray, times_s: np.ndarray, durations_s: np.ndarray) -> np.ndarray:
        above = np.where(np.isnan(answers), scores >= 0.5, answers == 1)
        return bridged(above, durations_s, answers != 0, bridge_s)

    return present


def of_two_states(appearance_s: float) -> Way:
    """The way `two_states`."""
    return lambda *film: two_states.present(*film, appearance_s=appearance_s)


def fitted(scores: np.ndarray, answers: np.ndarray, times_s: np.ndarray, durations_s: np.ndarray) -> np.ndarray:
    """Two states whose lengths are those that the film itself is likeliest with: expected seconds over expected changes.

    Source: Rabiner, A tutorial on hidden Markov models, 1989, section III.C (Baum and Welch), with rates for probabilities.
    """
    evidence = two_states.evidence_of(scores, answers, durations_s)[0].clip(-300, 300)
    likelihoods = np.exp(np.stack([-evidence, evidence]).T / 2)
    lengths_s = np.array([5.0, 5.0])  # absence, appearance
    for _ in range(ROUNDS):
        steps = np.exp(two_states.log_transitions(np.diff(times_s), lengths_s[1], lengths_s[0]))
        forward, backward = np.empty_like(likelihoods), np.ones_like(likelihoods)
        forward[0] = _normal(likelihoods[0] * lengths_s)
        for frame, step in enumerate(steps, start=1):
            forward[frame] = _normal(forward[frame - 1] @ step * likelihoods[frame])
        for frame in range(len(steps) - 1, -1, -1):
            backward[frame] = _normal(steps[frame] @ (likelihoods[frame + 1] * backward[frame + 1]))
        states = _normal(forward * backward)
        changes = _normal(forward[:-1, :, None] * steps * (likelihoods * backward)[1:, None], axes=(1, 2)).sum(axis=0)
        lengths_s = (states * durations_s[:, None]).sum(axis=0) / np.maximum([changes[0, 1], changes[1, 0]], 0.5)
    return two_states.most_likely(evidence, times_s, lengths_s[1], lengths_s[0])


def _normal(shares: np.ndarray, axes: int | tuple[int, ...] = -1) -> np.ndarray:
    return shares / shares.sum(axis=axes, keepdims=True)


WAYS: dict[str, Way] = {
    "threshold": thresholded(0),
    "threshold, 1.5 s bridged": thresholded(1.5),
    **{f"two states, {length:g} s": of_two_states(length) for length in (1, 2, 5)},
    "two states, fitted": fitted,
}


@dataclass(frozen=True)
class Film:
    """One film: (n_frames, n_features) features, (n_frames, n_characters) truth, NaN unknown, times and durations in seconds."""

    name: str
    features: np.ndarray
    truth: np.ndarray
    times_s: np.ndarray
    durations_s: np.ndarray

    def every(self, seconds: int, first: int) -> np.ndarray:
        """The labelled rows."""
        return np.flatnonzero((np.arange(len(self.truth)) % seconds == first) & ~np.isnan(self.truth).any(axis=1))

    def said(self, rows: np.ndarray) -> np.ndarray:
        """(n_frames, n_characters) float64: the truth of these rows, NaN elsewhere."""
        answers = np.full(self.truth.shape, np.nan)
        answers[rows] = self.truth[rows]
        return answers


def light_head_scores(film: Film, rows: np.ndarray, other: Film) -> np.ndarray:
    """Scores of a film by the light head, fitted on rows of a film."""
    head = light_head.fit(
        film.features[rows], film.truth[rows], video_ids=[film.name] * len(rows), times_s=film.times_s[rows]
    )
    return head.scores(other.features, other.name, other.times_s).astype(np.float64)


def default_scores(film: Film, rows: np.ndarray, work: Path, params: Params) -> np.ndarray:
    """Scores of a film by the default training on rows of it, calibrated on scores out of fold."""
    form, settings = settings_of({}, params)
    pictures = inputs_of(film.name, form, work)
    tuning = fine_tuning.Tuning(form, pictures[rows], film.truth[rows], settings)
    parts = folds(
        [film.name] * len(rows), film.times_s[rows], settings.folds, settings.block_s, settings.guard_s, n_validation=0
    )
    crossed, kept = fine_tuning.cross_fit(tuning, parts, lambda *_: None)
    lines = calibration.fit(crossed.logits, film.truth[rows])
    tuning.turn_to(kept)
    tuning.inputs = pictures
    return calibration.apply(tuning.logits(np.arange(len(pictures))), *lines)


def listed(present: np.ndarray, times_s: np.ndarray, durations_s: np.ndarray) -> list[tuple[float, float]]:
    """The stretches, (start_s, end_s)."""
    return [found[:2] for found in appearances(present, times_s, durations_s, np.zeros(len(present)))]


def matched_f1(found: Sequence[tuple[float, float]], true: Sequence[tuple[float, float]]) -> float:
    """F1 of appearances: each counts once, and only where intersection over union is at least one half.

    >>> matched_f1([(0, 4), (5, 6), (20, 30)], [(0, 6), (20, 29)])
    0.8
    """
    left, hits = list(true), 0
    for start_s, end_s in found:
        for other in left:
            shared_s = min(end_s, other[1]) - max(start_s, other[0])
            if shared_s / (max(end_s, other[1]) - min(start_s, other[0])) >= 0.5 - 1e-9:
                left.remove(other)
                hits += 1
                break
    return 2 * hits / (len(found) + len(true))


def opened(folder: Path, cast: Sequence[str], work: Path, params: Params) -> list[Film]:
    """The films, sampled and embedded."""
    truth = sampled(folder, cast, work, params)
    videos = tuple(Video(file=f"{name}.mp4") for name in truth)
    embed(frames=work / "frames", features=work / "features", params=params.model_copy(update={"videos": videos}))
    packs = {name: open_frames(work / "frames", name) for name in truth}
    return [
        Film(name, np.load(work / "features" / f"{name}.npy"), answers, packs[name].times_s, packs[name].durations_s)
        for name, answers in truth.items()
    ]


def cases(films: Sequence[Film], protocol: str, work: Path, params: Params) -> Iterator[tuple[str, Film, list]]:
    """Of a protocol the rows of its tables: a name, the film that is listed, and scores and answers of every draw."""
    for film in films:
        if protocol == "within":
            for seconds in LABELLED:
                draws = [film.every(seconds, first) for first in range(0, seconds, seconds // DRAWS)]
                scored = [(light_head_scores(film, rows, film), film.said(rows)) for rows in draws]
                yield f"within {film.name}, {len(draws[0])} labels", film, scored
        elif protocol == "default":
            rows = film.every(EVERY_S, EVERY_S // 2)
            scored = [(default_scores(film, rows, work, params), film.said(rows))]
            yield f"within {film.name}, {len(rows)} labels, default training", film, scored
        else:
            for other in films:
                if other is not film:
                    scores = light_head_scores(film, film.every(1, 0), other)
                    yield f"across {film.name} to {other.name}", other, [(scores, other.said(np.arange(0)))]


def measured(way: Way, film: Film, scores: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """(n_characters, 3): F1 of appearances, appearances found, F1 of seconds."""
    figures = []
    for column in range(film.truth.shape[1]):
        known = ~np.isnan(film.truth[:, column])
        times_s, durations_s, true = film.times_s[known], film.durations_s[known], film.truth[known, column] == 1
        present = way(scores[known, column], answers[known, column], times_s, durations_s)
        found, wanted = (listed(which, times_s, durations_s) for which in (present, true))
        seconds = 2 * durations_s[present & true].sum() / (durations_s[present].sum() + durations_s[true].sum())
        figures.append((matched_f1(found, wanted), len(found), seconds))
    return np.array(figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=Path, required=True, metavar="DIR", help="films, and a CSV beside each")
    parser.add_argument("--cast", nargs="+", required=True, metavar="NAME", help="columns of the CSVs")
    parser.add_argument(
        "--protocols", nargs="+", choices=PROTOCOLS, default=PROTOCOLS, metavar="NAME", help=", ".join(PROTOCOLS)
    )
    parser.add_argument("--work", type=Path, metavar="DIR", help="where frames are kept for the next time")
    arguments = parser.parse_args()
    params = load(ROOT / "params.yaml")
    frozen.make_deterministic(params.train.seed, params.train.threads)
    work = arguments.work or Path(tempfile.mkdtemp())
    films = opened(arguments.films, arguments.cast, work, params)
    tables: dict[str, list[str]] = {"F1 of appearances": [], "appearances": [], "F1 of seconds": []}
    for protocol in arguments.protocols:
        for name, film, draws in cases(films, protocol, work, params):
            true = [len(listed(column == 1, film.times_s, film.durations_s)) for column in film.truth.T]
            ways = [np.mean([measured(way, film, *draw) for draw in draws], axis=0) for way in WAYS.values()]
            for figure, (title, lines) in enumerate(tables.items()):
                form = "{:.0f}" if title == "appearances" else "{:.2f}"
                cells = [" / ".join(form.format(value) for value in way[:, figure]) for way in ways]
                name_of = f"{name} (true: {' / '.join(map(str, true))})" if title == "appearances" else name
                lines.append(f"| {name_of} | {' | '.join(cells)} |")
    for title, lines in tables.items():
        print(f"\n| {title}: {' / '.join(arguments.cast)} | {' | '.join(WAYS)} |\n|{'---|' * (len(WAYS) + 1)}")
        print("\n".join(lines))


if __name__ == "__main__":
    main()
