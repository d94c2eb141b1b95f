"""`labels export` and `labels import` on a real film: pictures find their frames by what they show."""

import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import synthetic
from labels_project import HEADER, LabelsProject

from screentime.audit import draw
from screentime.exchange.likeness import matched, thumbnail, thumbnails
from screentime.frames import open_frames
from screentime.params import load
from screentime.sections import Video
from stages.sample import sample

BLACK, TWICE, AGAIN = 7, 3, 15  # seconds: one black, two that show the same
LENGTH_S = 20


def scene(number: int, width: int, height: int) -> np.ndarray:
    """A picture of blurred patches, another one each second; four frames a second, which drift a little."""
    second = number // 4
    if second == BLACK:
        return np.zeros((height, width, 3), np.uint8)
    random = np.random.default_rng(TWICE if second == AGAIN else second)
    patches = random.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    picture = cv2.resize(patches, (width + 40, height), interpolation=cv2.INTER_CUBIC)
    shift = number % 4 * 3
    return np.ascontiguousarray(picture[:, shift : shift + width])


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """A film of 20 s, sampled: the folder of both."""
    folder = tmp_path_factory.mktemp("film")
    starts_s = synthetic.constant_rate(4 * LENGTH_S, Fraction(4))
    synthetic.write_film(folder / "film.mp4", starts_s, width=320, height=180, image_of=scene)
    own = load(Path(__file__).parents[1] / "params.yaml")
    params = own.model_copy(
        update={"videos": (Video(file="film.mp4"),), "sample": own.sample.model_copy(update={"workers": 1})}
    )
    sample(videos=folder, frames=folder / "frames", metrics=folder / "metrics.json", params=params)
    return folder


@pytest.fixture
def project(film, tmp_path, monkeypatch, capsys):
    project = LabelsProject(tmp_path, monkeypatch, capsys)
    for path in (film / "frames").iterdir():
        (tmp_path / "data" / "frames" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "data" / "videos" / "film.mp4").write_bytes((film / "film.mp4").read_bytes())
    project.frames = open_frames(tmp_path / "data" / "frames", "film")
    return project


def decoded(film: Path) -> list[np.ndarray]:
    """Every frame of the film, as another program would decode it."""
    with av.open(str(film / "film.mp4")) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def worse(image: np.ndarray) -> bytes:
    """A picture as other projects keep it: square, small, and a strong JPEG."""
    small = cv2.cvtColor(cv2.resize(image, (150, 150), interpolation=cv2.INTER_LINEAR), cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 40])[1].tobytes()


# ---- likeness


