"""The audit draw gives every frame its chance, is made once and recorded, and its record is held against the film."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas
import pytest
from film_tables import CAST, SHA256, sampled, written
from hypothesis import given, settings
from hypothesis import strategies as st

from screentime.__main__ import main
from screentime.audit import draw, random_start, read_record, systematic
from screentime.errors import InputError

ROOT = Path(__file__).parents[1]
HEADER = "round,time_s,probability,stratum,design,seed,n_population,fps,video_sha256"
LABELS = "start_s,end_s,character,present,source"


def drawn(tmp_path, n, *, seed=1, **film):
    return draw(tmp_path / "labels", sampled(tmp_path / "frames", **film), CAST, n=n, seed=seed)


def record(tmp_path):
    return (tmp_path / "labels" / "film.audit.csv").read_text(encoding="utf-8").splitlines()


def answer(tmp_path, times, *, cast=CAST, source="audit"):
    """Append answers to the label file."""
    path = tmp_path / "labels" / "film.csv"
    lines = path.read_text().splitlines() if path.exists() else [LABELS]
    written(path, *lines, *(f"{time_s},,{name},0,{source}" for time_s in times for name in cast))


def sentence(work, *arguments, **more):
    with pytest.raises(InputError) as failure:
        work(*arguments, **more)
    return str(failure.value)


# ---- the draw


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 400).flatmap(lambda p: st.tuples(st.just(p), st.integers(1, p))), st.floats(0, 1, exclude_max=True)
)
def test_a_systematic_draw_is_spread_evenly(sizes, start):
    population, n = sizes
    places = systematic(population, n, start)

    assert len(set(places)) == n
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] < population
    gaps = np.diff([*places, places[0] + population])
    assert gaps.max() - gaps.min() <= 1


def test_every_frame_has_the_same_chance():
    """Over all starts: each of 7 frames is drawn in 3 of 7 equal parts of the range of starts."""
    counts = Counter(place for start in np.arange(0.5, 700) / 700 for place in systematic(7, 3, start))

    assert counts == dict.fromkeys(range(7), 300)


def test_random_starts_are_even_and_differ_between_videos_and_rounds():
    starts = [random_start(seed, video, number) for seed in range(200) for video in "ab" for number in (1, 2)]

    assert len(set(starts)) == len(starts)
    assert np.histogram(starts, 4, (0, 1))[0].min() > 160


# ---- the record


def test_the_record_is_exactly_the_documented_form(tmp_path):
    rows = drawn(tmp_path, 3, seed=7)

    times = [f"{time_s:g}" for time_s in rows["time_s"]]
    assert record(tmp_path) == [HEADER, *(f"1,{t},0.15,,systematic,7,20,1,{SHA256}" for t in times)]


def test_the_same_seed_draws_the_same_frames_and_another_seed_others(tmp_path):
    def times(folder, seed):
        return draw(tmp_path / folder, sampled(tmp_path / "frames", length_s=500), CAST, n=20, seed=seed)[
            "time_s"
        ].tolist()

    assert times("one", 1) == times("two", 1) != times("three", 2)


def test_a_probability_has_twelve_decimals_and_is_read_back(tmp_path):
    drawn(tmp_path, 7, length_s=13.0)

    assert record(tmp_path)[1].split(",")[2] == "0.538461538462"
    rows = read_record(tmp_path / "labels" / "film.audit.csv", sampled(tmp_path / "frames", length_s=13.0))
    assert rows["frame"].tolist() == rows["time_s"].tolist()


def test_frames_labelled_by_looking_are_not_drawn(tmp_path):
    answer(tmp_path, range(10), source="manual", cast=("ann",))
    answer(tmp_path, range(10, 14), source="accepted")
    rows = drawn(tmp_path, 10)

    assert rows["time_s"].tolist() == list(range(10, 20))
    assert rows["n_population"].unique().tolist() == [10]
    assert rows["probability"].unique().tolist() == [1.0]


def test_a_second_round_is_drawn_among_the_rest_and_leaves_the_first_as_it_was(tmp_path):
    first = drawn(tmp_path, 6)
    answer(tmp_path, first["time_s"])
    before = record(tmp_path)
    answer(tmp_path, [t for t in range(20) if t not in set(first["time_s"])][:4], source="manual")

    second = drawn(tmp_path, 5)

    assert record(tmp_path)[: len(before)] == before
    assert second["round"].unique().tolist() == [2]
    assert second["n_population"].unique().tolist() == [10]
    assert not set(second["time_s"]) & set(first["time_s"])


def test_frames_in_skipped_ranges_take_part_and_need_no_answer(tmp_path):
    written(tmp_path / "labels" / "film.skip.csv", "start_s,end_s,reason", "10,20,credits")
    first = drawn(tmp_path, 10)

    assert (first["weight_s"] == 0).sum() == 5
    answer(tmp_path, first["time_s"][first["weight_s"] > 0])
    assert drawn(tmp_path, 2)["n_population"].unique().tolist() == [10]


def test_the_record_of_the_demo_can_be_drawn_again():
    folder = ROOT / "data" / "labels"
    record = pandas.read_csv(folder / "big_buck_bunny.audit.csv")
    labels = pandas.read_csv(folder / "big_buck_bunny.csv")
    before = labels[
        (labels["source"] == "manual") & (labels["at"] < labels.loc[labels["source"] == "audit", "at"].min())
    ]
    population = np.setdiff1d(np.arange(597), before["start_s"])
    start = random_start(int(record["seed"].iloc[0]), "big_buck_bunny", 1)

    assert record["time_s"].tolist() == population[systematic(len(population), len(record), start)].tolist()
    assert record["n_population"].unique().tolist() == [len(population)]


# ---- what is refused


def test_another_round_waits_until_the_one_before_is_complete(tmp_path):
    first = drawn(tmp_path, 6)["time_s"].tolist()
    answer(tmp_path, first[:3])
    answer(tmp_path, first[3:4], cast=("ann",))
    before = record(tmp_path)

    assert sentence(drawn, tmp_path, 3) == (
        f"{tmp_path}/labels/film.audit.csv: round 1 is not complete: 3 drawn frames are not yet labelled for every "
        f"character, 0 were expected before another draw; label them, the next is at {first[3]:g} s"
    )
    assert record(tmp_path) == before


@pytest.mark.parametrize(
    ("n", "seed", "expected"),
    [
        (21, 1, "--n: 21 frames were asked for, 20 of film's 20 are not yet labelled by looking; choose at most 20"),
        (0, 1, "--n: 0 was found, the number of frames to draw, 1 or more, was expected; choose another"),
        (
            3,
            -1,
            "--seed: -1 was found, a whole number from 0 to 9223372036854775807 was expected; choose another",
        ),
        (
            3,
            2**63,
            "--seed: 9223372036854775808 was found, a whole number from 0 to 9223372036854775807 was expected; choose "
            "another",
        ),
    ],
)
def test_a_draw_that_cannot_be_is_one_sentence_and_leaves_nothing(tmp_path, n, seed, expected):
    assert sentence(drawn, tmp_path, n, seed=seed) == expected
    assert not (tmp_path / "labels").exists()


def test_a_film_that_was_looked_at_whole_needs_no_audit(tmp_path):
    answer(tmp_path, range(20), source="manual")

    assert sentence(drawn, tmp_path, 3) == (
        "film: all 20 frames are labelled by looking or drawn, at least one that is neither was expected; nothing is "
        "left to chance, no audit is needed"
    )


def test_a_record_of_another_rate_or_another_file_is_refused_by_name(tmp_path):
    drawn(tmp_path, 4)
    path = tmp_path / "labels" / "film.audit.csv"

    assert sentence(read_record, path, sampled(tmp_path / "faster", fps=2.0)) == (
        f"{path}: line 2: round 1 was drawn at 1 frames per second, the frames are sampled at 2, its probabilities do "
        "not hold for them; set sample.fps to 1 in params.yaml and run `dvc repro`, or remove the record: its labels then "
        "count as manual"
    )
    path.write_text(path.read_text().replace(SHA256, "cd" * 32))
    assert sentence(read_record, path, sampled(tmp_path / "frames")) == (
        f"{path}: line 2: round 1 was drawn from another file (video_sha256 cdcdcdcdcdcd.., the film's is "
        "abababababab..); bring that file back, or remove the record: its labels then count as manual"
    )


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (",0.2,", ",0.3,", "line 2: probability is 0.3, expected is 0.2 as round 1 has 4 of 20 frames; "),
        (",systematic,", ",stratified,", "line 2: round 1 is a stratified draw, a systematic one was expected; "),
        (",20,1,", ",21,1,", "line 2: probability is 0.2, expected is 0.190476190476 as round 1 has 4 of 21 frames; "),
    ],
)
def test_a_record_that_was_changed_is_refused(tmp_path, old, new, expected):
    drawn(tmp_path, 4)
    path = tmp_path / "labels" / "film.audit.csv"
    path.write_text(path.read_text().replace(old, new))

    assert sentence(read_record, path, sampled(tmp_path / "frames")).startswith(f"{path}: {expected}")


def test_a_record_of_a_moment_that_is_not_sampled_or_drawn_twice_is_refused(tmp_path):
    frames = sampled(tmp_path / "frames")
    path = written(tmp_path / "film.audit.csv", HEADER, f"1,3.5,0.05,,systematic,1,20,1,{SHA256}")
    assert sentence(read_record, path, frames) == (
        f"{path}: line 2: no frame is sampled at 3.5 s, the nearest at 3 s; the record is never changed: bring it back "
        "with `git checkout`"
    )
    twice = (f"{number},3,0.05,,systematic,1,20,1,{SHA256}" for number in (1, 2))
    written(path, HEADER, *twice)
    assert sentence(read_record, path, frames) == (
        f"{path}: line 3: the frame at 3 s was drawn before, once was expected; bring the record back with "
        f"`git checkout {path}`"
    )


# ---- the command


@pytest.fixture
def project(tmp_path):
    """A folder with the parameters, one sampled film called 'my film', and its (empty) video file."""
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    text = text.replace("  - big_buck_bunny.mp4", "  - my film.mp4\n  - {file: gone.mp4, skip: broken}")
    (tmp_path / "params.yaml").write_text(text, encoding="utf-8")
    sampled(tmp_path / "data" / "frames", "my film")
    written(tmp_path / "data" / "videos" / "my film.mp4")
    return tmp_path


@pytest.fixture
def run(project, monkeypatch, capsys):
    """Runs a command line in the project's folder: exit code, output and errors."""
    monkeypatch.chdir(project)

    def one(*words):
        code = 0
        try:
            main(words)
        except SystemExit as end:
            code = end.code
        return (code, *capsys.readouterr())

    return one


