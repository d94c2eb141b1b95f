"""A data set that travels: push, pull, and a tag that pins films, labels, model and report.

Git and DVC are called as commands; data moves in a process of its own (remote.py).
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from screentime.errors import InputError, did_you_mean
from screentime.project import card
from screentime.project.tools import dvc, git
from screentime.wording import count_text

SHOWN = 3  # so many names in a sentence; the rest is counted


@dataclass(frozen=True)
class Exchange:
    """What came of a push or a pull.

    Attributes:
        remote: the remote as a sentence names it: its name and its address.
        name: its name.
        in_git: whether .dvc/config names it, so that a clone knows it.
        files: how many different files the commit needs, folders' lists counted too.
        moved: how many were transferred.
    """

    remote: str
    name: str
    in_git: bool
    files: int
    moved: int


def push(folder: Path, name: str | None) -> Exchange:
    """Send to a remote what it lacks of this commit's data, each file asked for on the remote itself.

    Args:
        folder: the project's top folder.
        name: the remote; None: the default one.

    Raises:
        InputError: no such remote, it is away, full or refuses, or a file is neither here nor there.
    """
    told = _exchange(folder, "push", name)
    if told["lacking"]:
        films = _films(folder, told["lacking"])
        repair = f"put {films[0]} back and run `dvc add {films[0]}`" if films else "make it anew with `dvc repro`"
        raise InputError(
            f"{_some(told['lacking'])}: neither here nor on the {_named(told['remote'])}, data of this commit was expected "
            f"here; {repair}, then push again"
        )
    return _told(told)


def pull(folder: Path, name: str | None) -> Exchange:
    """Bring this commit's data and put it into its place; what can be brought comes although something is missing.

    Args:
        folder: the project's top folder.
        name: the remote; None: the default one.

    Raises:
        InputError: no such remote, it is away or refuses, there is no room, or the remote lacks a file.
    """
    told = _exchange(folder, "pull", name)
    if told["lacking"]:
        what, remote = _commit(folder), _named(told["remote"])
        bring_back = f"`git checkout {what.split()[-1]} && python -m screentime push --remote {told['remote']['name']}`"
        if told["all_lacking"]:
            raise InputError(
                f"{what}: none of its data is on the {remote}, {count_text(told['files'], 'file was', 'files were')} "
                f"expected there; it was never pushed, or elsewhere: ask for {bring_back} where the data is, or name "
                "another remote with --remote"
            )
        or_remake = "" if _films(folder, told["lacking"]) else ", or make it anew here with `dvc repro`"
        raise InputError(
            f"{_some(told['lacking'])}: not on the {remote}, {what} needs it there; ask for {bring_back} where the data "
            f"is{or_remake}"
        )
    return _told(told)


def share(folder: Path, tag: str, name: str | None, say: Callable[[str], None]) -> list[str]:
    """Pin the commit that is checked out: its data on the remote, its data card, and a tag.

    Nothing is written before all data is on the remote. The card is committed alone, where it changed.

    Args:
        folder: the project's top folder.
        tag: the new tag.
        name: the remote; None: the default one.
        say: is told every step that is done.

    Returns:
        What to do next, line by line: here, then for others.

    Raises:
        InputError: the tag is taken, the tree is dirty, a stage is stale, or the push did not succeed whole.
    """
    _git(folder, "var", "GIT_COMMITTER_IDENT")
    _check_tag(folder, tag)
    _check_clean(folder)
    _check_fresh(folder)
    sent = push(folder, name)
    say(told_of(sent, "sent", "there"))
    written = card.write(folder)
    if _git(folder, "status", "--porcelain", "--", str(written)):
        _git(folder, "add", "--", str(written))
        _git(folder, "commit", "--quiet", "--message", f"The data card of {tag}", "--", str(written))
        say(f"{written}: written and committed")
    _git(folder, "tag", "--annotate", tag, "--message", f"{tag}: films, labels, model and report")
    say(f"tag {tag}: set on commit {git(folder, 'rev-parse', '--short', 'HEAD')}")
    return _next_lines(folder, tag, sent, name)


def told_of(exchange: Exchange, moved: str, place: str) -> str:
    """An exchange in one line; `moved` is "sent" or "brought", `place` "there" or "here"."""
    return (
        f"{exchange.remote}: {count_text(exchange.moved, 'file', 'files')} {moved} now; all {exchange.files:,} of this commit "
        f"are {place}"
    )


def _git(folder: Path, *words: str) -> str:
    """What Git prints, without the last line end.

    Raises:
        InputError: Git is missing or refuses, in its own words.
    """
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InputError("git: no such program was found, it was expected; install Git") from None
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no reason was given"]
        if any("tell me who you are" in line for line in said):
            raise InputError(
                "git: it does not know your name, which commits and tags carry; say it with `git config user.name NAME` "
                "and `git config user.email ADDRESS`"
            )
        reason = said[-1].removeprefix("fatal: ").removeprefix("error: ")
        raise InputError(f"git {words[0]}: it failed ({reason}); repair that, then run this again")
    return done.stdout.rstrip("\n")


def _check_tag(folder: Path, tag: str) -> None:
    if tag.startswith("-") or git(folder, "check-ref-format", f"refs/tags/{tag}") is None:
        raise InputError(f"{tag}: not a name that Git allows for a tag, one like v1 was expected; choose another")
    if _git(folder, "tag", "--list", tag):
        raise InputError(
            f"{tag}: a tag of this name is there, a new one was expected; choose another name (a tag that others may have "
            "is never moved)"
        )


def _check_clean(folder: Path) -> None:
    """Nothing but the card may wait to be committed."""
    changed = [path for path in _uncommitted(folder) if path != card.PATH.as_posix()]
    if changed:
        raise InputError(
            f"{_some(changed)}: not committed, a tag pins only what is; look at `git status`, then "
            '`git add --all && git commit -m "WHAT CHANGED"`'
        )


def _uncommitted(folder: Path) -> list[str]:
    """The paths that Git finds changed or new, from the project's top folder."""
    entries, paths = iter(_git(folder, "status", "--porcelain", "-z").split("\0")), []
    for entry in entries:
        if entry:
            paths.append(entry[3:])
            if entry[0] in "RC":
                next(entries)  # the name before
    return paths


