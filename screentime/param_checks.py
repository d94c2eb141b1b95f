"""What the types of params.yaml cannot say: names that may be none, names twice, layers that do not fit together."""

import re
import unicodedata
from pathlib import Path

from screentime.errors import InputError, did_you_mean
from screentime.param_file import shown
from screentime.sections import SequenceHead
from screentime.table_files import is_formula
from screentime.tables import ALL_VIDEOS, TABLES

HEADS = ("gru", "lstm", "transformer", "mean", "rolling")
HEAD_OPTIMIZERS = ("adam", "rmsprop", "sgd")
SET_NAME = re.compile(r"[^\W_]([\w .-]*\w)?")


def below_data_videos(file: str) -> str:
    """A film's path as it stands below data/videos, NFC."""
    return unicodedata.normalize("NFC", file).removeprefix("data/videos/")


def check_videos(path: Path, videos: object) -> None:
    """Refuse a list of films that is not one, names outside data/videos, and two films with one video_id.

    Args:
        path: the file it was read from, as the sentence names it.
        videos: the value of the key `videos`.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    place = f"{path}: videos"
    if not isinstance(videos, list):
        raise InputError(
            f"{place}: {shown(videos)} was found, a list of files under data/videos/ was expected; correct it"
        )
    seen: dict[str, str] = {}
    for entry in videos:
        file = entry.get("file") if isinstance(entry, dict) else entry
        if not isinstance(file, str) or not file.strip():
            raise InputError(
                f"{place}: {shown(entry)} was found, a file name or {{file: .., split: test, skip: reason}} was expected; "
                "correct it"
            )
        name = Path(below_data_videos(file))
        if name.is_absolute() or ".." in name.parts:
            raise InputError(f"{place}: '{file}' lies outside data/videos/; link or copy the film into that folder")
        video_id = name.stem
        if video_id.endswith((".audit", ".skip")):
            raise InputError(
                f"{place}: '{file}': a video may not be called '{video_id}', label files end so; rename the film"
            )
        if is_formula(video_id):
            raise InputError(
                f"{place}: '{file}': a video may not be called '{video_id}', which a spreadsheet would run as a formula; "
                "rename the film without a leading = + - @"
            )
        if video_id == ALL_VIDEOS:
            raise InputError(
                f"{place}: '{file}': a video may not be called '{video_id}', the totals are; rename the film"
            )
        if video_id.casefold() in seen:
            raise InputError(
                f"{place}: '{seen[video_id.casefold()]}' and '{file}' have one stem, '{video_id}', which must be unique "
                "without regard to case; rename one film"
            )
        if isinstance(entry, dict) and entry.get("private") and not entry.get("sha256"):
            raise InputError(
                f"{place}: '{file}' is private but has no sha256, which tells others what the film is; add it with `python -m "
                "screentime video add --private`"
            )
        seen[video_id.casefold()] = file


def check_cast(path: Path, cast: object) -> None:
    """Refuse a cast that is empty or holds what may not be a character's name.

    Args:
        path: the file it was read from, as the sentence names it.
        cast: the value of the key `cast`.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    place = f"{path}: cast"
    if not isinstance(cast, list) or not cast:
        raise InputError(f"{place}: {shown(cast)} was found, a list of character names was expected; name at least one")
    seen: dict[str, str] = {}
    for name in cast:
        check_name(place, name, "character")
        if name.casefold() in seen:
            raise InputError(f"{place}: '{seen[name.casefold()]}' and '{name}' are one name; remove or rename one")
        seen[name.casefold()] = name


def check_name(place: str, name: object, kind: str) -> None:
    """Refuse what may not be the name of a character or of a group.

    Args:
        place: the file and the key, as the sentence names them.
        name: the name.
        kind: what it is the name of.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"{place}: {shown(name)} was found, a name was expected; write it in quotes")
    if name != name.strip() or any(sign in name for sign in ",\n\r") or is_formula(name):
        raise InputError(
            f"{place}: '{name}' may not be a name: no comma, line break, space at an end or leading = + - @ is "
            "allowed; rename it"
        )
    if unicodedata.normalize("NFC", name) != name:
        raise InputError(f"{place}: '{name}' is not in the normal form NFC; type the name anew")
    if name in {column.name for table in TABLES for column in table.columns}:
        raise InputError(f"{place}: '{name}' is the name of a column; call the {kind} otherwise")


def check_stills(path: Path, stills: object) -> None:
    """Refuse a list of sets of stills that is not one, and names that are no plain names of folders.

    Args:
        path: the file it was read from, as the sentence names it.
        stills: the value of the key `stills`.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    place = f"{path}: stills"
    if not isinstance(stills, list):
        raise InputError(
            f"{place}: {shown(stills)} was found, a list of folders under data/stills/ was expected; correct it"
        )
    for name in stills:
        if not isinstance(name, str) or not SET_NAME.fullmatch(name):
            raise InputError(
                f"{place}: {shown(name)} was found, a name of letters, digits, blanks and . _ - that begins with a letter or digit "
                "was expected; rename it"
            )
        if [other.casefold() for other in stills].count(name.casefold()) > 1:
            raise InputError(f"{place}: '{name}' stands there twice, once was expected; remove one")


def check_head(place: str, settings: SequenceHead) -> None:
    """Refuse a head that is not known and layers that do not fit together.

    Args:
        place: the file and the section, as the sentence names them.
        settings: the section.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    for key, known in (("head", HEADS), ("optimizer", HEAD_OPTIMIZERS)):
        name = getattr(settings, key)
        if name not in known:
            raise InputError(f"{place}: {key} '{name}' is not known; {did_you_mean(name, known)}")
    if settings.head in ("gru", "lstm", "transformer") and not settings.units:
        raise InputError(
            f"{place}: units is empty, the width of at least one layer was expected for head '{settings.head}'; name one"
        )
    if settings.head == "transformer" and (
        len(set(settings.units)) > 1 or settings.units[0] % settings.attention_heads
    ):
        raise InputError(
            f"{place}: units is {settings.units} with {settings.attention_heads} attention_heads, blocks of one width that "
            "the number of heads divides were expected; correct it"
        )
