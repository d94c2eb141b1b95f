"""When a character is there: a chain of two states, absent and present, behind the scores of a film's frames.

A score looks at one frame; whether a character is there hardly changes from one second to the next. The chain has a rate
for coming and one for going, per second, so frames need not be equally far apart. What a frame's score says is its
evidence, the chain says how often things change, and the most likely sequence of states is the list of appearances.

Source: Rabiner, A tutorial on hidden Markov models, Proceedings of the IEEE 77, 1989, section III.B: Viterbi's algorithm in
logarithms. A calibrated score over the prior is a likelihood but for a factor: Bourlard and Morgan, Connectionist speech
recognition, 1994. Chains in continuous time: Cox and Miller, The theory of stochastic processes, 1965.
"""

import numpy as np

SURE = 0.001  # a score nearer to 0 or 1 counts as this near: no frame is so certain that its neighbours have no say
RARE = 0.01  # nobody is taken to be on screen for a smaller share of a film, or a larger one than 1 less this


def present(
    scores: np.ndarray, answers: np.ndarray, times_s: np.ndarray, durations_s: np.ndarray, appearance_s: float
) -> np.ndarray:
    """In which frames a character is taken to be visible.

    Args:
        scores: (n_frames,) float64 in [0, 1], calibrated.
        answers: (n_frames,) float64: 1 or 0 where a person said so, which is certain; else NaN.
        times_s: (n_frames,) float64, seconds, increasing.
        durations_s: (n_frames,) float64, seconds each frame stands for.
        appearance_s: how long an appearance lasts in the mean, seconds, > 0; an absence then lasts as long as fits the share
            of the film that scores and answers give the character. The nearer to 0, the more each frame is judged alone:
            present from a score of one half on.

    Returns:
        (n_frames,) bool.

    >>> scores = np.array([0.1, 0.9, 0.4, 0.9, 0.1, 0.1, 0.6, 0.1])
    >>> present(scores, np.full(8, np.nan), np.arange(8.0), np.ones(8), appearance_s=1.5).astype(int).tolist()
    [0, 1, 1, 1, 0, 0, 0, 0]
    """
    if len(scores) == 0:
        return np.zeros(0, bool)
    evidence, share = evidence_of(scores, answers, durations_s)
    return most_likely(evidence, times_s, appearance_s, appearance_s * (1 - share) / share)


def evidence_of(scores: np.ndarray, answers: np.ndarray, durations_s: np.ndarray) -> tuple[np.ndarray, float]:
    """What each frame says by itself, and the share of the film that a character is on screen.

    Args:
        scores, answers, durations_s: as `present` takes them; n_frames >= 1.

    Returns:
        evidence: (n_frames,) float64, as `most_likely` takes it: the score's odds over those of the share, in logarithms.
        share: in [RARE, 1 - RARE], the mean of scores and answers.
    """
    known = ~np.isnan(answers)
    share = float(np.clip(np.average(np.where(known, answers, scores), weights=durations_s), RARE, 1 - RARE))
    evidence = _logit(np.clip(scores, SURE, 1 - SURE)) - _logit(share)
    return np.where(known, np.where(answers == 1, np.inf, -np.inf), evidence), share


def most_likely(evidence: np.ndarray, times_s: np.ndarray, appearance_s: float, absence_s: float) -> np.ndarray:
    """The most likely states of all frames together (Viterbi).

    Args:
        evidence: (n_frames,) float64, log of how much likelier what is seen of a frame is with the character than without;
            inf and -inf where it is certain. n_frames >= 1.
        times_s: (n_frames,) float64, seconds, increasing.
        appearance_s, absence_s: how long each state lasts in the mean, seconds, > 0.

    Returns:
        (n_frames,) bool, True present. Of paths that are equally likely one that is present.
    """
    emissions = np.stack(
        [np.where(evidence == np.inf, -np.inf, 0.0), np.where(evidence == np.inf, 0.0, evidence)], axis=1
    )
    steps = log_transitions(np.diff(times_s), appearance_s, absence_s)
    usual = np.array([absence_s, appearance_s]) / (appearance_s + absence_s)
    best = np.log(usual) + emissions[0]  # (2,): the log probability of the best path that ends absent, present
    came_from = np.zeros((len(evidence), 2), int)
    for frame, step in enumerate(steps, start=1):
        paths = best[:, None] + step  # (from, to)
        came_from[frame] = np.where(paths[1] >= paths[0], 1, 0)
        best = paths.max(axis=0) + emissions[frame]
    states = np.zeros(len(evidence), int)
    states[-1] = best[1] >= best[0]
    for frame in range(len(evidence) - 1, 0, -1):
        states[frame - 1] = came_from[frame, states[frame]]
    return states == 1


def log_transitions(gaps_s: np.ndarray, appearance_s: float, absence_s: float) -> np.ndarray:
    """How likely each state is after a time, given the state before; changes in between count too.

    Args:
        gaps_s: (n,) float64, seconds, > 0.
        appearance_s, absence_s: how long each state lasts in the mean, seconds, > 0.

    Returns:
        (n, 2, 2) float64, log probabilities, [from, to], each 0 absent and 1 present.

    >>> np.exp(log_transitions(np.array([0.0001, 1000.0]), appearance_s=1, absence_s=3)).round(3).tolist()
    [[[1.0, 0.0], [0.0, 1.0]], [[0.75, 0.25], [0.75, 0.25]]]
    """
    usual = np.array([absence_s, appearance_s]) / (appearance_s + absence_s)
    forgotten = -np.expm1(-np.asarray(gaps_s, np.float64) * (1 / appearance_s + 1 / absence_s))[:, None, None]
    return np.log((1 - forgotten) * np.eye(2) + forgotten * usual)


def _logit(share: np.ndarray | float) -> np.ndarray | float:
    return np.log(share) - np.log1p(-share)
