"""Where in a frame the evidence for a character is strongest."""

from collections.abc import Sequence

import numpy as np
import pandas

from screentime.tables import PLACES


def strongest_places(evidence: np.ndarray) -> np.ndarray:
    """The middle of the place with the largest logit, for each character.

    Args:
        evidence: (places down, places across, n_characters) float64.

    Returns:
        (n_characters, 2) float64: x and y as shares of width and height, in (0, 1).

    >>> evidence = np.zeros((2, 4, 1))
    >>> evidence[1, 3] = 1
    >>> strongest_places(evidence).tolist()
    [[0.875, 0.75]]
    """
    down, across = evidence.shape[:2]
    best = evidence.reshape(down * across, -1).argmax(axis=0)
    return np.column_stack([(best % across + 0.5) / across, (best // across + 0.5) / down])


def places_table(times_s: np.ndarray, cast: Sequence[str], places: np.ndarray) -> pandas.DataFrame:
    """The table PLACES of a film.

    Args:
        times_s: (n_frames,) float64, seconds.
        cast: the characters.
        places: (n_frames, n_characters, 2) float64, the `strongest_places` of every frame.
    """
    rows = [
        (time_s, name, x, y)
        for time_s, of_frame in zip(times_s, places, strict=True)
        for name, (x, y) in zip(cast, of_frame, strict=True)
    ]
    return pandas.DataFrame(rows, columns=[column.name for column in PLACES.columns])
