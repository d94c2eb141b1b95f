"""The paragraph on methods that a paper or an article may take over: what was done here, and nothing that was not.

Every clause is written from what the run left behind: facts of the sampling, answers of people, the figures' own basis,
model.json. Where one of these does not say something, the paragraph does not say it either.
"""

from collections.abc import Mapping, Sequence

import pandas

from screentime import __version__
from screentime.files import number
from screentime.reported_video import ReportedVideo
from screentime.tables import ALL_VIDEOS
from screentime.wording import TIMES, clock, count_text

_FEW = 3  # films that are named one by one

_BEGINNINGS = {"imagenet": "pretrained on ImageNet", "none": "with weights drawn at random"}
_HEADS = {
    "gru": "recurrent layers (GRU)",
    "lstm": "recurrent layers (LSTM)",
    "transformer": "a Transformer encoder",
    "mean": "the mean of the features",
    "rolling": "one linear layer, its probabilities averaged",
}


def methods_text(
    videos: Sequence[ReportedVideo],
    screen_time: pandas.DataFrame,
    model: Mapping,
    *,
    cast: Sequence[str],
    threshold: float,
) -> str:
    """One paragraph on how the figures of these films were made.

    Args:
        videos: the films, at least one.
        screen_time: the table SCREEN_TIME.
        model: model.json.
        cast: the characters.
        threshold: the score from which a character is taken to be visible.
    """
    sentences = [
        f"The screen time of {_listed(cast)} in {_films(videos)} was measured with screentime {__version__}.",
        _sampling(videos),
        *_training(model),
        *_looking(videos, screen_time),
        *_estimating(videos, screen_time),
    ]
    if len(cast) > 1:
        sentences.append(
            f"Times that characters share the screen are counts of frames in which both scores are at least "
            f"{number(threshold, 3)}; no audit corrects them."
        )
    return " ".join(sentences + _versions(model))


def _films(videos: Sequence[ReportedVideo]) -> str:
    if len(videos) <= _FEW:
        return _listed([f"{video.video_id} ({clock(video.facts['length_s'])})" for video in videos])
    return f"{len(videos)} films ({clock(sum(video.facts['length_s'] for video in videos))})"


def _sampling(videos: Sequence[ReportedVideo]) -> str:
    n_frames = sum(len(video.timeline) for video in videos)
    rates = sorted({video.facts["fps"] for video in videos})
    often = "one a second" if rates == [1] else " or ".join(f"{number(fps, 3)} a second" for fps in rates)
    told = (
        f"{count_text(n_frames, 'frame was', 'frames were')} taken at equal steps of time, {often}, by the timestamps of the "
        "file; each is the frame on screen at its moment and stands for the time until the next"
    )
    skipped_s = sum(float(video.timeline["duration_s"].sum() - video.weights_s.sum()) for video in videos)
    return told + (f"; {clock(skipped_s)} that is no part of the film was left out." if skipped_s >= 0.5 else ".")


def _training(model: Mapping) -> list[str]:
    """The network, what it learned from, and how its scores were calibrated."""
    method, params, data = model.get("method"), model["params"], model.get("data", {})
    form = model["form"]
    shown = f"frames of {form['width']} {TIMES} {form['height']} pixels"
    backbone = form["backbone"]
    learned = "labels of people"
    if "n_frames" in data:
        stills = f" and {count_text(data['n_stills'], 'still', 'stills')}" if data.get("n_stills") else ""
        learned = f"{count_text(data['n_frames'], 'frame', 'frames')}{stills} that people had labelled"
    which = f" (model {model['run_key'][:7]})" if "run_key" in model else ""
    if method == "fine_tune":
        settings = params["fine_tune"]
        network = f"{backbone} {_beginning(settings['weights'])}, {_opened(settings['open'])} trained on {learned}"
    elif method == "probe":
        network = f"a linear head on the features of a frozen, pretrained {backbone}, trained on {learned}"
    elif method == "sequence":
        head, around = _HEADS[params["sequence"]["head"]], model["window"]
        network = (
            f"a head over the features of a frozen, pretrained {backbone} ({head}), trained on {learned}, which judges a frame by "
            f"the {around['before']} sampled frames before it and the {around['after']} after it too"
        )
    else:
        network = f"a network on {backbone}, trained on {learned}"
    one_class = ", with one class for each frame, a character or none" if params.get("exclusive") else ""
    sentences = [f"The scores are those of {network}{one_class}, which is shown {shown}{which}."]
    if "folds" in params:
        sentences.append(
            "Each character's scores were calibrated by a sigmoid (Platt 1999) fitted to scores made out of fold: "
            f"{params['folds']} folds of blocks of {number(params['block_s'], 3)} s, with a guard of "
            f"{number(params['guard_s'], 3)} s."
        )
    return sentences


