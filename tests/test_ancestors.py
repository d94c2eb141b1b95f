"""The networks that the presets make, from the parameters that the command wrote: their layers, and that they learn.

Weights come by chance here, so that nothing is downloaded, and pictures are as small as the networks take. A network with
batch normalization that knows no statistics puts out nothing at such weights (a signal of 1e-13), so it is shown a few
frames first; it then trains from a file of weights, as a user's own would.

That a network stays at chance is measured where it did not train. Labels dealt by lot know nothing of the pictures, so that
the right answers among n such frames have the binomial distribution with 1 / classes, whatever the network says.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import yaml
from scipy.stats import binom

from screentime import clip_params, network, params
from screentime.__main__ import main
from screentime.backbones import BACKBONES, backbone
from screentime.codes import write_codes
from screentime.errors import InputError
from screentime.files import sha256_of, write_json
from screentime.fine_tuning import Tuning
from screentime.inputs import Form, network_input
from screentime.light_network import LightNetwork
from screentime.losses import KnownAccuracy
from screentime.presets import CLIPS, PRESETS
from screentime.sequence import Fitting, HeadShape, fit, learner_of, one_class, probabilities_of, sequence_head
from screentime.windows import Windows, padded

ROOT = Path(__file__).parents[1]
SIDE = 32
N_TRAIN, N_UNSEEN = 8, 24
TRAINING, UNSEEN = np.arange(N_TRAIN), np.arange(N_TRAIN, N_TRAIN + N_UNSEEN)
NOBODY = np.arange(0)


def written(preset: str, folder: Path, monkeypatch) -> params.Params | clip_params.ClipParams:
    """The parameters of this project after `preset NAME`."""
    for name in ("params.yaml", "clips/params.yaml", "clips/dvc.yaml"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    monkeypatch.chdir(folder)
    main(["preset", preset])
    file = PRESETS[preset].file
    return (clip_params if file == CLIPS else params).load(Path(file))


def settle(model: keras.Model, pictures: np.ndarray) -> None:
    """Give batch normalization the statistics of some pictures."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model.trainable = True
    model(pictures, training=True)


