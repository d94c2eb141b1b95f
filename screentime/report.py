"""The report page: from tables and pictures to one HTML text that opens without a network.

Whatever is written by people (names, reasons, credits) is escaped by the template engine; the page's own policy forbids
every request and every script and style but its own two. Nothing here reads a clock: equal input, equal bytes.
"""

import base64
import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import jinja2
import numpy as np
import pandas

from screentime import __version__
from screentime.evidence import Picture, Thumbnail, evidence_views
from screentime.files import number
from screentime.reported_video import ReportedVideo
from screentime.ribbon import HEIGHT, MAX_COLUMNS, WIDTH, columns, nice_ticks, packed_scores, step_path, tick_path
from screentime.tables import ALL_VIDEOS, BASES
from screentime.trust import source_counts, trust_sections
from screentime.wording import TIMES, clock, count_text, seconds_text, share_text, short_clock, stretch_text

AUDIT_FRAMES = 80

_TINTS = 5
# Columns of all ribbons together, so that the page of many films stays a file to pass on (200 films of six characters:
# below 5 MB). Up to 16 such films have all the columns a ribbon may have, and every frame's score under the pointer.
_COLUMNS_IN_ALL = 100_000
_FEWEST_COLUMNS = 60


def page(
    *,
    videos: Sequence[ReportedVideo],
    screen_time: pandas.DataFrame,
    cast: Sequence[str],
    threshold: float,
    pictures: Sequence[tuple[Picture, Thumbnail]],
    evaluation: Mapping,
    private_videos: Sequence[str],
    skipped_videos: Sequence[tuple[str, str]],
    credit_lines: Sequence[str],
    outside: bool = False,
) -> str:
    """The whole page as HTML.

    Args:
        videos: the films, in order.
        screen_time: the table reports/screen_time.csv.
        cast: the characters, in report order.
        threshold: the score from which a character is taken to be visible, in (0, 1).
        pictures: the evidence, ordered by character, group and rank.
        evaluation: metrics/evaluate.json.
        private_videos: films of which no picture is among the evidence because they are private.
        skipped_videos: (video_id, reason) of the films that were left out.
        credit_lines: shown under the title, a line each.
        outside: whether the films belong to no project, so that nobody has labelled any of their frames.

    Returns:
        HTML; a function of the arguments and the version alone.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    source = environment.loader.get_source(environment, "report.html")[0]
    blocks = _screen_time_blocks(videos, screen_time)
    return environment.get_template("report.html").render(
        style_hash=_policy_hash(source, "style"),
        script_hash=_policy_hash(source, "script"),
        videos=[_video_view(video) for video in videos],
        several=len(videos) > 1,
        totals=_totals(videos),
        headline=_headline(blocks),
        credit_lines=credit_lines,
        blocks=blocks,
        all_bases=[basis for basis in BASES if any(row["basis"] == basis for block in blocks for row in block["rows"])],
        audit_frames=AUDIT_FRAMES,
        many=len(cast) > 8,
        next_steps=[] if outside else _next_steps(videos, screen_time),
        outside=outside,
        timelines=[_timeline_view(video, cast, threshold, _most_columns(len(videos) * len(cast))) for video in videos],
        together=_together_views(videos, cast, threshold),
        evidence=evidence_views(videos, cast, pictures),
        rings=any(picture.place for picture, _ in pictures),
        trust=trust_sections(evaluation, cast),
        sources=source_counts(videos),
        private_videos=private_videos,
        skipped_videos=skipped_videos,
        threshold=number(threshold, 3),
        box=f"0 0 {WIDTH} {HEIGHT}",
        version=__version__,
    )


def together_s(scores: np.ndarray, weights_s: np.ndarray, threshold: float) -> np.ndarray:
    """How long each pair of characters is on screen at once, counted over frames whose scores pass the threshold.

    Args:
        scores: (n_frames, n_cast) float64 in [0, 1].
        weights_s: (n_frames,) float64, seconds each frame counts.
        threshold: in (0, 1).

    Returns:
        (n_cast, n_cast) float64, seconds, symmetric; on the diagonal each character's own counted seconds.

    >>> together_s(np.array([[0.9, 0.2], [0.9, 0.7]]), np.ones(2), threshold=0.5)
    array([[2., 1.],
           [1., 1.]])
    """
    present = (scores >= threshold).astype(float)
    return present.T @ (present * weights_s[:, None])


def _policy_hash(source: str, tag: str) -> str:
    """The hash by which the page's policy allows its own style or script, and nothing else."""
    text = re.search(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL).group(1)
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _percent(part: float, whole: float) -> str:
    return number(100 * part / whole, 3) + "%"


def _ticks(end_s: float, most: int) -> list[dict]:
    """The marks of a time axis: place, text, and how the text is set so that it stays inside."""
    times, step_s = nice_ticks(end_s, most)
    return [
        {
            "at": _percent(time, end_s),
            "text": short_clock(time, step_s),
            "anchor": "start" if time == 0 else "end" if time > 0.97 * end_s else "middle",
        }
        for time in times
    ]


def _video_view(video: ReportedVideo) -> dict:
    facts = video.facts
    folder = quote(video.video_id)
    return {
        "video_id": video.video_id,
        "folder": folder,
        "length": clock(facts["length_s"]),
        "frames": f"{len(video.timeline):,}",
        "picture": f"{facts['native_width']} {TIMES} {facts['native_height']}, {facts['codec']}",
        "losses": video.losses(),
        "no_losses": video.no_losses,
    }


