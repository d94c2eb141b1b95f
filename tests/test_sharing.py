"""A data set travels as people send it: two clones with a real SSH remote between them, a tag, another project; and what
goes wrong on the way is one sentence."""

import csv
import io
import json
import re
import shutil
from fractions import Fraction
from pathlib import Path

import excerpt
import mlflow
import pytest
import synthetic
from clones import FILES, Clone, another, copied, declare, film_project, introduce
from project import Project
from servers import ssh_server

from screentime.project import card

CAST = ["bunny", "frank", "rinky"]
RESULTS = ("models/trained", "reports", "data/frames", "data/scores", "data/targets")


@pytest.fixture(scope="module", autouse=True)
def own_home(tmp_path_factory):
    """A home with one SSH key in it, as a new user has; what DVC remembers of remotes stays inside the tests."""
    home = tmp_path_factory.mktemp("home")
    with ssh_server(tmp_path_factory.mktemp("ssh") / "server") as server, pytest.MonkeyPatch.context() as patch:
        (home / ".ssh").mkdir()
        shutil.copy(server.key, home / ".ssh" / "id_ed25519")
        patch.setenv("HOME", str(home))
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("memory")))
        patch.delenv("SSH_AUTH_SOCK", raising=False)
        yield server


@pytest.fixture(scope="module")
def owner(own_home, tmp_path_factory, demo_excerpt) -> Project:
    """A project of three films, labelled by hand, trained; with a Git remote and an SSH remote."""
    project = Project(tmp_path_factory.mktemp("work") / "films")
    introduce(project)
    excerpt.put_into(project, demo_excerpt, CAST, "first")
    films = ["first.mp4", "second.mp4", "third.mp4"]
    for name in films[1:]:
        synthetic.write_film(project.folder / "data" / "videos" / name, synthetic.constant_rate(60, Fraction(12)))
    project.own_films(*films)
    small = {"width": 64, "height": 64}
    project.set_params(
        embed=small,
        preprocess=small,
        train={"method": "probe", "folds": 8, "probe": {"epochs": 3}},
        suggest={"frames": 9},
    )
    project.run("dvc", "add", *(f"data/videos/{name}" for name in films))
    project.run("dvc", "repro")
    origin = tmp_path_factory.mktemp("origin") / "films.git"
    project.run("git", "init", "--quiet", "--bare", str(origin))
    project.run("git", "remote", "add", "origin", str(origin))
    store = own_home.url(tmp_path_factory.mktemp("store"))
    project.run("dvc", "remote", "add", "--default", "storage", store)
    project.commit("three films, labels, results")
    return project


@pytest.fixture(scope="module")
def shared(owner) -> str:
    """What `share v1` says; the tag is on the Git remote."""
    told = owner.run("python", "-m", "screentime", "share", "v1")
    owner.run("git", "push", "--quiet", "origin", branch_of(owner), "v1")
    return told


@pytest.fixture(scope="module")
def other(owner, shared, tmp_path_factory) -> Clone:
    """The second person's clone at the tag, with its data."""
    clone = Clone(origin_of(owner), tmp_path_factory.mktemp("other") / "films", "v1")
    clone.run("python", "-m", "screentime", "pull")
    return clone


@pytest.fixture(scope="module")
def filmed(tmp_path_factory) -> Project:
    return film_project(tmp_path_factory.mktemp("filmed"))


@pytest.fixture
def project(filmed, tmp_path) -> Project:
    """A project of one film with its frames, and a remote that is a folder; for a test to change."""
    project = copied(filmed, tmp_path / "project")
    declare(project, "storage", str(tmp_path / "store"))
    return project


def origin_of(project: Project) -> Path:
    return Path(project.run("git", "remote", "get-url", "origin").strip())


def branch_of(project: Project) -> str:
    return project.run("git", "branch", "--show-current").strip()


def commit_of(project: Project, revision: str = "HEAD") -> str:
    return project.run("git", "rev-parse", "--short", revision).strip()


