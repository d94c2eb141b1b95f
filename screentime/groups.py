"""Groups of characters (`report.groups` in params.yaml), checked at the door."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from screentime.errors import InputError, did_you_mean
from screentime.param_checks import check_name
from screentime.param_file import shown


def check_groups(path: Path, groups: object, cast: Sequence[str]) -> None:
    """Refuse groups that are none, names that may not be one, and members that are not in the cast.

    Args:
        path: the file they were read from, as the sentence names it.
        groups: the value of the key `groups` of the section `report`.
        cast: the characters.

    Raises:
        InputError: what was found, what was expected, the repair.
    """
    place = f"{path}: report: groups"
    if not isinstance(groups, dict):
        raise InputError(
            f"{place}: {shown(groups)} was found, names of groups with lists of characters were expected; write "
            "{} where there are none"
        )
    seen: dict[str, str] = {}
    for name, members in groups.items():
        check_name(place, name, "group")
        if name.casefold() in (character.casefold() for character in cast):
            raise InputError(f"{place}: '{name}' is the name of a character; call the group otherwise")
        if name.casefold() in seen:
            raise InputError(f"{place}: '{seen[name.casefold()]}' and '{name}' are one name; remove or rename one")
        seen[name.casefold()] = name
        if not isinstance(members, list) or not members:
            raise InputError(
                f"{place}: {name}: {shown(members)} was found, a list of characters was expected; name at least one"
            )
        for member in members:
            if member not in cast:
                raise InputError(
                    f"{place}: {name}: {shown(member)} is not in the cast; {did_you_mean(str(member), cast)}"
                )
            if members.count(member) > 1:
                raise InputError(f"{place}: {name}: '{member}' stands there twice, once was expected; remove one")


def within(groups: Mapping[str, Sequence[str]], cast: Sequence[str]) -> dict[str, list[str]]:
    """The groups of which every member is in a cast, that of a model for instance.

    >>> within({"cats": ["tom"], "all": ["tom", "spike"]}, ["tom", "jerry"])
    {'cats': ['tom']}
    """
    return {name: list(members) for name, members in groups.items() if set(members) <= set(cast)}
