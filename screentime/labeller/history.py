"""What was done at the labeller, in this session and before it, as the journal tells it."""

from collections import Counter
from collections.abc import Mapping

from screentime.labeller.errors import Refused
from screentime.labeller.film import Film
from screentime.labeller.journal import Journal


class History:
    """The journal of a project and what follows from it: what can be taken back, how long people worked, what they picked.

    An entry that a request made holds its operation `op`, the sentence `said` and the `parts` of the films that it changed.

    Attributes:
        active_s: seconds that people were busy.
        looked_again: per film the frames that had a second look since its last round was drawn.
        portraits: per character its picture that was picked: the film and the time in it, seconds.
    """

    def __init__(self, journal: Journal, films: Mapping[str, Film]) -> None:
        """Remember what a journal holds; the films are told which of their frames had a second look."""
        self._journal, self._films = journal, films
        self.active_s = 0.0
        self.looked_again: Counter[str] = Counter()
        self.portraits: dict[str, tuple[str, float]] = {}
        self._begun_at: dict[int, float] = {}  # active seconds when the first film drew its round of that number
        self._by_operation: dict[str, dict] = {}
        self._done: list[dict] = []
        self._undone: list[dict] = []
        for entry in journal.entries:
            self._remember(entry)

    def keep(self, entry: dict) -> None:
        """Add an entry to the journal, and remember it.

        Raises:
            Refused: there is no room on the disk; nothing was added.
        """
        try:
            self._journal.append(entry)
        except OSError as error:
            raise Refused(f"not saved: {(error.strerror or str(error)).lower()}; make room on the disk") from None
        self._remember(entry)

    def notice_rounds(self) -> None:
        """Keep in the journal what was drawn while the labeller was not open: undo does not reach behind a draw.

        Raises:
            Refused: there is no room on the disk.
        """
        for film in self._films.values():
            known = max(
                (e["round"] for e in self._journal.entries if e["kind"] == "drew" and e["of"] == film.video_id),
                default=0,
            )
            if film.rounds_drawn > known:
                self.keep({"kind": "drew", "of": film.video_id, "round": film.rounds_drawn, "parts": []})

    def of_operation(self, operation: str) -> dict | None:
        """The entry of an operation; None where it was not done yet."""
        return self._by_operation.get(operation)

    def last(self, kind: str) -> dict | None:
        """The entry that is taken back next (kind: undid), or done again next (kind: redid); None where nothing is left."""
        return next(reversed(self._stack(kind)), None)

    def pass_over(self, kind: str) -> None:
        """Let the last entry of a kind stay as it is for good."""
        self._stack(kind).pop()

    def drawn_since(self, entry: dict, video: str) -> bool:
        """Whether a round of a film was drawn after an entry."""
        return any(one["kind"] == "drew" and one["of"] == video for one in self._journal.entries[entry["n"] :])

    def begun_at(self, number: int) -> float:
        """The active seconds when the first film drew its round of that number; those of now where none did."""
        return self._begun_at.get(number, self.active_s)

    def _stack(self, kind: str) -> list[dict]:
        return self._done if kind == "undid" else self._undone

    def _remember(self, entry: dict) -> None:
        self.active_s += entry.get("active_s", 0.0)
        if entry["kind"] == "drew":
            self.looked_again[entry["of"]] = 0
            self._begun_at.setdefault(entry["round"], self.active_s)
        for video, time_s, values in entry.get("confirmed", ()):
            film = self._films.get(video)
            if film is not None:
                film.confirmed[film.frame_at(time_s)] = values
                self.looked_again[video] += 1
        if entry["kind"] == "portrait":
            self.portraits[entry["character"]] = entry["of"], entry["time_s"]
        if "op" in entry:
            self._by_operation[entry["op"]] = entry
        if (entry["kind"] == "did" and entry["parts"]) or "skip" in entry:
            self._done.append(entry)
            self._undone.clear()
        elif entry["kind"] in ("undid", "redid"):
            taken, given = (self._done, self._undone) if entry["kind"] == "undid" else (self._undone, self._done)
            place = next((i for i, one in enumerate(taken) if one["n"] == entry["of"]), None)
            if place is not None:
                given.append(taken.pop(place))