def test_the_command_draws_and_says_what_to_do_next(project):
    words = [sys.executable, "-m", "screentime", "audit", "draw", "my film", "--n", "4", "--seed", "3"]
    done = subprocess.run(
        words, cwd=project, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    times = [line.split(",")[1] for line in (project / "data/labels/my film.audit.csv").read_text().splitlines()[1:]]
    assert done.stdout.splitlines() == [
        "data/labels/my film.audit.csv: round 1, 4 of 20 frames drawn, evenly in time, seed 3",
        "next: look at the frames at these seconds, without any guess of the model:",
        "  " + " ".join(times),
        "and write one line per frame and character into data/labels/my film.csv (1 visible, 0 not visible, ? cannot "
        "be told):",
        "  start_s,end_s,character,present,source,annotator,at",
        f"  {times[0]},,bunny,1,audit,,",
        "then: dvc repro",
    ]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("audit", "draw", "my fil", "--n", "4"),
            "my fil: no film in params.yaml has this video_id or file name; did you mean 'my film'?\n",
        ),
        (
            ("audit", "draw", "gone", "--n", "4"),
            "gone: this film is left out (skip: broken), one that is used was expected; take it back with "
            "`python -m screentime video unskip gone`\n",
        ),
        (
            ("audit", "draw", "data/videos/my film.mp4", "--n", "21"),
            "--n: 21 frames were asked for, 20 of my film's 20 are not yet labelled by looking; choose at most 20\n",
        ),
        (
            ("audit", "draw", "my film", "--n", "many"),
            "python -m screentime audit draw: argument --n: invalid int value: 'many'; "
            "`python -m screentime audit draw --help` explains it\n",
        ),
        (
            ("audit", "draw", "my film", "--n", "4", "5"),
            "python -m screentime audit draw: unrecognized arguments: 5; `python -m screentime audit draw --help` explains it\n",
        ),
        (
            ("audit", "draw", "my film", "--n", "4", "--frames", "elsewhere"),
            "elsewhere/my film.csv: no sampled frames were found for 'my film'; run `dvc repro sample`\n",
        ),
    ],
)
def test_bad_input_to_the_command_is_one_sentence(project, run, words, expected):
    assert run(*words) == (1, "", expected)
    assert not (project / "data" / "labels").exists()


