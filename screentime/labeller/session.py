"""A labelling session opened: the films, their frames and features, the journal, the desk."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from screentime.checks import sampled_frames
from screentime.errors import InputError
from screentime.frames import open_frames
from screentime.labeller.desk import Desk
from screentime.labeller.film import Film
from screentime.labeller.journal import Journal
from screentime.labeller.pictures import Pictures
from screentime.labeller.study import Study
from screentime.params import Params
from screentime.sections import Video
from screentime.select import LEAST_FIRST, shared

JOURNAL = Path(".screentime") / "journal.jsonl"
SCORES = Path(".screentime") / "scores"  # of networks, for the rounds of audits; number 0 before the first


def is_prepared(folder: Path, video: Video, params: Params) -> bool:
    """Whether a film is sampled as params.yaml says now, and embedded."""
    try:
        frames = sampled_frames(folder / "data" / "frames", video, params)
    except InputError:
        return False
    features = folder / "data" / "features" / f"{video.video_id}.npy"
    return features.is_file() and len(np.load(features, mmap_mode="r", allow_pickle=False)) == len(frames)


def open_desk(
    folder: Path,
    params: Params,
    videos: Sequence[Video],
    annotator: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    study: Study | None = None,
) -> tuple[Desk, Pictures]:
    """Open films for labelling.

    Args:
        folder: the project's top folder; the films are sampled and embedded.
        params: params.yaml.
        videos: the films.
        annotator: who labels.
        now: the instant that answers get.
        study: where a network learns beside the labeller; None: none does, the light head says all.

    Raises:
        InputError: a label file, skip file or audit record that is not as docs/formats.md says.
    """
    labels = folder / "data" / "labels"
    labels.mkdir(parents=True, exist_ok=True)
    journal = Journal(folder / JOURNAL)
    packs = [open_frames(folder / "data" / "frames", video.video_id) for video in videos]
    counts = shared(params.suggest.frames, [len(pack) for pack in packs], LEAST_FIRST)
    films = [
        Film(
            pack,
            np.load(folder / "data" / "features" / f"{video.video_id}.npy", mmap_mode="r", allow_pickle=False),
            labels,
            params.cast,
            journal,
            kept=folder / SCORES,
            test=video.split == "test",
            count=count,
            seed=params.suggest.seed,
        )
        for video, pack, count in zip(videos, packs, counts, strict=True)
    ]
    desk = Desk(films, params.cast, journal, labels=labels, annotator=annotator, now=now, study=study)
    desk.refit()
    pictures = Pictures(
        {film.video_id: film.frames for film in films},
        {video.video_id: folder / "data" / "videos" / video.file for video in videos},
    )
    return desk, pictures
