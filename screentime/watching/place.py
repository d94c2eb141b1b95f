"""What the word for a camera, a stream or a film means to FFmpeg."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from screentime.errors import InputError, did_you_mean

SCHEMES = ("http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "tcp", "rtp")
_CAMERAS = {"linux": "video4linux2,v4l2", "darwin": "avfoundation", "win32": "dshow"}
# a stream may fetch over the network, never read a file of this machine that a playlist of it names
_NETWORK = {
    "protocol_whitelist": "http,https,httpproxy,tls,tcp,udp,rtp,rtsp,rtsps,rtmp,rtmps,srt,crypto",
    "rtsp_transport": "tcp",  # over UDP a lost packet smears the picture
}


@dataclass(frozen=True)
class Place:
    """Where frames come from.

    Attributes:
        name: as people may read it: no password in it.
        kind: "camera", "stream", "film" or "test".
        url, format, options: as `av.open` takes them.
    """

    name: str
    kind: str
    url: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)

    @property
    def is_live(self) -> bool:
        """Whether frames come when they are made, and an end is a failure; those of films and test pictures have their times."""
        return self.kind in ("camera", "stream")


def place_of(word: str) -> Place:
    """What a word means: `camera`, `camera:1`, /dev/video0, an address, `lavfi:` and a graph of FFmpeg's filters, a film.

    Raises:
        InputError: it means none of these.

    >>> place_of("rtsp://ann:secret@10.0.0.7/door").name
    'rtsp://10.0.0.7/door'
    >>> place_of("lavfi:testsrc=rate=5").kind
    'test'
    """
    if word == "camera" or word.startswith("camera:"):
        return _camera(word)
    if re.fullmatch(r"/dev/video\d+", word):
        return Place(word, "camera", word, _CAMERAS["linux"])
    if word.startswith("lavfi:"):
        return Place(word, "test", word.removeprefix("lavfi:"), "lavfi")
    scheme, marked, _ = word.partition("://")
    if marked:
        scheme = scheme.lower()
        if scheme not in SCHEMES:
            raise InputError(
                f"{without_password(word)}: '{scheme}' was found, one of {', '.join(SCHEMES)} was expected; "
                f"{did_you_mean(scheme, SCHEMES)}"
            )
        return Place(without_password(word), "stream", word, None, dict(_NETWORK))
    if not Path(word).exists():
        raise InputError(
            f"{word}: there is no such film, a film, an address like rtsp://10.0.0.7/door, or `camera` was expected; check the name"
        )
    return Place(word, "film", f"file:{word}", None, {"protocol_whitelist": "file"})


def _camera(word: str) -> Place:
    which = word.partition(":")[2] or "0"
    kind = _CAMERAS.get(sys.platform)
    if kind is None:
        raise InputError(
            f"{word}: cameras of {sys.platform} are not known, a film or an address was expected; name one"
        )
    if sys.platform == "linux":
        return Place(word, "camera", which if which.startswith("/") else f"/dev/video{which}", kind)
    return Place(word, "camera", f"video={which}" if sys.platform == "win32" else which, kind)


def without_password(address: str) -> str:
    """An address as it may be read by others: without user, password and what follows a question mark.

    >>> without_password("https://ann:x@example.org:8080/live?token=1")
    'https://example.org:8080/live'
    """
    parts = urlsplit(address)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
