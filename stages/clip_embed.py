"""Stage clip_embed: what a frozen backbone sees in every frame of every clip."""

import shutil
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from screentime import command
from screentime.backbones import backbone
from screentime.clip_params import ClipParams, load
from screentime.clips import learned_clips
from screentime.errors import InputError
from screentime.files import sha256_of, write_array
from screentime.folders import Task, Workers, files_hash, stale_tasks, step_inputs, update_folder, update_single
from screentime.frames import n_frames_of, open_frames
from screentime.inputs import Form, network_input
from screentime.light_network import LightNetwork, network_shapes

NETWORK = "network"
LEAVE_OUT = "take their rows out of data/clips.csv"
WORTH_A_WORKER = 200  # frames: fewer are embedded before another process has started


def clip_embed(*, table: Path, frames: Path, features: Path, params: ClipParams) -> None:
    """Write <clip_id>.npy for every clip: (n_frames, n_features) float16, one row per frame.

    A clip whose frames, parameters and code are unchanged is kept. The backbone, or the network that stands in its place,
    lies beside them as LiteRT runs it, network/<backbone>.tflite, made once.
    """
    settings = params.clip_embed.model_dump()
    workers, own = Workers(settings.pop("workers"), settings["threads"], WORTH_A_WORKER), settings.pop("network")
    side, place = params.clip_sample.size, "clips/params.yaml"
    backbone(settings["backbone"], f"{place}: clip_embed").check_size(side, side, f"{place}: clip_sample", "size")
    form = Form(settings["backbone"], width=side, height=side)
    if own is None:
        update_single(features / NETWORK, _network_task(form, settings["pooling"], settings["threads"]))
    else:
        update_single(features / NETWORK, _own_network_task(form, Path(own)))
    every_clip = step_inputs("stages.clip_embed", ["ai-edge-litert", "numpy", "opencv-python-headless"], settings)
    every_clip["network"] = files_hash(features / NETWORK, form.stem)
    work = partial(embed_clip, frames=frames, network=features / NETWORK, form=form, threads=settings["threads"])
    learned, _ = learned_clips(table, params.clips)
    tasks = [
        Task(
            clip.clip_id,
            every_clip | {"frames": files_hash(frames, clip.clip_id)},
            partial(work, clip_id=clip.clip_id),
            partial(n_frames_of, frames, clip.clip_id),
        )
        for clip in learned
    ]
    stale = stale_tasks(features, tasks)
    update_folder(features, tasks, stale, workers, verb="embedding", leave_out=LEAVE_OUT)
    print(f"{features}: {len(stale)} of {len(tasks)} clips embedded now, the others kept")


def embed_clip(
    folder: Path, tell: Callable[[float], None], *, frames: Path, network: Path, clip_id: str, form: Form, threads: int
) -> None:
    """Embed one clip, frame by frame, into folder/<clip_id>.npy."""
    light = _network(network, files_hash(network, form.stem), form.stem, threads)
    pack = open_frames(frames, clip_id)
    rows = []
    for index in range(len(pack)):
        rows.append(light.row(network_input(pack.image(index), form)).astype(np.float16))
        tell((index + 1) / len(pack))
    write_array(folder / f"{clip_id}.npy", np.stack(rows))


@lru_cache(maxsize=1)
def _network(folder: Path, _: str, name: str, threads: int) -> LightNetwork:
    """The exported backbone, loaded once in each process; the hash of its file tells one from another."""
    return LightNetwork(folder / f"{name}.tflite", threads)


def _network_task(form: Form, pooling: str, threads: int) -> Task:
    inputs = step_inputs(
        "stages.clip_embed", ["keras", "numpy", "tensorflow"], form.as_dict() | form.identity() | {"pooling": pooling}
    )
    work = partial(export_network, form=form, pooling=pooling, threads=threads)
    return Task(form.stem, inputs, work, size=float)


def export_network(folder: Path, tell: Callable[[float], None], *, form: Form, pooling: str, threads: int) -> None:
    """Write the frozen backbone, from normalized pixels to one row of features, to folder/<backbone>.tflite."""
    from screentime import frozen  # TensorFlow: only where the backbone is exported

    frozen.make_deterministic(0, threads)
    (folder / f"{form.stem}.tflite").write_bytes(frozen.light_model(frozen.feature_model(form, pooling)))


def _own_network_task(form: Form, path: Path) -> Task:
    if not path.is_file():
        raise InputError(
            f"clips/params.yaml: clip_embed: network '{path}' is not there, a LiteRT file was expected; correct the path, "
            "which is read from the project's top, or set network: null"
        )
    inputs = step_inputs("stages.clip_embed", [], form.as_dict() | {"sha256": sha256_of(path)})
    return Task(form.stem, inputs, partial(copy_network, form=form, path=path), size=float)


def copy_network(folder: Path, tell: Callable[[float], None], *, form: Form, path: Path) -> None:
    """Take a network of one's own in the backbone's place, after a look at what goes in and comes out."""
    try:
        found = network_shapes(path)
    except ValueError:
        raise InputError(
            f"{path}: this is no LiteRT file that can be read, a network was expected; export it again"
        ) from None
    wanted = (1, form.height, form.width, 3)
    if found != ([wanted], [(1, found[1][0][-1])]):
        raise InputError(
            f"{path}: a network from {found[0]} to {found[1]} was found, one from {[wanted]} to [(1, n)] was expected; export it "
            "for one picture of clip_sample.size, with one row as its output"
        )
    shutil.copyfile(path, folder / f"{form.stem}.tflite")


if __name__ == "__main__":
    command.run(clip_embed, load, "clips/params.yaml")
