"""Stage clip_report: how good the heads are on the test clips, and what that looks like."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas

from screentime import command
from screentime.clip_figures import figures, in_order
from screentime.clip_page import Shown, page, printed
from screentime.clip_params import ClipParams, load
from screentime.clip_scorer import ClipScorer
from screentime.clips import TEST, TRAIN, Clip, read_clips
from screentime.files import new_folder, write_json, write_text
from screentime.frames import open_frames
from screentime.moving_pictures import gif, shown_seconds
from screentime.table_files import write_table
from screentime.tables import CLIP_CONFUSION, CLIP_RESULTS


def clip_report(
    *, frames: Path, features: Path, models: Path, reports: Path, metrics: Path, plots: Path, params: ClipParams
) -> None:
    """Judge the test clips by every head; write clips.csv, the figures, GIFs of wrong and right clips, and a page.

    The probabilities, the confusion, precision and recall are those of the head that is kept, the one that lost least on
    the clips that say when to stop; the accuracy is told of all heads, with mean and deviation.
    """
    scorer = ClipScorer(models, params.clip_train.threads)
    classes = list(scorer.classes)
    split = read_clips(models / "split.csv")
    tested = [clip for clip in split if clip.split == TEST]
    rows = [np.load(features / f"{clip.clip_id}.npy", allow_pickle=False) for clip in tested]
    probabilities = {seed: scorer.probabilities(rows, seed) for seed in scorer.seeds}
    predicted = {seed: one.argmax(axis=1) for seed, one in probabilities.items()}
    actual = np.array([classes.index(clip.class_name) for clip in tested], np.int64)
    training = Counter(clip.class_name for clip in split if clip.split == TRAIN)
    commonest = max(range(len(classes)), key=lambda number: training[classes[number]])
    kept, said = probabilities[scorer.best_seed], predicted[scorer.best_seed]
    found = figures(classes, actual, predicted, scorer.best_seed, commonest)

    table = pandas.DataFrame(kept, columns=classes)
    table.insert(0, "clip", [clip.name for clip in tested])
    table.insert(1, "predicted", [classes[number] for number in said])
    confused = table[["clip", "predicted"]].assign(actual=[clip.class_name for clip in tested])
    with new_folder(reports) as folder:
        write_table(folder / "clips.csv", table, CLIP_RESULTS, classes)
        shown = []
        for number in _drawn(actual, said, kept, params):
            order = in_order(classes, kept[number])
            name = f"{'right' if said[number] == actual[number] else 'wrong'}-{tested[number].clip_id}.gif"
            (folder / "clips").mkdir(exist_ok=True)
            (folder / "clips" / name).write_bytes(_gif(frames, tested[number], order, params.clip_report.width))
            shown.append(Shown(tested[number].name, tested[number].class_name, name, order))
        write_text(folder / "clips" / "index.html", page(found, classes, training, shown, scorer.facts))
    write_table(plots, confused, CLIP_CONFUSION)
    write_json(metrics, found)
    print(printed(found, classes))
    n_wrong = int((said != actual).sum())
    if len(tested):
        print(
            f"{reports}: clips.csv has the probabilities of every class; {n_wrong} of {len(tested)} clips are wrong, "
            f"{len(shown)} drawn as GIFs; look: {reports / 'clips' / 'index.html'}"
        )


def _drawn(actual: np.ndarray, said: np.ndarray, probabilities: np.ndarray, params: ClipParams) -> list[int]:
    """The clips that are drawn: the surest wrong ones, then the surest right ones of each class."""
    sure = probabilities.max(axis=1, initial=0)
    order = np.argsort(-sure, kind="stable")
    wrong = [int(number) for number in order if said[number] != actual[number]]
    right = []
    for name in range(probabilities.shape[1]):
        right += [int(number) for number in order if said[number] == actual[number] == name][: params.clip_report.right]
    return wrong[: params.clip_report.wrong] + right


def _gif(frames: Path, clip: Clip, order: list[tuple[str, float]], width: int) -> bytes:
    """A clip as its head saw it, with what it says and what it is."""
    pack = open_frames(frames, clip.clip_id)
    name, probability = order[0]
    lines = [f"{name} {probability:.2f}"] + ([] if name == clip.class_name else [f"is {clip.class_name}"])
    images = [pack.image(index) for index in range(len(pack))]
    return gif(images, shown_seconds(pack.times_s, float(pack.durations_s[-1])), lines, width)


if __name__ == "__main__":
    command.run(clip_report, load, "clips/params.yaml")
