"""The clip pipeline on real files: heads over time use time, equal input gives equal bytes, nothing good is lost."""

import csv
import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from clip_films import growing, write_clip, write_pair
from PIL import Image
from watched import live

from screentime.__main__ import main
from screentime.clip_page import printed
from screentime.clip_params import ClipParams, load
from screentime.clip_prediction import predict
from screentime.errors import InputError
from screentime.files import read_json
from screentime.frames import open_frames
from screentime.moving_pictures import gif, shown_seconds
from screentime.video import NativeFrames
from screentime.watching.judge import opened_judge
from stages.clip_embed import clip_embed
from stages.clip_report import clip_report
from stages.clip_sample import clip_sample
from stages.clip_train import clip_train

ROOT = Path(__file__).parents[1]
PAIRS = {"train": 40, "val": 10, "test": 100}


def params_with(**sections: dict) -> ClipParams:
    """clips/params.yaml with small frames and a quick training."""
    params = load(ROOT / "clips" / "params.yaml")
    small = {
        "clip_sample": {"frames": 4, "choose": "first", "size": 32, "workers": 1},
        "clip_embed": {"workers": 1, "threads": 1},
        "clip_train": {"units": [32], "dense": [], "dropout": 0.0, "learning_rate": 0.003, "seeds": [0], "threads": 1},
        "clip_report": {"wrong": 2, "width": 64},
    }
    changed = {
        name: getattr(params, name).model_copy(update=small.get(name, {}) | sections.get(name, {}))
        for name in ClipParams.model_fields
    }
    return ClipParams.model_construct(**changed)


