"""Films come into a project by file, folder, playlist or address, and leave it; nothing of a person's is lost."""

import http.server
import os
import threading
from fractions import Fraction
from pathlib import Path

import pytest
import synthetic
import yaml
from project import Project

from screentime.errors import InputError
from screentime.files import sha256_of
from screentime.project.begin import empty_project
from screentime.project.cast import add_characters, rename_character
from screentime.project.declarations import Declarations
from screentime.project.status import status
from screentime.project.videos import add_videos, remove_video, sources


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """Three small films in a folder, one of them in a subfolder, and what is no film."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "season 1").mkdir()
    for number, name in enumerate(("b.mp4", "a.mkv", "season 1/Zoë 2.mp4")):
        synthetic.write_film(folder / name, synthetic.constant_rate(30 + number, Fraction(10)))
    (folder / "notes.txt").write_text("# a playlist\nb.mp4\n\nseason 1/Zoë 2.mp4\n", encoding="utf-8")
    (folder / "broken.mp4").write_bytes((folder / "b.mp4").read_bytes()[:300])
    return folder


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("begun"))
    empty_project(project.folder, "mine")
    project.commit("an empty project")
    return project


@pytest.fixture
def project(begun) -> Project:
    """An empty project: whatever the last test left is taken back."""
    begun.run("git", "checkout", "--quiet", ".")
    begun.run("git", "clean", "-fdxq", "data")
    return begun


def add(project: Project, *films: Path | str, **options) -> tuple[list, list[str]]:
    settings = {"private": False, "facts": {}, "told": lambda line: None} | options
    return add_videos(project.folder, [str(film) for film in films], **settings)


def declared(project: Project) -> tuple[list, list[str]]:
    """The films in params.yaml, and those among the deps of the stage sample."""
    params = yaml.safe_load((project.folder / "params.yaml").read_text(encoding="utf-8"))
    deps = yaml.safe_load((project.folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]["sample"]["deps"]
    return params["videos"], [dep for dep in deps if dep.startswith("data/videos/")]


def sentence(function, *arguments, **options) -> str:
    with pytest.raises(InputError) as failure:
        function(*arguments, **options)
    return str(failure.value)


def test_a_clone_becomes_an_empty_project_that_dvc_can_read(project):
    params = yaml.safe_load((project.folder / "params.yaml").read_text(encoding="utf-8"))

    assert (params["videos"], params["cast"], params["report"]["credits"]) == ([], [], [])
    assert "demo" not in params and params["train"]["experiment"] == "mine"
    stages = yaml.safe_load((project.folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    assert "demo" not in stages and declared(project)[1] == []
    assert [path.name for path in (project.folder / "data" / "labels").iterdir()] == [".gitkeep"]
    assert "sample" in project.run("dvc", "stage", "list")
    assert sentence(empty_project, project.folder, "again") == (
        "dvc.yaml: no stage 'demo' was found, a fresh clone was expected; this is a project of its own already: add films "
        "with `python -m screentime video add PATH`"
    )


def test_new_refuses_where_something_would_be_lost(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "data" / "labels" / "big_buck_bunny.csv").write_text("start_s,end_s,character,present\n")

    assert sentence(empty_project, tmp_path, "mine") == (
        "data/labels/: changed since the last commit, work that can be brought back was expected; commit it, or put it back "
        "with `git checkout`"
    )
    project.commit("labels")
    empty_project(tmp_path, "mine")
    project.run("git", "checkout", "--", "data/labels/big_buck_bunny.csv")


def test_words_mean_files_folders_playlists_and_addresses(films):
    assert sources([str(films / "b.mp4"), "https://example.org/x.mp4"]) == [
        str(films / "b.mp4"), "https://example.org/x.mp4",
    ]  # fmt: skip
    in_folder = [str(films / name) for name in ("a.mkv", "b.mp4", "broken.mp4", "season 1/Zoë 2.mp4")]
    assert sources([str(films)]) == in_folder
    assert sources([str(films / "notes.txt"), str(films / "b.mp4")]) == [
        str(films / "b.mp4"), str(films / "season 1" / "Zoë 2.mp4"),
    ]  # fmt: skip


def test_words_that_mean_no_film_are_refused(tmp_path):
    (tmp_path / "list.m3u").write_text("gone.mp4\n")
    (tmp_path / "stream.m3u8").write_text("#EXTM3U\n#EXT-X-VERSION:3\npiece1.ts\n")

    assert sentence(sources, ["gone.mp4"]) == (
        "gone.mp4: no such file was found, a film, a folder of films, a playlist or an http address was expected; correct it"
    )
    assert sentence(sources, [str(tmp_path / "list.m3u")]) == (
        f"{tmp_path}/list.m3u: it names '{tmp_path}/gone.mp4', which is not there; correct the line"
    )
    assert sentence(sources, [str(tmp_path / "stream.m3u8")]) == (
        f"{tmp_path}/stream.m3u8: a list of a stream's pieces was found, a list of films was expected; download the film "
        "otherwise and add the file"
    )
    assert sentence(sources, [str(tmp_path)]).startswith(
        f"{tmp_path}: no film was found in this folder, files ending in "
    )


def test_films_are_placed_pinned_and_named_and_the_broken_one_does_not_stop_the_others(project, films):
    before = (films / "b.mp4").stat()
    lines = []
    arrivals, sentences = add(project, *sources([str(films)]), facts={"licence": "mine"}, told=lines.append)

    assert [arrival.file for arrival in arrivals] == ["a.mkv", "b.mp4", "Zoë 2.mp4"]
    assert lines[1].startswith("data/videos/b.mp4: 0:03, 0.0 MB, ")
    assert len(sentences) == 1 and sentences[0].startswith(f"{films}/broken.mp4: ")
    entries, deps = declared(project)
    assert entries == [
        {
            "file": arrival.file,
            "sha256": sha256_of(project.folder / "data" / "videos" / arrival.file),
            "licence": "mine",
        }
        for arrival in arrivals
    ]
    assert deps == [f"data/videos/{arrival.file}" for arrival in arrivals]
    assert sorted(path.name for path in (project.folder / "data" / "videos").glob("*.dvc")) == [
        "Zoë 2.mp4.dvc", "a.mkv.dvc", "b.mp4.dvc",
    ]  # fmt: skip
    after = (films / "b.mp4").stat()
    assert (before.st_mode, before.st_ino, before.st_size) == (after.st_mode, after.st_ino, after.st_size)
    assert "broken" not in project.run("git", "status", "--porcelain", "--ignored", "data")

    again, _ = add(project, films / "b.mp4")
    assert again[0].how == "there already"
    assert declared(project) == (entries, deps)


def test_another_film_of_the_same_name_is_refused_and_may_have_another_name(project, films):
    add(project, films / "b.mp4")
    other = films / "season 1" / "b.mp4"
    os.link(films / "season 1" / "Zoë 2.mp4", other)
    try:
        _, sentences = add(project, other)
        assert sentences == [
            f"{other}: data/videos/b.mp4 is there already and may be another film, a new name was expected; give this one a "
            "name with --name"
        ]
        (project.folder / "data" / "videos" / "b.mp4").unlink()
        _, sentences = add(project, other)
        assert sentences == [
            f"{other}: sha256 {sha256_of(other)[:12]}... was found, params.yaml names another film 'b.mp4' "
            f"({sha256_of(films / 'b.mp4')[:12]}...), on which labels may rest; give this one a name with --name"
        ]
        arrivals, sentences = add(project, other, name="c.mp4")
        assert ([arrival.file for arrival in arrivals], sentences) == (["c.mp4"], [])
        assert sentence(add, project, films / "a.mkv", name="C.mkv") == (
            "params.yaml: videos: 'c.mp4' and 'C.mkv' have one stem, 'C', which must be unique without regard to case; "
            "rename one film"
        )
        assert not (project.folder / "data" / "videos" / "C.mkv").exists()
    finally:
        other.unlink()


def test_a_private_film_is_named_but_dvc_does_not_get_it(project, films):
    add(project, films / "b.mp4", private=True)

    entries, deps = declared(project)
    assert [(entry["file"], entry["private"]) for entry in entries] == [("b.mp4", True)]
    assert deps == []
    assert list((project.folder / "data" / "videos").glob("*.dvc")) == []


@pytest.mark.parametrize(("method", "told"), [("fine_tune", True), ("probe", False)])
def test_who_adds_a_private_film_is_told_that_fine_tuning_needs_pictures(project, films, method, told):
    project.set_params(train={"method": method})

    said = project.run("python", "-m", "screentime", "video", "add", "--private", str(films / "b.mp4")).splitlines()

    hint = "  set train.method to probe in params.yaml # private films train from their features, without pictures"
    assert (hint in said) is told


class Site(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/page.mp4":
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><title>Watch</title>")
        elif self.path == "/short.mp4":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(b"\0" * 4000)
        else:
            super().do_GET()


@pytest.fixture
def site(films):
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *arguments: Site(*arguments, directory=str(films))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_a_film_is_fetched_from_an_address(project, films, site):
    arrivals, sentences = add(project, f"{site}/season%201/Zo%C3%AB%202.mp4?x=1")

    assert sentences == []
    assert arrivals[0].file == "Zoë 2.mp4"
    assert sha256_of(project.folder / "data" / "videos" / "Zoë 2.mp4") == sha256_of(films / "season 1" / "Zoë 2.mp4")


def test_an_address_without_a_film_is_a_sentence_and_leaves_nothing(project, site):
    wrong = [f"{site}/{name}" for name in ("page.mp4", "gone.mp4", "short.mp4", "notes.txt", "")]
    arrivals, sentences = add(project, *wrong)

    assert arrivals == []
    assert sentences[0] == (
        f"{site}/page.mp4: a page was found, the film's file itself was expected; copy the address of the file, or download "
        "it with a browser and add the file"
    )
    assert sentences[1] == (
        f"{site}/gone.mp4: the server answered 404 File not found, a film was expected; correct the address"
    )
    assert sentences[2].startswith(f"{site}/short.mp4: ")
    assert sentences[3].startswith(f"{site}/notes.txt: ")
    assert sentences[4] == f"{site}/: this address has no file name, one was expected; give one with --name"
    videos = project.folder / "data" / "videos"
    assert not videos.exists() or list(videos.iterdir()) == []


def test_a_server_that_is_away_is_a_sentence(project):
    _, sentences = add(project, "http://127.0.0.1:9/film.mp4")

    assert sentences[0].startswith("http://127.0.0.1:9/film.mp4: it could not be fetched (the connection failed), ")
    assert sentences[0].endswith(
        "), a film was expected; check the address and the network, or download it otherwise and add the file"
    )


def test_a_film_leaves_the_project_but_labels_only_when_git_holds_them(project, films):
    add(project, films / "b.mp4", films / "a.mkv")
    labels = project.folder / "data" / "labels" / "b.csv"
    labels.write_text("start_s,end_s,character,present\n0,,tom,1\n")

    assert sentence(remove_video, project.folder, "b.mp4", with_labels=False) == (
        "data/labels: b.csv were found, a film without labels was expected; leave the film out with `python -m screentime "
        "video skip b --reason ...`, which keeps them, or add --with-labels"
    )
    assert sentence(remove_video, project.folder, "b.mp4", with_labels=True) == (
        "data/labels/b.csv: changed since the last commit, work that can be brought back was expected; commit it first"
    )
    project.run("git", "add", "data/labels")
    project.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "labels")
    gone = remove_video(project.folder, "b.mp4", with_labels=True)

    assert gone == ["data/labels/b.csv", "data/videos/b.mp4.dvc", "data/videos/b.mp4"]
    entries, deps = declared(project)
    assert ([entry["file"] for entry in entries], deps) == (["a.mkv"], ["data/videos/a.mkv"])
    project.run("git", "rm", "--quiet", "--cached", "data/labels/b.csv")
    project.run("git", "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "gone")


def test_a_film_is_left_out_with_a_reason_and_taken_back(project, films):
    add(project, films / "b.mp4")
    project.run("python", "-m", "screentime", "video", "skip", "b", "--reason", "no: sound")
    assert declared(project)[0][0]["skip"] == "no: sound"

    project.run("python", "-m", "screentime", "video", "unskip", "b.mp4")
    assert "skip" not in declared(project)[0][0]


def test_characters_are_named_and_renamed_and_label_files_follow(project):
    assert add_characters(project.folder, ["cat", "jerry"]) == ["cat", "jerry"]
    labels = project.folder / "data" / "labels" / "b.csv"
    labels.write_text('start_s,end_s,character,present,source,annotator,at\n0,,cat,1,,"Ann, B",\n1,2.50,jerry,?,,,\n')

    assert rename_character(project.folder, "cat", "tom") == {"data/labels/b.csv": 1}
    assert Declarations(project.folder).cast == ["tom", "jerry"]
    assert labels.read_text() == (
        'start_s,end_s,character,present,source,annotator,at\n0,,tom,1,,"Ann, B",\n1,2.50,jerry,?,,,\n'
    )
    assert sentence(rename_character, project.folder, "jery", "x") == (
        "params.yaml: cast: no character 'jery' was found; did you mean 'jerry'?"
    )
    assert sentence(rename_character, project.folder, "tom", "jerry") == (
        "params.yaml: cast: 'jerry' and 'jerry' are one name; remove or rename one"
    )
    assert sentence(add_characters, project.folder, ["start_s"]) == (
        "params.yaml: cast: 'start_s' is the name of a column; call the character otherwise"
    )
    declarations = Declarations(project.folder)
    declarations.params.set_value(("report", "groups"), {"Pets": ["tom", "jerry"]})
    declarations.write()
    assert sentence(rename_character, project.folder, "tom", "pets") == (
        "params.yaml: cast: 'pets' is the name of a group (tom, jerry); call the character otherwise, or the group"
    )
    assert labels.read_text().count("tom") == 1


def test_status_leads_from_an_empty_project_to_the_first_labels(project, films):
    def told() -> str:
        return status(project.folder).splitlines()[-1]

    assert told() == "next: python -m screentime video add PATH...   # films, folders, playlists or addresses"
    add(project, films / "b.mp4")
    assert told() == "next: python -m screentime cast add NAME...    # who shall be found"
    add_characters(project.folder, ["tom"])
    assert told() == "next: dvc repro      # samples the films, suggests frames to label"
    project.run("dvc", "repro", "sample")
    assert told() == ("next: python -m screentime label b   # about 60 frames, in the browser; then dvc repro")
    (project.folder / "data" / "labels" / "b.csv").write_text("start_s,end_s,character,present\n0,,tmo,1\n")
    assert told().startswith("next: data/labels/b.csv: line 2: character 'tmo' is not in the cast ['tom']; ")
