"""What was scored, film by film, in a folder of results: `.screentime/films`, so that the next run need not score again."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas
from filelock import FileLock, Timeout

from screentime.errors import InputError
from screentime.files import read_json, sha256_of, write_json
from screentime.folders import Task, Workers, n_cores, side_by_side, stale_tasks, step_inputs, update_folder
from screentime.ledger import Ledger, unlabelled
from screentime.outside.films import Film
from screentime.outside.scoring import score_film
from screentime.params import Params
from screentime.progress import Progress
from screentime.scorer import FACTS, model_facts, sampling_of
from screentime.table_files import read_table
from screentime.tables import TIMELINE
from screentime.video import header_of

FOLDER = Path(".screentime/films")
PATHS = FOLDER.parent / "paths.json"  # where each film lay when it was last named
WORTH_A_WORKER_S = 120.0  # of film: less is scored before another process has started
LIBRARIES = ("ai-edge-litert", "av", "numpy", "opencv-python-headless", "scipy")


@dataclass(frozen=True)
class Kept:
    """The films of a folder of results, scored; made by `scored`.

    Attributes:
        folder: where the scores of the films lie.
        films: those that are scored, in order.
        gone: names of films that were there before and are not any more.
        copies: sentences on films that are copies of others, and so were not scored.
        failure: what to raise at the end, None where all films could be scored.
        model: model.json of the model that scored them.
    """

    folder: Path
    films: list[Film]
    gone: set[str]
    copies: list[str]
    failure: InputError | None
    model: Mapping

    @property
    def cast(self) -> tuple[str, ...]:
        """The characters, in the order of the scores."""
        return tuple(self.model["cast"])

    def timeline(self, film: Film) -> pandas.DataFrame:
        """The table TIMELINE of a film."""
        return read_table(self.folder / f"{film.video_id}.timeline.csv", TIMELINE, self.cast)

    def ledger(self, film: Film) -> Ledger:
        """A film as nothing but a model has seen it."""
        timeline = self.timeline(film)
        times_s, durations_s = timeline["time_s"].to_numpy(), timeline["duration_s"].to_numpy()
        return unlabelled(film.video_id, times_s, durations_s, timeline[list(self.cast)].to_numpy())

    def facts(self, film: Film) -> dict:
        """What sampling found out about a film."""
        return read_json(self.folder / f"{film.video_id}.json")


@contextmanager
def scored(out: Path, films: Sequence[Film], models: Path, params: Params, *, workers: int) -> Iterator[Kept]:
    """Score the films that are not yet scored by this model; the folder is this process's own until the block ends.

    Args:
        out: the folder of results; made where it is missing.
        films: the films, each with a name of its own.
        models: the folder of a trained model.
        params: its sections `report` and `score` are asked; cast and sampling are the model's.
        workers: films at work at once; 0: as many as the cores and the films are worth.

    Raises:
        InputError: the model is not whole, or the folder holds something else. What films could not be scored is in
            `failure`: to be raised when the others are done.
    """
    facts = model_facts(models)
    sampling_of(models, facts)  # before anything is made
    hashes = side_by_side(lambda film: sha256_of(film.path), films)
    first: dict[str, Film] = {}
    for film, digest in zip(films, hashes, strict=True):
        first.setdefault(digest, film)
    copies = [
        f"{film.path}: the very same film as {first[digest].path}, scored once"
        for film, digest in zip(films, hashes, strict=True)
        if first[digest] is not film
    ]
    with _held(out, first):
        before = _known(out)
        tasks = _tasks(first, models, facts, params, workers)
        processes = Workers(workers, params.score.threads, WORTH_A_WORKER_S)
        failure = None
        try:
            stale = stale_tasks(out / FOLDER, tasks)
            update_folder(out / FOLDER, tasks, stale, processes, verb="scoring", leave_out="leave them out")
        except InputError as error:
            failure = error
        there = _known(out)
        done = [film for film in first.values() if film.video_id in there]
        write_json(out / PATHS, {film.video_id: str(film.path.resolve()) for film in done})
        yield Kept(out / FOLDER, done, before - there, copies, failure, facts)


def each_film(kept: Kept, verb: str) -> Iterator[tuple[Film, Callable[[float], None]]]:
    """The films, one after the other, each with what tells how far it is."""
    sizes = [kept.facts(film)["length_s"] for film in kept.films]
    shares = [0.0] * len(sizes)
    with Progress(verb, sizes) as progress:
        for place, film in enumerate(kept.films):

            def tell(share: float, place: int = place) -> None:
                shares[place] = share
                progress.show(shares)

            yield film, tell
            tell(1.0)


def journal_of(out: Path, film: Film) -> Path:
    """The journal of a film's single frames."""
    return out / FOLDER.parent / "frames" / f"{film.video_id}.scores"


def _tasks(films: dict[str, Film], models: Path, facts: dict, params: Params, workers: int) -> list[Task]:
    """One for each film, by its sha256."""
    sampling = sampling_of(models, facts)
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


@contextmanager
def _held(out: Path, films: dict[str, Film]) -> Iterator[None]:
    """The folder for this process alone, once it is known that nothing of it will be lost.

    Raises:
        InputError: it is no folder, holds something that no scoring wrote, holds other films, or another process is at work.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: this is a file, a folder for the results was expected; name another one")
    if out.is_dir() and not (out / FOLDER).is_dir() and any(out.iterdir()):
        raise InputError(
            f"{out}: this folder holds other files, an empty one or one with results of `score` was expected; name another one"
        )
    (out / FOLDER).mkdir(parents=True, exist_ok=True)
    others = [name for name in sorted(_known(out)) if _sha256_of(out, name) not in {None, *films}]
    if others:
        raise InputError(
            f"{out}: this folder holds the tables of {', '.join(others)}, which this command does not name; name all films of "
            "the folder (what is scored is not scored again), or another folder"
        )
    lock = FileLock(out / FOLDER.parent / "lock")
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
    return {path.name.removesuffix(".key.json") for path in (out / FOLDER).glob("*.key.json")}


def _sha256_of(out: Path, video_id: str) -> str | None:
    """Of the film whose scores are kept under a name; None where that is not known any more."""
    try:
        return read_json(out / FOLDER / f"{video_id}.json")["video_sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
