"""Equal URLs in flight are fetched once, and nobody's cancellation takes a medium from another."""

from __future__ import annotations

import asyncio
import os

import pytest

from service.errors import (
    LimitExceededError,
    MediaFetchFailedError,
    MediaFetchUnavailableError,
    ShuttingDownError,
)
from service.media.budget import ByteBudget
from service.media.fetch.fetcher import Fetcher
from tests.unit.media.fetch.web import WebServer, page
from tests.unit.media.open_media import open_media, until

URL = "http://files.example/cat.png"
PATH = "/cat.png"
CAT = b"cat" * 1000


class Gate:
    """A page that is sent when the test says so."""

    def __init__(self, web: WebServer, *, status: str = "200 OK") -> None:
        self.opened = asyncio.Event()
        self.reached = asyncio.Event()
        self._answer = page(CAT, status=status)
        web.pages[PATH] = self

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        self.reached.set()
        await self.opened.wait()
        await self._answer(writer)


def start(fetcher: Fetcher, field: str, *, caller: str = "alice", max_bytes: int = 1 << 20):
    return asyncio.create_task(fetcher.fetch(field, URL, caller=caller, max_bytes=max_bytes))


async def test_equal_urls_in_flight_are_fetched_once_and_paid_for_once(
    fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    gate = Gate(web)
    tasks = [start(fetcher, f"part {number}") for number in range(3)]
    await gate.reached.wait()
    gate.opened.set()
    media = await asyncio.gather(*tasks)
    assert web.accepts == 1
    assert budget.reserved_bytes == len(CAT)
    # Each reads from its own position.
    assert [os.read(medium.fd, 5000) for medium in media] == [CAT] * 3
    for medium in media[:2]:
        medium.close()
    assert budget.reserved_bytes == len(CAT)
    media[2].close()
    media[2].close()
    assert (budget.reserved_bytes, open_media()) == (0, 0)


async def test_a_later_fetch_is_a_new_one(fetcher: Fetcher, web: WebServer) -> None:
    web.pages[PATH] = page(CAT)
    first = await start(fetcher, "a")
    second = await start(fetcher, "b")
    assert web.accepts == 2
    first.close()
    second.close()


@pytest.mark.parametrize("other", [{"caller": "bob"}, {"max_bytes": 5000}])
async def test_other_callers_and_other_limits_have_fetches_of_their_own(
    other: dict, fetcher: Fetcher, web: WebServer
) -> None:
    web.pages[PATH] = page(CAT)
    for medium in await asyncio.gather(start(fetcher, "a"), start(fetcher, "b", **other)):
        medium.close()
    assert web.accepts == 2


async def test_a_failure_names_the_field_of_each_who_waited(
    fetcher: Fetcher, web: WebServer
) -> None:
    gate = Gate(web, status="404 Not Found")
    tasks = [start(fetcher, field) for field in ("a", "b")]
    await gate.reached.wait()
    gate.opened.set()
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [MediaFetchFailedError] * 2
    assert [error.metadata["field"] for error in errors] == ["a.source.url", "b.source.url"]
    assert web.accepts == 1


async def test_a_limit_names_the_field_of_each_who_waited(fetcher: Fetcher, web: WebServer) -> None:
    gate = Gate(web)
    tasks = [start(fetcher, field, max_bytes=10) for field in ("a", "b")]
    await gate.reached.wait()
    gate.opened.set()
    errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [LimitExceededError] * 2
    assert [error.violations[0][0] for error in errors] == ["a", "b"]


async def test_one_that_is_cancelled_does_not_end_the_others_fetch(
    fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    gate = Gate(web)
    leaving, staying = start(fetcher, "a"), start(fetcher, "b")
    await gate.reached.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    gate.opened.set()
    with await staying as medium:
        assert medium.size_bytes == len(CAT)
    assert (web.accepts, open_media(), budget.reserved_bytes) == (1, 0, 0)


async def test_the_last_one_that_is_cancelled_ends_the_fetch(
    fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    """Seen by the server, whose socket is closed."""

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0)

    web.pages[PATH] = endless
    tasks = [start(fetcher, field) for field in ("a", "b")]
    await until(lambda: budget.reserved_bytes > 0)
    (fetch,) = fetcher._tasks
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    await web.hung_up.wait()
    await until(fetch.done)
    assert fetch.cancelled()
    assert (open_media(), budget.reserved_bytes) == (0, 0)


async def test_who_comes_after_the_last_has_left_starts_anew(
    fetcher: Fetcher, web: WebServer
) -> None:
    """Nobody joins a fetch that is being cancelled."""
    gate = Gate(web)
    leaving = start(fetcher, "a")
    await gate.reached.wait()
    leaving.cancel()
    gate.opened.set()
    staying = start(fetcher, "b")
    with await staying as medium:
        assert medium.size_bytes == len(CAT)
    assert web.accepts == 2


@pytest.mark.parametrize("turns", range(40))
async def test_cancelling_at_any_moment_loses_nothing(
    turns: int, fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    """The moment is a number of turns of the event loop after the start."""
    web.pages[PATH] = page(CAT)
    task = start(fetcher, "a")
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if not isinstance(result, BaseException):
        result.close()
    await until(lambda: not fetcher._tasks)
    assert (open_media(), budget.reserved_bytes) == (0, 0)
    assert fetcher._flights == {}
    assert fetcher._slots._value == 32


async def test_a_medium_that_came_when_its_only_waiter_left_is_closed(
    fetcher: Fetcher, web: WebServer, budget: ByteBudget
) -> None:
    """The waiter is cancelled in the very turn in which the fetch ends."""
    web.pages[PATH] = page(CAT)
    waiter = start(fetcher, "a")
    await until(lambda: bool(fetcher._tasks))
    (fetch,) = fetcher._tasks
    fetch.add_done_callback(lambda _: waiter.cancel())
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert fetch.done()
    assert not fetch.cancelled()
    assert (open_media(), budget.reserved_bytes) == (0, 0)


async def test_closing_ends_all_fetches(fetcher: Fetcher, internet, web: WebServer) -> None:
    gate = Gate(web)
    task = start(fetcher, "a")
    await gate.reached.wait()
    await fetcher.aclose()
    with pytest.raises(ShuttingDownError):
        await task
    with pytest.raises(ShuttingDownError):
        await start(fetcher, "b")
    assert internet.is_closed


async def test_a_slow_name_is_abandoned(fetcher_of, internet) -> None:
    async def never(name: str):
        await asyncio.Event().wait()

    internet.addresses_of = never
    with pytest.raises(MediaFetchUnavailableError, match="did not answer in time"):
        await start(fetcher_of("files.example", first_byte_s=0.05), "a")
