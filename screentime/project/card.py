"""The data card: what is in a data set, who labelled it and how, how far it can be trusted, and the hashes that pin it.

Made from what lies in the project's folder alone, no clock and no machine in it: the same commit gives the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas

from screentime.files import sha256_of, write_text
from screentime.project.card_facts import CardFacts
from screentime.project.card_limits import limits
from screentime.tables import SOURCES
from screentime.trust import trust_sections
from screentime.wording import clock, count_text, seconds_text

PATH = Path("docs/data-card.md")
SOURCE_WORDS = {
    "manual": "a person looked at that very frame",
    "audit": "a frame drawn at random, looked at without seeing any guess",
    "propagated": "painted over a stretch or a shot; not every frame was looked at",
    "accepted": "the model's guess, confirmed by a person",
    "imported": "brought in from another tool",
}
assert set(SOURCE_WORDS) == set(SOURCES)

HEAD = """\
# Data card

What is in this data set, who labelled it and how, and how far it can be trusted. Written by
`python -m screentime card` from the files of the project; change those, not this page.
"""


def write(folder: Path) -> Path:
    """Write the card of the project in a folder; its path in it.

    Raises:
        InputError: params.yaml, a label file or an audit record is not as it should be.
    """
    write_text(folder / PATH, text(folder))
    return PATH


def text(folder: Path) -> str:
    """The card as Markdown; what is not there is said to be missing.

    Args:
        folder: the project's top folder.
    """
    project = CardFacts(folder)
    sections = {
        "Films": _films(project),
        "Labels": _labels(project),
        "Who labelled, and how": _annotators(project),
        "Audits": _audits(project),
        "Model": _model(project),
        "Figures": _figures(project),
        "Known limits": limits(project),
        "Hashes": _hashes(project),
    }
    return HEAD + "".join(
        f"\n## {title}\n\n" + "\n".join(lines).strip("\n") + "\n" for title, lines in sections.items()
    )


def _films(project: CardFacts) -> list[str]:
    rows = []
    for video in project.params.videos:
        facts = project.sampled.get(video.video_id)
        size = project.film_size(video)
        use = f"left out: {video.skip}" if video.skip else "measures only (test)" if video.split else "trains"
        private = ", private" if video.private else ""
        rows.append(
            (
                f"`{video.file}`",
                clock(facts["length_s"]) if facts else "not sampled",
                f"{facts['native_width']}x{facts['native_height']} {facts['codec']}" if facts else "",
                f"{facts['n_frames']:,} ({facts['fps']:g} a second)" if facts else "",
                f"{size / 1e6:.1f} MB" if size is not None else "not told" if video.private else "not known",
                use + private,
                project.licence(video) or "not stated",
            )
        )
    total_s = sum(
        project.sampled[video.video_id]["length_s"] for video in project.shown if video.video_id in project.sampled
    )
    credits = [f"- `{video.file}`: {project.credit(video)}" for video in project.params.videos if project.credit(video)]
    return [
        f"{count_text(len(rows), 'film', 'films')}, {clock(total_s)} in all (without those left out). Characters: "
        f"{', '.join(project.cast)}.",
        "",
        *_table(("film", "length", "picture", "sampled frames", "size", "use", "licence"), rows),
        *(["", *credits] if credits else []),
    ]  # fmt: skip


def _labels(project: CardFacts) -> list[str]:
    labelled = [video for video in project.shown if len(project.rows[video.video_id])]
    stills = [f"{project.stills}.", ""] if project.stills else []
    if not labelled:
        return [*stills, "No labels yet."]
    lines = [
        *stills,
        "Sampled frames by what was said of them: visible / not visible / looked and cannot tell. What nobody has said is "
        "not counted; it is unknown, not absent.",
    ]
    for video in labelled:
        cells = project.cells[video.video_id]
        lines += ["", f"### {video.video_id}", ""]
        if cells.empty:
            lines.append(
                f"{count_text(len(project.rows[video.video_id]), 'row', 'rows')} in its label file; the frames meant are not "
                "in this folder (`dvc repro label`, or `python -m screentime pull`)."
            )
            continue
        sources = [source for source in SOURCES if (cells["source"] == source).any()]
        rows = [(name, *(_answers(cells, name, source) for source in sources)) for name in project.cast]
        lines += _table(("character", *sources), rows)
    without = [video.video_id for video in project.shown if video not in labelled]
    return [*lines, *(["", f"Without labels: {', '.join(without)}."] if without else [])]


def _answers(cells: pandas.DataFrame, name: str, source: str) -> str:
    found = cells[(cells["character"] == name) & (cells["source"] == source)]["present"]
    return " / ".join(str((found == answer).sum()) for answer in ("1", "0", "?"))


def _annotators(project: CardFacts) -> list[str]:
    if not sum(map(len, project.rows.values())):
        return ["Nobody yet."]
    rows = pandas.concat([rows[["annotator", "at", "source"]] for rows in project.rows.values()])
    people = []
    for name, said in rows.groupby("annotator"):
        days = sorted({at[:10] for at in said["at"] if at})
        when = "not dated" if not days else days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
        sources = said["source"].value_counts()
        told = ", ".join(f"{sources[source]:,} {source}" for source in SOURCES if source in sources)
        people.append((name or "not named", f"{len(said):,}", told, when))
    used = [source for source in SOURCES if (rows["source"] == source).any()]
    lines = [
        *_table(("annotator", "decisions", "by source", "when (UTC)"), people),
        "",
        *(f"- {source}: {SOURCE_WORDS[source]}" for source in used),
        "",
        "The rules: [labelling.md](labelling.md).",
    ]
    if project.others:
        names = ", ".join(f"`{path.name}`" for path in project.others)
        lines += ["", f"Kept beside them, not used until merged: {names}."]
    return lines


def _audits(project: CardFacts) -> list[str]:
    rows = []
    for video_id, record in project.rounds.items():
        for number, drawn in record.groupby("round"):
            first = drawn.iloc[0]
            counts = project.labelled.get(video_id, {}).get("audit", {}).get("rounds", {}).get(str(number))
            left = "not known" if counts is None else "yes" if counts["left"] == 0 else f"no, {counts['left']} left"
            drawn_of = f"{len(drawn)} of {first['n_population']}"
            rows.append((video_id, number, drawn_of, first["design"], first["seed"], f"{first['fps']:g}", left))
    if not rows:
        return ["None: nothing has measured the error of the seconds."]
    return [
        "Frames drawn at random among those that nobody had labelled by looking, before anyone looked. They never train.",
        "",
        *_table(("film", "round", "frames", "design", "seed", "frames a second", "complete"), rows),
    ]


def _model(project: CardFacts) -> list[str]:
    if project.model is None:
        return ["None in this folder: not trained yet (`dvc repro`), or not brought (`python -m screentime pull`)."]
    form, data = project.model["form"], project.model["data"]
    stills = f" and {count_text(data['n_stills'], 'still', 'stills')}" if "n_stills" in data else ""
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(project.model["libraries"].items()))
    settings = project.model["params"]
    how = f"fine-tuned ({settings['fine_tune']['open']} open)" if project.model["method"] == "fine_tune" else "frozen"
    over = ""
    if around := project.model.get("window"):
        over = f" ({settings['sequence']['head']}) over windows of {around['before'] + 1 + around['after']} frames,"
    return [
        f"A head{over} on {how} {form['backbone']} at {form['width']}x{form['height']}, trained on "
        f"{count_text(data['n_frames'], 'labelled frame', 'labelled frames')}{stills}.",
        "",
        f"- run key: `{project.model['run_key']}` (the tag `run_key` of the run in MLflow)",
        f"- trained on (sha256): {', '.join(f'{name} `{digest}`' for name, digest in _digests(data))}",
        f"- libraries: {libraries}",
    ]


def _digests(data: Mapping) -> list[tuple[str, str]]:
    """The files that the training read, by name."""
    return [(name.removeprefix("sha256_"), data[name]) for name in sorted(data) if name.startswith("sha256_")]


def _figures(project: CardFacts) -> list[str]:
    lines = []
    total = project.estimated.get("total")
    if total:
        rows = [
            (
                name,
                clock(total[name]["seconds"]),
                seconds_text(total[name]["seconds"]),
                _interval(total[name]),
                total[name]["basis"],
            )
            for name in project.cast
            if name in total
        ]
        films = len(project.estimated["videos"])
        lines += [
            f"Screen time over {count_text(films, 'film', 'films')}; film by film in reports/screen_time.csv.",
            "",
            *_table(("character", "on screen", "seconds", "95 % interval", "basis"), rows),
        ]
    for section in trust_sections(project.evaluated, project.cast):
        lines += [
            "",
            f"{section['title']}: {section['meaning']} {section['error']}",
            "",
            *_trust_table(section["rows"]),
        ]
    return lines or ["None yet: `dvc repro` measures them."]


def _trust_table(rows: Sequence[Mapping]) -> list[str]:
    header = ("character", "frames", "visible in", "accuracy", "guessing the commoner value", "average precision", "F1")
    return _table(
        (*header, "error, s"),
        [
            (
                row["name"] or "mean",
                row["frames"],
                row["present"],
                _with_range(row["accuracy"], row["accuracy_range"]),
                row["commoner"],
                row["average_precision"],
                row["f1"],
                _with_range(row["error"], row["error_range"]),
            )
            for row in rows
        ],
    )


def _with_range(value: str, interval: str) -> str:
    return f"{value} ({interval})" if interval else value


def _interval(estimate: Mapping) -> str:
    if estimate.get("low") is None:
        return "not audited"
    return f"{seconds_text(estimate['low'])} to {seconds_text(estimate['high'])}"


def _hashes(project: CardFacts) -> list[str]:
    digests = {
        f"data/videos/{video.file}": project.sampled.get(video.video_id, {}).get("video_sha256", video.sha256)
        for video in project.params.videos
    }
    films = [(path, digest) for path, digest in digests.items() if digest]
    places = [*sorted(project.labels.glob("*.csv")), *sorted((project.folder / "models" / "trained").glob("*"))]
    places += [project.folder / "reports" / name for name in ("index.html", "screen_time.csv")]
    rows = [(path.relative_to(project.folder).as_posix(), sha256_of(path)) for path in places if path.is_file()]
    absent = [name for name in ("models", "reports") if not any(path.startswith(name) for path, _ in rows)]
    lines = _table(("file", "sha256"), [(f"`{path}`", f"`{digest}`") for path, digest in [*films, *rows]])
    if absent:
        lines += ["", f"Not in this folder: {', '.join(absent)}."]
    return [*lines, "", "Every other file of the data set is pinned by dvc.lock and by the commit."]


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table; a bar in a cell is escaped."""
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return [_row(header), _row(["---"] * len(header)), *map(_row, cells)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
