"""Which frames to show as evidence: where the model is surest, where it is least sure, the longest appearances."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas

from screentime.files import number
from screentime.reported_video import ReportedVideo
from screentime.wording import clock, seconds_text, stretch_text

SUREST = "surest"
LEAST_SURE = "least sure"
LONGEST = "longest"
MOMENT_S = 4.0  # so much of the film is played from a picture on that stands for no appearance

_GROUPS = {
    SUREST: ("Surest", "No frame is at or above the threshold."),
    LEAST_SURE: ("Least sure", "No frame is near the threshold."),
    LONGEST: ("Longest appearances", "No appearance."),
}
_ANSWERS = {"1": "labelled visible", "0": "labelled not visible", "?": "labelled cannot tell"}

# Scores that agree to this much are equally sure; among them the one farthest from those chosen tells the most.
_TIE = 0.005


@dataclass(frozen=True)
class Picture:
    """One frame chosen as evidence for one character.

    Attributes:
        video_id, time_s: which sampled frame; seconds.
        character: whom it is to show.
        group: SUREST, LEAST_SURE or LONGEST.
        score: the character's score in that frame, in [0, 1].
            start_s, end_s: the appearance it stands for, seconds, [start, end); None outside the group LONGEST.
        place: (x, y), where the evidence is strongest, shares of width and height; None where the model does not tell.
    """

    video_id: str
    time_s: float
    character: str
    group: str
    score: float
    start_s: float | None = None
    end_s: float | None = None
    place: tuple[float, float] | None = None


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG and its size in pixels."""

    jpeg: bytes
    width: int
    height: int


def spread_choice(
    times_s: np.ndarray, videos: np.ndarray, preference: np.ndarray, *, n: int, gap_s: float
) -> list[int]:
    """The most preferred moments, no two of one video nearer than the gap; among equals the farthest from the chosen.

    Args:
        times_s: (n_frames,) float64, seconds.
        videos: (n_frames,) int64: which video; moments of different videos are never near.
        preference: (n_frames,) float64, larger is better; -inf is never chosen.
        n: how many at most.
        gap_s: least distance, seconds, >= 0.

    Returns:
        Indices in the order of choice; fewer than n where no more are far enough apart.

    >>> times = np.arange(5.0)
    >>> spread_choice(times, np.zeros(5, int), np.array([0.9, 0.8, 0.9, 0.1, 0.2]), n=3, gap_s=2)
    [0, 2, 4]
    """
    chosen: list[int] = []
    left = np.isfinite(preference)
    nearest = np.full(len(times_s), np.inf)
    while left.any() and len(chosen) < n:
        equals = left & (preference >= preference[left].max() - _TIE)
        farthest = equals & (nearest == nearest[equals].max())
        best = int(np.argmax(np.where(farthest, preference, -np.inf)))
        chosen.append(best)
        distance = np.where(videos == videos[best], np.abs(times_s - times_s[best]), np.inf)
        nearest = np.minimum(nearest, distance)
        left &= nearest >= gap_s
        left[best] = False
    return chosen