def share(project: Project, tag: str = "v1", code: int = 1) -> str:
    return project.run("python", "-m", "screentime", "share", tag, code=code)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by name."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_sharing_sets_the_tag_and_says_what_others_type(owner, shared, own_home):
    origin, lines = origin_of(owner), shared.splitlines()

    n_files = re.fullmatch(
        rf"remote 'storage' \({re.escape(remote_url(owner))}\): (\d+) files sent now; all \1 of this commit are there",
        lines[0],
    )
    assert n_files and int(n_files[1]) > 20
    assert lines[1] == "docs/data-card.md: written and committed"
    assert lines[2:] == [
        f"tag v1: set on commit {commit_of(owner, 'v1^{commit}')}",
        f"next: git push origin {branch_of(owner)} v1",
        "then others have all of it, and `dvc repro` finds nothing to do:",
        f"  git clone --branch v1 {origin} && cd films && python -m screentime pull",
        "or parts of it, in a project of their own:",
        f"  dvc get --rev v1 {origin} models/trained      # a copy of the model",
        f"  dvc import --rev v1 {origin} models/trained   # a copy that knows where it came from",
        f"  {'dvc update --rev NEXT_TAG trained.dvc':<{len(f'dvc import --rev v1 {origin} models/trained')}}   # and follows to the "
        "next tag",
    ]
    assert owner.run("git", "cat-file", "-t", "v1") == "tag\n"
    assert "first.mp4" in owner.run("git", "show", "v1:docs/data-card.md")


def remote_url(project: Project) -> str:
    return project.run("dvc", "remote", "list").split()[1]


def test_the_second_clone_has_the_same_bytes_and_nothing_to_do(owner, other):
    for name in RESULTS:
        assert contents(other.folder / name) == contents(owner.folder / name)
    assert other.stages_run(other.run("dvc", "repro")) == []
    assert other.run("git", "status", "--porcelain", "--untracked-files=no") == ""


def test_an_experiment_travels_back_and_both_are_compared_in_dvc_and_in_mlflow(owner, other):
    other.run("dvc", "exp", "run", "--name", "freer", "--set-param", "train.probe.l2=0.001")
    other.run("dvc", "exp", "push", "origin", "freer")

    owner.run("dvc", "exp", "pull", "origin", "freer")
    table = list(csv.DictReader(io.StringIO(owner.run("dvc", "exp", "show", "--csv"))))
    row = next(row for row in table if row["Experiment"] == "freer")
    workspace = next(row for row in table if row["rev"] == "workspace")
    assert (row["train.probe.l2"], workspace["train.probe.l2"]) == ("0.001", "0.05")
    assert row["loss"] != workspace["loss"] != ""

    owner.run("dvc", "exp", "apply", "freer")
    owner.run("python", "-m", "stages.publish")
    key = json.loads((owner.folder / "models" / "trained" / "model.json").read_text(encoding="utf-8"))["run_key"]
    owner.run("git", "checkout", "--quiet", ".")
    owner.run("dvc", "checkout")
    mlflow.set_tracking_uri(f"sqlite:///{owner.folder / 'mlflow.db'}")
    runs = mlflow.search_runs(search_all_experiments=True, output_format="list")
    assert {run.data.params["train.probe.l2"] for run in runs} == {"0.05", "0.001"}
    assert key in {run.data.tags["run_key"] for run in runs}


def test_another_project_takes_a_part_and_follows_to_the_next_tag(owner, shared, tmp_path):
    origin = origin_of(owner)
    report = (owner.folder / "reports" / "screen_time.csv").read_bytes()
    elsewhere = Project.__new__(Project)
    elsewhere.folder = tmp_path
    elsewhere.run("git", "init", "--quiet")
    elsewhere.run("dvc", "init", "--quiet")

    elsewhere.run("dvc", "get", "--rev", "v1", str(origin), "models/trained", "--out", "got")
    elsewhere.run("dvc", "get", "--rev", "v1", str(origin), "data/labels/first.csv")
    elsewhere.run("dvc", "import", "--rev", "v1", str(origin), "reports")

    assert contents(tmp_path / "got") == contents(owner.folder / "models" / "trained")
    assert (tmp_path / "first.csv").read_bytes() == (owner.folder / "data" / "labels" / "first.csv").read_bytes()
    assert (tmp_path / "reports" / "screen_time.csv").read_bytes() == report

    owner.set_params(estimate={"threshold": 0.2})
    owner.run("dvc", "repro")
    owner.commit("a lower threshold")
    share(owner, "v2", code=0)
    owner.run("git", "push", "--quiet", "origin", branch_of(owner), "v2")
    elsewhere.run("dvc", "update", "--rev", "v2", "reports.dvc")

    followed = (tmp_path / "reports" / "screen_time.csv").read_bytes()
    assert followed == (owner.folder / "reports" / "screen_time.csv").read_bytes() != report


