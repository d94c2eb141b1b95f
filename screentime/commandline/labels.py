"""`labels`: two people's label files merged and compared, ranges left out, labels taken to and from other tools."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas

from screentime.agreement import Agreement, Differing, agreements
from screentime.audit import read_record
from screentime.checks import sampled_frames, video_named
from screentime.commandline.parser import add_command, add_family, add_place
from screentime.files import number
from screentime.frames import FramePack
from screentime.label_lock import label_lock
from screentime.label_rows import Row, table_of
from screentime.labels import LOOKED, label_file
from screentime.merging import (
    CANNOT_TELL,
    MINE,
    THEIRS,
    Difference,
    after_the_draw,
    annotator_file,
    compared,
    merged,
    read_decisions,
    read_rows,
    said_by,
    write_decisions,
)
from screentime.moments import moment_s
from screentime.params import Params, load
from screentime.skipping import skip, unskip
from screentime.tables import LABELS, write_table
from screentime.text_table import table_lines
from screentime.wording import clock, count_text, share_text, stretch_text

MERGE_HELP = """\
Bring a second person's labels, data/labels/VIDEO.NAME.csv, into data/labels/VIDEO.csv, frame by frame and character by
character. What only one of you says is taken over, with who said it, how and when; what both say stays. Where you differ
you are asked: m mine, t theirs, ? it cannot be told, s decide later, q stop. Each answer is kept at once.

Without a terminal the questions go into VIDEO.NAME.differences.csv: write mine, theirs or ? into its column `decision`,
then run the command again. Blind audit answers merge only with blind audit answers. The second file is never changed."""

AGREE_HELP = """\
Compare two people's labels of one film: for each character how many frames both answered, how often they agree, Cohen's
kappa (1: full agreement, 0: no more than chance) with its 95 % interval, and the frames that differ. A frame that one of
you could not tell (?) is counted apart and is in no other figure. Nothing is changed."""

SKIP_HELP = """\
Mark a range as not part of the film (credits, recaps, adverts): it is left out of every total, and the report shows it.
START and END are seconds, m:ss or h:mm:ss; END may be `end`. `labels unskip` takes it back."""

UNSKIP_HELP = "Take back the range that holds a moment: it is part of the film again."

TAKEN = {"mine": MINE, "theirs": THEIRS, "neither": CANNOT_TELL}
KEYS = {"m": MINE, "t": THEIRS, "?": CANNOT_TELL, "s": "", "q": None}
PEOPLE = {"1": "visible", "0": "not visible", "?": "cannot tell"}
LINES = 20  # differing frames shown before the rest is only counted


@dataclass(frozen=True)
class Film:
    """One film of the project and its label file."""

    params: Params
    video_id: str
    frames: FramePack
    labels: Path
    path: Path

    @property
    def rows(self) -> list[Row]:
        return read_rows(self.path, self.params.cast, self.frames)

    @property
    def drawn(self) -> list[int]:
        """The frames that an audit drew."""
        return read_record(label_file(self.labels, f"{self.video_id}.audit.csv"), self.frames)["frame"].tolist()


def add(commands: argparse._SubParsersAction) -> None:
    """Add the commands of `labels`."""
    family = add_family(commands, "labels", "merge and compare label files, take them to and from other tools")
    one = _of_film(
        family, "merge", "bring a second person's labels into yours", MERGE_HELP, _merge,
        "  python -m screentime labels merge big_buck_bunny --annotator ben",
    )  # fmt: skip
    one.add_argument("--annotator", metavar="NAME", help="whose file, where several people labelled the film")
    one.add_argument("--take", choices=TAKEN, help="decide every open question so (neither: it cannot be told)")

    one = _of_film(
        family, "agree", "how well two people agree", AGREE_HELP, _agree,
        "  python -m screentime labels agree big_buck_bunny --csv differing.csv",
    )  # fmt: skip
    one.add_argument("--annotator", metavar="NAME", help="whose file, where several people labelled the film")
    one.add_argument("--csv", type=Path, metavar="FILE", help="write the frames that differ there")

    one = _of_film(
        family, "skip", "mark a range as not part of the film", SKIP_HELP, _skip,
        '  python -m screentime labels skip big_buck_bunny 8:10 end --reason "credits"',
    )  # fmt: skip
    one.add_argument("start", metavar="START", help="where it begins: seconds, m:ss or h:mm:ss")
    one.add_argument("end", metavar="END", help="where it ends, excluded; or `end`")
    one.add_argument("--reason", required=True, metavar="TEXT", help="why; the report shows it")

    one = _of_film(
        family, "unskip", "take such a range back", UNSKIP_HELP, _unskip,
        "  python -m screentime labels unskip big_buck_bunny 9:00",
    )  # fmt: skip
    one.add_argument("moment", metavar="MOMENT", help="any time in the range: seconds, m:ss or h:mm:ss")


def _of_film(family, name, short, long, work, example):
    """A command about the labels of one film."""
    one = add_command(family, name, short, long, work, example)
    one.add_argument("video", metavar="VIDEO", help="the film: its video_id or its file name")
    add_place(one, "labels", "data/labels", "label files")
    add_place(one, "frames", "data/frames", "sampled frames")
    add_place(one, "params", "params.yaml", "parameters")
    return one


def _film(arguments: argparse.Namespace) -> Film:
    params = load(arguments.params)
    video = video_named(arguments.video, params)
    frames = sampled_frames(arguments.frames, video, params)
    path = label_file(arguments.labels, f"{video.video_id}.csv")
    return Film(params, video.video_id, frames, arguments.labels, path)


def _second(arguments: argparse.Namespace, film: Film) -> tuple[Path, str, list[Row]]:
    """The second person's file, their name, and their rows."""
    ids = [video.video_id for video in film.params.videos]
    path, name = annotator_file(film.labels, film.video_id, ids, arguments.annotator)
    return path, name, read_rows(path, film.params.cast, film.frames, name)


