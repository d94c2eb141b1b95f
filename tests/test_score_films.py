"""Films that nobody labelled: scored by a model as the pipeline would, kept, gone on with, and told."""

import ast
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
import venv
from fractions import Fraction
from pathlib import Path

import av
import browser
import numpy as np
import pytest
import synthetic
import yaml
from filelock import FileLock
from namespaces import without_network
from scored import CAST, SAMPLING, film, write_models

from screentime.__main__ import main
from screentime.closure import import_closure
from screentime.files import read_json, sha256_of, write_json
from screentime.outside.films import films_of
from screentime.params import Params, load
from screentime.sections import Video
from screentime.table_files import read_table
from screentime.tables import APPEARANCES, GROUPS, SCREEN_TIME, TIMELINE, TOGETHER
from stages.estimate import estimate
from stages.sample import sample
from stages.score import score

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scored") / "models"
    write_models(folder)
    return folder


def scored(*words: object, models: Path, out: Path) -> None:
    main(["score", *map(str, words), "--model", str(models), "--out", str(out), "--params", str(ROOT / "params.yaml")])


def refused(capsys, *words: object, models: Path, out: Path) -> str:
    """What it says where it ends with exit code 1."""
    with pytest.raises(SystemExit) as ended:
        scored(*words, models=models, out=out)
    assert ended.value.code == 1
    return capsys.readouterr().err


def in_the_pipeline(folder: Path, path: Path, models: Path) -> Path:
    """The tables that the stages make of a film: data/estimates/<video_id>."""
    own: Params = load(ROOT / "params.yaml")
    settings = own.sample.model_copy(update=SAMPLING | {"workers": 1})
    params = own.model_copy(update={"videos": (Video(file=path.name),), "cast": CAST, "sample": settings})
    at = {name: folder / name for name in ("frames", "scores", "features", "targets", "audit", "skipped", "estimates")}
    sample(videos=path.parent, frames=at["frames"], metrics=folder / "sample.json", params=params)
    score(
        frames=at["frames"], features=at["features"], models=models, scores=at["scores"], params=params
    )  # fmt: skip
    estimate(
        frames=at["frames"], scores=at["scores"], targets=at["targets"], audit=at["audit"], skipped=at["skipped"],
        models=models, estimates=at["estimates"], metrics=folder / "estimate.json", params=params,
    )  # fmt: skip
    return at["estimates"]


