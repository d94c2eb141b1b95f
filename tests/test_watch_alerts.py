"""Alerts that reach real servers: mail over STARTTLS with its picture, webhook, program; what fails is said once."""

import base64
import email
import email.policy
import http.server
import json
import queue
import ssl
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import synthetic
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from hypothesis import given
from hypothesis import strategies as st
from servers import free_port
from watched import Numbers, Watching, settings

from screentime.__main__ import main
from screentime.errors import InputError
from screentime.frames import encode_jpeg
from screentime.table_files import read_table
from screentime.watching.alerts import AGAIN_AFTER_S, WAITING, Limits, Message, Refused, Sender
from screentime.watching.record import EVENTS
from screentime.watching.ways import PASSWORD, USER, WEBHOOK, ByCommand, ByMail, ByWebhook, ways_of

ROOT = Path(__file__).parents[1]
PICTURE = encode_jpeg(np.arange(48 * 64 * 3, dtype=np.uint32).astype(np.uint8).reshape(48, 64, 3), 80)
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
SECRET = "s3cret-word"


def message(character: str = "tom", source: str = "rtsp://10.0.0.7/door") -> Message:
    return Message(character, NOON, 0.93, 11, source, PICTURE)


class Mailbox:
    """What a mail server received."""

    def __init__(self) -> None:
        self.mails: list[email.message.EmailMessage] = []

    async def handle_DATA(self, server, session, envelope) -> str:
        assert session.ssl is not None  # nothing was said in the open
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@contextmanager
def mail_server(monkeypatch, tmp_path: Path) -> Iterator[tuple[Mailbox, int]]:
    """A server that wants STARTTLS, then user ann and the secret word; its certificate is trusted."""
    authority = trustme.CA()
    own = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(own)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))

    def known(server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"ann", SECRET.encode()), handled=False)

    box, port = Mailbox(), free_port()
    server = Controller(
        box, hostname="127.0.0.1", port=port, tls_context=own, require_starttls=True, authenticator=known, auth_required=True
    )  # fmt: skip
    server.start()
    try:
        yield box, port
    finally:
        server.stop()


def mail_settings(port: int, host: str = "localhost", security: str = "starttls"):
    alert = {
        "mail": {
            "host": host,
            "port": port,
            "security": security,
            "sender": "eye@example.org",
            "to": ["ann@example.org"],
        }
    }
    return settings(alert=alert).alert


def by_mail(port: int, password: str = SECRET, **more: str) -> ByMail:
    (way,) = ways_of(mail_settings(port, **more), {USER: "ann", PASSWORD: password}, patience_s=3.0)
    return way


def test_a_mail_comes_with_its_picture_over_starttls(monkeypatch, tmp_path):
    with mail_server(monkeypatch, tmp_path) as (box, port):
        by_mail(port).send(message("Том \"и\" 'Джерри'"))

    (mail,) = box.mails
    (attached,) = mail.iter_attachments()
    assert mail["Subject"] == "Том \"и\" 'Джерри' is on screen (0.93), rtsp://10.0.0.7/door"
    assert (mail["From"], mail["To"]) == ("eye@example.org", "ann@example.org")
    assert (attached.get_content_type(), attached.get_content()) == ("image/jpeg", PICTURE)
    assert "0.93 over 11 frames" in mail.get_body().get_content()


def test_a_name_of_several_lines_adds_no_header(monkeypatch, tmp_path):
    with mail_server(monkeypatch, tmp_path) as (box, port):
        by_mail(port).send(message("tom\r\nBcc: everybody@example.org"))

    assert box.mails[0]["Bcc"] is None
    assert box.mails[0]["Subject"].strip().startswith("tom Bcc: everybody@example.org is on screen")


def refusal(way, said: Message | None = None) -> Refused:
    with pytest.raises(Refused) as refused:
        way.send(said or message())
    assert SECRET not in str(refused.value)
    return refused.value


def test_a_wrong_password_is_one_sentence_without_it(monkeypatch, tmp_path):
    with mail_server(monkeypatch, tmp_path) as (box, port):
        refused = refusal(by_mail(port, password="wrong"))

    assert str(refused) == (
        f"localhost:{port} refused user and password; correct SCREENTIME_MAIL_USER and SCREENTIME_MAIL_PASSWORD, then start the "
        "watch again"
    )
    assert refused.for_good and not box.mails


