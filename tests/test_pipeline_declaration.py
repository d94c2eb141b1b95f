"""Both dvc.yaml are tested like code: what a stage declares is what it imports, reads and is told on its command line."""

import inspect
import posixpath
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from screentime import clip_params
from screentime.closure import import_closure
from screentime.params import Params, load

ROOT = Path(__file__).parents[1]
FILMS = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
CLIPS = yaml.safe_load((ROOT / "clips" / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
STAGES = FILMS | CLIPS
PARAMS = load(ROOT / "params.yaml")
SHARED_SECTIONS = {"videos", "cast"}
TEMPLATES = {"report": ("report.css", "report.html", "report.js"), "clip_report": ("clips.html",)}
CODE = (".py", ".html", ".css", ".js")


def names(entries: list) -> list[str]:
    """The paths of a list of deps or outs, with or without options."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def from_the_top(stage: str, path: str) -> str:
    """A path of a declaration, read from the project's top; those of the clip pipeline stand as seen from clips/."""
    return posixpath.normpath(posixpath.join("clips" if stage in CLIPS else "", path))


def deps(stage: str) -> list[str]:
    return [from_the_top(stage, path) for path in names(STAGES[stage]["deps"])]


def options(stage: str) -> dict[str, str]:
    """The options of a stage's command line, by argument name."""
    words = shlex.split(STAGES[stage]["cmd"])
    if stage in CLIPS:
        assert words[:3] == ["cd", "..", "&&"]
        words = words[3:]
    assert words[:3] == ["python", "-m", f"stages.{stage}"]
    pairs = zip(words[3::2], words[4::2], strict=True)
    return {option.removeprefix("--").replace("-", "_"): path for option, path in pairs}


def outputs(stage: str) -> list[str]:
    kinds = ("outs", "metrics", "plots")
    return [from_the_top(stage, path) for kind in kinds for path in names(STAGES[stage].get(kind, []))]


def test_there_is_one_file_for_each_stage_and_one_stage_for_each_file():
    files = {path.stem for path in (ROOT / "stages").glob("*.py")} - {"__init__", "serving"}

    assert files == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_exactly_the_code_it_imports(stage):
    declared = [Path(path) for path in deps(stage) if path.endswith(CODE)]
    templates = [Path("screentime/templates") / name for name in TEMPLATES.get(stage, ())]

    assert sorted(declared) == sorted([*import_closure(f"stages.{stage}"), *templates])


@pytest.mark.parametrize("stage", STAGES)
def test_the_paths_on_the_command_line_are_the_declared_ones(stage):
    code = {path for path in deps(stage) if path.endswith(CODE)}
    data = set(deps(stage)) - code
    told = set(options(stage).values())
    declared = {f"data/videos/{video.file}" for video in PARAMS.videos} if stage == "sample" else set()
    folders = {  # named, but no dep: a folder of which single files are, or none
        "sample": {"data/videos"},
        "preprocess": {"data/stills"},
        "report": {"data/videos"},
        "clip_publish": {"reports"},
    }.get(stage, set())

    assert told - folders == (data - declared) | set(outputs(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_the_options_are_the_arguments_of_the_function_named_like_the_stage(stage):
    function = getattr(import_module(f"stages.{stage}"), stage)
    parameters = inspect.signature(function).parameters.values()

    assert all(
        parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty for parameter in parameters
    )
    assert [name for name in (p.name for p in parameters) if name != "params"] == list(options(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_declares_the_sections_of_params_that_its_source_reads(stage):
    model = clip_params.ClipParams if stage in CLIPS else Params
    source = (ROOT / "stages" / f"{stage}.py").read_text(encoding="utf-8")
    read = set(re.findall(r"\bparams\.(\w+)", source))
    read = {"videos" if name == "shown_videos" else name for name in read} & set(model.model_fields)

    if not PARAMS.stills:
        read -= {"stills"}  # `stills add` declares it with the first set: DVC refuses a parameter that may be missing
    assert set(STAGES[stage].get("params", [])) == read


def test_every_listed_film_is_a_dependency_of_sample_by_name():
    films = {f"data/videos/{video.file}" for video in PARAMS.videos}

    assert films <= set(deps("sample"))
    assert not any(path.rstrip("/") == "data/videos" for stage in STAGES for path in deps(stage))


def test_every_output_is_ignored_by_git_or_kept_in_it():
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    for stage in STAGES:
        for entry in STAGES[stage].get("outs", []):
            path = from_the_top(stage, next(iter(entry)) if isinstance(entry, dict) else entry)
            assert {f"/{path}/", f"/{path}"} & set(ignored) or path.startswith("data/videos/"), f"{stage}: {path}"
        for kind in ("metrics", "plots"):
            for entry in STAGES[stage].get(kind, []):
                assert isinstance(entry, dict), f"{stage}: {entry} would leave Git"
                assert next(iter(entry.values()))["cache"] is False


def test_folders_kept_film_by_film_persist():
    persistent = {
        from_the_top(name, path)
        for name, stage in STAGES.items()
        for entry in stage.get("outs", [])
        if isinstance(entry, dict)
        for path, settings in entry.items()
        if settings.get("persist")
    }

    one_by_one = {"data/frames", "data/features", "data/scores", "clips/frames", "clips/features"}
    assert persistent == one_by_one | {"clips/models"}  # a training that fails leaves the heads of the one before


def test_labels_of_people_are_never_an_output():
    assert not any("labels" in path or path == "data/clips.csv" for stage in STAGES for path in outputs(stage))
