"""Two models on the same audited frames: what is beyond chance is found, what is not is not."""

import numpy as np
import pandas
import pytest

from screentime import comparison
from screentime.comparison import RESAMPLES, differences, same_frames
from screentime.metrics import average_precision

CAST = ("ann", "bob")


def table(seed: int, noise: float, n_frames: int = 80, bias: float = 0.0, video_id: str = "film") -> pandas.DataFrame:
    """data/measured of a film; the truth is a function of the video_id alone, the scores of seed, noise and bias."""
    truth = np.random.default_rng(sum(video_id.encode())).random((n_frames, 2)) < (0.5, 0.2)
    random = np.random.default_rng(seed)
    scores = np.clip(truth * 0.5 + 0.25 + bias + noise * random.normal(0, 1, truth.shape), 0, 1)
    return pandas.DataFrame(
        [
            (video_id, 5.0 * frame, name, str(int(truth[frame, number])), scores[frame, number], 5.0, 5.0)
            for frame in range(n_frames)
            for number, name in enumerate(CAST)
        ],
        columns=["video_id", "time_s", "character", "present", "score", "n_frames", "seconds"],
    )


def told(champion: pandas.DataFrame, candidate: pandas.DataFrame):
    return differences(same_frames(champion, candidate))


def test_the_figures_are_those_of_each_model_alone():
    champion, candidate = table(1, 0.4), table(2, 0.2)

    precision, seconds = told(champion, candidate)

    for figure, cells in (("champion", champion), ("candidate", candidate)):
        by_name = [cells[cells["character"] == name] for name in CAST]
        truths = [rows["present"].astype(float).to_numpy() for rows in by_name]
        alone = [average_precision(truth, rows["score"]) for truth, rows in zip(truths, by_name, strict=True)]
        missed = [
            abs((rows["seconds"] * (rows["score"] - truth)).sum()) for truth, rows in zip(truths, by_name, strict=True)
        ]
        assert getattr(precision, figure) == pytest.approx(np.mean(alone))
        assert getattr(seconds, figure) == pytest.approx(np.mean(missed))


def test_a_much_better_model_is_better_and_the_other_way_round_worse():
    champion, candidate = table(1, 0.6), table(2, 0.1)

    assert told(champion, candidate)[0].better
    assert told(candidate, champion)[0].worse
    assert not told(candidate, champion)[0].better


def test_scores_that_are_all_too_high_cost_seconds_and_no_precision():
    champion, candidate = table(1, 0.1), table(1, 0.1, bias=0.15)

    precision, seconds = told(champion, candidate)

    assert not precision.better and not precision.worse
    assert seconds.worse


def test_the_same_scores_are_neither_better_nor_worse():
    for one in told(table(1, 0.4), table(1, 0.4)):
        assert (one.low, one.high, one.better, one.worse) == (0, 0, False, False)


def test_models_of_one_kind_are_seldom_told_apart(monkeypatch):
    """Scores of equal quality, drawn anew: a difference beyond chance is found about as often as 95 % allows."""
    monkeypatch.setattr(comparison, "RESAMPLES", 200)  # forty intervals need no last digit
    found = [
        one.better or one.worse
        for seed in range(40)
        for one in told(table(2 * seed, 0.4), table(2 * seed + 1, 0.4))[:1]
    ]

    assert np.mean(found) <= 0.15


def test_a_further_film_or_character_leaves_what_both_were_measured_on():
    champion = table(1, 0.4)
    candidate = pandas.concat([table(2, 0.4), table(3, 0.4, video_id="second")])

    cells = same_frames(champion, candidate)

    assert len(cells) == len(champion)
    assert cells["champion"].tolist() == champion["score"].tolist()
    assert cells["candidate"].tolist() == table(2, 0.4)["score"].tolist()
    other_way = same_frames(candidate, champion)
    assert other_way["champion"].tolist() == cells["candidate"].tolist()


def test_another_answer_or_another_frame_is_another_audit():
    champion, candidate = table(1, 0.4), table(2, 0.4)
    corrected = candidate.assign(present=["?", *candidate["present"][1:]])
    moved = candidate.assign(time_s=candidate["time_s"] + 1.0)

    assert same_frames(champion, corrected) is None
    assert same_frames(champion, moved) is None
    assert same_frames(champion.iloc[:0], candidate) is None


def test_frames_that_cannot_be_told_count_for_neither():
    champion, candidate = (table(seed, 0.3) for seed in (1, 2))
    both = [rows.assign(present=["?"] * 40 + rows["present"].tolist()[40:]) for rows in (champion, candidate)]
    rest = [rows.iloc[40:] for rows in (champion, candidate)]

    assert told(*both)[0].champion == pytest.approx(told(*rest)[0].champion)
    assert told(*both)[1].candidate == pytest.approx(told(*rest)[1].candidate)
    assert RESAMPLES >= 1000
