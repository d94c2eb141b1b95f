"""Clips: videos that are of one class each. Who they are, which classes are learned, and who trains, stops and is tested.

Clips of one group are pieces of one recording (UCF101: g01 to g25): near copies, never on two sides of a split. Classes
are those of the training side alone; what is only met in a test cannot be learned.
"""

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from screentime.clip_params import Clips
from screentime.errors import InputError, did_you_mean
from screentime.table_files import read_table
from screentime.tables import CLIP_RESULTS, CLIPS

TRAIN, VAL, TEST = "train", "val", "test"


@dataclass(frozen=True)
class Clip:
    """One clip.

    Attributes:
        name: the file, below data/clips, as data/clips.csv names it.
        class_name: what it shows.
        group: clips of one group are never on two sides; a clip without one is a group of its own.
        split: train, val or test; empty where nobody said.
    """

    name: str
    class_name: str
    group: str
    split: str

    @property
    def clip_id(self) -> str:
        """The name as one word that a file may be called.

        >>> Clip("CricketShot/v_CricketShot_g22_c01.avi", "CricketShot", "g22", "").clip_id
        'CricketShot-v_CricketShot_g22_c01'
        """
        return "-".join(PurePosixPath(self.name).with_suffix("").parts)


def read_clips(path: Path) -> list[Clip]:
    """Read data/clips.csv.

    Returns:
        The clips, in order of name.

    Raises:
        InputError: a row that breaks the contract, two rows for one clip, a name outside data/clips, a class that may not
            be a column, or a group on two sides of a split.
    """
    table = read_table(path, CLIPS)
    clips: dict[str, Clip] = {}
    for row in table.to_dict("records"):
        place = f"{path}: line {row['line']}"
        name, class_name = PurePosixPath(row["clip"]), row["class"]
        if name.is_absolute() or ".." in name.parts:
            raise InputError(
                f"{place}: '{row['clip']}' lies outside data/clips/; put or link the clip into that folder"
            )
        if class_name in {column.name for column in CLIP_RESULTS.columns} or not class_name.isprintable():
            raise InputError(f"{place}: {class_name!r} may not be a class, it is to name a column; call it otherwise")
        clip = Clip(str(name), class_name, row["group"] or str(name), row["split"])
        other = clips.setdefault(clip.clip_id.casefold(), clip)
        if other is not clip:
            found = "stands there twice" if other.name == clip.name else f"and '{other.name}' differ by too little"
            raise InputError(
                f"{place}: clip '{clip.name}' {found}, one row for each clip was expected; remove or rename one"
            )
    if not clips:
        raise InputError(
            f"{path}: no clip was found, one row for each was expected; add them with `python -m screentime clips add`"
        )
    _check_groups(path, clips.values())
    return sorted(clips.values(), key=lambda clip: clip.name)


def _check_groups(path: Path, clips: Collection[Clip]) -> None:
    """Refuse a split that parts a group."""
    first: dict[str, Clip] = {}
    for clip in clips:
        if not clip.split:
            continue
        other = first.setdefault(clip.group, clip)
        if other.split != clip.split:
            raise InputError(
                f"{path}: group '{clip.group}' is on two sides, '{other.name}' in {other.split} and '{clip.name}' in "
                f"{clip.split}, clips of one group are near copies and were expected on one; give them one split, or groups "
                "of their own"
            )


def chosen_classes(path: Path, clips: Sequence[Clip], settings: Clips) -> tuple[str, ...]:
    """The classes that are learned, in the order of the model's outputs.

    They are those of the training side: what data/clips.csv gives to val or test does not count. Named in
    `settings.classes` they keep that order; `settings.most_frequent` takes those with the most clips that may train (of
    equals the first by name); else all. These are in order of name.

    Raises:
        InputError: a class that is met only in val or test, or is not there at all, or fewer than two.
    """
    given = {clip.group: clip.split for clip in clips if clip.split}
    counts = Counter(clip.class_name for clip in clips if given.get(clip.group, TRAIN) == TRAIN)
    everywhere = {clip.class_name for clip in clips}
    for name in settings.classes:
        if name not in everywhere:
            raise InputError(
                f"clips/params.yaml: clips: class '{name}' is in no row of {path}; {did_you_mean(name, everywhere)}"
            )
    if settings.most_frequent:
        names = sorted(sorted(counts, key=lambda name: (-counts[name], name))[: settings.most_frequent])
    else:
        names = list(settings.classes) or sorted(everywhere)
    for clip in clips:
        if clip.class_name in names and not counts[clip.class_name]:
            raise InputError(
                f"{path}: class '{clip.class_name}' is met only in the {given[clip.group]} set ('{clip.name}'), clips that train were "
                "expected; give some of them to train, or name the classes to learn in clips.classes"
            )
    if len(set(names)) < 2:
        raise InputError(
            f"{path}: {'no class' if not names else f'one class, {names[0]!r},'} was found to learn, at least two were "
            "expected; add clips of another"
        )
    return tuple(dict.fromkeys(names))