def _totals(videos: Sequence[ReportedVideo]) -> dict:
    """Length and counts over all films, as text."""
    rates = sorted({video.facts["fps"] for video in videos})
    return {
        "length": clock(sum(video.facts["length_s"] for video in videos)),
        "frames": f"{sum(len(video.timeline) for video in videos):,}",
        "every": "one a second" if rates == [1] else " or ".join(f"{number(fps, 3)} a second" for fps in rates),
        "labelled": f"{sum(len(video.looked_times('manual')) for video in videos):,}",
        "audited": f"{sum(len(video.looked_times('audit')) for video in videos):,}",
    }


def _screen_time_blocks(videos: Sequence[ReportedVideo], table: pandas.DataFrame) -> list[dict]:
    """One block per chart: the totals where there are several films, then each film."""
    ids = [video.video_id for video in videos]
    shown = [*([ALL_VIDEOS] if len(ids) > 1 else []), *ids]
    blocks = []
    for video_id in shown:
        rows = table[table["video_id"] == video_id]
        if rows.empty:
            continue
        most = max(rows["seconds"].max(), rows["high"].max(skipna=True) if rows["high"].notna().any() else 0)
        axis_s = max(most * 1.03, 1.0)
        blocks.append(
            {
                "total": video_id == ALL_VIDEOS,
                "video_id": video_id,
                "n_videos": len(ids),
                "ticks": _ticks(axis_s, most=6),
                "rows": [_screen_time_row(row, axis_s) for row in rows.itertuples()],
            }
        )
    return blocks


def _screen_time_row(row: tuple, axis_s: float) -> dict:
    bounded = not np.isnan(row.low)
    words = {
        "labels": "every frame looked at",
        "audit": f"audit of {count_text(row.n_audit, 'frame', 'frames')}",
        "model": "by other films",
        "count": "not audited",
    }[row.basis]
    view = {
        "character": row.character,
        "clock": clock(row.seconds),
        "seconds": seconds_text(row.seconds),
        "share": share_text(row.share),
        "counted": seconds_text(row.counted_s),
        "basis": row.basis,
        "words": words,
        "bounded": bounded,
        "exact": row.low == row.high,
        "width": _percent(row.seconds, axis_s),
        "order": row.seconds,
    }
    if bounded:
        view |= {
            "low": clock(row.low),
            "high": clock(row.high),
            "low_s": seconds_text(row.low),
            "high_s": seconds_text(row.high),
            "low_at": _percent(row.low, axis_s),
            "high_at": _percent(row.high, axis_s),
        }
    return view


def _headline(blocks: list[dict]) -> dict | None:
    """The character with the most screen time, in the totals where there are any."""
    return max(blocks[0]["rows"], key=lambda row: row["order"], default=None) if blocks else None


def _next_steps(videos: Sequence[ReportedVideo], table: pandas.DataFrame) -> list[dict]:
    """Which figures rest on nothing, and the command that changes it."""
    steps = []
    for video in videos:
        rows = table[(table["video_id"] == video.video_id) & (table["basis"] == "count")]
        if len(rows):
            command = f"python -m screentime audit draw {shlex.quote(video.video_id)} --n {AUDIT_FRAMES}"
            everyone = len(rows) == (table["video_id"] == video.video_id).sum()
            steps.append(
                {
                    "video_id": video.video_id,
                    "command": command,
                    "characters": [] if everyone else list(rows["character"]),
                }
            )
    return steps


def _most_columns(n_ribbons: int) -> int:
    """How many columns a ribbon may have where there are so many of them.

    >>> _most_columns(6), _most_columns(1200)
    (1000, 83)
    """
    return max(_FEWEST_COLUMNS, min(MAX_COLUMNS, _COLUMNS_IN_ALL // max(n_ribbons, 1)))


def _timeline_view(video: ReportedVideo, cast: Sequence[str], threshold: float, most: int) -> dict:
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
        "ticks": _ticks(length_s, most=8),
        "column_s": seconds_text(per_column * float(np.median(durations))) if per_column > 1 else "",
        "ranges": [
            {
                "at": _percent(row.start_s, length_s),
                "width": _percent(min(row.end_s, length_s) - row.start_s, length_s),
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
                "scores": packed_scores(told if joined else np.where(out, np.nan, scores)),
            }
        )
    return view


def _together_views(videos: Sequence[ReportedVideo], cast: Sequence[str], threshold: float) -> list[dict]:
    """One matrix over all films, and one for each where there are several."""
    matrices = [
        (video.video_id, together_s(video.timeline[list(cast)].to_numpy(), video.weights_s, threshold))
        for video in videos
    ]
    if len(matrices) > 1:
        matrices.insert(0, (ALL_VIDEOS, sum(matrix for _, matrix in matrices)))
    return [{"video_id": name, "rows": _matrix_rows(matrix, cast)} for name, matrix in matrices]


def _matrix_rows(matrix: np.ndarray, cast: Sequence[str]) -> list[dict]:
    most = max((matrix[i, j] for i in range(len(cast)) for j in range(i)), default=0.0)
    return [
        {
            "character": character,
            "cells": [
                {
                    "text": seconds_text(matrix[i, j]),
                    "own": i == j,
                    "tint": 0 if i == j or matrix[i, j] == 0 else max(1, round(_TINTS * matrix[i, j] / most)),
                }
                for j in range(len(cast))
            ],
        }
        for i, character in enumerate(cast)
    ]
