"""The figures of the clips: which is precision and which is recall, in the figures and in a terminal."""

import numpy as np

from screentime.clip_figures import figures
from screentime.clip_page import printed

CLASSES = ("bowl", "shoot", "swim")


def test_precision_is_of_the_clips_taken_for_a_class_and_recall_of_its_own():
    """Of two clips of bowling one is taken for a shot; nobody swims, and nothing is taken for it."""
    found = figures(CLASSES, np.array([0, 0, 1]), {0: np.array([0, 1, 1]), 7: np.array([1, 1, 1])}, 0, commonest=0)

    assert found["kept_seed"] == 0
    assert {name: found["precision"]["classes"][name] for name in CLASSES[:2]} == {"bowl": 1.0, "shoot": 0.5}
    assert {name: found["recall"]["classes"][name] for name in CLASSES[:2]} == {"bowl": 0.5, "shoot": 1.0}
    assert np.isnan([found[figure]["classes"]["swim"] for figure in ("precision", "recall")]).all()
    assert found["precision"]["macro"] == found["recall"]["macro"] == 0.75
    assert printed(found, CLASSES).splitlines() == [
        "accuracy 0.500 +- 0.236 over 2 seeds on 3 test clips; guessing the commonest class gives 0.667",
        "",
        "  clips of \\ taken for  bowl  shoot  swim",
        "  bowl                     1      1     0",
        "  shoot                    0      1     0",
        "  swim                     0      0     0",
        "",
        "         precision  recall  clips",
        "  bowl        1.00    0.50      2",
        "  shoot       0.50    1.00      1",
        "  swim           -       -      0",
    ]
