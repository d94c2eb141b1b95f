"""`python -m stages.publish`: the run of a model comes into the MLflow store from the outputs alone, and only once."""

import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
import sqlalchemy
import warm
import yaml
from published import KEY, LOSSES, begin, publish, runs_in, write_evaluation, write_outputs
from stores import empty_store

from screentime.clip_runs import ClipRecord, keep
from screentime.closure import ROOT, import_closure
from screentime.files import write_json
from screentime.runs import SERVING_NEEDS, record_of
from screentime.saved_view import SHARED_VIEW
from screentime.tracking import open_store
from stages.publish import PLACES

NAME = f"efficientnet-lite0-96x64-{KEY[:7]}"


@pytest.fixture
def outputs(tmp_path: Path) -> Path:
    """What the stages left of a training of three epochs: no arrays, no network; and an empty store."""
    empty_store(tmp_path)
    return write_outputs(tmp_path)


@pytest.fixture
def no_store(outputs: Path) -> Path:
    """The same in a folder that never had a store."""
    (outputs / "mlflow.db").unlink()
    return outputs


def set_threshold(folder: Path, threshold: float) -> None:
    """As `dvc exp run -S estimate.threshold=..` leaves params.yaml."""
    params = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    params["estimate"]["threshold"] = threshold
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


def record(folder: Path, **environment: str):
    places = {name: folder / place for name, place in PLACES.items()}
    return record_of(**places, settings={"estimate": {"threshold": 0.5}}, environment=environment)


def test_published_twice_at_once_and_again_there_is_one_whole_run(no_store):
    """Two processes find no store at all; a third finds new figures, a lower one too."""
    outputs = no_store
    for process in [begin(outputs), begin(outputs)]:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    write_evaluation(outputs, average_precision=0.85, accuracy=0.95)
    code, said, _ = publish(outputs)

    client, runs = runs_in(outputs)
    assert code == 0
    assert said == (
        f"MLflow: run '{NAME}' in experiment 'screentime'; compare: `mlflow ui`, then "
        "http://127.0.0.1:5000/#/experiments/1/runs?viewStateShareKey=comparison\n"
    )
    assert len(runs) == 1
    info, data = runs[0].info, runs[0].data
    assert (info.status, info.run_name) == ("FINISHED", NAME)
    assert data.tags["run_key"] == KEY
    wanted = {"train.seed": "3", "preprocess.width": "96", "data.n_frames": "80", "sample.fps": "1.0"}
    wanted |= {"estimate.threshold": "0.5", "cast": "ann, bob", "videos": "big_buck_bunny.mp4"}
    assert {name: data.params[name] for name in wanted} == wanted
    assert "sample.workers" not in data.params
    history = sorted((metric.step, metric.value) for metric in client.get_metric_history(info.run_id, "loss"))
    assert history == list(enumerate(LOSSES, start=1))
    assert len(client.get_metric_history(info.run_id, "final_loss")) == 2
    figures = {name: value for name, value in data.metrics.items() if "loss" not in name}
    assert figures == {
        "train/epochs": 2, "audit/average_precision": 0.85, "audit/accuracy": 0.95, "audit/ann/f1": 0.5,
        "seconds/ann": 12.5, "seconds/bob": 12.5, "interval_low/ann": 10, "interval_low/bob": 10,
        "interval_high/ann": 15, "interval_high/bob": 15, "interval_width/ann": 5, "interval_width/bob": 6,
        "interval_width": 5.5,
    }  # fmt: skip
    kept = [
        item.path for place in ("metrics", "plots", "reports") for item in client.list_artifacts(info.run_id, place)
    ]
    assert kept == [
        "metrics/estimate.json", "metrics/evaluate.json", "metrics/train.json", "plots/epochs.csv",
        "reports/screen_time.csv",
    ]  # fmt: skip
    models = client.search_logged_models([info.experiment_id])
    assert [model.source_run_id for model in models] == [info.run_id]
    assert (outputs / "mlruns").is_dir()


