"""Data goes to real servers and comes back: sshd, an HTTP server, an S3 server; and each way they fail is one sentence."""

import hashlib
import shutil
from pathlib import Path

import pytest
from clones import FILES, another, copied, declare, film_project, remove_from_store
from project import Project
from servers import REGION, S3Server, SshServer, free_port, http_server, s3_server, ssh_server


@pytest.fixture(scope="module", autouse=True)
def own_memory(tmp_path_factory):
    """What DVC remembers of remotes stays inside the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path_factory.mktemp("memory")))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "SSH_AUTH_SOCK"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    return film_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def owner(project, tmp_path) -> Project:
    """The project with all its data, for a test to change."""
    return copied(project, tmp_path / "owner")


@pytest.fixture(scope="module")
def ssh(tmp_path_factory):
    with ssh_server(tmp_path_factory.mktemp("ssh") / "server") as server:
        yield server


@pytest.fixture(scope="module")
def s3():
    with s3_server() as server:
        yield server


def use_ssh(project: Project, server: SshServer, store: Path, key: Path) -> str:
    """Make a folder behind sshd the default remote; its address."""
    declare(project, "storage", server.url(store), secrets={"keyfile": str(key)})
    return server.url(store)


def use_s3(project: Project, server: S3Server, prefix: str, secret: str, bucket: str = "films") -> None:
    """Make a place in a bucket the default remote."""
    secrets = {"access_key_id": server.key_id, "secret_access_key": secret}
    settings = {"endpointurl": server.endpoint, "region": REGION}
    declare(project, "storage", f"s3://{bucket}/{prefix}", settings, secrets)


def digest_of(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def contents(folder: Path) -> dict[str, bytes]:
    """The film and the frames by name."""
    paths = [folder / "data" / "videos" / "film.mp4", *sorted((folder / "data" / "frames").glob("*"))]
    return {path.name: path.read_bytes() for path in paths}


def push(project: Project, *words: str, code: int = 0) -> str:
    return project.run("python", "-m", "screentime", "push", *words, code=code)


def pull(project: Project, *words: str, code: int = 0) -> str:
    return project.run("python", "-m", "screentime", "pull", *words, code=code)


def test_ssh_takes_the_data_and_gives_it_back(owner, ssh, tmp_path):
    url = use_ssh(owner, ssh, tmp_path / "store", ssh.key)

    assert push(owner) == f"remote 'storage' ({url}): {FILES} files sent now; all {FILES} of this commit are there\n"
    clone = another(owner, tmp_path / "clone")
    assert pull(clone).splitlines()[0] == (
        f"remote 'storage' ({url}): {FILES} files brought now; all {FILES} of this commit are here"
    )
    assert contents(clone.folder) == contents(owner.folder)
    assert clone.stages_run(clone.run("dvc", "repro", "sample")) == []


def test_plain_dvc_push_and_pull_do_the_same_over_ssh(owner, ssh, tmp_path):
    use_ssh(owner, ssh, tmp_path / "store", ssh.key)

    owner.run("dvc", "push")
    clone = another(owner, tmp_path / "clone")
    clone.run("dvc", "pull", "--allow-missing")

    assert contents(clone.folder) == contents(owner.folder)


def test_an_ssh_server_that_refuses_the_key_is_told_with_what_to_do(owner, ssh, tmp_path):
    url = use_ssh(owner, ssh, tmp_path / "store", ssh.foreign_key)

    for move in (push, pull):
        told = move(owner, code=1)
        assert told.startswith(f"remote 'storage' ({url}): it does not let you in (Permission denied for user ")
        assert told.endswith(
            " on host 127.0.0.1), a key that it knows was expected; give the server your public key, or name the one it "
            "knows with `dvc remote modify --local storage keyfile PATH`\n"
        )
        assert len(told.splitlines()) == 1


def test_a_key_that_is_not_where_the_settings_say_is_told(owner, ssh, tmp_path):
    url = use_ssh(owner, ssh, tmp_path / "store", tmp_path / "key")

    assert pull(owner, code=1) == (
        f"remote 'storage' ({url}): it does not let you in (there is no key {tmp_path / 'key'}), a key that it knows was "
        "expected; give the server your public key, or name the one it knows with `dvc remote modify --local storage "
        "keyfile PATH`\n"
    )


def test_an_ssh_server_that_is_away_is_told(owner, ssh, tmp_path):
    port = free_port()
    url = use_ssh(owner, SshServer(port, ssh.key, ssh.foreign_key), tmp_path / "store", ssh.key)

    for move in (push, pull):
        assert move(owner, code=1) == (
            f"remote 'storage' ({url}): no answer ([Errno 111] Connect call failed ('127.0.0.1', {port})), a running "
            "server was expected; start it, or correct the address with `dvc remote modify storage url URL`\n"
        )


def test_a_file_that_the_ssh_server_lost_is_named_and_push_brings_it_back(owner, ssh, tmp_path):
    url = use_ssh(owner, ssh, tmp_path / "store", ssh.key)
    push(owner)
    remove_from_store(tmp_path / "store", digest_of(owner.folder / "data" / "frames" / "film.mjpeg"))
    commit = owner.run("git", "rev-parse", "--short", "HEAD").strip()

    clone = another(owner, tmp_path / "clone")
    assert pull(clone, code=1) == (
        f"data/frames/film.mjpeg: not on the remote 'storage' ({url}), commit {commit} needs it there; ask for `git "
        f"checkout {commit} && python -m screentime push --remote storage` where the data is, or make it anew here with "
        "`dvc repro`\n"
    )
    assert digest_of(clone.folder / "data" / "videos" / "film.mp4") == digest_of(
        owner.folder / "data" / "videos" / "film.mp4"
    )
    assert "Everything is up to date." in owner.run("dvc", "push")  # which is why `push` asks for every file
    assert push(owner) == f"remote 'storage' ({url}): 1 file sent now; all {FILES} of this commit are there\n"
    pull(clone)
    assert contents(clone.folder) == contents(owner.folder)


def test_a_lost_film_is_asked_for_and_not_to_be_made_anew(owner, ssh, tmp_path):
    url = use_ssh(owner, ssh, tmp_path / "store", ssh.key)
    push(owner)
    remove_from_store(tmp_path / "store", digest_of(owner.folder / "data" / "videos" / "film.mp4"))
    commit = owner.run("git", "rev-parse", "--short", "HEAD").strip()

    clone = another(owner, tmp_path / "clone")

    assert pull(clone, code=1) == (
        f"data/videos/film.mp4: not on the remote 'storage' ({url}), commit {commit} needs it there; ask for `git "
        f"checkout {commit} && python -m screentime push --remote storage` where the data is\n"
    )
    assert (clone.folder / "data" / "frames" / "film.mjpeg").is_file()


def test_http_gives_what_was_pushed_to_the_folder_behind_it(owner, tmp_path):
    declare(owner, "storage", str(tmp_path / "store"))
    push(owner)

    with http_server(tmp_path / "store") as url:
        declare(owner, "web", url)
        clone = another(owner, tmp_path / "clone")
        assert pull(clone).splitlines()[0] == (
            f"remote 'web' ({url}): {FILES} files brought now; all {FILES} of this commit are here"
        )

    assert contents(clone.folder) == contents(owner.folder)


def test_an_http_server_that_only_reads_is_told(owner, tmp_path):
    (tmp_path / "store").mkdir()
    with http_server(tmp_path / "store") as url:
        declare(owner, "web", url)
        told = push(owner, code=1)

    assert told.startswith(f"remote 'web' ({url}): it cannot be written (501, message=\"Unsupported method ('POST')\"")
    assert told.endswith("), a place to push to was expected; push to the folder or server behind it with --remote\n")


def test_an_http_server_that_is_away_is_not_taken_for_an_empty_one(owner, tmp_path):
    with http_server(tmp_path) as url:
        declare(owner, "web", url)
    port = url.rpartition(":")[2]

    assert pull(owner, code=1) == (
        f"remote 'web' ({url}): no answer ([Errno 111] Connect call failed ('127.0.0.1', {port})), a running server was "
        "expected; start it, or correct the address with `dvc remote modify web url URL`\n"
    )


def test_an_http_server_that_wants_a_password_is_told(owner, tmp_path):
    with http_server(tmp_path, locked=True) as url:
        declare(owner, "web", url)
        told = pull(owner, code=1)

    assert told.startswith(f"remote 'web' ({url}): it does not let you in (401, message='Unauthorized', url=")
    assert told.endswith(
        "), a key that it knows was expected; set it with `dvc remote modify --local web auth basic`, `dvc remote modify "
        "--local web user NAME` and `dvc remote modify --local web password PASSWORD`\n"
    )


def test_s3_takes_the_data_and_gives_it_back(owner, s3, tmp_path):
    use_s3(owner, s3, "a", s3.secret)

    assert (
        push(owner)
        == f"remote 'storage' (s3://films/a): {FILES} files sent now; all {FILES} of this commit are there\n"
    )
    clone = another(owner, tmp_path / "clone")
    pull(clone)

    assert contents(clone.folder) == contents(owner.folder)


def test_an_s3_server_that_refuses_the_key_is_told(owner, s3):
    use_s3(owner, s3, "b", "another secret")

    assert pull(owner, code=1) == (
        "remote 'storage' (s3://films/b): it does not let you in (An error occurred (403) when calling the HeadObject "
        "operation: Forbidden), a key that it knows was expected; set yours with `dvc remote modify --local storage "
        "access_key_id ID` and `dvc remote modify --local storage secret_access_key SECRET`\n"
    )


def test_an_s3_bucket_that_is_not_there_is_told(owner, s3):
    use_s3(owner, s3, "c", s3.secret, bucket="nowhere")

    assert pull(owner, code=1) == (
        "remote 'storage' (s3://nowhere/c): there is no such bucket, one was expected; create it, or correct the address "
        "with `dvc remote modify storage url URL`\n"
    )


def test_an_s3_server_that_is_away_is_told(owner):
    port = free_port()
    use_s3(owner, S3Server(f"http://127.0.0.1:{port}", "key", "secret"), "d", "secret")

    assert pull(owner, code=1) == (
        f"remote 'storage' (s3://films/d): no answer ([Errno 111] Connect call failed ('127.0.0.1', {port})), a running "
        "server was expected; start it, or correct the address with `dvc remote modify storage url URL`\n"
    )


def test_a_password_in_the_address_is_not_shown(owner, tmp_path):
    url = f"ssh://someone@127.0.0.1:{free_port()}{tmp_path}"
    declare(owner, "storage", url.replace("@", ":hush@"))

    told = pull(owner, code=1)

    assert "hush" not in told and f"({url})" in told


def test_an_unknown_remote_and_none_at_all_are_told(owner):
    nothing = (
        ".dvc/config: no default remote was found, a place for the data was expected; name one: `dvc remote add --default "
        "NAME URL` (docs/sharing.md), then commit .dvc/config\n"
    )
    assert push(owner, code=1) == pull(owner, code=1) == nothing

    owner.run("dvc", "remote", "add", "storage", "../store")
    assert (
        push(owner, "--remote", "storag", code=1) == "--remote: no remote is called 'storag'; did you mean 'storage'?\n"
    )
    assert push(owner, code=1) == (
        ".dvc/config: no default remote was found, a place for the data was expected; known are storage: choose one with "
        "--remote, or `dvc remote default NAME`\n"
    )


def test_a_folder_that_is_not_there_is_told_when_pulling(owner, tmp_path):
    store = tmp_path / "store"
    declare(owner, "storage", str(store))
    push(owner)
    shutil.rmtree(store)

    assert pull(owner, code=1) == (
        f"remote 'storage' ({store}): there is no such folder, a folder with the data was expected; connect the disk that "
        "holds it, or correct the address with `dvc remote modify storage url FOLDER`\n"
    )
