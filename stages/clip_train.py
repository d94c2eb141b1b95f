"""Stage clip_train: one head for each seed, from what the backbone saw in the frames of a clip to the clip's class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas
from tqdm import tqdm

from screentime import command
from screentime.clip_params import ClipParams, load
from screentime.clips import TEST, TRAIN, VAL, Clip, learned_clips, parts_of
from screentime.closure import closure_hash
from screentime.errors import InputError
from screentime.files import new_folder, sha256_of, write_json
from screentime.runs import run_key, versions
from screentime.table_files import write_table
from screentime.tables import CLIP_EPOCHS, CLIPS
from screentime.windows import Windows, padded
from screentime.wording import count_text

LIBRARIES = ("ai-edge-litert", "keras", "numpy", "scipy", "tensorflow")
FACTS = "model.json"


def clip_train(*, table: Path, features: Path, models: Path, metrics: Path, plots: Path, params: ClipParams) -> None:
    """Fit one head for each seed and write them with the split they learned from, the figures and the epochs.

    The classes are those of the training side. Each head learns from the train clips, stops by the val clips and keeps
    the weights of its best epoch; the test clips are not looked at. A loss that is no number stops the stage with a
    sentence, and what an earlier run has left stays.
    """
    settings = params.clip_train
    learned, classes = learned_clips(table, params.clips)
    parts = parts_of(table, learned, params.clips)
    sides = {part: [clip for clip in learned if parts[clip.name] == part] for part in (TRAIN, VAL, TEST)}
    training, validation = (_data(features, sides[part], classes, params.clip_sample.frames) for part in (TRAIN, VAL))
    from screentime import (
        frozen,  # TensorFlow: only when the clips are in order
        sequence,
    )

    shape = sequence.HeadShape.of(settings)
    n_frames, n_features = training[0].features.shape[1:]
    per_seed, epochs = {}, []
    with new_folder(models) as folder:
        for seed in settings.seeds:
            frozen.make_deterministic(seed, settings.threads)
            fitting = sequence.Fitting.of(settings, seed)
            head = sequence.sequence_head(n_frames, n_features, len(classes), shape)
            with tqdm(total=settings.epochs, desc=f"training, seed {seed}", unit="epoch", disable=None) as bar:
                try:
                    fitted = sequence.fit(head, *training, validation, fitting, lambda *_, bar=bar: bar.update())
                except InputError as error:
                    raise InputError(
                        f"{models}: seed {seed}, {error} under clip_train in clips/params.yaml (what stood here is kept)"
                    ) from None
            name = f"head-{seed}"
            head.save_weights(folder / f"{name}.weights.h5")
            (folder / f"{name}.tflite").write_bytes(sequence.light_head(head, n_frames))
            per_seed[seed] = {"best_epoch": fitted.best_epoch, "epochs": len(fitted.history)}
            per_seed[seed] |= fitted.history[fitted.best_epoch - 1]
            epochs += [{"seed": seed, "epoch": n, **one} for n, one in enumerate(fitted.history, start=1)]
        (folder / "architecture.json").write_bytes(head.to_json(indent=1).encode("utf-8") + b"\n")
        write_table(folder / "split.csv", _split(learned, parts), CLIPS)
        counts = {f"n_{part}": len(clips) for part, clips in sides.items()}
        data = counts | {
            "sha256_features": _features_hash(features, learned),
            "sha256_split": sha256_of(folder / "split.csv"),
        }
        decides = {
            "data": data,
            "params": settings.model_dump(),
            "code": closure_hash("stages.clip_train"),
            "libraries": versions(LIBRARIES),
        }
        facts = {
            "run_key": run_key(decides),
            "classes": list(classes),
            "n_frames": n_frames,
            "n_features": n_features,
            "n_weights": head.count_params(),
            "best_seed": best_seed(per_seed),
            "data": data,
            "params": {
                "clips": params.clips.model_dump(),
                "clip_sample": params.clip_sample.model_dump(),
                "clip_embed": params.clip_embed.model_dump(),
                "clip_train": settings.model_dump(),
            },
            "libraries": decides["libraries"],
            "files": {path.name: sha256_of(path) for path in sorted(folder.iterdir())},
        }
        write_json(folder / FACTS, facts)
    columns = [column.name for column in CLIP_EPOCHS.columns]
    write_table(plots, pandas.DataFrame(epochs).reindex(columns=columns), CLIP_EPOCHS)
    write_json(metrics, counts | {"n_weights": facts["n_weights"], "seeds": per_seed})
    print(
        f"{models}: {settings.head}, {count_text(len(classes), 'class', 'classes')}; {counts['n_train']} clips train, "
        f"{counts['n_val']} say when to stop, {counts['n_test']} test; "
        f"{count_text(len(settings.seeds), 'seed', 'seeds')}; run {facts['run_key'][:7]}"
    )
    if not counts["n_val"]:
        print(
            "no clip says when to stop, the loss of the training does: every class needs two groups or more that train for that"
        )


def _data(
    features: Path, clips: Sequence[Clip], classes: Sequence[str], n_frames: int
) -> tuple[Windows, np.ndarray] | None:
    """The windows of some clips and their classes, (n_clips,) int64; None where there is no clip."""
    if not clips:
        return None
    rows = [np.load(features / f"{clip.clip_id}.npy", allow_pickle=False) for clip in clips]
    return padded(rows, n_frames), np.array([classes.index(clip.class_name) for clip in clips])


def best_seed(per_seed: dict[int, dict]) -> int:
    """The seed whose head lost least on the val clips (without any, on those that train); of equals the first."""
    loss = "validation_loss" if all("validation_loss" in one for one in per_seed.values()) else "loss"
    return min(per_seed, key=lambda seed: per_seed[seed][loss])


def _split(clips: Sequence[Clip], parts: dict[str, str]) -> pandas.DataFrame:
    rows = [(clip.name, clip.class_name, clip.group, parts[clip.name]) for clip in clips]
    return pandas.DataFrame(rows, columns=[column.name for column in CLIPS.columns])


def _features_hash(features: Path, clips: Sequence[Clip]) -> str:
    """One hash over the features of all clips."""
    return run_key({clip.clip_id: sha256_of(features / f"{clip.clip_id}.npy") for clip in clips})


if __name__ == "__main__":
    command.run(clip_train, load, "clips/params.yaml")
