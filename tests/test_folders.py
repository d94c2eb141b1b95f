"""What is valid is kept, what is not is made again, what belongs to nobody goes."""

from functools import partial
from pathlib import Path

import pytest

from screentime.errors import InputError
from screentime.folders import Task, files_hash, update_folder


def write_word(folder: Path, tell, *, video_id: str, word: str) -> None:
    if word == "broken":
        raise InputError(f"data/videos/{video_id}.mp4: no frame could be decoded; is the file complete?")
    tell(0.5)
    (folder / f"{video_id}.txt").write_text(word)


def task(video_id: str, word: str = "hello") -> Task:
    return Task(video_id, {"word": word}, partial(write_word, video_id=video_id, word=word))


def test_a_second_run_makes_nothing(tmp_path):
    assert update_folder(tmp_path, [task("a"), task("b")], 1, "writing") == ["a", "b"]

    assert update_folder(tmp_path, [task("a"), task("b")], 1, "writing") == []


def test_only_the_added_video_is_made_and_the_one_that_is_gone_is_removed(tmp_path):
    update_folder(tmp_path, [task("a"), task("b")], 1, "writing")

    assert update_folder(tmp_path, [task("b"), task("b.2")], 1, "writing") == ["b.2"]
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"b.txt", "b.key.json", "b.2.txt", "b.2.key.json"}


def test_a_changed_input_makes_the_video_again_and_its_namesakes_stay(tmp_path):
    update_folder(tmp_path, [task("b"), task("b.2")], 1, "writing")
    before = files_hash(tmp_path, "b.2")

    assert update_folder(tmp_path, [task("b", "new"), task("b.2")], 1, "writing") == ["b"]
    assert (tmp_path / "b.txt").read_text() == "new"
    assert files_hash(tmp_path, "b.2") == before


@pytest.mark.parametrize("damage", ["changed", "removed", "key"])
def test_a_damaged_result_is_found_and_made_again(tmp_path, damage):
    update_folder(tmp_path, [task("a")], 1, "writing")
    if damage == "changed":
        (tmp_path / "a.txt").write_text("hellO")
    elif damage == "removed":
        (tmp_path / "a.txt").unlink()
    else:
        (tmp_path / "a.key.json").write_text('{"key": "dead')

    assert update_folder(tmp_path, [task("a")], 1, "writing") == ["a"]
    assert (tmp_path / "a.txt").read_text() == "hello"


@pytest.mark.parametrize("workers", [1, 2])
def test_one_broken_video_is_named_and_the_others_are_done(tmp_path, workers):
    with pytest.raises(InputError) as failure:
        update_folder(tmp_path, [task("a"), task("bad", "broken"), task("c")], workers, "writing")

    assert str(failure.value) == (
        "data/videos/bad.mp4: no frame could be decoded; is the file complete?\n"
        "1 of 3 videos failed while writing, the others are done; repair them, or give them a reason in params.yaml, "
        "`videos: - {file: ..., skip: reason}`, and run again"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "a.key.json", "c.txt", "c.key.json"}


def test_what_an_interrupted_run_left_is_removed(tmp_path):
    (tmp_path / ".a.partial").mkdir()
    (tmp_path / ".a.partial" / "half").write_text("")

    update_folder(tmp_path, [task("a")], 1, "writing")

    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "a.key.json"}
