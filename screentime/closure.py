"""Which source files a module is made of: DVC does not follow imports, so we do."""

import ast
import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("screentime", "stages")


@cache
def import_closure(module: str) -> tuple[Path, ...]:
    """Every source file of this project that a module needs, itself included, packages' `__init__.py` too.

    Read from the source by its syntax tree: nothing is imported, and an import inside a function counts.

    Args:
        module: dotted name, e.g. "stages.sample".

    Returns:
        Paths relative to the project's root, sorted.
    """
    found: set[Path] = set()
    open_modules = [module]
    while open_modules:
        name = open_modules.pop()
        file = _source(name)
        if file is None or file in found:
            continue
        found.add(file)
        if "." in name:
            open_modules.append(name.rpartition(".")[0])
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                open_modules += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                open_modules.append(node.module)
                open_modules += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(sorted(found))


def closure_hash(module: str) -> str:
    """The sha256 of a module's import closure: file names and contents."""
    digest = hashlib.sha256()
    for file in import_closure(module):
        digest.update(f"{file.as_posix()}\0".encode())
        digest.update(hashlib.sha256((ROOT / file).read_bytes()).digest())
    return digest.hexdigest()


def _source(name: str) -> Path | None:
    """The file of a module of this project, relative to the root; None for a foreign one or a name in a module."""
    if name.partition(".")[0] not in PACKAGES:
        return None
    stem = Path(*name.split("."))
    for file in (stem.with_suffix(".py"), stem / "__init__.py"):
        if (ROOT / file).is_file():
            return file
    return None
