"""A camera on the network: an HTTP server on 127.0.0.1 that gives out numbered pictures, and can be cut and restored.

with Camera(rate=30) as camera:
    camera.address        # multipart MJPEG, as cameras serve it; frame k carries the number k
    camera.cut(); camera.restore()
"""

import http.server
import threading
import time
from typing import Self

import cv2
import synthetic

BOUNDARY = "frame"


class Camera:
    """Frames from the moment it begins, at a constant rate by its own clock; whoever comes late sees the later ones.

    Attributes:
        address: where it serves.
        newest: the number of the frame that was sent last.
    """

    def __init__(self, rate: float) -> None:
        self.newest = -1
        self._rate, self._begun = rate, time.monotonic()
        self._cut, self._closed = threading.Event(), threading.Event()
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Says nothing."""

            def do_GET(self) -> None:
                if camera._cut.is_set():
                    self.send_error(503)
                    return
                self.send_response(200)
                self.send_header("Content-Type", f"multipart/x-mixed-replace;boundary={BOUNDARY}")
                self.end_headers()
                try:
                    self._send()
                except OSError:
                    return  # whoever watched has gone

            def _send(self) -> None:
                number = camera._due() + 1
                while not camera._cut.is_set():
                    if camera._closed.wait(max(0.0, camera._begun + number / camera._rate - time.monotonic())):
                        return
                    number = camera._due()
                    image = synthetic.numbered_image(number % (synthetic.LARGEST_NUMBER + 1))
                    jpeg = cv2.imencode(".jpg", image[:, :, ::-1])[1].tobytes()
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode() + jpeg + b"\r\n")
                    camera.newest = number
                    number += 1

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.address = f"http://127.0.0.1:{self._server.server_port}/live"

    def cut(self) -> None:
        """Break off, and let nobody in."""
        self._cut.set()

    def restore(self) -> None:
        """Serve again."""
        self._cut.clear()

    def _due(self) -> int:
        """The number of the frame that is on now."""
        return int((time.monotonic() - self._begun) * self._rate)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
