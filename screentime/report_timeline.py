"""The timelines of the report page: a ribbon for each character, the appearances behind it, the axis below."""

from collections.abc import Sequence

import numpy as np
import pandas

from screentime.files import number
from screentime.reported_video import ReportedVideo
from screentime.ribbon import MAX_COLUMNS, columns, nice_ticks, packed_scores, step_path, tick_path
from screentime.wording import clock, count_text, seconds_text, short_clock, stretch_text

# Columns of all ribbons together, so that the page of many films stays a file to pass on (200 films of six characters:
# below 5 MB). Up to 16 such films have all the columns a ribbon may have, and every frame's score under the pointer.
_COLUMNS_IN_ALL = 100_000
_FEWEST_COLUMNS = 60


def percent(part: float, whole: float) -> str:
    return number(100 * part / whole, 3) + "%"


def ticks(end_s: float, most: int) -> list[dict]:
    """The marks of a time axis: place, text, and how the text is set so that it stays inside."""
    times, step_s = nice_ticks(end_s, most)
    return [
        {
            "at": percent(time, end_s),
            "text": short_clock(time, step_s),
            "anchor": "start" if time == 0 else "end" if time > 0.97 * end_s else "middle",
        }
        for time in times
    ]


def most_columns(n_ribbons: int) -> int:
    """How many columns a ribbon may have where there are so many of them.

    >>> most_columns(6), most_columns(1200)
    (1000, 83)
    """
    return max(_FEWEST_COLUMNS, min(MAX_COLUMNS, _COLUMNS_IN_ALL // max(n_ribbons, 1)))


def timeline_view(video: ReportedVideo, cast: Sequence[str], threshold: float, most: int) -> dict:
    """The ribbons of one film, of at most so many columns; where they are few, scores are told by column too."""
    timeline = video.timeline
    times, durations = timeline["time_s"].to_numpy(), timeline["duration_s"].to_numpy()
    length_s = float(times[-1] + durations[-1]) if len(times) else 0.0
    view = {"video_id": video.video_id, "length": clock(length_s), "length_s": number(length_s), "rows": []}
    if not len(times):
        return view
    weights = video.weights_s
    out = weights == 0
    per_column = -(-len(times) // min(len(times), most))
    joined = per_column > 1 and most < MAX_COLUMNS
    edges, in_film, _ = columns(times, durations, np.where(out, 0.0, 1.0), ~out, most)
    view |= {
        "times": " ".join(number(time) for time in (edges[:-1] if joined else times)),
        "joined": joined,
        "ticks": ticks(length_s, most=8),
        "column_s": seconds_text(per_column * float(np.median(durations))) if per_column > 1 else "",
        "ranges": [
            {
                "at": percent(row.start_s, length_s),
                "width": percent(min(row.end_s, length_s) - row.start_s, length_s),
                "text": stretch_text(row.start_s, row.end_s),
                "reason": row.reason,
            }
            for row in video.skipped.itertuples()
        ],
        "marks": [
            {"kind": kind, "text": text, "n": len(moments), "path": tick_path(moments, length_s)}
            for kind, text in (("labelled", "Labelled"), ("audited", "Audit"))
            if len(moments := video.looked_times("manual" if kind == "labelled" else "audit"))
        ],
    }
    for character in cast:
        scores = np.where(out, 0.0, timeline[character].to_numpy())
        edges, heights, solid = columns(times, durations, scores, scores >= threshold, most)
        told = np.divide(heights, in_film, out=np.full_like(heights, np.nan), where=in_film > 0)
        spans = video.appearances[video.appearances["character"] == character]
        view["rows"].append(
            {
                "character": character,
                "counted": clock(weights[scores >= threshold].sum()),
                "appearances": count_text(len(spans), "appearance", "appearances"),
                "solid": step_path(edges, solid, length_s),
                "all": step_path(edges, heights, length_s),
                "spans": _spans(spans),
                "scores": packed_scores(told if joined else np.where(out, np.nan, scores)),
            }
        )
    return view


def _spans(appearances: pandas.DataFrame) -> str:
    """Appearances as text for the page's script: start, end, mean score in hundredths, seconds."""
    return " ".join(
        f"{number(row.start_s)},{number(row.end_s)},{round(100 * row.score)}" for row in appearances.itertuples()
    )
