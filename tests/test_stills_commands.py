"""`stills add` and `stills remove`: bad input is one sentence and changes nothing; what only measures never trains."""

import json
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pandas
import pytest
import synthetic
import yaml
from labels_project import LabelsProject
from test_exchange_commands import scene

from screentime.errors import InputError
from screentime.params import load
from screentime.sections import Video
from screentime.stills import read_stills
from screentime.table_files import read_table, write_table
from screentime.tables import INDEX, STILLS_INDEX, TARGETS
from stages.preprocess import preprocess
from stages.sample import sample

OTHER = 50  # the number of a scene that is in no film here


def picture(second: int, size: tuple[int, int] = (320, 180)) -> bytes:
    image = cv2.resize(scene(4 * second, 320, 180), size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.fixture
def project(tmp_path, monkeypatch, capsys) -> LabelsProject:
    """A project without any set, and beside it a folder `cats` of four pictures, two of them of one scene."""
    (tmp_path / "project").mkdir()
    project = LabelsProject(tmp_path / "project", monkeypatch, capsys)
    for number, (folder, second) in enumerate([("positive", 50), ("positive", 51), ("negative", 52)]):
        put(tmp_path / "cats" / folder / f"{number}.jpg", picture(second))
    put(tmp_path / "cats" / "negative" / "3.jpg", picture(51, (160, 90)))
    return project


@pytest.fixture
def in_dvc(project) -> LabelsProject:
    project.git("init", "--quiet")
    project.git("config", "core.excludesFile", str(Path(__file__).parents[1] / ".gitignore"))
    (project.folder / ".dvc").mkdir()
    (project.folder / ".dvc" / "config").touch()
    (project.folder / ".gitignore").write_bytes((Path(__file__).parents[1] / ".gitignore").read_bytes())
    return project


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# ---- a set comes, takes another character, and goes


def test_a_set_comes_takes_another_character_follows_the_cast_and_goes(in_dvc):
    project, cats = in_dvc, in_dvc.folder.parent / "cats"
    source = everything(cats)
    comments = [line for line in (project.folder / "params.yaml").read_text().splitlines() if "#" in line]

    told = project.told("stills", "add", str(cats), "--character", "ann").splitlines()
    assert told == [
        "data/stills/cats: 2 with ann, 2 without; the set has 4 stills in 3 groups of near copies",
        "they train and are no screen time; next:",
        '  git add params.yaml dvc.yaml "data/stills/cats.dvc" && git commit -m "Add stills"',
        "  dvc repro",
    ]
    put(cats.parent / "more" / "positive" / "again.jpg", picture(52))
    put(cats.parent / "more" / "positive" / "new one.jpg", picture(53))
    put(cats.parent / "more" / "positive" / "new two.jpg", picture(53))
    put(cats.parent / "more" / "positive" / "notes.txt", b"of 1998")
    told = project.told("stills", "add", str(cats.parent / "more"), "--character", "bob", "--name", "cats")
    assert told.splitlines()[:3] == [
        "left out: 1 copy, byte for byte, of other pictures",
        "left out: 1 file that is no picture by the ending",
        "data/stills/cats: 2 with bob, 0 without; the set has 5 stills in 4 groups of near copies",
    ]
    table = (project.folder / "data" / "stills" / "cats" / "stills.csv").read_text().splitlines()
    assert table[0] == "still,character,present"
    assert sorted(row.split("-")[0] + row[row.index(",") :] for row in table[1:]) == [
        "0,ann,1", "1,ann,1", "2,ann,0", "2,bob,1", "3,ann,0", "new_one,bob,1",
    ]  # fmt: skip
    assert everything(cats) == source
    params = (project.folder / "params.yaml").read_text()
    assert [line for line in params.splitlines() if "#" in line] == comments
    assert "stills:\n  - cats\n" in params
    deps = yaml.safe_load((project.folder / "dvc.yaml").read_text())["stages"]["preprocess"]["deps"]
    assert [dep for dep in deps if dep.startswith("data/")] == [
        "data/frames", "data/features", "data/targets", "data/filled", "data/stills/cats",
    ]  # fmt: skip
    assert project.told("check").endswith(", 5 stills\n")

    assert project.refused("stills", "add", str(cats), "--character", "ann") == (
        "--name cats: there is a set 'cats' that shows ann already, a new name was expected; give another one, or take the old set "
        "away with `python -m screentime stills remove cats`"
    )
    assert project.refused("stills", "remove", "cats") == (
        "data/stills/cats.dvc: not committed as it is, work that can be brought back was expected; run `git add data/stills/cats.dvc "
        '&& git commit -m "Stills"` first'
    )
    project.told("cast", "rename", "ann", "anna")
    project.git("add", "--all")
    project.git("commit", "--quiet", "-m", "stills")
    stills = {
        still.path.name.split("-")[0]: still.answers
        for still in read_stills(project.folder / "data/stills/cats", ("anna", "bob"))
    }
    assert stills["2"] == {"anna": "0", "bob": "1"}
    project.told("cast", "split", "anna", "ann", "zoe")
    stills = {
        still.path.name.split("-")[0]: still.answers
        for still in read_stills(project.folder / "data/stills/cats", ("ann", "bob", "zoe"))
    }
    assert stills == {"2": {"ann": "0", "bob": "1", "zoe": "0"}, "3": {"ann": "0", "zoe": "0"}, "new_one": {"bob": "1"}}
    assert project.refused("cast", "remove", "zoe").startswith("data/stills/cats.dvc: not committed as it is")
    project.git("commit", "--quiet", "--all", "-m", "split")
    project.told("cast", "remove", "zoe")
    project.git("commit", "--quiet", "--all", "-m", "removed")

    assert project.told("stills", "remove", "cats") == "data/stills/cats: out of the project; next: dvc repro\n"
    assert "stills: []\n" in (project.folder / "params.yaml").read_text()
    assert not any((project.folder / "data" / "stills").iterdir())


def test_a_project_that_has_never_heard_of_stills_takes_a_set(in_dvc):
    path = in_dvc.folder / "params.yaml"
    path.write_text(path.read_text().replace("stills: []\n", ""))
    in_dvc.told("check", "--only-params")

    in_dvc.told("stills", "add", str(in_dvc.folder.parent / "cats"), "--character", "ann", "--name", "in the wood")

    assert load(path).stills == ("in the wood",)
    assert "stills" in yaml.safe_load((in_dvc.folder / "dvc.yaml").read_text())["stages"]["preprocess"]["params"]


def test_what_dvc_refuses_leaves_the_project_as_it_was(project):
    """There is no DVC in this folder."""
    before = everything(project.folder)
    refused = project.refused("stills", "add", str(project.folder.parent / "cats"), "--character", "ann")

    assert refused.startswith("dvc add: ")
    assert everything(project.folder) == before
    assert not (project.folder / "data" / "stills" / "cats").exists()


# ---- bad input


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("nothing",), "../nothing: neither positive/ nor negative/ was found in it, one of them at least was expected; put the pictures "
         "that show the character into positive/, others into negative/"),
        (("gone",), "../gone: neither positive/ nor negative/ was found in it, one of them at least was expected; put the pictures "
         "that show the character into positive/, others into negative/"),
        (("empty",), "../empty/negative: no picture was found, files ending in .jpg, .jpeg, .png, .bmp, .webp were expected; put some "
         "there, or remove the folder"),
        (("broken",), "../broken: none of its 2 pictures can be read, whole pictures were expected; bring them anew"),
        (("both",), "../both/negative/b.jpg: the same picture as ../both/positive/a.jpg, one folder for each picture was expected; remove "
         "one of them"),
        (("cats", "--name", "Film"), "--name Film: that is the film film.mp4, a name of its own was expected; give the set another one, "
         "or, if these are frames of that film, run `python -m screentime labels import film DIR --from folders`"),
        (("cats", "--character", "anm"), "--character anm: it is not in the cast; did you mean 'ann'?, or add it with `python -m "
         "screentime cast add`"),
        (("cats", "--name", "../cats"), "--name ../cats: letters, digits, blanks and . _ - were expected, a letter or digit first; give "
         "the set another name"),
        (("cats", "--name", "there"), "data/stills/there: it is there, but stills in params.yaml does not name it, a new name was "
         "expected; give one with --name, or move that folder away"),
    ],
)  # fmt: skip
def test_bad_words_are_one_sentence_and_change_nothing(project, words, expected):
    outside = project.folder.parent
    put(outside / "nothing" / "x.jpg", picture(50))
    put(outside / "empty" / "positive" / "x.jpg", picture(50))
    put(outside / "empty" / "negative" / "notes.txt", b"none yet")
    put(outside / "broken" / "positive" / "x.jpg", b"no picture")
    put(outside / "broken" / "positive" / "y.jpg", picture(50)[:-500])
    put(outside / "both" / "positive" / "a.jpg", picture(50))
    put(outside / "both" / "negative" / "b.jpg", picture(50))
    put(project.folder / "data" / "stills" / "there" / "x.jpg", picture(50))
    before = everything(project.folder)

    assert project.refused("stills", "add", "--character", "ann", f"../{words[0]}", *words[1:]) == expected
    assert everything(project.folder) == before


