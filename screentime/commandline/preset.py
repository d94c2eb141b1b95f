"""`preset`: the networks of public projects that came before this one, each by one command."""

import argparse
from pathlib import Path

from screentime import clip_params, params
from screentime.commandline.parser import add_command
from screentime.presets import CLIPS, PRESETS, Preset, preset
from screentime.project.settings import Change, change, changes_of, declare_network
from screentime.text_table import table_lines
from screentime.wording import count_text

PRESET_HELP = """\
Set the parameters as a public project that came before this one had them: its network, how deep it is open, layers,
optimizer, rate, batches, epochs, augmentation. Without a name the presets are listed.

The values are written into params.yaml (those for clips into clips/params.yaml) where they stand; comments stay, and so do
films, cast, labels, seeds and all that a preset does not name. What changed is printed; `git diff` shows it too. A preset
after another leaves nothing of the first. docs/ancestors.md says what those projects did, and what is different here."""


def add(commands: argparse._SubParsersAction) -> None:
    """Add `preset`."""
    one = add_command(
        commands, "preset", "train as a public project before this one did", PRESET_HELP, _preset,
        "  python -m screentime preset\n  python -m screentime preset tom_and_jerry --show\n"
        "  python -m screentime preset tom_and_jerry",
    )  # fmt: skip
    one.add_argument("name", nargs="?", metavar="NAME", help="the preset; without it they are listed")
    one.add_argument("--show", action="store_true", help="print what would change, and change nothing")


def _preset(arguments: argparse.Namespace) -> None:
    if arguments.name is None:
        print("\n".join(table_lines([(one.name, one.sentence) for one in PRESETS.values()], left=[0, 1])))
        print("without any training: python -m screentime imagenet FILM; docs/ancestors.md tells of all of them")
        return
    chosen = preset(arguments.name)
    path = Path(chosen.file)
    load = clip_params.load if chosen.file == CLIPS else params.load
    checked = load(path)
    changes = changes_of(path, chosen.values)
    print(_told(chosen, changes))
    if chosen.n_characters is not None and len(checked.cast) != chosen.n_characters:
        print(_other_cast(chosen, len(checked.cast)))
    if arguments.show:
        print(f"nothing is written; next: python -m screentime preset {chosen.name}")
        return
    if chosen.file == CLIPS:
        declare_network(Path(), chosen.values["clip_embed.network"])
    change(path, changes)
    print(_next(chosen))


def _told(chosen: Preset, changes: list[Change]) -> str:
    """What changes, as a table."""
    if not changes:
        return f"{chosen.file}: {chosen.name} stands there already; {chosen.page}"
    header = f"{chosen.file}: {chosen.name}, {count_text(len(changes), 'value', 'values')}; {chosen.page}"
    rows = [("", "was", "is"), *((one.key, _shown(one.was), _shown(one.now)) for one in changes)]
    return "\n".join([header, *table_lines(rows, left=[0])])


def _other_cast(chosen: Preset, n_characters: int) -> str:
    """What comes of a cast of another length than the ancestor's."""
    outputs = "one class for each and one for none" if chosen.values["train.exclusive"] else "a sigmoid unit for each"
    return (
        f"cast: {count_text(n_characters, 'character', 'characters')} where {chosen.name} had {chosen.n_characters}: the network "
        f"gets {outputs}"
    )


def _next(chosen: Preset) -> str:
    if chosen.file != CLIPS:
        return "next: dvc repro" + (f"\nthen: {chosen.then}" if chosen.then else "")
    network = chosen.values["clip_embed.network"]
    if network is not None and not Path(network).is_file():
        return (
            f"next: python -m screentime model codes --out {network}    # of the network in models/trained/, trained by the preset "
            "real_time\nthen: dvc --cd clips repro"
        )
    return "next: dvc --cd clips repro"


def _shown(value: object) -> str:
    """A value as YAML has it."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)
