"""A process of its own that moves data between the cache and a remote, and says what the remote lacks.

The one module that knows DVC's Python; sharing.py runs it, nothing imports it. It does what `dvc push` and `dvc pull` do,
with DVC's own progress, and three things that they do not: failures keep their kind, every file is asked for on the
remote itself (DVC takes a folder's files for granted once the folder's list is there, so a file that the remote lost is
never pushed again), and what can be brought is brought although something is missing.
"""

import errno
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from dvc.config import ConfigError, NoRemoteError, RemoteNotFoundError
from dvc.exceptions import DvcException, FileTransferError
from dvc.repo import Repo
from dvc.repo.worktree import worktree_view
from dvc_data.hashfile.transfer import transfer

PATIENCE_S = 30
TEMPORARY = "*/.*.tmp"  # in the cache: what a transfer has not finished
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REFUSED = ("401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken")
READ_ONLY = ("405", "501")


class Failures(logging.Handler):
    """Collects the exceptions that DVC writes into its log and goes on."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])


def main(work: str, name: str | None) -> dict:
    """Push or pull; what came of it, for sharing.py.

    Args:
        work: "push" or "pull".
        name: the remote's name; None: the default one.

    Returns:
        remote: its name, url, protocol and whether .dvc/config names it; remotes: the names of all; cache: the cache's
        folder; files: how many different ones the checkout needs; moved: how many were transferred; lacking: the paths of those that are
        nowhere (push: on the remote; pull: neither here nor there), all_lacking: whether these are all; problem: None, or its kind (see `kind`) and reason.
    """
    failures = Failures()
    for package in ("dvc", "dvc_data", "dvc_objects"):
        logging.getLogger(package).handlers = [failures]
    told: dict = {"remote": {"name": name}, "remotes": [], "files": 0, "moved": 0, "lacking": [], "problem": None}
    try:
        repo = Repo()
        cache = Path(repo.cache.local.path)
        told["cache"] = str(cache.relative_to(repo.root_dir) if cache.is_relative_to(repo.root_dir) else cache)
        told["remotes"] = sorted(repo.config["remote"])
        be_impatient(repo, name)
        remote = repo.cloud.get_remote(name)
        told["remote"] = described(repo, remote)
        needed = dict(needed_files(repo))
        probe(remote, needed, work)
        told["moved"] = (push if work == "push" else pull)(repo, remote, needed, failures)
        needed = dict(needed_files(repo))  # a folder's list may only now be there
        told["files"] = len({hash_info.value for hash_info in needed.values()})
        told["lacking"] = lacking(repo, remote, needed, work)
        told["all_lacking"] = len(told["lacking"]) == len(needed)
    except Exception as error:  # whatever it is, its kind and its text are told
        told["problem"] = {"kind": kind(error), "reason": reason(error)}
    return told


def be_impatient(repo: Repo, name: str | None) -> None:
    """Give up a server that does not answer after half a minute, unless the remote's settings say otherwise.

    DVC waits half an hour for SSH, and asks S3 twenty-five times.
    """
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "1")
    settings = repo.config["remote"].get(name or repo.config["core"].get("remote"), {})
    protocol = urlsplit(str(settings.get("url", ""))).scheme
    if protocol in ("ssh", "http", "https", "s3"):
        settings.setdefault("timeout" if protocol == "ssh" else "connect_timeout", PATIENCE_S)


def described(repo: Repo, remote: object) -> dict:
    """A remote as a person knows it, without a password."""
    url = remote.path if remote.fs.protocol == "local" else repo.config["remote"][remote.name]["url"]
    secret = urlsplit(str(url)).password
    return {
        "name": remote.name,
        "url": str(url).replace(f":{secret}@", "@") if secret else str(url),
        "protocol": remote.fs.protocol,
        "in_git": remote.name in repo.config.load_one("repo").get("remote", {}),
    }


def needed_files(repo: Repo) -> Iterator[tuple[str, object]]:
    """The path and the hash of every file that the checkout needs, folders' lists too; outputs that are never pushed not.

    Of a folder whose list is not here yet, only the folder is known.
    """
    data = worktree_view(repo.index, push=True).data["repo"]
    data.onerror = lambda *_: None
    for key, entry in data.iteritems():
        if entry.hash_info:
            yield str(PurePosixPath(*key)), entry.hash_info


def probe(remote: object, needed: dict, work: str) -> None:
    """Ask the remote for one file, whether it has it or not: does it answer, does it let us in?"""
    if remote.fs.protocol == "local":
        if work == "pull" and not os.path.isdir(remote.path):
            raise ConnectionError("there is no such folder")
        return
    for hash_info in list(needed.values())[:1]:
        try:
            remote.fs.info(remote.odb.oid_to_path(hash_info.value))
        except FileNotFoundError as error:
            if error.filename:  # a file of this machine
                raise PermissionError(f"there is no key {error.filename}") from None
            if kind(error) in ("away", "refused", "no bucket"):  # HTTP: whatever happens is "not found"
                raise


def push(repo: Repo, remote: object, needed: dict, failures: Failures) -> int:
    """Push, then push again what only DVC's memory of the remote holds; how many files went."""
    moved, failed = _moved(repo.push, remote.name)
    if failed:
        raise (failures.errors or [failed])[0]
    missing = set(lacking(repo, remote, needed, "push"))
    again = {needed[path] for path in missing if repo.cache.local.exists(needed[path].value)}
    return moved + (len(transfer(repo.cache.local, remote.odb, again).transferred) if again else 0)


