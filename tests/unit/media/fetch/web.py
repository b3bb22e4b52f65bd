"""A real HTTP server on this machine, and an internet that leads to it.

The internet is two seams of the fetcher: which addresses a name has, and which local port stands
behind a public address. An address without such a port is dialled as it is, so what must not be
reached would be.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from service.media.fetch.addresses import IPAddress
from service.media.fetch.dialler import connect

Page = Callable[[asyncio.StreamWriter], Awaitable[None]]

# Of a well-known public host; nothing here goes there.
PUBLIC = ip_address("93.184.216.34")
OTHER_PUBLIC = ip_address("2606:2800:220:1:248:1893:25c8:1946")


def page(body: bytes, *headers: str, status: str = "200 OK") -> Page:
    """Return a response with its right Content-Length, and more headers."""
    return raw(head(status, f"Content-Length: {len(body)}", *headers) + body)


def redirect(location: str, status: str = "302 Found") -> Page:
    return raw(
        head(status, "Content-Length: 0").rstrip()
        + b"\r\nLocation: "
        + location.encode()
        + b"\r\n\r\n"
    )


def raw(answer: bytes) -> Page:
    async def send(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return send


def head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


class WebServer:
    """Answers by path; counts connections and keeps what it was sent."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.accepts = 0
        self.heads: list[str] = []
        self.hung_up = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, **options: object) -> None:
        """Listen on every address of this machine, of both families where it has them."""
        if socket.has_dualstack_ipv6():
            sock = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        else:
            sock = socket.create_server(("0.0.0.0", 0))  # noqa: S104 - it must be reachable
        self.port: int = sock.getsockname()[1]
        self._server = await asyncio.start_server(self._serve, sock=sock, **options)

    async def aclose(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepts += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.heads.append(request)
            path = request.split(" ")[1]
            answer = self.pages.get(path, page(b"nothing here", status="404 Not Found"))
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.hung_up.set()
            self._tasks.discard(task)
            writer.close()


class Internet:
    """Names and addresses under a test's control; remembers what was asked and dialled."""

    def __init__(self) -> None:
        self.names: dict[str, list[Sequence[str]]] = {}
        self.ports: dict[tuple[IPAddress, int], int] = {}
        self.asked: list[str] = []
        self.dialled: list[tuple[str, int]] = []
        self.is_closed = False

    def host(self, name: str, server: WebServer, *, port: int = 80) -> None:
        """Put a server at a name with a public address."""
        self.names[name] = [[str(PUBLIC)]]
        self.ports[PUBLIC, port] = server.port

    async def addresses_of(self, name: str) -> Sequence[IPAddress]:
        """Give a name's next answer; its last one again and again."""
        self.asked.append(name)
        answers = self.names.get(name)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return [ip_address(text) for text in answer]

    def close(self) -> None:
        self.is_closed = True

    async def connect(self, address: IPAddress, port: int) -> socket.socket:
        self.dialled.append((str(address), port))
        local = self.ports.get((address, port))
        if local is not None:
            return await connect(ip_address("127.0.0.1"), local)
        return await connect(address, port)
