"""`export`: appearances for editors and players."""

import argparse
from fractions import Fraction
from pathlib import Path

from screentime.commandline.parser import add_command, add_place
from screentime.editors.formats import FORMATS, write_listing
from screentime.editors.listing import Listing
from screentime.editors.sources import Source, chosen, listing_of, reported, scored
from screentime.errors import InputError
from screentime.files import number
from screentime.params import load
from screentime.wording import count_text

EXPORT_HELP = """\
Write who is on screen, from when to when, for editors and players. --to says the formats (all, unless told):
  webvtt       subtitles for browsers and players
  ass          the same for players and Aegisub, a colour and a line of its own for each character
  elan         a document for ELAN, a tier for each character
  otio         OpenTimelineIO: a track for each character above the film
  losslesscut  a CSV of segments for LosslessCut
  fcpxml       Final Cut Pro and DaVinci Resolve: keyword ranges and markers
  edl          CMX3600: an event for each appearance, drop-frame where the film is

The appearances are those of the project's report, or of a folder that `score` wrote (--results DIR). The film itself is read too:
times are those of its own file, so that a late first frame shifts nothing, and frames are counted at its exact rate.

These are the appearances that the report lists, a model's and people's together. `labels export` writes people's labels alone."""

LATE_S = Fraction(1, 10)  # a file that begins later than this is told; sound may begin some milliseconds beside 0


def add(commands: argparse._SubParsersAction) -> None:
    """Add `export`."""
    one = add_command(
        commands, "export", "appearances for editors and players: subtitles, timelines, cut lists", EXPORT_HELP, _export,
        "  python -m screentime export --out for_editors\n"
        "  python -m screentime export film.mp4 --results /films/report --to otio edl --character tom --out for_editors",
    )  # fmt: skip
    one.add_argument(
        "films", nargs="*", metavar="VIDEO", help="a film of the report, its video_id or its file (default: all)"
    )
    one.add_argument("--out", required=True, type=Path, metavar="DIR", help="the folder that gets the files")
    one.add_argument(
        "--to", nargs="+", choices=FORMATS, default=list(FORMATS), metavar="FORMAT", help=f"one or more of {', '.join(FORMATS)} (default: all)"
    )  # fmt: skip
    one.add_argument(
        "--character", action="append", default=[], metavar="NAME", help="whom alone; may be given more than once"
    )
    one.add_argument(
        "--clock",
        choices=("file", "start"),
        default="file",
        help="file: the time that the file itself gives its frames; start: counted from where the file begins, for programs that do "
        "so with recordings of broadcasts (default: %(default)s)",
    )
    one.add_argument("--results", type=Path, metavar="DIR", help="a folder that `score` wrote, in place of the report")
    add_place(one, "reports", "reports", "the report")
    add_place(one, "frames", "data/frames", "what sampling found out")
    add_place(one, "params", "params.yaml", "parameters, which say where the films are")


def _export(arguments: argparse.Namespace) -> None:
    if arguments.out.exists() and not arguments.out.is_dir():
        raise InputError(f"{arguments.out}: this is a file, a folder for the files was expected; name another one")
    if arguments.results is None:
        sources = reported(arguments.reports, arguments.frames, load(arguments.params))
    else:
        sources = scored(arguments.results)
    formats = [name for name in FORMATS if name in arguments.to]
    failures, written = [], 0
    for source in chosen(sources, arguments.films):
        try:
            _film(source, arguments, formats)
            written += 1
        except InputError as error:
            failures.append(str(error))
    if written:
        print("next:")
        for name in formats:
            print(f"  *{FORMATS[name].ending:<17}{FORMATS[name].next_step}")
    if failures:
        raise InputError("\n".join(failures))


def _film(source: Source, arguments: argparse.Namespace, formats: list[str]) -> None:
    """Write one film, and tell."""
    listing = listing_of(source, arguments.character, from_start=arguments.clock == "start")
    paths = write_listing(arguments.out, listing, formats)
    told = count_text(len(listing.appearances), "appearance", "appearances")
    people = count_text(len(listing.cast), "character", "characters")
    print(f"{listing.video_id}: {told} of {people}, {_rate_text(listing)}")
    for sentence in _remarks(listing, formats, arguments.clock):
        print(f"  {sentence}")
    for path in paths:
        print(f"  {path}", flush=True)


def _rate_text(listing: Listing) -> str:
    clock = listing.clock
    kind = "frames a second" if clock.constant else "frames a second usually, but not constantly"
    return f"{clock.rate} {kind}"


def _remarks(listing: Listing, formats: list[str], counted_from: str) -> list[str]:
    """What a person has to know of these files before opening them."""
    clock, said = listing.clock, []
    in_frames = ", ".join(name for name in formats if name in ("otio", "fcpxml", "edl"))
    on_grid = ", ".join(name for name in formats if name in ("fcpxml", "edl"))
    if not clock.constant and in_frames:
        said.append(f"{in_frames}: frames do not last equally long; each time is that of a frame of a constant grid")
    if clock.grid != clock.rate and on_grid:
        said.append(f"{on_grid}: on a grid of {clock.grid} frames a second, which editing programs know")
    if counted_from == "file" and clock.begin_s >= LATE_S:
        begin = number(float(clock.begin_s), 3)
        said.append(
            f"the file begins at {begin} s of its own clock, and so do these times; a program that shows its beginning as 0 "
            "wants --clock start"
        )
    if not listing.appearances:
        said.append("nobody is on screen: the files hold no appearance")
    return said
