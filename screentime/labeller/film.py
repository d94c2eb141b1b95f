"""One film at the desk: its frames, what people said of them, and what the light head thinks."""

import random
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from screentime.audit import read_record
from screentime.errors import InputError
from screentime.estimates import Round, ScreenTime, film_weights, screen_time
from screentime.files import new_file, sync_folder
from screentime.frames import FramePack
from screentime.labeller.book import Book, stamp_of
from screentime.labeller.journal import Journal
from screentime.labeller.sheet import UNKNOWN, letters
from screentime.labels import label_file, read_skips
from screentime.ledger import Draw, complete_rounds
from screentime.select import doubted_frames, first_frames
from screentime.shots import in_context, shot_starts
from screentime.stop_rule import after_another_round
from screentime.table_files import write_table
from screentime.tables import SKIP
from screentime.wording import clock

LOOKED = ("manual", "audit")
CLIP = 1e-4  # a score is never surer
PRESENT_FROM = 0.5  # score from which a character is proposed as present
DOUBT = 0.8  # an answer is doubted where a score that knew nothing of it differs by more


class Film:
    """One film: frames, label file, audit, shots, scores.

    Attributes:
        video_id: the film.
        frames: its sampled frames.
        features: (n_frames, n_features) float16, what a frozen backbone sees in each.
        weights_s: (n_frames,) float64, seconds of film each frame stands for; 0 in skipped ranges.
        shots: (n_shots,) int64, the first frame of every shot.
        drawn: (n_frames,) bool, frames that an audit drew.
        scores: (n_frames, n_characters) float32, of the light head; NaN where it cannot tell yet.
        held_out: the same for frames that trained, by a head that did not see their neighbourhood; NaN elsewhere.
        near: (n_frames, n_characters) float32, scores to measure with: of a frame that trained, by a head that did not see
            that very frame, so that it is like the scores of frames that did not train.
        of_round: per round of the audit the scores of a network that has learned what was labelled before it was drawn,
            (n_frames, n_characters) float32, NaN for characters that it could not learn.
        confirmed: per frame that had a second look the answers that were confirmed, one letter for each character.
    """

    def __init__(
        self,
        frames: FramePack,
        features: np.ndarray,
        labels: Path,
        cast: Sequence[str],
        journal: Journal,
        *,
        kept: Path,
        test: bool,
        count: int,
        seed: int,
    ) -> None:
        """Open a film.

        Args:
            frames: its sampled frames.
            features: (n_frames, n_features).
            labels: the folder data/labels.
            cast: the characters.
            journal: of the project.
            kept: the folder where the scores of rounds are kept.
            test: whether its labels only measure.
            count, seed: how many frames stand for the film at first, and the seed of their choice.
        """
        self.video_id, self.frames, self.features, self.cast = frames.video_id, frames, features, list(cast)
        self.test = test
        self._labels, self._kept = labels, kept
        self._beside, self._unreadable = {}, None
        self._read_beside()
        self.book = Book(label_file(labels, f"{self.video_id}.csv"), frames, cast, self.drawn, journal)
        self.shots = shot_starts(features, frames.times_s)
        free = (self.weights_s > 0) & ~self.drawn
        self.firsts = first_frames(features, self.shots, free, count, seed)  # as the stage suggest chooses
        self.wanted = len(self.firsts)
        self.scores = np.full((len(frames), len(self.cast)), np.nan, np.float32)
        self.held_out = self.scores.copy()
        self.near = self.scores.copy()
        self.confirmed: dict[int, str] = {}
        self._read_scores()

    @property
    def sheet(self):
        """What people said of it."""
        return self.book.sheet

    @property
    def trouble(self) -> str | None:
        """Which of its files cannot be read or written now and why, one sentence; None where all is well."""
        return self.book.trouble or self._unreadable

    def look(self) -> bool:
        """Read again what somebody changed outside: labels, audit record, skipped ranges; whether something is new."""
        changed = self.book.look()
        if self._beside == self._stamps():
            return changed
        try:
            self.read_beside()
            self._unreadable = None
        except InputError as error:
            self._unreadable = str(error)
        return True

    def read_beside(self) -> None:
        """Read the audit record and the skipped ranges anew."""
        self._read_beside()
        self.book.redrawn(self.drawn)

    def _read_beside(self) -> None:
        self._beside = self._stamps()
        record = read_record(self._path("audit"), self.frames)
        skips = read_skips(self._path("skip"), self.frames.facts["length_s"])
        self.record = record
        self.drawn = np.zeros(len(self.frames), bool)
        self.drawn[record["frame"].to_numpy(np.int64)] = True
        self.skips = list(zip(skips["start_s"], skips["end_s"], strict=True))
        self.weights_s = film_weights(self.frames.times_s, self.frames.durations_s, self.skips)

    def _stamps(self) -> dict[str, tuple | None]:
        return {kind: stamp_of(self._path(kind)) for kind in ("audit", "skip")}

    def _path(self, kind: str) -> Path:
        return label_file(self._labels, f"{self.video_id}.{kind}.csv")

    def set_skip(self, start_s: float, end_s: float, reason: str, *, out: bool) -> None:
        """Say that a stretch is not part of the film (out), or that it is after all."""
        path = self._path("skip")
        rows = read_skips(path, self.frames.facts["length_s"])[["start_s", "end_s", "reason"]]
        if out:
            rows.loc[len(rows)] = start_s, end_s, reason
        else:
            rows = rows[(rows["start_s"] != start_s) | (rows["end_s"] != end_s)]
        write_table(path, rows, SKIP)
        sync_folder(self._labels)
        self.read_beside()

    def _kept_path(self, number: int) -> Path:
        return self._kept / f"{self.video_id}.{number}.npz"

    def _kept_of_round(self, number: int) -> dict[str, np.ndarray]:
        """What was kept of a round, (n_frames, n_characters) each; nothing where the round is not the same any more."""
        drawn = np.sort(self.record.loc[self.record["round"] == number, "frame"].to_numpy(np.int64))
        try:
            with np.load(self._kept_path(number), allow_pickle=False) as kept:
                tables = {name: kept[name] for name in kept.files}
            cast, film = tables.pop("cast").tolist(), self.frames.facts["video_sha256"]
            same = np.array_equal(tables.pop("drawn"), drawn) and str(tables.pop("film", film)) == film
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return {}
        if not same or any(one.shape != (len(self.frames), len(cast)) for one in tables.values()):
            return {}
        unknown = np.full(len(self.frames), np.nan, np.float32)
        return {
            name: np.stack([one[:, cast.index(who)] if who in cast else unknown for who in self.cast], axis=1)
            for name, one in tables.items()
        }

    def keep_of_round(self, number: int, **tables: np.ndarray) -> None:
        """Keep for later sessions what was answered before a round was drawn, and the scores that a network made for it.

        Number 0 is what a network learned before there was a round: its scores make proposals and measure nothing.
        """
        tables = self._kept_of_round(number) | tables
        drawn = np.sort(self.record.loc[self.record["round"] == number, "frame"].to_numpy(np.int64))
        with new_file(self._kept_path(number)) as path, path.open("wb") as stream:
            np.savez(stream, film=self.frames.facts["video_sha256"], drawn=drawn, cast=np.array(self.cast), **tables)
        self._read_scores()

    def answered_before(self, number: int) -> np.ndarray | None:
        """(n_frames, n_characters) float32, what was answered before a round was drawn; None where that was not kept."""
        return self._answered.get(number)

    def _read_scores(self) -> None:
        kept = {number: self._kept_of_round(number) for number in range(self.rounds_drawn + 1)}
        self._answered = {number: tables["answered"] for number, tables in kept.items() if "answered" in tables}
        self.of_round = {number: kept[number]["scores"] for number in self._answered if "scores" in kept[number]}
        saw = {"across", "down"}
        self._saw = [np.stack([one["across"], one["down"]], axis=2) for one in kept.values() if saw <= one.keys()][-1:]

    @property
    def rounds_drawn(self) -> int:
        """How many rounds were drawn so far."""
        return int(self.record["round"].max()) if len(self.record) else 0

    @property
    def looked(self) -> np.ndarray:
        """(n_frames, n_characters) bool: a person looked at that very frame and answered, `?` included."""
        return np.isin(self.sheet.source, LOOKED) & (self.sheet.present != UNKNOWN)

    @property
    def told(self) -> np.ndarray:
        """(n_frames, n_characters) bool: a person answered that very frame, by looking or with the page it was shown on."""
        return np.isin(self.sheet.source, (*LOOKED, "accepted")) & (self.sheet.present != UNKNOWN)

    @property
    def labelled(self) -> np.ndarray:
        """(n_frames,) bool: frames, not drawn, that a person has answered by looking for every character."""
        return self.looked.all(axis=1) & ~self.drawn

    def take_scores(self, scores: np.ndarray) -> None:
        """Take the light head's scores to propose by; half of each is the network's word, where one has learned."""
        self.scores = scores
        if self.of_round:
            learned = self.of_round[max(self.of_round)]
            both = expit((_logit(scores) + _logit(learned)) / 2).astype(np.float32)
            self.scores = np.where(np.isnan(learned), scores, both)

    def seen(self) -> np.ndarray:
        """(n_frames, n_features) float32: what the light head is fitted on; made anew each time, as it is large."""
        return in_context(self.features, self.shots)

    def audit_order(self) -> list[int]:
        """The drawn frames in an order that tells nothing of time: round by round, the same every time."""
        order = []
        for number, rows in self.record.groupby("round"):
            frames = [int(frame) for frame in rows["frame"] if self.weights_s[frame] > 0]
            random.Random(f"{self.video_id} {number}").shuffle(frames)
            order += frames
        return order

    def waiting(self) -> list[int]:
        """Drawn frames that lack an answer for some character, in the order in which they are shown."""
        answered = self.looked.all(axis=1)
        return [frame for frame in self.audit_order() if not answered[frame]]

    def begun(self) -> int:
        """How many frames the round has that was drawn and is not complete; 0 where there is none."""
        waiting = self.waiting()
        return int((self.record["round"] == self.rounds_drawn).sum()) if waiting else 0

    def measured(self) -> np.ndarray:
        """(n_frames,) bool: drawn frames of rounds that are complete, which may be looked at again."""
        incomplete = self.record.loc[self.record["frame"].isin(self.waiting()), "round"]
        complete = np.zeros(len(self.frames), bool)
        complete[self.record.loc[~self.record["round"].isin(incomplete), "frame"].to_numpy(np.int64)] = True
        return complete & self.looked.all(axis=1)

    def unknowing(self) -> np.ndarray:
        """(n_frames, n_characters) float32: of each answer a score that knows nothing of it, NaN where there is none.

        It is the network's of the last round before which the frame had not been answered; of frames that trained no such
        network it is the held-out score of the light head, and its own of frames that an audit drew.
        """
        scores = np.where(self.drawn[:, None], self.near, self.held_out)
        for number, learned in sorted(self.of_round.items()):
            scores = np.where(np.isnan(self._answered[number]) & ~np.isnan(learned), learned, scores)
        return scores

    def doubted(self) -> list[int]:
        """Frames with an answer that looks like a slip and was not confirmed: of the audit first, as each stands for several."""
        answers = np.where((self.drawn & ~self.measured())[:, None], np.nan, self.sheet.numbers())
        frames = doubted_frames(answers, self.unknowing(), DOUBT).tolist()
        return sorted((one for one in frames if not self.is_confirmed(one)), key=lambda one: not self.drawn[one])

    def is_confirmed(self, frame: int) -> bool:
        """Whether its answers are those of a second look."""
        return self.confirmed.get(frame) == self.letters(frame)

    def letters(self, frame: int) -> str:
        """Its answers, one letter for each character; "." where there is none."""
        return letters(self.sheet.present[frame])

    def clock(self, frame: int) -> str:
        """A frame's time in the film, as m:ss."""
        return clock(float(self.frames.times_s[frame]))

    def frame_at(self, time_s: float) -> int:
        """The frame nearest to a time, seconds."""
        return int(np.argmin(np.abs(self.frames.times_s - time_s)))

    def free(self) -> np.ndarray:
        """(n_frames,) bool: frames that may be shown outside the audit and lack an answer for some character."""
        return ~self.drawn & (self.weights_s > 0) & (self.sheet.present == UNKNOWN).any(axis=1)

    def proposals(self) -> np.ndarray:
        """(n_frames, n_characters) of "1", "0" and "": what the head would say; never of a drawn frame."""
        proposed = np.where(np.isnan(self.scores), UNKNOWN, np.where(self.scores >= PRESENT_FROM, "1", "0"))
        proposed[self.drawn] = UNKNOWN
        return proposed

    def changing(self, frames: Sequence[int], proposals: np.ndarray | None = None) -> list[int]:
        """The characters that are not the same all through some frames, by what was said or else proposed.

        Args:
            frames: some frames.
            proposals: as `proposals` gave them; None: those of now.
        """
        proposed = self.proposals() if proposals is None else proposals
        said = self.sheet.present[frames]
        values = np.where(said == UNKNOWN, proposed[frames], said)
        return [place for place in range(len(self.cast)) if len(set(values[:, place]) - {UNKNOWN}) > 1]

    def places(self) -> np.ndarray:
        """(n_frames, n_characters, 2) float32: where the last network saw a character, shares of width and height, or NaN."""
        return self._saw[0] if self._saw else np.full((*self.scores.shape, 2), np.nan, np.float32)

    def shot_frames(self, frame: int) -> list[int]:
        """The frames of a frame's shot, without those that an audit drew."""
        first, last = self.shot_of(frame)
        return [one for one in range(first, last + 1) if not self.drawn[one]]

    def shot_of(self, frame: int) -> tuple[int, int]:
        """The first and the last frame of a frame's shot."""
        place = int(np.searchsorted(self.shots, frame, side="right"))
        last = int(self.shots[place]) - 1 if place < len(self.shots) else len(self.frames) - 1
        return int(self.shots[place - 1]), last

    def rounds(self) -> tuple[tuple[tuple[Round, ...], ...], tuple[str, ...]]:
        """Per character the audit rounds that are complete; sentences on the others."""
        looked = self.looked
        draws = [
            Draw(int(number), rows["frame"].to_numpy(np.int64), int(rows["n_population"].iloc[0]))
            for number, rows in self.record.groupby("round")
        ]
        free = looked.any(axis=1) & ~self.drawn
        instants = np.where(looked, self.sheet.at, "9999")
        first = [min(row.tolist()) if is_free else "" for row, is_free in zip(instants, free, strict=True)]
        told = looked & self.drawn[:, None]
        rounds, sentences = complete_rounds(self.video_id, draws, free, first, told, self.weights_s)
        own = tuple(tuple(self._with_own_scores(one, place) for one in of) for place, of in enumerate(rounds))
        return own, sentences

    def _with_own_scores(self, one: Round, place: int) -> Round:
        """A character's round with the scores that a network made for it, where it did."""
        number = int(self.record.loc[self.record["frame"] == int(np.argmax(one.drawn)), "round"].iloc[0])
        scores = self.of_round.get(number)
        if scores is None or np.isnan(scores[:, place]).any():
            return one
        return replace(one, scores=scores[:, place].astype(np.float64))

    def measured_scores(self) -> np.ndarray:
        """(n_frames, n_characters) float64: the one score of each cell that an estimate may use.

        Of a frame that trained, the score of a head that did not see it, but all others: so it is as good as the scores
        of the frames that the audit drew, which have labelled neighbours too. Where there is no head yet, the share of the
        labelled frames that hold the character: any number will do, as long as it does not depend on the audit.
        """
        numbers = np.where(self.drawn[:, None], np.nan, self.sheet.numbers())
        told = np.maximum((~np.isnan(numbers)).sum(axis=0), 1)
        return np.where(np.isnan(self.near), np.nansum(numbers, axis=0) / told, self.near.astype(np.float64))

    def answers(self) -> np.ndarray:
        """(n_frames, n_characters) float64: 1 or 0 where a person looked and could tell, else NaN.

        What an incomplete round of the audit was told so far is left out: nobody may watch the figure while it grows.
        """
        rounds, _ = self.rounds()
        counted = np.stack([np.any([~self.drawn, *(one.drawn for one in of)], axis=0) for of in rounds], axis=1)
        return np.where(self.looked & counted, self.sheet.numbers(), np.nan)

    def screen_times(self) -> list[ScreenTime]:
        """The screen time of every character as far as it is known."""
        scores, answers, looked, (rounds, _) = self.measured_scores(), self.answers(), self.looked, self.rounds()
        return [
            screen_time(self.weights_s, scores[:, place], answers[:, place], looked[:, place], rounds[place])
            for place in range(len(self.cast))
        ]

    def after_another_round(self, place: int, n: int) -> float:
        """How wide half of a character's interval is expected to be after a round of n frames more, seconds."""
        rounds, _ = self.rounds()
        looked_at = self.looked.any(axis=1)
        return after_another_round(
            self.weights_s, self.measured_scores()[:, place], self.answers()[:, place], looked_at, rounds[place], n
        )


def _logit(scores: np.ndarray) -> np.ndarray:
    return logit(np.clip(scores, CLIP, 1 - CLIP))
