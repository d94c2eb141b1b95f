"""What the data card is made from: what lies in a project's folder."""

from pathlib import Path

import pandas
import yaml

from screentime.audit import read_record
from screentime.files import read_json
from screentime.labels import label_file, read_labels, second_opinions
from screentime.params import load
from screentime.project.declarations import STILLS
from screentime.sections import Video
from screentime.stills import read_stills, stills_line
from screentime.table_files import read_table
from screentime.tables import AUDIT, TARGETS


class CardFacts:
    """What lies in a project's folder, read once.

    Attributes:
        folder: the project's top folder.
        params: its params.yaml.
        sampled, labelled, estimated, evaluated: what the stages of these names wrote into metrics/; {} where they did not run.
        model: the facts of the trained model; None where there is none.
        labels: the folder of label files.
        others: files of second persons.
        rows: of each film what people wrote, row by row.
        cells: of each film what that says of its sampled frames: one row per frame, character and source.
        rounds: of each film its audit record.

    Raises:
        InputError: params.yaml, a label file or an audit record is not as it should be.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.params = load(folder / "params.yaml")
        self.sampled = self._metrics("sample").get("videos", {})
        self.labelled = self._metrics("label").get("videos", {})
        self.estimated = self._metrics("estimate")
        self.evaluated = self._metrics("evaluate")
        card = folder / "models" / "trained" / "model.json"
        self.model = read_json(card) if card.is_file() else None
        self.labels = folder / "data" / "labels"
        self.others = second_opinions(self.labels, [video.video_id for video in self.params.videos])
        self.rows = {video.video_id: self._rows(video) for video in self.shown}
        self.cells = {video.video_id: self._cells(video) for video in self.shown}
        self.rounds = {
            video.video_id: read_record(label_file(self.labels, f"{video.video_id}.audit.csv"), None)
            for video in self.shown
        }

    @property
    def stills(self) -> str:
        """The sets of stills in one line, "" where there are none. Without their tables they are only named."""
        names = self.params.stills
        places = [self.folder / STILLS / name for name in names]
        if not all(place.is_dir() for place in places):
            return f"stills of no film, not in this folder: {', '.join(names)}"
        line = stills_line([read_stills(place, self.cast) for place in places]) if names else ""
        return line[:1].upper() + line[1:]

    @property
    def shown(self) -> tuple[Video, ...]:
        """The films that are not left out."""
        return self.params.shown_videos

    @property
    def cast(self) -> tuple[str, ...]:
        """The characters."""
        return self.params.cast

    def film_size(self, video: Video) -> int | None:
        """The film's size in bytes, as pinned, else as it lies here; of a private one it is not told."""
        if video.private:  # the card must not change with who has the film
            return None
        path = f"data/videos/{video.file}"
        lock = self.folder / "dvc.lock"
        stages = yaml.safe_load(lock.read_text(encoding="utf-8")).get("stages", {}) if lock.is_file() else {}
        for dep in stages.get("sample", {}).get("deps", []):
            if dep["path"] == path:
                return dep["size"]
        return (self.folder / path).stat().st_size if (self.folder / path).is_file() else None

    def is_demo(self, video: Video) -> bool:
        """Whether it is the demo film, by its hash."""
        demo = self.params.demo
        return demo is not None and self.sampled.get(video.video_id, {}).get("video_sha256") == demo.video_sha256

    def licence(self, video: Video) -> str | None:
        """What the parameters say of the film's licence."""
        return video.licence or (self.params.demo.licence if self.is_demo(video) else None)

    def credit(self, video: Video) -> str | None:
        """Whom to name with it."""
        return video.credit or (self.params.demo.credit if self.is_demo(video) else None)

    def _metrics(self, name: str) -> dict:
        path = self.folder / "metrics" / f"{name}.json"
        return read_json(path) if path.is_file() else {}

    def _rows(self, video: Video) -> pandas.DataFrame:
        path = label_file(self.labels, f"{video.video_id}.csv")
        if not path.is_file():
            return pandas.DataFrame({"annotator": [], "at": [], "source": []})
        return read_labels(path, self.cast, None)

    def _cells(self, video: Video) -> pandas.DataFrame:
        tables = []
        for name, table in (("targets", TARGETS), ("audit", AUDIT)):
            path = self.folder / "data" / name / f"{video.video_id}.csv"
            if path.is_file():
                tables.append(read_table(path, table)[["time_s", "character", "present", "source"]])
        cells = pandas.concat(tables) if tables else pandas.DataFrame({"source": [], "present": [], "character": []})
        return cells[(cells["source"] != "drawn") & (cells["present"] != "")]
