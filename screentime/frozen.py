"""A frozen backbone as a network of features: the feature map pooled to one row, also in the form that LiteRT runs."""

import numpy as np

from screentime.quiet import no_native_chatter

with no_native_chatter():  # it tells, twice, that there is no GPU
    import keras
    import tensorflow
    from keras import layers
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2 as with_constants

from screentime.backbones import backbone
from screentime.inputs import Form

BATCH = 16


def make_deterministic(seed: int, threads: int) -> None:
    """Same inputs, same bytes: fix every source of chance and the number of threads, before the first computation.

    Raises:
        RuntimeError: this process has computed with another number of threads already.
    """
    settings = tensorflow.config.threading
    with no_native_chatter():  # the first of these looks for a GPU and tells that there is none
        fixed = settings.get_intra_op_parallelism_threads(), settings.get_inter_op_parallelism_threads()
        if fixed != (threads, threads):
            settings.set_intra_op_parallelism_threads(threads)
            settings.set_inter_op_parallelism_threads(threads)
        tensorflow.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(seed)
        tensorflow.config.list_logical_devices()


def feature_model(form: Form, pooling: str = "mean") -> keras.Model:
    """The frozen backbone with its feature map pooled.

    Args:
        form: what it is shown.
        pooling: "mean" over the places of the map, or "mean_max": mean and maximum side by side. The maximum keeps what
            covers a single place; the mean of a small character drowns in the background.

    Returns:
        A model from (batch, height, width, 3) float32 normalized pixels to (batch, n_features) float32; mean_max has
        twice the backbone's features.
    """
    picture = keras.Input((form.height, form.width, 3), name="picture")
    places = backbone(form.backbone).build(form.height, form.width)(picture)
    row = layers.GlobalAveragePooling2D(name="mean")(places)
    if pooling == "mean_max":
        row = layers.Concatenate(name="features")([row, layers.GlobalMaxPooling2D(name="maximum")(places)])
    return keras.Model(picture, row, name="features_of_a_picture")


def features_of(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The features of many frames, batch by batch, so that a memory-mapped array stays on disk.

    Args:
        model: from `feature_model`.
        inputs: (n_frames, height, width, 3) float16, normalized.

    Returns:
        (n_frames, n_features) float32.
    """
    starts = range(0, len(inputs), BATCH)
    if len(inputs) == 0:
        return np.empty((0, model.output_shape[1]), np.float32)
    rows = [model.predict_on_batch(inputs[start : start + BATCH].astype(np.float32)) for start in starts]
    return np.concatenate(rows)


def light_model(model: keras.Model) -> bytes:
    """The model for LiteRT, 32-bit floats, one picture at a time: a TensorFlow Lite file."""
    converter = light_converter(model)
    with no_native_chatter():
        return converter.convert()


def light_converter(model: keras.Model) -> tensorflow.lite.TFLiteConverter:
    """What makes a model LiteRT's, one picture at a time.

    The weights are made constants first: left as variables, some arrive in LiteRT unset, and the logits are NaN. The
    converter saves what is named beside the function: an empty module, for the model itself costs seconds and no byte.
    """
    signature = tensorflow.TensorSpec((1, *model.input_shape[1:]), tensorflow.float32, name="picture")
    function = tensorflow.function(lambda picture: model(picture, training=False)).get_concrete_function(signature)
    with no_native_chatter():
        return tensorflow.lite.TFLiteConverter.from_concrete_functions([with_constants(function)], tensorflow.Module())