def test_each_outcome_of_a_model_is_a_run_named_by_its_experiments(outputs):
    """Another parameter: another run with the same logged model. The same outcome twice: both names."""
    assert publish(outputs, DVC_EXP_NAME="usual")[0] == 0
    set_threshold(outputs, 0.4)
    assert publish(outputs, DVC_EXP_NAME="low")[0] == 0
    assert publish(outputs, DVC_EXP_NAME="again")[0] == 0

    client, runs = runs_in(outputs)
    assert [(run.info.run_name, run.data.params["estimate.threshold"]) for run in runs] == [
        ("usual", "0.5"),
        ("low, again", "0.4"),
    ]
    experiment_id = runs[0].info.experiment_id
    models = client.search_logged_models([experiment_id])
    assert [[one.model_id for one in run.outputs.model_outputs] for run in runs] == [[models[0].model_id]] * 2
    assert len(models) == 1

    view = json.loads(client.get_experiment(experiment_id).tags[f"{SHARED_VIEW}comparison"])
    state = json.loads(view["state"])
    assert (view["name"], state["orderByKey"]) == ("Comparison", "metrics.`audit/average_precision`")
    assert state["selectedColumns"] == state["columnOrder"] == [
        "metrics.`audit/average_precision`", "metrics.`interval_width`", "params.`estimate.threshold`",
    ]  # fmt: skip


