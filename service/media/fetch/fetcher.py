"""URLs to encoded media: checked, bounded in bytes and time, fetched once when asked for twice.

What may be fetched is in allowed_hosts.py and media_url.py, how in download.py.
"""

from __future__ import annotations

import asyncio
import functools

from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    MediaBudgetExceededError,
    ShuttingDownError,
)
from service.media.budget import ByteBudget
from service.media.encoded import EncodedMedia, EncodedWriter
from service.media.fetch.download import FetchTimeouts, download
from service.media.fetch.fetch_fault import FetchFault
from service.media.fetch.flight import Flight
from service.media.fetch.media_url import MediaUrl, parse_media_url
from service.media.fetch.network import Network

# Two requests for one URL share a fetch only if both would get the same.
_Key = tuple[str, str, int]


class Fetcher:
    """Fetches over at most `max_connections` at once. Belongs to one event loop."""

    def __init__(
        self,
        budget: ByteBudget,
        network: Network,
        *,
        timeouts: FetchTimeouts | None = None,
        max_connections: int = 32,
    ) -> None:
        self._budget = budget
        self._timeouts = timeouts or FetchTimeouts()
        self._network = network
        self._slots = asyncio.Semaphore(max_connections)
        self._flights: dict[_Key, Flight] = {}
        self._tasks: set[asyncio.Task[EncodedMedia]] = set()
        self._is_closed = False

    async def fetch(self, field: str, url: str, *, caller: str, max_bytes: int) -> EncodedMedia:
        """Return the medium at a URL, at most `max_bytes` long; `field` is the part's.

        Raises InvalidRequestError, LimitExceededError, MediaBudgetExceededError,
        MediaSourceForbiddenError, MediaFetchFailedError, MediaFetchUnavailableError, and
        ShuttingDownError after `aclose`.
        """
        if self._is_closed:
            raise ShuttingDownError("the server stops")
        try:
            parsed = parse_media_url(url)
        except ValueError as exc:
            raise InvalidRequestError(f"{field}.source.url", str(exc)) from exc
        try:
            self._check_host(parsed)
            return await self._flight_of((caller, str(parsed), max_bytes), parsed).join()
        except FetchFault as fault:
            raise fault.for_field(field) from fault

    async def aclose(self) -> None:
        """End all fetches; who waits for one gets ShuttingDownError."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._network.resolver.close()

    def _check_host(self, url: MediaUrl) -> None:
        """Refuse a host before anything is begun. The dialler checks all of them, this too."""
        if not self._network.allowed.allows_host(url.host, url.port):
            raise FetchFault.forbidden(
                "the host, or its port, is not on the server's list (--allowed-media-hosts)",
                host=str(url.host),
            )

    def _flight_of(self, key: _Key, url: MediaUrl) -> Flight:
        flight = self._flights.get(key)
        if flight is not None and flight.can_be_joined:
            return flight
        task = asyncio.create_task(self._run(url, key[-1]))
        flight = self._flights[key] = Flight(task)
        self._tasks.add(task)
        task.add_done_callback(functools.partial(self._forget, key, flight))
        return flight

    def _forget(self, key: _Key, flight: Flight, task: asyncio.Task[EncodedMedia]) -> None:
        self._tasks.discard(task)
        if self._flights.get(key) is flight:
            del self._flights[key]

    async def _run(self, url: MediaUrl, max_bytes: int) -> EncodedMedia:
        # Which field asks is known to the flight's holders.
        writer = EncodedWriter("", max_bytes, self._budget.open(""))
        try:
            async with asyncio.timeout(self._timeouts.total_s), self._slots:
                await download(url, writer, self._network, self._timeouts)
            return writer.finish()
        except TimeoutError as exc:
            raise FetchFault.unavailable(
                f"the fetch took longer than {self._timeouts.total_s:g} s"
            ) from exc
        except (LimitExceededError, MediaBudgetExceededError) as exc:
            raise FetchFault.over_limit(exc) from exc
        finally:
            writer.close()
