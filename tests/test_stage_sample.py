"""The stage sample: one packed file per film, whole times, and nothing lost without being said."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import synthetic

from screentime.errors import InputError
from screentime.files import read_json
from screentime.frames import open_frames
from screentime.params import Params, load
from stages.sample import sample

PROJECT = Path(__file__).parents[1] / "params.yaml"


def params_for(*films: str, **settings: object) -> Params:
    project = load(PROJECT)
    return Params.model_validate(
        project.model_dump()
        | {"videos": tuple({"file": film} for film in films)}
        | {"sample": project.sample.model_dump() | {"workers": 1} | settings}
    )


def run(folder: Path, params: Params) -> None:
    sample(videos=folder / "videos", frames=folder / "frames", metrics=folder / "metrics.json", params=params)


def film(folder: Path, name: str, n_frames: int = 45, rate: Fraction = Fraction(15), **options: object) -> None:
    (folder / "videos").mkdir(exist_ok=True)
    starts_s = synthetic.constant_rate(n_frames, rate)
    synthetic.write_film(folder / "videos" / name, starts_s, **options)


def test_each_packed_frame_is_the_one_on_screen_and_the_weights_sum_to_the_length(tmp_path):
    film(tmp_path, "ntsc.mp4", n_frames=100, rate=Fraction(30000, 1001))

    run(tmp_path, params_for("ntsc.mp4", fps=2.0))

    pack = open_frames(tmp_path / "frames", "ntsc")
    numbers = [synthetic.number_of(pack.image(i)) for i in range(len(pack))]
    starts_s = synthetic.constant_rate(100, Fraction(30000, 1001))
    assert numbers == [synthetic.number_on_screen(starts_s, Fraction(k, 2)) for k in range(7)]
    assert round(pack.durations_s.sum() * 1e6) == round(100 * 1001 / 30000 * 1e6)
    assert pack.facts["length_s"] == round(100 * 1001 / 30000, 6)


def test_names_with_spaces_and_letters_of_other_scripts_work(tmp_path):
    film(tmp_path, "Zoë  и кот.mp4")

    run(tmp_path, params_for("Zoë  и кот.mp4"))

    assert len(open_frames(tmp_path / "frames", "Zoë  и кот")) == 3


def test_a_hole_is_filled_by_the_frame_before_it_and_counted(tmp_path):
    film(tmp_path, "slow.mp4", n_frames=4, rate=Fraction(1, 2))

    run(tmp_path, params_for("slow.mp4"))

    facts = read_json(tmp_path / "metrics.json")["videos"]["slow"]
    pack = open_frames(tmp_path / "frames", "slow")
    assert [synthetic.number_of(pack.image(i)) for i in range(len(pack))] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert (facts["n_frames"], facts["held_frames"], facts["bad_packets"]) == (8, 4, 0)


def test_one_broken_film_is_named_and_the_other_is_sampled(tmp_path):
    film(tmp_path, "good.mp4")
    (tmp_path / "videos" / "empty.mp4").touch()
    path = tmp_path / "videos" / "empty.mp4"

    with pytest.raises(InputError) as failure:
        run(tmp_path, params_for("empty.mp4", "good.mp4"))

    assert (
        str(failure.value).splitlines()[0] == f"{path}: the file is empty (0 bytes), a film was expected; copy it again"
    )
    assert len(open_frames(tmp_path / "frames", "good")) == 3


def test_a_film_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(InputError) as failure:
        run(tmp_path, params_for("none.mp4"))

    path = tmp_path / "videos" / "none.mp4"
    assert str(failure.value).splitlines()[0] == (
        f"{path}: there is no such file, a film was expected; check the name or put the film there"
    )


def test_a_film_is_sampled_again_only_when_its_bytes_or_the_parameters_change(tmp_path, capsys):
    film(tmp_path, "a.mp4")
    film(tmp_path, "b.mp4", n_frames=30)
    params = params_for("a.mp4", "b.mp4")
    run(tmp_path, params)
    before = {path.name: path.read_bytes() for path in (tmp_path / "frames").iterdir()}
    capsys.readouterr()

    run(tmp_path, params)
    film(tmp_path, "b.mp4", n_frames=60)
    run(tmp_path, params)
    run(tmp_path, params_for("a.mp4", "b.mp4", fps=2.0))

    said = [line.partition(": ")[2].partition(" of")[0] for line in capsys.readouterr().out.splitlines()]
    assert said == ["0", "1", "2"]
    assert {path.name for path in (tmp_path / "frames").iterdir()} == set(before)


def test_equal_input_gives_equal_bytes(tmp_path):
    film(tmp_path, "a.mp4")
    contents = []
    for _ in range(2):
        run(tmp_path, params_for("a.mp4"))
        contents.append({path.name: path.read_bytes() for path in (tmp_path / "frames").iterdir()})
        for path in (tmp_path / "frames").iterdir():
            path.unlink()

    assert contents[0] == contents[1]


def test_kept_frames_are_never_enlarged(tmp_path):
    film(tmp_path, "small.mp4", width=96, height=64)

    run(tmp_path, params_for("small.mp4"))

    assert open_frames(tmp_path / "frames", "small").image(0).shape == (64, 96, 3)
    assert np.all(open_frames(tmp_path / "frames", "small").durations_s > 0)


def test_a_film_missing_among_the_deps_is_named(tmp_path, capsys, monkeypatch):
    film(tmp_path, "a.mp4")
    (tmp_path / "dvc.yaml").write_text("stages: {sample: {cmd: x, deps: [data/videos/b.mp4]}}")
    monkeypatch.chdir(tmp_path)

    sample(videos=Path("videos"), frames=Path("frames"), metrics=Path("m.json"), params=params_for("a.mp4"))

    assert capsys.readouterr().err.splitlines()[-1] == (
        "dvc.yaml: stages: sample: 'videos/a.mp4' is not among the deps, every film of params.yaml was expected; add it, "
        "or DVC will not notice when that film changes"
    )
