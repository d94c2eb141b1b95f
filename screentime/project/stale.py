"""What `dvc repro` would run, and why: DVC's own answer, told in the project's words."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from screentime.project.declarations import VIDEOS
from screentime.project.tools import dvc

PARAMS = "params.yaml"


@dataclass(frozen=True)
class Stale:
    """A stage that would run.

    Attributes:
        stage: its name.
        reasons: why, in plain words, the most telling first.
        follows: True where nothing of its own changed: it runs if the stages before it give other results.
        params: what changed in its parameters: dotted name to (value of the last run, value now); None where absent.
    """

    stage: str
    reasons: tuple[str, ...]
    follows: bool
    params: dict[str, tuple[object, object]]


def stale_stages(folder: Path) -> list[Stale]:
    """The stages that `dvc repro` would run in a project now, in the order of dvc.yaml.

    Raises:
        InputError: DVC cannot tell, with its own words.
    """
    answer = json.loads(dvc(folder, "status", "--json") or "{}")
    stages = yaml.safe_load((folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    lock_path = folder / "dvc.lock"
    lock = yaml.safe_load(lock_path.read_text(encoding="utf-8"))["stages"] if lock_path.is_file() else {}
    params = yaml.safe_load((folder / PARAMS).read_text(encoding="utf-8"))
    makers = {out: name for name, stage in stages.items() for out in _outs(stage)}
    found: dict[str, Stale] = {}
    for name, stage in stages.items():
        before = [makers[dep] for dep in stage.get("deps", []) if makers.get(dep) in found]
        if name in answer:
            found[name] = _told(name, answer[name], lock.get(name), params, makers, before)
        elif before:
            found[name] = Stale(name, (_after(before),), True, {})
    return list(found.values())


def _told(
    name: str,
    changes: Sequence[Mapping | str],
    locked: Mapping | None,
    params: Mapping,
    makers: Mapping[str, str],
    before: Sequence[str],
) -> Stale:
    if locked is None:
        return Stale(name, ("has not run yet",), False, {})
    deps = {
        place: what for change in changes if isinstance(change, dict) for place, what in _of(change, "changed deps")
    }
    outs = {
        place: what for change in changes if isinstance(change, dict) for place, what in _of(change, "changed outs")
    }
    changed = {}
    for section in deps.pop(PARAMS, {}):
        old = locked.get("params", {}).get(PARAMS, {}).get(section)
        changed |= dict(_differences(section, old, params.get(section)))
    reasons = [_param_text(key, old, new) for key, (old, new) in changed.items()]
    own = [place for place in deps if place not in makers]
    code = [place for place in own if place.startswith(("screentime/", "stages/"))]
    reasons += [f"film {place.removeprefix(VIDEOS)} {deps[place]}" for place in own if place.startswith(VIDEOS)]
    reasons += [f"{place} {deps[place]}" for place in own if place not in code and not place.startswith(VIDEOS)]
    if code:
        reasons.append(f"the program's code changed ({', '.join(code[:2])}{', ...' if len(code) > 2 else ''})")
    if any("changed command" in str(change) for change in changes):
        reasons.append("its command changed")
    gone = [place for place, what in outs.items() if what in ("deleted", "not in cache")]
    if gone and not reasons:
        reasons.append(f"{', '.join(gone)} is not here (`dvc pull` may bring it)")
    spoilt = [place for place in outs if place not in gone]
    if spoilt and not reasons:
        reasons.append(f"{', '.join(spoilt)} was changed by hand")
    if not reasons:
        return Stale(name, (_after(before),), True, {})
    return Stale(name, tuple(reasons), False, changed)


def _of(change: Mapping, kind: str) -> Iterator[tuple[str, object]]:
    found = change.get(kind, {})
    yield from found.items() if isinstance(found, dict) else ()


def _outs(stage: Mapping) -> Iterator[str]:
    for kind in ("outs", "metrics", "plots"):
        for out in stage.get(kind, []):
            yield out if isinstance(out, str) else next(iter(out))


def _after(before: Sequence[str]) -> str:
    return f"if {' or '.join(before[-2:])} gives another result" if before else "its inputs changed"


def _differences(name: str, old: object, new: object) -> Iterator[tuple[str, tuple[object, object]]]:
    """The leaves in which two sections differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _differences(f"{name}.{key}", old.get(key), new.get(key))
    elif old != new:
        yield name, (old, new)


def _param_text(name: str, old: object, new: object) -> str:
    """A changed parameter in words; lists by what came and went.

    >>> _param_text("sample.fps", 1, 2), _param_text("cast", ["a", "b"], ["b", "c"])
    ('sample.fps is 2, was 1', 'cast: c added, a removed')
    """
    if isinstance(old, list) and isinstance(new, list):
        names = [[str(item["file"]) if isinstance(item, dict) else str(item) for item in items] for items in (old, new)]
        added = [item for item in names[1] if item not in names[0]]
        removed = [item for item in names[0] if item not in names[1]]
        parts = [f"{_few(items)} {word}" for items, word in ((added, "added"), (removed, "removed")) if items]
        return f"{name}: {', '.join(parts) or 'said otherwise'}"
    return f"{name} is {_plain(new)}, was {_plain(old)}"


def _few(items: Sequence[str]) -> str:
    return ", ".join(items) if len(items) <= 3 else f"{items[0]} and {len(items) - 1} more"


def _plain(value: object) -> str:
    return "absent" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
