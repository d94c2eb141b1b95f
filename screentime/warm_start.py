"""Beginning a training where a model of other films ended: its backbone, and its evidence for characters of the same name.

The model lies in the repository as the files that the stage train writes (`python -m screentime model pull` fetches them from
MLflow, `dvc import` from another project), and its network is built here anew from its parameters: nothing in the files is run.
"""

from collections.abc import Sequence
from pathlib import Path

from screentime.quiet import no_native_chatter

with no_native_chatter():
    import keras

from screentime.errors import InputError
from screentime.files import sha256_of
from screentime.inputs import Form
from screentime.network import build, scorer_model
from screentime.scorer import FACTS, WEIGHTS, model_facts
from screentime.sections import FineTune

FROM_CHANCE = "none"


def is_model(weights: str) -> bool:
    """Whether the parameter `weights` names the folder of a model."""
    return (Path(weights) / FACTS).is_file()


def identity(folder: Path) -> str:
    """The sha256 of the weights of a model, 64 hex digits."""
    return sha256_of(folder / WEIGHTS)


def begin(network: keras.Model, folder: Path, form: Form, cast: Sequence[str]) -> list[str]:
    """Give a new network what a model of other films has learned.

    The backbone's weights, those of the dense layers where both have the same, and the last layer's column of every
    character that both know; another character's column stays as it is.

    Args:
        network: as `network.build` returns it.
        folder: of the model.
        form: what the new network is shown; another size than the model's is possible where places give evidence.
        cast: the characters of the new network, in order.

    Returns:
        The characters that go on from where the model was.

    Raises:
        InputError: the folder is not whole, or its model has another backbone or was not fine-tuned.
    """
    facts = model_facts(folder)
    theirs, settings = Form(**facts["form"]), facts["params"]
    if "fine_tune" not in settings:
        raise InputError(
            f"{folder}: a head on a frozen backbone was found, a fine-tuned model was expected; set train.fine_tune.weights to "
            "imagenet, or bring another model"
        )
    if theirs.backbone != form.backbone:
        raise InputError(
            f"{folder}: a model on {theirs.backbone} was found, one on {form.backbone} was expected (preprocess.backbone); set it "
            f"to {theirs.backbone}, or train.fine_tune.weights to imagenet"
        )
    tune = FineTune.model_construct(**settings["fine_tune"] | {"weights": FROM_CHANCE})
    base = build(theirs, len(facts["cast"]), tune, exclusive=settings["exclusive"])
    try:
        scorer_model(base, exclusive=settings["exclusive"]).load_weights(folder / WEIGHTS)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{folder / WEIGHTS}: not the weights of the network that {FACTS} describes; bring the model again"
        ) from error
    network.backbone.set_weights(base.backbone.get_weights())
    ours, before = _dense(network), _dense(base)
    same = [one.kernel.shape for one in ours[:-1]] == [one.kernel.shape for one in before[:-1]]
    if not same or ours[-1].kernel.shape[0] != before[-1].kernel.shape[0]:
        return []
    for one, other in zip(ours[:-1], before[:-1], strict=True):
        one.set_weights(other.get_weights())
    known = [name for name in cast if name in facts["cast"]]
    kernel, bias = ours[-1].get_weights()
    their_kernel, their_bias = before[-1].get_weights()
    for name in known:
        place, there = list(cast).index(name), facts["cast"].index(name)
        kernel[:, place], bias[place] = their_kernel[:, there], their_bias[there]
    ours[-1].set_weights([kernel, bias])
    return known


def _dense(network: keras.Model) -> list[keras.layers.Dense]:
    """The layers behind the backbone that learn, in order; the last gives a logit for each character."""
    names = {layer.name for layer in network.backbone.layers}
    return [one for one in network.layers if isinstance(one, keras.layers.Dense) and one.name not in names]
