"""Stage embed: what a frozen backbone sees in every sampled frame."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from screentime import command
from screentime.files import write_array
from screentime.folders import Task, files_hash, step_inputs, update_folder
from screentime.frames import open_frames
from screentime.inputs import Form, network_input
from screentime.params import Params

BATCH = 16


def embed(*, frames: Path, features: Path, params: Params) -> None:
    """Write <video_id>.npy for every film: (n_frames, n_features) float16, one row per sampled frame."""
    form = Form(backbone=params.embed.backbone, width=params.embed.width, height=params.embed.height)
    every_video = step_inputs(
        "stages.embed", ["tensorflow", "keras", "numpy", "opencv-python-headless"], params.embed.model_dump()
    )
    tasks = [
        Task(
            video.video_id,
            every_video | {"frames": files_hash(frames, video.video_id)},
            partial(embed_video, frames=frames, video_id=video.video_id, form=form, threads=params.embed.threads),
        )
        for video in params.shown_videos
    ]
    made = update_folder(features, tasks, workers=1, verb="embedding")
    print(f"{features}: {len(made)} of {len(tasks)} films embedded now, the others kept")


def embed_video(
    folder: Path, tell: Callable[[float], None], *, frames: Path, video_id: str, form: Form, threads: int
) -> None:
    """Embed one film, batch by batch, into folder/<video_id>.npy."""
    from screentime import model as networks  # TensorFlow: only where a film is made

    extract = networks.feature_extractor(form, threads)
    pack = open_frames(frames, video_id)
    rows = []
    for start in range(0, len(pack), BATCH):
        batch = [network_input(pack.image(i), form) for i in range(start, min(start + BATCH, len(pack)))]
        rows.append(extract(np.stack(batch)).astype(np.float16))
        tell(min(1.0, (start + BATCH) / len(pack)))
    write_array(folder / f"{video_id}.npy", np.concatenate(rows))


if __name__ == "__main__":
    command.run(embed)
