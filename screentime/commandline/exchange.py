"""`labels export` and `labels import`: labels to and from other tools."""

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from screentime.commandline.film_labels import TAKEN, Film, add_film_command, bring_in, film_of
from screentime.errors import InputError
from screentime.exchange import cvat, elan, image_classes, label_studio, stretches, via
from screentime.exchange.arriving import Terms, arriving
from screentime.exchange.found import Found
from screentime.exchange.leaving import answers_by_frame, stretches_of, write_stills
from screentime.label_lock import label_lock
from screentime.label_rows import Row
from screentime.labels import label_file, read_skips
from screentime.table_files import read_table
from screentime.tables import SUGGESTIONS
from screentime.wording import count_text

EXPORT_HELP = """\
Write the labels of a film for other tools. --to says the form, --out the file:
  label-studio  tasks for Label Studio, with the stills in --images DIR
  elan          an .eaf document for ELAN, a tier for each character
  stretches     a CSV: character,start_s,end_s,present
--images DIR alone writes stills, named by their time, and their table stills.csv. What a form cannot hold is said. Blind
audit answers stay at home, and no still is written of a frame that an audit drew: those only measure.
The appearances of the report, a model's and people's together, go to editors and players by `python -m screentime export`."""

IMPORT_HELP = """\
Bring labels from another tool into data/labels/VIDEO.csv. What is new is taken over with the source `imported`, which trains
and never counts as truth; what differs from your labels is asked about, never overwritten. --from says the form where the
file itself does not:
  label-studio   the full JSON export     an annotation with an empty result: somebody looked, nobody is there
  elan           .eaf                     an annotation: visible; the rest is unknown, unless --complete
  stretches      character,start_s,end_s  likewise; a column `present` may say 1, 0 or ?
  cvat           CVAT for images 1.1      a tag or shape: visible; the rest is unknown, unless --complete
  via            VGG Image Annotator CSV  an attribute: visible; the rest is unknown, unless --complete
  image-classes  Image_ID,Class           the class is visible; nothing is said of others, unless --exclusive
  folders        positive/ and negative/  stills with and without the --character (of no film: `stills add`)
Pictures find their frames by the time in their names (`labels export --images` writes it), else by what they show, from the
folder --images; never by a number over a frame rate."""

EXPORTS = ("label-studio", "elan", "stretches")
IMPORTS = ("label-studio", "elan", "stretches", "cvat", "via", "image-classes", "folders")
SAYING_VISIBLE = {  # forms that do not say where somebody looked and saw nobody, and the option that says so for them
    "elan": "--complete", "stretches": "--complete", "cvat": "--complete", "via": "--complete", "image-classes": "--exclusive",
}  # fmt: skip
WHICH = ("labelled", "suggested", "all")


def add_exchange(family: argparse._SubParsersAction) -> None:
    """Add `labels export` and `labels import`."""
    one = add_film_command(
        family, "export", "write labels for other tools", EXPORT_HELP, _export,
        "  python -m screentime labels export big_buck_bunny --to elan --out bunny.eaf\n"
        "  python -m screentime labels export big_buck_bunny --to label-studio --out tasks.json --images stills",
    )  # fmt: skip
    one.add_argument("--to", choices=EXPORTS, help="the form")
    one.add_argument("--out", type=Path, metavar="FILE", help="the file to write")
    one.add_argument("--images", type=Path, metavar="DIR", help="write stills there, and stills.csv")
    one.add_argument(
        "--which", choices=WHICH, default="labelled", help="of which frames stills are written (default: %(default)s)"
    )
    one.add_argument(
        "--url", metavar="TEXT",
        help="what a task's image begins with, before the name of the still (default: /data/local-files/?d=DIR/, for Label "
        "Studio's local storage)",
    )  # fmt: skip

    one = add_film_command(
        family, "import", "bring labels from other tools", IMPORT_HELP, _import,
        "  python -m screentime labels import big_buck_bunny bunny.eaf --complete\n"
        "  python -m screentime labels import big_buck_bunny train.csv --images frames --exclusive",
    )  # fmt: skip
    one.add_argument("path", type=Path, metavar="PATH", help="the file, or the folder of positive/ and negative/")
    one.add_argument("--from", dest="form", choices=IMPORTS, help="the form, where PATH does not say it")
    one.add_argument("--images", type=Path, metavar="DIR", help="the pictures that the file names")
    one.add_argument("--character", metavar="NAME", help="whom positive/ shows")
    one.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="NAME=CHARACTER",
        help="what a name of the file means; NAME= leaves it out",
    )
    one.add_argument("--complete", action="store_true", help="what is not marked is not visible")
    one.add_argument("--exclusive", action="store_true", help="a picture's class is the only one there")
    one.add_argument(
        "--as",
        dest="source",
        choices=("manual",),
        help="count as answers by looking, where the file says who looked when",
    )
    one.add_argument("--annotator", metavar="NAME", help="one person's annotations only (label-studio)")
    one.add_argument("--shift", type=float, default=0.0, metavar="SECONDS", help="added to every time of the file")
    one.add_argument("--take", choices=TAKEN, help="decide every open question so (neither: it cannot be told)")


