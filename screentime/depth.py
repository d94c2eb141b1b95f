"""How deep a network is trained: which layers are open, and the cut between a frozen trunk and the rest.

What a frozen trunk puts out never changes, so it can be computed once and kept; only the rest is then run and trained,
epoch after epoch. A cut is possible where the graph is a single tensor: between blocks, not across a shortcut.
"""

import re

import keras
from keras import layers, tree

from screentime.errors import InputError

# how the layers of a block begin: blocks_3_add, block_16_expand, expanded_conv_project, block5_conv1, conv5_block3_out,
# block7b_add, block8_10_mixed, convnext_tiny_stage_3_block_2_gelu, conv_pw_13_relu, mixed10
_BLOCK = re.compile(
    r"(.*stage_\d+_block_\d+|conv\d+_block\d+|blocks?_?\d+[a-z]?(_\d+)?|expanded_conv(_\d+)?|conv_[dp]w_\d+|mixed_?\d+[a-z]?$)"
    r"(?=_|$)"
)


def open_layers(model: keras.Model, how: str | int) -> list[str]:
    """Open the last layers of a network for training and freeze all others.

    Batch normalization stays frozen, which in Keras also means that it keeps the statistics it came with: those of a
    few small batches would be worse. Dropout inside a network works while it trains.

    Args:
        model: the network; nothing but what is trainable in it is changed.
        how: "none"; "all"; n, the last n layers as `model.layers` lists them, those without weights counted too;
            "blocks:b", the last b blocks as the network's own names tell them, and what comes behind them.

    Returns:
        The names of the layers that are open and have weights, in the network's order.

    Raises:
        InputError: `how` is none of these, or the network has not so many layers or blocks.
    """
    opened = {layer.name for layer in _last_layers(model, how)}
    model.trainable = True
    for layer in model.layers:
        layer.trainable = layer.name in opened and not isinstance(layer, layers.BatchNormalization)
    return [layer.name for layer in model.layers if layer.trainable_weights]


def cuts(model: keras.Model) -> list[str]:
    """The layers behind which the network is a single tensor, in its order: the input first, the output last.

    (Some networks add two tensors without a layer for it; that place then goes by the operation's name.)
    """
    operations = model.operations
    place = {id(operation): index for index, operation in enumerate(operations)}
    last_reader = list(range(len(operations)))
    for index, operation in enumerate(operations[1:], start=1):
        for tensor in tree.flatten(operation.input):
            last_reader[place[id(tensor._keras_history.operation)]] = index
    found, furthest = [], 0
    for index, operation in enumerate(operations):
        if furthest <= index:  # nobody further on reads what came before
            found.append(operation.name)
        furthest = max(furthest, last_reader[index])
    return found


def frozen_until(model: keras.Model) -> str:
    """The last of `cuts(model)` before which nothing is open."""
    possible = set(cuts(model))
    last = model.operations[0].name
    for operation in model.operations:
        if isinstance(operation, layers.Layer) and operation.trainable_weights:
            break
        if operation.name in possible:
            last = operation.name
    return last


def cut(model: keras.Model, at: str) -> tuple[keras.Model, keras.Model]:
    """Split a network behind a layer: rest(trunk(x)) equals model(x).

    Both parts share their layers with the model, so that training the rest trains the model.

    Args:
        model: a network of one input.
        at: one of `cuts(model)`, for example `frozen_until(model)`.

    Returns:
        trunk: from the model's input to what the layer puts out.
        rest: from that to the model's output, or outputs.

    Raises:
        ValueError: the network cannot be cut there.
    """
    if at not in cuts(model):
        raise ValueError(
            f"{model.name} cannot be cut at {at}: more than one tensor passes there, or there is no such layer"
        )
    seam = next(operation.output for operation in model.operations if operation.name == at)
    trunk = keras.Model(model.input, seam, name=f"{model.name}_trunk")
    if seam is model.output:  # Keras makes no network of nothing
        seam = keras.Input(batch_shape=seam.shape)
        return trunk, keras.Model(seam, layers.Identity()(seam), name=f"{model.name}_rest")
    return trunk, keras.Model(seam, model.output, name=f"{model.name}_rest")


def block_ends(model: keras.Model) -> list[str]:
    """Of every block that the network's names tell, the first of `cuts(model)` at its end or behind it."""
    last = {}
    for index, operation in enumerate(model.operations):
        if block := _BLOCK.match(operation.name):
            last[block[0].replace("conv_dw", "conv_pw")] = index
    possible = set(cuts(model))
    ends = [
        next(operation.name for operation in model.operations[index:] if operation.name in possible)
        for index in sorted(last.values())
    ]
    return list(dict.fromkeys(ends))


def _last_layers(model: keras.Model, how: str | int) -> list[layers.Layer]:
    """The layers that `how` means, batch normalization among them."""
    if how in ("none", "all"):
        return model.layers if how == "all" else []
    if isinstance(how, int) and not isinstance(how, bool):
        n_layers = len(model.layers)
        if not 1 <= how <= n_layers:
            raise InputError(
                f"params.yaml: open is {how}, {model.name} has {n_layers} layers; open 1 to {n_layers}, or 'all'"
            )
        return model.layers[-how:]
    if not isinstance(how, str) or not re.fullmatch(r"blocks:[1-9]\d*", how):
        raise InputError(
            f"params.yaml: open is {how!r}, 'none', 'all', a number of layers or 'blocks:3' was expected; correct it"
        )
    ends = block_ends(model)
    n_open = int(how.removeprefix("blocks:"))
    if n_open > len(ends):
        raise InputError(
            f"params.yaml: open is '{how}', {model.name} has {len(ends)} blocks; open fewer, a number of layers, or 'all'"
        )
    if n_open == len(ends):
        return model.layers
    names = [operation.name for operation in model.operations]
    return [layer for layer in model.layers if names.index(layer.name) > names.index(ends[-n_open - 1])]