def test_a_picture_finds_its_frame_whatever_its_size_shape_and_quality(film):
    frames = open_frames(film / "frames", "film")
    of_frames = thumbnails(frames.image(index) for index in range(len(frames)))
    pictures = decoded(film)[::4]
    found = [
        matched(
            thumbnail(cv2.imdecode(np.frombuffer(worse(picture), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]), of_frames
        )
        for picture in pictures
    ]

    assert len(pictures) == LENGTH_S
    for second, match in enumerate(found):
        if second == BLACK:
            assert match == (None, "nothing to be seen in it")
        elif second in (TWICE, AGAIN):
            assert match == (None, "several places like it")
        else:
            assert match == (second, "")
    stranger = scene(4 * 99, 320, 180)
    assert matched(thumbnail(stranger), of_frames) == (None, "no frame like it")


def test_neighbours_that_show_the_same_are_one_place():
    random = np.random.default_rng(0)
    one, other = random.integers(0, 256, (2, 90, 160, 3), dtype=np.uint8)

    held = thumbnails([other, one, one, one])
    assert matched(thumbnail(one), held).frame in (1, 2, 3)
    assert matched(thumbnail(one), thumbnails([one, other, one])) == (None, "several places like it")


# ---- the commands


def test_classes_of_pictures_without_any_time_in_their_names(project, film):
    """The names count down, so that no number in them helps."""
    pictures = decoded(film)[::4]
    folder = project.folder / "frames"
    folder.mkdir()
    lines = ["Image_ID,Class"]
    for second, picture in enumerate(pictures):
        (folder / f"frame{99 - second}.jpg").write_bytes(worse(picture))
        lines.append(f"frame{99 - second}.jpg,{'ann' if second < 5 else 'neither' if second < 10 else 'bob'}")
    (folder / "frame50.jpg").write_bytes(b"no picture")
    lines += ["frame50.jpg,ann", "gone.jpg,ann"]
    (project.folder / "train.csv").write_text("\n".join(lines) + "\n")

    told = project.told("labels", "import", "film", "train.csv", "--images", "frames").splitlines()

    assert told == [
        "1 picture left out: by what they show: nothing to be seen in it",
        "2 pictures left out: by what they show: several places like it",
        "1 picture left out: not in frames",
        "1 picture left out: that cannot be read",
        "what train.csv does not mark stays unknown; --exclusive takes it as not visible",
        "data/labels/film.csv: 21 answers of train taken over, 0 were alike, 0 differ",
        "train.csv: all of it is in data/labels/film.csv or decided; next: dvc repro",
    ]
    seconds = [second for second in range(LENGTH_S) if second not in (BLACK, TWICE, AGAIN)]
    expected = [f"{s},,ann,1,imported,," for s in seconds if s < 5]
    expected += [f"{s},,{name},0,imported,," for s in seconds if 5 <= s < 10 for name in ("ann", "bob")]
    expected += [f"{s},,bob,1,imported,," for s in seconds if s >= 10]
    assert project.rows() == expected

    told = project.told("labels", "import", "film", "train.csv", "--images", "frames", "--exclusive")
    assert "13 answers of train taken over, 21 were alike, 0 differ" in told
    assert "stays unknown" not in told


def test_folders_of_stills_with_and_without_a_character(project, film):
    for folder, second in (("positive", 2), ("negative", 9)):
        (project.folder / "set" / folder).mkdir(parents=True)
        (project.folder / "set" / folder / "1.jpg").write_bytes(worse(decoded(film)[4 * second]))

    assert project.refused("labels", "import", "film", "set") == (
        "set: positive/ and negative/ show one character or not, its name was expected; say it with --character"
    )
    project.told("labels", "import", "film", "set", "--character", "bob")
    assert project.rows() == ["2,,bob,1,imported,,", "9,,bob,0,imported,,"]


def marked_elsewhere(project, film) -> list[str]:
    """Three pictures as another tool keeps them, no time in their names: seconds 2, 9 and 12 of the film."""
    (project.folder / "task" / "images").mkdir(parents=True)
    for name, second in (("a.jpg", 2), ("b.jpg", 9), ("c.jpg", 12)):
        (project.folder / "task" / "images" / name).write_bytes(worse(decoded(film)[4 * second]))
    return ["2,,ann,1,imported,,", "9,,bob,1,imported,,"]


def test_cvat_images_find_their_frames_by_what_they_show(project, film):
    expected = marked_elsewhere(project, film)
    (project.folder / "task" / "annotations.xml").write_text(
        """<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version><meta><task><labels><label><name>ann</name></label><label><name>bob</name></label></labels></task></meta>
<image id="0" name="a.jpg" width="150" height="150"><tag label="ann" source="manual"></tag></image>
<image id="1" name="images/b.jpg" width="150" height="150"><box label="bob" source="manual" xtl="1" ytl="1" xbr="9" ybr="9"></box></image>
<image id="2" name="c.jpg" width="150" height="150"></image></annotations>
"""
    )
    told = project.told("labels", "import", "film", "task/annotations.xml", "--images", "task")
    assert "what task/annotations.xml does not mark stays unknown; --complete takes it as not visible" in told
    assert project.rows() == expected

    told = project.told("labels", "import", "film", "task/annotations.xml", "--images", "task", "--complete")
    assert "4 answers of annotations taken over, 2 were alike, 0 differ" in told
    assert {row for row in project.rows() if row.startswith("12,")} == {
        f"12,,{name},0,imported,," for name in ("ann", "bob")
    }


def test_via_regions_find_their_frames_by_what_they_show(project, film):
    expected = marked_elsewhere(project, film)
    (project.folder / "task" / "via.csv").write_text(
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes\n"
        'a.jpg,4021,"{}",1,0,"{""name"":""rect"",""x"":1,""y"":1,""width"":9,""height"":9}","{""who"":""ann""}"\n'
        'b.jpg,4022,"{""bob"":""1""}",0,0,"{}","{}"\n'
        'c.jpg,4023,"{}",0,0,"{}","{}"\n'
    )
    told = project.told("labels", "import", "film", "task/via.csv", "--images", "task")
    assert "what task/via.csv does not mark stays unknown; --complete takes it as not visible" in told
    assert project.rows() == expected


def test_label_studio_there_and_back(project):
    labels = project.folder / "data" / "labels"
    drawn = draw(labels, project.frames, ("ann", "bob"), n=2, seed=0)["time_s"].astype(int).tolist()
    whole, part, unsure = [second for second in range(LENGTH_S) if second not in drawn][:3]
    lines = [
        f"{whole},,ann,1,manual,ann,", f"{whole},,bob,0,manual,ann,", f"{part},,bob,1,manual,ann,", f"{unsure},,ann,?,manual,ann,",
        f"{unsure},,bob,1,manual,ann,", f"{drawn[0]},,ann,1,audit,ann,", f"{drawn[1]},,ann,1,manual,ann,",
    ]  # fmt: skip
    project.write("film.csv", *lines)

    told = project.told("labels", "export", "film", "--to", "label-studio", "--out", "tasks.json", "--images", "stills")
    assert told.splitlines() == [
        "stills: 3 stills (labelled), and stills.csv",
        "1 frame left out: an audit drew them, they are looked at blind",
        "tasks.json: 3 tasks, 1 of them with the answer as an annotation; its labelling interface: tasks.interface.xml",
        "2 frames are known in part, or cannot be told: no annotation holds that, what is known to be visible there is a prediction",
        "not in it: how each answer was made (looking, painting, accepting)",
        "1 blind audit answer stays at home: they only measure",
    ]
    stills = sorted(path.name for path in (project.folder / "stills").iterdir())
    assert stills == sorted([*(f"film_{s}.000000s.jpg" for s in (whole, part, unsure)), "stills.csv"])
    assert (project.folder / "stills" / stills[0]).read_bytes() == project.frames.jpeg(
        int(stills[0].split("_")[1][:-12])
    )
    tasks = json.loads((project.folder / "tasks.json").read_text())
    assert [one["data"]["image"] for one in tasks] == [
        f"/data/local-files/?d=stills/film_{s}.000000s.jpg" for s in (whole, part, unsure)
    ]
    table = (project.folder / "stills" / "stills.csv").read_text().splitlines()
    assert table[:2] == ["file,video_id,time_s,duration_s,ann,bob", f"film_{whole}.000000s.jpg,film,{whole},1,1,0"]

    before = project.rows()
    assert "0 answers of tasks taken over, 2 were alike, 0 differ" in project.told(
        "labels", "import", "film", "tasks.json"
    )
    assert project.rows() == before
    tasks[1]["annotations"] = [{"result": [], "completed_by": 3, "updated_at": "2026-11-22T10:00:00Z"}]
    (project.folder / "tasks.json").write_text(json.dumps(tasks))
    told = project.told("labels", "import", "film", "tasks.json")
    assert "1 answer of tasks taken over, 2 were alike, 1 differ" in told
    assert "film.tasks.differences.csv: 1 question is open" in told
    assert [row for row in project.rows() if row not in before] == [f"{part},,ann,0,imported,3,2026-11-22T10:00:00Z"]


def test_stretches_and_elan_there_and_back(project):
    project.write("film.csv", "0,5,ann,1,,,", "5,,ann,0,,,", "8,,bob,?,,,", "9,,bob,1,audit,,")
    project.write("film.skip.csv", "18,20,credits", header="start_s,end_s,reason")
    for form, name in (("elan", "film.eaf"), ("stretches", "film.csv")):
        told = project.told("labels", "export", "film", "--to", form, "--out", name).splitlines()
        assert told[:2] == [f"{name}: 3 stretches of 7 frames", "not in it: how, by whom and when each answer was made"]
        assert told[-2:] == [
            "not in it: 1 range not part of the film (film.skip.csv)",
            "1 blind audit answer stays at home: they only measure",
        ]
        assert "0 answers of film taken over, 7 were alike, 0 differ" in project.told("labels", "import", "film", name)
    assert (project.folder / "film.csv").read_text().splitlines() == [
        "character,start_s,end_s,present", "ann,0,5,1", "ann,5,6,0", "bob,8,9,?",
    ]  # fmt: skip


def test_what_differs_from_a_label_is_asked_and_never_overwritten(project):
    project.write("film.csv", "2,,ann,0,manual,ann,")
    (project.folder / "other.csv").write_text("character,start_s,end_s\nann,1,4\n")

    told = project.told("labels", "import", "film", "other.csv")
    assert "2 answers of other taken over, 0 were alike, 1 differ" in told
    assert project.rows() == ["1,2,ann,1,imported,,", "2,,ann,0,manual,ann,", "3,4,ann,1,imported,,"]
    project.told("labels", "import", "film", "other.csv", "--take", "mine")
    assert "2,,ann,0,manual,ann," in project.rows()
    assert not (project.folder / "film.other.differences.csv").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ("export", "film"),
            "labels export: --to with --out FILE, or --images DIR, was expected; `labels export --help` explains both",
        ),
        (
            ("export", "film", "--to", "label-studio", "--out", "x.json"),
            "--to label-studio: tasks show pictures, a folder for them was expected; add --images DIR",
        ),
        (
            ("export", "film", "--images", "stills"),
            "data/labels/film.csv: no frame is labelled, at least one was expected; choose others with --which suggested or --which all",
        ),
        (("import", "film", "gone.csv"), "gone.csv: no such file was found, labels of another tool were expected; correct the path"),
        (("import", "film", "gone.zip"), "gone.zip: no such file was found, labels of another tool were expected; correct the path"),
        (
            ("import", "film", "params.yaml"),
            "params.yaml: its ending does not say the form, .eaf, .json, .xml, .csv or a folder was expected; name the form with --from "
            "(an archive has to be unpacked first)",
        ),
        (
            ("import", "film", "x.eaf", "--exclusive"),
            "--exclusive: x.eaf is of the form elan, image-classes was expected; use --complete",
        ),
        (("import", "film", "data", "--character", "ann"), "data/positive: no such folder was found, positive/ and negative/ were expected; correct the path"),
    ],
)  # fmt: skip
def test_bad_words_are_one_sentence_and_change_nothing(project, words, expected):
    assert project.refused("labels", *words) == expected
    assert list((project.folder / "data" / "labels").iterdir()) == []


def test_the_header_of_the_label_file_is_as_documented(project):
    project.write("film.csv")
    (project.folder / "other.csv").write_text("character,start_s,end_s\nann,1,4\n")
    project.told("labels", "import", "film", "other.csv")

    assert (project.folder / "data" / "labels" / "film.csv").read_text().splitlines()[0] == HEADER