def _export(arguments: argparse.Namespace) -> None:
    if not (arguments.to or arguments.images) or bool(arguments.to) != bool(arguments.out):
        raise InputError(
            "labels export: --to with --out FILE, or --images DIR, was expected; `labels export --help` explains both"
        )
    if arguments.to == "label-studio" and not arguments.images:
        raise InputError("--to label-studio: tasks show pictures, a folder for them was expected; add --images DIR")
    film = film_of(arguments)
    rows = film.rows
    answers = answers_by_frame(rows, film.frames)
    cast = film.params.cast
    names: dict[int, str] = {}
    if arguments.images:
        names = _stills(arguments, film, answers)
    if arguments.to == "label-studio":
        _export_tasks(arguments, film, answers, names)
    elif arguments.to:
        found = stretches_of(answers, film.frames, cast)
        if arguments.to == "stretches":
            stretches.write(arguments.out, found)
        else:
            file = next(video.file for video in film.params.videos if video.video_id == film.video_id)
            first_s = film.frames.facts.get("first_frame_time_s", 0.0)
            elan.write(arguments.out, found, cast, Path("data", "videos", file), first_s, datetime.now(UTC))
        print(
            f"{arguments.out}: {count_text(len(found), 'stretch', 'stretches')} of {count_text(len(answers), 'frame', 'frames')}"
        )
        print("not in it: how, by whom and when each answer was made")
        if arguments.to == "elan":
            print("its times are whole milliseconds of the film's file; what nobody has said has no annotation")
    left_out = read_skips(label_file(film.labels, f"{film.video_id}.skip.csv"), film.frames.facts["length_s"])
    if arguments.to and len(left_out):
        print(
            f"not in it: {count_text(len(left_out), 'range', 'ranges')} not part of the film ({film.video_id}.skip.csv)"
        )
    blind = sum(row.blind for row in rows)
    if blind:
        print(f"{count_text(blind, 'blind audit answer stays', 'blind audit answers stay')} at home: they only measure")


def _stills(arguments: argparse.Namespace, film: Film, answers: Mapping[int, Mapping[str, Row]]) -> dict[int, str]:
    """Write stills; their names by frame."""
    drawn = set(film.drawn)
    wanted = set(answers)
    if arguments.which == "all":
        wanted = set(range(len(film.frames)))
    elif arguments.which == "suggested":
        wanted = _suggested(film, arguments.labels.parent / "suggestions" / f"{film.video_id}.csv")
    if not wanted - drawn:
        raise InputError(
            f"{film.path}: no frame is {arguments.which}, at least one was expected; choose others with --which suggested or --which all"
        )
    chosen = sorted(wanted - drawn)
    names = write_stills(arguments.images, film.frames, chosen, answers, film.params.cast)
    print(f"{arguments.images}: {count_text(len(names), 'still', 'stills')} ({arguments.which}), and stills.csv")
    if wanted & drawn:
        print(
            f"{count_text(len(wanted & drawn), 'frame', 'frames')} left out: an audit drew them, they are looked at blind"
        )
    if film.frames.facts.get("private"):
        print(f"{film.video_id} is private: whoever gets this folder has its pictures")
    return dict(zip(chosen, names, strict=True))


def _suggested(film: Film, path: Path) -> set[int]:
    table = read_table(path, SUGGESTIONS, film.params.cast)
    place = {round(time_s, 6): index for index, time_s in enumerate(film.frames.times_s.tolist())}
    return {place[time_s] for time_s in table["time_s"].round(6) if time_s in place}