def now() -> str:
    """This moment, as label files write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _merge(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`labels merge`"):
        film = _film(arguments)
        path, name, theirs = _second(arguments, film)
        mine = film.rows
        comparison = compared(mine, theirs, film.frames)
        questions = comparison.differences
        asked = Path(f"{film.video_id}.{name}.differences.csv")
        decided, idle = read_decisions(asked, questions)
        dated = _write(film, mine, comparison, {})
        taken = len(comparison.new) + len(comparison.outside)
        print(
            f"{film.path}: {count_text(taken, 'answer', 'answers')} of {name} taken over, {comparison.alike:,} were alike, "
            f"{sum(len(one.cells) for one in questions):,} differ"
        )
        drawn = set(film.drawn)
        on_drawn = sum(not cell.blind and cell.frame in drawn for cell in comparison.new)
        if on_drawn:
            print(
                f"{on_drawn:,} of the new ones are about frames that an audit drew: there only blind answers (source audit) count"
            )
        if idle:
            print(f"{asked}: {count_text(idle, 'decision is', 'decisions are')} about what no longer differs, not used")
        if arguments.take:
            decided = dict.fromkeys(questions, TAKEN[arguments.take]) | decided
        elif sys.stdin.isatty():
            _ask(questions, decided, asked, name)
        left = [one for one in questions if one not in decided]
        if not left:
            dated = _write(film, mine, comparison, decided)
            asked.unlink(missing_ok=True)
        else:
            write_decisions(asked, questions, decided)
        _tell_dated(film, mine, dated)
    if left:
        print(
            f"{asked}: {count_text(len(left), 'question is', 'questions are')} open; next: write mine, theirs or ? into its "
            "column `decision` and run the same command again, or decide all with --take mine, theirs or neither; until all "
            "are decided, yours stand"
        )
        return
    if comparison.clashing:
        rows = count_text(
            len(comparison.clashing),
            "row that no sampled frame shows differs",
            "rows that no sampled frame shows differ",
        )
        print(
            f"{path}: {rows} from yours, the first at {number(comparison.clashing[0].start_s)} s; settle them by hand"
        )
        return
    print(
        f"{path}: all of it is merged or decided; next:\n  git rm {path} && git add {film.path} && git commit\n  dvc repro"
    )


def _write(film: Film, mine: Sequence[Row], comparison, decided) -> int:
    """Write the label file as it is with these decisions; how many rows were dated anew."""
    at = now()
    kept, added = merged(mine, comparison, decided, film.frames, at)
    added, dated = after_the_draw(added, mine, film.drawn, film.frames, at)
    if added or kept != list(mine):
        write_table(film.path, table_of([*kept, *added]), LABELS)
    return dated


def _tell_dated(film: Film, mine: Sequence[Row], dated: int) -> None:
    """What came after an audit was drawn, and whether the audit still counts."""
    if not dated:
        return
    print(
        f"{count_text(dated, 'row is', 'rows are')} dated now: the audit was drawn before they came, and `at` tells which "
        "frames had been looked at by then"
    )
    if any(row.source in LOOKED and not row.at for row in mine):
        print(
            f"{film.path}: answers made by looking have no `at`, so that it can no longer be told which frames had been looked "
            "at when the audit was drawn: it may not count any more (`dvc repro` says so); draw a new round then"
        )


def _ask(questions: Sequence[Difference], decided: dict[Difference, str], asked: Path, name: str) -> None:
    """Put the open questions to the person at the terminal; each answer is kept in the file at once."""
    open_ones = [one for one in questions if one not in decided]
    if open_ones:
        print(f"m mine   t {name}'s   ? cannot be told   s decide later   q stop")
    for place, one in enumerate(open_ones, start=1):
        print(
            f"\n{place} of {len(open_ones)}: {one.mine.character} at {_when(one)}{', audit' if one.mine.blind else ''}"
        )
        for whose, row in (("mine", one.mine), (f"{name}'s", one.theirs)):
            print(f"  {whose}: {PEOPLE[row.present]} ({said_by(row)})")
        decision = _key()
        if decision is None:
            return
        if decision:
            decided[one] = decision
            write_decisions(asked, questions, decided)


def _key() -> str | None:
    """One of KEYS, as a person types it; the end of the input stops."""
    while True:
        try:
            typed = input("m/t/?/s/q: ").strip().lower()
        except EOFError:
            return None
        if typed in KEYS:
            return KEYS[typed]


def _when(one: Difference) -> str:
    if one.end_s is None:
        return f"{clock(one.start_s)} ({number(one.start_s)} s)"
    return f"{stretch_text(one.start_s, one.end_s)} ({count_text(len(one.cells), 'frame', 'frames')})"


def _agree(arguments: argparse.Namespace) -> None:
    film = _film(arguments)
    path, name, theirs = _second(arguments, film)
    found, differing = agreements(film.rows, theirs, film.params.cast, film.frames)
    print(f"{film.path} and {path}: frames that both answered")
    print("\n".join(table_lines(_agreement_cells(found), left=(0,))))
    for one in differing[:LINES]:
        sides = f"{PEOPLE[one.mine.present]} ({said_by(one.mine)}), {name}: {PEOPLE[one.theirs.present]} ({said_by(one.theirs)})"
        print(f"  {number(one.time_s):>8} s  {one.character}: {sides}")
    if len(differing) > LINES:
        print(f"  and {len(differing) - LINES:,} more{'' if arguments.csv else ' (--csv FILE writes all)'}")
    if arguments.csv:
        _differing_table(differing).to_csv(arguments.csv, index=False, lineterminator="\n")
        print(f"{arguments.csv}: {count_text(len(differing), 'frame that differs', 'frames that differ')}")
    print(f"next: python -m screentime labels merge {film.video_id} --annotator {name}")


def _agreement_cells(found: Sequence[Agreement]) -> list[tuple[str, ...]]:
    rows = [("", "frames", "alike", "kappa", "95 %", "cannot tell")]
    for one in found:
        rows.append(
            (
                one.character,
                f"{one.n_frames:,}",
                share_text(one.n_alike / one.n_frames) if one.n_frames else "",
                "" if not one.n_frames else f"{one.kappa:.2f}" if one.kappa == one.kappa else "not defined",
                f"{one.low:.2f} to {one.high:.2f}" if one.low == one.low else "",
                f"{one.n_cannot_tell:,}",
            )
        )
    return rows


def _differing_table(differing: Sequence[Differing]) -> pandas.DataFrame:
    rows = [
        (
            number(one.time_s),
            one.character,
            one.mine.present,
            said_by(one.mine),
            one.theirs.present,
            said_by(one.theirs),
        )
        for one in differing
    ]
    return pandas.DataFrame(rows, columns=["time_s", "character", "mine", "mine_by", "theirs", "theirs_by"])


def _skip(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`labels skip`"):
        film = _film(arguments)
        length_s = film.frames.facts["length_s"]
        start_s, end_s = (moment_s(text, length_s) for text in (arguments.start, arguments.end))
        path = label_file(film.labels, f"{film.video_id}.skip.csv")
        covered_s = skip(path, start_s, end_s, arguments.reason, length_s)
    print(
        f"{path}: {stretch_text(start_s, end_s)} left out ({arguments.reason.strip()}); {clock(covered_s)} of {clock(length_s)} in "
        "all; next: dvc repro"
    )


def _unskip(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`labels unskip`"):
        film = _film(arguments)
        path = label_file(film.labels, f"{film.video_id}.skip.csv")
        length_s = film.frames.facts["length_s"]
        gone = unskip(path, moment_s(arguments.moment, length_s), length_s)
    ranges = ", ".join(f"{stretch_text(start_s, end_s)} ({reason})" for start_s, end_s, reason in gone)
    print(f"{path}: {ranges} part of the film again; next: dvc repro")
