"""Films coming into a project and leaving it: found, checked, placed under data/videos, pinned, and named.

A film's bytes are pinned twice, for two readers: DVC's pointer file lets others fetch them, and the sha256 in params.yaml
keeps labels from being read against another film that has taken its name.
"""

import os
import unicodedata
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import requests
from tqdm import tqdm

from screentime.errors import InputError
from screentime.files import new_file, sha256_of
from screentime.film_names import films_in
from screentime.project.declarations import Declarations
from screentime.project.tools import dvc, git_holds
from screentime.video import VideoSampler
from screentime.wording import clock

PLAYLIST_SUFFIXES = frozenset([".m3u", ".m3u8", ".txt"])
PIECE = 1 << 20


@dataclass(frozen=True)
class Arrival:
    """A film that is in the project now.

    Attributes:
        file: its path below data/videos.
        length_s: how long it says it is, seconds; None where it does not say.
        n_bytes: its size.
        how: "linked" (a hard link), "copied", "downloaded", or "there already".
    """

    file: str
    length_s: float | None
    n_bytes: int
    how: str


def sources(words: Sequence[str]) -> list[str]:
    """The films that words on a command line mean: a file, an address, a folder of films, a playlist of either.

    Folders are searched with their subfolders, in order of name. A playlist has one file or address a line; lines that
    begin with # are remarks; names are relative to the playlist.

    Raises:
        InputError: a word that is no file, folder or address, or a folder or playlist without films.
    """
    found: list[str] = []
    for word in words:
        path = Path(word)
        if _is_address(word):
            found.append(word)
        elif path.is_dir():
            found += map(str, films_in(path))
        elif path.suffix.lower() in PLAYLIST_SUFFIXES and path.is_file():
            found += _listed(path)
        elif path.is_file():
            found.append(word)
        else:
            raise InputError(
                f"{word}: no such file was found, a film, a folder of films, a playlist or an http address was expected; "
                "correct it"
            )
    return list(dict.fromkeys(found))


def add_videos(
    folder: Path,
    films: Sequence[str],
    *,
    private: bool,
    facts: dict,
    name: str | None = None,
    told: Callable[[str], None],
) -> tuple[list[Arrival], list[str]]:
    """Bring films into the project in this folder.

    Args:
        folder: the project's top folder.
        films: files and addresses.
        private: whether they stay on this machine: DVC does not get them.
        facts: keys of an entry of `videos` that hold for all of them (licence, credit, split).
        name: the file name that a single film gets; None keeps its own.
        told: receives a line about each film.

    Returns:
        The films that are in now, and a sentence for each that could not be taken; the others are in all the same.
    """
    declarations = Declarations(folder)
    arrivals: list[Arrival] = []
    sentences: list[str] = []
    new: list[str] = []
    with _undone_on_failure() as placed:
        for film in films:
            try:
                arrival, entry = _placed(folder, film, name or _name_of(film), declarations, placed)
            except InputError as error:
                sentences.append(str(error))
                continue
            arrivals.append(arrival)
            told(_line(arrival))
            if entry is not None:
                new.append(f"data/videos/{arrival.file}")
                declarations.add_video(entry | facts | ({"private": True} if private else {}), declared=not private)
        if new and not private:
            placed += [folder / f"{path}.dvc" for path in new]
            dvc(folder, "add", *new)
        declarations.write()
        placed.clear()
    return arrivals, sentences


def remove_video(folder: Path, file: str, *, with_labels: bool) -> list[str]:
    """Take a film out of the project; what a person wrote about it goes only where Git still has it.

    Args:
        folder: the project's top folder.
        file: the film, as params.yaml names it.
        with_labels: whether its label files go as well.

    Returns:
        What was removed, as paths.

    Raises:
        InputError: it has label files and they shall stay, or Git does not hold them as they are.
    """
    declarations = Declarations(folder)
    video_id = unicodedata.normalize("NFC", Path(file).stem)
    labels = sorted((folder / "data" / "labels").glob(f"{_literal(video_id)}*.csv"))
    labels = [path for path in labels if path.name.startswith(f"{video_id}.")]
    if labels and not with_labels:
        names = ", ".join(path.name for path in labels)
        raise InputError(
            f"data/labels: {names} were found, a film without labels was expected; leave the film out with `python -m "
            f"screentime video skip {video_id} --reason ...`, which keeps them, or add --with-labels"
        )
    for path in labels:
        if not git_holds(folder, path):
            raise InputError(
                f"{path.relative_to(folder)}: changed since the last commit, work that can be brought back was expected; "
                "commit it first"
            )
    entry = next(entry for entry in declarations.entries if entry["file"] == file)
    declarations.remove_video(file)
    declarations.write()
    film = folder / "data" / "videos" / file
    gone = [*labels, film.with_name(f"{film.name}.dvc")]
    if not entry.get("private"):  # DVC's cache still has it; of a private film this may be the only copy
        gone.append(film)
    gone = [path for path in gone if path.is_file()]
    for path in gone:
        path.unlink()
    return [path.relative_to(folder).as_posix() for path in gone]


def _placed(
    folder: Path, film: str, name: str, declarations: Declarations, placed: list[Path]
) -> tuple[Arrival, dict | None]:
    """Put one film under data/videos and look whether it is one; its arrival, and its entry where it is not named yet."""
    name = unicodedata.normalize("NFC", name)
    path = folder / "data" / "videos" / name
    if path.is_file():
        if _is_address(film) or not _same_bytes(Path(film), path):
            raise InputError(
                f"{film}: data/videos/{name} is there already and may be another film, a new name was expected; give this "
                "one a name with --name"
            )
        how = "there already"
    else:
        placed.append(path)
        how = _brought(film, path)
    try:
        length_s = _length_s(path)
    except InputError as error:
        _take_back(path, placed)
        raise InputError(str(error).replace(str(path), film)) from None
    digest = sha256_of(path)
    named = next((entry for entry in declarations.entries if entry["file"] == name), None)
    if named and named.get("sha256", digest) != digest:
        _take_back(path, placed)
        raise InputError(
            f"{film}: sha256 {digest[:12]}... was found, params.yaml names another film '{name}' ({named['sha256'][:12]}...), "
            "on which labels may rest; give this one a name with --name"
        )
    return Arrival(name, length_s, path.stat().st_size, how), None if named else {"file": name, "sha256": digest}