def drawn(kinds: np.ndarray) -> list[np.ndarray]:
    """A noisy frame, (SIDE, SIDE, 3) uint8 RGB, for each kind: a red disc (0), a blue one (1), nobody (2)."""
    frames = []
    for seed, kind in enumerate(kinds):
        random = np.random.default_rng(seed)
        frame = np.ascontiguousarray(random.integers(110, 140, (SIDE, SIDE, 3)).astype(np.uint8))
        if kind < 2:
            x, y = (int(value) for value in random.integers(SIDE // 3, 2 * SIDE // 3, 2))
            cv2.circle(frame, (x, y), SIDE // 3, ((230, 30, 30), (30, 30, 230))[kind], -1)
        frames.append(frame)
    return frames


@dataclass
class Film:
    """A film preset's network on small frames, and which classes it is told."""

    tuning: Tuning
    classes: np.ndarray
    n_classes: int

    def tell(self, classes: np.ndarray) -> None:
        self.tuning.targets = answers(classes, self.n_classes)

    def right(self, rows: np.ndarray) -> int:
        """How many frames it gets right of those told."""
        metric = KnownAccuracy(self.tuning.settings.exclusive)
        outputs = self.tuning.model.predict_on_batch(
            self.tuning.inputs.astype(np.float32)
        )  # of one size: compiled once
        metric.update_state(self.tuning.targets[rows], outputs[rows])
        return round(float(metric.result()) * len(rows))


def answers(classes: np.ndarray, n_classes: int) -> np.ndarray:
    """(n, n_characters) float32; the last class is nobody."""
    return (classes[:, None] == np.arange(n_classes - 1)).astype(np.float32)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """From the parameters that a preset wrote to its network."""
    settled = tmp_path_factory.mktemp("settled")

    def made(settings: params.Params) -> Film:
        form = Form(settings.preprocess.backbone, SIDE, SIDE)
        n_classes = 3 if settings.train.exclusive else 2
        classes = np.arange(N_TRAIN + N_UNSEEN) % n_classes
        kinds = np.where(classes == n_classes - 1, 2, classes)
        inputs = np.stack([network_input(image, form) for image in drawn(kinds)])
        file = settled / f"{form.backbone}.weights.h5"
        keras.utils.set_random_seed(0)
        if form.backbone != "VGG16" and not file.is_file():  # VGG16 has no batch normalization
            fresh = backbone(form.backbone).build(SIDE, SIDE, "none")
            settle(fresh, inputs[:24])
            fresh.save_weights(file)
        weights = {"weights": str(file) if file.is_file() else "none"}
        tune = settings.train.fine_tune.model_copy(update=weights)
        train = settings.train.model_copy(update={"fine_tune": tune, "threads": 1})
        return Film(Tuning(form, inputs.astype(np.float16), answers(classes, n_classes), train), classes, n_classes)

    return made


def chance(n_classes: int) -> tuple[float, float]:
    """Between how many right answers among the unseen lie by lot, all but twice in a thousand times."""
    return binom.interval(0.998, N_UNSEEN, 1 / n_classes)


def by_lot(n_classes: int) -> np.ndarray:
    """Classes that know nothing of the pictures."""
    return np.random.default_rng(1).integers(0, n_classes, N_TRAIN + N_UNSEEN)


def learns_by_heart(one: Film, epochs: int) -> None:
    one.tuning.fit(TRAINING, NOBODY, epochs, 0, lambda *_: None)
    assert one.right(TRAINING) >= 0.95 * N_TRAIN


def tells_unseen_frames_apart(one: Film) -> None:
    assert one.right(UNSEEN) > chance(one.n_classes)[1]


def stays_at_chance(one: Film, epochs: int) -> None:
    one.tell(by_lot(one.n_classes))
    one.tuning.fit(TRAINING, NOBODY, epochs, 0, lambda *_: None)
    low, high = chance(one.n_classes)
    assert low <= one.right(UNSEEN) <= high


def layers_of(model: keras.Model) -> list[tuple]:
    """The layers behind the inputs, or behind the backbone: kind, name, and what a dense or dropout layer does."""
    shown = []
    inside = {id(layer) for layer in getattr(model, "backbone", keras.Sequential()).layers}
    for layer in model.layers:
        if id(layer) in inside or isinstance(layer, keras.layers.InputLayer):
            continue
        config = layer.get_config()
        facts = [config[key] for key in ("units", "activation", "rate") if key in config]
        shown.append((type(layer).__name__, layer.name, *facts))
    return shown


def open_layers(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers if layer.trainable_weights]


def every_layer_but_batch_normalization(model: keras.Model) -> list[str]:
    return [
        layer.name for layer in model.layers if layer.weights and not isinstance(layer, keras.layers.BatchNormalization)
    ]


LOGITS = np.random.default_rng(5).normal(0, 3, (12, 3)).astype(np.float32)


def check_sigmoid_loss(tuning: Tuning) -> None:
    """What is lowered is the cross-entropy of a sigmoid, of every frame alike."""
    targets = (np.arange(12) % 3 == 0).astype(np.float32)[:, None]
    wanted = keras.losses.BinaryCrossentropy(from_logits=True)(targets, LOGITS[:, :1])
    assert tuning.loss(targets, LOGITS[:, :1]) == pytest.approx(float(wanted), abs=1e-5)


def check_softmax_loss(tuning: Tuning, weights: np.ndarray) -> None:
    """What is lowered is the categorical cross-entropy of a softmax, with the weights of the classes."""
    classes = np.arange(12) % 3
    wanted = keras.losses.CategoricalCrossentropy(from_logits=True)(
        keras.utils.to_categorical(classes, 3), LOGITS, sample_weight=weights[classes]
    )
    assert tuning.loss(answers(classes, 3), LOGITS) == pytest.approx(float(wanted), abs=1e-5)


def optimizer_of(model: keras.Model) -> tuple[type, float]:
    return type(model.optimizer), round(float(model.optimizer.learning_rate), 9)


def codes_of(one: Film, folder: Path) -> LightNetwork:
    """What `model codes` writes of the trained network; a layer that is not there is named with the nearest."""
    models = folder / "models"
    models.mkdir()
    scorer = network.scorer_model(one.tuning.model, exclusive=True)
    (models / network.ARCHITECTURE).write_text(scorer.to_json(), encoding="utf-8")
    scorer.save_weights(models / network.WEIGHTS)
    files = {path.name: sha256_of(path) for path in models.iterdir()}
    write_json(models / "model.json", {"form": Form("VGG16", SIDE, SIDE).as_dict(), "files": files})
    with pytest.raises(InputError) as failure:
        write_codes(models, "dens_1", folder / "codes.tflite", threads=1)
    assert str(failure.value) == (
        f"{models}: 'dens_1' is no layer that puts out a row, one was expected; did you mean 'dense_1'?"
    )
    assert write_codes(models, "dense_1", folder / "clips" / "codes.tflite", threads=1) == (
        Form("VGG16", SIDE, SIDE),
        1024,
    )
    return LightNetwork(folder / "clips" / "codes.tflite", threads=1)


def declared(folder: Path) -> list[str]:
    """The deps of the stage clip_embed."""
    return yaml.safe_load((folder / "clips/dvc.yaml").read_text(encoding="utf-8"))["stages"]["clip_embed"]["deps"]


def clips_of(rows: np.ndarray, classes: np.ndarray, settings: clip_params.ClipParams) -> Windows:
    """A clip for each frame: it and up to three others of its class, none of them on the other side; padded and masked."""
    clips = []
    for row, kind in enumerate(classes):
        side = TRAINING if row < N_TRAIN else UNSEEN
        alike = [other for other in side if classes[other] == kind and other != row]
        clips.append(rows[[row, *alike[: row % 4]]].astype(np.float32))
    return padded(clips, settings.clip_sample.frames)


def head_of(settings: clip_params.ClipParams, n_features: int, n_classes: int) -> keras.Model:
    keras.utils.set_random_seed(0)
    one = settings.clip_train
    shape = HeadShape(one.head, tuple(one.units), tuple(one.dense), one.dropout)
    return sequence_head(settings.clip_sample.frames, n_features, n_classes, shape)


def fitting_of(settings: clip_params.ClipParams, **quicker: int) -> Fitting:
    one = settings.clip_train
    return replace(Fitting(one.optimizer, one.learning_rate, one.batch_size, one.epochs, one.patience, 0), **quicker)


def check_clip_training(head: keras.Model, settings: clip_params.ClipParams, kind: type, rate: float) -> None:
    learner = learner_of(head, fitting_of(settings), one_class())
    assert optimizer_of(learner) == (kind, rate)
    assert isinstance(learner.loss, keras.losses.SparseCategoricalCrossentropy)
    assert learner.loss.get_config()["from_logits"]
    one = settings.clip_train
    ancestor = {"rmsprop": (32, 20, 20), "adam": (64, 60, 15)}[one.optimizer]
    assert (one.batch_size, one.epochs, one.patience) == ancestor


def clips_learn_by_heart_and_stay_at_chance(
    settings: clip_params.ClipParams, windows: Windows, classes: np.ndarray, epochs: int
) -> None:
    n_classes = int(classes.max()) + 1
    low, high = chance(n_classes)
    for told in (classes, by_lot(n_classes)):
        head = head_of(settings, windows.features.shape[2], n_classes)
        fit(
            head,
            windows.take(TRAINING),
            told[TRAINING],
            None,
            fitting_of(settings, epochs=epochs, patience=epochs),
            lambda *_: None,
        )
        said = probabilities_of(head, windows).argmax(axis=1)
        if told is classes:
            assert (said == told)[TRAINING].mean() >= 0.95
            assert (said == told)[UNSEEN].sum() > high
        else:
            assert low <= (said == told)[UNSEEN].sum() <= high


def test_a_one_character_open(film, tmp_path, monkeypatch):
    one = film(written("one_character", tmp_path, monkeypatch))
    model, tune = one.tuning.model, one.tuning.settings.fine_tune

    assert model.backbone.name == "MobileNetV2" and len(model.backbone.layers) == 154
    assert layers_of(model) == [("GlobalAveragePooling2D", "mean"), ("Dense", "logits", 1, "linear")]
    assert open_layers(model) == every_layer_but_batch_normalization(model)
    assert model.get_layer("logits").kernel_regularizer.l2 == pytest.approx(0.01)
    assert optimizer_of(one.tuning) == (keras.optimizers.Adam, 0.0001)
    check_sigmoid_loss(one.tuning)
    assert (tune.batch_size, tune.epochs, tune.validation, tune.dropout) == (2, 20, 0.2, 0)
    changes = tune.augment.model_dump()
    assert {name for name in changes if changes[name]} == {"rotation", "shift", "shear", "zoom", "flip"}
    learns_by_heart(one, tune.epochs)
    tells_unseen_frames_apart(one)
    stays_at_chance(one, tune.epochs)


def test_a_one_character_frozen(film, tmp_path, monkeypatch):
    """60 epochs in place of 20: features by chance say less than those of ImageNet."""
    one = film(written("one_character_frozen", tmp_path, monkeypatch))

    assert open_layers(one.tuning.model) == ["logits"]
    assert optimizer_of(one.tuning) == (keras.optimizers.Adam, 0.0001)
    learns_by_heart(one, 60)
    tells_unseen_frames_apart(one)
    stays_at_chance(one, 60)


def test_b_tom_and_jerry(film, tmp_path, monkeypatch):
    """90 epochs in place of 20: eight frames are a single batch, and so an epoch a single step."""
    one = film(written("tom_and_jerry", tmp_path, monkeypatch))
    model, settings = one.tuning.model, one.tuning.settings

    assert model.backbone.name == "MobileNetV2"
    assert layers_of(model) == [
        ("GlobalAveragePooling2D", "mean"),
        ("Dense", "dense_1", 1024, "relu"),
        ("Dense", "dense_2", 512, "relu"),
        ("Dropout", "dropout", 0.5),
        ("Dense", "logits", 3, "linear"),  # its softmax is in the loss
    ]
    assert open_layers(model) == every_layer_but_batch_normalization(model)
    assert optimizer_of(one.tuning) == (keras.optimizers.SGD, 0.001) and one.tuning.optimizer.momentum == 0
    check_softmax_loss(one.tuning, np.array([21 / 11, 21 / 11, 1.0]))  # 11, 11 and 10 of the 32 frames
    tune = settings.fine_tune
    assert (tune.wanted_accuracy, tune.epochs, tune.validation) == (0.8, 20, 0.2)
    learns_by_heart(one, 90)
    stays_at_chance(one, 90)


def test_c_real_time(film, tmp_path, monkeypatch):
    """First the network on frames, then the 1024-wide codes of four frames by LSTM.

    30 epochs in place of 20, and 250 for the clips: one batch of eight is one step.
    """
    one = film(written("real_time", tmp_path, monkeypatch))
    model = one.tuning.model

    assert model.backbone.name == "VGG16"
    assert layers_of(model) == [
        ("Flatten", "features"),
        ("Dense", "dense_1", 1024, "relu"),
        ("Dense", "dense_2", 256, "relu"),
        ("Dense", "logits", 3, "linear"),
    ]
    last_four = [layer.name for layer in model.backbone.layers[-4:]]
    assert last_four == ["block5_conv1", "block5_conv2", "block5_conv3", "block5_pool"]
    assert open_layers(model) == [*last_four[:3], "dense_1", "dense_2", "logits"]
    assert optimizer_of(one.tuning) == (keras.optimizers.RMSprop, 0.0001)
    check_softmax_loss(one.tuning, np.ones(3))
    learns_by_heart(one, 30)
    tells_unseen_frames_apart(one)

    light = codes_of(one, tmp_path)
    settings = written("real_time_clips", tmp_path, monkeypatch)
    assert (settings.clip_sample.frames, settings.clip_embed.network) == (4, "clips/codes.tflite")
    assert [dep for dep in declared(tmp_path) if dep.endswith(".tflite")] == ["codes.tflite"]
    codes = np.stack([light.row(picture.astype(np.float32)) for picture in one.tuning.inputs])
    beside = keras.Model(model.input, model.get_layer("dense_1").output)
    np.testing.assert_allclose(codes, beside.predict_on_batch(one.tuning.inputs.astype(np.float32)), atol=1e-3)
    assert codes.shape[1] == 1024
    windows = clips_of(codes, one.classes, settings)
    head = head_of(settings, 1024, 3)
    assert layers_of(head) == [
        ("LSTM", "lstm_1", 64, "tanh"),
        ("LSTM", "lstm_2", 16, "tanh"),
        ("Dense", "logits", 3, "linear"),
    ]
    check_clip_training(head, settings, keras.optimizers.RMSprop, 0.0001)
    clips_learn_by_heart_and_stay_at_chance(settings, windows, one.classes, 250)

    stays_at_chance(one, 30)


def test_d_actions_gru(tmp_path, monkeypatch):
    """InceptionV3 at its 224 pixels. 100 epochs in place of 60: eight clips are one batch, an epoch one step."""
    settings = written("actions_gru", tmp_path, monkeypatch)
    assert (settings.clip_embed.backbone, settings.clip_sample.size) == ("InceptionV3", 224)
    assert (settings.clip_sample.frames, settings.clip_embed.network, settings.clip_embed.pooling) == (20, None, "mean")
    classes = np.arange(N_TRAIN + N_UNSEEN) % 2
    form = Form(settings.clip_embed.backbone, settings.clip_sample.size, settings.clip_sample.size)
    keras.utils.set_random_seed(0)
    backbone_of_frames = backbone(form.backbone).build(form.height, form.width, "none")
    assert len(backbone_of_frames.layers) == 311 and backbone_of_frames.output_shape[-1] == 2048
    assert open_layers(backbone_of_frames) == []  # the clip pipeline keeps every backbone frozen
    pictures = np.stack([network_input(frame, form) for frame in drawn(classes)])
    settle(backbone_of_frames, pictures[:8])
    features = backbone_of_frames.predict_on_batch(pictures).mean((1, 2))

    head = head_of(settings, features.shape[1], 2)
    assert layers_of(head) == [
        ("GRU", "gru_1", 16, "tanh"),
        ("GRU", "gru_2", 8, "tanh"),
        ("Dropout", "dropout", 0.4),
        ("Dense", "dense_1", 8, "relu"),
        ("Dense", "logits", 2, "linear"),
    ]
    check_clip_training(head, settings, keras.optimizers.Adam, 0.001)
    clips_learn_by_heart_and_stay_at_chance(settings, clips_of(features, classes, settings), classes, 100)


def test_d_actions_lstm(tmp_path, monkeypatch):
    """EfficientNetB7 at 600 pixels is built, frozen, and run by test_backbones; here a fixed projection to as many numbers is it.

    100 epochs in place of 60, as above.
    """
    settings = written("actions_lstm", tmp_path, monkeypatch)
    facts = BACKBONES[settings.clip_embed.backbone]
    assert (facts.name, facts.side, facts.n_features) == ("EfficientNetB7", 600, 2560)
    assert (settings.clip_sample.frames, settings.clip_sample.size, settings.clip_embed.network) == (20, 600, None)
    classes = np.arange(N_TRAIN + N_UNSEEN) % 2
    pixels = np.stack(drawn(classes)).reshape(len(classes), -1) / 255 - 0.5
    features = pixels @ np.random.default_rng(0).normal(0, pixels.shape[1] ** -0.5, (pixels.shape[1], facts.n_features))

    head = head_of(settings, facts.n_features, 2)
    assert layers_of(head) == [
        ("LSTM", "lstm_1", 16, "tanh"),
        ("LSTM", "lstm_2", 8, "tanh"),
        ("Dropout", "dropout", 0.4),
        ("Dense", "dense_1", 8, "relu"),
        ("Dense", "logits", 2, "linear"),
    ]
    check_clip_training(head, settings, keras.optimizers.Adam, 0.001)
    clips_learn_by_heart_and_stay_at_chance(settings, clips_of(features, classes, settings), classes, 100)
