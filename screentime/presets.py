"""The networks of public projects that came before this one, as values of the parameters: docs/ancestors.md tells of them.

A preset sets every value that decides how its kind of pipeline trains, also those that it has in common with others, so that
nothing of a preset before it is left. What an ancestor is not known for has the default of Keras (batches of 32, L2 0.01).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from screentime.errors import InputError, did_you_mean

FILMS, CLIPS = "params.yaml", "clips/params.yaml"
PAGE = "docs/ancestors.md"


@dataclass(frozen=True)
class Preset:
    """One network with its training.

    Attributes:
        name: as the command takes it.
        sentence: what it is, one line.
        file: the file of parameters that it changes.
        values: what it sets, by dotted keys of that file.
        page: where it is described.
        n_characters: how many characters the ancestor told apart; None where it told classes of clips apart.
        then: what follows the training, where the ancestor had a second step; else empty.
    """

    name: str
    sentence: str
    file: str
    values: Mapping[str, object]
    page: str
    n_characters: int | None = None
    then: str = ""


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        InputError: there is none; the sentence names the nearest.

    >>> preset("tom_and_jerry").values["train.fine_tune.wanted_accuracy"]
    0.8
    """
    if name not in PRESETS:
        raise InputError(f"preset: '{name}' was found, a preset's name was expected; {did_you_mean(name, PRESETS)}")
    return PRESETS[name]


# what the film presets have in common: a square picture, weights of ImageNet, one rate from the first step to the last, and
# one part of five that says when to stop
_FILM = {
    "preprocess.width": 224,
    "preprocess.height": 224,
    "preprocess.filled": False,
    "train.method": "fine_tune",
    "train.positive_weight_max": 1,
    "train.folds": 5,
    "train.fine_tune.weights": "imagenet",
    "train.fine_tune.open": "all",
    "train.fine_tune.pooling": "mean",
    "train.fine_tune.top_k": 5,
    "train.fine_tune.dense": [],
    "train.fine_tune.dropout": 0,
    "train.fine_tune.l2": 0,
    "train.fine_tune.weight_decay": 0,
    "train.fine_tune.warm_up": 0,
    "train.fine_tune.decay": "constant",
    "train.fine_tune.batch_size": 32,
    "train.fine_tune.epochs": 20,
    "train.fine_tune.least_steps": 0,
    "train.fine_tune.validation": 0.2,
    "train.fine_tune.patience": 20,
    "train.fine_tune.wanted_accuracy": 0,
    "train.fine_tune.augment.flip": False,
    "train.fine_tune.augment.rotation": 0,
    "train.fine_tune.augment.shift": 0,
    "train.fine_tune.augment.shear": 0,
    "train.fine_tune.augment.zoom": 0,
    "train.fine_tune.augment.brightness": 0,
    "train.fine_tune.augment.contrast": 0,
    "train.fine_tune.augment.saturation": 0,
}
_ONE_CHARACTER = _FILM | {
    "preprocess.backbone": "MobileNetV2",
    "train.exclusive": False,
    "train.fine_tune.l2": 0.01,
    "train.fine_tune.optimizer": "adam",
    "train.fine_tune.learning_rate": 0.0001,
    "train.fine_tune.batch_size": 2,
    "train.fine_tune.augment.flip": True,
    "train.fine_tune.augment.rotation": 20,
    "train.fine_tune.augment.shift": 0.2,
    "train.fine_tune.augment.shear": 10,
    "train.fine_tune.augment.zoom": 0.2,
}
_TOM_AND_JERRY = _FILM | {
    "preprocess.backbone": "MobileNetV2",
    "train.exclusive": True,
    "train.positive_weight_max": 100,
    "train.fine_tune.dense": [1024, 512],
    "train.fine_tune.dropout": 0.5,
    "train.fine_tune.optimizer": "sgd",
    "train.fine_tune.learning_rate": 0.001,
    "train.fine_tune.wanted_accuracy": 0.8,
}
_REAL_TIME = _FILM | {
    "preprocess.backbone": "VGG16",
    "train.exclusive": True,
    "train.fine_tune.open": 4,
    "train.fine_tune.pooling": "flatten",
    "train.fine_tune.dense": [1024, 256],
    "train.fine_tune.optimizer": "rmsprop",
    "train.fine_tune.learning_rate": 0.0001,
}

