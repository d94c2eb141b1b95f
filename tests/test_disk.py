"""What is said of the disk before a long run and on request holds: sizes, estimates, what `dvc gc` frees."""

import os
import shutil
from fractions import Fraction
from pathlib import Path

import excerpt
import pytest
import synthetic
from project import Project

from screentime.errors import InputError
from screentime.params import Params, load
from screentime.project.disk import disk_table, holdings
from screentime.room import packed_bytes, room_told, size_text
from screentime.sections import Video
from screentime.video import VideoHeader, header_of
from stages.sample import sample

PROJECT = load(Path(__file__).parents[1] / "params.yaml")
HOURS_OF_FILM = VideoHeader(length_s=7 * 3600.0, n_pixels=448 * 252)


def params_for(film: str, **settings: object) -> Params:
    return PROJECT.model_copy(
        update={"videos": (Video(file=film),), "sample": PROJECT.sample.model_copy(update=settings)}
    )


def run(folder: Path, params: Params) -> None:
    sample(videos=folder, frames=folder / "frames", metrics=folder / "metrics.json", params=params)


def test_the_estimate_is_near_what_a_real_film_takes(tmp_path, demo_excerpt):
    shutil.copy(demo_excerpt, tmp_path / "film.mp4")
    run(tmp_path, params_for("film.mp4"))

    settings = PROJECT.sample
    estimate = packed_bytes(header_of(tmp_path / "film.mp4", settings.max_side), settings.fps, settings.jpeg_quality)
    packed = (tmp_path / "frames" / "film.mjpeg").stat().st_size
    assert 0.6 < packed / estimate < 1.7
    assert packed / (excerpt.END_S - excerpt.START_S) * 3600 < 60e6


def test_the_estimate_is_told_before_a_long_run_and_not_before_a_short_one(tmp_path, capsys):
    for name, length_s in (("short.mp4", 3), ("long.mp4", 120)):
        synthetic.write_film(tmp_path / name, synthetic.constant_rate(length_s, Fraction(1)))
        run(tmp_path, params_for(name))

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(
        f"{tmp_path / 'frames'}: 2 min of film to sample, about 211 KB, and as much again in DVC's cache where it copies; "
    )
    assert lines[1].endswith(" are free on this disk")


def test_a_film_longer_than_the_disk_can_hold_is_refused_before_anything_is_sampled(tmp_path):
    synthetic.write_film(tmp_path / "endless.mkv", [Fraction(0), Fraction(10**9)], time_base=Fraction(1))

    with pytest.raises(InputError) as failure:
        run(tmp_path, params_for("endless.mkv", fps=60.0))

    place, _, rest = str(failure.value).partition(": ")
    assert place == str(tmp_path / "frames")
    assert rest.partition(" are free on this disk, ")[2] == (
        "about 211 TB were expected for 555,556 h of film; make room (`python -m screentime disk` says where), lower "
        "sample.fps or sample.max_side, or sample fewer films at a time"
    )
    assert not (tmp_path / "frames").exists()


def test_twice_the_free_room_is_refused_and_what_may_fit_is_not(tmp_path):
    free = shutil.disk_usage(tmp_path).free
    of_seven_hours = packed_bytes(HOURS_OF_FILM, 1.0, 72)
    times = int(free / of_seven_hours)

    assert room_told(tmp_path / "not" / "there", [HOURS_OF_FILM] * times, 1.0, 72) is not None
    with pytest.raises(InputError):
        room_told(tmp_path, [HOURS_OF_FILM] * (3 * times + 3), 1.0, 72)


def test_what_cannot_be_read_takes_no_room_in_the_estimate(tmp_path):
    (tmp_path / "text.mp4").write_text("not a film")

    assert header_of(tmp_path / "text.mp4", 448) == header_of(tmp_path / "none.mp4", 448) == VideoHeader(0.0, 0)
    assert packed_bytes(VideoHeader(0.0, 0), 1.0, 72) == 0


def sizes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_table_has_the_true_sizes_and_gc_frees_what_it_says(tmp_path):
    project = Project(tmp_path)
    synthetic.write_film(tmp_path / "data" / "videos" / "film.mp4", synthetic.constant_rate(60, Fraction(1)))
    (tmp_path / "data" / "labels" / "film.csv").write_text("start_s,end_s,character,present\n")
    project.own_films("film.mp4")
    project.run("dvc", "repro", "sample")
    project.commit("one frame a second")
    project.set_params(sample={"fps": 2.0})
    project.run("dvc", "repro", "sample")

    lines = project.run("python", "-m", "screentime", "disk").splitlines()

    of = {line.split("  ")[0]: [part.strip() for part in line.split("  ") if part.strip()][1:] for line in lines}
    videos, frames = (sizes_of(tmp_path / "data" / name) for name in ("videos", "frames"))
    cache = sizes_of(tmp_path / ".dvc" / "cache")
    assert of["data/videos"] == [size_text(videos), size_text(60 * videos), "the films"]
    assert of["data/frames"][:2] == [size_text(frames), size_text(60 * frames)]
    assert of["data/labels"] == ["32 B", "what people wrote, in Git: never delete it"]
    assert of[".dvc/cache"][0] == size_text(cache)
    assert "for 60 s of film; " in "\n".join(lines)
    assert any(line.startswith("`dvc gc --all-commits --all-experiments` would free nothing: ") for line in lines)
    project.run("dvc", "gc", "--workspace", "--force")
    freed = cache - sizes_of(tmp_path / ".dvc" / "cache")
    assert freed > 0
    assert any(line.startswith(f"`dvc gc --workspace` would free {size_text(freed)}: ") for line in lines)


def test_a_file_with_two_names_counts_once(tmp_path):
    for place in ("data/frames", "cache"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "data" / "frames" / "film.mjpeg").write_bytes(bytes(1000))
    os.link(tmp_path / "data" / "frames" / "film.mjpeg", tmp_path / "cache" / "ab")
    (tmp_path / "cache" / "cd").write_bytes(bytes(10))

    held = {one.place: one.n_bytes for one in holdings(tmp_path, tmp_path / "cache")}

    assert held == {"data/frames": 1000, "cache": 10}


def test_outside_a_project_of_dvc_the_table_says_why_gc_could_not_be_asked(tmp_path):
    text = disk_table(tmp_path)

    assert "`dvc gc --workspace` could not be asked (ERROR: you are not inside of a DVC repository" in text
