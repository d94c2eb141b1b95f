"""Stage report: the page and the tables that a person passes on."""

import shutil
from pathlib import Path

from screentime import command
from screentime.company import groups_table, together_table
from screentime.files import new_folder, read_json
from screentime.film_address import film_address
from screentime.params import Params
from screentime.report import page
from screentime.report_pictures import pictures_of
from screentime.reported_video import ReportedVideo
from screentime.table_files import read_rows, read_table, write_table
from screentime.tables import APPEARANCES, AUDIT, GROUPS, SCREEN_TIME, SKIPPED, TARGETS, TIMELINE, TOGETHER


def report(
    *,
    estimates: Path,
    scores: Path,
    frames: Path,
    audit: Path,
    targets: Path,
    skipped: Path,
    evaluation: Path,
    sampling: Path,
    models: Path,
    videos: Path,
    reports: Path,
    params: Params,
) -> None:
    """Write index.html, one file that opens without a network, and beside it the tables it was made from.

    The tables are copied as they are: screen_time.csv, and per film timeline.csv and appearances.csv. Who is on screen with
    whom, and the groups of report.groups, are counted here: together.csv, groups.csv. Of videos, the folder of the films, the
    page has the address alone: no film is opened.
    """
    facts = read_json(sampling)["videos"]
    shown_videos = [
        ReportedVideo(
            video_id=video.video_id,
            facts=facts[video.video_id],
            timeline=read_table(estimates / video.video_id / "timeline.csv", TIMELINE, params.cast),
            appearances=read_table(estimates / video.video_id / "appearances.csv", APPEARANCES),
            targets=read_rows(targets / f"{video.video_id}.csv", TARGETS),
            audit=read_rows(audit / f"{video.video_id}.csv", AUDIT),
            skipped=read_rows(skipped / f"{video.video_id}.csv", SKIPPED),
            address=film_address(videos / video.file, reports),
        )
        for video in params.shown_videos
    ]
    private = {video.video_id for video in params.shown_videos if video.private}
    public = [video for video in shown_videos if video.video_id not in private]
    threshold, groups = params.estimate.threshold, params.report.groups
    html = page(
        videos=shown_videos,
        screen_time=read_table(estimates / "screen_time.csv", SCREEN_TIME),
        cast=params.cast,
        threshold=threshold,
        groups=groups,
        pictures=pictures_of(public, params.cast, threshold, params.report, frames=frames, places=scores),
        evaluation=read_json(evaluation),
        model=read_json(models / "model.json"),
        private_videos=sorted(private),
        skipped_videos=[(video.video_id, video.skip) for video in params.videos if video.skip is not None],
        credit_lines=params.report.credits,
    )
    with new_folder(reports) as folder:
        (folder / "index.html").write_bytes(html.encode("utf-8"))
        shutil.copyfile(estimates / "screen_time.csv", folder / "screen_time.csv")
        write_table(folder / "together.csv", together_table(shown_videos, params.cast, threshold), TOGETHER)
        if groups:
            write_table(folder / "groups.csv", groups_table(shown_videos, groups, threshold), GROUPS)
        for video in shown_videos:
            (folder / video.video_id).mkdir()
            for name in ("timeline.csv", "appearances.csv"):
                shutil.copyfile(estimates / video.video_id / name, folder / video.video_id / name)
    megabytes = len(html.encode("utf-8")) / 1e6
    print(
        f"{reports / 'index.html'}: {len(params.cast)} characters, {len(shown_videos)} films, {megabytes:.1f} MB; open it"
    )


if __name__ == "__main__":
    command.run(report)