# what the clip presets have in common: frames from the clip's beginning, at its own rate
_CLIP = {
    "clip_sample.choose": "first",
    "clip_embed.network": None,
    "clip_embed.pooling": "mean",
}
_REAL_TIME_CLIPS = _CLIP | {
    "clip_sample.frames": 4,
    "clip_sample.size": 224,
    "clip_embed.backbone": "VGG16",
    "clip_embed.network": "clips/codes.tflite",
    "clip_train.head": "lstm",
    "clip_train.units": [64, 16],
    "clip_train.dense": [],
    "clip_train.dropout": 0,
    "clip_train.optimizer": "rmsprop",
    "clip_train.learning_rate": 0.0001,
    "clip_train.batch_size": 32,
    "clip_train.epochs": 20,
    "clip_train.patience": 20,
}
_ACTIONS_GRU = _CLIP | {
    "clip_sample.frames": 20,
    "clip_sample.size": 224,
    "clip_embed.backbone": "InceptionV3",
    "clip_train.head": "gru",
    "clip_train.units": [16, 8],
    "clip_train.dense": [8],
    "clip_train.dropout": 0.4,
    "clip_train.optimizer": "adam",
    "clip_train.learning_rate": 0.001,
    "clip_train.batch_size": 64,
    "clip_train.epochs": 60,
    "clip_train.patience": 15,
}
_ACTIONS_LSTM = _ACTIONS_GRU | {
    "clip_sample.size": 600,
    "clip_embed.backbone": "EfficientNetB7",
    "clip_train.head": "lstm",
}

PRESETS = MappingProxyType(
    {
        one.name: one
        for one in (
            Preset(
                "one_character",
                "a character or not: MobileNetV2 open, mean, one sigmoid unit with L2, augmentation",
                FILMS, _ONE_CHARACTER, f"{PAGE}#a-one-character-or-not", n_characters=1,
            ),
            Preset(
                "one_character_frozen",
                "the same with MobileNetV2 frozen: the sigmoid unit alone is trained",
                FILMS, _ONE_CHARACTER | {"train.fine_tune.open": "none"}, f"{PAGE}#a-one-character-or-not", n_characters=1,
            ),
            Preset(
                "tom_and_jerry",
                "one of two characters or neither: MobileNetV2 open, three dense layers, SGD, stops at accuracy 0.80",
                FILMS, _TOM_AND_JERRY, f"{PAGE}#b-neither-jerry-tom", n_characters=2,
            ),
            Preset(
                "real_time",
                "one class a frame: VGG16 with its last four layers open, dense 1024 and 256, RMSprop",
                FILMS, _REAL_TIME, f"{PAGE}#c-codes-of-a-trained-network-read-by-lstm",
                then="python -m screentime preset real_time_clips    # reads the codes of this network, four frames at a time",
            ),
            Preset(
                "real_time_clips",
                "clips: the 1024-wide codes of that network for 4 frames, read by LSTM 64 and 16",
                CLIPS, _REAL_TIME_CLIPS, f"{PAGE}#c-codes-of-a-trained-network-read-by-lstm",
            ),
            Preset(
                "actions_gru",
                "clips: 20 frames by InceptionV3 at 224 pixels, read by GRU 16 and 8",
                CLIPS, _ACTIONS_GRU, f"{PAGE}#d-actions-in-clips",
            ),
            Preset(
                "actions_lstm",
                "clips: 20 frames by EfficientNetB7 at 600 pixels, read by LSTM 16 and 8",
                CLIPS, _ACTIONS_LSTM, f"{PAGE}#d-actions-in-clips",
            ),
        )
    }
)  # fmt: skip
