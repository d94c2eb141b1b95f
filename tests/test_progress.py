"""The share of the work that is done and the time left, in a terminal and in a log."""

import io

from screentime.progress import Progress


class Clock:
    """Seconds that only the test lets pass."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(sizes: list[float], steps: list[tuple[float, list[float]]]) -> list[str]:
    """What a log holds after the shares were shown at these times, seconds after the beginning."""
    log, clock = io.StringIO(), Clock()
    with Progress("scoring", sizes, stream=log, clock=clock) as progress:
        for at_s, shares in steps:
            clock.now_s = 1000.0 + at_s
            progress.show(shares)
    return log.getvalue().splitlines()


def test_a_log_has_at_most_a_line_each_half_minute_and_a_hundred_in_all():
    quick = [(step * 0.01, [step / 1000]) for step in range(1, 1001)]
    slow = [(step * 36.0, [step / 1000]) for step in range(1, 1001)]

    assert lines([1320.0], quick) == []
    assert 90 <= len(lines([1320.0], slow)) <= 100


def test_a_long_film_counts_more_than_a_short_one():
    assert lines([7200.0, 60.0, 60.0], [(60, [0.0, 1.0, 1.0])]) == [
        "scoring: 2 %, 2 of 3 videos done, about 60 min left"
    ]


def test_a_film_of_unknown_length_counts_like_the_others():
    assert lines([100.0, 0.0, 300.0], [(60, [1.0, 1.0, 0.0])]) == ["scoring: 50 %, 2 of 3 videos done, about 60 s left"]
    assert lines([0.0, 0.0], [(60, [1.0, 0.0])]) == ["scoring: 50 %, 1 of 2 videos done, about 60 s left"]


def test_a_terminal_has_one_bar_that_comes_to_its_end():
    terminal, clock = Terminal(), Clock()
    with Progress("sampling", [10.0] * 200, stream=terminal, clock=clock) as progress:
        for done in range(201):
            clock.now_s += 1
            progress.show([1.0] * done + [0.0] * (200 - done))

    drawn = terminal.getvalue().split("\r")
    assert terminal.getvalue().count("\n") == 1
    assert "sampling,  68 of 200 videos done:  34%|" in terminal.getvalue()
    assert drawn[-1].startswith("sampling, 200 of 200 videos done: 100%|")
