"""A wrong Python or an environment that is not active ends in one sentence, before anything is imported."""

import subprocess
import sys
from pathlib import Path

from screentime.environment import mismatches, problem

ROOT = Path(__file__).parents[1]


def test_missing_packages_are_named_with_the_repair():
    assert problem((3, 13), ["av", "cv2"]) == (
        f"python: {sys.executable} lacks av, cv2, the project's environment was expected; activate it with "
        "`. .venv/bin/activate`, or run `make`, which builds it"
    )


def test_a_stage_outside_the_environment_ends_in_one_sentence():
    bare = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); import stages"]

    done = subprocess.run(bare, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "lacks av, cv2, numpy, pandas, pydantic, tqdm, yaml" in done.stderr


def test_this_environment_is_the_one_that_requirements_pin():
    assert mismatches((ROOT / "requirements.txt").read_text(encoding="utf-8")) == []


def test_a_package_that_is_missing_or_of_another_version_is_a_mismatch():
    text = "pytest==0.0.1  # old\nno-such-package==1\nother==2 ; sys_platform == 'win32'\n# comment==1\n"

    assert mismatches(text) == ["pytest", "no-such-package"]


def test_make_is_told_whether_an_active_environment_will_do(tmp_path):
    (tmp_path / "other.txt").write_text("pytest==0.0.1\n")
    asked = [sys.executable, "-m", "screentime.environment"]

    assert subprocess.run([*asked, "requirements.txt"], cwd=ROOT, check=False).returncode == 0
    assert subprocess.run([*asked, str(tmp_path / "other.txt")], cwd=ROOT, check=False).returncode == 1
