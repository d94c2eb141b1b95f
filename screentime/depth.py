"""How deep a network is trained: which layers are open, and the cut between a frozen trunk and the rest.

What a frozen trunk puts out never changes, so it can be computed once and kept; only the rest is then run and trained,
epoch after epoch. A cut is possible where the graph is a single tensor: between blocks, not across a shortcut.
"""

import re

import keras
from keras import layers, tree

from screentime.errors import InputError

# how the networks name the layers of a block: blocks_3_add, block_16_expand, expanded_conv_project, block5_conv1,
# conv5_block3_out, block7b_add, block8_10_mixed, convnext_tiny_stage_3_block_2_gelu, conv_pw_13_relu, mixed10
_BLOCK = re.compile(
    r"(stage_\d+_block_\d+|conv\d+_block\d+|blocks?_?\d+[a-z]?(_\d+)?|expanded_conv(_\d+)?|conv_[dp]w_\d+|mixed_?\d+[a-z]?)"
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
    first = _first_open(model, how)
    model.trainable = True
    for index, layer in enumerate(model.layers):
        layer.trainable = index >= first and not isinstance(layer, layers.BatchNormalization)
    return [layer.name for layer in model.layers if layer.trainable_weights]


def cuts(model: keras.Model) -> list[str]:
    """The layers behind which the network is a single tensor, in its order: the input first, the output last."""
    operations = model.operations
    place = {id(operation): index for index, operation in enumerate(operations)}
    reach = list(range(len(operations)))  # of every operation: the furthest that reads what it, or one before it, gives
    for index, operation in enumerate(operations):
        for tensor in tree.flatten(operation.input) if index else ():
            giver = place[id(tensor._keras_history.operation)]
            reach[giver] = max(reach[giver], index)
    found, furthest = [], 0
    for index, operation in enumerate(operations):
        if furthest <= index and isinstance(operation, layers.Layer):
            found.append(operation.name)
        furthest = max(furthest, reach[index])
    return found


def frozen_until(model: keras.Model) -> str:
    """The last layer at which the network can be cut so that nothing before the cut is open."""
    possible = set(cuts(model))
    last = model.layers[0].name
    for layer in model.layers:
        if layer.trainable_weights:
            break
        if layer.name in possible:
            last = layer.name
    return last


def cut(model: keras.Model, at: str) -> tuple[keras.Model, keras.Model]:
    """Split a network behind a layer: rest(trunk(x)) equals model(x).

    Both parts share their layers with the model, so that training the rest trains the model.

    Args:
        model: a network of one input and one output.
        at: one of `cuts(model)`, for example `frozen_until(model)`.

    Returns:
        trunk: from the model's input to what the layer puts out.
        rest: from that to the model's output.

    Raises:
        ValueError: the network cannot be cut there.
    """
    if at not in cuts(model):
        raise ValueError(
            f"{model.name} cannot be cut at {at}: more than one tensor passes there, or there is no such layer"
        )
    seam = model.get_layer(at).output
    trunk = keras.Model(model.input, seam, name=f"{model.name}_trunk")
    if seam is model.output:  # Keras makes no network of nothing
        seam = keras.Input(batch_shape=seam.shape)
        return trunk, keras.Model(seam, layers.Identity()(seam), name=f"{model.name}_rest")
    return trunk, keras.Model(seam, model.output, name=f"{model.name}_rest")


def block_ends(model: keras.Model) -> list[str]:
    """The last layer of every block that the network can be cut behind, in its order."""
    possible = set(cuts(model))
    ends = {}
    for layer in model.layers:
        block = _BLOCK.search(layer.name)
        if block and layer.name in possible:
            ends[block[0].replace("dw", "pw")] = layer.name
    return list(ends.values())


def _first_open(model: keras.Model, how: str | int) -> int:
    """Where in `model.layers` the open ones begin."""
    names = [layer.name for layer in model.layers]
    if how == "none":
        return len(names)
    if how == "all":
        return 0
    if isinstance(how, int) and not isinstance(how, bool):
        if not 1 <= how <= len(names):
            raise InputError(
                f"params.yaml: open is {how}, {model.name} has {len(names)} layers; open 1 to {len(names)}, or 'all'"
            )
        return len(names) - how
    if not isinstance(how, str) or not re.fullmatch(r"blocks:[1-9]\d*", how):
        raise InputError(
            f"params.yaml: open is {how!r}, 'none', 'all', a number of layers or 'blocks:3' was expected; correct it"
        )
    wanted, ends = int(how.removeprefix("blocks:")), block_ends(model)
    if wanted > len(ends):
        raise InputError(f"params.yaml: open is '{how}', {model.name} has {len(ends)} blocks; open fewer, or 'all'")
    return 0 if wanted == len(ends) else names.index(ends[-wanted - 1]) + 1