KINDS = {
    "as usual": {"name": "film.mp4"},
    "a late first frame, NTSC": {
        "name": "film.mkv",
        "starts_s": synthetic.constant_rate(150, Fraction(30000, 1001), Fraction(1001, 30000) * 60),
        "time_base": Fraction(1, 1000),
    },
    "no times of presentation: decoded whole": {"name": "film.avi", "codec": "mpeg4"},
    "upright by its display matrix": {
        "name": "film.mp4",
        "display_matrix": (0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824),
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_of_a_film_that_both_know_the_tables_are_those_of_the_pipeline_byte_for_byte(kind, models, tmp_path):
    settings = dict(KINDS[kind])
    name = settings.pop("name")
    if "starts_s" in settings:  # Matroska keeps milliseconds
        settings["starts_s"] = [Fraction(round(start_s * 1000), 1000) for start_s in settings["starts_s"]]
    path = film(tmp_path / "films" / name, **settings)

    scored(path, models=models, out=tmp_path / "out")

    wanted = in_the_pipeline(tmp_path / "pipeline", path, models)
    for table in ("film/timeline.csv", "film/appearances.csv", "screen_time.csv"):
        assert (tmp_path / "out" / table).read_bytes() == (wanted / table).read_bytes(), table
    scores = read_table(tmp_path / "out" / "film" / "timeline.csv", TIMELINE, CAST)[list(CAST)].to_numpy()
    assert np.ptp(scores, axis=0).max() > 0.1


def test_how_many_work_at_once_changes_no_byte_of_any_result(models, tmp_path, monkeypatch):
    films = [film(tmp_path / "films" / f"{name}.mp4", shift=shift) for shift, name in enumerate("ab")]
    scored(*films, "--workers", "1", models=models, out=tmp_path / "one")
    scored(*films, "--workers", "2", models=models, out=tmp_path / "two")
    monkeypatch.setattr("screentime.outside.kept.n_cores", lambda: 5)
    scored(*films, "--workers", "1", models=models, out=tmp_path / "threads")

    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    for other in ("two", "threads"):
        assert sorted(p.relative_to(tmp_path / other) for p in (tmp_path / other).rglob("*") if p.is_file()) == files
        for file in files:
            assert (tmp_path / other / file).read_bytes() == (tmp_path / "one" / file).read_bytes(), file


def test_the_page_shows_films_that_nobody_labelled_and_says_so(models, tmp_path, capsys):
    film(tmp_path / "films" / "s1" / "e01.mp4")
    film(tmp_path / "films" / "s2" / "e01.mp4", shift=1)
    film(tmp_path / "films" / "s2" / "e02.mkv", shift=2)
    (tmp_path / "films" / "notes.txt").write_text("no film")

    scored(tmp_path / "films", models=models, out=tmp_path / "out")

    ids = ["s1_e01", "s2_e01", "e02"]
    table = read_table(tmp_path / "out" / "screen_time.csv", SCREEN_TIME)
    assert list(dict.fromkeys(table["video_id"])) == [*ids, "*"]
    assert set(table["basis"]) == {"count"} and table["low"].isna().all() and set(table["n_labelled"]) == {0}
    of_films = table[table["video_id"] != "*"].groupby("character")["seconds"].sum()
    totals = table[table["video_id"] == "*"].set_index("character")["seconds"]
    assert (of_films - totals).abs().max() < 1e-5
    for video_id in ids:
        timeline = read_table(tmp_path / "out" / video_id / "timeline.csv", TIMELINE, CAST)
        rows = table[table["video_id"] == video_id].set_index("character")["seconds"]
        assert np.allclose(timeline["duration_s"] @ timeline[list(CAST)], rows[list(CAST)], atol=1e-5)
        read_table(tmp_path / "out" / video_id / "appearances.csv", APPEARANCES)
    visit = browser.visit(tmp_path / "out" / "index.html")
    assert visit.console == []
    assert visit.dom.count("data:image/jpeg;base64,") > len(CAST)
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", visit.dom))
    assert "Nobody has labelled a frame of these films" in said
    assert "python -m screentime video add FILM" in said
    assert "other packets were not decoded" in said
    assert "not audited" in capsys.readouterr().out


def test_the_page_finds_the_film_and_has_pairs_and_the_groups_that_the_model_knows(models, tmp_path, capsys):
    params, out = tmp_path / "params.yaml", tmp_path / "out"
    written = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    written |= {"cast": [*CAST, "dan"]}
    written["report"]["groups"] = {"pair": ["ann", "bob"], "all": ["ann", "dan"]}
    params.write_text(yaml.safe_dump(written), encoding="utf-8")
    path = film(tmp_path / "films" / "a film.mp4")

    main(["score", str(path), "--model", str(models), "--out", str(out), "--params", str(params)])

    page = (out / "index.html").read_text(encoding="utf-8")
    assert '"address": "../films/a%20film.mp4", "file": "a film.mp4", "first_s": 0.0' in page
    assert str(tmp_path) not in page
    groups, timeline = (
        read_table(out / "groups.csv", GROUPS),
        read_table(out / "a film" / "timeline.csv", TIMELINE, CAST),
    )
    passing = timeline[["ann", "bob"]] >= 0.5
    assert list(groups["video_id"]) == ["a film", "*"] and set(groups["group"]) == {"pair"}
    assert groups["any_s"][0] == pytest.approx(timeline["duration_s"][passing.any(axis=1)].sum(), abs=1e-6)
    together = read_table(out / "together.csv", TOGETHER)
    assert len(together) == 6
    assert together["seconds"][0] == pytest.approx(timeline["duration_s"][passing.all(axis=1)].sum(), abs=1e-6)
    said = f"{params}: report: groups: all names somebody whom the model does not know; left out here\n"
    assert said in capsys.readouterr().out


def test_what_is_scored_is_not_scored_again(models, tmp_path):
    films, out = tmp_path / "films", tmp_path / "out"
    film(films / "a.mp4")
    scored(films, models=models, out=out)
    kept = out / ".screentime" / "films" / "a.timeline.csv"
    before = kept.stat().st_mtime_ns
    film(films / "b.mp4", shift=1)

    scored(films, models=models, out=out)

    assert kept.stat().st_mtime_ns == before
    assert (out / "b" / "timeline.csv").is_file()
    assert set(read_table(out / "screen_time.csv", SCREEN_TIME)["video_id"]) == {"a", "b", "*"}


def test_another_threshold_changes_the_tables_without_scoring_anew(models, tmp_path):
    path, out, other = film(tmp_path / "film.mp4"), tmp_path / "out", tmp_path / "other.yaml"
    scored(path, models=models, out=out)
    before = read_table(out / "screen_time.csv", SCREEN_TIME)
    kept = (out / ".screentime" / "films" / "film.timeline.csv").stat().st_mtime_ns
    other.write_text((ROOT / "params.yaml").read_text().replace("threshold: 0.5 ", "threshold: 0.9 "), encoding="utf-8")

    main(["score", str(path), "--model", str(models), "--out", str(out), "--params", str(other)])

    after = read_table(out / "screen_time.csv", SCREEN_TIME)
    assert (after["counted_s"] <= before["counted_s"]).all() and after["counted_s"].sum() < before["counted_s"].sum()
    assert after["seconds"].tolist() == before["seconds"].tolist()
    assert (out / ".screentime" / "films" / "film.timeline.csv").stat().st_mtime_ns == kept


def test_another_model_scores_every_film_anew(models, tmp_path):
    path, out = film(tmp_path / "film.mp4"), tmp_path / "out"
    scored(path, models=models, out=out)
    first = (out / "film" / "timeline.csv").read_bytes()
    write_models(tmp_path / "models", seed=1)

    scored(path, models=tmp_path / "models", out=out)

    assert (out / "film" / "timeline.csv").read_bytes() != first


def test_a_run_that_is_ended_goes_on_at_the_film_where_it_stopped(models, tmp_path):
    films, out, whole = tmp_path / "films", tmp_path / "out", tmp_path / "whole"
    for shift, name in enumerate("ab"):
        film(films / f"{name}.mp4", shift=shift)
    film(films / "c.mp4", shift=2, starts_s=synthetic.constant_rate(1200, Fraction(2)))  # takes some seconds
    command = [sys.executable, "-m", "screentime", "score", films, "--model", models, "--workers", "1", "--out"]
    kept = out / ".screentime" / "films"
    process = subprocess.Popen(
        [*command, out], cwd=ROOT, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # tests in the background have it ignored
    )  # fmt: skip
    end = time.monotonic() + 120
    while not (kept / "b.key.json").is_file() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, "Traceback" in said) == (130, False), said
    assert "run the same command again" in said
    assert {path.name for path in kept.glob("*.key.json")} == {"a.key.json", "b.key.json"}
    assert not list(kept.glob("*.partial"))
    assert not (out / "index.html").exists()
    before = (kept / "a.timeline.csv").stat().st_mtime_ns

    again = subprocess.run([*command, out], cwd=ROOT, capture_output=True, text=True, check=True)
    subprocess.run([*command, whole], cwd=ROOT, capture_output=True, check=True)

    assert (kept / "a.timeline.csv").stat().st_mtime_ns == before
    assert "the report: file://" in again.stdout
    for file in ("index.html", "screen_time.csv", "c/timeline.csv"):
        assert (out / file).read_bytes() == (whole / file).read_bytes()


def test_one_film_that_cannot_be_read_does_not_stop_the_others(models, tmp_path, capsys):
    films, out = tmp_path / "films", tmp_path / "out"
    film(films / "a.mp4")
    film(films / "z.mp4", shift=1)
    (films / "broken.mp4").write_bytes(b"this is no film at all" * 100)

    said = refused(capsys, films, models=models, out=out)

    assert said.count("\n") == 2 and "Traceback" not in said
    assert f"{films / 'broken.mp4'}: " in said and "1 of 3 videos failed while scoring, the others are done" in said
    assert set(read_table(out / "screen_time.csv", SCREEN_TIME)["video_id"]) == {"a", "z", "*"}
    assert not (out / "broken").exists()
    (films / "broken.mp4").unlink()
    film(films / "broken.mp4", shift=2)
    scored(films, models=models, out=out)
    assert (out / "broken" / "timeline.csv").is_file()


def test_a_film_that_ends_in_the_middle_is_scored_as_far_as_it_goes_and_the_page_says_so(models, tmp_path):
    path, out = film(tmp_path / "film.ts", length_s=20, container_format="mpegts"), tmp_path / "out"
    synthetic.cut_file(path, path.stat().st_size // 2)

    scored(path, models=models, out=out)

    timeline = read_table(out / "film" / "timeline.csv", TIMELINE, CAST)
    assert 5 < timeline["duration_s"].sum() < 15


def test_a_film_that_is_longer_than_its_header_says_is_scored_to_its_end(models, tmp_path):
    path = film(tmp_path / "film.mkv", length_s=6)
    data = path.read_bytes()
    place = data.index(b"\x44\x89\x88") + 3  # Duration of Matroska, a double of milliseconds
    assert struct.unpack(">d", data[place : place + 8]) == (6000.0,)
    path.write_bytes(data[:place] + struct.pack(">d", 2000.0) + data[place + 8 :])

    scored(path, models=models, out=tmp_path / "out")

    timeline = read_table(tmp_path / "out" / "film" / "timeline.csv", TIMELINE, CAST)
    facts = read_json(tmp_path / "out" / ".screentime" / "films" / "film.json")
    assert (timeline["time_s"].tolist(), timeline["duration_s"].sum()) == ([0, 1, 2, 3, 4, 5], 6)
    assert (facts["claimed_s"], facts["length_s"], facts["missing_s"]) == (2, 6, 0)


def test_a_film_that_becomes_broken_leaves_no_figures_behind(models, tmp_path, capsys):
    films, out = tmp_path / "films", tmp_path / "out"
    film(films / "a.mp4")
    film(films / "b.mp4", shift=1)
    scored(films, models=models, out=out)
    (films / "a.mp4").write_bytes(b"gone")

    said = refused(capsys, films, models=models, out=out)

    assert "a, which this command does not name" in said  # another film by its bytes: nothing is taken away unasked
    assert (out / "a" / "timeline.csv").is_file()


def test_the_same_film_twice_counts_once(models, tmp_path, capsys):
    path = film(tmp_path / "films" / "a.mp4")
    shutil.copy(path, tmp_path / "films" / "copy.mp4")
    os.symlink(path, tmp_path / "films" / "link.mp4")

    scored(path, tmp_path / "films", models=models, out=tmp_path / "out")

    told = capsys.readouterr().out
    assert f"{tmp_path / 'films' / 'copy.mp4'}: the very same film as {path}, scored once" in told
    assert "link.mp4" not in told
    assert set(read_table(tmp_path / "out" / "screen_time.csv", SCREEN_TIME)["video_id"]) == {"a", "*"}


NAMES = ['it\'s "so" & <i>not', "two\nlines", "ドラマ 第一話", "قصة", "=1+1"]


def test_any_name_a_film_may_have_is_kept_in_tables_and_page(models, tmp_path):
    for shift, name in enumerate(NAMES):
        film(tmp_path / "films" / f"{name}.mp4", length_s=2, shift=shift)

    scored(tmp_path / "films", models=models, out=tmp_path / "out")

    for name in NAMES:
        assert len(read_table(tmp_path / "out" / name / "timeline.csv", TIMELINE, CAST)) == 2
    visit = browser.visit(tmp_path / "out" / "index.html")
    assert visit.console == []
    assert "<i>" not in visit.dom


def test_a_folder_with_other_files_is_left_alone(models, tmp_path, capsys):
    path, out = film(tmp_path / "film.mp4"), tmp_path / "out"
    out.mkdir()
    (out / "index.html").write_text("mine")

    assert "this folder holds other files" in refused(capsys, path, models=models, out=out)
    assert [one.name for one in out.iterdir()] == ["index.html"] and (out / "index.html").read_text() == "mine"
    assert "this is a file" in refused(capsys, path, models=models, out=out / "index.html")


def test_a_folder_with_other_films_is_left_alone(models, tmp_path, capsys):
    first, second, out = film(tmp_path / "a.mp4"), film(tmp_path / "b.mp4", shift=1), tmp_path / "out"
    scored(first, models=models, out=out)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}

    assert "tables of a, which this command does not name" in refused(capsys, second, models=models, out=out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    with FileLock(out / ".screentime" / "lock"):
        assert "another process is at work" in refused(capsys, first, models=models, out=out)


def test_a_film_may_get_another_name_as_films_are_added(models, tmp_path):
    out = tmp_path / "out"
    film(tmp_path / "films" / "s1" / "e01.mp4")
    scored(tmp_path / "films", models=models, out=out)
    film(tmp_path / "films" / "s2" / "e01.mp4", shift=1)

    scored(tmp_path / "films", models=models, out=out)

    assert {path.name for path in out.iterdir()} == {
        ".screentime", "index.html", "screen_time.csv", "together.csv", "s1_e01", "s2_e01",
    }  # fmt: skip


def older(folder: Path) -> None:
    facts = read_json(folder / "model.json")
    del facts["sampling"]
    write_json(folder / "model.json", facts)


def damaged(folder: Path) -> None:
    content = bytearray((folder / "scorer.tflite").read_bytes())
    content[1000] ^= 1
    (folder / "scorer.tflite").write_bytes(content)


DAMAGES = {
    "missing": (shutil.rmtree, "model.json: no such file was found, a trained model was expected"),
    "of another version": (older, "model.json: it lacks sampling, a model of this version was expected"),
    "no JSON": (lambda folder: (folder / "model.json").write_text("{"), "is not the JSON that a training writes"),
    "damaged": (damaged, "scorer.tflite: its sha256 is "),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_model_that_is_not_whole_is_one_sentence(damage, models, tmp_path, capsys):
    path, other = film(tmp_path / "film.mp4", length_s=2), tmp_path / "models"
    shutil.copytree(models, other)
    spoil, sentence = DAMAGES[damage]
    spoil(other)

    said = refused(capsys, path, models=other, out=tmp_path / "out")

    assert sentence in said and said.count("\n") == 1 and str(other) in said
    assert not (tmp_path / "out").exists()


def test_words_that_are_no_films_are_one_sentence(models, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    named_so = [film(tmp_path / name, length_s=2) for name in ("x.skip.mp4", "*.mp4")]

    assert "no such file was found" in refused(capsys, tmp_path / "none.mp4", models=models, out=tmp_path / "out")
    assert "no film was found in this folder" in refused(
        capsys, tmp_path / "empty", models=models, out=tmp_path / "out"
    )
    for path in named_so:
        assert f"may not be called '{path.stem}'" in refused(capsys, path, models=models, out=tmp_path / "out")


def test_names_are_told_apart_by_folders_then_by_number(tmp_path):
    for name in ("s1/E01.mp4", "s2/e01.mp4", "s2/e01.mkv", "s2/e02.mp4", ".hidden.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    ids = [one.video_id for one in films_of([tmp_path])]

    assert ids == ["s1_E01", "s2_e01", "s2_e01_2", "e02"]


def test_the_light_environment_holds_lines_of_the_whole_one_and_all_that_is_imported():
    def lines(name: str) -> set[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return {line for raw in text.splitlines() if (line := raw.partition("#")[0].strip())}

    imported = set()
    commands = [
        path
        for name in ("score", "extract", "annotate", "export", "watch")
        for path in import_closure(f"screentime.commandline.{name}")
    ]
    for path in commands:
        for node in ast.parse(
            (ROOT / path).read_text(encoding="utf-8")
        ).body:  # what functions import is asked for late
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            imported |= {name.partition(".")[0] for name in names}
    outside = imported - sys.stdlib_module_names - {"screentime", "stages"}

    assert lines("requirements-score.txt") < lines("requirements.txt")
    names = {"cv2": "opencv-python-headless", "yaml": "pyyaml", "ai_edge_litert": "ai-edge-litert", "PIL": "pillow"}
    listed = {re.split(r"[ =]", line)[0] for line in lines("requirements-score.txt")}
    assert {names.get(module, module) for module in outside - {"keras", "h5py"}} <= listed


def test_an_environment_of_its_needs_alone_scores_a_film_without_git_and_with_no_other_program(models, tmp_path):
    path = film(tmp_path / "film.mp4")
    scored(path, models=models, out=tmp_path / "whole")
    venv.create(tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile"]
    requirements = ["--disable-pip-version-check", "-r", ROOT / "requirements-score.txt"]
    subprocess.run([*install, *requirements], check=True, capture_output=True)

    def alone(*words: object) -> subprocess.CompletedProcess:
        environment = {"PATH": str(tmp_path / "nothing"), "HOME": str(tmp_path)}
        command = [python, "-m", "screentime", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    done = alone("score", path, "--model", models, "--out", tmp_path / "light")
    assert done.returncode == 0, done.stderr
    for file in ("index.html", "screen_time.csv", "film/timeline.csv", "film/appearances.csv"):
        assert (tmp_path / "light" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file
    watched = alone("watch", path, "--model", models, "--out", tmp_path / "watched", "--no-browser", "--for", "1")
    assert (watched.returncode, "the watch is at http://127.0.0.1:" in watched.stdout) == (0, True), watched.stderr
    done = alone("export", "--results", tmp_path / "light", "--out", tmp_path / "exported")
    assert (done.returncode, len(list((tmp_path / "exported").iterdir()))) == (0, 7), done.stderr
    told = alone("--help").stdout
    assert "score     score films" in told and "with requirements.txt installed there are also: video, label" in told
    other = alone("label")
    assert (other.returncode, other.stderr.count("\n")) == (1, 1) and "pip install -r requirements.txt" in other.stderr


TELL = """
import sys

def tell(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        print("tried:", event, arguments[-1], file=sys.stderr)

sys.addaudithook(tell)
"""


def test_it_needs_no_network_and_tries_none(models, tmp_path):
    path = film(tmp_path / "film.mp4")
    scored(path, models=models, out=tmp_path / "usual")
    (tmp_path / "sitecustomize.py").write_text(TELL)
    words = ["-m", "screentime", "score", path, "--model", models, "--out", tmp_path / "out"]

    def apart(*words: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*without_network(), sys.executable, *words], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    asked = apart("-c", "import socket; socket.create_connection(('127.0.0.1', 9))")
    assert (
        asked.returncode == 1 and "Network is unreachable" in asked.stderr and "tried: socket.connect" in asked.stderr
    )
    done = apart(*words)

    assert (done.returncode, "tried: " in done.stderr) == (0, False), done.stderr
    for file in ("index.html", "screen_time.csv", "film/timeline.csv", "film/appearances.csv"):
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "usual" / file).read_bytes(), file


def test_it_imports_nothing_heavy(models, tmp_path):
    path = film(tmp_path / "film.mp4", length_s=2)
    code = (
        "import sys; from screentime.__main__ import main\n"
        f"main(['score', {str(path)!r}, '--model', {str(models)!r}, '--out', {str(tmp_path / 'out')!r}])\n"
        "print(sorted({'tensorflow', 'keras', 'mlflow', 'dvc', 'git', 'sklearn', 'requests', 'h5py'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_what_was_scored_is_exported_without_naming_the_films_again(models, tmp_path, capsys):
    films = [film(tmp_path / name, length_s=2, shift=shift) for shift, name in enumerate(("one.mp4", "two.mkv"))]
    scored(*films, models=models, out=tmp_path / "out")
    (tmp_path / "elsewhere").mkdir()
    films[1].rename(tmp_path / "elsewhere" / "two.mkv")
    scored(films[0], tmp_path / "elsewhere", models=models, out=tmp_path / "out")  # where a film is now is remembered
    capsys.readouterr()

    main(["export", "--results", str(tmp_path / "out"), "--out", str(tmp_path / "exported"), "--to", "losslesscut"])

    for name in ("one", "two"):
        table = read_table(tmp_path / "out" / name / "appearances.csv", APPEARANCES)
        lines = (tmp_path / "exported" / f"{name}.losslesscut.csv").read_text().splitlines()
        assert [line.split(",")[2] for line in lines] == sorted(table["character"])
    assert capsys.readouterr().err == ""


def test_a_film_is_known_by_its_bytes(models, tmp_path):
    path, out = film(tmp_path / "film.mp4", length_s=2), tmp_path / "out"
    scored(path, models=models, out=out)

    facts = json.loads((out / ".screentime" / "films" / "film.json").read_text())

    assert facts["video_sha256"] == sha256_of(path) and facts["every_frame"] is False
    with av.open(str(path)) as container:
        assert facts["codec"] == container.streams.video[0].codec_context.name