def test_a_certificate_that_nobody_vouches_for_is_refused(monkeypatch, tmp_path):
    with mail_server(monkeypatch, tmp_path) as (box, port):
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "another.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "another.pem"))
        refused = refusal(by_mail(port))

    assert str(refused).startswith(f"the certificate of localhost:{port} is not to be trusted (")
    assert not box.mails


def test_a_password_never_travels_unprotected():
    with pytest.raises(InputError) as refused:
        by_mail(25, security="none")
    assert str(refused.value) == (
        "watch.alert.mail: security is none with a password in SCREENTIME_MAIL_PASSWORD, starttls or tls was expected: the password "
        "would be read by anybody on the way; set one of them, or unset SCREENTIME_MAIL_USER"
    )


@contextmanager
def silence() -> Iterator[int]:
    """A port that lets everybody in and never says a word."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_mail_server_that_hangs_is_left_after_its_time():
    with silence() as port:
        way = ByMail(mail_settings(port, host="127.0.0.1").mail, "", "", patience_s=0.2)
        assert str(refusal(way)) == f"127.0.0.1:{port} could not be reached (no answer in time)"


@contextmanager
def endpoint(answers: list[int], patient: threading.Event | None = None) -> Iterator[tuple[str, queue.Queue]]:
    """A web server that gives these answers, one after the other, the last one for ever; what was posted to it."""
    posted: queue.Queue = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Says nothing."""

        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.put(message | {"authorization": self.headers["Authorization"]})
            if patient is not None:
                patient.wait(10)
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks/{SECRET}", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_gets_who_when_how_sure_and_the_picture():
    with endpoint([200]) as (address, posted):
        ByWebhook(address, 3.0).send(message('Tom "the cat"\nof ours'))

    got = posted.get_nowait()
    assert (got["character"], got["score"], got["n_frames"]) == ('Tom "the cat"\nof ours', 0.93, 11)
    assert got["start"] == "2026-05-04T12:00:00.000+00:00"
    assert base64.b64decode(got["picture_jpeg_base64"]) == PICTURE
    assert got["text"] == got["content"]


@pytest.mark.parametrize(
    ("status", "for_good"),
    [(404, True), (500, False), (429, False), (302, False)],
    ids=["gone", "ill", "too many", "moved"],
)
def test_what_an_endpoint_answers_says_whether_to_try_again(status, for_good):
    with endpoint([status]) as (address, posted):
        refused = refusal(ByWebhook(address, 3.0))

    assert str(refused).startswith(f"127.0.0.1:{address.split(':')[2].split('/')[0]} answered {status} ")
    assert refused.for_good == for_good
    assert posted.qsize() == 1


def test_an_endpoint_that_is_slow_or_down_is_a_sentence():
    with silence() as port:
        assert (
            str(refusal(ByWebhook(f"http://127.0.0.1:{port}/{SECRET}", 0.2)))
            == f"127.0.0.1:{port} could not be reached (no answer in time)"
        )
    assert (
        str(refusal(ByWebhook(f"http://ann:{SECRET}@127.0.0.1:{port}/", 0.2)))
        == f"127.0.0.1:{port} could not be reached (connection refused)"
    )


def test_user_and_password_in_an_address_are_shown_to_the_endpoint_alone():
    with endpoint([200]) as (address, posted):
        ByWebhook(address.replace("//", f"//ann:{SECRET}@"), 3.0).send(message())
    assert posted.get_nowait()["authorization"] == "Basic " + base64.b64encode(f"ann:{SECRET}".encode()).decode()


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_program_reads_the_message_and_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv(PASSWORD, SECRET)
    program = script(
        tmp_path / "tell", f'cat > "{tmp_path}/got"; env > "{tmp_path}/env"; printf %s "$1" > "{tmp_path}/word"'
    )

    ByCommand([program, "$HOME; rm"], 5.0).send(message())

    assert json.loads((tmp_path / "got").read_text(encoding="utf-8"))["character"] == "tom"
    assert (tmp_path / "word").read_text() == "$HOME; rm"  # no shell has read it
    assert SECRET not in (tmp_path / "env").read_text(encoding="utf-8")


