"""Where a project stands, in one screen: films, labels, audits, model, what would run and why, and the next step."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from screentime.audit import read_record
from screentime.errors import InputError
from screentime.files import number, read_json
from screentime.labels import label_file, read_labels
from screentime.params import Params, load
from screentime.project.declarations import STILLS, Declarations
from screentime.project.stale import Stale, stale_stages
from screentime.project.tools import git
from screentime.sections import Video
from screentime.stills import read_stills, stills_line
from screentime.text_table import table_lines
from screentime.wording import clock, count_text

LINES = 12  # films or characters shown before the rest is only counted
AUDIT_FRAMES = 80
LABEL_FRAMES = 60


@dataclass
class Film:
    """What is known of one film.

    Attributes:
        video: its entry in params.yaml.
        here: whether its file lies in data/videos.
        length_s, n_frames: once it is sampled.
        labelled: moments that somebody has looked at, without those of the audit.
        answers: (character, present) to how many label rows say so; audit answers apart.
        audit: frames drawn, and those answered for every character.
        problem: a sentence, where its label files cannot be read.
    """

    video: Video
    here: bool
    length_s: float | None = None
    n_frames: int | None = None
    labelled: int = 0
    answers: Counter = field(default_factory=Counter)
    audit: tuple[int, int] = (0, 0)
    problem: str | None = None


def status(folder: Path) -> str:
    """The state of the project in this folder, as text for a terminal.

    Raises:
        InputError: it is no project's folder, or DVC cannot tell.
    """
    declarations = Declarations(folder)
    try:
        params = load(Path("params.yaml") if folder == Path.cwd() else folder / "params.yaml")
    except InputError as error:
        return "\n".join([_head(folder, declarations), *_unfinished(declarations, str(error))])
    films = [_film(folder, video, params) for video in params.videos]
    stale = stale_stages(folder)
    parts = [
        [_head(folder, declarations)],
        _films(films),
        _characters(films, params.cast),
        _stills(folder, params),
        _model(folder),
        _stale(stale),
        list(_consequences(folder, films, params, stale)),
        _next(films, params, stale),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _head(folder: Path, declarations: Declarations) -> str:
    name = declarations.params.value().get("train", {}).get("experiment", folder.resolve().name)
    commit = git(folder, "rev-parse", "--short", "HEAD")
    if commit is None:
        return f"{name}: not in Git; `git init` keeps its history"
    changed = len((git(folder, "status", "--porcelain") or "").splitlines())
    at = f"{git(folder, 'rev-parse', '--abbrev-ref', 'HEAD')} at {commit}"
    return f"{name}: {at}, {count_text(changed, 'file', 'files') + ' not committed' if changed else 'everything committed'}"


def _unfinished(declarations: Declarations, sentence: str) -> list[str]:
    """A project whose parameters cannot be used yet: what is missing first."""
    lines = [f"films: {', '.join(declarations.files) or 'none'}", f"cast: {', '.join(declarations.cast) or 'none'}", ""]
    if not declarations.files:
        return [*lines, "next: python -m screentime video add PATH...   # films, folders, playlists or addresses"]
    if not declarations.cast:
        return [*lines, "next: python -m screentime cast add NAME...    # who shall be found"]
    return [*lines, sentence]


def _film(folder: Path, video: Video, params: Params) -> Film:
    film = Film(video, (folder / "data" / "videos" / video.file).is_file())
    facts = folder / "data" / "frames" / f"{video.video_id}.json"
    if facts.is_file():
        known = read_json(facts)
        film.length_s, film.n_frames = known["length_s"], known["n_frames"]
    labels = folder / "data" / "labels"
    try:
        path = label_file(labels, f"{video.video_id}.csv")
        rows = read_labels(path, params.cast, film.length_s) if path.is_file() else None
        record = read_record(label_file(labels, f"{video.video_id}.audit.csv"), None)
    except InputError as error:
        film.problem = str(error).replace(f"{folder}/", "")
        return film
    if rows is not None:
        blind = rows[rows["source"] == "audit"]
        others = rows[rows["source"] != "audit"]
        film.labelled = int(others.loc[others["end_s"].isna(), "start_s"].nunique())
        film.answers = Counter(zip(others["character"], others["present"], strict=True))
        answered = blind.groupby("start_s")["character"].nunique()
        complete = set(answered[answered >= len(params.cast)].index)
        film.audit = (len(record), sum(time_s in complete for time_s in record["time_s"]))
    else:
        film.audit = (len(record), 0)
    return film


def _films(films: Sequence[Film]) -> list[str]:
    if not films:
        return ["films: none"]
    length_s = sum(film.length_s or 0 for film in films if film.video.skip is None)
    head = f"{count_text(len(films), 'film', 'films')}, {clock(length_s)} sampled"
    rows = [("", "length", "frames", "labelled", "audited", "")]
    for film in films[:LINES]:
        drawn, answered = film.audit
        rows.append(
            (
                film.video.video_id,
                "" if film.length_s is None else clock(film.length_s),
                "" if film.n_frames is None else str(film.n_frames),
                str(film.labelled),
                f"{answered} of {drawn}" if drawn else "none",
                _remark(film),
            )
        )
    return [head, *table_lines(rows, left=(0, 5)), *_rest(len(films))]


def _remark(film: Film) -> str:
    video = film.video
    remarks = [
        f"left out: {video.skip}" if video.skip else None,
        "measures only (split: test)" if video.split else None,
        "private" if video.private else None,
        None if film.here or video.skip else "file not here" if film.length_s else "file not here, not sampled",
        "labels need repair" if film.problem else None,
    ]
    return ", ".join(remark for remark in remarks if remark)


def _characters(films: Sequence[Film], cast: Sequence[str]) -> list[str]:
    shown = [film for film in films if film.video.skip is None and film.video.split is None]
    rows = [("", "present", "absent", "cannot tell")]
    for name in cast[:LINES]:
        rows.append((name, *(str(sum(film.answers[name, said] for film in shown)) for said in ("1", "0", "?"))))
    return ["what label files say of each character", *table_lines(rows, left=(0,)), *_rest(len(cast))]


def _stills(folder: Path, params: Params) -> list[str]:
    if not params.stills:
        return []
    try:
        return [stills_line([read_stills(folder / STILLS / name, params.cast) for name in params.stills])]
    except InputError as error:
        return [f"stills: {str(error).replace(f'{folder}/', '')}"]


def _model(folder: Path) -> list[str]:
    path = folder / "models" / "trained" / "model.json"
    if not path.is_file():
        return ["model: none yet"]
    card = read_json(path)
    stills = f" and {card['data']['n_stills']} stills" if "n_stills" in card["data"] else ""
    trained_on = f"{card['data']['n_frames']} labelled frames{stills}"
    lines = [f"model: run {card['run_key'][:7]}, {trained_on}, {', '.join(card['cast'])}"]
    figures = folder / "metrics" / "evaluate.json"
    macro = (read_json(figures).get("audit") or {}).get("macro") if figures.is_file() else None
    if macro:
        lines.append(
            f"  on the audit: average precision {number(macro['average_precision'], 2)}, accuracy "
            f"{number(macro['accuracy'], 2)} (guessing: {number(macro['commoner_accuracy'], 2)})"
        )
    return lines


def _stale(stale: Sequence[Stale]) -> list[str]:
    if not stale:
        return ["`dvc repro` has nothing to do"]
    return ["`dvc repro` would run", *table_lines([(one.stage, "; ".join(one.reasons)) for one in stale], left=(0, 1))]


def _consequences(folder: Path, films: Sequence[Film], params: Params, stale: Sequence[Stale]) -> Iterator[str]:
    """What a change of parameters means for people's work, said before anything runs."""
    changed = {name: values for one in stale for name, values in one.params.items()}
    if "sample.fps" in changed and changed["sample.fps"][0] is not None:
        old, new = changed["sample.fps"]
        yield f"sample.fps {number(old)} -> {number(new)}: every film is sampled anew; labels are kept."
        drawn = [film.video.video_id for film in films if film.audit[0]]
        if drawn:
            yield (
                f"  The audits of {', '.join(drawn[:3])}{' and others' if len(drawn) > 3 else ''} were drawn at "
                f"{number(old)} frames per second and do not hold at {number(new)}: `label` will refuse them. Go back to "
                f"{number(old)}, or remove data/labels/*.audit.csv (the answers then count as manual) and draw again."
            )
        lost = sum(_off_grid(folder, film, params) for film in films)
        if lost:
            yield f"  {lost} labelled moments lie between the new frames and are unused, unless that frame is still on screen."
    elif any(name in changed for name in ("sample.max_side", "sample.jpeg_quality")):
        yield "Every film is sampled anew, and all that follows from its pictures; labels and audits are kept."
    away = [film.video.file for film in films if film.video.private and not film.here and film.video.skip is None]
    if away and any(name.startswith("sample.") for name in changed):
        yield (
            f"{', '.join(away)}: private, and not on this machine: `sample` will refuse what needs the pictures. Add the film, "
            "put the parameters back, or leave it out."
        )
    if "cast" in changed:
        old, new = (names or [] for names in changed["cast"])
        for name in [name for name in new if name not in old]:
            yield (
                f"'{name}' is new: frames labelled so far say nothing of it (unknown, not absent). Training needs it labelled "
                f"present, and absent, in at least {params.train.min_present} frames."
            )
    if any(name.startswith(("embed.", "preprocess.", "train.", "stills")) for name in changed):
        yield "A new model is trained; labels and audits are kept, the audit measures it again."


