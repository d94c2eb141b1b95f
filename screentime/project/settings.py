"""Values of the parameters, changed in place by their dotted keys: comments, order and everything else stay."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from screentime.files import write_text
from screentime.param_file import read_sections, read_yaml
from screentime.project.yaml_lines import YamlLines

CLIP_DEPS = ("stages", "clip_embed", "deps")


@dataclass(frozen=True)
class Change:
    """One value: its dotted key, what it was, what it is now."""

    key: str
    was: object
    now: object


def changes_of(path: Path, values: Mapping[str, object]) -> list[Change]:
    """What would change in a file of parameters that has every one of these keys, in the order of the keys in that file."""
    there = dict(_leaves(read_sections(path)))
    return [Change(key, there[key], values[key]) for key in there if key in values and there[key] != values[key]]


def change(path: Path, changes: list[Change]) -> None:
    """Write the changed values into a file of parameters, whole or not at all."""
    lines = YamlLines(path.read_text(encoding="utf-8"))
    for one in changes:
        lines.set_value(tuple(one.key.split(".")), one.now)
    write_text(path, lines.text)


def declare_network(folder: Path, network: str | None) -> None:
    """Let the deps of the stage clip_embed name this network of one's own and no other, so that DVC sees it change.

    Args:
        folder: the project's top folder.
        network: a LiteRT file, seen from there; None: the backbone's own place is not taken.

    Raises:
        InputError: clips/dvc.yaml is missing or not YAML.
    """
    name = Path("clips/dvc.yaml")
    lines = read_yaml(folder / name, "the clips' pipeline was", YamlLines, name)
    text = lines.text
    for dep in [dep for dep in _clip_deps(lines) if dep.endswith(".tflite")]:
        lines.remove_item(CLIP_DEPS, _clip_deps(lines).index(dep))
    if network is not None:
        code = next(place for place, dep in enumerate(_clip_deps(lines)) if dep.endswith(".py"))
        lines.insert(CLIP_DEPS, code, Path(os.path.relpath(network, "clips")).as_posix())
    if lines.text != text:
        write_text(folder / name, lines.text)


def _clip_deps(lines: YamlLines) -> list[str]:
    return lines.value()["stages"]["clip_embed"]["deps"]


def _leaves(section: Mapping[str, object], above: str = "") -> list[tuple[str, object]]:
    """Every value with its dotted key."""
    return [
        leaf
        for key, value in section.items()
        for leaf in (_leaves(value, f"{above}{key}.") if isinstance(value, dict) else [(f"{above}{key}", value)])
    ]
