"""The conversation of a session, which grows by what the client says and what it is answered.

Every turn is a request for the whole conversation; that its beginning was read before is the
engine's to know, by its prefix cache. Media are got once: those of earlier turns are kept.
Tested by tests/unit/sessions/test_session.py.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from service.domain.conversation import (
    Conversation,
    MediaPart,
    MediaSource,
    Message,
    Part,
    Role,
)
from service.domain.ending import Ending
from service.domain.events import (
    Completed,
    Event,
    FinishReason,
    GenerationRequest,
    OutputFinished,
    Timings,
    Usage,
)
from service.ports import SessionMedia
from service.sessions.said import Said

Generate = Callable[[GenerationRequest], AsyncGenerator[Event, None]]


class Dialogue:
    """One conversation; its turns are answered one after the other."""

    def __init__(self, opening: GenerationRequest, generate: Generate, media: SessionMedia) -> None:
        """Begin with a request whose prompt is a conversation, maybe an empty one."""
        if not isinstance(opening.prompt, Conversation):
            raise TypeError(f"a session's prompt is a conversation, no {type(opening.prompt)}")
        self._opening = opening
        self._conversation = opening.prompt
        self._generate = generate
        self.media = media

    @property
    def messages(self) -> tuple[Message, ...]:
        """What was said until now."""
        return self._conversation.messages

    @property
    def asks(self) -> bool:
        """Whether the last message is one to answer."""
        return bool(self.messages) and self.messages[-1].role in (Role.USER, Role.TOOL)

    async def keep_sent_media(self) -> None:
        """Keep the media that came with the opening, which count from now on."""
        await self._keep_media(lambda source: source.is_sent)

    async def answer(self, said: Message | None, ending: Ending) -> AsyncGenerator[Event, None]:
        """Answer what is said now; None: what was said last. The answer becomes a message.

        An answer that is ended before its first event has only an end, and cost nothing.
        """
        if said is not None:
            self._append(said)
        answer = Said()
        async with aclosing(self._events(ending)) as events:
            async for event in events:
                answer.add(event)
                yield event
        self._append(answer.message())

    async def _events(self, ending: Ending) -> AsyncGenerator[Event, None]:
        if await ending.unless_ended(self._keep_media(lambda _: True)):
            request = dataclasses.replace(self._opening, prompt=self._conversation, ending=ending)
            async with aclosing(self._generate(request)) as events:
                first = await ending.unless_ended(anext(events))
                if first is not None:
                    yield first
                    async for event in events:
                        yield event
                    return
        yield OutputFinished(0, ending.reason or FinishReason.ABORTED)
        yield Completed(Usage(0, {}, 0, 0), Timings())

    def _append(self, message: Message) -> None:
        self._replace((*self.messages, message))

    def _replace(self, messages: tuple[Message, ...]) -> None:
        self._conversation = dataclasses.replace(self._conversation, messages=messages)

    async def _keep_media(self, is_wanted: Callable[[MediaSource], bool]) -> bool:
        """Get the media that are not here yet; return True."""
        self._replace(tuple([await self._kept(message, is_wanted) for message in self.messages]))
        return True

    async def _kept(self, message: Message, is_wanted: Callable[[MediaSource], bool]) -> Message:
        """Return the message with its media kept, which are got all at once."""

        async def kept(part: Part) -> Part:
            if isinstance(part, MediaPart) and is_wanted(part.source):
                return await self.media.keep(part)
            return part

        if not any(isinstance(part, MediaPart) for part in message.parts):
            return message
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(kept(part)) for part in message.parts]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return Message(message.role, tuple(task.result() for task in tasks))
