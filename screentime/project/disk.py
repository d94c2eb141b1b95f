"""What each folder of a project holds on disk, what an hour of film costs there, and what `dvc gc` would free."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from screentime.files import read_json
from screentime.room import length_text, size_text

PLACES = {  # what it holds, and whether it grows with the length of the films
    "data/videos": ("the films", True),
    "data/stills": ("pictures of no film", False),
    "data/labels": ("what people wrote, in Git: never delete it", False),
    "data/frames": ("packed frames, of the stage sample", True),
    "data/features": ("what the backbone saw, of the stage embed", True),
    "data/arrays": ("the labelled frames as arrays, of the stage preprocess", False),
    "data/scores": ("a score for every frame, of the stage score", True),
    "data/targets": ("labels that train, of the stage label", False),
    "data/audit": ("labels that measure, of the stage label", False),
    "data/skipped": ("ranges left out, of the stage label", False),
    "data/suggestions": ("frames to label next, of the stage suggest", False),
    "data/filled": ("what a light head filled, no labels, of the stage fill", False),
    "data/estimates": ("seconds and timelines, of the stage estimate", True),
    "models/trained": ("the trained model, of the stage train", False),
    "models/base": ("a model of other films, from the registry: where training begins", False),
    "reports": ("the page and its tables, of the stage report", True),
    "data/clips": ("clips of one class each", False),
    "clips/frames": ("their packed frames, of the stage clip_sample", False),
    "clips/features": ("what the backbone saw in them, of the stage clip_embed", False),
    "clips/models": ("the heads for clips, of the stage clip_train", False),
    "clips/reports": ("the clips' page, table and GIFs, of the stage clip_report", False),
    "clips/.dvc/cache": ("every version of the clips' results; `dvc --cd clips gc --workspace` frees old ones", False),
    "mlruns": ("what MLflow keeps of runs", False),
    "mlflow.db": ("the runs of MLflow", False),
    ".venv": ("the environment; `make` builds it anew", False),
}
CACHE = "every version of every result; what is linked from the folders above counts there"
SCOPES = {  # of `dvc gc`: what it keeps
    ("--workspace",): "keeps only what the project needs as it stands",
    ("--all-commits", "--all-experiments"): "keeps also what any commit, tag or experiment needs",
}


@dataclass(frozen=True)
class Holding:
    """One place and what it holds.

    Attributes:
        place: path below the project, or an absolute one outside.
        n_bytes: size of its files; a file with several names counts at the first place only.
        grows: whether it grows with the length of the films.
        what: what it holds.
    """

    place: str
    n_bytes: int
    grows: bool
    what: str


def disk_table(project: Path) -> str:
    """What the folders of a project hold, as text: places, sizes, sizes for an hour of film, and what may go."""
    cache = _cache(project)
    held = holdings(project, cache)
    hours = _film_s(project) / 3600
    cells = [("place", "size", "an hour of film", "what it holds")]
    for one in held:
        an_hour = size_text(one.n_bytes / hours) if one.grows and hours else ""
        cells.append((one.place, size_text(one.n_bytes), an_hour, one.what))
    widths = [max(len(row[column]) for row in cells) for column in range(3)]
    lines = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d}" for a, b, c, d in cells]
    everything, free = sum(one.n_bytes for one in held), shutil.disk_usage(project).free
    film = f" for {length_text(hours * 3600)} of film" if hours else ""
    lines += ["", f"{size_text(everything)} in all{film}; {size_text(free)} are free on this disk", ""]
    lines += [f"`dvc gc {' '.join(scope)}` {_freed(project, scope)}: it {keeps}" for scope, keeps in SCOPES.items()]
    if missing := not_in_cache(project):
        lines.append(
            f"not in DVC's cache: {', '.join(missing)}; its disk was full, or it was emptied: make room, then `dvc repro` "
            "puts them there"
        )
    lines += [
        "what `dvc gc` frees comes back by `dvc pull` or `dvc repro`, but a film that is nowhere else is lost: `dvc push` first",
        "`make clean` empties the folders of results, `make` fills them again; data/labels is people's work and is only in Git",
    ]
    return "\n".join(lines)


def holdings(project: Path, cache: Path | None) -> list[Holding]:
    """The places that hold anything, in the order of the data's way, DVC's cache after them."""
    seen: set[tuple[int, int]] = set()
    places = [(place, project / place, *about) for place, about in PLACES.items()]
    if cache:
        name = cache.relative_to(project).as_posix() if cache.is_relative_to(project) else str(cache)
        places.append((name, cache, CACHE, False))
    held = [Holding(name, _n_bytes(path, seen), grows, what) for name, path, what, grows in places]
    return [one for one in held if one.n_bytes]


def _n_bytes(path: Path, seen: set[tuple[int, int]]) -> int:
    total = 0
    for entry in _files(path):
        status = entry.stat()
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            total += status.st_size
    return total


def _files(path: Path) -> Iterator[Path]:
    """The files at a path and below; links to files count as the files, links to folders are not followed."""
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path):
        yield from (file for file in (Path(folder) / name for name in names) if file.is_file())


def _film_s(project: Path) -> float:
    """Seconds of film that were sampled."""
    facts = (project / "data" / "frames").glob("*.json")
    return sum(read_json(path).get("length_s", 0.0) for path in facts if not path.name.endswith(".key.json"))


def _cache(project: Path) -> Path | None:
    """Where DVC keeps its cache; None where this is no project of DVC."""
    done = _dvc(project, "cache", "dir")
    return Path(done.stdout.strip()).resolve() if done.returncode == 0 else None


def _freed(project: Path, scope: tuple[str, ...]) -> str:
    """What `dvc gc` would free, asked without freeing anything."""
    done = _dvc(project, "gc", *scope, "--dry", "--force")
    if done.returncode:
        return f"could not be asked ({(done.stderr.strip().splitlines() or ['no reason given'])[-1]})"
    named = [line.partition("Removing ")[2] for line in done.stdout.splitlines() if line.startswith("Removing ")]
    sizes = [Path(name).stat().st_size for name in named if Path(name).is_file()]
    return f"would free {size_text(sum(sizes))}" if sizes else "would free nothing"


def not_in_cache(project: Path) -> list[str]:
    """The results that lie in the project but not, or not wholly, in DVC's cache.

    Where the cache's disk is full, `dvc repro` names the files, goes on, and ends as if all were well.
    """
    done = _dvc(project, "status", "--json")
    if done.returncode:
        return []
    changes = [change for stage in json.loads(done.stdout).values() for change in stage if isinstance(change, dict)]
    outs = [out for change in changes for out in change.get("changed outs", {}).items()]
    return sorted(path for path, state in outs if state == "not in cache")


def _dvc(project: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=project, capture_output=True, text=True, check=False
    )
