"""What is most useful now."""

from dataclasses import replace

import pytest

from screentime.agenda import Standing, plan, round_size

NEW = Standing(
    "e01", labelled=0, wanted=50, first=50, share=60, rounds=0, drawn=0, waiting=0, answered=0, unanswered=1200
)  # fmt: skip
LABELLED = replace(NEW, labelled=50, first=0, answered=50, unanswered=1150)
AUDITED = replace(LABELLED, rounds=1, drawn=60, unanswered=1090)
TWICE = replace(AUDITED, rounds=2, drawn=150, share=180, unanswered=1000)
GONE_OVER = replace(TWICE, answered=50 + 100, unanswered=900)


@pytest.mark.parametrize(
    ("films", "view", "video", "n"),
    [
        ([NEW], "start", None, 50),
        ([replace(NEW, labelled=40, first=20)], "start", None, 10),
        ([LABELLED], "audit", "e01", 60),
        ([replace(LABELLED, unanswered=30)], "audit", "e01", 30),
        ([replace(AUDITED, waiting=60)], "audit", "e01", 60),
        ([replace(AUDITED, waiting=3)], "audit", "e01", 3),
        ([AUDITED], "review", None, 24),
        ([replace(AUDITED, answered=50 + 40, share=80)], "audit", "e01", 80),
        ([TWICE], "review", None, 24),
        ([replace(GONE_OVER, answered=50 + 99)], "review", None, 24),
        ([GONE_OVER], "audit", "e01", 180),
        ([replace(GONE_OVER, rounds=3, drawn=360)], "review", None, 24),
        ([replace(GONE_OVER, unanswered=0)], "done", None, 0),
        ([AUDITED, replace(NEW, video_id="e02")], "start", None, 50),
        ([replace(AUDITED, waiting=3), replace(NEW, video_id="e02")], "audit", "e01", 3),
        ([replace(AUDITED, waiting=60), replace(NEW, video_id="e02")], "start", None, 50),
        ([AUDITED, replace(LABELLED, video_id="e02")], "audit", "e02", 60),
        ([GONE_OVER, replace(GONE_OVER, video_id="e02", rounds=3, share=9)], "audit", "e01", 180),
        ([GONE_OVER, replace(TWICE, video_id="e02", answered=40)], "review", None, 24),
        ([replace(AUDITED, lacking={"spike": 2}), replace(LABELLED, lacking={"spike": 5})], "one", None, 7),
        ([replace(TWICE, lacking={"spike": 2})], "review", None, 24),
        ([replace(AUDITED, waiting=3, lacking={"spike": 9})], "audit", "e01", 3),
    ],
)
def test_the_next_step(films, view, video, n):
    found = plan(films)

    assert (found.view, found.video, found.n) == (view, video, n)
    assert found.why


def test_rounds_grow():
    assert [round_size(rounds) for rounds in range(5)] == [60, 80, 180, 180, 180]
