"""Ctrl-C or a full disk in a stage: one sentence, nothing half-written, and running again goes on."""

import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import synthetic
import yaml

ROOT = Path(__file__).parents[1]
COMMAND = [
    "-m", "stages.sample", "--videos", "data/videos", "--frames", "data/frames", "--metrics", "metrics/sample.json",
]  # fmt: skip


@pytest.fixture
def project(tmp_path) -> Path:
    """A short film that is sampled, and a longer one that is not yet."""
    for name in ("screentime", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "data" / "videos").mkdir(parents=True)
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["sample"] |= {"workers": 1, "fps": 25}
    write_film(tmp_path, "a.mp4", 25)
    params["videos"] = ["a.mp4"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    subprocess.run([sys.executable, *COMMAND], cwd=tmp_path, check=True, capture_output=True)
    write_film(tmp_path, "b.mp4", 4000)
    params["videos"] = ["a.mp4", "b.mp4"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params))
    return tmp_path


def write_film(folder: Path, name: str, n_frames: int) -> None:
    options = {"preset": "ultrafast"}
    starts_s = synthetic.constant_rate(n_frames, Fraction(25))
    synthetic.write_film(folder / "data" / "videos" / name, starts_s, codec_options=options, width=320, height=240)


def whole_files(project: Path) -> set[str]:
    return {path.name for path in (project / "data" / "frames").iterdir()}


A = {"a.mjpeg", "a.csv", "a.json", "a.key.json"}


# Ctrl-C while the film is half done, counted in processor time, so that a busy machine changes nothing; again where the
# first came at a moment in which Python drops exceptions
INTERRUPTED = """
import os, pathlib, runpy, signal, sys
import stages.sample
half_made = pathlib.Path("data/frames/.b.partial/b.mjpeg")
signal.signal(signal.SIGPROF, lambda *_: half_made.is_file() and os.kill(os.getpid(), signal.SIGINT))
signal.setitimer(signal.ITIMER_PROF, 0.5, 0.5)
sys.argv = sys.argv[:1] + sys.argv[3:]
runpy.run_module("stages.sample", run_name="__main__")
"""


def test_ctrl_c_leaves_what_was_done_and_running_again_goes_on(project):
    stopped = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *COMMAND], cwd=project, capture_output=True, text=True, check=False
    )

    assert stopped.returncode == 130
    assert stopped.stderr.splitlines()[-1] == (
        "interrupted: nothing half-written was left; run the same command again to go on"
    )
    assert whole_files(project) == A
    again = subprocess.run([sys.executable, *COMMAND], cwd=project, check=True, capture_output=True, text=True)
    assert again.stdout.startswith("data/frames: 1 of 2 films sampled now")


def test_a_disk_that_is_full_is_one_sentence(project):
    limited = f"ulimit -f 600; exec {sys.executable} {' '.join(COMMAND)}"
    done = subprocess.run(["bash", "-c", limited], cwd=project, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith(
        "room to write was expected; nothing half-written was left: make room (`dvc gc --workspace` frees old results) or "
        "give access, then run again"
    )
    assert whole_files(project) == A
