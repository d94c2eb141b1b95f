"""The whole line, as a user runs it: `dvc repro` on a short excerpt of the real film with real labels."""

import base64
import csv
import json
import re
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import excerpt
import mlflow
import nbformat
import numpy as np
import pytest
import synthetic
from nbclient import NotebookClient
from PIL import Image
from project import Project

from screentime.video import NativeFrames

CAST = ["bunny", "frank", "rinky", "gamera", "butterfly"]
LABELS = Path("data") / "labels" / "excerpt.csv"


@pytest.fixture(scope="module")
def project(tmp_path_factory, demo_excerpt) -> Project:
    project = Project(tmp_path_factory.mktemp("project"))
    excerpt.put_into(project, demo_excerpt, CAST)
    small = {"width": 224, "height": 128}
    project.set_params(
        train={"method": "probe", "folds": 8, "probe": {"epochs": 60}},
        suggest={"frames": 12},
        embed=small,
        preprocess=small,
    )
    project.commit("films, labels")
    return project


def table(path: Path) -> list[dict]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def first_run(project) -> str:
    return project.run("dvc", "repro", cold=True)


def test_one_command_leads_from_the_film_to_the_report(project, first_run):
    assert project.stages_run(first_run) == [
        "sample", "embed", "label", "suggest", "fill", "preprocess", "train", "score", "evaluate", "estimate", "report",
        "publish",
    ]  # fmt: skip
    screen_time = table(project.folder / "reports" / "screen_time.csv")
    assert [row["character"] for row in screen_time if row["video_id"] == "excerpt"] == CAST
    assert {row["basis"] for row in screen_time} == {"count"}
    assert len(table(project.folder / "reports" / "excerpt" / "timeline.csv")) == 140
    assert "excerpt" in (project.folder / "reports" / "index.html").read_text(encoding="utf-8")


def test_the_trained_scores_tell_who_is_there(project, first_run):
    scores = {float(row["time_s"]): row for row in table(project.folder / "reports" / "excerpt" / "timeline.csv")}
    told = [
        (float(scores[float(row["start_s"])][row["character"]]) > 0.5) == (row["present"] == "1")
        for row in table(project.folder / LABELS)
        if row["present"] != "?"
    ]

    assert sum(told) / len(told) > 0.9


def test_the_model_scores_the_film_outside_the_project_as_the_pipeline_did(project, first_run, tmp_path):
    film = project.folder / "data" / "videos" / "excerpt.mp4"

    project.run(
        "python", "-m", "screentime", "score", str(film), "--model", "models/trained", "--out", str(tmp_path / "out")
    )

    wanted = project.folder / "reports" / "excerpt" / "timeline.csv"
    assert (tmp_path / "out" / "excerpt" / "timeline.csv").read_bytes() == wanted.read_bytes()
    facts = json.loads((project.folder / "models" / "trained" / "model.json").read_text(encoding="utf-8"))
    assert facts["sampling"] == {"fps": 1.0, "jpeg_quality": 72, "max_side": 448}


def test_the_notebook_of_the_documents_shows_what_the_project_found(project, first_run, tmp_path):
    """In a kernel of its own, in a finished project, as a reader runs it."""
    (project.folder / "docs").mkdir(exist_ok=True)
    notebook = nbformat.read(Path(__file__).parents[1] / "docs" / "notebook.ipynb", as_version=4)

    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(project.folder / "docs")}}).execute()

    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    data = [output["data"] for output in outputs if "data" in output]
    name, seconds, plot, curve, stretch, same, moving = data
    assert name["text/plain"] == "'excerpt.mp4'"
    rows = {
        row["character"]: row
        for row in table(project.folder / "reports" / "screen_time.csv")
        if row["video_id"] == "excerpt"
    }
    for character in CAST:
        assert f"<th>{character}</th>" in seconds["text/html"]
        assert f"<td>{float(rows[character]['seconds']):.6f}</td>" in seconds["text/html"]
    for picture in (plot, curve):
        drawn = np.asarray(Image.open(BytesIO(base64.b64decode(picture["image/png"]))).convert("RGB")).reshape(-1, 3)
        assert (drawn == (0, 0x72, 0xB2)).all(axis=1).any() and len(np.unique(drawn, axis=0)) > 3
    assert same["text/plain"] == "True"  # the tables of the film scored from Python, and the pipeline's
    most = max(CAST, key=lambda character: float(rows[character]["seconds"]))
    spans = [
        (float(row["start_s"]), float(row["end_s"]))
        for row in table(project.folder / "reports" / "excerpt" / "appearances.csv")
        if row["character"] == most
    ]
    length_s = min(4.0, max(end_s - start_s for start_s, end_s in spans))
    (tmp_path / "stretch.mp4").write_bytes(embedded(stretch, "video/mp4"))
    assert list(NativeFrames(tmp_path / "stretch.mp4"))[-1].end_s == pytest.approx(length_s, abs=1e-4)
    with Image.open(BytesIO(embedded(moving, "image/gif"))) as gif:
        shown_ms = [gif.seek(place) or gif.info["duration"] for place in range(gif.n_frames)]
        assert (sum(shown_ms), gif.size[0]) == (2000, 480)


