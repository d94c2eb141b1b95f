"""Stage embed: what a frozen backbone sees in every sampled frame."""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np

from screentime import command
from screentime.files import write_array
from screentime.folders import (
    Task,
    Workers,
    files_hash,
    stale_tasks,
    step_inputs,
    update_folder,
    update_single,
)
from screentime.frames import n_frames_of, open_frames
from screentime.inputs import Form, network_input
from screentime.light_network import LightNetwork
from screentime.params import Params

NETWORK = "network"
WORTH_A_WORKER = 200  # frames: fewer are embedded before another process has started


def embed(*, frames: Path, features: Path, params: Params) -> None:
    """Write <video_id>.npy for every film: (n_frames, n_features) float16, one row per sampled frame.

    A row is the mean over the places of the feature map, then the maximum: what a head can be trained on.

    A film whose frames, parameters and code are unchanged is kept. The backbone itself lies beside them as LiteRT runs it,
    network/<backbone>.tflite: made once, so that neither a worker nor an added film waits for TensorFlow.
    """
    settings = params.embed.model_dump()
    workers = Workers(settings.pop("workers"), settings["threads"], WORTH_A_WORKER)
    form = Form(backbone=settings["backbone"], width=settings["width"], height=settings["height"])
    update_single(features / NETWORK, _network_task(form, settings["threads"]))
    every_video = step_inputs("stages.embed", ["ai-edge-litert", "numpy", "opencv-python-headless"], settings)
    every_video["network"] = files_hash(features / NETWORK, form.stem)
    work = partial(embed_video, frames=frames, network=features / NETWORK, form=form, threads=settings["threads"])
    tasks = [
        Task(
            video.video_id,
            every_video | {"frames": files_hash(frames, video.video_id)},
            partial(work, video_id=video.video_id),
            partial(n_frames_of, frames, video.video_id),
        )
        for video in params.shown_videos
    ]
    stale = stale_tasks(features, tasks)
    update_folder(features, tasks, stale, workers, verb="embedding")
    print(f"{features}: {len(stale)} of {len(tasks)} films embedded now, the others kept")


def embed_video(
    folder: Path, tell: Callable[[float], None], *, frames: Path, network: Path, video_id: str, form: Form, threads: int
) -> None:
    """Embed one film, frame by frame, into folder/<video_id>.npy."""
    backbone = _network(network, files_hash(network, form.stem), form.stem, threads)
    pack = open_frames(frames, video_id)
    rows = []
    for index in range(len(pack)):
        rows.append(backbone.row(network_input(pack.image(index), form)).astype(np.float16))
        tell((index + 1) / len(pack))
    write_array(folder / f"{video_id}.npy", np.stack(rows))


@lru_cache(maxsize=1)
def _network(folder: Path, _: str, name: str, threads: int) -> LightNetwork:
    """The exported backbone, loaded once in each process; the hash of its file tells one from another."""
    return LightNetwork(folder / f"{name}.tflite", threads)


def _network_task(form: Form, threads: int) -> Task:
    libraries = ["keras", "numpy", "tensorflow"]
    inputs = step_inputs("stages.embed", libraries, form.as_dict() | form.identity())
    return Task(form.stem, inputs, partial(export_network, form=form, threads=threads), size=float)


def export_network(folder: Path, tell: Callable[[float], None], *, form: Form, threads: int) -> None:
    """Write the frozen backbone, from normalized pixels to mean and maximum, to folder/<backbone>.tflite."""
    from screentime import frozen  # TensorFlow: only where the backbone is exported

    frozen.make_deterministic(0, threads)
    (folder / f"{form.stem}.tflite").write_bytes(frozen.light_model(frozen.feature_model(form, "mean_max")))


if __name__ == "__main__":
    command.run(embed)
