"""One film scored: sampled, shown to the network while it is decoded, and what its report needs is kept.

The frames take the way of the pipeline, byte for byte: sampled and packed by screentime.packing, unpacked, shown by the
scorer. Only the frames that a report may show stay on the disk.
"""

import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas

from screentime.evidence import choose_pictures
from screentime.files import sha256_of
from screentime.film_figures import appearances_table, timeline_table
from screentime.frames import FramePack, Sampling, decode_jpeg, open_frames, pack_name
from screentime.in_order import in_order
from screentime.ledger import unlabelled
from screentime.packing import pack_film
from screentime.places import places_table
from screentime.scorer import FACTS, Scorer, SequenceScorer, open_scorer
from screentime.sections import Estimate
from screentime.table_files import read_table, write_table
from screentime.tables import FRAMES, PLACES, TIMELINE

# what the kept pictures are chosen by; the report chooses among them by its own settings, which may change without a new scoring
USUAL = Estimate(threshold=0.5, appearances="two_states", appearance_s=1.0, bridge_s=1.5, shortest_s=0.0)


def score_film(
    folder: Path,
    tell: Callable[[float], None],
    *,
    path: Path,
    video_id: str,
    models: Path,
    sampling: Sampling,
    threads: int,
    at_once: int,
    n_pictures: int,
    gap_s: float,
) -> None:
    """Score one film.

    Args:
        folder: gets <video_id>.timeline.csv; <video_id>.json, what was found out about the film; <video_id>.mjpeg, .csv and
            .places.csv, the frames that may be shown.
        tell: is told the share of the film that is done.
        path: the film.
        video_id: what it is called.
        models: the folder of the model.
        sampling: how the model's own frames were sampled.
        threads: of the network; another number may give other last digits.
        at_once: threads that decode, and frames that are scored at once. Does not change the scores.
        n_pictures: how many pictures a report may show of a character in each group.
        gap_s: how far they are apart, seconds.

    Raises:
        InputError: the film cannot be read, or the model is not whole.
    """
    scorer = _scorer(models, sha256_of(models / FACTS), threads)
    packed = folder / "packed"
    packed.mkdir()
    jpegs = pack_film(
        packed, tell, path=path, video_id=video_id, sampling=sampling, every_frame=False, threads=at_once
    )  # fmt: skip
    scores, places = scorer.film(in_order(lambda jpeg: scorer.row(decode_jpeg(jpeg)), jpegs, at_once))
    pack = open_frames(packed, video_id)
    ledger = unlabelled(video_id, pack.times_s, pack.durations_s, scores)
    timeline = folder / f"{video_id}.timeline.csv"
    write_table(timeline, timeline_table(ledger, scorer.cast), TIMELINE, scorer.cast)
    pictures = choose_pictures(
        {video_id: read_table(timeline, TIMELINE, scorer.cast)},
        {video_id: appearances_table(ledger, scorer.cast, USUAL)},
        scorer.cast,
        threshold=USUAL.threshold,
        n=n_pictures,
        gap_s=gap_s,
    )
    kept = np.searchsorted(pack.times_s, sorted({picture.time_s - 1e-6 for picture in pictures}))
    _keep(folder, pack, kept)
    if places is not None:
        table = places_table(pack.times_s[kept], scorer.cast, places[kept])
        write_table(folder / f"{video_id}.places.csv", table, PLACES)
    shutil.copyfile(packed / f"{video_id}.json", folder / f"{video_id}.json")
    shutil.rmtree(packed)


def _keep(folder: Path, pack: FramePack, kept: np.ndarray) -> None:
    """Pack some frames of a film anew, (n_kept,) int64, and their index."""
    rows, offset = [], 0
    with open(folder / pack_name(pack.video_id, private=False), "wb") as file:
        for index in kept:
            jpeg = pack.jpeg(index)
            file.write(jpeg)
            rows.append((pack.times_s[index], pack.durations_s[index], pack.frame_times_s[index], pack.frame_ends_s[index], offset, len(jpeg)))  # fmt: skip
            offset += len(jpeg)
    columns = ["time_s", "duration_s", "frame_time_s", "frame_end_s", "offset", "size"]
    write_table(folder / f"{pack.video_id}.csv", pandas.DataFrame(rows, columns=columns), FRAMES)


@lru_cache(maxsize=1)
def _scorer(models: Path, _: str, threads: int) -> Scorer | SequenceScorer:
    """The model, loaded once in each process; the hash of its facts tells one from another."""
    return open_scorer(models, threads)