def choose_pictures(
    timelines: Mapping[str, pandas.DataFrame],
    appearances: Mapping[str, pandas.DataFrame],
    cast: Sequence[str],
    *,
    threshold: float,
    n: int,
    gap_s: float,
) -> list[Picture]:
    """The evidence of every character over all videos together, at most n pictures in each group.

    Surest: the highest scores at or above the threshold. Least sure: the scores nearest to the threshold, and no
    farther from it than half way to certainty. Longest: of the longest appearances the frame with the highest score.

    Args:
        timelines: per video the frames to choose from (time_s, one score column per character).
        appearances: per video the stretches (character, start_s, end_s, score).
        cast: the characters, in report order.
        threshold: in (0, 1).
        n: pictures per character and group, >= 0.
        gap_s: least distance between two pictures of the first two groups, seconds.

    Returns:
        Pictures by character, group and rank.
    """
    ids = list(timelines)
    times_s = np.concatenate([timelines[i]["time_s"].to_numpy() for i in ids]) if ids else np.empty(0)
    videos = np.repeat(np.arange(len(ids)), [len(timelines[i]) for i in ids])
    pictures = []
    for character in cast:
        scores = np.concatenate([timelines[i][character].to_numpy() for i in ids]) if ids else np.empty(0)
        doubt = np.abs(scores - threshold)
        half_way = np.where(scores >= threshold, (1 - threshold) / 2, threshold / 2)
        preferences = {
            SUREST: np.where(scores >= threshold, scores, -np.inf),
            LEAST_SURE: np.where(doubt <= half_way, -doubt, -np.inf),
        }
        for group, preference in preferences.items():
            for index in spread_choice(times_s, videos, preference, n=n, gap_s=gap_s):
                video_id = ids[videos[index]]
                pictures.append(Picture(video_id, float(times_s[index]), character, group, float(scores[index])))
        pictures += _longest(timelines, appearances, character, n)
    return pictures


def evidence_views(
    videos: Sequence[ReportedVideo], cast: Sequence[str], pictures: Sequence[tuple[Picture, Thumbnail]]
) -> list[dict]:
    """What the template shows: per character its groups, per group its pictures, with a person's answer where one is.

    Args:
        videos: the films.
        cast: the characters, in report order.
        pictures: the evidence, ordered by character, group and rank.
    """
    said = {
        (video.video_id, row.character, row.time_s): row.present
        for video in videos
        for table in (video.targets, video.audit)
        for row in table.itertuples()
        if row.source in ("manual", "audit")
    }
    return [
        {
            "character": character,
            "groups": [
                {
                    "title": title,
                    "empty": empty,
                    "pictures": [
                        _picture_view(picture, thumbnail, said.get((picture.video_id, character, picture.time_s), ""))
                        for picture, thumbnail in pictures
                        if picture.character == character and picture.group == group
                    ],
                }
                for group, (title, empty) in _GROUPS.items()
            ],
        }
        for character in cast
        if pictures
    ]


def _picture_view(picture: Picture, thumbnail: Thumbnail, answer: str) -> dict:
    long = picture.start_s is not None
    return {
        "video_id": picture.video_id,
        "uri": "data:image/jpeg;base64," + base64.b64encode(thumbnail.jpeg).decode("ascii"),
        "width": thumbnail.width,
        "height": thumbnail.height,
        "place": picture.place and (picture.place[0] * thumbnail.width, picture.place[1] * thumbnail.height),
        "from_s": number(picture.start_s if long else picture.time_s),
        "to_s": number(picture.end_s if long else picture.time_s + MOMENT_S),
        "time": clock(picture.time_s),
        "score": f"{picture.score:.2f}",
        "stretch": stretch_text(picture.start_s, picture.end_s) if long else "",
        "lasts": f"{seconds_text(picture.end_s - picture.start_s)} s" if long else "",
        "answer": _ANSWERS.get(answer, ""),
    }


def _longest(
    timelines: Mapping[str, pandas.DataFrame], appearances: Mapping[str, pandas.DataFrame], character: str, n: int
) -> list[Picture]:
    stretches = [
        (row.start_s - row.end_s, order, row.start_s, row.end_s, video_id)
        for order, (video_id, table) in enumerate(appearances.items())
        for row in table[table["character"] == character].itertuples()
    ]
    pictures = []
    for _, _, start_s, end_s, video_id in sorted(stretches)[:n]:
        timeline = timelines[video_id]
        inside = timeline[(timeline["time_s"] >= start_s - 1e-6) & (timeline["time_s"] < end_s - 1e-6)]
        if len(inside):
            best = inside.iloc[int(inside[character].to_numpy().argmax())]
            time_s, score = float(best["time_s"]), float(best[character])
            pictures.append(Picture(video_id, time_s, character, LONGEST, score, float(start_s), float(end_s)))
    return pictures
