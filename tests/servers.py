"""Real servers for remotes, on free ports of 127.0.0.1: sshd, an HTTP server, an S3 server with its own users.

with ssh_server(folder) as ssh:
    ssh.url("/srv/films"), ssh.key         # ssh://user@127.0.0.1:PORT/srv/films, the key it knows
"""

import functools
import getpass
import http.server
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

REGION = "us-east-1"


@dataclass(frozen=True)
class SshServer:
    """A running sshd: its port, a private key that it lets in, and one that it does not."""

    port: int
    key: Path
    foreign_key: Path

    def url(self, folder: Path) -> str:
        return f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}{folder}"


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """sshd as an ordinary process with its own settings, host key and one key that may log in, all in `folder`."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    assert program, "sshd was not found; .ci/run installs it (Debian: openssh-server)"
    folder.mkdir(parents=True)
    for name in ("host_key", "key", "foreign_key"):
        key = asyncssh.generate_private_key("ssh-ed25519")
        key.write_private_key(folder / name)
        (folder / name).chmod(0o600)
        if name == "key":
            key.write_public_key(folder / "authorized_keys")
    port = free_port()
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder / 'host_key'}\nPidFile {folder / 'pid'}\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nSubsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd wants it when root starts it
    with open(folder / "log", "w") as log:
        process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "sshd_config")], stderr=log)
    try:
        while not answers(port):
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.02)
        yield SshServer(port, folder / "key", folder / "foreign_key")
    finally:
        process.terminate()
        process.wait()


@contextmanager
def http_server(folder: Path, *, locked: bool = False) -> Iterator[str]:
    """Python's own HTTP server over a folder, which it only reads; `locked` asks everybody for a password."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def send_head(self):
            if locked:
                self.send_error(http.HTTPStatus.UNAUTHORIZED)
                return None
            return super().send_head()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class S3Server:
    """A running S3 server with the bucket `films` and the one key that may use it."""

    endpoint: str
    key_id: str
    secret: str


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """An S3 server that checks keys and signatures; one in a process, for it keeps everything in memory."""
    import boto3
    import requests
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        anyone = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": REGION}
        iam = boto3.client("iam", endpoint_url=endpoint, **anyone)
        iam.create_user(UserName="films")
        everything = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'
        iam.put_user_policy(UserName="films", PolicyName="all", PolicyDocument=everything)
        key = iam.create_access_key(UserName="films")["AccessKey"]
        boto3.client("s3", endpoint_url=endpoint, **anyone).create_bucket(Bucket="films")
        requests.post(f"{endpoint}/moto-api/reset-auth", data=b"0", timeout=10)  # from now on keys are checked
        yield S3Server(endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    finally:
        server.stop()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    """Does anybody listen on a port of 127.0.0.1?"""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
