"""params.yaml is checked once at the door: each way to get it wrong has one sentence."""

import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from screentime.errors import InputError
from screentime.params import Params, load

PROJECT = Path(__file__).parents[1] / "params.yaml"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = PROJECT.read_text(encoding="utf-8")
    assert text.count(old) >= 1, f"params.yaml no longer holds {old!r}: correct the test"
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def sentence_for(path: Path) -> str:
    with pytest.raises(InputError) as failure:
        load(path)
    assert str(failure.value).startswith(f"{path}: ")
    return str(failure.value).removeprefix(f"{path}: ")


def test_the_projects_own_parameters_are_in_order():
    params = load(PROJECT)

    assert [video.video_id for video in params.videos] == ["big_buck_bunny"]
    assert params.cast == ("bunny", "frank", "rinky", "gamera", "butterfly", "bird")


def test_every_key_of_the_projects_file_is_explained_beside_it():
    section = None
    unexplained = []
    for line in PROJECT.read_text(encoding="utf-8").splitlines():
        if line[:1].isalpha():
            section = line.split(":")[0]
        elif (
            section not in ("demo", "videos", "cast", "report") and line.startswith("  ") and ":" in line.split("#")[0]
        ) and "#" not in line:
            unexplained.append(line.strip())

    assert unexplained == []


def test_videos_may_be_named_with_or_without_their_folder_and_with_options(tmp_path):
    path = changed(
        tmp_path,
        "  - big_buck_bunny.mp4",
        "  - data/videos/a b.mkv\n  - {file: s01/Zoë.mp4, split: test}\n  - {file: c.mp4, skip: broken}",
    )

    params = load(path)

    assert [(video.file, video.video_id) for video in params.videos] == [
        ("a b.mkv", "a b"), ("s01/Zoë.mp4", "Zoë"), ("c.mp4", "c"),
    ]  # fmt: skip
    assert [video.video_id for video in params.shown_videos] == ["a b", "Zoë"]
    assert params.videos[1].split == "test"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("  fps: 1 ", "  fsp: 1 ", "sample: unknown key 'fsp'; did you mean 'fps'?"),
        ("    pooling: lse", "    poling: lse", "train: fine_tune: unknown key 'poling'; did you mean 'pooling'?"),
        ("      zoom: 0.25", "      zom: 0.25", "train: fine_tune: augment: unknown key 'zom'; did you mean 'zoom'?"),
        ("    dropout: 0 ", "    dropout: 1 ", "train: fine_tune: dropout is 1, expected is below 1; correct it"),
        ("    dense: []", "    dense: [0]", "train: fine_tune: dense 1 is 0, expected is at least 1; correct it"),
        ("    open: blocks:5", "    open: 1.5", "train: fine_tune: open is 1.5, expected is none, all, a number of layers like 4, or a number of blocks like blocks:3; correct it"),
        ("  method: best", "  method: linear", "train: method is 'linear', expected is 'best', 'fine_tune', 'probe' or 'sequence'; correct it"),
        ("  method: best", "  method: finetune", "train: method is 'finetune', expected is 'best', 'fine_tune', 'probe' or 'sequence'; did you mean 'fine_tune'?"),
        ("    pooling: lse", "    pooling: topk", "train: fine_tune: pooling is 'topk', expected is 'lse', 'top_k', 'mean', 'max', 'mean_max' or 'flatten'; did you mean 'top_k'?"),
        ("    optimizer: adamw", "    optimizer: adamx", "train: fine_tune: optimizer is 'adamx', expected is 'adam', 'adamw', 'rmsprop' or 'sgd'; did you mean 'adam'?"),
        ("    head: transformer", "    head: transformr", "train.sequence: head 'transformr' is not known; did you mean 'transformer'?"),
        ("sample:", "smaple:", "unknown key 'smaple'; did you mean 'sample'?"),
        ("  fps: 1 ", "  fps: one ", "sample: fps is 'one', expected is a number; correct it"),
        ("  fps: 1 ", "  fps: 0 ", "sample: fps is 0, expected is above 0; correct it"),
        ("  fps: 1 ", "  fps: .nan ", "sample: fps is nan, expected is a finite number; correct it"),
        ("  jpeg_quality: 72", "  jpeg_quality: 72.5", "sample: jpeg_quality is 72.5, expected is a whole number; correct it"),
        ("  jpeg_quality: 72", "  jpeg_quality: 101", "sample: jpeg_quality is 101, expected is at most 100; correct it"),
        ("  jpeg_quality: 72", "  # gone", "sample: 'jpeg_quality' is missing; add it, params.yaml of a fresh clone explains it"),
        ("  - big_buck_bunny.mp4", "  - ../secret.mp4", "videos: '../secret.mp4' lies outside data/videos/; link or copy the film into that folder"),
        ("  - big_buck_bunny.mp4", "  - a.mp4\n  - A.mkv", "videos: 'a.mp4' and 'A.mkv' have one stem, 'A', which must be unique without regard to case; rename one film"),
        ("  - big_buck_bunny.mp4", "  - a.audit.mp4", "videos: 'a.audit.mp4': a video may not be called 'a.audit', label files end so; rename the film"),
        ("  - big_buck_bunny.mp4", "  - {file: a.mp4, splt: test}", "videos: unknown key 'splt'; did you mean 'split'?"),
        ("  - big_buck_bunny.mp4", "  - {file: a.mp4, split: train}", "videos: split is 'train', expected is 'test'; correct it"),
        ("  - bunny ", "  - bird ", "cast: 'bird' and 'bird' are one name; remove or rename one"),
        ("  - bunny ", "  - time_s ", "cast: 'time_s' is the name of a column; call the character otherwise"),
        ("  - bunny ", "  - '=1+1' ", "cast: '=1+1' may not be a name: no comma, line break, space at an end or leading = + - @ is allowed; rename it"),
        ("  - bunny ", "  - 'a,b' ", "cast: 'a,b' may not be a name: no comma, line break, space at an end or leading = + - @ is allowed; rename it"),
        ("  - bunny ", "  - yes ", "cast: True was found, a name was expected; write it in quotes"),
        ("  - bunny ", f"  - {unicodedata.normalize('NFD', 'Zoë')} ", f"cast: '{unicodedata.normalize('NFD', 'Zoë')}' is not in the normal form NFC; type the name anew"),
    ],
)  # fmt: skip
def test_each_mistake_has_one_sentence(tmp_path, old, new, sentence):
    assert sentence_for(changed(tmp_path, old, new)) == sentence