def parts_of(path: Path, clips: Sequence[Clip], settings: Clips) -> dict[str, str]:
    """Who trains, who says when to stop, who is tested: train, val or test for every clip, by its name.

    What data/clips.csv says stands. Where it has no test clip, groups are drawn for one; likewise for val, from what
    trains. Every class keeps at least one group that trains; where its groups are too few for a val, none is drawn.

    Args:
        path: data/clips.csv, for the sentence.
        clips: the clips of the chosen classes.
        settings: shares and seed.

    Raises:
        InputError: no group could be held out for a test.
    """
    side = {clip.group: clip.split for clip in clips if clip.split}
    for part, share in ((TEST, settings.test), (VAL, settings.val)):
        if share == 0 or part in side.values():
            continue
        free = {} if part == TEST else {group for group, split in side.items() if split == TRAIN}
        sizes: dict[str, Counter] = {}
        training = Counter()
        for clip in clips:
            if side.get(clip.group, TRAIN) == TRAIN:
                training[clip.class_name, clip.group] += 1
            if clip.group not in side or clip.group in free:
                sizes.setdefault(clip.group, Counter())[clip.class_name] += 1
        drawn = held_out_groups(sizes, training, share, settings.seed)
        if part == TEST and not drawn:
            raise InputError(
                f"{path}: no group could be held out for a test, every class needs at least two groups; add clips of other "
                "groups, or set clips.test: 0 in clips/params.yaml to learn from all and test nothing"
            )
        side |= dict.fromkeys(drawn, part)
    return {clip.name: side.get(clip.group, TRAIN) for clip in clips}


def held_out_groups(
    sizes: Mapping[str, Mapping[str, int]], training: Mapping[tuple[str, str], int], share: float, seed: int
) -> list[str]:
    """Draw groups so that of every class about a share is held out, at least one clip, and one group still trains.

    Groups come in random order; one is taken where it brings the classes nearer to their shares.

    Args:
        sizes: of every group that may be drawn, how many clips of each class it has.
        training: of every class and group that trains so far, how many clips.
        share: of the clips, in (0, 1).
        seed: of the order.
    """
    left = Counter(name for name, _ in training)
    total = Counter()
    for (name, _), count in training.items():
        total[name] += count
    wanted = {name: max(1.0, share * count) for name, count in total.items()}
    held = Counter()
    drawn = []
    for group in np.random.default_rng(seed).permutation(sorted(sizes)):
        counts = sizes[group]
        gain = sum(
            abs(wanted[name] - held[name]) - abs(wanted[name] - held[name] - count) for name, count in counts.items()
        )
        if gain > 0 and all(left[name] > 1 for name in counts):
            drawn.append(str(group))
            held.update(counts)
            left.subtract(counts.keys())
    return drawn


def clip_path(folder: Path, name: str) -> Path:
    """Where a clip lies below data/clips; names on disk may be in another normal form than in the table."""
    path = folder / name
    if path.exists():
        return path
    wanted = unicodedata.normalize("NFC", name)
    alike = (
        one for one in folder.rglob("*") if unicodedata.normalize("NFC", one.relative_to(folder).as_posix()) == wanted
    )
    return next(alike, path)


def learned_clips(path: Path, settings: Clips) -> tuple[list[Clip], tuple[str, ...]]:
    """The clips of the classes that are learned, in order of name, and those classes. Raises as the functions above."""
    clips = read_clips(path)
    classes = chosen_classes(path, clips, settings)
    return [clip for clip in clips if clip.class_name in classes], classes