def test_a_film_sampled_at_another_rate_is_not_drawn_from(project, run):
    sampled(project / "data" / "frames", "my film", fps=2.0)

    assert run("audit", "draw", "my film", "--n", "4")[2] == (
        "data/frames/my film.json: sampled at 2 frames per second, sample.fps in params.yaml is 1; run `dvc repro "
        "sample` first\n"
    )


def test_every_command_explains_itself(run):
    for words in ((), ("audit",), ("audit", "draw"), ("check",)):
        code, output, _ = run(*words, "--help")
        assert code == 0
        assert output.startswith(f"usage: {' '.join(['python -m screentime', *words])}")
    assert "example:\n  python -m screentime audit draw" in run("audit", "draw", "--help")[1]


def test_check_says_that_all_is_well_or_the_first_thing_that_is_not(project, run):
    labels = project / "data" / "labels" / "my film.csv"
    written(labels, "start_s,end_s,character,present", "3,,bunny,1", "5,,frank,0")
    assert run("check") == (0, "all is well: 1 films (1 left out by skip), 6 characters, 2 label rows\n", "")

    written(labels, "start_s,end_s,character,present", "3,,bunny,1", "3,,bunny,0")
    assert run("check") == (
        1, "", "data/labels/my film.csv: line 3: 'bunny' at 3 s is '0', but '1' in line 2; keep the right one\n",
    )  # fmt: skip
    for index in (project / "data" / "frames").iterdir():
        index.unlink()
    assert run("check")[1] == (
        "all is well: 1 films (1 left out by skip), 6 characters, 2 label rows; not yet held against sampled frames "
        "(`dvc repro sample`): my film\n"
    )
    (project / "data" / "videos" / "my film.mp4").unlink()
    assert run("check")[2] == (
        "data/videos/my film.mp4: no such film was found, videos in params.yaml names it; put it there, or correct "
        "the name (`dvc repro` brings the demo film)\n"
    )
