"""Frames of a character out of films: the right ones, as decoded, named by their time; and sheets of appearances."""

import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pandas
import pytest
import synthetic
from namespaces import on_a_disk_of
from PIL import Image
from scored import CAST, SAMPLING, film, write_models
from test_docs import FORMATS, described

from screentime.__main__ import main
from screentime.files import read_json, write_json
from screentime.frames import decode_jpeg, encode_jpeg
from screentime.outside.clips import APPEARANCE_CLIPS
from screentime.outside.extraction import EXTRACTED, time_text
from screentime.scorer import Scorer
from screentime.table_files import read_table
from screentime.tables import TIMELINE
from screentime.video import NativeFrames

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("extract") / "models"
    write_models(folder)
    return folder


def extracted(*words: object, models: Path, out: Path) -> pandas.DataFrame:
    """Run the command on a film called film.*; its table."""
    words = [*map(str, words), "--model", str(models), "--out", str(out), "--params", str(ROOT / "params.yaml")]
    main(["extract", *words])
    return read_table(out / "film" / "frames.csv", EXTRACTED)


def refused(capsys, *words: object, models: Path, out: Path) -> str:
    with pytest.raises(SystemExit) as ended:
        extracted(*words, models=models, out=out)
    assert ended.value.code == 1
    return capsys.readouterr().err


def scores_of(path: Path, models: Path) -> list[tuple[Fraction, np.ndarray, np.ndarray]]:
    """Of every frame of a film: when it comes, its scores, (n_characters,) float64, and its picture."""
    scorer = Scorer(models, threads=1)
    found = []
    for frame in NativeFrames(path):
        packed = encode_jpeg(frame.image(SAMPLING["max_side"]), SAMPLING["jpeg_quality"])
        found.append((frame.start_s, scorer.scores(decode_jpeg(packed)).round(6), frame.image()))
    return found


