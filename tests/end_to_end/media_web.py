"""An HTTP server that has files in memory, and counts who asks for them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class FileServer:
    """Answers GET with `files`, by path."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.port: int = server.server_address[1]
        self.files: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()

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


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        files: FileServer = self.server.files
        files.asked[self.path] += 1
        data = files.files.get(self.path)
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *_: object) -> None:
        """Say nothing."""
