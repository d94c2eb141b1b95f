"""A camera that speaks RTSP, as those on a network do: H.264 in RTP within the same connection (RFC 2326, 3550, 6184).

with RtspCamera(rate=20) as camera:
    camera.address        # rtsp://ann:secret@127.0.0.1:PORT/door; without the password nobody gets in
    camera.cut(); camera.restore()
"""

import base64
import socketserver
import struct
from fractions import Fraction
from itertools import count

import av
from streams import Numbered

PAYLOAD = 1400  # bytes of one RTP packet, as they fit into the usual network packet
CLOCK = 90_000  # ticks a second of RTP's clock for video
PASSWORD = base64.b64encode(b"ann:secret").decode()
SDP = """v=0\r
o=- 0 0 IN IP4 127.0.0.1\r
s=door\r
t=0 0\r
m=video 0 RTP/AVP 96\r
a=rtpmap:96 H264/90000\r
a=fmtp:96 packetization-mode=1\r
a=control:track\r
"""


class RtspCamera(Numbered):
    """One that speaks RTSP.

    Attributes:
        address: where it serves, with user and password.
    """

    def __init__(self, rate: int) -> None:
        super().__init__(rate, _Handler)
        self.address = f"rtsp://ann:secret@127.0.0.1:{self.port}/door"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        """Answer requests until one asks to play, then play."""
        if self.server.camera.is_cut.is_set():
            return
        try:
            while line := self._line():
                method, address, _ = line.split()
                if self._answered(method, address) and method == "PLAY":
                    self._play()
                    return
        except OSError:
            return  # whoever watched has gone

    def _line(self) -> str:
        return self.rfile.readline().decode().strip()

    def _answered(self, method: str, address: str) -> bool:
        """Whether a request was granted."""
        headers = {}
        while header := self._line():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        status, body = "200 OK", ""
        more = {
            "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
            "DESCRIBE": f"Content-Base: {address}/\r\nContent-Type: application/sdp\r\nContent-Length: {len(SDP)}\r\n",
            "SETUP": f"Transport: {headers.get('transport')}\r\nSession: 1\r\n",
        }.get(method, "Session: 1\r\n")
        if method != "OPTIONS" and headers.get("authorization") != f"Basic {PASSWORD}":
            status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="door"\r\n'
        elif method == "SETUP" and "interleaved" not in headers["transport"]:
            status = "461 Unsupported Transport"
        elif method == "DESCRIBE":
            body = SDP
        self.wfile.write(f"RTSP/1.0 {status}\r\nCSeq: {headers['cseq']}\r\n{more}\r\n{body}".encode())
        return status.startswith("200")

    def _play(self) -> None:
        """Send frames as they come, until the line is cut."""
        camera, number, packets = self.server.camera, None, count()
        encoder = av.CodecContext.create("libx264", "w")
        encoder.width, encoder.height, encoder.pix_fmt = 128, 64, "yuv420p"
        encoder.time_base = Fraction(1, camera.rate)
        encoder.options = {"tune": "zerolatency", "crf": "12", "x264-params": "repeat-headers=1:keyint=10:slices=1"}
        while (number := camera.next(number)) is not None:
            picture = av.VideoFrame.from_ndarray(camera.image(number), format="rgb24").reformat(format="yuv420p")
            picture.pts, tick = number, number * CLOCK // camera.rate & 0xFFFFFFFF
            for packet in encoder.encode(picture):
                units = [unit.rstrip(b"\0") for unit in bytes(packet).split(b"\0\0\1") if unit.strip(b"\0")]
                payloads = [part for unit in units for part in _parts(unit)]
                for place, payload in enumerate(payloads, start=1):
                    marked = 0x80 * (place == len(payloads)) | 96
                    head = struct.pack(">BBHII", 0x80, marked, next(packets) & 0xFFFF, tick, 1)
                    self.wfile.write(b"$\0" + struct.pack(">H", len(head) + len(payload)) + head + payload)
            camera.newest = number


def _parts(unit: bytes) -> list[bytes]:
    """A unit of H.264 as the payloads of RTP packets (RFC 6184, 5.6 and 5.8)."""
    if len(unit) <= PAYLOAD:
        return [unit]
    kind, rest = unit[0], unit[1:]
    pieces = [rest[start : start + PAYLOAD - 2] for start in range(0, len(rest), PAYLOAD - 2)]
    flags = [0x80 * (place == 0) | 0x40 * (place == len(pieces) - 1) | kind & 0x1F for place in range(len(pieces))]
    return [bytes([kind & 0xE0 | 28, flag]) + piece for flag, piece in zip(flags, pieces, strict=True)]
