"""Scores of single frames, kept as they are made: a run that was ended, or another threshold, needs no network for them again."""

import json
from pathlib import Path
from typing import Self

import numpy as np

from screentime.files import number


class Journal:
    """An append-only file of scores by time; a key in its first line says what they were made from.

    Args:
        path: the file; begun anew where its key is another one.
        key: what decides the scores.
    """

    def __init__(self, path: Path, key: str) -> None:
        first = json.dumps({"key": key}) + "\n"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
        whole = [line for line in lines[1:] if line.endswith("\n")]  # the last one may have been cut off
        self._scores: dict[int, np.ndarray] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if not lines or lines[0] != first:
            path.write_text(first, encoding="utf-8")
        else:
            for line in whole:
                time_us, *scores = line.split(",")
                self._scores[int(time_us)] = np.array(scores, np.float64)
            if len(whole) < len(lines) - 1:
                path.write_text("".join([first, *whole]), encoding="utf-8")
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - closed by close

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def get(self, time_us: int) -> np.ndarray | None:
        """The scores of a frame, (n_characters,) float64; None where they are not known."""
        return self._scores.get(time_us)

    def add(self, time_us: int, scores: np.ndarray) -> np.ndarray:
        """Keep the scores of a frame; gives them as they will be read."""
        texts = [number(score) for score in scores]
        self._file.write(",".join([str(time_us), *texts]) + "\n")
        self._scores[time_us] = np.array(texts, np.float64)
        return self._scores[time_us]
