"""What the report knows about one film: its facts, its tables, and what they say about what is not in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas

from screentime.estimates import film_weights
from screentime.files import number
from screentime.wording import clock, count_text


@dataclass(frozen=True)
class ReportedVideo:
    """Everything the page tells about one video.

    Attributes:
        video_id: the video.
        facts: what sampling found out about it (docs/formats.md, data/frames/<video_id>.json).
        timeline, appearances, targets, audit, skipped: its tables (docs/formats.md).
        address: where the page finds the film, as the page writes it (`film_address`).
    """

    video_id: str
    facts: Mapping
    timeline: pandas.DataFrame
    appearances: pandas.DataFrame
    targets: pandas.DataFrame
    audit: pandas.DataFrame
    skipped: pandas.DataFrame
    address: str

    def looked_times(self, source: str) -> np.ndarray:
        """Times of the frames where a person answered with this source, seconds, increasing, each once."""
        tables = (self.targets, self.audit)
        answered = [table[(table["source"] == source) & (table["present"] != "")] for table in tables]
        return np.unique(np.concatenate([table["time_s"].to_numpy(dtype=float) for table in answered]))

    @property
    def weights_s(self) -> np.ndarray:
        """(n_frames,) float64, the seconds each sampled frame counts: its duration without the ranges left out."""
        ranges = list(zip(self.skipped["start_s"], self.skipped["end_s"], strict=True))
        times_s, durations_s = (self.timeline[name].to_numpy() for name in ("time_s", "duration_s"))
        return film_weights(times_s, durations_s, ranges)

    @property
    def showable(self) -> np.ndarray:
        """(n_frames,) bool: the frames that may be shown with their score: in the film, and not still to be audited.

        Whoever is to label a drawn frame must not have seen the model's guess.
        """
        unanswered = self.audit[(self.audit["source"] == "audit") & (self.audit["present"] == "")]
        waiting = np.isin(self.timeline["time_s"].to_numpy(), unanswered["time_s"].to_numpy(dtype=float))
        return (self.weights_s > 0) & ~waiting

    @property
    def no_losses(self) -> str:
        """What to say where there are no `losses`: packets that were not decoded may hide some."""
        if self.facts["every_frame"]:
            return "Nothing: every packet was read."
        return "Nothing that a sampled frame needs; other packets were not decoded."

    def losses(self) -> list[str]:
        """What could not be read or is not counted, one sentence each."""
        facts = self.facts
        said = []
        if facts["missing_s"] > 0:
            claimed, missing = clock(facts["claimed_s"]), number(facts["missing_s"], 1)
            said.append(f"The file claims {claimed}; its last {missing} s could not be read and are in no figure.")
        if facts["bad_packets"]:
            packets = count_text(facts["bad_packets"], "packet", "packets")
            said.append(f"{packets} could not be decoded; the picture before each hole was held.")
        if facts["repaired_timestamps"]:
            stamps = count_text(facts["repaired_timestamps"], "timestamp was", "timestamps were")
            said.append(f"{stamps} missing or out of order and worked out from the neighbours.")
        left_out = self.weights_s == 0
        if left_out.any():
            seconds = self.timeline["duration_s"].sum() - self.weights_s.sum()
            frames = count_text(int(left_out.sum()), "frame", "frames")
            said.append(f"{clock(seconds)} ({frames}) is marked as not part of the film and left out of every total.")
        return said
