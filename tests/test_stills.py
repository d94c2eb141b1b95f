"""Sets of stills: they train, near copies on one side of every fold, and are screen time nowhere."""

import csv
import json
from pathlib import Path

import av
import cv2
import excerpt
import numpy as np
import pytest
import yaml
from project import Project

from screentime.splits import folds

CAST = ["bunny", "frank"]
BEGIN_S, END_S = 250, 400  # of the demo film: other scenes than those of the excerpt
CUTS_S = (266, 319)  # labelled moments with a cut less than a quarter of a second behind them: no burst begins there
BURST = 3
RECORDED = """
import json
from pathlib import Path
from screentime import probe
from screentime.params import load
from stages.train import train
crossed = probe.cross_fit
def recording(features, targets, parts, *rest):
    sides = [[rows.tolist() for rows in (fold.train, fold.validation, fold.test)] for fold in parts]
    Path("folds.json").write_text(json.dumps(sides))
    return crossed(features, targets, parts, *rest)
probe.cross_fit = recording
train(arrays=Path("data/arrays"), models=Path("again"), metrics=Path("again.json"), plots=Path("again.csv"), sheet=Path("again.jpg"),
      params=load(Path("params.yaml")))
"""


def jpeg(image: np.ndarray, quality: int = 90) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])[
        1
    ].tobytes()


