"""Sets of stills: pictures that belong to no film and say of a character that it is there, or is not.

They train and do nothing else: a still has no time, so it is no screen time, and no audit draws it. A set is a folder,
data/stills/<set>, of pictures and stills.csv.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from screentime.errors import InputError, did_you_mean
from screentime.exchange.likeness import read_picture
from screentime.table_files import read_table
from screentime.tables import STILLS

TABLE = "stills.csv"


@dataclass(frozen=True)
class Still:
    """One picture of a set.

    Attributes:
        path: its file.
        answers: character to "1", "0" or "?".
    """

    path: Path
    answers: dict[str, str]

    def image(self) -> np.ndarray:
        """The picture, (height, width, 3) uint8 RGB.

        Raises:
            InputError: it is not there, or no whole picture.
        """
        image = read_picture(self.path) if self.path.is_file() else None
        if image is None:
            raise InputError(
                f"{self.path}: no whole picture was found, {TABLE} beside it names one; bring the set back with `dvc checkout "
                f"{self.path.parent}.dvc`, or take its rows out there and run `dvc add {self.path.parent}`"
            )
        return image


def read_stills(folder: Path, cast: Sequence[str]) -> list[Still]:
    """The stills of one set, in order of name.

    Args:
        folder: data/stills/<set>.
        cast: the characters.

    Raises:
        InputError: there is no such set, or its table is not as docs/formats.md says; the sentence names the line.
    """
    path = folder / TABLE
    if not path.is_file():
        raise InputError(
            f"{folder}: no such set of stills was found, stills in params.yaml names it; bring it with `dvc pull {folder}.dvc`, or "
            f"take it out with `python -m screentime stills remove {folder.name}`"
        )
    answers: dict[str, dict[str, str]] = {}
    for row in read_table(path, STILLS).itertuples():
        place = f"{path}: line {row.line}"
        if Path(row.still).name != row.still:
            raise InputError(
                f"{place}: '{row.still}' was found, the name of a file beside {TABLE} was expected; correct it"
            )
        if row.character not in cast:
            raise InputError(
                f"{place}: character '{row.character}' is not in the cast; {did_you_mean(row.character, cast)}"
            )
        if answers.setdefault(row.still, {}).setdefault(row.character, row.present) != row.present:
            raise InputError(
                f"{place}: a second answer for {row.character} in {row.still}, one was expected; remove one"
            )
    return [Still(folder / name, said) for name, said in sorted(answers.items())]


def stills_line(sets: Sequence[Sequence[Still]]) -> str:
    """The sets of a project in one line."""
    n_stills = sum(map(len, sets))
    return f"stills of no film: {n_stills:,} in {len(sets)} {'set' if len(sets) == 1 else 'sets'}; they train and are no screen time"
