"""A file of parameters: read, held against its model, and what is wrong with it as a sentence."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from screentime.errors import InputError, did_you_mean, nearest
from screentime.section import Section

Kind = TypeVar("Kind", bound=Section)
Parsed = TypeVar("Parsed")


def read_yaml(path: Path, expected: str, parse: Callable[[str], Parsed], name: Path | None = None) -> Parsed:
    """A YAML file of the project, as `parse` makes it of its text.

    Args:
        path: the file.
        expected: what it is, "the parameters were" for instance.
        parse: raises yaml.YAMLError where the text is not YAML.
        name: the file as the sentence names it, where not by its path.

    Raises:
        InputError: not there, or not YAML.
    """
    name = name or path
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{name}: no such file was found, {expected} expected; run this in the project's top folder, or bring the file "
            f"back with `git checkout {name.name if name.is_absolute() else name}`"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _not_yaml(name, error) from None


def read_sections(path: Path) -> dict:
    """The sections of a file of parameters, unchecked.

    Raises:
        InputError: not there, not YAML, or no sections.
    """
    loaded = read_yaml(path, "the parameters were", yaml.safe_load)
    if not isinstance(loaded, dict):
        found = {list: "a list", type(None): "nothing"}.get(type(loaded), f"'{loaded}'")
        raise InputError(f"{path}: {found} was found, sections with keys were expected; correct the file")
    return loaded


def checked(path: Path, sections: dict, kind: type[Kind]) -> Kind:
    """The sections of a file as their model.

    Raises:
        InputError: a key that is unknown, missing, of a wrong type or out of range.
    """
    try:
        return kind.model_validate(sections)
    except ValidationError as error:
        findings = sorted(error.errors(), key=lambda finding: finding["type"] != "extra_forbidden")
        raise InputError(_sentence(path, findings[0], kind)) from None


def shown(value: object) -> str:
    """A value as sentences show it."""
    return "nothing" if value is None else f"'{value}'" if isinstance(value, str) else f"{value}"


def _not_yaml(path: Path, error: yaml.YAMLError | UnicodeDecodeError) -> InputError:
    """The sentence about a file that is no YAML, with the line where the parser says which."""
    where = getattr(error, "problem_mark", None)
    line = f"line {where.line + 1}: " if where else ""
    problem = getattr(error, "problem", None) or "not UTF-8 text"
    return InputError(f"{path}: {line}{problem}, YAML was expected; correct the file")


def _sentence(path: Path, error: dict, kind: type[Section]) -> str:
    """One of pydantic's findings as our sentence."""
    # what is not a key, like the place in a list, is left out; the last part is the key itself, known or not
    keys = _all_keys(kind)
    sections, key = [part for part in error["loc"][:-1] if part in keys], error["loc"][-1]
    if isinstance(key, int):
        key = f"{sections.pop()} {key + 1}"
    place = ": ".join([str(path), *sections])
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key '{key}'; {did_you_mean(str(key), _known_keys(sections, kind))}"
    if error["type"] == "missing":
        return f"{place}: '{key}' is missing; add it, {path.name} of a fresh clone explains it"
    named = re.findall(r"'(.+?)'", _expected(error)) if error["type"] == "literal_error" else []
    near = nearest(str(error["input"]), named)
    repair = f"did you mean '{near}'?" if near else "correct it"
    return f"{place}: {key} is {shown(error['input'])}, expected is {_expected(error)}; {repair}"


def _expected(error: dict) -> str:
    """What a value should have been, in plain words."""
    limits = error.get("ctx", {})
    match error["type"]:
        case "greater_than":
            return f"above {limits['gt']:g}"
        case "greater_than_equal":
            return f"at least {limits['ge']:g}"
        case "less_than":
            return f"below {limits['lt']:g}"
        case "less_than_equal":
            return f"at most {limits['le']:g}"
        case "value_error":
            return str(limits["error"])
        case "literal_error":
            return limits["expected"]
        case "string_type":
            return "a text"
        case "bool_type":
            return "true or false"
        case "int_type":
            return "a whole number"
        case "float_type":
            return "a number"
        case "finite_number":
            return "a finite number"
        case "list_type" | "tuple_type":
            return "a list"
        case "model_type" | "model_attributes_type":
            return "keys with values"
        case "too_short" | "string_too_short":
            return "at least one"
        case _:
            return f"another one ({error['msg']})"


def _models(model: type[Section]) -> dict[str, type[Section]]:
    """The sections that a section's keys hold."""
    kinds = {
        name: [field.annotation, *getattr(field.annotation, "__args__", ())]
        for name, field in model.model_fields.items()
    }
    return {
        name: kind
        for name, candidates in kinds.items()
        for kind in candidates
        if isinstance(kind, type) and issubclass(kind, Section)
    }


def _all_keys(model: type[Section]) -> set[str]:
    return set(model.model_fields).union(*(_all_keys(inner) for inner in _models(model).values()))


def _known_keys(sections: list[str], kind: type[Section]) -> list[str]:
    for section in sections:
        kind = _models(kind)[section]
    return list(kind.model_fields)
