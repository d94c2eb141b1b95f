"""The section `watch` of params.yaml. Meaning, unit and reason of each number stand beside it in that file."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from screentime.section import Section

_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"


def _stretch_of_the_day(value: str) -> str:
    if not re.fullmatch(f"{_CLOCK}-{_CLOCK}", value):
        raise ValueError("a stretch of the day like 22:00-07:00")
    return value


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValueError("an address that begins with https:// or http://")
    return value


def _mail_address(value: str) -> str:
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", value):
        raise ValueError("an address like ann@example.org")
    return value


MailAddress = Annotated[str, AfterValidator(_mail_address)]


class Mail(Section):
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=1, le=65_535)]
    security: Literal["starttls", "tls", "none"]
    sender: MailAddress
    to: Annotated[list[MailAddress], Field(min_length=1)]


class Alert(Section):
    cooldown_s: Annotated[float, Field(ge=0)]
    per_hour: Annotated[int, Field(ge=1, le=3600)]
    quiet: list[Annotated[str, AfterValidator(_stretch_of_the_day)]]
    mail: Mail | None
    webhook: Annotated[str, AfterValidator(_web_address)] | None
    command: list[str]


class Watch(Section):
    fps: Annotated[float, Field(gt=0, le=60)]
    threshold: Annotated[float, Field(gt=0, lt=1)]
    total_frames: Annotated[int, Field(ge=0, le=100_000)]
    characters: list[str]
    silence_s: Annotated[float, Field(ge=1, le=3600)]
    before_s: Annotated[float, Field(ge=0, le=60)]
    after_s: Annotated[float, Field(ge=0, le=60)]
    longest_s: Annotated[float, Field(gt=0, le=600)]
    limit_gb: Annotated[float, Field(gt=0)]
    alert: Alert
