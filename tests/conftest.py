"""Where CI is set, a skipped test fails the run unless its reason is on this list."""

import os
import sys
from pathlib import Path

# before numpy: threads of BLAS that wait for each other spin, which costs more than they compute beside other workers
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import excerpt
import pytest
from filelock import FileLock
from hypothesis import settings

# a reason that begins so is accepted; the path beside the project is not part of it
ACCEPTED_SKIPS = {
    "no shared data": "the real films with labels lie beside the project, not in it; synthetic twins run everywhere",
    "no namespaces": "a container may forbid them; every other kernel has them",
}

# what takes longest is begun first, so that at the end no worker waits for another (with --no-loadscope-reorder)
LONGEST = (
    "test_whole_pipeline", "test_labeller_learner", "test_interruption", "test_experiments", "test_train", "test_ancestors",
    "test_many_films", "test_labeller_guards", "test_labeller_page", "test_sharing", "test_score_films",
    "test_sequence_method", "test_tuned_pipeline", "test_stills", "test_clip_pipeline", "test_labeller_server",
    "test_scorer", "test_eight_bit", "test_publish", "test_merging", "test_warm_start", "test_network", "test_kerashub",
    "test_stills_commands", "test_stage_fill", "test_backbones", "test_probe", "test_extract", "test_remotes",
    "test_estimates", "test_registry",
)  # fmt: skip

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
_refused: list[str] = []

settings.register_profile("project", deadline=None)  # no test asserts how fast this machine is
settings.load_profile("project")


@pytest.fixture
def shared_data() -> Path:
    """The folder of real films with human labels and of nasty files; absent outside the place it is kept."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no shared data: ../shared/data is absent")
    return SHARED_DATA


@pytest.fixture(scope="session")
def demo_excerpt(tmp_path_factory) -> Path:
    """A short excerpt of the demo film (see excerpt.py), made once for all workers of a run; to copy, not to change."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    path = folder / "excerpt.mp4"
    with FileLock(folder / "excerpt.lock"):
        if not path.is_file():
            partial = folder / "partial.mp4"
            excerpt.write_excerpt(excerpt.demo_film(folder), partial, excerpt.START_S, excerpt.END_S)
            partial.rename(path)
    return path


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """One thread and one seed for each module of a process, set before anything there computes: TensorFlow asks for that."""
    if "tensorflow" in sys.modules:
        from screentime import frozen

        frozen.make_deterministic(0, 1)


@pytest.fixture(autouse=True)
def _no_store_of_another_test():
    """MLflow writes the store that a test chose into the environment, where the commands of later tests would find it."""
    yield
    os.environ.pop("MLFLOW_TRACKING_URI", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONGEST)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
        if not reason.startswith(tuple(ACCEPTED_SKIPS)):
            _refused.append(f"{report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    if os.environ.get("CI") and _refused and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter) -> None:
    if os.environ.get("CI") and _refused:
        terminalreporter.section("skipped without an accepted reason (see tests/conftest.py)")
        for line in _refused:
            terminalreporter.line(line)
