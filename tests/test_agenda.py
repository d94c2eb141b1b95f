"""What is most useful now."""

from dataclasses import replace

import pytest

from screentime.agenda import Standing, plan, round_size

NEW = Standing(
    "e01", labelled=0, wanted=50, first=50, share=162, rounds=0, drawn=0, waiting=0, answered=0, unanswered=1200, guessed=0
)  # fmt: skip
LABELLED = replace(NEW, labelled=50, first=0, answered=50, unanswered=1150, guessed=1150)
GONE_OVER = replace(LABELLED, answered=50 + 48, unanswered=1102)
AUDITED = replace(GONE_OVER, rounds=1, drawn=162, share=160, unanswered=964, doubted=9)
LOOKED_AGAIN = replace(AUDITED, looked_again=8)
TWICE = replace(AUDITED, rounds=2, drawn=322, share=170, answered=50 + 120, unanswered=684, doubted=0)


@pytest.mark.parametrize(
    ("films", "view", "video", "n"),
    [
        ([NEW], "start", None, 50),
        ([replace(NEW, labelled=40, first=20)], "start", None, 10),
        ([LABELLED], "review", None, 24),
        ([replace(LABELLED, guessed=0)], "audit", "e01", 162),
        ([GONE_OVER], "audit", "e01", 162),
        ([replace(GONE_OVER, unanswered=30)], "audit", "e01", 30),
        ([replace(AUDITED, waiting=162)], "audit", "e01", 162),
        ([replace(AUDITED, waiting=3)], "audit", "e01", 3),
        ([AUDITED], "check", None, 9),
        ([replace(AUDITED, looked_again=7)], "check", None, 9),
        ([replace(AUDITED, doubted=0)], "review", None, 24),
        ([LOOKED_AGAIN], "review", None, 24),
        ([replace(LOOKED_AGAIN, answered=50 + 119)], "review", None, 24),
        ([replace(LOOKED_AGAIN, answered=50 + 120)], "audit", "e01", 160),
        ([TWICE], "review", None, 24),
        ([replace(TWICE, answered=50 + 264)], "audit", "e01", 170),
        ([replace(TWICE, unanswered=0)], "done", None, 0),
        ([replace(TWICE, doubted=4)], "check", None, 4),
        ([replace(TWICE, doubted=4, answered=50 + 264)], "check", None, 4),
        ([replace(TWICE, doubted=4, unanswered=0)], "check", None, 4),
        ([replace(TWICE, doubted=4, looked_again=15)], "check", None, 4),
        ([replace(TWICE, doubted=4, looked_again=16)], "review", None, 24),
        ([replace(TWICE, doubted=4, waiting=3)], "audit", "e01", 3),
        ([TWICE, replace(TWICE, video_id="e02", doubted=2)], "check", None, 2),
        ([AUDITED, replace(NEW, video_id="e02")], "start", None, 50),
        ([replace(AUDITED, waiting=3), replace(NEW, video_id="e02")], "audit", "e01", 3),
        ([replace(AUDITED, waiting=162), replace(NEW, video_id="e02")], "start", None, 50),
        ([AUDITED, replace(LABELLED, video_id="e02")], "audit", "e02", 162),
        ([TWICE, replace(TWICE, video_id="e02", rounds=3, share=9)], "audit", "e01", 170),
        ([TWICE, replace(TWICE, video_id="e02", answered=50)], "review", None, 24),
        ([replace(AUDITED, lacking={"spike": 2}), replace(LABELLED, lacking={"spike": 5})], "one", None, 7),
        ([replace(TWICE, lacking={"spike": 2})], "review", None, 24),
        ([replace(AUDITED, waiting=3, lacking={"spike": 9})], "audit", "e01", 3),
    ],
)
def test_the_next_step(films, view, video, n):
    found = plan(films)

    assert (found.view, found.video, found.n) == (view, video, n)
    assert found.why


@pytest.mark.parametrize(
    ("rounds", "active_s", "n"), [(0, 0, 190), (0, 90, 156), (0, 900, 100), (1, 360, 171), (2, 650, 179)]
)
def test_a_round_ends_with_the_next_five_minutes_and_leaves_room_for_second_looks(rounds, active_s, n):
    assert round_size(rounds, active_s) == n
