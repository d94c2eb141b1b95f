"""The codes of a trained network: what one of its layers puts out for a picture, as a network of its own for LiteRT."""

from pathlib import Path

from screentime.errors import InputError, did_you_mean
from screentime.files import write_bytes
from screentime.inputs import Form
from screentime.scorer import model_facts


def write_codes(models: Path, layer: str, out: Path, threads: int) -> tuple[Form, int]:
    """Write the trained network without what comes behind a layer.

    Args:
        models: the folder of the stage train.
        layer: a layer that puts out one row for a picture, "dense_1" say.
        out: the LiteRT file: from (1, height, width, 3) float32 normalized pixels to (1, n) float32.
        threads: of the processor; another number may give other bytes.

    Returns:
        What the network is shown, and n.

    Raises:
        InputError: no trained model or a damaged one, no such layer, or pictures that are not square, as clips are.
    """
    form = Form(**model_facts(models)["form"])
    if form.width != form.height:
        raise InputError(
            f"{models}: a network for pictures of {form.width}x{form.height} pixels was found, one for squares was expected, as "
            "clips are cut; set preprocess.width and height to one number and run `dvc repro train`"
        )
    from screentime import frozen, network  # TensorFlow: only when there is a model

    frozen.make_deterministic(0, threads)
    model = network.load(models)
    rows = {one.name: one.output for one in model.layers if len(one.output.shape) == 2}
    if layer not in rows:
        raise InputError(
            f"{models}: '{layer}' is no layer that puts out a row, one was expected; {did_you_mean(layer, rows)}"
        )
    codes = network.keras.Model(model.input, rows[layer], name="codes")
    write_bytes(out, frozen.light_model(codes))
    return form, codes.output_shape[1]