def test_an_empty_cast_is_refused(tmp_path):
    text = PROJECT.read_text(encoding="utf-8")
    head, _, tail = text.partition("cast:\n")
    path = tmp_path / "params.yaml"
    path.write_text(head + "cast: []\n" + tail[tail.index("\n# Where") :], encoding="utf-8")

    assert sentence_for(path) == "cast: [] was found, a list of character names was expected; name at least one"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no such file was found, the parameters were expected; run this in the project's top folder, or bring the file back with `git checkout params.yaml`"),
        ("sample: {fps: 1", "line 1: expected ',' or '}', but got '<stream end>', YAML was expected; correct the file"),
        ("- a\n", "a list was found, sections with keys were expected; correct the file"),
        ("", "nothing was found, sections with keys were expected; correct the file"),
        ("cast: [a]\n", "videos: nothing was found, a list of files under data/videos/ was expected; correct it"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_parameters_has_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "params.yaml"
    if content is not None:
        path.write_text(content)

    assert sentence_for(path) == sentence


def test_make_asks_for_the_parameters_before_dvc_does(tmp_path):
    asked = [sys.executable, "-m", "screentime", "check", "--only-params", "--params"]

    good = subprocess.run([*asked, "params.yaml"], cwd=PROJECT.parent, capture_output=True, text=True, check=False)
    bad = subprocess.run(
        [*asked, str(tmp_path / "p.yaml")], cwd=PROJECT.parent, capture_output=True, text=True, check=False
    )

    assert (good.returncode, good.stdout, good.stderr) == (0, "", "")
    assert (bad.returncode, bad.stderr.count("\n")) == (1, 1)
    assert bad.stderr.startswith(f"{tmp_path / 'p.yaml'}: no such file was found, the parameters were expected")


def test_nothing_in_the_code_has_a_default_but_what_may_be_left_out():
    optional = {("Params", "demo"), ("Params", "stills"), ("Report", "groups")}
    optional |= {("Video", name) for name in ("split", "skip", "sha256", "private", "licence", "credit")}
    found = set()
    for model in [Params, *_models(Params)]:
        found |= {(model.__name__, name) for name, field in model.model_fields.items() if not field.is_required()}

    assert found == optional


def _models(model: type) -> list[type]:
    kinds = []
    for field in model.model_fields.values():
        for kind in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(kind, type) and hasattr(kind, "model_fields"):
                kinds.append(kind)
    return kinds
