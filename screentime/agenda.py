"""What is most useful now, from a few counts. Pure, so that it can be simulated and tested."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# a round is as large as can be answered until the next five active minutes are over, at so many seconds a frame: few large
# rounds, as frames that lie nearer to each other in time measure better than as many in several rounds
ROUND_ENDS_EVERY_S, LOOK_S, LEAST_OF_ROUND, MOST_OF_ROUND = 300.0, 1.28, 100, 190
# frames gone over before the first round is drawn, the second, ..: a page takes seconds, and the network learns from it
REVIEWED = (48, 120, 264, 456)
LEAST_DRAWN = 12  # drawn frames of a round of even the shortest of several films: fewer say little of it
LATER = 3  # frames that lack one character are so many before it is asked about by itself
# behind the first round, and behind each later one: where scores err seldom, a slip weighs as much as what they err
SECOND_LOOKS = (8, 16)


@dataclass(frozen=True)
class Standing:
    """One film.

    Attributes:
        video_id: the film.
        labelled: frames that a person labelled by looking, outside the audit.
        wanted: how many such frames a model needs at first.
        first: frames left of those that stand for the film.
        share: how many frames of its next round are the film's.
        rounds: rounds that were drawn.
        drawn, waiting: frames that audits drew, and how many of them lack an answer.
        answered, unanswered: frames outside the audit that have every answer, and that lack one.
        guessed: how many of those that lack one have a proposal to go over.
        doubted: frames of which the scores say otherwise than the person did.
        looked_again: frames that had a second look since its last round was drawn.
        lacking: per character, in how many frames that are labelled for the others nobody has said anything of it.
    """

    video_id: str
    labelled: int
    wanted: int
    first: int
    share: int
    rounds: int
    drawn: int
    waiting: int
    answered: int
    unanswered: int
    guessed: int
    doubted: int = 0
    looked_again: int = 0
    lacking: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What to do next: a view, of one film or of all (None), how many frames, why in one sentence; of whom, or of all."""

    view: str
    video: str | None
    n: int
    why: str
    character: str | None = None


def plan(films: Sequence[Standing]) -> Plan:
    """What is most useful now.

    A round that was begun is finished first; then frames that lack one character, which was added later; then the first
    frames of every film; then, turn about, proposals to go over and a round for each film, drawn at a size fixed before
    anyone looks, and behind a round a second look at what the scores speak against. Proposals make the scores better, rounds
    measure them; benchmarks/labelling.py shows what the turns are worth.

    >>> new = Standing("e01", 0, 50, first=50, share=120, rounds=0, drawn=0, waiting=0, answered=0, unanswered=1200, guessed=0)
    >>> plan([new]).view
    'start'
    """
    for film in films:
        if 0 < film.waiting < film.drawn:
            return _audit(film)
    lacking = Counter()
    for film in films:
        lacking.update(film.lacking)
    for name, n in lacking.most_common(1):
        if n >= LATER:
            return Plan("one", None, n, f"{n} frames are labelled, but not for {name}: Y there, N not", name)
    first = [film for film in films if film.first and film.labelled < film.wanted]
    if first:
        left = sum(min(film.first, film.wanted - film.labelled) for film in first)
        return Plan("start", None, left, f"{left} frames that differ most stand for all the others")
    for film in films:
        if film.waiting:
            return _audit(film)
    open_ = [film for film in films if film.unanswered > 1]
    rounds = max((film.rounds for film in films), default=0)
    behind = [film for film in open_ if film.rounds < rounds]
    if behind:
        return _draw(behind[0])
    doubted, again = sum(film.doubted for film in films), sum(film.looked_again for film in films)
    if rounds and doubted and again < second_looks(rounds):
        return Plan(
            "check", None, doubted, f"{doubted} answers look like slips: a second look at them, others among them"
        )
    gone_over = sum(film.answered - film.wanted for film in films)
    enough = gone_over >= REVIEWED[min(rounds, len(REVIEWED) - 1)]
    if open_ and (enough or not any(film.guessed for film in films)):
        return _draw(open_[0])
    if any(film.unanswered for film in films):
        return Plan("review", None, 24, "the least certain frames teach the most")
    return Plan("done", None, 0, "every frame is answered: run `dvc repro`")


def round_size(rounds: int, active_s: float) -> int:
    """How many frames the next round should have, over all films together.

    Args:
        rounds: those there are.
        active_s: seconds that people have worked so far. Nothing that they answered has a part in the size.

    >>> [round_size(0, 80.0), round_size(1, 360.0), round_size(1, 3600.0)]
    [163, 171, 100]
    """
    left_s = ROUND_ENDS_EVERY_S * (rounds + 1) - active_s - second_looks(rounds + 1) * LOOK_S
    return int(min(max(left_s / LOOK_S, LEAST_OF_ROUND), MOST_OF_ROUND))


def second_looks(rounds: int) -> int:
    """How many frames, over all films together, get a second look behind the last of so many rounds."""
    return SECOND_LOOKS[min(rounds, len(SECOND_LOOKS)) - 1]


def _draw(film: Standing) -> Plan:
    n = min(film.share, film.unanswered)
    more = " more" if film.rounds else ""
    return Plan("audit", film.video_id, n, f"{n}{more} frames of {film.video_id}, drawn at random, measure the error")


def _audit(film: Standing) -> Plan:
    return Plan(
        "audit",
        film.video_id,
        film.waiting,
        f"{film.waiting} drawn frames of {film.video_id} wait; the round counts when complete",
    )
