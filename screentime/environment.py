"""Is this the right Python, and are the packages there? Asked before anything else is imported (standard library only)."""

import sys
from importlib.util import find_spec

PYTHONS = ((3, 11), (3, 13))
NEEDED = ("av", "cv2", "numpy", "pandas", "pydantic", "tqdm", "yaml")


def require() -> None:
    """Leave with one sentence where the environment cannot run the project."""
    sentence = problem(sys.version_info[:2], [name for name in NEEDED if find_spec(name) is None])
    if sentence:
        print(sentence, file=sys.stderr)
        sys.exit(1)


def problem(python: tuple[int, int], missing: list[str]) -> str | None:
    """What is wrong with an environment, as one sentence; None where nothing is.

    >>> problem((3, 12), [])
    >>> problem((3, 9), [])
    'python: version 3.9 was found, 3.11 to 3.13 is expected; make the environment with one of those (`make` does)'
    """
    if not PYTHONS[0] <= python <= PYTHONS[1]:
        return (
            f"python: version {python[0]}.{python[1]} was found, 3.11 to 3.13 is expected; make the environment with one "
            "of those (`make` does)"
        )
    if missing:
        return (
            f"python: {sys.executable} lacks {', '.join(missing)}, the project's environment was expected; activate it "
            "with `. .venv/bin/activate`, or run `make`, which builds it"
        )
    return None


def mismatches(requirements: str) -> list[str]:
    """The pinned packages that this Python has not, or has in another version.

    Args:
        requirements: text of requirements.txt; lines with a marker (other systems) are passed over.
    """
    from importlib.metadata import PackageNotFoundError, version

    wrong = []
    for line in requirements.splitlines():
        pin = line.partition("#")[0].strip()
        if "==" not in pin or ";" in pin:
            continue
        name, _, wanted = pin.partition("==")
        try:
            found = version(name.strip())
        except PackageNotFoundError:
            found = None
        if found != wanted.strip():
            wrong.append(name.strip())
    return wrong


if __name__ == "__main__":  # `python -m screentime.environment requirements.txt`: does it match?
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.exit(1 if problem(sys.version_info[:2], []) or mismatches(file.read()) else 0)
