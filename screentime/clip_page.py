"""The page of the clips, and the same in a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from screentime import __version__
from screentime.text_table import table_lines

WIDEST = 12  # classes: a larger confusion matrix does not fit a terminal
MOST_SHOWN = 5  # classes below a GIF


@dataclass(frozen=True)
class Shown:
    """A clip that is drawn.

    Attributes:
        name: of the clip.
        actual: its class.
        gif: the file beside the page.
        order: classes with their probabilities, the largest first.
    """

    name: str
    actual: str
    gif: str
    order: list[tuple[str, float]]


def page(
    figures: Mapping, classes: Sequence[str], training: Mapping[str, int], shown: Sequence[Shown], facts: Mapping
) -> str:
    """The page, one HTML file beside its GIFs, no script, no network.

    Args:
        figures: from `screentime.clip_figures.figures`.
        classes: in order.
        training: how many clips of each class train.
        shown: the clips that are drawn.
        facts: model.json.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    tested = bool(figures["n_test"])
    return environment.get_template("clips.html").render(
        version=__version__, figures=figures, classes=classes, training=training, tested=tested,
        largest=max((max(row.values(), default=0) for row in figures["confusion"].values()), default=0) if tested else 0,
        wrong=[one for one in shown if one.order[0][0] != one.actual],
        right=[one for one in shown if one.order[0][0] == one.actual],
        most_shown=MOST_SHOWN, facts=facts, train=facts["params"]["clip_train"],
    )  # fmt: skip


def printed(figures: Mapping, classes: Sequence[str]) -> str:
    """The figures as lines of text."""
    if not figures["n_test"]:
        return "no clip was held out for a test: nothing says how good the heads are (clips.test in clips/params.yaml)"
    accuracy, confusion = figures["accuracy"], figures["confusion"]
    by_seed = accuracy["by_seed"]
    spread = "" if accuracy["deviation"] is None else f" +- {accuracy['deviation']:.3f} over {len(by_seed)} seeds"
    lines = [
        f"accuracy {accuracy['mean']:.3f}{spread} on {figures['n_test']} test clips; guessing the commonest class gives "
        f"{accuracy['guessing_the_commonest']:.3f}",
        "",
    ]
    if len(classes) <= WIDEST:
        rows = [("clips of \\ taken for", *classes)]
        rows += [(name, *(str(confusion[name].get(other, 0)) for other in classes)) for name in classes]
        lines += [*table_lines(rows, left=(0,)), ""]
    rows = [("", "precision", "recall", "clips")]
    for name in classes:
        cells = (figures[figure]["classes"][name] for figure in ("precision", "recall"))
        rows.append(
            (
                name,
                *("-" if cell is None or cell != cell else f"{cell:.2f}" for cell in cells),
                str(sum(confusion[name].values())),
            )
        )
    return "\n".join([*lines, *table_lines(rows, left=(0,))])