def picture(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


UPRIGHT = {"display_matrix": (0, 65536, 0, -65536, 0, 0, 0, 0, 1073741824)}


@pytest.mark.parametrize("more", [{}, UPRIGHT], ids=["as stored", "turned"])
@pytest.mark.parametrize("every", [1, 3])
def test_every_frame_that_passes_is_there_as_decoded_under_its_time(every, more, models, tmp_path):
    starts_s = synthetic.constant_rate(60, Fraction(12), first_s=Fraction(1, 2))  # the first frame comes late
    path = film(tmp_path / "film.mp4", starts_s=starts_s, **more)
    threshold = 0.6

    table = extracted(path, "--every", every, "--threshold", threshold, models=models, out=tmp_path / "out")

    looked_at = scores_of(path, models)[::every]
    wanted = {
        (name, float(round(start_s, 6)), f"{name}/film_{time_text(start_s)}.png"): (scores[place], image)
        for start_s, scores, image in looked_at
        for place, name in enumerate(CAST)
        if scores[place] >= threshold
    }
    assert 5 < len(wanted) < len(looked_at) * len(CAST)
    assert {(row.character, row.time_s, row.file) for row in table.itertuples()} == set(wanted)
    for row in table.itertuples():
        score, image = wanted[row.character, row.time_s, row.file]
        assert row.score == pytest.approx(score, abs=2e-6)
        assert np.array_equal(picture(tmp_path / "out" / "film" / row.file), image)
    files = {f"{one.parent.name}/{one.name}" for one in (tmp_path / "out" / "film").rglob("*.png")}
    assert files == {file for _, _, file in wanted}


def test_at_a_rate_the_frames_on_screen_then_have_the_scores_of_the_timeline(models, tmp_path):
    path, out = film(tmp_path / "film.mp4", length_s=8), tmp_path / "out"

    table = extracted(path, "--fps", 1, "--threshold", 0.01, "--picture", "jpg", models=models, out=out)
    main(["score", str(path), "--model", str(models), "--out", str(tmp_path / "scored")])

    timeline = read_table(tmp_path / "scored" / "film" / "timeline.csv", TIMELINE, CAST).set_index("time_s")
    wanted = {(time_s, name): score for name in CAST for time_s, score in timeline[name].items() if score >= 0.01}
    assert {(row.time_s, row.character): row.score for row in table.itertuples()} == wanted
    assert set(table["file"].str[-4:]) == {".jpg"}
    assert picture(out / "film" / table["file"][0]).shape == (90, 160, 3)


def test_another_threshold_asks_the_network_nothing_and_takes_away_what_does_not_pass(models, tmp_path, monkeypatch):
    path, out = film(tmp_path / "film.mp4"), tmp_path / "out"
    low = extracted(path, "--character", "ann", "--threshold", 0.5, models=models, out=out)
    monkeypatch.setattr(Scorer, "scores", lambda *_: pytest.fail("the scores are known"))

    high = extracted(path, "--character", "ann", "--threshold", 0.8, models=models, out=out)

    assert 0 < len(high) < len(low)
    assert set(high["file"]) == set(low[low["score"] >= 0.8]["file"])
    assert {f"ann/{one.name}" for one in (out / "film" / "ann").iterdir()} == set(high["file"])


def test_a_run_that_is_killed_goes_on_and_ends_as_an_undisturbed_one(models, tmp_path):
    path = film(tmp_path / "film.mp4", length_s=60)
    command = [sys.executable, "-m", "screentime", "extract", path, "--every", "1", "--model", models, "--out"]
    process = subprocess.Popen([*command, tmp_path / "out"], cwd=ROOT, stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list((tmp_path / "out").rglob("film_*.png")) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "film" / "frames.csv").exists()
    assert (tmp_path / "out" / ".screentime" / "frames" / "film.scores").is_file()

    subprocess.run([*command, tmp_path / "out"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*command, tmp_path / "whole"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

    files = sorted(one.relative_to(tmp_path / "whole") for one in (tmp_path / "whole").rglob("*") if one.is_file())
    assert sorted(one.relative_to(tmp_path / "out") for one in (tmp_path / "out").rglob("*") if one.is_file()) == files
    for file in files:
        assert (tmp_path / "out" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file


KILLED = """
import os
from screentime.__main__ import main
from screentime.outside import extraction

place, left = extraction._place, {pictures}

def place_or_die(*words):
    global left
    place(*words)
    left -= 1
    if not left:
        os._exit(9)

extraction._place = place_or_die
main({words!r})
"""


def test_another_threshold_after_a_kill_leaves_no_picture_that_does_not_pass(models, tmp_path):
    """Killed while its pictures were written, before there was a table and again when there was one."""
    path, out = film(tmp_path / "film.mp4"), tmp_path / "out"
    low = extracted(path, "--every", 1, "--character", "ann", "--threshold", 0.5, models=models, out=tmp_path / "low")
    high = set(low[low["score"] >= 0.8]["file"])
    assert 0 < len(high) < len(low) - 4

    def killed(threshold: float, pictures: int) -> None:
        """A run that ends at once, without any cleaning up, when so many pictures are written."""
        words = [path, "--every", 1, "--character", "ann", "--threshold", threshold, "--model", models, "--out", out]
        code = KILLED.format(pictures=pictures, words=["extract", *map(str, words)])
        assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode == 9
        assert not (out / "film" / "frames.csv").exists()

    for threshold in (0.5, 0.4):
        killed(threshold, pictures=len(low) - 2)
        table = extracted(path, "--every", 1, "--character", "ann", "--threshold", 0.8, models=models, out=out)
        assert set(table["file"]) == high
        assert {f"ann/{one.name}" for one in (out / "film" / "ann").iterdir()} == high
    assert [one.name for one in (out / ".screentime" / "frames").iterdir()] == ["film.scores"]


def noise_between(number: int, width: int, height: int) -> np.ndarray:
    """A plain picture once a second, noise on all others: what is sampled tells too little of the room that all need."""
    random = np.random.default_rng(number)
    return (
        random.integers(0, 256, (height, width, 3)).astype(np.uint8)
        if number % 12
        else np.full((height, width, 3), 90, np.uint8)
    )


def test_a_full_disk_is_one_sentence_and_leaves_whole_pictures(models, tmp_path):
    path, out, kept = tmp_path / "film.mp4", tmp_path / "out", tmp_path / "kept"
    synthetic.write_film(path, synthetic.constant_rate(72, Fraction(12)), width=160, height=90, image_of=noise_between)
    out.mkdir()
    words = ["--every", "1", "--threshold", "0.001", "--model", models, "--out", out]
    command = [sys.executable, "-m", "screentime", "extract", path, *words]

    done = subprocess.run(
        [*on_a_disk_of("900k", out, f'cp -r "{out}" "{kept}"'), *command],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1 and "pictures, " in done.stdout, done.stdout + done.stderr
    assert done.stderr.splitlines()[-1] == (
        "the disk: no space left on device, room to write was expected; nothing half-written was left: make room (`python -m "
        "screentime disk` says what a project may free) or give access, then run again"
    )
    assert "Traceback" not in done.stderr
    pictures = list(kept.rglob("film_*.png"))
    assert len(pictures) > 5
    for one in pictures:
        with Image.open(one) as picture:
            picture.load()
    assert not (kept / "film" / "frames.csv").exists() and not list(kept.rglob("*.partial"))


def test_characters_whose_names_a_folder_cannot_have_do_not_share_one(models, tmp_path):
    """`a/b` and `a_b`: each has pictures, sheet and clips of its own."""
    cast = ["a/b", "a_b", "frames.csv"]
    shutil.copytree(models, tmp_path / "models")
    facts = read_json(tmp_path / "models" / "model.json")
    write_json(tmp_path / "models" / "model.json", facts | {"cast": cast})
    path, out = film(tmp_path / "film.mp4", length_s=8), tmp_path / "out"
    what = ("--as", "frames", "sheet", "clips")

    table = extracted(path, "--threshold", 0.5, *what, models=tmp_path / "models", out=out)

    folders = {name: {file.partition("/")[0] for file in files} for name, files in table.groupby("character")["file"]}
    assert folders == {"a/b": {"a_b_2"}, "a_b": {"a_b"}, "frames.csv": {"frames.csv_"}}
    for folder in ("a_b", "a_b_2", "frames.csv_"):
        written = {one.name for one in (out / "film" / folder).glob("film_*.png")}
        assert written == {Path(file).name for file in table["file"] if file.startswith(f"{folder}/")}
        assert (out / "film" / folder / "film_sheet.jpg").is_file()
    clips = read_table(out / "film" / "clips.csv", APPEARANCE_CLIPS)
    assert clips["file"].is_unique and {Path(file).parent.name for file in clips["file"]} <= {
        "a_b",
        "a_b_2",
        "frames.csv_",
    }


def test_the_room_is_told_before_and_a_limit_is_kept(models, tmp_path, capsys, monkeypatch):
    path, out = film(tmp_path / "film.mp4", length_s=20), tmp_path / "out"

    said = refused(capsys, path, "--every", 1, "--limit-gb", 1e-5, models=models, out=out)
    assert "of pictures were found, at most 10 KB were expected" in said and "--picture jpg" in said
    assert not (out / "film").exists()

    whole = extracted(path, "--every", 1, models=models, out=out)
    told = capsys.readouterr().out
    expected = int(told.split("about ")[1].split(" ")[0].replace(",", ""))
    assert abs(expected - len(whole)) < 0.2 * len(whole)
    n_bytes = sum((out / "film" / file).stat().st_size for file in whole["file"])

    monkeypatch.setattr("screentime.commandline.extract.expected", lambda *_: (1, 1))  # the guess was far off
    shutil.rmtree(out)
    said = refused(capsys, path, "--every", 1, "--limit-gb", n_bytes / 4e9, models=models, out=out)
    assert "the limit was reached at" in said and "the pictures until then are there" in said
    partly = read_table(out / "film" / "frames.csv", EXTRACTED)
    assert 0 < len(partly) < len(whole)
    assert sum(one.stat().st_size for one in (out / "film").rglob("*.png")) <= n_bytes / 4


def test_a_sheet_has_one_picture_of_each_appearance(models, tmp_path, capsys):
    path, out = film(tmp_path / "film.mp4", length_s=40), tmp_path / "out"

    main(["extract", str(path), "--character", "ann", "--as", "sheet", "--model", str(models), "--out", str(out)])

    n_shown = int(capsys.readouterr().out.split("film_sheet.jpg: ")[1].split(" ")[0])
    with Image.open(out / "film" / "ann" / "film_sheet.jpg") as sheet:
        assert sheet.format == "JPEG" and sheet.width == 2080
        pixels = np.asarray(sheet)
    paper = np.abs(pixels.astype(int) - extraction_paper()).max(axis=2) < 12
    rows = np.flatnonzero(~paper[:, 40:200].all(axis=1))
    assert n_shown > 1 and len(rows) > 90
    assert not (out / "film" / "frames.csv").exists()


def extraction_paper() -> np.ndarray:
    from screentime.outside.sheet import PAPER

    return np.array(PAPER)


def test_a_sheet_is_made_of_a_film_whose_name_the_font_has_not(models, tmp_path):
    path = film(tmp_path / "ドラマ.mp4")

    main(["extract", str(path), "--as", "sheet", "--model", str(models), "--out", str(tmp_path / "out")])

    assert len(list((tmp_path / "out" / "ドラマ").rglob("ドラマ_sheet.jpg"))) == len(CAST)


WRONG = {
    "nobody": (("--character", "anne"), "--character: 'anne' is not in the model's cast; did you mean 'ann'?"),
    "threshold": (("--threshold", "1"), "--threshold: 1.0 was found"),
    "every": (("--every", "0"), "--every: 0 was found"),
    "rate": (("--fps", "0"), "--fps: 0 was found"),
    "kind": (("--picture", "gif"), "invalid choice: 'gif'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_is_one_sentence(case, models, tmp_path, capsys):
    path = film(tmp_path / "film.mp4", length_s=2)
    words, sentence = WRONG[case]

    said = refused(capsys, path, *words, models=models, out=tmp_path / "out")

    assert sentence in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_table_is_documented_by_its_contract():
    assert described(EXTRACTED) in FORMATS
