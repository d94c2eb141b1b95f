"""Stage score: a calibrated score for every sampled frame and character, straight from frames, without TensorFlow."""

from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.errors import InputError
from screentime.files import sha256_of
from screentime.folders import Task, Workers, files_hash, stale_tasks, step_inputs, update_folder
from screentime.frames import FramePack, n_frames_of, open_frames
from screentime.params import Params
from screentime.places import places_table
from screentime.scorer import (
    FACTS,
    FROM_FEATURES,
    Scorer,
    SequenceScorer,
    model_facts,
    open_features_scorer,
    open_scorer,
)
from screentime.table_files import write_table
from screentime.tables import PLACES, SCORES

WORTH_A_WORKER = 200  # frames: fewer are scored before another process has started


def score(*, frames: Path, features: Path, models: Path, scores: Path, params: Params) -> None:
    """Write <video_id>.csv for every film: the score of every character in every sampled frame.

    Where the places of a picture give evidence, <video_id>.places.csv has the strongest for each character and frame.

    A film whose frames, model, parameters and code are unchanged is kept. A private film is scored from its features,
    here as on machines that do not have its pictures.
    """
    _check_private(model_facts(models), params)
    libraries = ["ai-edge-litert", "numpy", "opencv-python-headless", "scipy"]
    every_video = step_inputs("stages.score", libraries, {"threads": params.score.threads})
    every_video["model"] = sha256_of(models / FACTS)
    work = partial(score_video, frames=frames, models=models, threads=params.score.threads)
    from_features = partial(
        score_features, frames=frames, features=features, models=models, threads=params.score.threads
    )
    tasks = [
        Task(
            video.video_id,
            every_video
            | ({"features": files_hash(features, video.video_id)} if video.private else {})
            | {"frames": files_hash(frames, video.video_id)},
            partial(from_features if video.private else work, video_id=video.video_id),
            partial(n_frames_of, frames, video.video_id),
        )
        for video in params.shown_videos
    ]
    stale = stale_tasks(scores, tasks)
    workers = Workers(params.score.workers, params.score.threads, WORTH_A_WORKER)
    update_folder(scores, tasks, stale, workers, verb="scoring")
    print(f"{scores}: {len(stale)} of {len(tasks)} films scored now, the others kept")


def score_video(
    folder: Path, tell: Callable[[float], None], *, frames: Path, models: Path, video_id: str, threads: int
) -> None:
    """Score one film, frame by frame, into folder/<video_id>.csv."""
    scorer = _scorer(models, sha256_of(models / FACTS), threads)
    pack = open_frames(frames, video_id)

    def rows() -> Iterator:
        for index in range(len(pack)):
            yield scorer.row(pack.image(index))
            tell((index + 1) / len(pack))

    scores, places = scorer.film(rows())
    _write(folder, pack, scores, scorer.cast)
    if places is not None:
        table = places_table(pack.times_s, scorer.cast, places)
        write_table(folder / f"{pack.video_id}.places.csv", table, PLACES)


def score_features(
    folder: Path,
    tell: Callable[[float], None],
    *,
    frames: Path,
    features: Path,
    models: Path,
    video_id: str,
    threads: int,
) -> None:
    """Score one private film from its features, into folder/<video_id>.csv."""
    scorer = open_features_scorer(models, threads)
    pack = open_frames(frames, video_id)
    rows = scorer.scores(np.load(features / f"{video_id}.npy", allow_pickle=False))
    _write(folder, pack, rows, scorer.cast)


def _write(folder: Path, pack: FramePack, rows: np.ndarray, cast: tuple[str, ...]) -> None:
    table = pandas.DataFrame(rows, columns=list(cast))
    table.insert(0, "time_s", pack.times_s)
    write_table(folder / f"{pack.video_id}.csv", table, SCORES, cast)


def _check_private(facts: dict, params: Params) -> None:
    """Kept features score a private film only by a head on frozen features, those of the network that was trained."""
    private = [video.video_id for video in params.shown_videos if video.private]
    if not private:
        return
    leave_out = f"leave those films ({', '.join(private)}) out with `python -m screentime video skip`"
    if not FROM_FEATURES & set(facts["files"]):
        raise InputError(
            f"params.yaml: train.method is {facts['params']['method']}, private films leave features and no pictures; set it to "
            f"probe or sequence, or {leave_out}"
        )
    kept, form = params.embed.form, facts["form"]
    if kept != form:
        raise InputError(
            f"params.yaml: embed is {kept['backbone']} at {kept['width']}x{kept['height']}, the model was trained with "
            f"{form['backbone']} at {form['width']}x{form['height']}; the same was expected, as private films are scored "
            f"from what embed has kept: make both the same, or {leave_out}"
        )


@lru_cache(maxsize=1)
def _scorer(models: Path, _: str, threads: int) -> Scorer | SequenceScorer:
    """The model, loaded once in each process; the hash of its facts tells one from another."""
    return open_scorer(models, threads)


if __name__ == "__main__":
    command.run(score)