def _off_grid(folder: Path, film: Film, params: Params) -> int:
    """How many labelled moments are no sampled time at the new rate."""
    path = label_file(folder / "data" / "labels", f"{film.video.video_id}.csv")
    if film.problem or not path.is_file():
        return 0
    rows = read_labels(path, params.cast, film.length_s)
    moments = rows.loc[rows["end_s"].isna(), "start_s"].drop_duplicates()
    place = moments * params.sample.fps
    return int(((place - place.round()).abs() / params.sample.fps > 1e-6).sum())


def _next(films: Sequence[Film], params: Params, stale: Sequence[Stale]) -> list[str]:
    """One step: the first thing that is missing."""
    shown = [film for film in films if film.video.skip is None]
    problems = [film.problem for film in shown if film.problem]
    if problems:
        return [f"next: {problems[0]}"]
    if not films:
        return ["next: python -m screentime video add PATH..."]
    if any(film.length_s is None for film in shown):
        return ["next: dvc repro      # samples the films, suggests frames to label"]
    training = [film for film in shown if film.video.split is None]
    if sum(film.labelled for film in training) < params.train.min_labelled:
        first = min(training, key=lambda film: film.labelled, default=shown[0])
        return [
            f"next: python -m screentime label {first.video.video_id}   # about {LABEL_FRAMES} frames, in the browser; then "
            "dvc repro"
        ]
    waiting = [film for film in shown if film.audit[1] < film.audit[0]]
    if waiting:
        return [f"next: python -m screentime label {waiting[0].video.video_id}   # answers the audit; then dvc repro"]
    if stale:
        return ["next: dvc repro"]
    bare = [film for film in shown if not film.audit[0]]
    if bare:
        return [
            f"next: python -m screentime audit draw {bare[0].video.video_id} --n {AUDIT_FRAMES}   # gives the seconds an "
            "interval"
        ]
    return ["next: python -m screentime show"]


def _rest(count: int) -> list[str]:
    return [f"  and {count - LINES} more"] if count > LINES else []
