"""How good the heads are on clips that they have not seen: accuracy, confusion, precision and recall."""

from collections.abc import Mapping, Sequence

import numpy as np


def confusion_matrix(actual: np.ndarray, predicted: np.ndarray, n_classes: int) -> np.ndarray:
    """(n_classes, n_classes) int64: how many clips of the row's class were taken for the column's.

    Args:
        actual, predicted: (n_clips,) int64, classes from 0.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), n_classes=2).tolist()
    [[1, 1], [0, 1]]
    """
    counts = np.zeros((n_classes, n_classes), np.int64)
    np.add.at(counts, (actual, predicted), 1)
    return counts


def precision_and_recall(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each class (n_classes,) float64 in [0, 1]; NaN where no clip was taken for it, or none is of it.

    >>> precision, recall = precision_and_recall(np.array([[1, 1], [0, 1]]))
    >>> precision.tolist(), recall.tolist()
    ([1.0, 0.5], [0.5, 1.0])
    """
    right = np.diag(confusion).astype(np.float64)
    taken, there = confusion.sum(axis=0), confusion.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return right / taken, right / there


def figures(
    classes: Sequence[str], actual: np.ndarray, predicted: Mapping[int, np.ndarray], kept: int, commonest: int
) -> dict:
    """What metrics/clips.json says.

    Args:
        classes: their names.
        actual: (n_clips,) int64, of the test clips.
        predicted: of each seed the same, by its head.
        kept: the seed whose head is kept: confusion, precision and recall are its.
        commonest: the class with the most clips that train: what a guess without looking would say.
    """
    if len(actual) == 0:
        return {"n_test": 0}
    accuracies = {seed: float((one == actual).mean()) for seed, one in predicted.items()}
    confusion = confusion_matrix(actual, predicted[kept], len(classes))
    precision, recall = precision_and_recall(confusion)
    return {
        "n_test": len(actual),
        "accuracy": {
            "mean": float(np.mean(list(accuracies.values()))),
            "deviation": float(np.std(list(accuracies.values()), ddof=1)) if len(accuracies) > 1 else None,
            "guessing_the_commonest": float((actual == commonest).mean()),
            "by_seed": accuracies,
        },
        "kept_seed": kept,
        "precision": _by_class(classes, precision),
        "recall": _by_class(classes, recall),
        "confusion": {
            classes[row]: {classes[column]: int(confusion[row, column]) for column in np.flatnonzero(confusion[row])}
            for row in range(len(classes))
        },
    }


def _by_class(classes: Sequence[str], values: np.ndarray) -> dict:
    mean = float(np.nanmean(values)) if np.isfinite(values).any() else None
    return {"macro": mean, "classes": dict(zip(classes, values, strict=True))}


def in_order(classes: Sequence[str], probabilities: np.ndarray) -> list[tuple[str, float]]:
    """Classes with their probabilities, (n_classes,), the largest first; of equals in the order of the classes.

    >>> in_order(["bowl", "shoot"], np.array([0.25, 0.75]))
    [('shoot', 0.75), ('bowl', 0.25)]
    """
    order = np.argsort(-probabilities, kind="stable")
    return [(classes[column], float(probabilities[column])) for column in order]
