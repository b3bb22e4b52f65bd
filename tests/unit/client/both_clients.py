"""One question to either client, for what both do alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from triptych_client import AsyncClient, Client

Ask = Callable[..., Any]


def ask_plainly(target: str) -> Ask:
    """Return a function that calls a method of the plain client by its name."""

    def call(method: str, *arguments: object, **options: object) -> object:
        with Client(target) as client:
            return getattr(client, method)(*arguments, **options)

    return call


def ask_in_a_loop(target: str) -> Ask:
    """Return a function that calls a method of the asyncio client by its name."""

    async def call(method: str, arguments: Any, options: Any) -> object:
        async with AsyncClient(target) as client:
            result: Awaitable[object] = getattr(client, method)(*arguments, **options)
            return await result

    return lambda method, *arguments, **options: asyncio.run(call(method, arguments, options))
