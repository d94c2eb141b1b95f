"""The data card: what is in a data set, who labelled it and how, how far it can be trusted, and the hashes that pin it.

Made from what lies in the project's folder alone, no clock and no machine in it: the same commit gives the same bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas
import yaml

from screentime.audit import read_record
from screentime.files import read_json, sha256_of, write_text
from screentime.labels import label_file, read_labels, read_skips, second_opinions
from screentime.params import Params, load
from screentime.project.declarations import STILLS
from screentime.sections import Video
from screentime.stills import read_stills, stills_line
from screentime.table_files import read_table
from screentime.tables import AUDIT, SOURCES, TARGETS
from screentime.trust import trust_sections
from screentime.wording import clock, count_text, seconds_text

PATH = Path("docs/data-card.md")
THIN = 10  # frames: a character labelled visible, or not visible, in fewer has seen little of what it can look like
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
    project = _Project(folder)
    sections = {
        "Films": _films(project),
        "Labels": _labels(project),
        "Who labelled, and how": _annotators(project),
        "Audits": _audits(project),
        "Model": _model(project),
        "Figures": _figures(project),
        "Known limits": _limits(project),
        "Hashes": _hashes(project),
    }
    return HEAD + "".join(
        f"\n## {title}\n\n" + "\n".join(lines).strip("\n") + "\n" for title, lines in sections.items()
    )


class _Project:
    """What lies in the folder, read once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.params: Params = load(folder / "params.yaml")
        self.sampled = self._metrics("sample").get("videos", {})
        self.labelled = self._metrics("label").get("videos", {})
        self.estimated = self._metrics("estimate")
        self.evaluated = self._metrics("evaluate")
        card = folder / "models" / "trained" / "model.json"
        self.model = read_json(card) if card.is_file() else None
        self.labels = folder / "data" / "labels"
        self.others = second_opinions(self.labels, [video.video_id for video in self.params.videos])
        self.rows = {video.video_id: self._rows(video) for video in self.shown}
        self.cells = {video.video_id: self._cells(video) for video in self.shown}
        self.rounds = {
            video.video_id: read_record(label_file(self.labels, f"{video.video_id}.audit.csv"), None)
            for video in self.shown
        }

    @property
    def stills(self) -> str:
        """The sets of stills in one line, "" where there are none. Without their tables they are only named."""
        names = self.params.stills
        places = [self.folder / STILLS / name for name in names]
        if not all(place.is_dir() for place in places):
            return f"stills of no film, not in this folder: {', '.join(names)}"
        line = stills_line([read_stills(place, self.cast) for place in places]) if names else ""
        return line[:1].upper() + line[1:]

    @property
    def shown(self) -> tuple[Video, ...]:
        return self.params.shown_videos

    @property
    def cast(self) -> tuple[str, ...]:
        return self.params.cast

    def film_size(self, video: Video) -> int | None:
        """The film's size in bytes, as pinned, else as it lies here; of a private one it is not told."""
        if video.private:  # the card must not change with who has the film
            return None
        path = f"data/videos/{video.file}"
        lock = self.folder / "dvc.lock"
        stages = yaml.safe_load(lock.read_text(encoding="utf-8")).get("stages", {}) if lock.is_file() else {}
        for dep in stages.get("sample", {}).get("deps", []):
            if dep["path"] == path:
                return dep["size"]
        return (self.folder / path).stat().st_size if (self.folder / path).is_file() else None

    def is_demo(self, video: Video) -> bool:
        demo = self.params.demo
        return demo is not None and self.sampled.get(video.video_id, {}).get("video_sha256") == demo.video_sha256

    def licence(self, video: Video) -> str | None:
        """What the parameters say of the film's licence."""
        return video.licence or (self.params.demo.licence if self.is_demo(video) else None)

    def credit(self, video: Video) -> str | None:
        return video.credit or (self.params.demo.credit if self.is_demo(video) else None)

    def _metrics(self, name: str) -> dict:
        path = self.folder / "metrics" / f"{name}.json"
        return read_json(path) if path.is_file() else {}

    def _rows(self, video: Video) -> pandas.DataFrame:
        """What people wrote, row by row."""
        path = label_file(self.labels, f"{video.video_id}.csv")
        if not path.is_file():
            return pandas.DataFrame({"annotator": [], "at": [], "source": []})
        return read_labels(path, self.cast, None)

    def _cells(self, video: Video) -> pandas.DataFrame:
        """What that says of the sampled frames: one row per frame, character and source, from the stage `label`."""
        tables = []
        for name, table in (("targets", TARGETS), ("audit", AUDIT)):
            path = self.folder / "data" / name / f"{video.video_id}.csv"
            if path.is_file():
                tables.append(read_table(path, table)[["time_s", "character", "present", "source"]])
        cells = pandas.concat(tables) if tables else pandas.DataFrame({"source": [], "present": [], "character": []})
        return cells[(cells["source"] != "drawn") & (cells["present"] != "")]


