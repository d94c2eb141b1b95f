"""Stage estimate: seconds per character with an interval, the timeline of scores, and the list of appearances."""

from collections.abc import Sequence
from pathlib import Path

from screentime import command
from screentime.files import new_folder, write_json
from screentime.film_figures import (
    Figures,
    appearances_table,
    figures_of,
    screen_time_table,
    timeline_table,
    totals_of,
)
from screentime.ledger import Ledger, open_ledgers
from screentime.params import Params
from screentime.table_files import write_table
from screentime.tables import ALL_VIDEOS, APPEARANCES, SCREEN_TIME, TIMELINE

THIN = 5  # present (or absent) audited frames below which the interval is wide for that reason alone: said, not hidden


def estimate(
    *,
    frames: Path,
    scores: Path,
    targets: Path,
    audit: Path,
    skipped: Path,
    models: Path,
    estimates: Path,
    metrics: Path,
    params: Params,
) -> None:
    """Write screen_time.csv, and per film timeline.csv and appearances.csv, into the folder estimates.

    The seconds are the difference estimator's (screentime.estimates): answers of people where they looked before the
    audit was drawn, scores elsewhere, and the audit's correction. metrics holds seconds, interval and its width.
    """
    rows: list[Figures] = []
    with new_folder(estimates) as folder:
        for ledger in open_ledgers(
            [video.video_id for video in params.shown_videos], params.cast, frames=frames, scores=scores,
            targets=targets, audit=audit, skipped=skipped, models=models,
        ):  # fmt: skip
            of_film = figures_of(ledger, params.cast, params.estimate)
            rows += of_film
            write_table(
                folder / ledger.video_id / "timeline.csv", timeline_table(ledger, params.cast), TIMELINE, params.cast
            )
            found = appearances_table(ledger, params.cast, params.estimate)
            write_table(folder / ledger.video_id / "appearances.csv", found, APPEARANCES)
            for line in _lines(ledger, of_film):
                print(line)
        rows += totals_of(rows, params.cast)
        write_table(folder / "screen_time.csv", screen_time_table(rows), SCREEN_TIME)
    write_json(metrics, _metrics(rows))


def _metrics(rows: Sequence[Figures]) -> dict:
    """Seconds, interval and its width, per film and character and in total."""
    videos: dict[str, dict] = {}
    for row in rows:
        time = row.time
        width = None if time.low is None else time.high - time.low
        figures = {"seconds": time.seconds, "low": time.low, "high": time.high, "width": width, "basis": time.basis}
        videos.setdefault(row.video_id, {})[row.character] = figures
    return {"total": videos.pop(ALL_VIDEOS, {}), "videos": videos}


def _lines(ledger: Ledger, rows: Sequence[Figures]) -> list[str]:
    """What to know about a film's seconds, and the next step."""
    lines = list(ledger.notes)
    thin = []
    for number, row in enumerate(rows):
        if row.time.basis == "audit":
            told = ledger.answers[ledger.audited(number), number]
            present, absent = int((told == 1).sum()), int((told == 0).sum())
            if min(present, absent) < THIN:
                thin.append(f"{row.character} (present in {present}, absent in {absent})")
    if thin:
        lines.append(
            f"{ledger.video_id}: the audit met few frames of one kind, the interval is wide or one-sided for: "
            f"{', '.join(thin)}"
        )
    unmeasured = [row.character for row in rows if row.time.basis == "count"]
    if unmeasured:
        lines.append(
            f"{ledger.video_id}: not audited, so nothing says how wrong the seconds are, for {', '.join(unmeasured)}; "
            f"next: `python -m screentime audit draw {ledger.video_id} --n 80`"
        )
    return lines or [f"{ledger.video_id}: seconds of {len(rows)} characters over {ledger.length_s:.1f} s of film"]


if __name__ == "__main__":
    command.run(estimate)
