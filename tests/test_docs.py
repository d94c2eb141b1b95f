"""The documents are tested like code: every file and column is described, every command that the README names exists."""

import re
import subprocess
from pathlib import Path

import pytest
import warm
import yaml

from screentime.table_files import Table
from screentime.tables import TABLES

ROOT = Path(__file__).parents[1]
FORMATS = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
KINDS = {"number": "number", "count": "whole number", "word": "text"}


def described(table: Table) -> str:
    """A table's contract as docs/formats.md shows it."""
    lines = [f"### `{table.path}`", "", table.meaning[0].upper() + table.meaning[1:] + ".", ""]
    lines += ["| column | kind | meaning |", "|---|---|---|"]
    for column in table.columns:
        kind = KINDS[column.kind] + ("" if column.required else ", may be empty")
        kind += ", column may be missing" if column.optional else ""
        meaning = column.meaning + (f" ({', '.join(column.choices)})" if column.choices else "")
        lines.append(f"| `{column.name}` | {kind} | {meaning} |")
    if table.per_character:
        kind = KINDS[table.per_character.kind] + ("" if table.per_character.required else ", may be empty")
        lines.append(f"| *one for each {table.each}* | {kind} | {table.per_character.meaning} |")
    if table.key:
        lines += ["", f"Key and order of rows: {', '.join(f'`{name}`' for name in table.key)}."]
    return "\n".join(lines)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.path)
def test_every_table_is_documented_by_its_contract(table):
    assert described(table) in FORMATS


def stages_of(folder: str) -> dict:
    """The stages of the films ("") or of the clips ("clips/")."""
    return yaml.safe_load((ROOT / folder / "dvc.yaml").read_text(encoding="utf-8"))["stages"]


def test_every_output_of_a_stage_is_documented():
    outputs = [
        folder + (next(iter(entry)) if isinstance(entry, dict) else entry)
        for folder in ("", "clips/")
        for stage in stages_of(folder).values()
        for kind in ("outs", "metrics", "plots")
        for entry in stage.get(kind, [])
    ]

    assert [path for path in outputs if path not in FORMATS] == []


def test_every_stage_has_its_row_in_the_readme_or_the_page_of_the_clips():
    page = (ROOT / "docs" / "clips.md").read_text(encoding="utf-8")

    assert [name for name in stages_of("") if f"| `{name}` |" not in README] == []
    assert [name for name in stages_of("clips/") if f"| `{name}` |" not in page] == []


def test_every_link_inside_the_project_leads_somewhere():
    broken = []
    for document in [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text(encoding="utf-8")):
            if "://" not in target and not (document.parent / target).exists():
                broken.append(f"{document.name}: {target}")

    assert broken == []


@pytest.mark.parametrize(
    "words",
    [
        "audit draw", "card", "cast add", "cast rename", "check", "clips add", "clips predict", "clips show", "disk", "export", "imagenet", "labels export", "labels fill", "labels import", "model codes", "model promote", "new", "preset", "pull", "push", "share", "show",
        "status", "stills add", "stills remove", "video add", "video remove", "video skip",
    ],
)  # fmt: skip
def test_every_command_has_help_and_is_named_in_the_documents(words, tmp_path):
    text = README + "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))

    done = subprocess.run(
        [warm.commands(tmp_path) / "python", "-m", "screentime", *words.split(), "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert len(done.stdout.splitlines()) > 5
    assert f"python -m screentime {words}" in text


def test_the_changelog_begins_with_the_version():
    from screentime import __version__

    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{__version__}"' in project
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_parameter_that_a_document_sets_exists():
    """A command that sets a parameter by its old name is refused, and a reader is stuck."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params |= yaml.safe_load((ROOT / "clips" / "params.yaml").read_text(encoding="utf-8"))
    text = README + "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    named = set(re.findall(r"(?:-S|--set-param)\s+([\w.]+)=", text))

    assert len(named) > 5
    for name in named:
        section = params
        for key in name.split("."):
            assert isinstance(section, dict) and key in section, name
            section = section[key]