def _export_tasks(
    arguments: argparse.Namespace, film: Film, answers: Mapping[int, Mapping[str, Row]], names: Mapping[int, str]
) -> None:
    cast = film.params.cast
    prefix = f"/data/local-files/?d={arguments.images.name}/" if arguments.url is None else arguments.url
    tasks, partly = [], 0
    for frame, name in names.items():
        said = answers.get(frame, {})
        people = {(row.annotator, row.at) for row in said.values()}
        by, at = max(people, key=lambda one: one[1]) if len({by for by, _ in people}) == 1 else ("", "")
        present = {character: row.present for character, row in said.items()}
        one = label_studio.task(prefix + name, film.video_id, float(film.frames.times_s[frame]), present, cast, by, at)
        partly += bool(said) and "annotations" not in one
        tasks.append(one)
    interface = label_studio.write(arguments.out, tasks, cast)
    done = sum("annotations" in one for one in tasks)
    print(
        f"{arguments.out}: {count_text(len(tasks), 'task', 'tasks')}, {done:,} of them with the answer as an annotation; its labelling "
        f"interface: {interface}"
    )
    if partly:
        print(
            f"{count_text(partly, 'frame is', 'frames are')} known in part, or cannot be told: no annotation holds that, what is known to be "
            "visible there is a prediction"
        )
    print("not in it: how each answer was made (looking, painting, accepting)")


def _import(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`labels import`"):
        film = film_of(arguments)
        form = arguments.form or guessed_form(arguments.path)
        found = _found(arguments, form)
        terms = Terms(
            names=_names(arguments.map),
            complete=arguments.complete or arguments.exclusive,
            looked=arguments.source == "manual",
            shift_s=arguments.shift,
            images=arguments.images or (arguments.path if arguments.path.is_dir() else None),
        )
        arrival = arriving(arguments.path, found, terms, film.frames, film.params.cast, film.drawn)
        for note in arrival.notes:
            print(note)
        if form in SAYING_VISIBLE and not terms.complete:
            print(f"what {arguments.path} does not mark stays unknown; {SAYING_VISIBLE[form]} takes it as not visible")
        if not arrival.rows:
            raise InputError(
                f"{arguments.path}: nothing in it is about the sampled frames of {film.video_id}, some answers were expected; the "
                "lines above say why"
            )
        done = bring_in(film, arrival.rows, arguments.path.stem, arguments.take)
    if done:
        print(f"{arguments.path}: all of it is in {film.path} or decided; next: dvc repro")


def _names(pairs: Sequence[str]) -> dict[str, str]:
    """What names of the file mean, as --map says it."""
    for pair in pairs:
        if "=" not in pair:
            raise InputError(f"--map {pair}: no = was found, NAME=CHARACTER was expected; correct it")
    return {name.strip(): character.strip() for name, character in (pair.rsplit("=", 1) for pair in pairs)}


def _found(arguments: argparse.Namespace, form: str) -> Found:
    """What is in the file."""
    path = arguments.path
    if arguments.exclusive and form != "image-classes":
        raise InputError(f"--exclusive: {path} is of the form {form}, image-classes was expected; use --complete")
    if form == "folders":
        return image_classes.read_folders(path, arguments.character)
    if not path.is_file():
        raise InputError(f"{path}: no such file was found, labels of the form {form} were expected; correct the path")
    if form == "label-studio":
        return label_studio.read(path, arguments.annotator)
    readers = {"elan": elan, "stretches": stretches, "cvat": cvat, "via": via, "image-classes": image_classes}
    return readers[form].read(path)


def guessed_form(path: Path) -> str:
    """The form of a file by its ending and its first line.

    Raises:
        InputError: neither says it.
    """
    if path.is_dir():
        return "folders"
    by_ending = {".eaf": "elan", ".json": "label-studio", ".xml": "cvat"}
    if path.suffix.lower() in by_ending:
        return by_ending[path.suffix.lower()]
    if path.suffix.lower() == ".csv" and path.is_file():
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            line = file.readline()
        return "via" if via.is_header(line) else "image-classes" if image_classes.is_header(line) else "stretches"
    if not path.exists():
        raise InputError(f"{path}: no such file was found, labels of another tool were expected; correct the path")
    raise InputError(
        f"{path}: its ending does not say the form, .eaf, .json, .xml, .csv or a folder was expected; name the form with --from (an "
        "archive has to be unpacked first)"
    )