def _take_back(path: Path, placed: list[Path]) -> None:
    """Remove a film that was placed now; one that was there before stays."""
    if path in placed:
        path.unlink(missing_ok=True)


def _same_bytes(one: Path, other: Path) -> bool:
    if one.samefile(other):
        return True
    return one.stat().st_size == other.stat().st_size and sha256_of(one) == sha256_of(other)


def _brought(film: str, path: Path) -> str:
    """Link, copy or download a film to a path; says which."""
    if _is_address(film):
        _download(film, path)
        return "downloaded"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(os.path.realpath(film), path)
        return "linked"
    except OSError:  # another disk, or one without links
        with new_file(path) as partial, open(film, "rb") as source, open(partial, "wb") as copy:
            total = os.fstat(source.fileno()).st_size
            with tqdm(total=total, desc=f"copying {path.name}", unit="B", unit_scale=True, disable=None) as bar:
                while piece := source.read(PIECE):
                    copy.write(piece)
                    bar.update(len(piece))
        return "copied"


def _download(address: str, path: Path) -> None:
    """Fetch a film; a page in its place is refused before it is kept."""
    try:
        with requests.get(address, stream=True, timeout=30) as answer:
            if not answer.ok:
                raise InputError(
                    f"{address}: the server answered {answer.status_code} {answer.reason}, a film was expected; correct the "
                    "address"
                )
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            pieces = answer.iter_content(PIECE)
            first = next(pieces, b"")
            if kind in ("text/html", "application/xhtml+xml") or first.lstrip()[:15].lower().startswith(
                (b"<!doctype", b"<html")
            ):
                raise InputError(
                    f"{address}: a page was found, the film's file itself was expected; copy the address of the file, or "
                    "download it with a browser and add the file"
                )
            total = int(answer.headers.get("Content-Length", 0)) or None
            path.parent.mkdir(parents=True, exist_ok=True)
            with (
                new_file(path) as partial,
                open(partial, "wb") as file,
                tqdm(total=total, desc=path.name, unit="B", unit_scale=True, disable=None) as bar,
            ):
                file.write(first)
                bar.update(len(first))
                for piece in pieces:
                    file.write(piece)
                    bar.update(len(piece))
                if total is not None and answer.headers.get("Content-Encoding") is None and file.tell() < total:
                    raise InputError(
                        f"{address}: {file.tell()} of {total} bytes arrived before the connection ended; run again"
                    )
    except requests.RequestException as error:
        if isinstance(error, requests.Timeout):
            reason = "no answer in time"
        elif isinstance(error, requests.ConnectionError):
            reason = "the connection failed"
        else:
            reason = str(error).strip().splitlines()[0][:150]
        raise InputError(
            f"{address}: it could not be fetched ({reason}), a film was expected; check the address and the network, or "
            "download it otherwise and add the file"
        ) from None


def _length_s(path: Path) -> float | None:
    """How long a film says it is; decodes its first frame, so that what is no film is refused."""
    sampler = VideoSampler(path, Fraction(1), 64)
    frames = iter(sampler)
    next(frames)
    frames.close()
    return float(sampler.claimed_s) if sampler.claimed_s else None


def _line(arrival: Arrival) -> str:
    length = "length unknown" if arrival.length_s is None else clock(arrival.length_s)
    return f"data/videos/{arrival.file}: {length}, {arrival.n_bytes / 1e6:.1f} MB, {arrival.how}"


def _listed(playlist: Path) -> list[str]:
    """The films that a playlist names."""
    lines = [line.strip() for line in playlist.read_text(encoding="utf-8-sig", errors="replace").splitlines()]
    if any(line.startswith("#EXT-X-") for line in lines):
        raise InputError(
            f"{playlist}: a list of a stream's pieces was found, a list of films was expected; download the film otherwise "
            "and add the file"
        )
    names = [line for line in lines if line and not line.startswith("#")]
    films = [name if _is_address(name) else str(playlist.parent / name) for name in names]
    if not films:
        raise InputError(f"{playlist}: no film is named in it, one file or address a line was expected; correct it")
    missing = [film for film in films if not _is_address(film) and not Path(film).is_file()]
    if missing:
        raise InputError(f"{playlist}: it names '{missing[0]}', which is not there; correct the line")
    return films


def _is_address(word: str) -> bool:
    return word.lower().startswith(("http://", "https://"))


def _name_of(film: str) -> str:
    """The file name of a film: an address's last part, without what follows ? or #."""
    if not _is_address(film):
        return Path(film).name
    name = Path(urllib.parse.unquote(urllib.parse.urlsplit(film).path)).name
    if not name:
        raise InputError(f"{film}: this address has no file name, one was expected; give one with --name")
    return name


def _literal(name: str) -> str:
    """A name as a glob pattern that matches only itself."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


@contextmanager
def _undone_on_failure() -> Iterator[list[Path]]:
    """Gives a list; where the block fails, the files that it then names are removed."""
    placed: list[Path] = []
    try:
        yield placed
    except BaseException:  # Ctrl-C too: whatever ends it, nothing half-placed stays; then it is raised on
        for path in placed:
            path.unlink(missing_ok=True)
        raise
