"""What a network makes of a film after it learned from the frames that a person has labelled so far.

The light head sees what a frozen backbone sees. Where the characters are drawn, or small, the backbone's last blocks have to
change with the head: on a compilation of cartoons with 100 labelled frames that halves the squared error of the scores. What
comes before those blocks never changes: it is computed once for every frame and kept (what a training then takes is in
docs/labelling.md).

A score is a sum of two logits: half of the light head's, and half of the network's (it is too sure of itself after so many
looks at so few frames), which has a little of its shot's mean in it. A frame that was answered over many at once is scored as
it was answered, less SLIP. TensorFlow runs here, in a process of its own (screentime.labeller.study).
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from screentime import light_head
from screentime.frames import open_frames
from screentime.inputs import Form, network_input
from screentime.places import strongest_places
from screentime.sections import FineTune
from screentime.shots import in_context, shot_of, shot_starts

OPEN = "blocks:5"
BATCH, SCORED = 8, 16  # frames trained on, and scored, at once
LEARNING_RATE, WARM_UP = 0.0003, 1.0
PASSES = 1600  # looks at labelled frames in all, as far as LEAST_EPOCHS and MOST_EPOCHS at each allow
LEAST_EPOCHS, MOST_EPOCHS = 2, 16
RARE = 5.0  # a rare character's present frames count up to so many times its absent ones
SHIFT, NOISE = 1, 0.2  # of what is kept: places to either side, and of every channel's spread
OF_SHOT = 0.25  # of the mean of its shot is added to a frame's logit
TOO_SURE = 2.0  # the network's logits are divided by this
LIGHT = 0.5  # of the light head's logit is added to the network's
SEED = 0
KEPT_BYTES = 4e9  # on disk, for all films together; the rest is computed anew each time
SLIP = 0.01  # of answers that nobody gave by looking at that one frame: a page accepted, a shot taken whole
CLIP = 1e-4  # a light head's score is never surer


@dataclass(frozen=True)
class Lesson:
    """What is learned from, and what is asked.

    Attributes:
        video_id: the film whose frames are scored.
        number: the round of its audit that the scores are for; 0 before the first: they only make proposals.
        answered: (n_frames, n_characters) float32, what had been answered in that film before the round was drawn, 1, 0 or
            NaN: also in frames that it then drew.
        labelled: what trains: of each film its labelled frames, (n,) int64, and (n, n_characters) float32 1, 0 or NaN.
    """

    video_id: str
    number: int
    answered: np.ndarray
    labelled: Mapping[str, tuple[np.ndarray, np.ndarray]]


class Ahead(NamedTuple):
    """A film of which lessons will come: what never changes is computed before.

    Attributes:
        video_id: the film.
        n_characters: of the lessons.
    """

    video_id: str
    n_characters: int


class Learned(NamedTuple):
    """What a network makes of a film.

    Attributes:
        scores: (n_frames, n_characters) float32 in [0, 1]; a column of NaN for a character that has not both answers yet.
        across, down: (n_frames, n_characters) float32 in [0, 1], where in the picture the network's evidence for a character
            is strongest, as shares of its width and height; NaN where no network learned.
    """

    scores: np.ndarray
    across: np.ndarray
    down: np.ndarray


class Learner:
    """Learns and scores; keeps what the frozen part of the network puts out."""

    def __init__(self, data: Path, form: Form, kept: Path, threads: int) -> None:
        """Nothing is loaded yet.

        Args:
            data: the project's folder data.
            form: what the network is shown.
            kept: a folder for what is kept.
            threads: of the network.
        """
        self._data, self._form, self._kept, self._threads = data, form, kept, threads
        self._network: _Network | None = None
        self._taught: bytes | None = None

    def prepare(self, ahead: Ahead) -> None:
        """Keep what the frozen part of the network puts out for a film.

        Raises:
            InputError: the backbone cannot be had, or not be opened so far.
        """
        self._build(ahead.n_characters)
        self._seam(ahead.video_id, np.arange(1))

    def learn(self, lesson: Lesson) -> Learned:
        """The scores of all frames of a film, and where in the pictures they come from.

        Raises:
            InputError: the backbone cannot be had, or not be opened so far.
        """
        n_characters = next(targets.shape[1] for _, targets in lesson.labelled.values())
        light = self._light_scores(lesson)
        if np.isnan(light).all():
            return Learned(light.astype(np.float32), *np.full((2, *light.shape), np.nan, np.float32))
        self._build(n_characters)
        taught = b"".join(rows.tobytes() + targets.tobytes() for rows, targets in lesson.labelled.values())
        if taught != self._taught:
            self._taught = None
            maps = [self._seam(video_id, rows) for video_id, (rows, _) in lesson.labelled.items()]
            self._network.learn(np.concatenate(maps), np.concatenate([of for _, of in lesson.labelled.values()]))
            self._taught = taught
        n_frames = len(light)
        pieces = [np.arange(start, min(start + SCORED, n_frames)) for start in range(0, n_frames, SCORED)]
        said = np.concatenate([self._network.says(self._seam(lesson.video_id, piece)) for piece in pieces])
        logits, across, down = np.moveaxis(said, -1, 0)
        shot = shot_of(self._shots(lesson.video_id), n_frames)
        of_shot = np.stack([np.bincount(shot, column) / np.bincount(shot) for column in logits.T], axis=1)
        in_shot = (logits + OF_SHOT * of_shot[shot]) / (1 + OF_SHOT)
        scores = expit(in_shot / TOO_SURE + LIGHT * logit(np.clip(light, CLIP, 1 - CLIP)))
        as_answered = SLIP + (1 - 2 * SLIP) * lesson.answered
        scores = np.where(np.isnan(as_answered) | np.isnan(scores), scores, as_answered)
        return Learned(scores.astype(np.float32), across.astype(np.float32), down.astype(np.float32))

    def _build(self, n_characters: int) -> None:
        if self._network is None or self._network.n_characters != n_characters:
            self._network, self._taught = _Network(self._form, n_characters, self._threads), None

    def _light_scores(self, lesson: Lesson) -> np.ndarray:
        """What the light head says after the same lesson."""
        features, targets, times_s, videos = [], [], [], []
        for video_id, (rows, answers) in lesson.labelled.items():
            features.append(self._seen(video_id)[rows])
            targets.append(answers)
            times_s.append(open_frames(self._data / "frames", video_id).times_s[rows])
            videos += [video_id] * len(rows)
        head = light_head.fit(
            np.concatenate(features),
            np.concatenate(targets).astype(np.float64),
            video_ids=videos,
            times_s=np.concatenate(times_s),
        )
        times_s = open_frames(self._data / "frames", lesson.video_id).times_s
        return head.scores(self._seen(lesson.video_id), lesson.video_id, times_s, near=True).astype(np.float64)

    def _features(self, video_id: str) -> np.ndarray:
        return np.load(self._data / "features" / f"{video_id}.npy", mmap_mode="r", allow_pickle=False)

    def _shots(self, video_id: str) -> np.ndarray:
        return shot_starts(self._features(video_id), open_frames(self._data / "frames", video_id).times_s)

    def _seen(self, video_id: str) -> np.ndarray:
        return in_context(self._features(video_id), self._shots(video_id))

    def _seam(self, video_id: str, rows: np.ndarray) -> np.ndarray:
        """What the frozen part puts out for some frames of a film, (n, down, across, channels) float32."""
        path = self._kept / f"{video_id}.npy"
        if not path.is_file():
            self._keep(video_id, path)
        if path.is_file():
            return np.load(path, mmap_mode="r", allow_pickle=False)[rows].astype(np.float32)
        return self._computed(video_id, rows)

    def _keep(self, video_id: str, path: Path) -> None:
        """Compute it for a whole film and keep it, where there is room for it."""
        n_frames = len(open_frames(self._data / "frames", video_id))
        shape = (n_frames, *self._network.seam)
        self._kept.mkdir(parents=True, exist_ok=True)
        n_bytes, there = 2 * int(np.prod(shape)), sum(one.stat().st_size for one in self._kept.glob("*.npy"))
        if n_bytes + there > KEPT_BYTES or 2 * n_bytes > shutil.disk_usage(self._kept).free:  # labels come first
            return
        unfinished = path.with_suffix(f".{os.getpid()}")
        header = {"descr": "<f2", "fortran_order": False, "shape": shape}
        try:
            with unfinished.open("wb") as stream:  # no memory map: without room it would end the process
                np.lib.format.write_array_header_1_0(stream, header)
                for start in range(0, n_frames, SCORED):
                    rows = np.arange(start, min(start + SCORED, n_frames))
                    stream.write(self._computed(video_id, rows).astype("<f2").tobytes())
            unfinished.replace(path)
        except OSError:
            unfinished.unlink(missing_ok=True)

    def _computed(self, video_id: str, rows: np.ndarray) -> np.ndarray:
        pack = open_frames(self._data / "frames", video_id)
        pictures = np.stack([network_input(pack.image(int(row)), self._form) for row in rows])
        return self._network.before(pictures)


class _Network:
    """The network, cut where its open part begins."""

    def __init__(self, form: Form, n_characters: int, threads: int) -> None:
        import keras

        from screentime import frozen, network  # TensorFlow
        from screentime.depth import cut, frozen_until, open_layers
        from screentime.losses import batch_loss

        frozen.make_deterministic(SEED, threads)
        self.n_characters = n_characters
        model = network.build(form, n_characters, SETTINGS, exclusive=False)
        open_layers(model.backbone, OPEN)
        seam = frozen_until(model.backbone)
        self._trunk, self._rest = cut(model, seam)
        _, self._showing = cut(network.scorer_model(model, exclusive=False), seam)
        self._last = model.get_layer(network.EVIDENCE)
        self._start = model.get_weights()
        self._model = model
        self.seam = self._trunk.output.shape[1:]
        # all that a lesson changes are variables: TensorFlow makes the graph of a step once, not in every lesson
        self._weights = keras.Variable(np.ones(n_characters, np.float32), trainable=False)
        self._optimizer = keras.optimizers.AdamW(LEARNING_RATE, clipnorm=1.0, weight_decay=1e-4)
        self._optimizer.build(self._rest.trainable_variables)
        self._unmoved = [one.numpy() for one in self._optimizer.variables]
        self._rest.compile(
            self._optimizer, loss=lambda wanted, logits: batch_loss(wanted, logits, self._weights, False)
        )
        nothing = np.zeros((BATCH, *self.seam), np.float32), np.full((BATCH, n_characters), np.nan, np.float32)
        self._rest.train_on_batch(*nothing)  # makes that graph before anybody waits for a lesson

    def before(self, pictures: np.ndarray) -> np.ndarray:
        """(n, height, width, 3) to what the frozen part puts out."""
        return _in_sizes_of(SCORED, self._trunk.predict_on_batch, pictures)

    def says(self, maps: np.ndarray) -> np.ndarray:
        """(n, down, across, channels) to (n, n_characters, 3) float64: logits, and where they come from, x and y."""

        def said(batch: np.ndarray) -> np.ndarray:
            logits, evidence = self._showing.predict_on_batch(batch)
            places = np.stack([strongest_places(one) for one in evidence])
            return np.concatenate([logits[..., None].astype(np.float64), places], axis=2)

        return _in_sizes_of(SCORED, said, maps)

    def learn(self, maps: np.ndarray, targets: np.ndarray) -> None:
        """Train from the start on frames, (n, down, across, channels) float32 and (n, n_characters) float32 1, 0 or NaN."""
        from screentime.losses import first_bias, present_weights
        from screentime.schedule import rate_at

        self._model.set_weights(self._start)
        self._last.bias.assign(first_bias(targets, RARE, exclusive=False))
        self._weights.assign(present_weights(targets, RARE))
        for variable, value in zip(self._optimizer.variables, self._unmoved, strict=True):
            variable.assign(value)
        spread = maps.std(axis=(0, 1, 2))
        epochs = int(np.clip(round(PASSES / len(maps)), LEAST_EPOCHS, MOST_EPOCHS))
        size = min(BATCH, len(maps))
        n_batches = -(-len(maps) // size)
        for epoch in range(epochs):
            random = np.random.default_rng([SEED, epoch])
            order = np.resize(random.permutation(len(maps)), n_batches * size)
            for step, rows in enumerate(order.reshape(n_batches, size)):
                self._optimizer.learning_rate.assign(rate_at((epoch * n_batches + step) / n_batches, epochs, SETTINGS))
                self._rest.train_on_batch(changed(maps[rows], spread, random), targets[rows])


def changed(maps: np.ndarray, spread: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Feature maps as they might have been: mirrored, moved by a place, and with every channel somewhat up or down.

    Args:
        maps: (n, down, across, channels) float32.
        spread: (channels,) float32, the standard deviation of each channel.
        random: the source of chance.

    Returns:
        (n, down, across, channels) float32.
    """
    result = maps.copy()
    for place, one in enumerate(result):
        if random.random() < 0.5:
            one = one[:, ::-1]
        down, across = random.integers(-SHIFT, SHIFT + 1, 2)
        result[place] = np.roll(one, (down, across), axis=(0, 1))
    return result + NOISE * spread * random.normal(size=(len(maps), 1, 1, maps.shape[-1])).astype(np.float32)


def _in_sizes_of(size: int, work, rows: np.ndarray) -> np.ndarray:
    """`work` on batches of one size, so that TensorFlow makes a graph for one only."""
    filled = rows[np.resize(np.arange(len(rows)), -(-len(rows) // size) * size)]
    return np.concatenate([work(filled[start : start + size]) for start in range(0, len(filled), size)])[: len(rows)]


SETTINGS = FineTune.model_construct(
    weights="imagenet", open=OPEN, pooling="lse", top_k=1, dense=[], dropout=0.0, l2=0.0, learning_rate=LEARNING_RATE,
    warm_up=WARM_UP, decay="cosine",
)  # fmt: skip
