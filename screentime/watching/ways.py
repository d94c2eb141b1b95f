"""Mail, webhook, command: how an alert leaves this machine. Secrets come from the environment and go into no sentence."""

import base64
import os
import smtplib
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.utils import format_datetime, localtime, make_msgid
from urllib.parse import unquote, urlsplit, urlunsplit

from screentime.errors import InputError
from screentime.watch_params import Alert, Mail
from screentime.watching.alerts import Message, Refused, Way
from screentime.watching.place import without_password

USER, PASSWORD, WEBHOOK = "SCREENTIME_MAIL_USER", "SCREENTIME_MAIL_PASSWORD", "SCREENTIME_WEBHOOK"
PATIENCE_S = 20.0  # a receiver that does not answer for so long is away
LAST_WORDS = 200  # letters of what a program said before it failed


def ways_of(settings: Alert, environment: Mapping[str, str], patience_s: float = PATIENCE_S) -> list[Way]:
    """The ways that are set.

    Args:
        settings: the section `watch.alert`.
        environment: user and password of the mail server, and a webhook that has to stay secret: USER, PASSWORD, WEBHOOK.
        patience_s: how long a receiver may take, seconds.

    Raises:
        InputError: a password would travel unprotected.
    """
    ways: list[Way] = []
    if settings.mail is not None:
        ways.append(ByMail(settings.mail, environment.get(USER, ""), environment.get(PASSWORD, ""), patience_s))
    address = environment.get(WEBHOOK) or settings.webhook
    if address:
        ways.append(ByWebhook(address, patience_s))
    if settings.command:
        ways.append(ByCommand(settings.command, patience_s))
    return ways


class ByMail:
    """A mail with the picture attached.

    Args:
        settings: server, sender, receivers.
        user, password: for the server; empty: it wants none.
        patience_s: for each answer of the server, seconds.

    Raises:
        InputError: there is a password, and neither STARTTLS nor TLS to protect it.
    """

    name = "mail"

    def __init__(self, settings: Mail, user: str, password: str, patience_s: float) -> None:
        if user and settings.security == "none":
            raise InputError(
                f"watch.alert.mail: security is none with a password in {PASSWORD}, starttls or tls was expected: the password "
                f"would be read by anybody on the way; set one of them, or unset {USER}"
            )
        self._settings, self._user, self._password, self._patience_s = settings, user, password, patience_s

    def send(self, message: Message) -> None:
        mail = self._settings
        place = f"{mail.host}:{mail.port}"
        try:
            context = ssl.create_default_context()
            if mail.security == "tls":
                server = smtplib.SMTP_SSL(mail.host, mail.port, timeout=self._patience_s, context=context)
            else:
                server = smtplib.SMTP(mail.host, mail.port, timeout=self._patience_s)
            with server:
                if mail.security == "starttls":
                    server.starttls(context=context)
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(self._written(message))
        except smtplib.SMTPAuthenticationError:
            raise Refused(
                f"{place} refused user and password; correct {USER} and {PASSWORD}, then start the watch again",
                for_good=True,
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise Refused(
                f"{place} does not offer what security and password need; see watch.alert.mail", for_good=True
            ) from None
        except ssl.SSLCertVerificationError as error:
            raise Refused(
                f"the certificate of {place} is not to be trusted ({error.verify_message})", for_good=True
            ) from None
        except smtplib.SMTPRecipientsRefused:
            raise Refused(f"{place} refused the receivers; correct watch.alert.mail.to", for_good=True) from None
        except smtplib.SMTPResponseException as error:
            raise Refused(f"{place} refused the mail (code {error.smtp_code})") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Refused(f"{place} could not be reached ({_reason(error)})") from None

    def _written(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self._settings.sender, ", ".join(self._settings.to)
        mail["Subject"] = _one_line(f"{message.character} is on screen ({message.score:.2f}), {message.source}")
        mail["Date"], mail["Message-ID"] = format_datetime(localtime()), make_msgid(domain="screentime.invalid")
        mail.set_content(f"{_one_line(message.sentence)}\n")
        mail.add_attachment(message.picture, maintype="image", subtype="jpeg", filename="frame.jpg")
        return mail


class ByWebhook:
    """The message as JSON, posted to an address.

    Args:
        address: https or http, user and password before the host if it wants them. Sentences name its host only.
        patience_s: for an answer, seconds.
    """

    name = "webhook"

    def __init__(self, address: str, patience_s: float) -> None:
        if urlsplit(address).scheme not in ("http", "https"):
            raise InputError(
                f"{WEBHOOK}: {without_password(address).partition('//')[0] or 'an address without https://'} was found, an "
                "address that begins with https:// or http:// was expected; correct it"
            )
        parts = urlsplit(address)
        user, at, host = parts.netloc.rpartition("@")
        self._address, self._host, self._patience_s = urlunsplit(parts._replace(netloc=host)), host, patience_s
        self._headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "screentime"}
        if at:
            self._headers["Authorization"] = f"Basic {base64.b64encode(unquote(user).encode()).decode()}"
        self._opener = urllib.request.build_opener(_NoRedirects)

    def send(self, message: Message) -> None:
        host = self._host
        request = urllib.request.Request(self._address, message.as_json(), self._headers)
        try:
            with self._opener.open(request, timeout=self._patience_s):
                pass
        except urllib.error.HTTPError as error:
            error.close()
            raise Refused(
                f"{host} answered {error.code} {error.reason}", for_good=400 <= error.code < 500 and error.code != 429
            ) from None
        except (OSError, ValueError) as error:
            raise Refused(f"{host} could not be reached ({_reason(getattr(error, 'reason', error))})") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A post that is sent elsewhere would become a get without its message."""

    def redirect_request(self, *_: object) -> None:
        return None


class ByCommand:
    """A program, with the message as JSON on its standard input; no shell reads its words.

    Args:
        words: the program and its arguments.
        patience_s: then it is ended, seconds.
    """

    name = "command"

    def __init__(self, words: Sequence[str], patience_s: float) -> None:
        self._words, self._patience_s = list(words), patience_s

    def send(self, message: Message) -> None:
        own = {name: value for name, value in os.environ.items() if name not in (USER, PASSWORD, WEBHOOK)}
        try:
            done = subprocess.run(
                self._words,
                input=message.as_json(),
                timeout=self._patience_s,
                env=own,
                capture_output=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Refused(f"{self._words[0]} did not end within {self._patience_s:g} s") from None
        except OSError as error:
            raise Refused(f"{self._words[0]} could not be started ({_reason(error)})", for_good=True) from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            words = f" ({said[-1][:LAST_WORDS]})" if said else ""
            raise Refused(f"{self._words[0]} ended with code {done.returncode}{words}")


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError) or str(error).endswith("timed out"):  # smtplib hides the one in the other
        return "no answer in time"
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()


def _one_line(text: str) -> str:
    return " ".join(text.split())
