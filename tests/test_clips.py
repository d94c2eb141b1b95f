"""Clips: the table's sentences, the classes of the training side, groups that are never parted."""

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from screentime.clip_params import Clips
from screentime.clips import Clip, chosen_classes, learned_clips, parts_of, read_clips
from screentime.errors import InputError

TABLE = Path("data/clips.csv")
ALL = Clips(classes=[], most_frequent=0, test=0.25, val=0.2, seed=0)


def write(folder: Path, *rows: tuple, header: tuple = ("clip", "class", "group", "split")) -> Path:
    path = folder / "clips.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def sentence(call, *arguments) -> str:
    with pytest.raises(InputError) as error:
        call(*arguments)
    return str(error.value)


def clips_of(*counts: tuple[str, str, str, int]) -> list[Clip]:
    """(class, group, split, how many) -> clips."""
    return [
        Clip(f"{name}/{group}_{number}.avi", name, group, split)
        for name, group, split, count in counts
        for number in range(count)
    ]


def test_names_and_classes_may_hold_quotes_commas_and_any_script(tmp_path):
    rows = [('板球/he said "go", twice.avi', 'hit, or "miss"', "g 1", "train"), ("ß/é.avi", "ß", "", "")]

    clips = read_clips(write(tmp_path, *rows))

    assert [(clip.name, clip.class_name, clip.group, clip.split) for clip in clips] == [
        ("ß/é.avi", "ß", "ß/é.avi", ""),
        ('板球/he said "go", twice.avi', 'hit, or "miss"', "g 1", "train"),
    ]


def test_group_and_split_may_be_left_out(tmp_path):
    clips = read_clips(write(tmp_path, ("a.avi", "x"), header=("clip", "class")))

    assert clips == [Clip("a.avi", "x", "a.avi", "")]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "{path}: no clip was found, one row for each was expected; add them with `python -m screentime clips add`"),
        ([("../a.avi", "x", "", "")], "{path}: line 2: '../a.avi' lies outside data/clips/; put or link the clip into that folder"),
        ([("a.avi", "clip", "", "")], "{path}: line 2: 'clip' may not be a class, it is to name a column; call it otherwise"),
        ([("a.avi", "x", "", "validation")], "{path}: line 2: split is 'validation', expected is one of train, val, test"),
        ([("a.avi", "", "", "")], "{path}: line 2: class is empty; expected is what it shows"),
        ([("a.avi", "x", "", ""), ("a.avi", "y", "", "")], "{path}: line 3: clip 'a.avi' stands there twice, one row for each clip was expected; remove or rename one"),
        ([("x/a.avi", "x", "", ""), ("x/A.mp4", "y", "", "")], "{path}: line 3: clip 'x/A.mp4' and 'x/a.avi' differ by too little, one row for each clip was expected; remove or rename one"),
        ([("x/1.avi", "x", "g01", "train"), ("y/2.avi", "y", "g01", "test")], "{path}: group 'g01' is on two sides, 'x/1.avi' in train and 'y/2.avi' in test, clips of one group are near copies and were expected on one; give them one split, or groups of their own"),
    ],
)  # fmt: skip
def test_each_way_to_get_the_table_wrong_has_one_sentence(tmp_path, rows, said):
    path = write(tmp_path, *rows)

    assert sentence(read_clips, path) == said.format(path=path)


def test_classes_are_those_of_the_training_side_in_order_of_name():
    clips = clips_of(("b", "g1", "train", 2), ("a", "g2", "", 1), ("a", "g3", "test", 1))

    assert chosen_classes(TABLE, clips, ALL) == ("a", "b")
    assert chosen_classes(TABLE, clips, ALL.model_copy(update={"classes": ["b", "a"]})) == ("b", "a")


def test_the_most_frequent_classes_are_counted_where_clips_may_train():
    clips = clips_of(("a", "g1", "train", 1), ("b", "g1", "train", 3), ("c", "g1", "train", 2), ("a", "g2", "test", 9))

    assert chosen_classes(TABLE, clips, ALL.model_copy(update={"most_frequent": 2})) == ("b", "c")


