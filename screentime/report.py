"""The report page: from tables and pictures to one HTML text that opens without a network.

Whatever is written by people (names, reasons, credits) is escaped by the template engine; the page's own policy forbids
every request and every script and style but its own two. Nothing here reads a clock: equal input, equal bytes.
"""

import base64
import hashlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

import jinja2
import numpy as np
import pandas

from screentime import __version__
from screentime.citation import methods_text
from screentime.company import Groups, group_views, tint, together_views
from screentime.evidence import Picture, Thumbnail, evidence_views
from screentime.files import number
from screentime.report_timeline import most_columns, percent, ticks, timeline_view
from screentime.reported_video import ReportedVideo
from screentime.ribbon import HEIGHT, WIDTH
from screentime.tables import ALL_VIDEOS, BASES
from screentime.trust import source_counts, trust_sections
from screentime.wording import TIMES, clock, count_text, seconds_text, share_text

AUDIT_FRAMES = 80

_BASIS_WORDS = {
    "labels": "every frame looked at",
    "audit": "audit",
    "model": "by other films",
    "count": "not audited",
}
_TEMPLATES = Path(__file__).parent / "templates"
_FEW_FILMS = 4  # up to so many all of their charts and timelines are open from the start, and all next steps told


def page(
    *,
    videos: Sequence[ReportedVideo],
    screen_time: pandas.DataFrame,
    cast: Sequence[str],
    threshold: float,
    groups: Groups,
    pictures: Sequence[tuple[Picture, Thumbnail]],
    evaluation: Mapping,
    model: Mapping,
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
        groups: the members of each group of characters, all of them in the cast.
        pictures: the evidence, ordered by character, group and rank.
        evaluation: metrics/evaluate.json.
        model: model.json of the model that made the scores.
        private_videos: films of which no picture is among the evidence because they are private.
        skipped_videos: (video_id, reason) of the films that were left out.
        credit_lines: shown under the title, a line each.
        outside: whether the films belong to no project, so that nobody has labelled any of their frames.

    Returns:
        HTML; a function of the arguments and the version alone.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = (_own_text(name) for name in ("report.css", "report.js"))
    blocks = _screen_time_blocks(videos, screen_time)
    return environment.get_template("report.html").render(
        style=style,
        script=script,
        style_hash=_policy_hash(style),
        script_hash=_policy_hash(script),
        videos=[_video_view(video) for video in videos],
        films=[_film_view(video, outside) for video in videos],
        film_numbers={video.video_id: place for place, video in enumerate(videos)},
        cast=cast,
        several=len(videos) > 1,
        few=_FEW_FILMS,
        few_films=len(videos) <= _FEW_FILMS,
        totals=_totals(videos),
        headline=_headline(blocks),
        credit_lines=credit_lines,
        blocks=blocks,
        matrix=_film_matrix(videos, screen_time, cast) if len(videos) > 1 else None,
        basis_words=_BASIS_WORDS,
        all_bases=[basis for basis in BASES if any(row["basis"] == basis for block in blocks for row in block["rows"])],
        audit_frames=AUDIT_FRAMES,
        many=len(cast) > 8,
        next_steps=[] if outside else _next_steps(videos, screen_time),
        outside=outside,
        timelines=[timeline_view(video, cast, threshold, most_columns(len(videos) * len(cast))) for video in videos],
        together=together_views(videos, cast, threshold),
        groups=group_views(videos, groups, threshold),
        evidence=evidence_views(videos, cast, pictures),
        rings=any(picture.place for picture, _ in pictures),
        trust=trust_sections(evaluation, cast),
        sources=source_counts(videos),
        private_videos=private_videos,
        skipped_videos=skipped_videos,
        threshold=number(threshold, 3),
        box=f"0 0 {WIDTH} {HEIGHT}",
        methods=methods_text(videos, screen_time, model, cast=cast, threshold=threshold) if videos else "",
        version=__version__,
    )


def _own_text(name: str) -> str:
    """The page's own style or script: constant, so that the policy can name its hash."""
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _policy_hash(text: str) -> str:
    """The hash by which the page's policy allows its own style or script, and nothing else."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _film_view(video: ReportedVideo, outside: bool) -> dict:
    """What the page's player knows of a film; its keys are read by report.js.

    A browser counts a film's time from the zero of the file, where sound may begin before the picture; our zero is the first
    frame. A file that begins before its own zero is moved up to it by browsers.
    """
    file = Path(unquote(video.address)).name
    return {
        "name": video.video_id,
        "address": video.address,
        "first_s": max(0.0, video.facts["first_frame_time_s"]),
        "file": file if outside else unquote(video.address).removeprefix("../"),
    }


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
                "ticks": ticks(axis_s, most=6),
                "rows": [_screen_time_row(row, axis_s) for row in rows.itertuples()],
            }
        )
    return blocks


def _screen_time_row(row: tuple, axis_s: float) -> dict:
    bounded = not np.isnan(row.low)
    audit = f"audit of {count_text(row.n_audit, 'frame', 'frames')}"
    view = {
        "character": row.character,
        "clock": clock(row.seconds),
        "seconds": seconds_text(row.seconds),
        "share": share_text(row.share),
        "counted": seconds_text(row.counted_s),
        "basis": row.basis,
        "words": audit if row.basis == "audit" else _BASIS_WORDS[row.basis],
        "bounded": bounded,
        "exact": row.low == row.high,
        "width": percent(row.seconds, axis_s),
        "order": row.seconds,
    }
    if bounded:
        view |= {
            "low": clock(row.low),
            "high": clock(row.high),
            "low_s": seconds_text(row.low),
            "high_s": seconds_text(row.high),
            "low_at": percent(row.low, axis_s),
            "high_at": percent(row.high, axis_s),
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


def _film_matrix(videos: Sequence[ReportedVideo], table: pandas.DataFrame, cast: Sequence[str]) -> dict:
    """Films down, characters across: the seconds of each, darker where they are a larger share of the film."""
    by_film = {video_id: rows.set_index("character") for video_id, rows in table.groupby("video_id", sort=False)}
    most = max((rows["share"].max() for rows in by_film.values()), default=0.0)
    lengths = {video.video_id: float(video.weights_s.sum()) for video in videos}
    lengths[ALL_VIDEOS] = sum(lengths.values())
    rows = [
        {
            "video_id": video_id,
            "total": video_id == ALL_VIDEOS,
            "length": clock(lengths[video_id]),
            "length_s": number(lengths[video_id]),
            "basis": max(by_film[video_id]["basis"], key=BASES.index),
            "cells": [
                {
                    "text": clock(by_film[video_id].at[name, "seconds"]),
                    "seconds": number(by_film[video_id].at[name, "seconds"], 1),
                    "tint": tint(by_film[video_id].at[name, "share"], most),
                }
                for name in cast
            ],
        }
        for video_id in [ALL_VIDEOS, *(video.video_id for video in videos)]
        if video_id in by_film
    ]
    return {"rows": rows}
