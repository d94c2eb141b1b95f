"""From a clone of the program to an empty project: no demo film, no labels, no cast, no results."""

import shutil
from pathlib import Path

from screentime.errors import InputError
from screentime.project.declarations import SAMPLE_DEPS, VIDEOS, Declarations
from screentime.project.tools import git

# what the demo wrote or people wrote about it, in Git
IN_GIT = ("params.yaml", "dvc.yaml", "dvc.lock", "data/labels", "data/stills", "metrics", "plots", "docs/data-card.md")
RESULTS = (
    "data/frames", "data/targets", "data/audit", "data/skipped", "data/arrays", "data/features", "data/suggestions",
    "data/filled", "data/scores", "data/estimates", "models/trained", "reports",
)  # fmt: skip


def empty_project(folder: Path, name: str) -> None:
    """Empty a clone of the program in place, so that a person's own films come next.

    Args:
        folder: the top folder of the clone.
        name: what the project is called: the MLflow experiment of its runs.

    Raises:
        InputError: it is no clone, its demo is gone already, or something that would go is not committed.
    """
    declarations = Declarations(folder)
    stages = declarations.pipeline.value()["stages"]
    if "demo" not in stages or "demo" not in declarations.params.value():
        raise InputError(
            "dvc.yaml: no stage 'demo' was found, a fresh clone was expected; this is a project of its own already: add films "
            "with `python -m screentime video add PATH`"
        )
    changed = git(folder, "status", "--porcelain", "--", *IN_GIT)
    if changed is None:
        raise InputError(
            f"{folder}: no Git repository was found, a clone was expected; run `git init && git add -A && git commit -m "
            "Begin`, then again"
        )
    if changed:
        names = ", ".join(line[3:] for line in changed.splitlines()[:3])
        raise InputError(
            f"{names}: changed since the last commit, work that can be brought back was expected; commit it, or put it back "
            "with `git checkout`"
        )
    for place in reversed(range(len(declarations.files))):
        declarations.params.remove_item(("videos",), place)
    for place in reversed(range(len(declarations.cast))):
        declarations.change_groups(declarations.cast[place], [])
        declarations.params.remove_item(("cast",), place)
    for name in declarations.sets:
        declarations.remove_stills(name)
    for place in reversed(range(len(declarations.params.value()["report"]["credits"]))):
        declarations.params.remove_item(("report", "credits"), place)
    declarations.params.remove_key(("demo",))
    declarations.params.set_value(("train", "experiment"), name)
    films = [place for place, dep in enumerate(stages["sample"]["deps"]) if dep.startswith(VIDEOS)]
    for place in reversed(films):
        declarations.pipeline.remove_item(SAMPLE_DEPS, place)
    declarations.pipeline.remove_key(("stages", "demo"))
    outs = [out for out in stages["demo"]["outs"] if isinstance(out, str)]
    declarations.write()
    for path in [folder / out for out in outs] + [folder / "dvc.lock", folder / "docs" / "data-card.md"]:
        path.unlink(missing_ok=True)
    labels = folder / "data" / "labels"
    for path in labels.glob("*.csv"):
        path.unlink()
    (labels / ".gitkeep").touch()  # Git keeps no empty folder, and the stage label depends on this one
    for result in (*RESULTS, "data/stills", "metrics", "plots"):
        shutil.rmtree(folder / result, ignore_errors=True)