def pull(repo: Repo, remote: object, needed: dict, failures: Failures) -> int:
    """Bring everything that the remote has, and put it into its place; how many files came."""
    cache = Path(repo.cache.local.path)
    before = set(cache.glob(TEMPORARY))
    moved, failed = _moved(repo.fetch, remote.name)
    if any(kind(one) == "no room" for one in failures.errors):
        for left in set(cache.glob(TEMPORARY)) - before:  # DVC leaves them, and no `dvc gc` frees them
            left.unlink(missing_ok=True)
    graver = [one for one in failures.errors if kind(one) != "lost"]
    if failed and (graver or not failures.errors):
        raise (graver or [failed])[0]
    repo.drop_data_index()
    repo.checkout(allow_missing=True)
    return moved


def _moved(move: Callable[..., int], name: str) -> tuple[int, FileTransferError | None]:
    """How many files went over, and DVC's complaint if some did not."""
    try:
        return move(remote=name), None
    except FileTransferError as error:
        return 0, error


def lacking(repo: Repo, remote: object, needed: dict, work: str) -> list[str]:
    """The paths of the needed files that the remote has not, each asked for; when pulling, of those that are not here."""
    if remote.worktree or remote.fs.version_aware:
        return []  # such a remote keeps films under their names; DVC looks there itself
    missing = {hash_info.value for hash_info in needed.values()}
    for store in [repo.cache.local, remote.odb] if work == "pull" else [remote.odb]:
        missing -= set(store.oids_exist(missing)) if missing else set()
    return sorted(path for path, hash_info in needed.items() if hash_info.value in missing)


def kind(error: BaseException) -> str:
    """What went wrong: no room, refused, away, no bucket, read only, lost, no remote, unknown remote, unsaved, or other.

    Libraries wrap each other's errors, so the whole chain is looked through.
    """
    if isinstance(error, NoRemoteError):
        return "no remote"
    if isinstance(error, RemoteNotFoundError):
        return "unknown remote"
    if isinstance(error, DvcException) and "unsaved files" in str(error):
        return "unsaved"
    chain = list(causes(error))
    kinds = [one for one in (_kind(link) for link in chain) if one]
    for wanted in ("no room", "refused", "read only", "no bucket", "away", "lost"):
        if wanted in kinds:
            return wanted
    return "other"


def _kind(error: BaseException) -> str | None:
    """The kind of one error, without those behind it; None where it says nothing."""
    names = {cls.__name__ for cls in type(error).__mro__}
    code = str(getattr(error, "status", "") or _aws_code(error))
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        return "no room"
    if isinstance(error, PermissionError) or code in REFUSED or names & {"PermissionDenied", "NoCredentialsError"}:
        return "refused"
    if code in READ_ONLY:
        return "read only"
    if code == "NoSuchBucket":
        return "no bucket"
    if isinstance(error, FileNotFoundError):
        return "lost"
    if code.startswith("5") and len(code) == 3:
        return "away"
    if isinstance(error, OSError | TimeoutError) or names & {"DisconnectError", "HTTPClientError", "ClientError"}:
        return "away" if not code else None
    return None


def _aws_code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what lies behind it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def reason(error: BaseException) -> str:
    """The innermost text that says something, on one line; libraries repeat it on the way out."""
    texts = [str(one).strip().splitlines()[0] for one in causes(error) if str(one).strip()]
    if not texts:
        return type(error).__name__
    if kind(error) == "no room":
        full = next(one for one in causes(error) if isinstance(one, OSError) and one.errno in NO_ROOM)
        return os.strerror(full.errno).lower()
    if kind(error) == "unsaved":
        return ", ".join(os.path.relpath(path) for path in str(error).splitlines()[1:])
    text = texts[0] if isinstance(error, DvcException | ConfigError) else texts[-1]
    first, _, again = text.partition(": ")
    return first if first == again else text


if __name__ == "__main__":
    try:
        print(json.dumps(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)))
        sys.stdout.flush()
        os._exit(0)  # the libraries' background threads may outlive a server that went away
    except KeyboardInterrupt:
        os._exit(130)