def _films(project: _Project) -> list[str]:
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


def _labels(project: _Project) -> list[str]:
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


def _annotators(project: _Project) -> list[str]:
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


def _audits(project: _Project) -> list[str]:
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


def _model(project: _Project) -> list[str]:
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


def _figures(project: _Project) -> list[str]:
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


def _limits(project: _Project) -> list[str]:
    found = [*_limits_of_films(project), *_limits_of_labels(project), *_limits_of_figures(project)]
    return [f"- {limit}" for limit in found] or ["None that the project's own files show."]


def _limits_of_films(project: _Project) -> Iterator[str]:
    unstated = [video.file for video in project.params.videos if not project.licence(video)]
    if unstated:
        yield f"Licence not stated: {_listed(unstated)}. Whoever passes these films on must know it."
    left_out = [f"{video.file} ({video.skip})" for video in project.params.videos if video.skip]
    if left_out:
        yield f"Left out: {_listed(left_out)}."
    for video in project.shown:
        facts = project.sampled.get(video.video_id)
        if not facts:
            yield f"{video.video_id}: not sampled yet, so nothing is known of it."
            continue
        lost = [
            words
            for count, words in (
                (facts["bad_packets"], count_text(facts["bad_packets"], "bad packet", "bad packets")),
                (facts["held_frames"], f"{count_text(facts['held_frames'], 'frame', 'frames')} held over a hole"),
                (facts["missing_s"], f"{seconds_text(facts['missing_s'])} s missing at its end"),
                (facts["repaired_timestamps"], f"{facts['repaired_timestamps']:,} timestamps repaired"),
            )
            if count
        ]
        if lost:
            yield f"{video.video_id}: reading the film met {', '.join(lost)}."


def _limits_of_labels(project: _Project) -> Iterator[str]:
    rows = pandas.concat([rows[["annotator"]] for rows in project.rows.values()]) if project.rows else []
    if len(rows) and rows["annotator"].nunique() == 1:
        yield "One annotator: nobody has measured how far two people would agree."
    thin = {
        name: min(counts)
        for name in project.cast
        if min(counts := [_trained(project, name, "present"), _trained(project, name, "absent")]) < THIN
    }
    if thin and project.labelled:
        told = _listed([f"{name} ({count})" for name, count in thin.items()])
        yield f"Thin: visible, or not visible, in fewer than {THIN} labelled frames that train: {told}."
    for video_id, counts in project.labelled.items():
        noise, unused = counts["label_noise"], counts["unused"]
        if noise["differing"]:
            yield f"{video_id}: blind and other answers differ in {noise['differing']} of {noise['compared']}."
        if unused:
            yield f"{video_id}: {count_text(unused, 'label row speaks', 'label rows speak')} of no sampled frame."
    for video in project.shown:
        skips = read_skips(label_file(project.labels, f"{video.video_id}.skip.csv"), None)
        if len(skips):
            reasons = _listed(list(dict.fromkeys(skips["reason"])))
            seconds = seconds_text(float((skips["end_s"] - skips["start_s"]).sum()))
            yield f"{video.video_id}: {seconds} s are not counted as film ({reasons})."


def _trained(project: _Project, name: str, answer: str) -> int:
    """In how many frames of films that train a character is labelled so."""
    training = [video.video_id for video in project.shown if video.split != "test"]
    return sum(
        project.labelled[one]["labels"].get(name, {}).get(answer, 0) for one in training if one in project.labelled
    )


def _limits_of_figures(project: _Project) -> Iterator[str]:
    videos = project.estimated.get("videos", {})
    unmeasured = [one for one, estimates in videos.items() if any(e["basis"] == "count" for e in estimates.values())]
    if unmeasured:
        yield f"No audit has measured the seconds, for some character at least, of: {_listed(unmeasured)}."
    if project.evaluated and "test" not in project.evaluated:
        yield "No film was kept apart as a test: nothing here speaks for films to come."
    for title, way in (("On the audit", "audit"), ("On films left out", "test")):
        measured = project.evaluated.get(way, {}).get("characters", {})
        unproved = [
            name
            for name in project.cast
            if name in measured
            and (measured[name].get("accuracy_low") or 0) <= (measured[name].get("commoner_accuracy") or 0)
        ]
        if unproved:
            yield (
                f"{title}, the accuracy is not shown to be above that of always guessing the commoner value (its interval "
                f"reaches down to it): {_listed(unproved)}."
            )


def _hashes(project: _Project) -> list[str]:
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


def _listed(names: Sequence[str]) -> str:
    """All names, up to ten; then how many more.

    >>> _listed(["a", "b"])
    'a, b'
    """
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