def test_a_training_belongs_to_the_experiment_whose_outcome_comes_first(outputs):
    """Two workers with the same head: one trains, the other is measured first. Each has a run of its own name."""
    train_only = (
        "from pathlib import Path; from stages.train import _track; "
        "_track(Path('models/trained'), Path('metrics/train.json'), Path('plots/epochs.csv'))"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_EXP_NAME": "strong"}
    subprocess.run([sys.executable, "-c", train_only], cwd=outputs, env=environment, check=True)
    assert [run.info.run_name for run in runs_in(outputs)[1]] == ["strong"]
    set_threshold(outputs, 0.4)
    assert publish(outputs, DVC_EXP_NAME="both")[0] == 0
    set_threshold(outputs, 0.5)
    assert publish(outputs, DVC_EXP_NAME="strong")[0] == 0

    _, runs = runs_in(outputs)
    assert {run.info.run_name: run.data.params["estimate.threshold"] for run in runs} == {
        "both": "0.4",
        "strong": "0.5",
    }
    assert {run.data.tags["dvc_experiments"] for run in runs} == {"both", "strong"}
    assert len({run.outputs.model_outputs[0].model_id for run in runs}) == 1


DISTURBED = """
import os, runpy, signal, sys
from pathlib import Path

def at_event(event, arguments):
    if event == "open" and "/artifacts/metrics/" in str(arguments[0]) and not Path("once").exists():
        Path("once").touch()
        os.kill(os.getpid(), signal.{signal})

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
sys.addaudithook(at_event)
runpy.run_module("stages.publish", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    ("signal", "code", "status"),
    [("SIGINT", 130, "KILLED"), ("SIGKILL", -9, "RUNNING")],  # of the second nobody is left to tell
)
def test_a_run_whose_filling_ends_early_is_marked_as_ended_and_replaced(outputs, signal, code, status):
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    ended = subprocess.run(
        [warm.commands(outputs) / "python", "-c", DISTURBED.format(signal=signal)], cwd=outputs, env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    _, (run,) = runs_in(outputs)
    assert (ended.returncode, run.info.status) == (code, status), ended.stderr
    assert "Traceback" not in ended.stderr
    assert publish(outputs)[0] == 0
    _, (whole,) = runs_in(outputs)
    assert (whole.info.status, whole.data.tags["run_key"]) == ("FINISHED", KEY)
    assert whole.info.run_id != run.info.run_id
    assert "train.seed" in whole.data.params and whole.outputs.model_outputs


def test_a_run_of_clips_whose_filling_fails_is_marked_as_ended_and_replaced(outputs):
    kept = outputs / "screen_time.csv"
    record = ClipRecord(
        "gru", "clips", "ab", {"run_key": "cd"}, {"head": "gru"}, [(1, {"loss": 0.5})], {}, [(kept, "m")]
    )

    with open_store(mlflow, {}, outputs) as client:
        with pytest.raises(OSError, match="No such file"):
            keep(mlflow, client, record, outputs)
        (failed,) = runs_in(outputs)[1]
        kept.touch()
        run = keep(mlflow, client, record, outputs)

    assert [one.info.run_id for one in runs_in(outputs)[1]] == [run.info.run_id] != [failed.info.run_id]
    assert (failed.info.status, run.info.status) == ("FAILED", "FINISHED")


def test_a_copy_of_the_project_for_an_experiment_publishes_into_the_projects_own_store(outputs):
    copy = outputs / ".dvc" / "tmp" / "exps" / "tmpx1"
    for name in ("models", "metrics", "plots", "reports", "data"):
        shutil.copytree(outputs / name, copy / name)
    shutil.copy(outputs / "params.yaml", copy)

    code, _, errors = publish(copy)

    _, runs = runs_in(outputs)
    assert code == 0, errors
    assert len(runs) == 1
    assert Path(runs[0].info.artifact_uri.removeprefix("file://")).is_relative_to(outputs / "mlruns")
    assert not (copy / "mlflow.db").exists()
    assert not (copy / "mlruns").exists()


AWAY = (
    "MLflow: the store {} cannot be used ({}), a running store of this version was expected; start it, correct "
    "MLFLOW_TRACKING_URI, or unset it to keep runs in mlflow.db"
)


def test_a_store_that_is_away_is_an_error_by_hand_and_a_warning_in_the_pipeline(outputs):
    uri = "http://127.0.0.1:9"

    by_hand = publish(outputs, MLFLOW_TRACKING_URI=uri)
    in_dvc = publish(outputs, MLFLOW_TRACKING_URI=uri, DVC_STAGE="publish")

    reason = by_hand[2].split(" (", 1)[1].split("), a running")[0]
    assert reason.startswith("Failed to establish a new connection: ")
    assert by_hand == (1, "", AWAY.format(uri, reason) + "\n")
    said = f"{AWAY.format(uri, reason)}; all results are kept, `python -m stages.publish` adds the run later\n"
    assert in_dvc == (0, "", said)


def test_a_server_that_never_answers_is_given_up(outputs):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert publish(outputs, MLFLOW_TRACKING_URI=uri) == (
            1, "", AWAY.format(uri, "Read timed out. (read timeout=3)") + "\n",
        )  # fmt: skip


def test_a_store_of_an_older_mlflow_is_left_as_it_is_until_its_owner_upgrades_it(no_store):
    outputs, database = no_store, no_store / "mlflow.db"
    older, expected = write_older_store(database)
    before = database.read_bytes()
    uri = f"sqlite:///{database}"

    assert publish(outputs) == (
        1, "",
        f"MLflow: the store {uri} was made by an older MLflow (its schema is {older}), one of MLflow "
        f"{importlib.metadata.version('mlflow')} was expected ({expected}); copy the file, then run `mlflow db upgrade {uri}`\n",
    )  # fmt: skip
    assert database.read_bytes() == before
    subprocess.run([Path(sys.executable).with_name("mlflow"), "db", "upgrade", uri], check=True, capture_output=True)
    assert publish(outputs)[0] == 0
    assert len(runs_in(outputs)[1]) == 1


def test_a_store_of_a_newer_mlflow_is_told_as_one(no_store):
    outputs, database = no_store, no_store / "mlflow.db"
    _, expected = write_older_store(database)
    engine = sqlalchemy.create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE alembic_version SET version_num = 'ffff00000000'"))
    engine.dispose()

    assert publish(outputs) == (
        1, "",
        f"MLflow: the store sqlite:///{database} was made by a newer MLflow (its schema is ffff00000000), one of MLflow "
        f"{importlib.metadata.version('mlflow')} was expected ({expected}); install the MLflow that made it, or set "
        "MLFLOW_TRACKING_URI to another store\n",
    )  # fmt: skip


def write_older_store(database: Path) -> tuple[str, str]:
    """The database that MLflow made three revisions ago, by its own migrations; that revision, and today's."""
    from alembic import command, script
    from mlflow.store.db.utils import _get_alembic_config
    from mlflow.store.tracking.dbmodels.initial_models import Base

    config = _get_alembic_config(f"sqlite:///{database}")
    revisions = [one.revision for one in script.ScriptDirectory.from_config(config).walk_revisions()]
    engine = sqlalchemy.create_engine(f"sqlite:///{database}")
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions[3])
    engine.dispose()
    return revisions[3], revisions[0]


