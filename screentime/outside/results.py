"""Tables and page of films outside a project, as a report has them.

OUT/screen_time.csv, together.csv, groups.csv, OUT/<video_id>/timeline.csv and appearances.csv, OUT/index.html
"""

from contextlib import suppress
from pathlib import Path

from screentime.company import groups_table, together_table
from screentime.files import write_bytes
from screentime.film_address import film_address
from screentime.film_figures import (
    Figures,
    appearances_table,
    figures_of,
    screen_time_table,
    timeline_table,
    totals_of,
)
from screentime.groups import within
from screentime.outside.kept import Kept
from screentime.params import Params
from screentime.report import page
from screentime.report_pictures import pictures_of
from screentime.reported_video import ReportedVideo
from screentime.table_files import no_rows, read_table, write_table
from screentime.tables import APPEARANCES, AUDIT, GROUPS, SCREEN_TIME, SKIPPED, TARGETS, TIMELINE, TOGETHER


def write_results(out: Path, kept: Kept, params: Params) -> None:
    """Write the tables of the films that are scored, and the page; nothing where no film is.

    Args:
        out: the folder of results.
        kept: the films.
        params: how appearances are made (`estimate`) and what the page shows (`report`).
    """
    for video_id in kept.gone:  # what else lies in the folder of a film, clips for instance, stays
        for name in ("timeline.csv", "appearances.csv"):
            (out / video_id / name).unlink(missing_ok=True)
        with suppress(OSError):
            (out / video_id).rmdir()
    if not kept.films:
        return
    cast, threshold = kept.cast, params.estimate.threshold
    rows: list[Figures] = []
    videos = []
    for film in kept.films:
        folder, ledger = out / film.video_id, kept.ledger(film)
        rows += figures_of(ledger, cast, params.estimate)
        timeline, appearances = folder / "timeline.csv", folder / "appearances.csv"
        write_table(timeline, timeline_table(ledger, cast), TIMELINE, cast)
        write_table(appearances, appearances_table(ledger, cast, params.estimate), APPEARANCES)
        videos.append(
            ReportedVideo(
                video_id=film.video_id,
                facts=kept.facts(film),
                timeline=read_table(timeline, TIMELINE, cast),
                appearances=read_table(appearances, APPEARANCES),
                targets=no_rows(TARGETS),
                audit=no_rows(AUDIT),
                skipped=no_rows(SKIPPED),
                address=film_address(film.path.parent.resolve() / film.path.name, out.resolve()),
            )
        )
    write_table(out / "screen_time.csv", screen_time_table([*rows, *totals_of(rows, cast)]), SCREEN_TIME)
    groups = within(params.report.groups, cast)
    write_table(out / "together.csv", together_table(videos, cast, threshold), TOGETHER)
    (out / "groups.csv").unlink(missing_ok=True)
    if groups:
        write_table(out / "groups.csv", groups_table(videos, groups, threshold), GROUPS)
    html = page(
        videos=videos,
        screen_time=read_table(out / "screen_time.csv", SCREEN_TIME),
        cast=cast,
        threshold=threshold,
        groups=groups,
        pictures=pictures_of(videos, cast, threshold, params.report, frames=kept.folder, places=kept.folder),
        evaluation={},
        model=kept.model,
        private_videos=[],
        skipped_videos=[],
        credit_lines=[],
        outside=True,
    )
    write_bytes(out / "index.html", html.encode("utf-8"))
