"""The registry of a real store: a candidate becomes the champion when the audit says so, and the way back is one command."""

import mlflow
import pytest
from published import runs_in, write_measured, write_outputs

from screentime.__main__ import main
from screentime.params import load
from stages.publish import PLACES, publish, register

GOOD, POOR = 0.1, 0.6  # how far scores are from the answers


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("registry")


@pytest.fixture
def project(place, monkeypatch):
    """A project whose models are registered by `candidate`, all in one store."""
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return place


def candidate(project, name: str, key: int, noise: float | None, **audit: int) -> None:
    """A model with scores of some quality is registered as `python -m stages.publish --register NAME` does it."""
    write_outputs(project, key=f"{key:064x}")
    write_measured(project, noise or GOOD, **audit, measured_on="out_of_fold" if noise is None else "audit")
    register(
        publish(**{one: project / path for one, path in PLACES.items()}, params=load(project / "params.yaml")), name
    )


def aliases(project, name: str) -> dict[str, int]:
    client, _ = runs_in(project)
    return {alias: int(version) for alias, version in client.get_registered_model(name).aliases.items()}


def told(capsys, *words: str) -> tuple[int, list[str], str]:
    """Exit code, lines of output and the error of `python -m screentime model promote ...`."""
    capsys.readouterr()
    code = 0
    try:
        main(["model", "promote", *words])
    except SystemExit as leave:
        code = leave.code
    said = capsys.readouterr()
    return code, said.out.splitlines(), said.err


def test_the_champion_moves_when_the_audit_says_so_and_back_again(project, capsys):
    candidate(project, "moves", 1, POOR)
    assert aliases(project, "moves") == {"candidate": 1}
    code, lines, _ = told(capsys, "moves")
    assert code == 0
    assert lines[0] == "moves: candidate 1, on 60 audited frames"
    assert lines[-2:] == [
        "  the first that an audit has measured",
        "moves: version 1 is the champion now; load it as models:/moves@champion",
    ]
    assert aliases(project, "moves") == {"champion": 1}

    candidate(project, "moves", 2, GOOD)
    assert aliases(project, "moves") == {"champion": 1, "candidate": 2}
    code, lines, _ = told(capsys, "moves")
    assert code == 0
    assert lines[0] == "moves: candidate 2 against champion 1, on 60 audited frames"
    assert lines[1].split() == ["champion", "candidate", "difference", "95", "%", "interval"]
    assert [line.split()[:-6] for line in lines[2:4]] == [["average", "precision"], ["error", "in", "seconds"]]
    assert lines[4].startswith("  beyond chance better in average precision")
    assert lines[-1] == "back again: python -m screentime model promote moves --back"
    assert aliases(project, "moves") == {"champion": 2}

    assert told(capsys, "moves", "--back")[1] == ["moves: version 1 is the champion again, in place of version 2"]
    assert aliases(project, "moves") == {"champion": 1, "candidate": 2}
    assert told(capsys, "moves", "--back") == (
        1, [], "moves: version 1 is the first champion, one that replaced another was expected; there is nothing to go back to\n"
    )  # fmt: skip


EXPECTED = (
    "an audit that says it is better was expected; measure both on one audit, or on a larger one, or give a reason with "
    "--anyway REASON\n"
)


@pytest.mark.parametrize(
    ("name", "noise", "audit", "verdict"),
    [
        ("same", GOOD, {}, "no difference beyond chance"),
        ("worse", POOR, {}, "beyond chance worse in average precision and error in seconds"),
        ("corrected", GOOD, {"changed": 3}, "the audits that measured the two hold different frames or answers"),
        ("unmeasured", None, {}, "no audit has measured version 2"),
    ],
)
def test_a_candidate_that_the_audit_does_not_call_better_stays_one_unless_there_is_a_reason(
    project, capsys, name, noise, audit, verdict
):
    candidate(project, name, 1, GOOD)
    told(capsys, name)
    candidate(project, name, 2, noise, **audit)

    code, lines, error = told(capsys, name)
    assert (code, lines[-1].strip()) == (1, verdict)
    assert error == f"{name}: version 2 stays a candidate: {verdict}, {EXPECTED}"
    assert aliases(project, name) == {"champion": 1, "candidate": 2}

    assert told(capsys, name, "--anyway", "it is half as large")[0] == 0
    client, _ = runs_in(project)
    assert aliases(project, name) == {"champion": 2}
    tags = client.get_model_version(name, "2").tags
    assert tags["promoted_because"] == f"{verdict}; promoted anyway: it is half as large"


def test_a_larger_audit_of_the_candidate_is_compared_on_what_both_were_measured_on(project, capsys):
    candidate(project, "grown", 1, POOR)
    told(capsys, "grown")
    candidate(project, "grown", 2, GOOD, n_frames=90)

    assert told(capsys, "grown")[1][0] == "grown: candidate 2 against champion 1, on 60 audited frames"


def test_a_model_is_registered_once(project, capsys):
    candidate(project, "once", 1, GOOD)
    candidate(project, "once", 1, GOOD)
    assert aliases(project, "once") == {"candidate": 1}
    told(capsys, "once")
    candidate(project, "once", 1, GOOD)

    assert capsys.readouterr().out.splitlines()[-1] == "once: version 1, the champion, is this model already"
    assert aliases(project, "once") == {"champion": 1}
    assert told(capsys, "once") == (
        1, [],
        "once: no version is a candidate, one to promote was expected; `python -m stages.publish --register once` makes the "
        "model in models/trained/ one\n",
    )  # fmt: skip


def test_names_that_are_not_there_or_cannot_be(project, capsys):
    candidate(project, "cartoons", 1, GOOD)

    assert told(capsys, "cartons")[2] == "cartons: no registered model has this name; did you mean 'cartoons'?\n"
    assert told(capsys, "it's") == (
        1, [],
        "MLflow: the model name 'it's' was found, letters, digits, `_`, `-` and `.` were expected; choose another\n",
    )  # fmt: skip


def test_a_version_is_the_model_of_its_run(project):
    candidate(project, "whose", 7, GOOD)

    client, runs = runs_in(project)
    version = client.get_model_version("whose", "1")
    run = next(run for run in runs if run.info.run_id == version.run_id)
    assert version.source == f"models:/{run.outputs.model_outputs[0].model_id}"
    assert version.tags == {"run_key": run.data.tags["run_key"], "outcome": run.data.tags["outcome"]}
    assert mlflow.models.get_model_info("models:/whose@candidate").signature.inputs.to_dict()[0]["type"] == "tensor"
