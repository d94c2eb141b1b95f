"""`labels`: two people's label files merged and compared, ranges left out, sure cells filled, labels taken to and from other tools."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas

from screentime.agreement import Agreement, Differing, agreements
from screentime.commandline.exchange import add_exchange
from screentime.commandline.fill import add_fill
from screentime.commandline.film_labels import PEOPLE, TAKEN, Film, add_film_command, bring_in, film_of
from screentime.commandline.parser import add_family
from screentime.files import number
from screentime.label_lock import label_lock
from screentime.label_rows import Row
from screentime.labels import label_file
from screentime.merging import annotator_file, read_rows, said_by
from screentime.moments import moment_s
from screentime.skipping import skip, unskip
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

LINES = 20  # differing frames shown before the rest is only counted


def add(commands: argparse._SubParsersAction) -> None:
    """Add the commands of `labels`."""
    family = add_family(commands, "labels", "merge and compare label files, take them to and from other tools")
    one = add_film_command(
        family, "merge", "bring a second person's labels into yours", MERGE_HELP, _merge,
        "  python -m screentime labels merge big_buck_bunny --annotator ben",
    )  # fmt: skip
    one.add_argument("--annotator", metavar="NAME", help="whose file, where several people labelled the film")
    one.add_argument("--take", choices=TAKEN, help="decide every open question so (neither: it cannot be told)")

    one = add_film_command(
        family, "agree", "how well two people agree", AGREE_HELP, _agree,
        "  python -m screentime labels agree big_buck_bunny --csv differing.csv",
    )  # fmt: skip
    one.add_argument("--annotator", metavar="NAME", help="whose file, where several people labelled the film")
    one.add_argument("--csv", type=Path, metavar="FILE", help="write the frames that differ there")

    one = add_film_command(
        family, "skip", "mark a range as not part of the film", SKIP_HELP, _skip,
        '  python -m screentime labels skip big_buck_bunny 8:10 end --reason "credits"',
    )  # fmt: skip
    one.add_argument("start", metavar="START", help="where it begins: seconds, m:ss or h:mm:ss")
    one.add_argument("end", metavar="END", help="where it ends, excluded; or `end`")
    one.add_argument("--reason", required=True, metavar="TEXT", help="why; the report shows it")

    one = add_film_command(
        family, "unskip", "take such a range back", UNSKIP_HELP, _unskip,
        "  python -m screentime labels unskip big_buck_bunny 9:00",
    )  # fmt: skip
    one.add_argument("moment", metavar="MOMENT", help="any time in the range: seconds, m:ss or h:mm:ss")

    add_fill(family)
    add_exchange(family)


def _second(arguments: argparse.Namespace, film: Film) -> tuple[Path, str, list[Row]]:
    """The second person's file, their name, and their rows."""
    ids = [video.video_id for video in film.params.videos]
    path, name = annotator_file(film.labels, film.video_id, ids, arguments.annotator)
    return path, name, read_rows(path, film.params.cast, film.frames, name)


def _merge(arguments: argparse.Namespace) -> None:
    with label_lock(Path.cwd(), "`labels merge`"):
        film = film_of(arguments)
        path, name, theirs = _second(arguments, film)
        done = bring_in(film, theirs, name, arguments.take)
    if done:
        print(
            f"{path}: all of it is merged or decided; next:\n  git rm {path} && git add {film.path} && git commit\n"
            "  dvc repro"
        )


def _agree(arguments: argparse.Namespace) -> None:
    film = film_of(arguments)
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
        film = film_of(arguments)
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
        film = film_of(arguments)
        path = label_file(film.labels, f"{film.video_id}.skip.csv")
        length_s = film.frames.facts["length_s"]
        gone = unskip(path, moment_s(arguments.moment, length_s), length_s)
    ranges = ", ".join(f"{stretch_text(start_s, end_s)} ({reason})" for start_s, end_s, reason in gone)
    print(f"{path}: {ranges} part of the film again; next: dvc repro")