def test_a_set_that_is_not_there_is_refused(project):
    assert project.refused("stills", "remove", "dogs") == (
        "dogs: stills in params.yaml names no such set, one was expected; none is named"
    )
    path = project.folder / "params.yaml"
    path.write_text(path.read_text().replace("stills: []", "stills: [dogs]"))
    sentence = (
        "data/stills/dogs: no such set of stills was found, stills in params.yaml names it; bring it with `dvc pull "
        "data/stills/dogs.dvc`, or take it out with `python -m screentime stills remove dogs`"
    )
    assert project.refused("check") == sentence


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (["a.jpg,bop,1"], "line 2: character 'bop' is not in the cast; did you mean 'bob'?"),
        (["a.jpg,ann,yes"], "line 2: present is 'yes', expected is one of 1, 0, ?"),
        (["../a.jpg,ann,1"], "line 2: '../a.jpg' was found, the name of a file beside stills.csv was expected; correct it"),
        (["a.jpg,ann,1", "a.jpg,ann,0"], "line 3: a second answer for ann in a.jpg, one was expected; remove one"),
    ],
)  # fmt: skip
def test_each_way_to_break_the_table_of_a_set_has_one_sentence(tmp_path, rows, expected):
    path = tmp_path / "stills.csv"
    path.write_text("\n".join(["still,character,present", *rows]) + "\n")

    with pytest.raises(InputError) as failure:
        read_stills(tmp_path, ("ann", "bob"))
    assert str(failure.value) == f"{path}: {expected}"


