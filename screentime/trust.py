"""How far the figures may be trusted, as the page tells it: what was measured, on which frames, from whose answers."""

from collections.abc import Callable, Mapping, Sequence

import pandas

from screentime.reported_video import ReportedVideo
from screentime.wording import EN_DASH, seconds_text, signed_text

UNKNOWN = EN_DASH

# The ways of measuring in the order they are told: the key in metrics/evaluate.json, a title, how it was measured and
# what it speaks for, what the error in seconds means there.
_WAYS = {
    "audit": (
        "On the audit",
        "Frames drawn at random and labelled without seeing a guess; they never trained the model. What they say holds "
        "for the rest of the same film, not for other films.",
        "Error: the sum of the scores minus the true seconds, with its 95 % interval. The screen times above have this "
        "error taken out.",
    ),
    "test": (
        "On films left out",
        "Films whose labels measured and never trained. What they say holds for films to come that are like them.",
        "Error: the sum of the scores over the labelled frames minus the labelled seconds.",
    ),
    "out_of_fold": (
        "On frames chosen for training",
        "Each was scored by a model that did not see its neighbourhood. A person chose these frames because they were "
        "useful, not at random: what they say holds neither for the film nor for films to come.",
        "Error: the sum of the scores over these frames minus their labelled seconds.",
    ),
}

_SOURCES = {
    "manual": "looked at, frame by frame",
    "audit": "drawn at random, labelled blind",
    "propagated": "painted over a stretch",
    "accepted": "the model's guess, confirmed",
    "imported": "brought in from another tool",
}


def trust_sections(evaluation: Mapping, cast: Sequence[str]) -> list[dict]:
    """The tables of the section on trust: one per way of measuring that was possible.

    Args:
        evaluation: metrics/evaluate.json (docs/formats.md).
        cast: the characters, in report order.
    """
    sections = []
    for way, (title, meaning, error) in _WAYS.items():
        if way in evaluation:
            measured = evaluation[way]
            rows = [_row(name, measured["characters"][name]) for name in cast if name in measured["characters"]]
            rows.append(_row("", measured["macro"]))
            sections.append({"title": title, "meaning": meaning, "error": error, "rows": rows})
    return sections


def source_counts(videos: Sequence[ReportedVideo]) -> list[dict]:
    """Answers by source over all films: frames, and cells visible, not visible, cannot tell, not answered yet."""
    tables = [table.assign(video_id=video.video_id) for video in videos for table in (video.targets, video.audit)]
    cells = pandas.concat(tables) if tables else pandas.DataFrame(columns=["source"])
    counts = []
    for source, words in _SOURCES.items():
        rows = cells[cells["source"] == source]
        if len(rows):
            answered = rows[rows["present"] != ""]
            counts.append(
                {
                    "source": source,
                    "words": words,
                    "frames": f"{len(answered[['video_id', 'time_s']].drop_duplicates()):,}",
                    "cells": [f"{(rows['present'] == answer).sum():,}" for answer in ("1", "0", "?", "")],
                }
            )
    return counts


def _row(name: str, figures: Mapping) -> dict:
    """One character's figures as text; where there is no name the means, that of the errors without their sign."""
    error, error_range = _signed(figures["seconds_error"]), _range(figures, "seconds_error", _signed)
    if not name:
        mean = figures["absolute_seconds_error"]
        error, error_range = (UNKNOWN, "") if mean is None else (seconds_text(mean), "without sign")
    return {
        "name": name,
        "frames": f"{figures['n_frames']:,}" if name else "",
        "present": f"{figures['n_present']:,}" if name else "",
        "accuracy": _share(figures["accuracy"]),
        "accuracy_range": _range(figures, "accuracy", _share),
        "commoner": _share(figures["commoner_accuracy"]),
        "average_precision": _share(figures["average_precision"]),
        "f1": _share(figures["f1"]),
        "error": error,
        "error_range": error_range,
    }


def _share(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"


def _signed(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else signed_text(seconds)


def _range(figures: Mapping, name: str, text: Callable[[float | None], str]) -> str:
    """The 95 % interval of a figure, empty where there is none."""
    if figures.get(f"{name}_low") is None or figures.get(f"{name}_high") is None:
        return ""
    return f"{text(figures[f'{name}_low'])} to {text(figures[f'{name}_high'])}"
