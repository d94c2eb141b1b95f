"""The model registry of an MLflow store: versions of a model, which one is the champion, and why. MLflow is passed in.

A version points at the run of its outcome. The alias `candidate` is the version that was registered last, `champion` the
one to use; each version remembers which champion it replaced, so that the way back is one command.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas

from screentime.comparison import Difference, differences, same_frames
from screentime.errors import InputError, did_you_mean
from screentime.table_files import read_table
from screentime.tables import MEASURED
from screentime.tracking import logged_models

CHAMPION, CANDIDATE = "champion", "candidate"
REPLACED, REASON = "replaced", "promoted_because"  # tags of a version


@dataclass(frozen=True)
class Judgement:
    """The candidate beside the champion.

    Attributes:
        name: of the registered model.
        candidate, champion: version numbers; no champion is None.
        n_frames: audited frames that both were measured on.
        figures: of both on these frames; empty where they cannot be compared.
        verdict: what the audit says, a part of a sentence.
        better: the audit says that the candidate is better, or is the first to be measured.
    """

    name: str
    candidate: str
    champion: str | None
    n_frames: int
    figures: tuple[Difference, ...]
    verdict: str
    better: bool


def register(client: object, name: str, run: object) -> str:
    """Make the model of a run a version with the alias `candidate`; a run has one version of a name.

    The champion stays what it is: registered again, it is no candidate.

    Args:
        client: of an open store.
        name: of the registered model, checked by `check_name`.
        run: one that `track` gave.

    Returns:
        The version's number.
    """
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    run_id = run.info.run_id
    known = [one.version for one in client.search_model_versions(f"name = '{name}'") if one.run_id == run_id]
    if known:
        version = known[0]
    else:
        model_id = logged_models(run)[0]
        tags = {"run_key": run.data.tags["run_key"], "outcome": run.data.tags["outcome"]}
        version = client.create_model_version(
            name, f"models:/{model_id}", run_id=run_id, tags=tags, model_id=model_id
        ).version
    if str(version) != champion(client, name):
        client.set_registered_model_alias(name, CANDIDATE, version)
    return str(version)


def champion(client: object, name: str) -> str | None:
    """The version that is champion, None where there is none."""
    return _aliases(client, name).get(CHAMPION)


def check_name(name: str) -> None:
    """Refuse a name that a registry does not take."""
    if not re.fullmatch(r"[\w.\-]+", name):
        raise InputError(
            f"MLflow: the model name '{name}' was found, letters, digits, `_`, `-` and `.` were expected; choose another"
        )


def judge(client: object, name: str) -> Judgement:
    """Hold the candidate against the champion, on the audited frames that both were measured on.

    Better is: beyond chance better in average precision or in the error in seconds, and beyond chance worse in neither.

    Args:
        client: of an open store.
        name: of the registered model.

    Raises:
        InputError: there is no such model, or no candidate.
    """
    aliases = _aliases(client, name)
    candidate, holder = aliases.get(CANDIDATE), aliases.get(CHAMPION)
    if candidate is None:
        raise InputError(
            f"{name}: no version is a candidate, one to promote was expected; `python -m stages.publish --register {name}` "
            "makes the model in models/trained/ one"
        )
    tables = {version: _audited(client, name, version) for version in (candidate, holder) if version}
    unmeasured = [version for version, table in tables.items() if table.empty]
    cells = None if unmeasured else same_frames(tables[holder or candidate], tables[candidate])
    if cells is None:
        verdict = (
            f"no audit has measured version {' and '.join(unmeasured)}"
            if unmeasured
            else "the audits that measured the two hold different frames or answers"
        )
        return Judgement(name, candidate, holder, 0, (), verdict, better=False)
    figures = differences(cells)
    better, worse = (" and ".join(one.figure for one in figures if getattr(one, word)) for word in ("better", "worse"))
    if holder is None:
        verdict = "the first that an audit has measured"
    else:
        found = [f"{word} in {names}" for word, names in (("better", better), ("worse", worse)) if names]
        verdict = f"beyond chance {', '.join(found)}" if found else "no difference beyond chance"
    n_frames = len(cells[["video_id", "time_s"]].drop_duplicates())
    return Judgement(
        name, candidate, holder, n_frames, figures, verdict, better=holder is None or bool(better and not worse)
    )


def version_of(client: object, name: str, asked: str) -> object:
    """A version of a registered model, by its number or an alias.

    Raises:
        InputError: there is no such model, or no such version.
    """
    aliases = _aliases(client, name)
    versions = {str(one.version): one for one in client.search_model_versions(f"name = '{name}'")}
    found = versions.get(aliases.get(asked, asked))
    if found is None:
        known = ", ".join([*sorted(aliases), *sorted(versions, key=int)])
        raise InputError(f"{name}@{asked}: no such version was found, one of these was expected: {known}; name one")
    return found


def promote(client: object, judgement: Judgement, anyway: str | None = None) -> None:
    """Make the candidate the champion.

    Args:
        client: of an open store.
        judgement: of the candidate.
        anyway: a reason to do so whatever the audit says; it is kept with the version.

    Raises:
        InputError: the audit does not say that the candidate is better, and there is no other reason.
    """
    name, candidate, champion = judgement.name, judgement.candidate, judgement.champion
    if not judgement.better and anyway is None:
        raise InputError(
            f"{name}: version {candidate} stays a candidate: {judgement.verdict}, an audit that says it is better was "
            "expected; measure both on one audit, or on a larger one, or give a reason with --anyway REASON"
        )
    why = judgement.verdict + (f"; promoted anyway: {anyway}" if anyway is not None else "")
    client.set_model_version_tag(name, candidate, REASON, why)
    if champion is not None:
        client.set_model_version_tag(name, candidate, REPLACED, champion)
    client.set_registered_model_alias(name, CHAMPION, candidate)
    client.delete_registered_model_alias(name, CANDIDATE)


def back(client: object, name: str) -> tuple[str, str]:
    """Make the version champion that the champion replaced, and the champion a candidate again.

    Returns:
        The version that is champion now, and the one that was.

    Raises:
        InputError: there is no such model, or no champion before this one.
    """
    aliases = _aliases(client, name)
    champion = aliases.get(CHAMPION)
    before = client.get_model_version(name, champion).tags.get(REPLACED) if champion else None
    if before is None:
        raise InputError(
            f"{name}: {f'version {champion} is the first champion' if champion else 'no champion was found'}, one that "
            "replaced another was expected; there is nothing to go back to"
        )
    client.set_registered_model_alias(name, CHAMPION, before)
    if CANDIDATE not in aliases:
        client.set_registered_model_alias(name, CANDIDATE, champion)
    return before, champion


def _aliases(client: object, name: str) -> dict[str, str]:
    """The versions by alias."""
    check_name(name)
    found = client.search_registered_models(f"name = '{name}'")
    if not found:
        known = [one.name for one in client.search_registered_models()]
        repair = did_you_mean(name, known) if known else f"`python -m stages.publish --register {name}` makes it"
        raise InputError(f"{name}: no registered model has this name; {repair}")
    return {alias: str(version) for alias, version in found[0].aliases.items()}


def _audited(client: object, name: str, version: str) -> pandas.DataFrame:
    """The answers of the audit that measured a version; empty where none did."""
    run_id = client.get_model_version(name, version).run_id
    if not client.list_artifacts(run_id, "measured"):
        return pandas.DataFrame()
    with TemporaryDirectory() as folder:
        rows = read_table(Path(client.download_artifacts(run_id, "measured/answers.csv", folder)), MEASURED)
    return rows[rows["measured_on"] == "audit"]
