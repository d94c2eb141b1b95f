"""Where the work stands: what was answered, drawn and asked, and what is known of the seconds. Nothing here writes."""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from screentime.agenda import LEAST_DRAWN, Standing, round_size
from screentime.estimates import total
from screentime.labeller.film import Film
from screentime.labeller.sheet import UNKNOWN
from screentime.select import shared
from screentime.stop_rule import sentence


def film_state(film: Film, share: int) -> dict:
    """How far a film is, for the page; share: how many frames of the next round are its."""
    return {
        "video": film.video_id,
        "n": len(film.frames),
        "labelled": int(film.labelled.sum()),
        "drawn": len(film.audit_order()),
        "waiting": len(film.waiting()),
        "rounds": film.rounds_drawn,
        "next": min(share, max(int(film.free().sum()), 1)),
    }


def film_standing(film: Film, share: int, looked_again: int) -> Standing:
    """How far a film is, for the agenda.

    Args:
        film: the film.
        share: how many frames of the next round are its.
        looked_again: its frames that had a second look since its last round was drawn.
    """
    free, shown = film.free(), ~film.drawn & (film.weights_s > 0)
    return Standing(
        video_id=film.video_id,
        labelled=int(film.labelled.sum()),
        wanted=film.wanted,
        first=int(free[film.firsts].sum()),
        share=share,
        rounds=film.rounds_drawn,
        drawn=len(film.audit_order()),
        waiting=len(film.waiting()),
        answered=int((shown & ~free).sum()),
        unanswered=int(free.sum()),
        guessed=int((free & ~np.isnan(film.scores).all(axis=1)).sum()),
        doubted=len(film.doubted()),
        looked_again=looked_again,
        lacking=_lacking(film),
    )


def _lacking(film: Film) -> dict[str, int]:
    """Per character the frames of which nobody has said whether it is there, though half of the others were answered."""
    answered = film.told.sum(axis=1)[:, None] - film.told
    open_ = (film.sheet.present == UNKNOWN) & ~film.drawn[:, None] & (film.weights_s > 0)[:, None]
    counts = (open_ & (2 * answered >= max(1, len(film.cast) - 1)) & (answered > 0)).sum(axis=0)
    return {name: int(n) for name, n in zip(film.cast, counts, strict=True) if n}


def shares(films: Collection[Film], begun_at: Callable[[int], float]) -> dict[str, int]:
    """Per film how many frames its next round should have.

    Args:
        films: all films.
        begun_at: from the number of a round to the seconds that people had worked when it was begun.
    """
    lengths = [len(film.frames) for film in films]
    sizes = [round_size(film.rounds_drawn, begun_at(film.rounds_drawn + 1)) for film in films]
    return {
        film.video_id: shared(size, lengths, LEAST_DRAWN)[place]
        for place, (film, size) in enumerate(zip(films, sizes, strict=True))
    }


def counts(films: Collection[Film], cast: Sequence[str]) -> list[dict]:
    """For every character in how many frames a person saw it, saw that it is absent, could not tell."""
    told = []
    for place in range(len(cast)):
        found = {"1": 0, "0": 0, "?": 0}
        for film in films:
            said = film.sheet.present[film.looked[:, place] & ~film.drawn, place]
            for answer in found:
                found[answer] += int((said == answer).sum())
        told.append({"present": found["1"], "absent": found["0"], "cannot_tell": found["?"]})
    return told


def questions(films: Collection[Film]) -> list[dict]:
    """The cells that a label file and the person answer differently."""
    return [
        {
            "question": one.number, "video": film.video_id, "frame": one.frame, "character": one.character,
            "clock": film.clock(one.frame), "file": one.file, "said": one.said,
        }
        for film in films
        for one in film.book.questions.values()
    ]  # fmt: skip


def portraits(
    films: Mapping[str, Film], cast: Sequence[str], picked: Mapping[str, tuple[str, float]]
) -> list[list | None]:
    """For every character the film and frame of its picture: the one that was picked, else one it is alone in."""
    found = []
    for place, name in enumerate(cast):
        video, time_s = picked.get(name, (None, 0.0))
        frame = films[video].frame_at(time_s) if video in films else None
        if frame is None or films[video].drawn[frame]:  # an audit may have drawn it since
            there = (
                (int((film.sheet.present[one] == "1").sum()), film.video_id, int(one))
                for film in films.values()
                for one in np.flatnonzero((film.sheet.present[:, place] == "1") & ~film.drawn)
            )
            _, video, frame = min(there, default=(0, None, None))
        found.append(None if frame is None else [video, frame])
    return found


def seconds(films: Collection[Film], cast: Sequence[str], shares: Mapping[str, int]) -> dict:
    """The seconds of every character with their intervals, and what the next round would give.

    Args:
        films: all films.
        cast: the characters.
        shares: per film how many frames its next round should have.
    """
    times = [film.screen_times() for film in films]
    sizes = [film.begun() or min(shares[film.video_id], int(film.free().sum())) for film in films]
    n = sum(sizes)
    characters, widest = [], None
    for place, name in enumerate(cast):
        whole = total([of[place] for of in times])
        after = sum(film.after_another_round(place, size) ** 2 for film, size in zip(films, sizes, strict=True)) ** 0.5
        told = sentence(name, whole.seconds, whole.low, whole.high, n, after)
        interval = "" if whole.low is None else f" ({whole.low:.0f} to {whole.high:.0f})"
        characters.append({"now": f"{whole.seconds:.0f} s{interval}", "next": told})
        width = after if whole.low is None else whole.high - whole.low
        if widest is None or width > widest[0]:
            widest = width, told
    return {"characters": characters, "sentence": f"widest: {widest[1]}" if widest else ""}


def summary(films: Collection[Film], active_s: float) -> str:
    """One line on what was done; active_s: seconds that people were busy."""
    labelled = sum(int(film.labelled.sum()) for film in films)
    drawn = sum(len(film.audit_order()) for film in films)
    waiting = sum(len(film.waiting()) for film in films)
    audit = f"; audit: {drawn - waiting} of {drawn} drawn frames answered" if drawn else ""
    return f"{labelled} frames labelled by looking{audit}; {active_s / 60:.1f} active minutes"
