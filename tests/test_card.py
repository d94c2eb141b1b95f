"""The data card says what the project's files say, the same bytes each time, and what is not there."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from screentime.files import sha256_of
from screentime.project import card

ROOT = Path(__file__).parents[1]


@pytest.fixture
def folder(tmp_path) -> Path:
    """An empty project of two films, `first.mp4` and `second.mp4`, and the characters ann and bob."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    del params["demo"]
    params |= {"videos": ["first.mp4", "second.mp4"], "cast": ["ann", "bob"]}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    (tmp_path / "data" / "labels").mkdir(parents=True)
    return tmp_path


def sections(text: str) -> dict[str, str]:
    """The text of each section by its title."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return {title: body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)}


def write_metrics(folder: Path, **files: object) -> None:
    (folder / "metrics").mkdir(exist_ok=True)
    for name, value in files.items():
        (folder / "metrics" / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")


def write_labels(folder: Path, name: str, *rows: str) -> None:
    text = "\n".join(["start_s,end_s,character,present,source,annotator,at", *rows]) + "\n"
    (folder / "data" / "labels" / name).write_text(text, encoding="utf-8")


def facts(**changed: object) -> dict:
    """What sampling tells of a film."""
    whole = {"bad_packets": 0, "held_frames": 0, "missing_s": 0.0, "repaired_timestamps": 0}
    form = {"native_width": 640, "native_height": 360, "codec": "h264", "n_frames": 90, "fps": 1.0, "length_s": 90.0}
    return form | whole | {"video_sha256": "ab" * 32} | changed


def test_the_same_files_give_the_same_bytes_wherever_they_lie(tmp_path):
    for name in ("params.yaml", "dvc.lock"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("metrics", "data/labels"):
        shutil.copytree(ROOT / name, tmp_path / name)
    elsewhere = shutil.copytree(tmp_path, tmp_path / "elsewhere")

    assert card.write(elsewhere) == card.PATH
    assert (elsewhere / card.PATH).read_bytes() == card.text(tmp_path).encode("utf-8")


def test_the_card_of_the_demo_is_that_of_its_files():
    kept, now = sections((ROOT / card.PATH).read_text(encoding="utf-8")), sections(card.text(ROOT))

    # the other sections tell of outputs too, which a fresh clone has not yet
    for title in ("Films", "Who labelled, and how", "Audits", "Figures", "Known limits"):
        assert kept[title] == now[title], f"{title}: run `python -m screentime card`"


def test_what_is_not_there_is_said(folder):
    told = sections(card.text(folder))

    assert "| `first.mp4` | not sampled |  |  | not known | trains | not stated |" in told["Films"]
    assert told["Labels"] == "No labels yet."
    assert told["Who labelled, and how"] == "Nobody yet."
    assert told["Audits"] == "None: nothing has measured the error of the seconds."
    assert told["Model"] == (
        "None in this folder: not trained yet (`dvc repro`), or not brought (`python -m screentime pull`)."
    )
    assert told["Figures"] == "None yet: `dvc repro` measures them."
    assert "Not in this folder: models, reports." in told["Hashes"]


def test_labels_are_counted_by_frame_character_and_source(folder):
    write_labels(folder, "first.csv", "0,,ann,1,manual,zoe,2026-11-20T10:00:00Z", "1,3,bob,0,,,")
    for name, header, rows in (
        (
            "targets",
            "time_s,character,present,source,at",
            ["0,ann,1,manual,", "1,bob,0,propagated,", "2,bob,?,propagated,"],
        ),
        (
            "audit",
            "time_s,character,present,source,at,round,probability,stratum,design,n_population",
            ["5,ann,1,audit,,1,0.5,,systematic,10", "6,ann,,audit,,1,0.5,,systematic,10"],
        ),
    ):
        (folder / "data" / name).mkdir()
        (folder / "data" / name / "first.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")

    told = sections(card.text(folder))

    assert told["Labels"].splitlines()[2:] == [
        "### first",
        "",
        "| character | manual | audit | propagated |",
        "| --- | --- | --- | --- |",
        "| ann | 1 / 0 / 0 | 1 / 0 / 0 | 0 / 0 / 0 |",
        "| bob | 0 / 0 / 0 | 0 / 0 / 0 | 0 / 1 / 1 |",
        "",
        "Without labels: second.",
    ]
    assert told["Who labelled, and how"].splitlines()[2:4] == [
        "| not named | 1 | 1 propagated | not dated |",
        "| zoe | 1 | 1 manual | 2026-11-20 |",
    ]


def test_label_files_without_the_stages_outputs_say_what_would_bring_them(folder):
    write_labels(folder, "first.csv", "0,,ann,1,manual,zoe,")

    assert sections(card.text(folder))["Labels"].splitlines()[4] == (
        "1 row in its label file; the frames meant are not in this folder (`dvc repro label`, or `python -m screentime "
        "pull`)."
    )


def test_a_second_persons_file_is_named_as_kept_and_not_used(folder):
    write_labels(folder, "first.csv", "0,,ann,1,manual,zoe,")
    write_labels(folder, "first.max.csv", "0,,ann,0,manual,max,")

    told = sections(card.text(folder))

    assert "Kept beside them, not used until merged: `first.max.csv`." in told["Who labelled, and how"]
    assert "One annotator: nobody has measured how far two people would agree." in told["Known limits"]
    assert (
        f"| `data/labels/first.max.csv` | `{sha256_of(folder / 'data' / 'labels' / 'first.max.csv')}` |"
        in told["Hashes"]
    )


def test_a_draw_is_told_and_whether_it_is_complete(folder):
    row = f"0.25,,systematic,7,8,1,{'ab' * 32}"
    text = f"round,time_s,probability,stratum,design,seed,n_population,fps,video_sha256\n1,3,{row}\n1,7,{row}\n"
    (folder / "data" / "labels" / "first.audit.csv").write_text(text, encoding="utf-8")

    assert (
        sections(card.text(folder))["Audits"].splitlines()[-1]
        == "| first | 1 | 2 of 8 | systematic | 7 | 1 | not known |"
    )

    rounds = {"1": {"drawn": 2, "answered": 1, "left": 1}}
    counts = {"label_noise": {"compared": 0, "differing": 0}, "unused": 0, "labels": {}, "audit": {"rounds": rounds}}
    write_metrics(folder, label={"videos": {"first": counts}})
    assert (
        sections(card.text(folder))["Audits"].splitlines()[-1]
        == "| first | 1 | 2 of 8 | systematic | 7 | 1 | no, 1 left |"
    )


def test_limits_are_what_the_files_show(folder):
    write_metrics(
        folder,
        sample={"videos": {"first": facts(), "second": facts(held_frames=2, missing_s=12.5)}},
        label={
            "videos": {
                "first": {
                    "labels": {"ann": {"present": 30, "absent": 40}, "bob": {"present": 2, "absent": 50}},
                    "label_noise": {"compared": 20, "differing": 3},
                    "unused": 1,
                    "audit": {"rounds": {}},
                }
            }
        },
        estimate={
            "total": {"ann": {"seconds": 40.0, "low": None, "high": None, "basis": "count"}},
            "videos": {"first": {"ann": {"basis": "count"}}, "second": {"ann": {"basis": "audit"}}},
        },
    )

    told = sections(card.text(folder))

    assert told["Known limits"].splitlines() == [
        "- Licence not stated: first.mp4, second.mp4. Whoever passes these films on must know it.",
        "- second: reading the film met 2 frames held over a hole, 13 s missing at its end.",
        "- Thin: visible, or not visible, in fewer than 10 labelled frames that train: bob (2).",
        "- first: blind and other answers differ in 3 of 20.",
        "- first: 1 label row speaks of no sampled frame.",
        "- No audit has measured the seconds, for some character at least, of: first.",
    ]
    assert "| ann | 0:40 | 40 | not audited | count |" in told["Figures"]


def test_a_bar_in_a_name_does_not_break_a_table():
    assert card._table(("film",), [("a|b",)])[-1] == "| a\\|b |"
