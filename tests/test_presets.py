"""`preset`: lists, shows, writes what an ancestor had, and leaves no trace of the preset before."""

import shutil
from itertools import permutations
from pathlib import Path

import pytest
import yaml

from screentime import clip_params, params
from screentime.__main__ import main
from screentime.clips import Clip, chosen_classes
from screentime.errors import InputError
from screentime.files import write_json
from screentime.inputs import Form
from screentime.presets import CLIPS, FILMS, PRESETS
from screentime.section import Section
from screentime.sections import FineTune

ROOT = Path(__file__).parents[1]
FILES = ("params.yaml", "clips/params.yaml", "clips/dvc.yaml")


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    begin(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begin(folder: Path) -> None:
    for name in FILES:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def contents(folder: Path) -> dict[str, str]:
    return {name: (folder / name).read_text(encoding="utf-8") for name in FILES}


def preset(*words: str) -> None:
    main(["preset", *words])


def test_without_a_name_every_preset_is_listed_on_a_line_of_its_own(project, capsys):
    before = contents(project)
    preset()

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[: len(PRESETS)]] == list(PRESETS)
    assert (
        lines[-1] == "without any training: python -m screentime imagenet FILM; docs/ancestors.md tells of all of them"
    )
    assert max(map(len, lines)) <= 130
    assert contents(project) == before


def test_what_changes_is_printed_with_what_it_was_and_the_next_command(project, capsys):
    preset("one_character_frozen")
    capsys.readouterr()
    preset("one_character")

    assert capsys.readouterr().out.splitlines() == [
        "params.yaml: one_character, 1 value; docs/ancestors.md#a-one-character-or-not",
        "                         was   is",
        "  train.fine_tune.open  none  all",
        "cast: 6 characters where one_character had 1: the network gets a sigmoid unit for each",
        "next: dvc repro",
    ]

    preset("one_character")
    assert capsys.readouterr().out.splitlines()[0] == (
        "params.yaml: one_character stands there already; docs/ancestors.md#a-one-character-or-not"
    )


def test_show_says_the_same_and_writes_nothing(project, capsys):
    before = contents(project)
    preset("actions_gru", "--show")
    shown = capsys.readouterr().out.splitlines()
    assert contents(project) == before

    preset("actions_gru")
    done = capsys.readouterr().out.splitlines()
    assert shown[:-1] == done[:-1]
    assert shown[-1] == "nothing is written; next: python -m screentime preset actions_gru"
    assert done[-1] == "next: dvc --cd clips repro"


def test_a_preset_of_two_steps_names_the_second_and_that_asks_for_the_codes(project, capsys):
    preset("real_time")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "next: dvc repro",
        "then: python -m screentime preset real_time_clips    # reads the codes of this network, four frames at a time",
    ]

    preset("real_time_clips")
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "next: python -m screentime model codes --out clips/codes.tflite    # of the network in models/trained/, trained by the preset real_time",
        "then: dvc --cd clips repro",
    ]

    (project / "clips" / "codes.tflite").touch()
    preset("real_time_clips")
    assert capsys.readouterr().out.splitlines()[-1] == "next: dvc --cd clips repro"


@pytest.mark.parametrize("name", PRESETS)
def test_the_values_stand_in_the_file_with_every_comment_and_nothing_else_changes(project, name):
    file = PRESETS[name].file
    before = contents(project)[file]
    preset(name)
    after = contents(project)[file]

    loaded = yaml.safe_load(after)
    for key, value in PRESETS[name].values.items():
        section = loaded
        for part in key.split("."):
            section = section[part]
        assert section == value and type(section) is type(value), key
    assert comments(after) == comments(before)
    untouched = {key: value for key, value in leaves(yaml.safe_load(before)) if key not in PRESETS[name].values}
    assert untouched.items() <= dict(leaves(loaded)).items()
    (clip_params if file == CLIPS else params).load(Path(file))


def comments(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.splitlines()]


def leaves(section: dict, above: str = "") -> list[tuple[str, object]]:
    found = []
    for key, value in section.items():
        found += leaves(value, f"{above}{key}.") if isinstance(value, dict) else [(f"{above}{key}", str(value))]
    return found


@pytest.mark.parametrize("file", [FILMS, CLIPS])
def test_a_preset_after_any_other_leaves_no_trace_of_it(tmp_path, monkeypatch, file):
    names = [one.name for one in PRESETS.values() if one.file == file]
    alone = {}
    for name in names:
        (tmp_path / name).mkdir()
        begin(tmp_path / name)
        monkeypatch.chdir(tmp_path / name)
        preset(name)
        alone[name] = contents(tmp_path / name)
    assert len({tuple(one.values()) for one in alone.values()}) == len(names)

    for first, second in permutations(names, 2):
        begin(tmp_path / second)
        monkeypatch.chdir(tmp_path / second)
        preset(first)
        preset(second)
        assert contents(tmp_path / second) == alone[second], (first, second)


