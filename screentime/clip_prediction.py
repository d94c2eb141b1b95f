"""What the trained head says of any video, by the same way as the clip pipeline: no TensorFlow."""

from pathlib import Path

import numpy as np

from screentime.clip_figures import in_order
from screentime.clip_frames import chosen_frames, square
from screentime.clip_scorer import ClipScorer
from screentime.errors import InputError
from screentime.files import new_file
from screentime.frames import decode_jpeg, encode_jpeg
from screentime.inputs import Form, network_input
from screentime.light_network import LightNetwork
from screentime.moving_pictures import gif, shown_seconds
from screentime.video import NativeFrames


def predict(path: Path, *, models: Path, features: Path, picture: Path) -> list[tuple[str, float]]:
    """Judge a video and draw what the head has seen of it.

    Args:
        path: the video.
        models: of the stage clip_train.
        features: of the stage clip_embed: the backbone lies there.
        picture: the GIF to write.

    Returns:
        Classes with their probabilities, the largest first.

    Raises:
        InputError: there are no trained heads or no backbone, or the video cannot be read.
    """
    scorer = ClipScorer(models, threads=1)
    sampled, embedded = scorer.facts["params"]["clip_sample"], scorer.facts["params"]["clip_embed"]
    form = Form(embedded["backbone"], width=sampled["size"], height=sampled["size"])
    network = features / "network" / f"{form.stem}.tflite"
    if not network.is_file():
        raise InputError(f"{network}: no such file was found, the backbone was expected; run `dvc --cd clips repro`")
    backbone = LightNetwork(network, embedded["threads"])
    images, rows, times_s, last_s = [], [], [], 0.0
    for frame in chosen_frames(NativeFrames(path), sampled["frames"], sampled["choose"]):
        # through JPEG, as the frames that the head learned from
        images.append(decode_jpeg(encode_jpeg(square(frame.image(), sampled["size"]), sampled["jpeg_quality"])))
        rows.append(backbone.row(network_input(images[-1], form)).astype(np.float16))
        times_s.append(float(frame.start_s))
        last_s = float(frame.end_s - frame.start_s)
    order = in_order(scorer.classes, scorer.probabilities([np.stack(rows)], scorer.best_seed)[0])
    name, probability = order[0]
    with new_file(picture) as partial:
        partial.write_bytes(
            gif(
                images,
                shown_seconds(np.array(times_s), last_s),
                [f"{name} {probability:.2f}"],
                max(64, sampled["size"]),
            )
        )
    return order