def embedded(data: dict, kind: str) -> bytes:
    """The file that an output of a notebook holds."""
    return base64.b64decode(re.search(f'src="data:{kind};base64,([^"]+)"', data["text/html"])[1])


def test_a_second_run_has_nothing_to_do(project, first_run):
    lock = (project.folder / "dvc.lock").read_bytes()

    assert project.stages_run(project.run("dvc", "repro")) == []
    assert (project.folder / "dvc.lock").read_bytes() == lock
    assert project.run("git", "status", "--porcelain", "--untracked-files=all", "data", "models", "reports") == ""


def test_the_run_is_in_mlflow_once_and_comes_back_from_the_outputs_alone(project, first_run):
    for path in project.folder.glob("mlflow.db*"):
        path.unlink()

    project.run("python", "-m", "stages.publish")
    project.run("python", "-m", "stages.publish")

    mlflow.set_tracking_uri(f"sqlite:///{project.folder / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert len(runs) == 1
    assert runs[0].info.status == "FINISHED"
    epochs = table(project.folder / "plots" / "epochs.csv")
    histories = [client.get_metric_history(runs[0].info.run_id, name) for name in runs[0].data.metrics]
    assert max(map(len, histories)) >= max(int(row["epoch"]) for row in epochs) >= 1
    assert runs[0].outputs is not None and len(runs[0].outputs.model_outputs) == 1


def test_an_unlabelled_second_film_does_not_train_again(project, first_run):
    starts_s = synthetic.constant_rate(60, Fraction(12))
    synthetic.write_film(project.folder / "data" / "videos" / "second.mp4", starts_s)
    models = (project.folder / "models" / "trained" / "model.json").read_bytes()
    project.own_films("excerpt.mp4", "second.mp4")

    output = project.run("dvc", "repro")

    assert "train" not in project.stages_run(output)
    assert {"sample", "embed", "score", "estimate", "report"} <= set(project.stages_run(output))
    assert output.count("1 of 2 films") == 3
    assert (project.folder / "models" / "trained" / "model.json").read_bytes() == models
    totals = [
        row["character"] for row in table(project.folder / "reports" / "screen_time.csv") if row["video_id"] == "*"
    ]
    assert totals == CAST


def test_an_audit_round_trains_nothing_and_an_answer_runs_only_the_measuring(project, first_run):
    project.run("dvc", "repro")
    project.run("python", "-m", "screentime", "audit", "draw", "excerpt", "--n", "30", "--seed", "3")
    output = project.run("dvc", "repro")
    assert not {"train", "score", "sample", "embed"} & set(project.stages_run(output))

    rows = table(project.folder / LABELS)
    drawn = [row["time_s"] for row in table(project.folder / "data" / "labels" / "excerpt.audit.csv")]
    answer = {"end_s": "", "source": "audit", "annotator": "", "at": ""}
    for time_s in drawn:
        rows += [answer | {"start_s": time_s, "character": name, "present": "01"[name == "bunny"]} for name in CAST]
        excerpt.write_labels(project.folder / LABELS, rows)
        if time_s in (drawn[0], drawn[-1]):
            output = project.run("dvc", "repro")
            assert project.stages_run(output) == ["label", "suggest", "evaluate", "estimate", "report", "publish"]

    bunny = next(row for row in table(project.folder / "reports" / "screen_time.csv") if row["video_id"] == "excerpt")
    assert bunny["basis"] == "audit"
    assert float(bunny["low"]) <= float(bunny["seconds"]) <= float(bunny["high"])


def test_filled_cells_train_on_request_alone_and_count_nowhere(project, first_run):
    project.run("dvc", "repro")
    params, folder = project.folder / "params.yaml", project.folder
    params.write_text(
        params.read_text(encoding="utf-8").replace("  above: 0.98", "  above: 0.98  # mine"), encoding="utf-8"
    )
    labels = {path: path.read_bytes() for path in (folder / "data" / "labels").iterdir()}
    head = (folder / "models" / "trained" / "head.npy").read_bytes()

    told = project.run("python", "-m", "screentime", "labels", "fill", "--above", "0.8", "--below", "0.2")

    assert project.stages_run(told) == ["fill"]
    assert "  above: 0.8  # mine\n" in params.read_text(encoding="utf-8")
    files = list((folder / "data" / "filled").iterdir())
    rows = [row for path in files for row in table(path)]
    assert all(float(row["score"]) >= 0.8 if row["present"] == "1" else float(row["score"]) <= 0.2 for row in rows)
    n_present = sum(row["present"] == "1" for row in rows)
    assert 0 < n_present < len(rows)
    films = "1 film" if len(files) == 1 else f"{len(files)} films"
    summary = (
        f"({n_present:,} present, {len(rows) - n_present:,} absent), in {films}; these are no labels, and count nowhere"
    )
    assert told.splitlines()[-2].endswith(summary)
    assert told.splitlines()[-1] == (
        "next: to train with them (docs/labelling.md says what that has brought), set `filled: true` under preprocess: in "
        "params.yaml, then run `dvc repro`"
    )
    assert "train" not in project.stages_run(project.run("dvc", "repro"))

    def figures() -> tuple:
        screen_time = table(folder / "reports" / "screen_time.csv")
        status = project.run("python", "-m", "screentime", "status")
        labelled = re.findall(r"^  excerpt .*|^model: run \w+(, .*)", status, re.MULTILINE)
        return [(row["n_labelled"], row["n_audit"], row["basis"]) for row in screen_time], labelled

    before, held_out = figures(), (folder / "models" / "trained" / "out_of_fold.csv").read_bytes()
    project.set_params(preprocess={"filled": True})
    assert "train" in project.stages_run(project.run("dvc", "repro"))
    assert figures() == before
    assert (folder / "models" / "trained" / "out_of_fold.csv").read_bytes() == held_out
    assert (folder / "models" / "trained" / "head.npy").read_bytes() != head
    assert {path: path.read_bytes() for path in labels} == labels
    project.set_params(preprocess={"filled": False})


def test_status_says_what_would_run_why_and_what_that_means_for_labels_before_it_runs(project, first_run):
    project.run("dvc", "repro")
    assert "`dvc repro` has nothing to do" in project.run("python", "-m", "screentime", "status")

    drawn = (project.folder / "data" / "labels" / "excerpt.audit.csv").is_file()
    project.set_params(sample={"fps": 0.4}, cast=[*CAST, "bird"], train={"probe": {"l2": 0.2}})
    told = project.run("python", "-m", "screentime", "status")
    project.set_params(sample={"fps": 1}, cast=CAST, train={"probe": {"l2": 0.05}})

    assert re.search(r"^  sample +sample.fps is 0.4, was 1$", told, re.MULTILINE)
    assert re.search(r"^  embed +if sample gives another result$", told, re.MULTILINE)
    assert re.search(r"^  label +cast: bird added$", told, re.MULTILINE)
    assert re.search(r"^  train +train.probe.l2 is 0.2, was 0.05$", told, re.MULTILINE)
    assert "sample.fps 1 -> 0.4: every film is sampled anew; labels are kept." in told
    assert ("The audits of excerpt were drawn at 1 frames per second" in told) == drawn
    labelled = {float(row["start_s"]) for row in table(project.folder / LABELS)}
    off_grid = [start_s for start_s in labelled if abs(start_s * 0.4 - round(start_s * 0.4)) > 1e-6]
    assert f"{len(off_grid)} labelled moments lie between the new frames" in told
    assert "'bird' is new: frames labelled so far say nothing of it (unknown, not absent)." in told
    assert "A new model is trained; labels and audits are kept, the audit measures it again." in told
    assert "`dvc repro` has nothing to do" in project.run("python", "-m", "screentime", "status")


def test_plots_and_metrics_can_be_shown_and_compared(project, first_run):
    project.run("dvc", "plots", "show", "--out", "shown")
    project.commit("results")
    project.set_params(estimate={"threshold": 0.6})
    project.run("dvc", "repro")

    assert "metrics/evaluate.json" in project.run("dvc", "metrics", "diff")
    assert (project.folder / "shown" / "index.html").stat().st_size > 10_000