def test_a_class_met_only_in_the_test_set_is_one_clear_sentence():
    clips = clips_of(("a", "g1", "train", 2), ("b", "g1", "train", 2), ("new", "g9", "test", 2))

    assert sentence(chosen_classes, TABLE, clips, ALL) == (
        "data/clips.csv: class 'new' is met only in the test set ('new/g9_0.avi'), clips that train were expected; give some of "
        "them to train, or name the classes to learn in clips.classes"
    )
    assert chosen_classes(TABLE, clips, ALL.model_copy(update={"classes": ["a", "b"]})) == ("a", "b")


def test_a_class_whose_group_is_tested_counts_as_tested():
    clips = clips_of(("a", "g1", "test", 1), ("b", "g1", "", 1), ("a", "g2", "", 1))

    assert "class 'b' is met only in the test set" in sentence(chosen_classes, TABLE, clips, ALL)


def test_one_class_and_an_unknown_class_are_refused():
    clips = clips_of(("shot", "g1", "", 2), ("bowling", "g2", "", 2))

    assert sentence(chosen_classes, TABLE, clips, ALL.model_copy(update={"classes": ["shut", "bowling"]})) == (
        "clips/params.yaml: clips: class 'shut' is in no row of data/clips.csv; did you mean 'shot'?"
    )
    assert sentence(chosen_classes, TABLE, clips, ALL.model_copy(update={"classes": ["shot"]})) == (
        "data/clips.csv: one class, 'shot', was found to learn, at least two were expected; add clips of another"
    )


ROWS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.sampled_from([f"g{n}" for n in range(8)]), st.integers(1, 4)
    ), min_size=1, max_size=40,
)  # fmt: skip


@given(rows=ROWS, given_split=st.dictionaries(st.sampled_from([f"g{n}" for n in range(8)]), st.sampled_from(["train", "val", "test"])), seed=st.integers(0, 5))  # fmt: skip
def test_a_split_parts_no_group_keeps_what_was_said_and_leaves_every_class_something_to_train_on(
    rows, given_split, seed
):
    unique = {(name, group): count for name, group, count in rows}
    clips = clips_of(*((name, group, given_split.get(group, ""), count) for (name, group), count in unique.items()))
    try:
        classes = chosen_classes(TABLE, clips, ALL)
        parts = parts_of(TABLE, clips, ALL.model_copy(update={"seed": seed}))
    except InputError:
        return

    by_group = {}
    for clip in clips:
        assert by_group.setdefault(clip.group, parts[clip.name]) == parts[clip.name]
        assert clip.split in ("", parts[clip.name]) or (clip.split, parts[clip.name]) == ("train", "val")
    assert {clip.class_name for clip in clips if parts[clip.name] == "train"} == set(classes)


def test_groups_of_ucf101_are_drawn_for_every_class_in_about_the_share_asked_for():
    clips = clips_of(*((name, f"g{group:02}", "", 4) for name in "abcde" for group in range(1, 26)))

    parts = parts_of(TABLE, clips, ALL)

    counts = Counter((clip.class_name, parts[clip.name]) for clip in clips)
    assert all(20 <= counts[name, "test"] <= 28 and 12 <= counts[name, "val"] <= 20 for name in "abcde")
    assert parts != parts_of(TABLE, clips, ALL.model_copy(update={"seed": 1}))
    assert parts == parts_of(TABLE, clips, ALL)


def test_where_nothing_can_be_held_out_a_sentence_says_what_to_do():
    clips = clips_of(("a", "g1", "", 5), ("b", "g2", "", 5))

    assert sentence(parts_of, TABLE, clips, ALL) == (
        "data/clips.csv: no group could be held out for a test, every class needs at least two groups; add clips of other "
        "groups, or set clips.test: 0 in clips/params.yaml to learn from all and test nothing"
    )
    assert set(parts_of(TABLE, clips, ALL.model_copy(update={"test": 0.0})).values()) == {"train"}


def test_only_clips_of_the_chosen_classes_are_learned(tmp_path):
    path = write(tmp_path, ("1.avi", "a", "", ""), ("2.avi", "b", "", ""), ("3.avi", "c", "", ""))

    clips, classes = learned_clips(path, ALL.model_copy(update={"classes": ["c", "a"]}))

    assert [clip.name for clip in clips] == ["1.avi", "3.avi"] and classes == ("c", "a")
