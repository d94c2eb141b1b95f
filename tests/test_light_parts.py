"""A light part stays light: sampling, scoring, measuring, estimating and reporting never import TensorFlow."""

import subprocess
import sys
from pathlib import Path

import pytest

from screentime.__main__ import COMMANDS, WITH_SHARE, parser

ROOT = Path(__file__).parents[1]
HEAVY = "tensorflow"


def imported_by(module: str, then: str = "pass") -> set[str]:
    code = f"import sys, {module}; {then}; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "stage", ["sample", "label", "fill", "preprocess", "suggest", "score", "evaluate", "estimate", "report"]
)
def test_a_light_stage_does_not_import_tensorflow_or_mlflow(stage):
    assert not {HEAVY, "keras", "mlflow"} & imported_by(f"stages.{stage}")


def test_the_command_line_starts_without_tensorflow_or_mlflow():
    every_command = imported_by("screentime.__main__", "screentime.__main__.parser()")
    assert "screentime.commandline.labels" in every_command
    assert not {HEAVY, "keras", "mlflow"} & every_command


def test_a_command_waits_for_its_own_imports_alone():
    commands = [*COMMANDS, *WITH_SHARE]
    listed = parser()._subparsers._group_actions[0].choices
    assert sorted(listed) == sorted(commands)
    for name in commands:
        alone = parser([name])._subparsers._group_actions[0].choices
        assert alone[name].format_help() == listed[name].format_help()
    assert "scipy.stats" not in imported_by("screentime.__main__", "screentime.__main__.parser(['push'])")


def test_the_test_can_fail():
    assert HEAVY in imported_by("screentime.frozen")


def test_the_library_knows_neither_dvc_nor_mlflow_nor_the_stages():
    """But for `model promote`, a command about the store, which imports mlflow when it is run."""
    own_process = ROOT / "screentime" / "project" / "remote.py"  # DVC's Python, run as a command and imported by nobody
    for path in set((ROOT / "screentime").rglob("*.py")) - {own_process}:
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            late = path.parts[-2:] == ("commandline", "model.py") and line.startswith("    import mlflow")
            if words[:1] in (["import"], ["from"]) and not late:
                assert words[1].split(".")[0] not in {"dvc", "mlflow", "stages"}, f"{path.name}: {line}"
                assert "project.remote" not in line and "project import remote" not in line, f"{path.name}: {line}"
