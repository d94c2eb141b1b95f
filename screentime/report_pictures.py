"""The pictures of the report page: chosen among all films, cut out of the packed frames, made small."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from screentime.evidence import Picture, Thumbnail, choose_pictures
from screentime.frames import FramePack, encode_jpeg, open_frames
from screentime.reported_video import ReportedVideo
from screentime.sections import Report
from screentime.table_files import read_rows
from screentime.tables import PLACES


def pictures_of(
    videos: Sequence[ReportedVideo],
    cast: Sequence[str],
    threshold: float,
    settings: Report,
    *,
    frames: Path,
    places: Path,
) -> list[tuple[Picture, Thumbnail]]:
    """The evidence that the page shows.

    Args:
        videos: the films of which pictures may be shown.
        cast: the characters, in report order.
        threshold: the score from which a character is taken to be visible.
        settings: how many pictures, and of what size.
        frames: the folder with the packed frames of the films, at least of those that may be chosen.
        places: the folder with <video_id>.places.csv, for films that have one.

    Returns:
        Pictures by character, group and rank.
    """
    chosen = choose_pictures(
        {video.video_id: video.timeline[video.showable] for video in videos},
        {video.video_id: video.appearances for video in videos},
        cast,
        threshold=threshold,
        n=settings.thumbnails,
        gap_s=settings.thumbnail_gap_s,
    )
    return _thumbnails(_with_places(chosen, places), frames, settings.thumbnail_width, settings.thumbnail_quality)


def _with_places(chosen: list[Picture], folder: Path) -> list[Picture]:
    """The same pictures, with the place of the strongest evidence where the model tells it."""
    places = {}
    for video_id in {picture.video_id for picture in chosen}:
        table = read_rows(folder / f"{video_id}.places.csv", PLACES)
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
