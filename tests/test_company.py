"""Who is on screen with whom, and groups: counted, each pair once, totals over films; the sentences about groups."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import yaml
from report_data import ROOT, FilmPlan, report_params, write_data

from screentime.company import group_s
from screentime.errors import InputError
from screentime.groups import check_groups, within
from screentime.params import load
from screentime.table_files import read_table
from screentime.tables import GROUPS, SCREEN_TIME, TIMELINE, TOGETHER
from stages.report import report

CAST = ("ada", "bob", "cid", "dora")
SKIPPED = (20.5, 31)
FILMS = {"one": FilmPlan(90, skipped=[(*SKIPPED, "titles")]), "two": FilmPlan(50, "count")}


@pytest.fixture(scope="module")
def reports(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("company")
    groups = {"the girls": ["ada", "dora"], "all of them": list(CAST), "bob alone": ["bob"]}
    paths = write_data(root, CAST, FILMS)
    report(**paths, reports=root / "reports", params=report_params(CAST, list(FILMS), groups=groups))
    return root / "reports"


def counted(reports: Path, film: str, kind, *names: str) -> float:
    """Seconds in which some (`any`) or `all` scores pass, frame by frame, by hand."""
    seconds = 0.0
    for row in read_table(reports / film / "timeline.csv", TIMELINE, CAST).to_dict("records"):
        outside = 0.0
        if film == "one":
            outside = max(0.0, min(row["time_s"] + row["duration_s"], SKIPPED[1]) - max(row["time_s"], SKIPPED[0]))
        if kind(row[name] >= 0.5 for name in names):
            seconds += row["duration_s"] - outside
    return seconds


def test_each_pair_stands_once_for_each_film_and_in_the_totals(reports):
    table = read_table(reports / "together.csv", TOGETHER)

    pairs = list(combinations(CAST, 2))
    assert list(zip(table["video_id"], table["character"], table["companion"], strict=True)) == [
        (film, *pair) for film in ("one", "two", "*") for pair in pairs
    ]
    lengths = {"one": 79.5, "two": 50, "*": 129.5}
    for row in table.itertuples():
        films = ["one", "two"] if row.video_id == "*" else [row.video_id]
        seconds = sum(counted(reports, film, all, row.character, row.companion) for film in films)
        assert row.seconds == pytest.approx(seconds, abs=1e-6)
        assert row.share == pytest.approx(seconds / lengths[row.video_id], abs=1e-6)


def test_nobody_is_together_longer_than_alone(reports):
    alone = read_table(reports / "screen_time.csv", SCREEN_TIME).set_index(["video_id", "character"])["counted_s"]

    for row in read_table(reports / "together.csv", TOGETHER).itertuples():
        assert row.seconds <= min(alone[row.video_id, row.character], alone[row.video_id, row.companion]) + 1e-6


def test_a_group_is_counted_where_one_is_there_and_where_all_are_and_has_no_interval(reports):
    table = read_table(reports / "groups.csv", GROUPS)

    assert list(table["group"]) == ["the girls", "all of them", "bob alone"] * 3
    assert set(table["basis"]) == {"count"}
    for row in table.itertuples():
        films, members = ["one", "two"] if row.video_id == "*" else [row.video_id], row.members.split(",")
        for kind, seconds in ((any, row.any_s), (all, row.all_s)):
            assert seconds == pytest.approx(sum(counted(reports, film, kind, *members) for film in films), abs=1e-6)
    assert (table[table["group"] == "bob alone"]["any_s"] == table[table["group"] == "bob alone"]["all_s"]).all()
    page = (reports / "index.html").read_text(encoding="utf-8")
    assert "At least one of them" in page and 'href="groups.csv"' in page


def test_any_and_all_part_the_frames_as_sets_do():
    random = np.random.default_rng(0)
    scores, weights = random.random((200, 2)), random.uniform(0, 2, 200)
    alone = [weights[scores[:, column] >= 0.5].sum() for column in (0, 1)]

    any_s, all_s = group_s(scores, weights, threshold=0.5)

    assert any_s + all_s == pytest.approx(sum(alone))  # inclusion and exclusion


def test_without_groups_there_is_no_table_of_them(tmp_path):
    paths = write_data(tmp_path, CAST[:1], {"film": FilmPlan(30, "count")})

    report(**paths, reports=tmp_path / "reports", params=report_params(CAST[:1], ["film"]))

    assert not (tmp_path / "reports" / "groups.csv").exists()
    table = (tmp_path / "reports" / "together.csv").read_text()
    assert table == "video_id,character,companion,seconds,share\n"  # nobody to be with
    assert "At least one of them" not in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        (["ada"], "['ada'] was found, names of groups with lists of characters were expected; write {} where there are none"),
        ({"g": ["adda"]}, "g: 'adda' is not in the cast; did you mean 'ada'?"),
        ({"g": []}, "g: [] was found, a list of characters was expected; name at least one"),
        ({"g": "ada"}, "g: 'ada' was found, a list of characters was expected; name at least one"),
        ({"g": ["ada", "ada"]}, "g: 'ada' stands there twice, once was expected; remove one"),
        ({"Bob": ["ada"]}, "'Bob' is the name of a character; call the group otherwise"),
        ({"seconds": ["ada"]}, "'seconds' is the name of a column; call the group otherwise"),
        ({"g": ["ada"], "G": ["bob"]}, "'g' and 'G' are one name; remove or rename one"),
        ({7: ["ada"]}, "7 was found, a name was expected; write it in quotes"),
        ({"=g": ["ada"]}, "'=g' may not be a name: no comma, line break, space at an end or leading = + - @ is allowed; rename it"),
        ({"e\u0301": ["ada"]}, "'e\u0301' is not in the normal form NFC; type the name anew"),
    ],
)  # fmt: skip
def test_a_group_that_cannot_be_is_one_sentence(groups, sentence):
    with pytest.raises(InputError) as error:
        check_groups(Path("params.yaml"), groups, CAST)

    assert str(error.value) == f"params.yaml: report: groups: {sentence}"


def test_params_are_read_with_their_groups_and_refused_with_bad_ones(tmp_path):
    path = tmp_path / "params.yaml"
    written = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    written["report"]["groups"] = {"small ones": ["rinky", "butterfly"]}
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert load(path).report.groups == {"small ones": ["rinky", "butterfly"]}

    written["report"]["groups"] = {"small ones": ["rinki"]}
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    with pytest.raises(InputError, match="small ones: 'rinki' is not in the cast; did you mean 'rinky'"):
        load(path)
    del written["report"]["groups"]
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert load(path).report.groups == {}


def test_groups_of_another_cast_are_left_out():
    assert within({"a": ["ada"], "b": ["ada", "zoe"]}, CAST) == {"a": ["ada"]}
