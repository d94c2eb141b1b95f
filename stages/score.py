"""Stage score: a calibrated score for every sampled frame and character, straight from frames, without TensorFlow."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.files import sha256_of
from screentime.folders import Task, Workers, files_hash, stale_tasks, step_inputs, update_folder
from screentime.frames import n_frames_of, open_frames
from screentime.params import Params
from screentime.scorer import FACTS, Scorer, model_facts
from screentime.tables import SCORES, write_table

WORTH_A_WORKER = 200  # frames: fewer are scored before another process has started


def score(*, frames: Path, models: Path, scores: Path, params: Params) -> None:
    """Write <video_id>.csv for every film: the score of every character in every sampled frame.

    A film whose frames, model, parameters and code are unchanged is kept.
    """
    model_facts(models)
    libraries = ["ai-edge-litert", "numpy", "opencv-python-headless", "scipy"]
    every_video = step_inputs("stages.score", libraries, {"threads": params.score.threads})
    every_video["model"] = sha256_of(models / FACTS)
    work = partial(score_video, frames=frames, models=models, threads=params.score.threads)
    tasks = [
        Task(
            video.video_id,
            every_video | {"frames": files_hash(frames, video.video_id)},
            partial(work, video_id=video.video_id),
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
    rows = np.zeros((len(pack), len(scorer.cast)))
    for index in range(len(pack)):
        rows[index] = scorer.scores(pack.image(index))
        tell((index + 1) / len(pack))
    table = pandas.DataFrame(rows, columns=list(scorer.cast))
    table.insert(0, "time_s", pack.times_s)
    write_table(folder / f"{video_id}.csv", table, SCORES, scorer.cast)


@lru_cache(maxsize=1)
def _scorer(models: Path, _: str, threads: int) -> Scorer:
    """The model, loaded once in each process; the hash of its facts tells one from another."""
    return Scorer(models, threads)


if __name__ == "__main__":
    command.run(score)
