"""The stage train: the same bytes from the same input, honest scores, and too few labels named with the next command."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest
import warm
from stores import empty_store
from trained import CAST, FORM, drawn_frame, params_with, truth, write_arrays

from screentime import frozen, network
from screentime.errors import InputError
from screentime.files import read_json
from screentime.inputs import network_input
from screentime.labelled_frames import read_arrays
from screentime.methods import _parts
from screentime.runs import project_root
from screentime.scorer import Scorer
from screentime.table_files import read_table
from screentime.tables import EPOCHS, OUT_OF_FOLD
from screentime.tracking import store_uri
from stages.train import train

ROOT = Path(__file__).parents[1]
RUN = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from pathlib import Path
from stages.train import train
from trained import params_with
train(arrays=Path("arrays"), models=Path("two/models"), metrics=Path("two/metrics/train.json"),
      plots=Path("two/plots/epochs.csv"), sheet=Path("two/plots/augmented.jpg"), params=params_with({changes}))
"""


TUNED = {
    "method": "fine_tune", "epochs": 8, "folds": 3, "open": "blocks:2", "batch_size": 10, "learning_rate": 0.001, "validation": 0.0,
}  # fmt: skip


@pytest.fixture(scope="module", params=["probe", "fine_tune"])
def workplace(tmp_path_factory, request):
    """Two trainings on the same arrays, one in this process and one in a process of its own."""
    folder = tmp_path_factory.mktemp(request.param)
    targets = truth(60)
    targets[::7, 1] = np.nan
    write_arrays(folder / "arrays", targets)
    empty_store(folder)
    changes = TUNED if request.param == "fine_tune" else {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        train_here(params_with(**changes), Path("one"))
    code = RUN.format(root=str(ROOT), tests=str(ROOT / "tests"), changes=f"**{changes!r}")
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_two_processes_write_the_same_bytes(workplace):
    def contents(out: str) -> dict[str, bytes]:
        files = [path for path in (workplace / out).rglob("*") if path.is_file()]
        return {path.relative_to(workplace / out).as_posix(): path.read_bytes() for path in files}

    one, two = contents("one"), contents("two")
    models = ["architecture.json", "model.weights.h5", "scorer.tflite", "model.json", "out_of_fold.csv"]
    head = (
        ["models/head.npy"]
        if read_json(workplace / "one" / "models" / "model.json")["params"]["method"] == "probe"
        else []
    )
    assert set(one) == {f"models/{name}" for name in models} | {
        "metrics/train.json", "plots/epochs.csv", "plots/augmented.jpg", *head,
    }  # fmt: skip
    assert [name for name in one if one[name] != two[name]] == []
    assert "eight_bit" not in read_json(workplace / "one" / "metrics" / "train.json")  # nobody asked for it


def test_the_light_model_says_what_the_trained_one_says(workplace):
    model = network.load(workplace / "one" / "models")
    scorer = Scorer(workplace / "one" / "models", threads=1)
    images = [drawn_frame(bool(i & 1), bool(i & 2), 1000 + i) for i in range(24)]

    said = model.predict_on_batch(np.stack([network_input(image, FORM) for image in images]))
    trained, places = said if isinstance(said, list) else (said, None)
    light = np.array([scorer.logits(image) for image in images])

    assert np.ptp(trained, axis=0).min() > 1
    assert np.abs(trained - light).max() < 1e-3
    if places is None:
        assert scorer.logits_and_evidence(images[0])[1] is None
    else:
        assert np.abs(places - [scorer.logits_and_evidence(image)[1] for image in images]).max() < 1e-3


@pytest.mark.parametrize("workplace", ["probe"], indirect=True)
def test_a_third_of_the_frames_being_private_changes_what_is_learned_by_rounding_alone(
    workplace, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    backbone = frozen.feature_model(FORM, "mean_max")
    targets = truth(60)
    targets[::7, 1] = np.nan
    write_arrays(tmp_path / "arrays", targets, features_of=lambda inputs: frozen.features_of(backbone, inputs))
    run_here(params_with())

    images = [drawn_frame(bool(i & 1), bool(i & 2), 3000 + i) for i in range(24)]
    whole, partly = (Scorer(folder / "models", threads=1) for folder in (workplace / "one", tmp_path))
    scores = [[scorer.scores(image) for image in images] for scorer in (whole, partly)]

    assert np.ptp(scores[0]) > 0.8
    assert np.abs(np.array(scores[0]) - scores[1]).mean() < 0.05


def test_frames_it_has_not_seen_are_told_apart(workplace):
    scorer = Scorer(workplace / "one" / "models", threads=1)
    unseen = truth(60, seed=9)
    images = [drawn_frame(bool(disc), bool(cross), 5000 + i) for i, (disc, cross) in enumerate(unseen)]

    right = (np.array([scorer.scores(image) for image in images]) > 0.5) == unseen

    assert right.mean(axis=0).min() > 0.85


def test_shuffled_labels_teach_nothing_out_of_fold(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    targets = truth(60)
    write_arrays(tmp_path / "arrays", targets)
    shuffled = np.random.default_rng(3).permutation(targets)
    np.save(tmp_path / "arrays" / "targets.npy", shuffled)

    run_here(params_with())

    scores = read_table(tmp_path / "models" / "out_of_fold.csv", OUT_OF_FOLD, CAST)[list(CAST)].to_numpy()
    assert abs(np.corrcoef(scores[:, 0], shuffled[:, 0])[0, 1]) < 0.35


def test_every_training_frame_has_a_score_made_without_it(workplace):
    scores = read_table(workplace / "one" / "models" / "out_of_fold.csv", OUT_OF_FOLD, CAST)
    targets = np.load(workplace / "arrays" / "targets.npy")

    assert scores["time_s"].tolist() == [5.0 * i for i in range(60)]
    told = (scores["disc"].to_numpy() > 0.5) == (targets[:, 0] == 1)
    assert told.mean() > 0.8


def test_every_epoch_is_written_and_the_loss_falls(workplace):
    epochs = read_table(workplace / "one" / "plots" / "epochs.csv", EPOCHS)

    assert epochs["epoch"].tolist() == list(range(1, len(epochs) + 1))
    assert epochs["loss"].iloc[-1] < epochs["loss"].iloc[0]
    assert epochs["final_loss"].notna().sum() == read_json(workplace / "one" / "metrics" / "train.json")["epochs"]


def test_two_trainings_of_the_same_are_one_run_with_its_epochs_and_its_model(workplace):
    client = mlflow.MlflowClient(f"sqlite:///{workplace / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("screentime")
    runs = client.search_runs([experiment.experiment_id])
    facts = read_json(workplace / "one" / "models" / "model.json")

    assert len(runs) == 1
    run = runs[0]
    assert run.info.status == "FINISHED"
    assert run.data.tags["run_key"] == facts["run_key"]
    assert run.info.run_name == f"efficientnet-lite0-96x64-{facts['run_key'][:7]}"
    assert run.data.params["train.seed"] == "0"
    assert run.data.params["data.sha256_inputs.npy"] == facts["data"]["sha256_inputs.npy"]
    history = client.get_metric_history(run.info.run_id, "loss")
    epochs = read_table(workplace / "one" / "plots" / "epochs.csv", EPOCHS)
    assert [round(metric.value, 6) for metric in sorted(history, key=lambda metric: metric.step)] == epochs[
        "loss"
    ].tolist()


def test_the_model_in_mlflow_scores_pictures_without_tensorflow(workplace):
    code = f"""
import sys, numpy as np, mlflow
sys.path.insert(0, {str(ROOT / "tests")!r})
mlflow.set_tracking_uri("sqlite:///mlflow.db")
run = mlflow.search_runs(search_all_experiments=True, output_format="list")[0]
model = mlflow.pyfunc.load_model(f"runs:/{{run.info.run_id}}/model")
table = model.predict(np.load("pictures.npy"))
assert "tensorflow" not in sys.modules
table.to_csv("served.csv", index=False)
"""
    images = np.stack([drawn_frame(bool(i & 1), bool(i & 2), 1000 + i) for i in range(4)])
    np.save(workplace / "pictures.npy", images)
    done = subprocess.run([sys.executable, "-c", code], cwd=workplace, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    served = np.loadtxt(workplace / "served.csv", delimiter=",", skiprows=1)
    scorer = Scorer(workplace / "one" / "models", threads=1)
    assert np.allclose(served, [scorer.scores(image) for image in images], atol=1e-6)


def test_a_damaged_model_is_refused(workplace, tmp_path):
    models = tmp_path / "models"
    models.mkdir()
    for path in (workplace / "one" / "models").iterdir():
        (models / path.name).write_bytes(path.read_bytes())
    (models / "scorer.tflite").write_bytes(b"x" + (models / "scorer.tflite").read_bytes()[1:])

    with pytest.raises(
        InputError, match=r"scorer\.tflite: its sha256 is .*, model\.json names .*; run `dvc repro train`"
    ):
        Scorer(models, threads=1)


KILLED = {
    "between two epochs": """
from screentime.fine_tuning import Tuning
ended, count = Tuning._end_epoch, []
def at_the_end(*told):
    ended(*told)
    count.append(told)
    if len(count) == 6:  # of four networks side by side: in their second epoch
        os.kill(os.getpid(), signal.SIGKILL)
Tuning._end_epoch = at_the_end
""",
    "in writing": """
def at_event(event, arguments):
    if event == "open" and str(arguments[0]).endswith("out_of_fold.csv.partial"):
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(at_event)
""",
}


@pytest.mark.parametrize("workplace", ["fine_tune"], indirect=True)
@pytest.mark.parametrize("moment", KILLED)
def test_a_training_that_is_killed_leaves_the_model_there_was(workplace, tmp_path, moment):
    shutil.copytree(workplace / "one" / "models", tmp_path / "two" / "models")
    (tmp_path / "arrays").symlink_to(workplace / "arrays")
    before = {path.name: path.read_bytes() for path in (tmp_path / "two" / "models").iterdir()}
    changes = f"**{TUNED | {'epochs': 2, 'seed': 1}!r}"
    code = RUN.format(root=str(ROOT), tests=str(ROOT / "tests"), changes=changes)
    code = code.replace("train(arrays", f"import os, signal\n{KILLED[moment]}\ntrain(arrays")

    words = [warm.commands(tmp_path) / "python", "-c", code]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == -signal.SIGKILL, done.stderr
    assert {path.name: path.read_bytes() for path in (tmp_path / "two" / "models").iterdir()} == before


def run_here(params) -> None:
    empty_store(Path.cwd())
    train_here(params, Path())


def train_here(params, out: Path) -> None:
    train(
        arrays=Path("arrays"), models=out / "models", metrics=out / "metrics" / "train.json",
        plots=out / "plots" / "epochs.csv", sheet=out / "plots" / "augmented.jpg", params=params,
    )  # fmt: skip


NEXT = (
    "label the frames that data/suggestions/<video_id>.csv names in data/labels/<video_id>.csv (docs/labelling.md), then "
    "run `dvc repro`"
)


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (
            np.zeros((0, 2), np.float32),
            f"data/labels: 0 labelled frames were found, at least 20 are needed to train; {NEXT}",
        ),
        (truth(19), f"data/labels: 19 labelled frames were found, at least 20 are needed to train; {NEXT}"),
        (
            truth(30) * [1, 0],
            "data/labels: 'cross' is labelled present never, at least 3 frames are needed to train; "
            f"{NEXT}, or remove 'cross' from the cast in params.yaml",
        ),
        (
            np.maximum(truth(30), [1, 0]),
            "data/labels: 'disc' is labelled absent never, at least 3 frames are needed to train; "
            f"{NEXT}, or remove 'disc' from the cast in params.yaml",
        ),
    ],
    ids=["none", "few", "never present", "never absent"],
)
def test_too_few_labels_are_named_with_what_is_needed_and_the_next_command(tmp_path, monkeypatch, targets, sentence):
    monkeypatch.chdir(tmp_path)
    write_arrays(tmp_path / "arrays", np.asarray(targets, np.float32))

    with pytest.raises(InputError) as failure:
        run_here(params_with())

    assert str(failure.value) == sentence
    assert not (tmp_path / "models").exists()


def test_a_store_that_is_away_costs_a_sentence_and_not_the_model(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    write_arrays(tmp_path / "arrays", truth(40))

    run_here(params_with(epochs=5))

    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("MLflow: the store http://127.0.0.1:9 cannot be used (")
    assert said.endswith("the model is kept, `python -m stages.publish` adds the run later")
    assert (tmp_path / "models" / "scorer.tflite").is_file()


@pytest.mark.parametrize(
    ("fine_tune", "better"), [({"epochs": 1, "learning_rate": 1e-6}, "probe"), ({"epochs": 10}, "fine_tune")]
)
def test_the_best_of_two_methods_is_the_one_that_errs_less_where_frames_were_held_out(
    tmp_path, monkeypatch, fine_tune, better
):
    monkeypatch.chdir(tmp_path)
    targets = truth(40)
    write_arrays(tmp_path / "arrays", targets)
    tuned = {"open": "blocks:2", "batch_size": 10, "least_steps": 0} | fine_tune
    probe = {"epochs": 80 if better == "probe" else 1}

    asked = better == "fine_tune"
    run_here(params_with(method="best", folds=3, tensorboard=asked, fine_tune=tuned, probe=probe))

    figures, facts = read_json(Path("metrics/train.json")), read_json(Path("models/model.json"))
    errors = figures["squared_error"]
    assert set(errors) == {"fine_tune", "probe"}
    assert figures["method"] == facts["method"] == better == min(errors, key=errors.get)
    assert {"fine_tune", "probe"} <= set(facts["params"])
    assert ("head.npy" in facts["files"]) == (better == "probe")
    scores = read_table(tmp_path / "models" / "out_of_fold.csv", OUT_OF_FOLD, CAST)[list(CAST)].to_numpy()
    assert ((scores - targets) ** 2).mean() == pytest.approx(errors[better], abs=1e-5)
    boards = {path.parts[1] for path in Path("tensorboard").rglob("events.out.tfevents.*")}
    assert boards == ({"fold_1", "fold_2", "fold_3", "final"} if asked else set())


@pytest.mark.parametrize(("share", "n_folds", "n_held_out"), [(0.0, 4, 0), (0.05, 4, 1), (0.4, 5, 2), (0.5, 3, 1)])
def test_frames_that_say_when_to_stop_are_whole_parts_and_one_at_least_trains(tmp_path, share, n_folds, n_held_out):
    write_arrays(tmp_path / "arrays", truth(60))
    settings = params_with(method="fine_tune", validation=share, folds=n_folds).train

    parts = _parts(read_arrays(tmp_path / "arrays"), settings, "fine_tune")

    for number, fold in enumerate(parts):
        behind = [parts[(number + step) % n_folds].test for step in range(1, n_held_out + 1)]
        assert set(fold.validation) == {row for test in behind for row in test}
        assert len(fold.train) > 0


def test_where_films_are_private_the_best_is_what_can_train_on_features(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_arrays(
        tmp_path / "arrays",
        truth(40),
        features_of=lambda inputs: frozen.features_of(frozen.feature_model(FORM, "mean_max"), inputs),
    )
    run_here(params_with(method="best", fine_tune={"epochs": 1}, probe={"epochs": 5}))

    assert read_json(Path("metrics/train.json"))["squared_error"].keys() == {"probe"}
    assert "head.npy" in read_json(Path("models/model.json"))["files"]


def test_one_class_per_frame_gives_scores_that_exclude_each_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    targets = truth(60)
    targets[targets.sum(axis=1) == 2] = (1, 0)
    write_arrays(tmp_path / "arrays", targets)

    run_here(params_with(exclusive=True))

    scorer = Scorer(tmp_path / "models", threads=1)
    logits = np.array([scorer.logits(drawn_frame(i % 2 == 0, i % 2 == 1, 700 + i)) for i in range(10)])
    assert (1 / (1 + np.exp(-logits))).sum(axis=1).max() <= 1 + 1e-6
    assert (logits.argmax(axis=1) == np.arange(10) % 2).mean() >= 0.9


def test_labels_that_contradict_one_class_per_frame_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    targets = np.tile(np.float32([(1, 0), (0, 1), (0, 0)]), (20, 1))
    targets[[7, 30]] = 1
    write_arrays(tmp_path / "arrays", targets)

    with pytest.raises(InputError) as failure:
        run_here(params_with(exclusive=True))

    assert str(failure.value) == (
        "params.yaml: train.exclusive is true, disc and cross are labelled visible together (film at 35 s; pictures like "
        "that: 2), one at most was expected; set it to false, or correct the labels"
    )


def test_runs_of_experiments_in_a_copy_go_to_the_projects_own_store():
    copy = Path("/films/.dvc/tmp/exps/tmpab12")

    assert project_root(copy) == Path("/films")
    assert store_uri({}, copy) == "sqlite:////films/mlflow.db"
    assert store_uri({"MLFLOW_TRACKING_URI": "http://localhost:5000"}, copy) == "http://localhost:5000"
