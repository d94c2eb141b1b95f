"""Stage report: the page and the tables that a person passes on."""

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import pandas

from screentime import command
from screentime.evidence import Picture, Thumbnail, choose_pictures
from screentime.files import new_folder, read_json
from screentime.frames import FramePack, encode_jpeg, open_frames
from screentime.params import Params
from screentime.report import page
from screentime.reported_video import ReportedVideo
from screentime.tables import APPEARANCES, AUDIT, PLACES, SCREEN_TIME, SKIPPED, TARGETS, TIMELINE, Table, read_table


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
    reports: Path,
    params: Params,
) -> None:
    """Write index.html, one file that opens without a network, and beside it the tables it was made from.

    The tables are copied as they are: screen_time.csv, and per film timeline.csv and appearances.csv.
    """
    facts = read_json(sampling)["videos"]
    videos = [
        ReportedVideo(
            video_id=video.video_id,
            facts=facts[video.video_id],
            timeline=read_table(estimates / video.video_id / "timeline.csv", TIMELINE, params.cast),
            appearances=read_table(estimates / video.video_id / "appearances.csv", APPEARANCES),
            targets=_table(targets / f"{video.video_id}.csv", TARGETS),
            audit=_table(audit / f"{video.video_id}.csv", AUDIT),
            skipped=_table(skipped / f"{video.video_id}.csv", SKIPPED),
        )
        for video in params.shown_videos
    ]
    private = {video.video_id for video in params.shown_videos if video.private}
    shown = [video for video in videos if video.video_id not in private]
    chosen = choose_pictures(
        {video.video_id: video.timeline[video.showable] for video in shown},
        {video.video_id: video.appearances for video in shown},
        params.cast,
        threshold=params.estimate.threshold,
        n=params.report.thumbnails,
        gap_s=params.report.thumbnail_gap_s,
    )
    html = page(
        videos=videos,
        screen_time=read_table(estimates / "screen_time.csv", SCREEN_TIME),
        cast=params.cast,
        threshold=params.estimate.threshold,
        pictures=_thumbnails(
            _with_places(chosen, scores), frames, params.report.thumbnail_width, params.report.thumbnail_quality
        ),
        evaluation=read_json(evaluation),
        private_videos=sorted(private),
        skipped_videos=[(video.video_id, video.skip) for video in params.videos if video.skip is not None],
        credit_lines=params.report.credits,
    )
    with new_folder(reports) as folder:
        (folder / "index.html").write_bytes(html.encode("utf-8"))
        shutil.copyfile(estimates / "screen_time.csv", folder / "screen_time.csv")
        for video in videos:
            (folder / video.video_id).mkdir()
            for name in ("timeline.csv", "appearances.csv"):
                shutil.copyfile(estimates / video.video_id / name, folder / video.video_id / name)
    megabytes = len(html.encode("utf-8")) / 1e6
    print(f"{reports / 'index.html'}: {len(params.cast)} characters, {len(videos)} films, {megabytes:.1f} MB; open it")


def _table(path: Path, table: Table) -> pandas.DataFrame:
    """A table whose file is absent where it has no row."""
    if path.is_file():
        return read_table(path, table)
    return pandas.DataFrame({column.name: pandas.Series(dtype="object") for column in table.columns})


def _with_places(chosen: list[Picture], scores: Path) -> list[Picture]:
    """The same pictures, with the place of the strongest evidence where the model tells it."""
    places = {}
    for video_id in {picture.video_id for picture in chosen}:
        table = _table(scores / f"{video_id}.places.csv", PLACES)
        places |= {(video_id, row.time_s, row.character): (row.x, row.y) for row in table.itertuples()}
    return [
        replace(picture, place=places.get((picture.video_id, picture.time_s, picture.character))) for picture in chosen
    ]


def _thumbnails(chosen: list[Picture], frames: Path, width: int, quality: int) -> list[tuple[Picture, Thumbnail]]:
    """Each chosen frame, made small once and encoded anew."""
    packs = {video_id: open_frames(frames, video_id) for video_id in sorted({picture.video_id for picture in chosen})}
    made: dict[tuple[str, float], Thumbnail] = {}
    for picture in chosen:
        key = picture.video_id, picture.time_s
        if key not in made:
            made[key] = _thumbnail(packs[picture.video_id], picture.time_s, width, quality)
    return [(picture, made[picture.video_id, picture.time_s]) for picture in chosen]


def _thumbnail(pack: FramePack, time_s: float, width: int, quality: int) -> Thumbnail:
    """The sampled frame of a time, neither side longer than `width`."""
    image = pack.image(int(abs(pack.times_s - time_s).argmin()))
    scale = min(1.0, width / max(image.shape[:2]))
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return Thumbnail(encode_jpeg(cv2.resize(image, size, interpolation=cv2.INTER_AREA), quality), *size)


if __name__ == "__main__":
    command.run(report)