@pytest.mark.parametrize(("missing", "code"), [("models/trained/model.json", 1), ("metrics/train.json", 1)])
def test_without_a_model_there_is_nothing_to_publish(outputs, missing, code):
    (outputs / missing).unlink()

    assert publish(outputs) == (
        code,
        "",
        f"{Path(missing)}: no trained model was found; run `dvc repro`, or `dvc pull`\n",
    )


def lock(folder: Path, **stages: dict) -> None:
    """A dvc.lock, as DVC leaves it."""
    (folder / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}), encoding="utf-8")


def test_results_of_other_parameters_are_not_published_by_hand(no_store):
    outputs = no_store
    then = yaml.safe_load((outputs / "params.yaml").read_text(encoding="utf-8"))["estimate"]
    lock(outputs, estimate={"params": {"params.yaml": {"estimate": then}}, "deps": []})
    set_threshold(outputs, 0.4)

    assert publish(outputs) == (
        1,
        "",
        "params.yaml: estimate.threshold is 0.4, the results were made with 0.5; run `dvc repro`, which also publishes\n",
    )
    assert not (outputs / "mlflow.db").exists()


def test_figures_of_an_earlier_model_are_not_published_by_hand(outputs):
    lock(
        outputs,
        train={"outs": [{"path": "models/trained", "md5": "new"}]},
        evaluate={"deps": [{"path": "models/trained", "md5": "old"}]},
    )

    assert publish(outputs) == (
        1,
        "",
        "metrics/evaluate.json: the figures are those of another model, those of the model in models/trained/ were expected; run "
        "`dvc repro`, which also publishes\n",
    )


def test_a_run_is_named_by_the_experiment_else_by_backbone_size_and_key(outputs):
    assert record(outputs, DVC_EXP_NAME="humble-otter").name == "humble-otter"
    assert record(outputs).name == NAME


def test_figures_that_are_not_numbers_are_left_out(outputs):
    evaluation = {"split": "none", "audit": {"macro": {"f1": 1, "ok": True, "note": "a", "x": None}, "characters": {}}}
    evaluation["audit"]["characters"]["bunny, the rabbit"] = {"f1": 0.5}
    write_json(outputs / "metrics" / "evaluate.json", evaluation)
    (outputs / "metrics" / "estimate.json").unlink()

    assert record(outputs).metrics == {"train/epochs": 2.0, "audit/f1": 1.0, "audit/bunny_ the rabbit/f1": 0.5}


def test_what_a_model_is_served_with_is_what_its_code_imports():
    """The packages that the code names and that are loaded when the scorer is, by the names they are installed by."""
    imports = re.compile(r"^ *(?:import|from) (\w+)", re.MULTILINE)
    files = import_closure("stages.serving")
    named = {name for file in files for name in imports.findall((ROOT / file).read_text(encoding="utf-8"))}
    code = "import sys, pandas, screentime.scorer; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    distributions = importlib.metadata.packages_distributions()
    foreign = (named & set(loaded.stdout.split())) - set(sys.stdlib_module_names) - {"screentime"}

    assert {distributions[name][0] for name in foreign} == set(SERVING_NEEDS)