def test_a_dirty_tree_is_refused_by_name(project):
    for name in "abcd":
        (project.folder / f"{name}.txt").write_text(name)

    assert share(project) == (
        "a.txt, b.txt, c.txt and 1 more: not committed, a tag pins only what is; look at `git status`, then "
        '`git add --all && git commit -m "WHAT CHANGED"`\n'
    )
    assert project.run("git", "tag") == ""


def test_stale_stages_are_refused_by_name(project):
    assert share(project) == (
        "embed, label, suggest and 8 more: these stages are stale, results of the films, labels and parameters of this "
        "commit were expected (`python -m screentime status` says why); run `dvc repro`, look at the report, commit, then "
        "share\n"
    )
    assert not (project.folder / "docs" / "data-card.md").exists()


def test_a_film_that_was_exchanged_is_refused(project):
    synthetic.write_film(project.folder / "data" / "videos" / "film.mp4", synthetic.constant_rate(24, Fraction(24)))

    assert share(project) == (
        "data/videos/film.mp4: not the film that its .dvc file names; bring that one back with `dvc checkout "
        "data/videos/film.mp4.dvc`, or take the new one with `dvc add data/videos/film.mp4`\n"
    )


def test_a_tag_that_is_taken_and_a_name_that_git_refuses_are_told(project):
    project.run("git", "tag", "v1")

    assert share(project) == (
        "v1: a tag of this name is there, a new one was expected; choose another name (a tag that others may have is "
        "never moved)\n"
    )
    assert share(project, "first try") == (
        "first try: not a name that Git allows for a tag, one like v1 was expected; choose another\n"
    )


def test_nothing_is_written_when_the_remote_is_not_reached(owner, shared):
    before = commit_of(owner)
    (owner.folder / "docs" / "data-card.md").write_text("an old card")
    owner.run("dvc", "remote", "add", "--local", "gone", "ssh://127.0.0.1:1/x")

    told = owner.run("python", "-m", "screentime", "share", "v0", "--remote", "gone", code=1)

    assert told == (
        "remote 'gone' (ssh://127.0.0.1:1/x): no answer ([Errno 111] Connect call failed ('127.0.0.1', 1)), a running "
        "server was expected; start it, or correct the address with `dvc remote modify gone url URL`\n"
    )
    assert (owner.run("git", "tag", "--list", "v0"), commit_of(owner)) == ("", before)
    assert (owner.folder / "docs" / "data-card.md").read_text() == "an old card"
    owner.run("git", "checkout", "--quiet", "docs")


def test_git_without_a_name_is_told_before_anything_is_written(owner, shared, tmp_path, monkeypatch):
    owner.run("git", "config", "--unset", "user.email")
    owner.run("git", "config", "user.useConfigOnly", "true")

    try:
        assert share(owner, "v0") == (
            "git: it does not know your name, which commits and tags carry; say it with `git config user.name NAME` and "
            "`git config user.email ADDRESS`\n"
        )
    finally:
        introduce(owner)


def test_a_tag_whose_data_was_never_pushed_is_told(project, tmp_path):
    project.run("git", "tag", "v1")
    (tmp_path / "store").mkdir()

    clone = another(project, tmp_path / "clone")

    assert clone.run("python", "-m", "screentime", "pull", code=1) == (
        f"tag v1: none of its data is on the remote 'storage' ({tmp_path / 'store'}), 2 files were expected there; it was "
        "never pushed, or elsewhere: ask for `git checkout v1 && python -m screentime push --remote storage` where the "
        "data is, or name another remote with --remote\n"
    )