def test_a_list_of_sets_that_is_none_is_refused(project):
    path = project.folder / "params.yaml"
    text = path.read_text()
    for value, found in (("cats", "'cats' was found, a list of folders under data/stills/ was expected; correct it"),
                         ("[../cats]", "'../cats' was found, a name of letters, digits, blanks and . _ - that begins with a letter or "
                          "digit was expected; rename it"),
                         ("[cats, Cats]", "'cats' stands there twice, once was expected; remove one")):  # fmt: skip
        path.write_text(text.replace("stills: []", f"stills: {value}"))
        assert project.refused("check", "--only-params") == f"params.yaml: stills: {found}"


# ---- the arrays


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """Two films of 8 s, sampled: `film`, one frame labelled and one drawn by an audit, and `kept`, which only measures."""
    folder = tmp_path_factory.mktemp("films")
    for name, first in (("film", 0), ("kept", 20)):
        synthetic.write_film(
            folder / f"{name}.mp4", synthetic.constant_rate(32, Fraction(4)), width=320, height=180,
            image_of=lambda number, width, height, first=first: scene(number + 4 * first, width, height),
        )  # fmt: skip
    sample(videos=folder, frames=folder / "frames", metrics=folder / "metrics.json", params=params())
    row = {"character": "ann", "present": "1", "source": "manual", "at": ""}
    rows = [
        row | {"time_s": 2.0},
        row | {"time_s": 4.0},
        {"time_s": 5.0, "character": "", "present": "", "source": "drawn", "at": ""},
    ]
    (folder / "targets").mkdir()
    write_table(folder / "targets" / "film.csv", pandas.DataFrame(rows), TARGETS)
    return folder


