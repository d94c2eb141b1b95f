"""The paragraph to cite says what was done, for each way of doing it, and nothing else; addresses of films."""

import html
import re
import subprocess
from pathlib import Path

import pytest
from report_data import FilmPlan, model_of, report_params, write_data

from screentime.files import write_json
from screentime.film_address import film_address
from stages.report import report

CAST = ("ada", "bob")


def paragraph(root: Path, films: dict[str, FilmPlan], **facts: object) -> str:
    """The paragraph of a page over made-up films, by a model of which other facts may be known."""
    paths = write_data(root, CAST, films)
    write_json(paths["models"] / "model.json", model_of(CAST, **facts))
    report(**paths, reports=root / "reports", params=report_params(CAST, list(films), thumbnails=0))
    page = (root / "reports" / "index.html").read_text(encoding="utf-8")
    return html.unescape(re.search(r'<blockquote id="cite">(.*?)</blockquote>', page, re.DOTALL).group(1))


def test_an_audited_film_names_the_audit_and_the_estimator_with_its_source(tmp_path):
    text = paragraph(tmp_path, {"film": FilmPlan(160, skipped=[(150, 160, "credits")])})

    assert "The screen time of ada and bob in film (2:40) was measured with screentime " in text
    assert "160 frames were taken at equal steps of time, one a second, by the timestamps of the file; " in text
    assert "; 0:10 that is no part of the film was left out." in text
    assert (
        "those of a linear head on the features of a frozen, pretrained efficientnet-lite0, trained on 60 frames that people"
        in text
    )
    assert "(model 0123456)" in text
    assert (
        "by a sigmoid (Platt 1999) fitted to scores made out of fold: 4 folds of blocks of 10 s, with a guard of 3 s."
        in text
    )
    drawn = len({line.split(",")[0] for line in (tmp_path / "data/audit/film.csv").read_text().splitlines()[1:]})
    assert drawn > 40
    assert (
        f", {drawn} frames drawn at random (evenly in time with a random start) were labelled without sight of the"
        in text
    )
    assert "The seconds are those of the difference estimator (S\u00e4rndal, Swensson and Wretman" in text
    assert "intervals are at 95 %" in text
    assert "The model was trained and exported with Keras 3.15.1 and TensorFlow 2.21.0." in text
    assert "no interval" not in text


def test_what_nothing_measured_has_no_audit_no_estimator_and_no_interval(tmp_path):
    text = paragraph(tmp_path, {"film": FilmPlan(60, "count")})

    assert "The seconds are sums of scores" in text and "they have no interval." in text
    assert not [word for word in ("audit,", "drawn at random", "S\u00e4rndal", "95 %") if word in text]


def test_each_film_is_told_by_what_it_rests_on(tmp_path):
    text = paragraph(tmp_path, {"one": FilmPlan(120), "two": FilmPlan(60, "labels"), "three": FilmPlan(60, "model")})

    assert "one (2:00), two (1:00) and three (1:00)" in text
    assert re.search(r"measure the error, \d+ frames of one drawn at random", text)
    assert "The seconds of one are those of the difference estimator" in text
    assert "A person looked at every sampled frame of two: those seconds are counted, not estimated." in text
    assert "The intervals of three are carried over from other films" in text


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"method": "fine_tune", "params": {"fine_tune": {"weights": "imagenet", "open": "blocks:5"}}},
         "efficientnet-lite0 pretrained on ImageNet, its last 5 blocks and a new head trained on 60 frames that people had labelled"),
        ({"method": "fine_tune", "params": {"fine_tune": {"weights": "none", "open": "all"}}},
         "efficientnet-lite0 with weights drawn at random, all of it and a new head trained on 60 frames"),
        ({"method": "fine_tune", "params": {"fine_tune": {"weights": "/home/zoe/secret", "open": 1}}},
         "that began with weights learned before, its last 1 layer and a new head"),
        ({"method": "fine_tune", "params": {"fine_tune": {"weights": "imagenet", "open": "none"}}, "data": {"n_frames": 9, "n_stills": 1}},
         "kept as it was, a new head trained on 9 frames and 1 still that people had labelled"),
        ({"method": "sequence", "window": {"before": 2, "after": 1}, "params": {"sequence": {"head": "gru"}}},
         "(recurrent layers (GRU)), trained on 60 frames that people had labelled, which judges a frame by the 2 sampled frames before it and the 1 after it too"),
        ({"params": {"exclusive": True}}, "with one class for each frame, a character or none"),
    ],
)  # fmt: skip
def test_the_training_is_told_as_it_was(tmp_path, facts, words):
    text = paragraph(tmp_path, {"film": FilmPlan(20, "count")}, **facts)

    assert words in text
    assert "secret" not in text
    assert "Platt" not in text  # nothing is known of folds: nothing is said


def test_the_page_finds_the_film_by_a_relative_address_and_names_no_folder_above(tmp_path):
    films = {"a film": FilmPlan(20, "count")}
    paths = write_data(tmp_path, CAST, films)

    report(**paths, reports=tmp_path / "reports", params=report_params(CAST, list(films)))

    page = (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert '"address": "../data/videos/a%20film.mp4"' in page
    named = subprocess.run(["grep", "-rlF", str(tmp_path), tmp_path / "reports"], capture_output=True, text=True)
    assert named.stdout == ""


@pytest.mark.parametrize(
    ("film", "folder", "address"),
    [
        ("/films/s1/e01.mkv", "/films/s1_report", "../s1/e01.mkv"),
        ("/out/a: b?#.mp4", "/out", "a%3A%20b%3F%23.mp4"),  # a colon would make it an address of another kind
        ("/films/\u0434\u0430.mp4", "/films/out/deep", "../../%D0%B4%D0%B0.mp4"),
    ],
)
def test_an_address_is_relative_and_escaped(film, folder, address):
    assert film_address(Path(film), Path(folder)) == address