def _check_fresh(folder: Path) -> None:
    """Nothing that `dvc repro` would run, no film that was exchanged."""
    changed = json.loads(dvc(folder, "status", "--json") or "{}")
    stale = [name for name, why in changed.items() if why != ["always changed"]]
    films = [name.removesuffix(".dvc") for name in stale if name.endswith(".dvc")]
    if films:
        raise InputError(
            f"{_some(films)}: not the film that its .dvc file names; bring that one back with `dvc checkout "
            f"{films[0]}.dvc`, or take the new one with `dvc add {films[0]}`"
        )
    if stale:
        raise InputError(
            f"{_some(stale)}: {'this stage is' if len(stale) == 1 else 'these stages are'} stale, results of the films, "
            "labels and parameters of this commit were expected (`python -m screentime status` says why); run `dvc repro`, look "
            "at the report, commit, then share"
        )


def _exchange(folder: Path, work: str, name: str | None) -> dict:
    """Run remote.py; its progress goes to the terminal, what it found comes back, a failure as our sentence."""
    words = [sys.executable, "-m", "screentime.project.remote", work, *([name] if name else [])]
    done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 130:
        raise KeyboardInterrupt
    try:
        told = json.loads(done.stdout.splitlines()[-1])
    except (json.JSONDecodeError, IndexError):
        raise InputError(f"dvc {work}: it ended with {done.returncode}; `dvc {work} -v` tells more") from None
    if told["problem"]:
        raise InputError(_sentence(work, told))
    return told


