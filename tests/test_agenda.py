"""What is most useful now."""

from dataclasses import replace

import pytest

from screentime.agenda import Standing, plan

NEW = Standing("e01", labelled=0, wanted=80, first=80, drawn=0, waiting=0, unanswered=1200)
LABELLED = replace(NEW, labelled=80, first=0, unanswered=1120)
AUDITED = replace(LABELLED, drawn=80, unanswered=1040)


@pytest.mark.parametrize(
    ("films", "view", "video", "n"),
    [
        ([NEW], "start", None, 80),
        ([replace(NEW, labelled=70, first=40)], "start", None, 10),
        ([LABELLED], "audit", "e01", 80),
        ([replace(LABELLED, unanswered=30)], "audit", "e01", 30),
        ([replace(AUDITED, waiting=80)], "audit", "e01", 80),
        ([replace(AUDITED, waiting=3)], "audit", "e01", 3),
        ([AUDITED], "review", None, 24),
        ([replace(AUDITED, unanswered=0)], "done", None, 0),
        ([AUDITED, replace(NEW, video_id="e02")], "start", None, 80),
        ([replace(AUDITED, waiting=3), replace(NEW, video_id="e02")], "audit", "e01", 3),
        ([replace(AUDITED, waiting=80), replace(NEW, video_id="e02")], "start", None, 80),
        ([AUDITED, replace(LABELLED, video_id="e02")], "audit", "e02", 80),
        ([replace(AUDITED, lacking={"spike": 2}), replace(LABELLED, lacking={"spike": 5})], "one", None, 7),
        ([replace(AUDITED, lacking={"spike": 2})], "review", None, 24),
        ([replace(AUDITED, waiting=3, lacking={"spike": 9})], "audit", "e01", 3),
    ],
)
def test_the_next_step(films, view, video, n):
    found = plan(films)

    assert (found.view, found.video, found.n) == (view, video, n)
    assert found.why