def test_a_program_that_fails_hangs_or_is_not_there_is_a_sentence(tmp_path):
    fails = script(tmp_path / "fails", "echo first >&2; echo the door is shut >&2; exit 3")
    assert str(refusal(ByCommand([fails], 5.0))) == f"{fails} ended with code 3 (the door is shut)"
    assert (
        str(refusal(ByCommand([script(tmp_path / "hangs", "exec sleep 60")], 0.2)))
        == f"{tmp_path / 'hangs'} did not end within 0.2 s"
    )
    assert (
        str(refusal(ByCommand([str(tmp_path / "none")], 5.0)))
        == f"{tmp_path / 'none'} could not be started (no such file or directory)"
    )


def test_a_failure_is_said_once_until_one_gets_through_again():
    said: list[str] = []
    with endpoint([500, 500, 404, 200, 200, 500]) as (address, _):
        sender = Sender(ByWebhook(address, 3.0), said.append, again_after_s=())
        sender.start()
        for _ in range(6):
            sender.hand(message())
        sender.close(30)
        host = address.split("/")[2]

    assert said == [
        f"alerts by webhook: {host} answered 500 Internal Server Error; the watch goes on",
        f"alerts by webhook: {host} answered 404 Not Found; the watch goes on",
        "alerts by webhook get through again",
        f"alerts by webhook: {host} answered 500 Internal Server Error; the watch goes on",
    ]
    assert (sender.n_sent, sender.n_failed) == (2, 4)


def test_a_receiver_that_is_away_for_a_moment_is_asked_again():
    said: list[str] = []
    with endpoint([503, 503, 200]) as (address, posted):
        sender = Sender(ByWebhook(address, 3.0), said.append, again_after_s=(0.01, 0.01))
        sender.start()
        sender.hand(message())
        for _ in range(3):
            assert posted.get(timeout=10)["character"] == "tom"
        sender.close(30)
    assert (said, sender.n_sent) == ([], 1)
    assert AGAIN_AFTER_S  # and a real watch is patient too


def test_of_alerts_that_wait_too_long_the_oldest_make_room_and_that_is_told():
    said, open_again = [], threading.Event()
    with endpoint([200], open_again) as (address, posted):
        sender = Sender(ByWebhook(address, 20.0), said.append, again_after_s=())
        sender.start()
        sender.hand(message("first"))
        assert posted.get(timeout=10)["character"] == "first"  # it is being answered, slowly
        for number in range(WAITING + 5):
            sender.hand(message(f"{number}"))
        open_again.set()
        sender.close(30)

    assert (sender.n_sent, sender.n_failed, sender.n_dropped) == (1 + WAITING, 0, 5)
    assert [posted.get_nowait()["character"] for _ in range(WAITING)] == [str(5 + place) for place in range(WAITING)]
    assert said == ["alerts by webhook: 5 were never sent, newer ones took their place"]


def test_a_slow_receiver_holds_up_neither_the_watch_nor_the_others(tmp_path):
    """Events go on while one endpoint keeps its first request; the other gets them all."""
    open_again = threading.Event()
    film = tmp_path / "film.mp4"
    synthetic.write_film(film, synthetic.constant_rate(60, 30))
    with endpoint([200], open_again) as (slow, _), endpoint([200]) as (quick, posted):
        watching = Watching(
            film, Numbers(lambda number: (0.9 * (number % 10 < 6), 0.0)), tmp_path / "out", fps=30.0, total_frames=1,
            ways=[ByWebhook(slow, 20.0), ByWebhook(quick, 3.0)], alert={"cooldown_s": 0.0},
        )  # fmt: skip
        watching.record.start()
        watching.watch.run()
        first = posted.get(timeout=10)
        n_judged = len(watching.judged)
        open_again.set()
        watching.record.close()
        watching.alerts.close(30)

    assert first["character"] == "even"
    n_events = watching.record.n_events  # a busy machine judges fewer frames, and may miss one
    assert n_judged >= 2 * n_events > 2
    assert [sender.n_sent for sender in watching.alerts.senders] == [n_events, n_events]


minutes = st.integers(0, 24 * 60)


