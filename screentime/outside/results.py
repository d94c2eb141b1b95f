"""The folder of results for films outside a project: brought up to date film by film, then written as a report has it.

OUT/screen_time.csv, OUT/<video_id>/timeline.csv and appearances.csv, OUT/index.html    docs/formats.md
OUT/.screentime/                                                                        what was scored, for the next run
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from screentime.errors import InputError
from screentime.files import read_json, sha256_of, write_bytes
from screentime.film_figures import Figures, appearances_table, figures_of, screen_time_table, totals_of
from screentime.folders import Task, Workers, n_cores, side_by_side, stale_tasks, step_inputs, update_folder
from screentime.frames import Sampling
from screentime.ledger import unlabelled
from screentime.outside.films import Film
from screentime.outside.scoring import score_film
from screentime.params import Params
from screentime.report import page
from screentime.report_pictures import pictures_of
from screentime.reported_video import ReportedVideo
from screentime.scorer import FACTS, model_facts
from screentime.tables import (
    APPEARANCES,
    AUDIT,
    SCREEN_TIME,
    SKIPPED,
    TARGETS,
    TIMELINE,
    no_rows,
    read_table,
    write_table,
)
from screentime.video import header_of

KEPT = Path(".screentime/films")
WORTH_A_WORKER_S = 120.0  # of film: less is scored before another process has started
LIBRARIES = ("ai-edge-litert", "av", "numpy", "opencv-python-headless", "scipy")


def update_results(out: Path, films: Sequence[Film], models: Path, params: Params, *, workers: int) -> list[str]:
    """Score the films that are not yet scored by this model, then write tables and page of all of them.

    Args:
        out: the folder of results; made where it is missing.
        films: the films, each with a name of its own.
        models: the folder of a trained model.
        params: how appearances are made and what the page shows; its films, cast and sampling are not asked.
        workers: films at work at once; 0: as many as the cores and the films are worth.

    Returns:
        Sentences on films that are copies of others, and so were not scored.

    Raises:
        InputError: the model is not whole, the folder holds something else, or some films failed; the others are done.
    """
    facts = model_facts(models)
    cast = tuple(facts["cast"])
    hashes = side_by_side(lambda film: sha256_of(film.path), films)
    first: dict[str, Film] = {}
    for film, digest in zip(films, hashes, strict=True):
        first.setdefault(digest, film)
    with _held(out, first):
        before = _known(out)
        tasks = _tasks(first, models, facts, params, workers)
        stale = stale_tasks(out / KEPT, tasks)
        processes = Workers(workers, params.score.threads, WORTH_A_WORKER_S)
        failure = None
        try:
            update_folder(out / KEPT, tasks, stale, processes, verb="scoring", leave_out="leave them out")
        except InputError as error:
            failure = error
        for video_id in before - _known(out):
            shutil.rmtree(out / video_id, ignore_errors=True)
        done = [task.video_id for task in tasks if task.video_id in _known(out)]
        if done:
            _write(out, done, cast, params)
        if failure:
            raise failure
    return [
        f"{film.path}: the very same film as {first[digest].path}, scored once"
        for film, digest in zip(films, hashes, strict=True)
        if first[digest] is not film
    ]


def _tasks(films: dict[str, Film], models: Path, facts: dict, params: Params, workers: int) -> list[Task]:
    """One for each film, by its sha256."""
    sampling = Sampling(**facts["sampling"])
    pictures = {"n_pictures": params.report.thumbnails, "gap_s": params.report.thumbnail_gap_s}
    every_film = step_inputs("screentime.outside.scoring", LIBRARIES, pictures | {"threads": params.score.threads})
    every_film["model"] = sha256_of(models / FACTS)
    sizes = {film.video_id: header_of(film.path, max_side=1).length_s for film in films.values()}
    processes = Workers(workers, params.score.threads, WORTH_A_WORKER_S).count(list(sizes.values()))
    work = partial(
        score_film,
        models=models,
        sampling=sampling,
        threads=params.score.threads,
        at_once=max(1, n_cores() // (processes * params.score.threads)),
        **pictures,
    )
    return [
        Task(
            film.video_id,
            every_film | {"video_sha256": digest},
            partial(work, path=film.path, video_id=film.video_id),
            partial(sizes.get, film.video_id),
        )
        for digest, film in films.items()
    ]


def _write(out: Path, video_ids: Sequence[str], cast: tuple[str, ...], params: Params) -> None:
    """Write the tables of the films that are scored, and the page."""
    rows: list[Figures] = []
    videos = []
    for video_id in video_ids:
        timeline = read_table(out / KEPT / f"{video_id}.timeline.csv", TIMELINE, cast)
        scores = timeline[list(cast)].to_numpy()
        ledger = unlabelled(video_id, timeline["time_s"].to_numpy(), timeline["duration_s"].to_numpy(), scores)
        rows += figures_of(ledger, cast, params.estimate)
        write_table(out / video_id / "timeline.csv", timeline, TIMELINE, cast)
        appearances = out / video_id / "appearances.csv"
        write_table(appearances, appearances_table(ledger, cast, params.estimate), APPEARANCES)
        videos.append(
            ReportedVideo(
                video_id=video_id,
                facts=read_json(out / KEPT / f"{video_id}.json"),
                timeline=timeline,
                appearances=read_table(appearances, APPEARANCES),
                targets=no_rows(TARGETS),
                audit=no_rows(AUDIT),
                skipped=no_rows(SKIPPED),
            )
        )
    write_table(out / "screen_time.csv", screen_time_table([*rows, *totals_of(rows, cast)]), SCREEN_TIME)
    threshold, kept = params.estimate.threshold, out / KEPT
    html = page(
        videos=videos,
        screen_time=read_table(out / "screen_time.csv", SCREEN_TIME),
        cast=cast,
        threshold=threshold,
        pictures=pictures_of(videos, cast, threshold, params.report, frames=kept, places=kept),
        evaluation={},
        private_videos=[],
        skipped_videos=[],
        credit_lines=[],
        outside=True,
    )
    write_bytes(out / "index.html", html.encode("utf-8"))


@contextmanager
def _held(out: Path, films: dict[str, Film]) -> Iterator[None]:
    """The folder for this process alone, once it is known that nothing of it will be lost.

    Raises:
        InputError: it is no folder, holds something that no scoring wrote, holds other films, or another process is at work.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: this is a file, a folder for the results was expected; name another one")
    if out.is_dir() and not (out / KEPT).is_dir() and any(out.iterdir()):
        raise InputError(
            f"{out}: this folder holds other files, an empty one or one with results of `score` was expected; name another one"
        )
    (out / KEPT).mkdir(parents=True, exist_ok=True)
    others = [
        name for name in sorted(_known(out)) if read_json(out / KEPT / f"{name}.json")["video_sha256"] not in films
    ]
    if others:
        raise InputError(
            f"{out}: this folder holds the tables of {', '.join(others)}, which this command does not name; name all films of "
            "the folder (what is scored is not scored again), or another folder"
        )
    lock = FileLock(out / KEPT.parent / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(
            f"{out}: another process is at work in this folder; wait for its end, or name another folder"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _known(out: Path) -> set[str]:
    """The films of which a folder keeps what was scored."""
    return {path.name.removesuffix(".key.json") for path in (out / KEPT).glob("*.key.json")}
