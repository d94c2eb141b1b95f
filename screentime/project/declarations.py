"""What a project declares in params.yaml and dvc.yaml: its films, its cast and its sets of stills, changed in place.

A person may write all of this by hand; these changes are the same, made without a slip.
"""

from collections.abc import Sequence
from pathlib import Path

from screentime.errors import InputError
from screentime.files import write_text
from screentime.param_checks import check_videos
from screentime.param_file import read_yaml
from screentime.project.yaml_lines import YamlLines

VIDEOS = "data/videos/"
SAMPLE_DEPS = ("stages", "sample", "deps")
STILLS = "data/stills/"
STILLS_DEPS = ("stages", "preprocess", "deps")
TRAIN_DEPS = ("stages", "train", "deps")
FIRST_WEIGHTS = ("train", "fine_tune", "weights")


class Declarations:
    """The two files of one project, read once, changed in memory, written together.

    Raises:
        InputError: one of them is missing or not YAML, or its list of videos is not one.
    """

    def __init__(self, folder: Path) -> None:
        self._paths = (folder / "params.yaml", folder / "dvc.yaml")
        self.params, self.pipeline = (_parsed(path) for path in self._paths)
        check_videos(Path("params.yaml"), self.params.value().get("videos"))

    @property
    def files(self) -> list[str]:
        """The films as params.yaml names them, in order, below data/videos."""
        return [entry["file"] for entry in self.entries]

    @property
    def entries(self) -> list[dict]:
        """What params.yaml says of each film, in order: a mapping with at least `file`."""
        listed = [entry if isinstance(entry, dict) else {"file": entry} for entry in self.params.value()["videos"]]
        return [{**entry, "file": str(entry["file"]).removeprefix(VIDEOS)} for entry in listed]

    @property
    def cast(self) -> list[str]:
        """The characters, in order."""
        return list(self.params.value().get("cast") or [])

    @property
    def groups(self) -> dict[str, list[str]]:
        """The groups of characters with their members."""
        return (self.params.value().get("report") or {}).get("groups") or {}

    @property
    def sets(self) -> list[str]:
        """The sets of stills."""
        return list(self.params.value().get("stills") or [])

    def add_video(self, entry: dict, *, declared: bool) -> None:
        """Name a film at the end of the list.

        Args:
            entry: `file`, below data/videos, and what else is known of it.
            declared: whether DVC watches the file, as a dep of the stage sample.
        """
        self.params.append(("videos",), entry if len(entry) > 1 else entry["file"])
        if declared:
            films = [place for place, dep in enumerate(self._deps()) if dep.startswith(VIDEOS)]
            self.pipeline.insert(SAMPLE_DEPS, films[-1] + 1 if films else 0, VIDEOS + entry["file"])

    def remove_video(self, file: str) -> None:
        """Name a film no longer."""
        self.params.remove_item(("videos",), self.files.index(file))
        if VIDEOS + file in self._deps():
            self.pipeline.remove_item(SAMPLE_DEPS, self._deps().index(VIDEOS + file))

    def change_video(self, file: str, **facts: object) -> None:
        """Change what is said of a film; a fact that is None is taken away."""
        place = self.files.index(file)
        entry = {name: value for name, value in (self.entries[place] | facts).items() if value is not None}
        self.params.set_item(("videos",), place, entry if len(entry) > 1 else file)

    def add_character(self, name: str) -> None:
        """Name a character at the end of the cast."""
        self.params.append(("cast",), name)

    def insert_character(self, place: int, name: str) -> None:
        """Name a character before the one that is at `place` now."""
        self.params.insert(("cast",), place, name)

    def remove_character(self, name: str) -> None:
        """Name a character no longer."""
        self.params.remove_item(("cast",), self.cast.index(name))

    def rename_character(self, old: str, new: str) -> None:
        """Call a character otherwise."""
        self.params.set_item(("cast",), self.cast.index(old), new)

    def change_groups(self, name: str, others: Sequence[str]) -> None:
        """Put other characters, or none, in the place of one in every group; a group without members goes."""
        groups = self.groups
        if not any(name in members for members in groups.values()):
            return
        changed = {
            group: [one for member in members for one in (others if member == name else [member])]
            for group, members in groups.items()
        }
        self.params.set_value(("report", "groups"), {group: members for group, members in changed.items() if members})

    def add_stills(self, name: str) -> None:
        """Name a set of stills at the end of the list, and among what the stage preprocess depends on."""
        if "stills" not in self.params.value():
            self.params.text = f"{self.params.text.rstrip()}\n\nstills: []\n"
        self.params.append(("stills",), name)
        stage = self.pipeline.value()["stages"]["preprocess"]
        if "stills" not in stage["params"]:  # DVC refuses a parameter that is not there
            self.pipeline.append(("stages", "preprocess", "params"), "stills")
        data = [place for place, dep in enumerate(stage["deps"]) if dep.startswith("data/")]
        self.pipeline.insert(STILLS_DEPS, data[-1] + 1 if data else 0, STILLS + name)

    def remove_stills(self, name: str) -> None:
        """Name a set of stills no longer."""
        self.params.remove_item(("stills",), self.sets.index(name))
        deps = self.pipeline.value()["stages"]["preprocess"]["deps"]
        if STILLS + name in deps:
            self.pipeline.remove_item(STILLS_DEPS, deps.index(STILLS + name))

    def begin_with(self, model: str) -> None:
        """Let fine-tuning begin with the model in a folder, and DVC see it change."""
        self.params.set_value(FIRST_WEIGHTS, model)
        deps = self.pipeline.value()["stages"]["train"]["deps"]
        if model not in deps:
            self.pipeline.insert(TRAIN_DEPS, 1 if deps[0].startswith("data/") else 0, model)

    def write(self) -> None:
        """Write both files, each whole."""
        check_videos(Path("params.yaml"), self.params.value()["videos"])
        for path, lines in zip(self._paths, (self.params, self.pipeline), strict=True):
            if path.read_text(encoding="utf-8") != lines.text:
                write_text(path, lines.text)

    def _deps(self) -> Sequence[str]:
        return self.pipeline.value()["stages"]["sample"]["deps"]


def _parsed(path: Path) -> YamlLines:
    lines = read_yaml(path, "a file of every project was", YamlLines, Path(path.name))
    if not isinstance(lines.value(), dict):
        raise InputError(f"{path.name}: no keys were found, sections with keys were expected; correct the file")
    return lines
