"""Cameras on the network: servers on 127.0.0.1 that give out numbered pictures, and can be cut and restored.

with Camera(rate=30) as camera:
    camera.address        # multipart MJPEG, as cameras serve it; frame k carries the number k
    camera.cut(); camera.restore()

`rtsp.RtspCamera` is another one.
"""

import http.server
import socketserver
import threading
import time
from typing import Self

import cv2
import numpy as np
import synthetic

BOUNDARY = "frame"


class Numbered:
    """Numbered frames at a constant rate by its own clock, from the moment it is made; whoever comes late sees the later ones.

    Args:
        rate: frames a second.
        handler: answers whoever connects; its server has the camera as `camera`.

    Attributes:
        newest: the number of the frame that was sent last.
        is_cut: set while nobody gets anything.
        port: where it serves.
    """

    def __init__(self, rate: int, handler: type[socketserver.BaseRequestHandler]) -> None:
        self.rate, self.newest, self.is_cut = rate, -1, threading.Event()
        self._begun, self._closed = time.monotonic(), threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.camera = self
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.port = self._server.server_port

    def cut(self) -> None:
        """Break off, and let nobody in."""
        self.is_cut.set()

    def restore(self) -> None:
        """Serve again."""
        self.is_cut.clear()

    def next(self, number: int | None) -> int | None:
        """Wait for the frame behind one, or the next there is; its number, a later one where that is past; None at the end."""
        number = self._due() if number is None else number
        if (
            self._closed.wait(max(0.0, self._begun + (number + 1) / self.rate - time.monotonic()))
            or self.is_cut.is_set()
        ):
            return None
        return self._due()

    def image(self, number: int) -> np.ndarray:
        """A frame, (64, 128, 3) uint8 RGB."""
        return synthetic.numbered_image(number % (synthetic.LARGEST_NUMBER + 1))

    def _due(self) -> int:
        """The number of the frame that is on now."""
        return int((time.monotonic() - self._begun) * self.rate)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Camera(Numbered):
    """One that speaks HTTP: a JPEG behind the other.

    Attributes:
        address: where it serves.
    """

    def __init__(self, rate: int) -> None:
        super().__init__(rate, _Handler)
        self.address = f"http://127.0.0.1:{self.port}/live"


class _Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        camera, number = self.server.camera, None
        if camera.is_cut.is_set():
            self.send_error(503)
            return
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace;boundary={BOUNDARY}")
        self.end_headers()
        try:
            while (number := camera.next(number)) is not None:
                jpeg = cv2.imencode(".jpg", camera.image(number)[:, :, ::-1])[1].tobytes()
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
                camera.newest = number
        except OSError:
            return  # whoever watched has gone
