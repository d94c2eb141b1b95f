"""Scoring in whole numbers of 8 bits: nearly the same scores, what it costs is said, and it is kept only where that is little."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scored import CAST, film, offered, pictures, write_models
from stores import empty_store
from trained import params_with, truth, write_arrays

from screentime import eight_bit
from screentime.__main__ import main
from screentime.files import read_json, sha256_of, write_json
from screentime.labelled_frames import read_arrays
from screentime.scorer import LIGHT_MODEL, LIGHT_MODEL_8_BIT, Scorer
from screentime.table_files import read_table
from screentime.tables import TIMELINE
from stages.train import _eight_bit, train

SHOWN = pictures(60, seed=5)


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("eight_bit") / "models"
    write_models(folder)
    return folder


def test_what_it_costs_is_measured_on_frames_that_did_not_tell_the_ranges(models, tmp_path, monkeypatch):
    monkeypatch.setattr(eight_bit, "ALLOWED", 1.0)

    cost = offered(models, tmp_path / "models", SHOWN)

    judged = SHOWN[1::2]
    whole, light = Scorer(models, threads=1), Scorer(tmp_path / "models", threads=1)
    apart = np.array([light.scores(one) - whole.scores(one) for one in judged])
    assert cost["n_frames"] == 30 and cost["kept"]
    assert cost["difference"] == pytest.approx(np.abs(apart).mean(), abs=2e-3)
    assert cost["largest"] == pytest.approx(np.abs(apart).max(), abs=2e-2)
    assert cost["bias"] == pytest.approx(np.abs(apart.mean(axis=0)).max(), abs=2e-3)
    assert 0 < cost["difference"] < 0.2  # the head was drawn by chance, which is the worst for it
    said = np.array([(light.logits(one), whole.logits(one)) for one in pictures(40, seed=9)])
    assert min(np.corrcoef(said[:, 0, place], said[:, 1, place])[0, 1] for place in range(len(CAST))) > 0.9
    sizes = [(tmp_path / "models" / name).stat().st_size for name in (LIGHT_MODEL_8_BIT, LIGHT_MODEL)]
    assert sizes[0] < 0.5 * sizes[1]


def test_where_it_costs_too_much_there_is_none(models, tmp_path, monkeypatch):
    monkeypatch.setattr(eight_bit, "ALLOWED", 1e-6)

    cost = offered(models, tmp_path / "models", SHOWN)

    assert not cost["kept"] and not (tmp_path / "models" / LIGHT_MODEL_8_BIT).exists()
    picture = pictures(1, seed=3)[0]
    same = [Scorer(folder, threads=1).scores(picture) for folder in (models, tmp_path / "models")]
    assert np.array_equal(*same)


def test_the_same_frames_give_the_same_network(models, tmp_path, monkeypatch):
    monkeypatch.setattr(eight_bit, "ALLOWED", 1.0)
    for name in ("one", "two"):
        offered(models, tmp_path / name, SHOWN)

    assert sha256_of(tmp_path / "one" / LIGHT_MODEL_8_BIT) == sha256_of(tmp_path / "two" / LIGHT_MODEL_8_BIT)


def test_it_scores_films_where_training_was_asked_for_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.setattr(eight_bit, "ALLOWED", 1.0)  # so small a picture is rounded coarsely
    write_arrays(tmp_path / "arrays", truth(60))
    empty_store(tmp_path)
    train(
        arrays=tmp_path / "arrays", models=tmp_path / "with", metrics=tmp_path / "with.json",
        plots=tmp_path / "epochs.csv", sheet=tmp_path / "sheet.jpg", params=params_with(eight_bit=True),
    )  # fmt: skip
    told = capsys.readouterr().out

    cost = json.loads((tmp_path / "with.json").read_text())["eight_bit"]
    assert cost["kept"] and cost["difference"] <= eight_bit.ALLOWED and cost["n_frames"] == 30
    assert f"8-bit network: its scores differ by {cost['difference']:.4f}" in told
    facts = read_json(tmp_path / "with" / "model.json")
    assert LIGHT_MODEL_8_BIT in facts["files"]
    shutil.copytree(tmp_path / "with", tmp_path / "without")  # as a training leaves it that was not asked for it
    (tmp_path / "without" / LIGHT_MODEL_8_BIT).unlink()
    files = {name: digest for name, digest in facts["files"].items() if name != LIGHT_MODEL_8_BIT}
    write_json(tmp_path / "without" / "model.json", facts | {"files": files})
    path, tables = film(tmp_path / "film.mp4"), []
    for name in ("with", "without"):
        main(
            [
                "score",
                str(path),
                "--model",
                str(tmp_path / name),
                "--out",
                str(tmp_path / f"out_{name}"),
                "--params",
                str(PARAMS),
            ]
        )
        table = read_table(tmp_path / f"out_{name}" / "film" / "timeline.csv", TIMELINE, ("disc", "cross"))
        tables.append(table[["disc", "cross"]].to_numpy())
    assert 0 < np.abs(tables[0] - tables[1]).mean() < 0.5


@pytest.mark.parametrize("n_pictures", [0, 1])
def test_where_private_films_leave_too_few_pictures_to_compare_there_is_none(n_pictures, models, tmp_path, capsys):
    write_arrays(tmp_path / "arrays", truth(20))
    labelled = read_arrays(tmp_path / "arrays")
    labelled = replace(labelled, inputs=labelled.inputs[:n_pictures])

    cost = _eight_bit(models, labelled, params_with(eight_bit=True).train, "probe", np.ones(2), np.zeros(2))

    said = f"8-bit network: none, what it costs is measured on 2 labelled pictures or more; {n_pictures} found\n"
    assert (cost, capsys.readouterr().out) == ({}, said)
    assert not (models / LIGHT_MODEL_8_BIT).exists()


PARAMS = Path(__file__).parents[1] / "params.yaml"