def _beginning(weights: str) -> str:
    return _BEGINNINGS.get(weights, "that began with weights learned before")


def _opened(depth: int | str) -> str:
    """What of the backbone was trained, as train.fine_tune.open says it."""
    match str(depth).partition(":"):
        case ("none", _, _):
            return "kept as it was, a new head"
        case ("all", _, _):
            return "all of it and a new head"
        case ("blocks", _, n):
            return f"its last {count_text(int(n), 'block', 'blocks')} and a new head"
        case (n, _, _):
            return f"its last {count_text(int(n), 'layer', 'layers')} and a new head"


def _looking(videos: Sequence[ReportedVideo], screen_time: pandas.DataFrame) -> list[str]:
    """Whom the scores were held against."""
    manual = sum(len(video.looked_times("manual")) for video in videos)
    audited = [video for video in videos if "audit" in set(_rows(screen_time, video)["basis"])]
    sentences = []
    if manual:
        where = "this film" if len(videos) == 1 else "these films"
        sentences.append(f"In {where} people labelled {count_text(manual, 'frame', 'frames')} by looking.")
    if audited:
        n_frames = sum(len(video.looked_times("audit")) for video in audited)
        designs = {design for video in audited for design in video.audit["design"] if design}
        how = {"systematic": "evenly in time with a random start", "stratified": "in strata"}
        drawn = f" ({_listed([how[design] for design in sorted(designs)])})" if designs else ""
        where = "" if len(audited) == len(videos) else f" of {_of(audited, videos)}"
        sentences.append(
            f"To measure the error, {count_text(n_frames, 'frame', 'frames')}{where} drawn at random{drawn} "
            f"{'was' if n_frames == 1 else 'were'} labelled without sight of the scores; none of them trained or calibrated the "
            "model."
        )
    return sentences


def _estimating(videos: Sequence[ReportedVideo], screen_time: pandas.DataFrame) -> list[str]:
    """How scores and answers became seconds, for each basis that occurs."""
    resting = {
        basis: [video for video in videos if basis in set(_rows(screen_time, video)["basis"])]
        for basis in ("audit", "labels", "model", "count")
    }
    everyone = sum(bool(films) for films in resting.values()) == 1
    where = {basis: "" if everyone else f" of {_of(films, videos)}" for basis, films in resting.items() if films}
    sentences = []
    if resting["audit"]:
        sentences.append(
            f"The seconds{where['audit']} are those of the difference estimator (S\N{LATIN SMALL LETTER A WITH DIAERESIS}rndal, "
            "Swensson and Wretman, Model Assisted Survey Sampling, 1992, ch. 6; as prediction-powered inference: Angelopoulos et "
            "al., Science, 2023): the scores summed over the frames, with a person's answer instead where one was given before the "
            "draw, plus the error that the audit found; intervals are at 95 %."
        )
    if resting["labels"]:
        sentences.append(
            f"A person looked at every sampled frame{where['labels']}: those seconds are counted, not estimated."
        )
    if resting["model"]:
        sentences.append(
            f"The intervals{where['model']} are carried over from other films and rest on the assumption that these are alike."
        )
    if resting["count"]:
        sentences.append(
            f"The seconds{where['count']} are sums of scores, with people's answers where there are any: nothing has measured "
            "their error, and they have no interval."
        )
    return sentences


def _rows(screen_time: pandas.DataFrame, video: ReportedVideo) -> pandas.DataFrame:
    return screen_time[(screen_time["video_id"] == video.video_id) & (screen_time["video_id"] != ALL_VIDEOS)]


def _of(some: Sequence[ReportedVideo], videos: Sequence[ReportedVideo]) -> str:
    """Which films are meant, by name where they are few."""
    if len(some) <= _FEW:
        return _listed([video.video_id for video in some])
    return f"{len(some)} of the {len(videos)} films"


def _versions(model: Mapping) -> list[str]:
    libraries = model.get("libraries", {})
    names = {"keras": "Keras", "tensorflow": "TensorFlow", "ai-edge-litert": "LiteRT"}
    told = [f"{title} {libraries[name]}" for name, title in names.items() if name in libraries]
    return [f"The model was trained and exported with {_listed(told)}."] if told else []


def _listed(names: Sequence[str]) -> str:
    """Names in one phrase.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
