"""How runs are compared in `mlflow ui`: a view that is kept with the experiment, with the columns a person wants first."""

import json
from collections.abc import Sequence

VIEW = "comparison"
SHARED_VIEW = "mlflow.sharedViewState."  # the tag under which MLflow's own page keeps a saved view
GROUPS = ("audit", "test", "out_of_fold")
FIGURES = ("average_precision", "accuracy", "f1", "absolute_seconds_error")
RUNS = 1000


def save_view(client: object, experiment_id: str) -> str:
    """Keep the view of an experiment's runs: the figures that matter first, then every parameter that differs.

    The figures are those of the audit; where no run has an audit, of test films, else those out of fold. Best average
    precision first. It is made anew each time, from the runs that are there; views that people save stay.

    Args:
        client: of an open store.
        experiment_id: the MLflow experiment.

    Returns:
        The part of the page's address that opens it.
    """
    runs = client.search_runs([experiment_id], max_results=RUNS)
    metrics, params = columns([run.data.metrics for run in runs], [run.data.params for run in runs])
    widths = {f"metrics.`{name}`": width_of(name) for name in metrics}
    widths |= {f"params.`{name}`": width_of(name) for name in params}
    state = {"orderByKey": next(iter(widths)) if metrics else "attributes.start_time", "orderByAsc": False}
    state |= {"selectedColumns": list(widths), "columnOrder": list(widths), "columnWidths": widths}
    created = client.get_experiment(experiment_id).creation_time
    view = {"name": "Comparison", "createdAt": created, "updatedAt": created, "state": json.dumps(state)}
    client.set_experiment_tag(experiment_id, f"{SHARED_VIEW}{VIEW}", json.dumps(view))
    return f"/#/experiments/{experiment_id}/runs?viewStateShareKey={VIEW}"


def width_of(name: str) -> int:
    """The width, in pixels, that shows a column's whole name.

    >>> width_of("audit/f1"), width_of("audit/absolute_seconds_error")
    (90, 216)
    """
    return max(90, 20 + 7 * len(name))


def columns(metrics: Sequence[dict[str, float]], params: Sequence[dict[str, str]]) -> tuple[list[str], list[str]]:
    """The figures and the parameters that are worth a column.

    Args:
        metrics, params: those of each run, by name.

    >>> columns([{"audit/f1": 0.8, "interval_width": 9.0}], [{"train.l2": "0.05"}])
    (['audit/f1', 'interval_width'], [])
    >>> columns([{"test/f1": 0.8}] * 2, [{"train.l2": "0.05", "train.seed": "0"}, {"train.l2": "0.1", "train.seed": "0"}])
    (['test/f1'], ['train.l2'])
    """
    known = {name for one in metrics for name in one}
    group = next((group for group in GROUPS if any(f"{group}/{figure}" in known for figure in FIGURES)), GROUPS[0])
    wanted = [*(f"{group}/{figure}" for figure in FIGURES), "interval_width"]
    names = dict.fromkeys(name for one in params for name in sorted(one))
    differ = [
        name for name in names if len({one.get(name) for one in params}) > 1 and not name.startswith("data.sha256")
    ]
    return [name for name in wanted if name in known], differ