def test_every_parameter_of_fine_tuning_is_set_by_every_film_preset():
    """A parameter that is new must be given the value that each ancestor had."""
    keys = {f"train.fine_tune.{name}" for name in names_of(FineTune)}

    assert {
        one.name: keys - set(one.values) for one in PRESETS.values() if one.file == FILMS and keys - set(one.values)
    } == {}


def names_of(section: type[Section]) -> list[str]:
    found = []
    for name, field in section.model_fields.items():
        inner = field.annotation
        is_section = isinstance(inner, type) and issubclass(inner, Section)
        found += [f"{name}.{one}" for one in names_of(inner)] if is_section else [name]
    return found


@pytest.mark.parametrize("file", [FILMS, CLIPS])
def test_presets_of_one_file_set_the_same_keys(file):
    assert len({frozenset(one.values) for one in PRESETS.values() if one.file == file}) == 1


def test_an_unknown_name_is_answered_with_the_nearest_and_nothing_changes(project, capsys):
    before = contents(project)
    with pytest.raises(SystemExit) as end:
        preset("tom_and_jery")

    assert end.value.code == 1
    assert capsys.readouterr().err == (
        "preset: 'tom_and_jery' was found, a preset's name was expected; did you mean 'tom_and_jerry'?\n"
    )
    assert contents(project) == before


def test_parameters_that_are_not_in_order_are_left_as_they_are(project, capsys):
    path = project / "params.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("  fps: 1 ", "  fsp: 1 "), encoding="utf-8")
    before = contents(project)
    with pytest.raises(SystemExit) as end:
        preset("real_time")

    assert end.value.code == 1
    assert capsys.readouterr().err == "params.yaml: sample: unknown key 'fsp'; did you mean 'fps'?\n"
    assert contents(project) == before


def test_without_the_pipeline_of_the_clips_nothing_is_written(project, capsys):
    (project / "clips" / "dvc.yaml").unlink()
    before = (project / "clips" / "params.yaml").read_text(encoding="utf-8")
    with pytest.raises(SystemExit):
        preset("actions_lstm")

    assert capsys.readouterr().err == (
        "clips/dvc.yaml: no such file was found, the clips' pipeline was expected; run this in the project's top folder, or bring "
        "the file back with `git checkout clips/dvc.yaml`\n"
    )
    assert (project / "clips" / "params.yaml").read_text(encoding="utf-8") == before


def test_classes_are_those_of_the_training_set_and_one_met_only_in_the_test_set_is_named(project):
    preset("actions_gru")
    settings = clip_params.load(Path(CLIPS)).clips
    clips = [Clip(f"{name}/1.avi", name, name, "train") for name in ("run", "jump")]
    assert chosen_classes(Path("data/clips.csv"), clips, settings) == ("jump", "run")

    with pytest.raises(InputError) as failure:
        chosen_classes(Path("data/clips.csv"), [*clips, Clip("swim/1.avi", "swim", "swim", "test")], settings)

    assert str(failure.value) == (
        "data/clips.csv: class 'swim' is met only in the test set ('swim/1.avi'), clips that train were expected; give some of "
        "them to train, or name the classes to learn in clips.classes"
    )


def test_codes_are_of_a_trained_network_for_square_pictures(project, capsys):
    with pytest.raises(SystemExit):
        main(["model", "codes"])
    assert capsys.readouterr().err.startswith(
        "models/trained/model.json: no such file was found, a trained model was expected; "
    )

    form = Form("VGG16", width=448, height=256)
    write_json(project / "models" / "trained" / "model.json", {"form": form.as_dict(), "files": {}})
    with pytest.raises(SystemExit):
        main(["model", "codes"])
    assert capsys.readouterr().err == (
        "models/trained: a network for pictures of 448x256 pixels was found, one for squares was expected, as clips are cut; set "
        "preprocess.width and height to one number and run `dvc repro train`\n"
    )
    assert not (project / "clips" / "codes.tflite").exists()


def test_every_preset_has_its_section_in_the_page():
    page = (ROOT / "docs" / "ancestors.md").read_text(encoding="utf-8")
    anchors = {anchor(line) for line in page.splitlines() if line.startswith("## ")}

    assert [one.name for one in PRESETS.values() if one.page.removeprefix("docs/ancestors.md#") not in anchors] == []
    assert [name for name in PRESETS if f"python -m screentime preset {name} " not in page.replace("\n", " ")] == []


def anchor(heading: str) -> str:
    """The link target that a heading gets."""
    kept = (sign for sign in heading.removeprefix("## ").lower() if sign.isalnum() or sign in " -")
    return "".join(kept).replace(" ", "-")