def test_no_room_in_the_cache_is_told_and_pulling_again_goes_on(project, tmp_path):
    film = project.folder / "data" / "videos" / "film.mp4"
    film.write_bytes(film.read_bytes() + bytes(2_000_000))
    project.run("dvc", "add", "data/videos/film.mp4")
    project.commit("a larger film")
    project.run("python", "-m", "screentime", "push")
    clone = another(project, tmp_path / "clone")

    told = clone.run("bash", "-c", "ulimit -f 1000; exec python -m screentime pull", code=1, cold=True)

    assert told == (
        ".dvc/cache/files/md5: no room (file too large), room for the data was expected; make some (`dvc gc --workspace` "
        "frees what this commit does not use), or keep the cache elsewhere (`dvc cache dir --local FOLDER`), then pull "
        "again\n"
    )
    assert list((clone.folder / ".dvc" / "cache").rglob("*.tmp")) == []
    again = clone.run("python", "-m", "screentime", "pull").splitlines()[0]
    assert f"all {FILES} of this commit are here" in again
    assert (clone.folder / "data" / "videos" / "film.mp4").read_bytes() == film.read_bytes()


def test_what_was_changed_here_and_is_kept_nowhere_else_is_not_overwritten(project, tmp_path):
    project.run("python", "-m", "screentime", "push")
    clone = another(project, tmp_path / "clone")
    film = clone.folder / "data" / "videos" / "film.mp4"
    film.write_bytes(b"my own cut")

    assert clone.run("python", "-m", "screentime", "pull", code=1) == (
        "data/videos/film.mp4: changed here and kept nowhere else, what this commit names was expected; keep it under "
        "another name, or give it up with `dvc checkout --force`\n"
    )
    assert film.read_bytes() == b"my own cut"


def test_pushing_what_is_nowhere_is_told(project, tmp_path):
    shutil.rmtree(project.folder / ".dvc" / "cache")

    assert project.run("python", "-m", "screentime", "push", code=1) == (
        f"data/frames, data/videos/film.mp4: neither here nor on the remote 'storage' ({tmp_path / 'store'}), data of this "
        "commit was expected here; put data/videos/film.mp4 back and run `dvc add data/videos/film.mp4`, then push again\n"
    )


def test_a_private_film_stays_and_all_else_travels(project, tmp_path):
    secret = tmp_path / "secret.mp4"
    synthetic.write_film(secret, synthetic.constant_rate(72, Fraction(24)))
    project.run("python", "-m", "screentime", "video", "add", "--private", str(secret))
    project.run("dvc", "repro", "sample")
    project.commit("a private film")
    frames = project.folder / "data" / "frames"
    project.run("python", "-m", "screentime", "push")
    pictures = {path.read_bytes() for path in frames.glob("secret*.mjpeg")} | {secret.read_bytes()}
    assert len(pictures) == 2 and not pictures & set(contents(tmp_path / "store").values())

    clone = another(project, tmp_path / "clone")
    clone.run("python", "-m", "screentime", "pull")

    expected = {name: data for name, data in contents(frames).items() if data not in pictures}
    assert contents(clone.folder / "data" / "frames") == expected and "secret.csv" in expected
    assert clone.stages_run(clone.run("dvc", "repro", "sample")) == []
    assert card.text(clone.folder) == card.text(project.folder)
    clone.set_params(sample={"max_side": 96})
    assert "secret.mp4: private, and not on this machine: `sample` will refuse what needs the pictures." in clone.run(
        "python", "-m", "screentime", "status"
    )


def test_two_people_who_labelled_one_film_keep_both_files_and_merging_is_named(project):
    labels = project.folder / "data" / "labels"
    for name in ("film.csv", "film.anna.csv"):
        (labels / name).write_text("start_s,end_s,character,present\n0,,bunny,1\n", encoding="utf-8")

    assert project.run("python", "-m", "screentime", "check").splitlines() == [
        "all is well: 1 films, 6 characters, 1 label rows",
        "labelled by two people: data/labels/film.anna.csv; both files are kept, and only VIDEO.csv is used; next: `python "
        "-m screentime labels agree VIDEO` compares them, `labels merge VIDEO` brings them together",
    ]