def bursts(film: Path, moments: list[float]) -> dict[float, list[np.ndarray]]:
    """A few frames, an eighth of a second apart, from each moment of a film."""
    wanted = {moment: [] for moment in moments}
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        container.seek(int((moments[0] - 1) / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            at_s = float(frame.pts * stream.time_base)
            if at_s > moments[-1] + 1:
                break
            for moment, found in wanted.items():
                if len(found) < BURST and at_s >= moment + len(found) / 8 - 1e-6:
                    found.append(frame.reformat(480, 270, "rgb24").to_ndarray())
                    break
    return wanted


def table(path: Path) -> list[dict]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# ---- a real film, a real set, a real training


@pytest.fixture(scope="module")
def made(tmp_path_factory, demo_excerpt) -> tuple[Project, dict[str, str], str, str]:
    """A project with the excerpt and a set of stills in bursts, run: it, each still's burst, what `add` and `repro` told."""
    project = Project(tmp_path_factory.mktemp("stills"))
    excerpt.put_into(project, demo_excerpt, CAST)
    project.set_params(
        train={"method": "probe", "folds": 8, "probe": {"epochs": 60}},
        suggest={"frames": 12},
        embed={"width": 96, "height": 64},
        preprocess={"width": 224, "height": 128},
    )
    said = {}
    for row in excerpt.labels_between(BEGIN_S, END_S):
        if row["present"] in "01" and row["start_s"] + BEGIN_S not in CUTS_S:
            said.setdefault(row["start_s"] + BEGIN_S, {})[row["character"]] = row["present"]
    of_burst = {}
    source = project.folder.parent / "pictures"
    for character in CAST:
        for folder in ("positive", "negative"):
            (source / character / folder).mkdir(parents=True)
    film = excerpt.demo_film(demo_excerpt.parent)
    for moment, pictures in bursts(film, sorted(said)).items():
        for number, picture in enumerate(pictures):
            name = f"{hash((moment * 7919 + number * 104729) % 1000003):06d}.jpg"  # says nothing of neighbours
            of_burst[name] = f"{moment:g}"
            for character in CAST:
                folder = "positive" if said[moment][character] == "1" else "negative"
                (source / character / folder / name).write_bytes(jpeg(picture))
    (source / "bunny" / "negative" / "broken.jpg").write_bytes(jpeg(picture)[:-2000])
    told = "".join(
        project.run(
            "python", "-m", "screentime", "stills", "add", str(source / name), "--character", name, "--name", "forest"
        )
        for name in CAST
    )
    project.commit("stills")
    return project, of_burst, told, project.run("dvc", "repro")


def burst_of(still: str, of_burst: dict[str, str]) -> str:
    return of_burst[f"{still.split('-')[0]}.jpg"]


def test_a_set_of_two_characters_is_copied_pinned_and_named(made):
    project, of_burst, told, _ = made
    n = len(of_burst)
    held = table(project.folder / "data" / "stills" / "forest" / "stills.csv")

    assert len(held) == 2 * n
    assert len({row["still"] for row in held}) == n  # a picture that both characters have is there once
    assert "negative/broken.jpg: left out, it cannot be read whole" in told
    assert f"the set has {n} stills in " in told
    assert yaml.safe_load((project.folder / "params.yaml").read_text())["stills"] == ["forest"]
    deps = yaml.safe_load((project.folder / "dvc.yaml").read_text())["stages"]["preprocess"]["deps"]
    assert [dep for dep in deps if dep.startswith("data/stills")] == ["data/stills/forest"]
    assert project.run("git", "ls-files", "data/stills").split() == ["data/stills/forest.dvc"]
    assert project.run("git", "status", "--porcelain", "--untracked-files=all", "data/stills") == ""


def test_neighbouring_frames_are_one_group(made):
    project, of_burst, _, _ = made
    groups = {}
    for row in table(project.folder / "data" / "arrays" / "stills.csv"):
        groups.setdefault(burst_of(row["still"], of_burst), set()).add(row["group"])

    assert len(groups) == len(of_burst) // BURST
    assert {len(found) for found in groups.values()} == {1}
    assert len(set.union(*groups.values())) > 8


def test_no_fold_of_the_training_parts_a_burst(made):
    project, of_burst, _, _ = made
    project.run("python", "-c", RECORDED)
    stills = table(project.folder / "data" / "arrays" / "stills.csv")
    n_frames = len(table(project.folder / "data" / "arrays" / "index.csv"))
    sides = json.loads((project.folder / "folds.json").read_text())

    assert len(sides) == 8
    for fold in sides:
        of_bursts: dict[str, set[int]] = {}
        for side, rows in enumerate(fold):
            for row in rows:
                if row >= n_frames:
                    of_bursts.setdefault(burst_of(stills[row - n_frames]["still"], of_burst), set()).add(side)
        assert len(of_bursts) == len(of_burst) // BURST
        assert all(len(found) == 1 for found in of_bursts.values())
    again = {path.name: path.read_bytes() for path in (project.folder / "again").iterdir()}
    assert again == {path.name: path.read_bytes() for path in (project.folder / "models" / "trained").iterdir()}


def test_without_their_groups_bursts_would_be_parted(made):
    """So the test above can fail."""
    project, of_burst, _, _ = made
    index = table(project.folder / "data" / "arrays" / "index.csv")
    stills = table(project.folder / "data" / "arrays" / "stills.csv")
    parts = folds(
        [row["video_id"] for row in index], np.array([float(row["time_s"]) for row in index]), n_folds=8, block_s=10, guard_s=3,
        still_groups=list(range(len(stills))),
    )  # fmt: skip
    sides = {int(row): number for number, fold in enumerate(parts) for row in fold.test}
    of_bursts: dict[str, set[int]] = {}
    for row, still in enumerate(stills):
        of_bursts.setdefault(burst_of(still["still"], of_burst), set()).add(sides[len(index) + row])

    assert any(len(found) > 1 for found in of_bursts.values())


def test_stills_are_in_the_arrays_and_the_model_and_nowhere_in_what_is_measured(made):
    project, of_burst, _, told = made
    n = len(of_burst)
    index = table(project.folder / "data" / "arrays" / "index.csv")
    inputs = np.load(project.folder / "data" / "arrays" / "inputs.npy", mmap_mode="r")
    targets = np.load(project.folder / "data" / "arrays" / "targets.npy")
    card = json.loads((project.folder / "models" / "trained" / "model.json").read_text())

    assert f"{len(index)} labelled frames and {n} stills at 224x128" in told
    assert inputs.shape == (len(index) + n, 128, 224, 3) and targets.shape == (len(index) + n, 2)
    assert not np.isnan(targets[len(index) :]).any()
    assert {row["video_id"] for row in index} == {"excerpt"}
    assert (card["data"]["n_frames"], card["data"]["n_stills"]) == (len(index), n)
    held_out = table(project.folder / "models" / "trained" / "out_of_fold.csv")
    assert [(row["video_id"], row["time_s"]) for row in held_out] == [(row["video_id"], row["time_s"]) for row in index]
    folders = ("targets", "audit", "skipped", "suggestions", "features", "scores", "measured", "estimates")
    measured = [path for folder in folders for path in (project.folder / "data" / folder).rglob("*.csv")]
    measured += list((project.folder / "reports").rglob("*.csv"))
    assert len(measured) > 8
    assert [path for path in measured if "forest" in path.read_text(encoding="utf-8")] == []
    length_s = json.loads((project.folder / "metrics" / "sample.json").read_text())["total"]["length_s"]
    shares = [row for row in table(project.folder / "reports" / "screen_time.csv") if row["video_id"] == "*"]
    assert all(abs(float(row["seconds"]) - float(row["share"]) * length_s) < 0.01 for row in shares)


def test_status_card_and_check_count_them_in_a_line(made):
    project, of_burst, _, _ = made
    line = f"tills of no film: {len(of_burst)} in 1 set; they train and are no screen time"

    assert f"\ns{line}\n" in project.run("python", "-m", "screentime", "status")
    assert f", {len(of_burst)} stills" in project.run("python", "-m", "screentime", "check")
    project.run("python", "-m", "screentime", "card")
    card = (project.folder / "docs" / "data-card.md").read_text(encoding="utf-8")
    assert f"S{line}.\n" in card
    assert f"labelled frames and {len(of_burst)} stills." in card


def test_a_second_run_has_nothing_to_do_and_a_set_that_goes_leaves_no_trace(made):
    project, _, _, _ = made
    assert project.stages_run(project.run("dvc", "repro")) == []

    assert project.run("python", "-m", "screentime", "stills", "remove", "forest") == (
        "data/stills/forest: out of the project; next: dvc repro\n"
    )
    told = project.run("python", "-m", "screentime", "status")
    assert "stills: forest removed" in told
    assert not (project.folder / "data" / "stills" / "forest").exists()
    project.run("dvc", "repro", "preprocess")
    assert not (project.folder / "data" / "arrays" / "stills.csv").exists()
    project.run("git", "checkout", "--quiet", "HEAD", "--", "params.yaml", "dvc.yaml", "data/stills")
    project.run("dvc", "checkout", "data/stills/forest.dvc")
    project.run("dvc", "repro", "preprocess")
    assert (project.folder / "data" / "arrays" / "stills.csv").is_file()
