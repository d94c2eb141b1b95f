"""`clips add`: classes and groups from folders and names, the official lists, and nothing that parts a group."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from clip_films import growing, write_clip

from screentime.__main__ import main
from screentime.clip_params import load
from screentime.errors import InputError
from screentime.project.clips import read_split_lists

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def ucf(tmp_path) -> Path:
    """A piece of UCF101 as it is unpacked."""
    folder = tmp_path / "UCF-101"
    for name in ("CricketShot", "HandStandPushups"):
        for group in ("g01", "g08"):
            stem = name.replace("Stand", "stand")  # as in UCF101 itself
            write_clip(folder / name / f"v_{stem}_{group}_c01.avi", growing(0)[:2])
    return folder


def rows(project: Path) -> list[tuple]:
    with open(project / "data" / "clips.csv", encoding="utf-8") as file:
        return [tuple(row) for row in csv.reader(file)][1:]


def refused(*words: object, capsys) -> str:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    assert end.value.code == 1
    return capsys.readouterr().err.strip()


def test_folders_name_classes_and_file_names_groups(project, ucf, capsys):
    main(["clips", "add", str(ucf)])

    assert rows(project) == [
        ("CricketShot/v_CricketShot_g01_c01.avi", "CricketShot", "g01", ""),
        ("CricketShot/v_CricketShot_g08_c01.avi", "CricketShot", "g08", ""),
        ("HandStandPushups/v_HandstandPushups_g01_c01.avi", "HandStandPushups", "g01", ""),
        ("HandStandPushups/v_HandstandPushups_g08_c01.avi", "HandStandPushups", "g08", ""),
    ]
    assert all((project / "data" / "clips" / row[0]).is_file() for row in rows(project))
    assert capsys.readouterr().out.splitlines()[1:] == [
        "data/clips.csv: 4 clips of 2 classes in 2 groups; split: drawn by group",
        "next: git add data/clips.csv && dvc --cd clips repro    # clips/params.yaml has classes, frames, backbone, head",
    ]


def test_names_as_in_ucf101_need_no_folders_and_a_folder_of_one_class_is_named_by_itself(project, tmp_path):
    write_clip(tmp_path / "flat" / "v_Cricket,Shot_g02_c03.avi", growing(0)[:2])
    write_clip(tmp_path / "Tänzer 板" / "one.mkv", growing(1)[:2])
    write_clip(tmp_path / "x.mkv", growing(2)[:2])

    main(["clips", "add", str(tmp_path / "flat"), str(tmp_path / "Tänzer 板")])
    main(["clips", "add", str(tmp_path / "x.mkv"), "--class", 'say "x"'])

    assert rows(project) == [
        ("Cricket,Shot/v_Cricket,Shot_g02_c03.avi", "Cricket,Shot", "g02", ""),
        ("Tänzer 板/one.mkv", "Tänzer 板", "", ""),
        ('say "x"/x.mkv', 'say "x"', "", ""),
    ]


def test_the_official_lists_say_who_trains_and_clips_in_none_are_left_out(project, ucf, tmp_path, capsys):
    (tmp_path / "trainlist01.txt").write_text(
        "CricketShot/v_CricketShot_g08_c01.avi 24\r\nHandStandPushups/v_HandstandPushups_g08_c01.avi 37\r\n"
    )
    (tmp_path / "testlist01.txt").write_text("CricketShot/v_CricketShot_g01_c01.avi\n")

    main(
        [
            "clips",
            "add",
            str(ucf),
            "--train-list",
            str(tmp_path / "trainlist01.txt"),
            "--test-list",
            str(tmp_path / "testlist01.txt"),
        ]
    )

    assert [(row[0].rpartition("/")[2], row[3]) for row in rows(project)] == [
        ("v_CricketShot_g01_c01.avi", "test"),
        ("v_CricketShot_g08_c01.avi", "train"),
        ("v_HandstandPushups_g08_c01.avi", "train"),
    ]
    assert "1 clips are in no list and were left out" in capsys.readouterr().out


def test_lists_that_part_a_group_are_refused_and_nothing_is_written(project, ucf, tmp_path, capsys):
    (tmp_path / "train.txt").write_text("CricketShot/v_CricketShot_g01_c01.avi 1\n")
    (tmp_path / "test.txt").write_text("HandStandPushups/v_HandstandPushups_g01_c01.avi\n")

    said = refused(
        "clips", "add", ucf, "--train-list", tmp_path / "train.txt", "--test-list", tmp_path / "test.txt", capsys=capsys
    )

    assert said == (
        "data/clips.csv: group 'g01' is on two sides, 'CricketShot/v_CricketShot_g01_c01.avi' in train and "
        "'HandStandPushups/v_HandstandPushups_g01_c01.avi' in test, clips of one group are near copies and were expected on one; "
        "give them one split, or groups of their own"
    )
    assert not (project / "data" / "clips.csv").exists()


def test_rows_that_a_person_wrote_stay_as_they_are(project, ucf):
    main(["clips", "add", str(ucf / "CricketShot")])
    table = project / "data" / "clips.csv"
    table.write_text(table.read_text().replace("CricketShot,g01,", "Shot at goal,g77,test"))

    main(["clips", "add", str(ucf)])

    assert rows(project)[0] == ("CricketShot/v_CricketShot_g01_c01.avi", "Shot at goal", "g77", "test")
    assert len(rows(project)) == 4


def test_bad_words_and_lists_are_sentences(project, ucf, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    write_clip(tmp_path / "alone.mkv", growing(0)[:2])
    (tmp_path / "list.txt").write_text("1 ApplyEyeMakeup\n2 ApplyLipstick\n")

    assert refused("clips", "add", tmp_path / "empty", capsys=capsys) == (
        f"{tmp_path}/empty: no clip was found, a video or a folder with videos was expected; correct it"
    )
    assert refused("clips", "add", tmp_path / "alone.mkv", capsys=capsys) == (
        f"{tmp_path}/alone.mkv: nothing says what this clip shows, a folder named by the class or a name like "
        "v_CricketShot_g22_c01.avi was expected; move it into such a folder, or name the class with --class"
    )
    assert refused("clips", "add", ucf, "--train-list", tmp_path / "list.txt", capsys=capsys) == (
        f"{tmp_path}/list.txt: no clip was named, lines like Class/v_Class_g01_c01.avi were expected; is it the list?"
    )
    assert refused("clips", "add", ucf, "--test-list", tmp_path / "none.txt", capsys=capsys) == (
        f"{tmp_path}/none.txt: No such file or directory, a list with a clip a line was expected; correct the name"
    )


def test_a_clip_in_lists_of_both_sides_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("A/v_A_g01_c01.avi 1\n")

    with pytest.raises(
        Exception, match=r"'v_A_g01_c01.avi' is in the lists of train and of test, one of them was expected"
    ):
        read_split_lists({"train": [tmp_path / "a.txt"], "test": [tmp_path / "a.txt"]})


def test_figures_and_heads_that_are_not_there_yet_are_sentences(project, capsys):
    assert refused("clips", "show", capsys=capsys) == (
        "clips/metrics/clips.json: no such file was found, figures were expected; run `dvc --cd clips repro`"
    )
    assert refused("clips", "predict", "x.avi", capsys=capsys) == (
        "clips/models/model.json: no such file was found, trained heads were expected; run `dvc --cd clips repro`"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  head: gru", "  head: gruu", "clip_train: head 'gruu' is not known; did you mean 'gru'?"),
        ("optimizer: adam", "optimizer: adom", "clip_train: optimizer 'adom' is not known; did you mean 'adam'?"),
        ("units: [16, 8]", "units: []", "clip_train: units is empty, the width of at least one layer was expected for head 'gru'; name one"),
        ("units: [16, 8]", "units: [16, 0]", "clip_train: units 2 is 0, expected is at least 1; correct it"),
        ("  head: gru", "  head: transformer", "clip_train: units is [16, 8] with 4 attention_heads, blocks of one width that the number of heads divides were expected; correct it"),
        ("seeds: [0, 1, 2]", "seeds: [1, 1]", "clip_train: seeds is [1, 1], different ones were expected; the same seed gives the same head"),
        ("frames: 20", "frame: 20", "clip_sample: unknown key 'frame'; did you mean 'frames'?"),
        ("frames: 20", "frames: 20.5", "clip_sample: frames is 20.5, expected is a whole number; correct it"),
        ("choose: spread", "choose: last", "clip_sample: choose is 'last', expected is 'first' or 'spread'; correct it"),
        ("  width: 224", "  # gone", "clip_report: 'width' is missing; add it, params.yaml of a fresh clone explains it"),
    ],
)  # fmt: skip
def test_each_way_to_get_the_parameters_wrong_has_one_sentence(tmp_path, old, new, said):
    text = (ROOT / "clips" / "params.yaml").read_text(encoding="utf-8")
    assert old in text, f"clips/params.yaml no longer holds {old!r}: correct the test"
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(InputError) as error:
        load(path)

    assert str(error.value) == f"{path}: {said}"


def test_sampling_judging_and_reporting_never_import_tensorflow():
    modules = (
        "stages.clip_sample, stages.clip_embed, stages.clip_report, screentime.clip_prediction, screentime.windows"
    )
    asked = f"import sys, {modules}; print([name for name in ('tensorflow', 'keras', 'mlflow') if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
