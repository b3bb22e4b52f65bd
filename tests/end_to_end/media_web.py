"""An HTTP server that has files in memory, and counts who asks for them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class FileServer:
    """Answers GET with `files`, by path."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port: int = server.server_address[1]
        self.files: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self._held: dict[str, threading.Event] = {}

    @classmethod
    @contextmanager
    def running(cls) -> Iterator[Self]:
        """Listen on loopback while the block runs."""
        with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
            files = server.files = cls(server)
            thread = threading.Thread(target=server.serve_forever, name="web")
            thread.start()
            yield files
            server.shutdown()
            thread.join()

    def put(self, name: str, data: bytes) -> str:
        """Offer a file; return its URL."""
        self.files[f"/{name}"] = data
        return f"http://127.0.0.1:{self.port}/{name}"

    @contextmanager
    def held(self, name: str) -> Iterator[str]:
        """Offer a file that does not come while the block runs; give its URL."""
        self._held[f"/{name}"] = threading.Event()
        try:
            yield self.put(name, b"")
        finally:
            self._held[f"/{name}"].set()

    def wait_for(self, path: str) -> None:
        """Return when a file may come."""
        if path in self._held:
            self._held[path].wait()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        files: FileServer = self.server.files
        files.asked[self.path] += 1
        files.wait_for(self.path)
        data = files.files.get(self.path)
        with suppress(ConnectionError):  # who asked may be gone
            self._send(data)

    def _send(self, data: bytes | None) -> None:
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""