def params(*stills: str):
    own = load(Path(__file__).parents[1] / "params.yaml")
    small = {
        "preprocess": own.preprocess.model_copy(update={"width": 96, "height": 64}),
        "sample": own.sample.model_copy(update={"workers": 1}),
    }
    videos = (Video(file="film.mp4"), Video(file="kept.mp4", split="test"))
    return own.model_copy(update={"videos": videos, "cast": ("ann", "bob"), "stills": stills} | small)


def arrays_with(films: Path, folder: Path, *stills: str) -> Path:
    preprocess(
        frames=films / "frames", features=films, targets=films / "targets", filled=films / "filled", stills=folder,
        arrays=folder / "arrays", params=params(*stills),
    )  # fmt: skip
    return folder / "arrays"


def test_stills_that_show_what_only_measures_are_left_out_and_near_copies_of_frames_named(films, tmp_path, capsys):
    rows = ["still,character,present"]
    for name, second, answer in (("new.jpg", OTHER, "ann,1"), ("labelled.jpg", 4, "bob,0"), ("drawn.jpg", 5, "ann,1"),
                                 ("kept.jpg", 23, "ann,0"), ("unsure.jpg", 51, "ann,?")):  # fmt: skip
        put(tmp_path / "cats" / name, picture(second, (240, 240)))
        rows.append(f"{name},{answer}")
    (tmp_path / "cats" / "stills.csv").write_text("\n".join(rows) + "\n")
    put(tmp_path / "ants" / "twin.jpg", picture(OTHER))
    (tmp_path / "ants" / "stills.csv").write_text("still,character,present\ntwin.jpg,bob,1\n")

    arrays = arrays_with(films, tmp_path, "cats", "ants")

    assert capsys.readouterr().out.splitlines() == [
        f"{arrays}: 2 labelled frames and 3 stills at 96x64 for efficientnet-lite0",
        "1 still left out: nothing is known of the cast in them",
        "2 stills left out: they show frames that only measure (drawn by an audit, or of a test film)",
    ]
    table = read_table(arrays / "stills.csv", STILLS_INDEX).drop(columns="line").to_numpy().tolist()
    assert table == [["ants", "twin.jpg", 1, ""], ["cats", "labelled.jpg", 2, "1"], ["cats", "new.jpg", 1, ""]]
    targets, inputs = np.load(arrays / "targets.npy"), np.load(arrays / "inputs.npy").astype(np.float32)
    assert np.array_equal(
        targets, np.array([[1, np.nan], [1, np.nan], [np.nan, 1], [np.nan, 0], [1, np.nan]], np.float32), equal_nan=True
    )
    assert read_table(arrays / "index.csv", INDEX)["time_s"].tolist() == [2, 4]
    # a square still is pressed into the form as a frame of any shape is: it lies on the frame that it shows
    assert (
        np.corrcoef(inputs[3].ravel(), inputs[1].ravel())[0, 1]
        > 0.99
        > np.corrcoef(inputs[3].ravel(), inputs[0].ravel())[0, 1]
    )


def test_without_stills_the_arrays_have_no_trace_of_them(films, tmp_path):
    arrays = arrays_with(films, tmp_path)

    assert sorted(path.name for path in arrays.iterdir()) == ["form.json", "index.csv", "inputs.npy", "targets.npy"]
    assert "still" not in json.dumps(json.loads((arrays / "form.json").read_text()))