@given(
    st.lists(st.tuples(st.sampled_from("ab"), minutes), max_size=30),
    st.integers(0, 120),
    st.integers(1, 4),
    minutes,
    minutes,
)
def test_limits_hold_whatever_comes(events, cooldown_minutes, per_hour, quiet_from, quiet_to):
    clock = lambda minute: f"{minute // 60 % 24:02}:{minute % 60:02}"  # noqa: E731
    alert = settings(
        alert={
            "cooldown_s": 60.0 * cooldown_minutes,
            "per_hour": per_hour,
            "quiet": [f"{clock(quiet_from)}-{clock(quiet_to)}"],
        }
    ).alert
    limits, sent = Limits(alert), []
    midnight = NOON.replace(hour=0)
    for character, minute in sorted(events, key=lambda event: event[1]):
        now = midnight + timedelta(minutes=minute)
        first, last, at = quiet_from % 1440, quiet_to % 1440, minute % 1440
        quiet = first <= at < last if first < last else at >= first or at < last
        verdict = limits.judged(character, now)
        cooling = any(who == character and now - when < timedelta(minutes=cooldown_minutes) for who, when in sent)
        full = sum(now - when < timedelta(hours=1) for _, when in sent) >= per_hour
        assert verdict == ("quiet" if quiet else "cooldown" if cooling else "limit" if full else "sent")
        if verdict == "sent":
            sent.append((character, now))


def test_with_a_wrong_password_the_watch_goes_on_and_says_so_once(monkeypatch, tmp_path):
    film = tmp_path / "film.mp4"
    synthetic.write_film(film, synthetic.constant_rate(60, 30))
    with mail_server(monkeypatch, tmp_path) as (box, port):
        watching = Watching(
            film, Numbers(lambda number: (0.9 * (number % 20 < 10), 0.0)), tmp_path / "out", fps=30.0, total_frames=1,
            ways=[by_mail(port, password="wrong")], alert={"cooldown_s": 0.0},
        ).run()  # fmt: skip

    (sender,) = watching.alerts.senders
    assert (sender.n_sent, sender.n_failed, box.mails) == (0, watching.record.n_events, [])
    assert watching.record.n_events > 1
    assert watching.said == [
        f"alerts by mail: localhost:{port} refused user and password; correct SCREENTIME_MAIL_USER and SCREENTIME_MAIL_PASSWORD, then "
        "start the watch again; the watch goes on"
    ]


def test_events_that_are_not_told_say_why_in_the_table(tmp_path):
    film = tmp_path / "film.mp4"
    synthetic.write_film(film, synthetic.constant_rate(60, 20))
    with endpoint([200]) as (address, posted):
        watching = Watching(
            film, Numbers(lambda number: (0.9 * (number % 20 < 10), 0.9 * (number >= 30))), tmp_path / "out", fps=20.0, total_frames=1,
            ways=[ByWebhook(address, 3.0)], alert={"cooldown_s": 300.0, "per_hour": 1},
        ).run()  # fmt: skip

    rows = read_table(watching.out / "events.csv", EVENTS)
    assert rows[rows["character"] == "even"]["alert"].tolist() == ["sent", "cooldown", "cooldown"]
    assert rows[rows["character"] == "odd"]["alert"].tolist() == ["limit"]
    assert posted.qsize() == 1


def command_params(tmp_path: Path, old: str, new: str) -> Path:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    path = tmp_path / "params.yaml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_a_test_alert_goes_every_way_and_says_how_it_went(tmp_path, monkeypatch, capsys):
    with endpoint([200]) as (address, posted):
        monkeypatch.setenv(WEBHOOK, address)
        main(["watch", "--test-alert", "--params", str(command_params(tmp_path, "command: [] ", "command: [cat] "))])
    assert capsys.readouterr().out == "webhook: sent\ncommand: sent\n"
    assert posted.get_nowait()["source"] == "a test of alerts"


def test_a_test_alert_that_fails_or_has_no_way_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv(WEBHOOK, raising=False)
    params = command_params(tmp_path, "command: [] ", "command: [/no/such/program] ")
    with pytest.raises(SystemExit) as ended:
        main(["watch", "--test-alert", "--params", str(params)])
    assert (ended.value.code, capsys.readouterr().err) == (
        1,
        "command: /no/such/program could not be started (no such file or directory)\n"
        f"{params}: watch.alert: no test alert came through by command; see above\n",
    )
    own = ROOT / "params.yaml"
    with pytest.raises(SystemExit):
        main(["watch", "--test-alert", "--params", str(own)])
    assert capsys.readouterr().err == (
        f"{own}: watch.alert: neither mail nor webhook nor command is set, one was expected; set one, then try again\n"
    )
