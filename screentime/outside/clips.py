"""Each appearance of a character as a clip with sound, and all of them in a row: a supercut."""

from collections.abc import Callable, Collection
from pathlib import Path

import pandas

from screentime.film_figures import appearances_table
from screentime.outside.character_folders import folders_of
from screentime.outside.cutting import Cut, cut
from screentime.outside.edges import coarse, refined
from screentime.outside.extraction import time_text
from screentime.outside.films import Film
from screentime.outside.frame_scores import Model
from screentime.outside.journal import Journal
from screentime.outside.kept import Kept
from screentime.sections import Estimate
from screentime.table_files import Column, Table, write_table
from screentime.timeline import rounded_s

APPEARANCE_CLIPS = Table(
    "<video_id>/clips.csv",
    "what `python -m screentime extract --as clips` and `supercut` write: the appearances of one film, to the frame",
    (
        Column("character", "word", "who is seen"),
        Column("start_s", "number", "when the first frame comes on screen, seconds from the first frame of the film"),
        Column("end_s", "number", "when the last frame leaves the screen"),
        Column("score", "number", "mean score of the sampled frames, in [0, 1]"),
        Column(
            "within_s",
            "number",
            "the two samples between which each end lies are so far apart, seconds; 0 at the ends of the film",
        ),
        Column("refined", "word", "whether the frames between the samples said where it lies", choices=("yes", "no")),
        Column(
            "file", "word", "the clip, beside this table; empty where only a supercut was asked for", required=False
        ),
    ),
    ("character", "start_s"),
)


def write_clips(
    folder: Path,
    tell: Callable[[float], None],
    *,
    film: Film,
    kept: Kept,
    characters: dict[str, int],
    what: Collection[str],
    model: Model,
    settings: Estimate,
    journal: Path,
) -> pandas.DataFrame:
    """Cut the appearances out of one film.

    Args:
        folder: gets <character>/<video_id>_<time>.mp4, <character>/<video_id>_supercut.mp4 and clips.csv.
        tell: is told the share of the work that is done.
        film: the film.
        kept: what was scored.
        characters: whose appearances, and where each is in the scores.
        what: "clips", "supercut" or both.
        model: the model; one that does not judge frames alone cannot refine an end.
        settings: how appearances are made.
        journal: keeps the scores of single frames.

    Returns:
        The table APPEARANCE_CLIPS.
    """
    ledger = kept.ledger(film)
    table = appearances_table(ledger, kept.cast, settings)
    table = table[table["character"].isin(characters)].reset_index(drop=True)
    spans = [(characters[row.character], row.start_s, row.end_s) for row in table.itertuples()]
    if model.judges_frames_alone:
        with Journal(journal, model.key(film.path)) as known:
            stretches = refined(
                film.path, spans, ledger.times_s, model=model, journal=known, tell=lambda share: tell(share / 2)
            )
    else:
        stretches = coarse(spans, ledger.times_s)
    files, cuts, folders = [], [], folders_of(kept.cast)
    for row, stretch in zip(table.itertuples(), stretches, strict=True):
        own = folders[row.character]
        files.append(f"{own}/{film.video_id}_{time_text(stretch.start_s)}.mp4" if "clips" in what else "")
        if "clips" in what:
            cuts.append(Cut(stretch.start_s, stretch.end_s, folder / files[-1]))
        if "supercut" in what:
            cuts.append(Cut(stretch.start_s, stretch.end_s, folder / own / f"{film.video_id}_supercut.mp4"))
    cut(film.path, cuts, lambda share: tell((1 + share) / 2))
    table["start_s"] = [rounded_s(stretch.start_s) for stretch in stretches]
    table["end_s"] = [rounded_s(stretch.end_s) for stretch in stretches]
    table["within_s"] = [float(stretch.within_s) for stretch in stretches]
    table["refined"], table["file"] = "yes" if model.judges_frames_alone else "no", files
    write_table(folder / "clips.csv", table, APPEARANCE_CLIPS)
    return table