def _sentence(work: str, told: dict) -> str:
    """A failure to reach the remote, in the form of all others."""
    kind, reason, remote = told["problem"]["kind"], told["problem"]["reason"], told["remote"]
    if kind == "unknown remote":
        known = told["remotes"]
        repair = did_you_mean(remote["name"], known) if known else f"name one with {_new_remote()}"
        return f"--remote: no remote is called '{remote['name']}'; {repair}"
    if kind == "no remote":
        known = f"known are {', '.join(told['remotes'])}: choose one with --remote, or" if told["remotes"] else ""
        way = "`dvc remote default NAME`" if known else _new_remote()
        return (
            f".dvc/config: no default remote was found, a place for the data was expected; {known or 'name one:'} {way}"
        )
    if kind == "unsaved":
        return (
            f"{reason}: changed here and kept nowhere else, what this commit names was expected; keep it under another "
            "name, or give it up with `dvc checkout --force`"
        )
    if "url" not in remote:
        return f"dvc {work}: it failed ({reason}); repair that, then run this again (`dvc {work} -v` tells more)"
    place, set_url = f"{_named(remote)}", f"`dvc remote modify {remote['name']} url {{}}`"
    local = remote["protocol"] == "local"
    if kind == "no room":
        if work == "push":
            return f"{place}: no room ({reason}), a place for all files was expected; make room there, then push again"
        return (
            f"{told['cache']}: no room ({reason}), room for the data was expected; make some (`dvc gc --workspace` frees "
            "what this commit does not use), or keep the cache elsewhere (`dvc cache dir --local FOLDER`), then pull again"
        )
    if kind == "away" and local:
        return (
            f"{place}: {reason}, a folder with the data was expected; connect the disk that holds it, or correct the "
            f"address with {set_url.format('FOLDER')}"
        )
    if kind == "away":
        return (
            f"{place}: no answer ({reason}), a running server was expected; start it, or correct the address with "
            f"{set_url.format('URL')}"
        )
    if kind == "no bucket":
        return (
            f"{place}: there is no such bucket, one was expected; create it, or correct the address with "
            f"{set_url.format('URL')}"
        )
    if kind == "refused":
        return f"{place}: it does not let you in ({reason}), a key that it knows was expected; {_new_key(remote)}"
    if kind == "read only":
        return (
            f"{place}: it cannot be written ({reason}), a place to push to was expected; push to the folder or server "
            "behind it with --remote"
        )
    return f"{place}: {work} failed ({reason}); repair that, then run this again (`dvc {work} -v` tells more)"


def _new_key(remote: dict) -> str:
    """What to do where a server does not let one in."""
    modify = f"dvc remote modify --local {remote['name']}"
    return {
        "local": "ask the owner of the folder for access",
        "ssh": f"give the server your public key, or name the one it knows with `{modify} keyfile PATH`",
        "s3": f"set yours with `{modify} access_key_id ID` and `{modify} secret_access_key SECRET`",
    }.get(
        remote["protocol"], f"set it with `{modify} auth basic`, `{modify} user NAME` and `{modify} password PASSWORD`"
    )


def _new_remote() -> str:
    return "`dvc remote add --default NAME URL` (docs/sharing.md), then commit .dvc/config"


def _told(told: dict) -> Exchange:
    remote = told["remote"]
    return Exchange(_named(remote), remote["name"], remote["in_git"], told["files"], told["moved"])


def _named(remote: dict) -> str:
    return f"remote '{remote['name']}' ({remote['url']})"


def _some(names: Sequence[str]) -> str:
    """The first names, the rest counted.

    >>> _some(["a", "b"]), _some(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _commit(folder: Path) -> str:
    """The commit that is checked out as people name it: "tag v1", else "commit 1a2b3c4"."""
    tag = git(folder, "describe", "--tags", "--exact-match")
    return f"tag {tag}" if tag else f"commit {git(folder, 'rev-parse', '--short', 'HEAD')}"


def _films(folder: Path, paths: Sequence[str]) -> list[str]:
    """Those that DVC tracks as films; the others are results, which can be made anew."""
    return [path for path in paths if (folder / f"{path}.dvc").is_file()]


def _next_lines(folder: Path, tag: str, sent: Exchange, name: str | None) -> list[str]:
    """What the person does now, and what others type then; `name` is the remote where it is not the default one."""
    origin, branch = git(folder, "remote", "get-url", "origin"), git(folder, "branch", "--show-current")
    url, told = origin or folder.resolve().as_posix(), f" --remote {name}" if name else ""
    top, url = shlex.quote(Path(url).name.removesuffix(".git")), shlex.quote(url)
    parts = {
        f"  dvc get{told} --rev {tag} {url} models/trained": "a copy of the model",
        f"  dvc import{told} --rev {tag} {url} models/trained": "a copy that knows where it came from",
        "  dvc update --rev NEXT_TAG trained.dvc": "and follows to the next tag",
    }
    width = max(map(len, parts))
    alone = f"remote '{sent.name}' is set up for you alone (.dvc/config.local): others need its `dvc remote add` too"
    return [
        *([] if sent.in_git else [alone]),
        f"next: git push origin {f'{branch} ' if branch else ''}{tag}" if origin else
        f"next: git remote add origin URL && git push origin {f'{branch} ' if branch else ''}{tag}",
        "then others have all of it, and `dvc repro` finds nothing to do:",
        f"  git clone --branch {tag} {url} && cd {top} && python -m screentime pull{told}",
        "or parts of it, in a project of their own:",
        *(f"{words:<{width}}   # {meaning}" for words, meaning in parts.items()),
    ]  # fmt: skip