class Clips:
    """A folder with clips and what the stages make of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write_table(self, rows: list[tuple]) -> None:
        with open(self.folder / "clips.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("clip", "class", "group", "split"), *rows])

    def sample(self, params: ClipParams) -> None:
        at = self.folder
        clip_sample(
            table=at / "clips.csv",
            clips=at / "clips",
            frames=at / "frames",
            metrics=at / "m/sample.json",
            params=params,
        )

    def embed(self, params: ClipParams) -> None:
        at = self.folder
        clip_embed(table=at / "clips.csv", frames=at / "frames", features=at / "features", params=params)

    def train(self, params: ClipParams) -> None:
        at = self.folder
        clip_train(
            table=at / "clips.csv", features=at / "features", models=at / "models", metrics=at / "m/train.json",
            plots=at / "p/epochs.csv", params=params,
        )  # fmt: skip

    def report(self, params: ClipParams) -> dict:
        at = self.folder
        clip_report(
            frames=at / "frames", features=at / "features", models=at / "models", reports=at / "reports",
            metrics=at / "m/clips.json", plots=at / "p/confusion.csv", params=params,
        )  # fmt: skip
        return read_json(at / "m/clips.json")

    def gif_of(self, row: dict) -> bytes:
        """What is to be drawn of a clip: its frames, what was said, and what it is where that is something else."""
        pack = open_frames(self.folder / "frames", row["clip"].replace("/", "-").removesuffix(".mkv"))
        said, actual = row["predicted"], class_of(row["clip"])
        lines = [f"{said} {float(row[said]):.2f}"] + ([f"is {actual}"] if said != actual else [])
        shown_s = shown_seconds(pack.times_s, float(pack.durations_s[-1]))
        return gif([pack.image(index) for index in range(len(pack))], shown_s, lines, width=64)

    def results(self) -> list[dict]:
        with open(self.folder / "reports" / "clips.csv", encoding="utf-8") as file:
            return list(csv.DictReader(file))


def class_of(clip: str) -> str:
    """Clips lie in the folders of their classes."""
    return clip.split("/")[0]


@pytest.fixture(scope="module")
def reversible(tmp_path_factory) -> Clips:
    """Clips that grow, each with its time-reverse as a clip of the other class, sampled and embedded."""
    clips = Clips(tmp_path_factory.mktemp("reversible"))
    rows, seed = [], 0
    for part, count in PAIRS.items():
        for _ in range(count):
            write_pair(clips.folder / "clips", seed)
            rows += [(f"{name}/{seed:03}.mkv", name, f"pair {seed}", part) for name in ("grows", "shrinks")]
            seed += 1
    clips.write_table(rows)
    clips.sample(params_with())
    clips.embed(params_with())
    return clips


@pytest.fixture(scope="module")
def by_gru(reversible) -> dict:
    """The figures of a GRU on those clips; its models and reports lie there."""
    reversible.train(params_with())
    return reversible.report(params_with())


def test_a_clip_played_backwards_is_the_same_frames_in_the_other_order(reversible):
    forth, back = (np.load(reversible.folder / "features" / f"{name}-120.npy") for name in ("grows", "shrinks"))

    np.testing.assert_array_equal(forth, back[::-1])
    assert not np.array_equal(forth, back)


def test_a_sequence_head_tells_a_clip_from_its_time_reverse(by_gru):
    assert by_gru["n_test"] == 200
    assert by_gru["accuracy"]["mean"] >= 0.9


def test_a_mean_over_frames_cannot(reversible, by_gru, tmp_path):
    """It says the same of both clips of a pair, and one of the two is right."""
    other = Clips(tmp_path)
    for name in ("frames", "features", "clips.csv"):
        (tmp_path / name).symlink_to(reversible.folder / name)
    params = params_with(clip_train={"head": "mean"})

    other.train(params)
    found = other.report(params)

    assert found["n_test"] == 200
    assert found["accuracy"]["mean"] == 0.5
    rows = {row["clip"]: row for row in other.results()}
    said = {name: row["predicted"] for name, row in rows.items()}
    assert all(said[f"grows/{seed:03}.mkv"] == said[f"shrinks/{seed:03}.mkv"] for seed in range(50, 150))
    surest = sorted(float(row[row["predicted"]]) for name, row in rows.items() if class_of(name) != row["predicted"])[
        -2:
    ]
    drawn = sorted((tmp_path / "reports" / "clips").glob("wrong-*.gif"))
    wrong = [rows[path.stem.removeprefix("wrong-").replace("-", "/") + ".mkv"] for path in drawn]
    assert sorted(float(row[row["predicted"]]) for row in wrong) == surest
    for path, row in zip(drawn, wrong, strict=True):
        assert class_of(row["clip"]) != row["predicted"]
        assert path.read_bytes() == other.gif_of(row)


def test_the_results_name_every_test_clip_with_probabilities_that_sum_to_one(reversible, by_gru):
    rows = reversible.results()

    assert list(rows[0]) == ["clip", "predicted", "grows", "shrinks"]
    assert len(rows) == 200
    for row in rows:
        probabilities = {name: float(row[name]) for name in ("grows", "shrinks")}
        assert sum(probabilities.values()) == pytest.approx(1, abs=2e-6)
        assert row["predicted"] == max(probabilities, key=probabilities.get)
    right = sum(row["clip"].startswith(row["predicted"]) for row in rows)
    assert by_gru["accuracy"]["by_seed"]["0"] == right / 200
    counts = by_gru["confusion"]
    assert sum(counts[name].get(name, 0) for name in counts) == right


def test_the_same_input_gives_the_same_bytes_gifs_and_page_too(reversible, tmp_path):
    params = params_with(clip_train={"head": "lstm", "units": [8], "epochs": 2, "dropout": 0.2})
    made = []
    for name in ("one", "other"):
        clips = Clips(tmp_path / name)
        clips.folder.mkdir()
        for linked in ("frames", "features", "clips.csv"):
            (clips.folder / linked).symlink_to(reversible.folder / linked)
        clips.train(params)
        clips.report(params)
        paths = [path for part in ("models", "reports", "m", "p") for path in (clips.folder / part).rglob("*")]
        made.append({str(path.relative_to(clips.folder)): path.read_bytes() for path in paths if path.is_file()})

    assert sorted(path for path in made[0] if path.endswith(".gif"))
    assert made[0] == made[1]


def test_the_page_shows_every_gif_and_every_gif_says_what_the_head_said(reversible, by_gru):
    folder = reversible.folder / "reports" / "clips"
    page = (folder / "index.html").read_text(encoding="utf-8")

    gifs = sorted(path.name for path in folder.glob("*.gif"))
    assert sorted(re.findall(r'src="([^"]+)"', page)) == gifs != []
    moving = Image.open(folder / gifs[0])
    assert moving.n_frames == 4 and moving.info["loop"] == 0
    durations = []
    for number in range(4):
        moving.seek(number)
        durations.append(moving.info["duration"])
    assert durations == [40, 40, 40, 40]  # ms at 25 frames a second
    rows = {row["clip"]: row for row in reversible.results()}
    for name in gifs:
        clip = f"{name.split('-', 1)[1].removesuffix('.gif').replace('-', '/')}.mkv"
        assert (folder / name).read_bytes() == reversible.gif_of(rows[clip])


def test_a_gif_has_its_lines_below_the_picture():
    grey = [np.full((32, 32, 3), 128, np.uint8)]
    bands = {}
    for lines in ([], ["grows 0.98"], ["grows 0.89"], ["grows 0.98", "is shrinks"]):
        drawn = np.array(Image.open(io.BytesIO(gif(grey, [0.1], lines, width=96))).convert("L"))
        assert drawn.shape == (96 + 22 * len(lines), 96) and (abs(drawn[:96].astype(int) - 128) < 3).all()
        bands[tuple(lines)] = drawn[96:]

    one, other, both = list(bands.values())[1:]
    assert (one < 64).any() and not np.array_equal(one, other)
    assert np.array_equal(both[:22], one) and (both[22:] < 64).any()


def test_the_commands_print_the_figures_and_what_a_clip_of_ones_own_is_taken_for(
    reversible, by_gru, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    for name, made in (("models", "models"), ("features", "features"), ("metrics", "m")):
        (tmp_path / "clips" / name).symlink_to(reversible.folder / made)
    drawn = next((reversible.folder / "reports" / "clips").glob("right-shrinks-*.gif"))
    clip = f"shrinks/{drawn.stem.rpartition('-')[2]}.mkv"
    row = next(row for row in reversible.results() if row["clip"] == clip)

    main(["clips", "show"])
    shown = capsys.readouterr().out
    main(["clips", "predict", str(reversible.folder / "clips" / clip), "--gif", "said.gif"])
    *order, last = (line.split() for line in capsys.readouterr().out.splitlines())

    assert shown == printed(by_gru, ["grows", "shrinks"]) + "\nlook: reports/clips/index.html\n"
    assert [name for name, _ in order] == ["shrinks", "grows"]  # the likeliest first
    assert [float(probability) for _, probability in order] == pytest.approx(
        [float(row["shrinks"]), float(row["grows"])], abs=1e-4
    )
    assert last[0] == "said.gif:"
    assert Path("said.gif").read_bytes() == drawn.read_bytes()


def test_what_did_not_change_is_kept(reversible, capsys):
    reversible.sample(params_with())
    reversible.embed(params_with())

    assert re.findall(r"(\d+) of 300 clips \w+ now", capsys.readouterr().out) == ["0", "0"]


def test_a_video_of_ones_own_is_judged_as_the_pipeline_judges_it(reversible, by_gru, tmp_path):
    row = next(row for row in reversible.results() if row["clip"] == "grows/077.mkv")

    order = predict(
        reversible.folder / "clips" / "grows" / "077.mkv", models=reversible.folder / "models",
        features=reversible.folder / "features", picture=tmp_path / "77.gif",
    )  # fmt: skip

    assert {name: pytest.approx(value, abs=1e-5) for name, value in order} == {
        name: float(row[name]) for name in ("grows", "shrinks")
    }
    assert order[0][1] >= order[1][1]
    assert Image.open(io.BytesIO((tmp_path / "77.gif").read_bytes())).n_frames == 4


def test_watched_live_the_last_frames_are_judged_as_a_clip(reversible, by_gru):
    row = next(row for row in reversible.results() if row["clip"] == "grows/077.mkv")
    judge = opened_judge(reversible.folder / "models", threads=1)
    frames = list(NativeFrames(reversible.folder / "clips" / "grows" / "077.mkv"))

    judge.scores(live(np.zeros((64, 64, 3), np.uint8)))
    judge.forget()
    for frame in frames:
        scores = judge.scores(live(frame.image()))

    assert scores == pytest.approx([float(row[name]) for name in judge.names], abs=1e-5)


def test_a_loss_that_is_no_number_stops_and_keeps_the_heads_before(reversible, by_gru, tmp_path):
    clips = Clips(tmp_path)
    shutil.copytree(reversible.folder / "models", tmp_path / "models")
    shutil.copytree(reversible.folder / "features", tmp_path / "features")
    shutil.copy(reversible.folder / "clips.csv", tmp_path / "clips.csv")
    np.save(tmp_path / "features" / "grows-000.npy", np.full((4, 1280), np.inf, np.float16))
    before = {path.name: path.read_bytes() for path in (tmp_path / "models").iterdir()}

    with pytest.raises(InputError) as error:
        clips.train(params_with(clip_train={"head": "mean"}))

    assert str(error.value) == (
        f"{tmp_path / 'models'}: seed 0, epoch 1: the loss is no longer a finite number, one that falls was expected; lower "
        "learning_rate under clip_train in clips/params.yaml (what stood here is kept)"
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "models").iterdir()} == before


def test_a_bad_clip_is_named_and_the_others_finish(tmp_path):
    clips = Clips(tmp_path)
    for number, name in enumerate(("a", 'b "quoted", 板球')):
        for take in range(2):
            write_clip(tmp_path / "clips" / name / f"{take}.mkv", growing(10 * number + take)[: 2 + take])
    (tmp_path / "clips" / "a" / "bad.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(64))
    names = [path.relative_to(tmp_path / "clips").as_posix() for path in sorted((tmp_path / "clips").rglob("*.m*"))]
    clips.write_table([(name, name.split("/")[0], "", "") for name in names] + [("a/gone.mkv", "a", "", "")])

    with pytest.raises(InputError) as error:
        clips.sample(params_with())

    assert str(error.value).splitlines() == [
        f"{tmp_path}/clips/a/bad.mp4: no frame could be decoded; is the file complete?",
        f"{tmp_path}/clips/a/gone.mkv: there is no such file, a film was expected; check the name or put the film there",
        "2 of 6 videos failed while sampling, the others are done; repair them, or take their rows out of data/clips.csv, and "
        "run again",
    ]
    n_frames = {
        path.stem: json.loads(path.read_text())["n_frames"] for path in (tmp_path / "frames").glob("*[01].json")
    }
    assert n_frames == {"a-0": 2, "a-1": 3, 'b "quoted", 板球-0': 2, 'b "quoted", 板球-1': 3}


def test_clips_shorter_than_the_window_and_classes_with_quotes_go_all_the_way(tmp_path):
    clips = Clips(tmp_path)
    rows = []
    for name in ("a", 'b "quoted", 板球'):
        for take in range(3):
            write_clip(tmp_path / "clips" / name / f"{take}.mkv", growing(take)[: 1 + take])
            rows.append((f"{name}/{take}.mkv", name, "", ""))
    clips.write_table(rows)
    params = params_with(clip_train={"head": "rolling", "epochs": 2, "seeds": [0, 1]}, clips={"test": 0.34, "val": 0.3})

    clips.sample(params)
    clips.embed(params)
    clips.train(params)
    accuracy = clips.report(params)["accuracy"]

    found = clips.results()
    assert list(found[0]) == ["clip", "predicted", "a", 'b "quoted", 板球']
    assert len(found) == 2
    heads = [(tmp_path / "models" / f"head-{seed}.tflite").read_bytes() for seed in (0, 1)]
    assert heads[0] != heads[1]
    assert set(accuracy["by_seed"]) == {"0", "1"}
    assert accuracy["mean"] == np.mean(list(accuracy["by_seed"].values()))
    assert accuracy["deviation"] == pytest.approx(np.std(list(accuracy["by_seed"].values()), ddof=1), abs=1e-6)
    with open(tmp_path / "models" / "split.csv", encoding="utf-8") as file:
        parts = [row["split"] for row in csv.DictReader(file)]
    assert sorted(parts) == ["test", "test", "train", "train", "val", "val"]


def test_a_network_of_ones_own_stands_in_the_backbones_place(reversible, by_gru, tmp_path):
    """The backbone itself, handed in as a file, gives the same features; one that does not fit is a sentence."""
    clips = Clips(tmp_path)
    (tmp_path / "frames").symlink_to(reversible.folder / "frames")
    clips.write_table([(f"{name}/00{n}.mkv", name, "", "") for n in range(2) for name in ("grows", "shrinks")])
    network = reversible.folder / "features" / "network" / "efficientnet-lite0.tflite"

    clips.embed(params_with(clip_embed={"network": str(network)}))

    for name in ("grows-000.npy", "shrinks-001.npy"):
        assert (tmp_path / "features" / name).read_bytes() == (reversible.folder / "features" / name).read_bytes()
    (tmp_path / "none.tflite").write_bytes(b"no network")
    for path, said in {
        reversible.folder
        / "models"
        / "head-0.tflite": "a network from [(1, 4), (1, 4, 1280)] to [(1, 2)] was found, one from "
        "[(1, 32, 32, 3)] to [(1, n)] was expected; export it for one picture of clip_sample.size, with one row as its output",
        tmp_path / "none.tflite": "this is no LiteRT file that can be read, a network was expected; export it again",
    }.items():
        with pytest.raises(InputError) as error:
            clips.embed(params_with(clip_embed={"network": str(path)}))
        assert str(error.value) == f"{path}: {said}"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("InceptionV4", "clip_embed: backbone 'InceptionV4' is not known; did you mean 'InceptionV3'?"),
        ("InceptionV3", "clip_sample: 32x32 is too small for InceptionV3, at least 75x75 pixels were expected; raise size"),
        ("kerashub:siglip_base_patch16_224", "clip_sample: 32x32 does not fit kerashub:siglip_base_patch16_224, 224x224 was expected; correct size"),
    ],
)  # fmt: skip
def test_a_backbone_that_there_is_not_or_that_the_clips_do_not_fit_is_a_sentence(tmp_path, name, said):
    with pytest.raises(InputError) as error:
        Clips(tmp_path).embed(params_with(clip_embed={"backbone": name}))

    assert str(error.value) == f"clips/params.yaml: {said}"


def test_real_clips_of_two_actions_go_all_the_way(shared_data, tmp_path):
    clips = Clips(tmp_path)
    (tmp_path / "clips").symlink_to(shared_data / "actions")
    names = sorted(path.name for path in (shared_data / "actions").glob("*.avi"))
    clips.write_table([(name, name.split("_")[1], name.split("_")[2], "") for name in names])
    params = params_with(clip_sample={"choose": "spread", "size": 64}, clip_train={"epochs": 3})

    clips.sample(params)
    clips.embed(params)
    clips.train(params)
    found = clips.report(params)

    assert found["n_test"] == 2 and set(found["confusion"]) == {"CricketBowling", "CricketShot"}
    facts = read_json(tmp_path / "frames" / "v_CricketShot_g22_c01.json")
    assert (facts["native_width"], facts["native_height"], facts["n_frames"]) == (320, 240, 4)
