"""Everything that can go wrong, as exceptions. Imports nothing of ours.

    TriptychError
    ├── InvalidRequestError            a field is wrong; `violations` names each
    │   ├── MediaUndecodableError      the bytes are no readable file of an allowed format
    │   ├── LimitExceededError         larger than the server allows
    │   ├── ModalityUnsupportedError   the model does not take this kind of part
    │   ├── PromptTooLongError         the prompt does not fit the context
    │   └── TemplateRefusedError       the chat template refuses the conversation
    ├── ModelNotFoundError
    ├── MediaNotFoundError             no such stored medium
    ├── NotServedYetError              in the contract, not in this version
    ├── TaskUnsupportedError           the model does something else than what is asked of it
    ├── MediaSourceUnsupportedError    the server was started without that source of media
    ├── MediaSourceForbiddenError      a host, an address or a path that is not allowed
    ├── MediaFetchFailedError          a URL's host answered, but not with a medium
    ├── UnavailableError               try again later, or elsewhere
    │   ├── EngineUnavailableError
    │   ├── TokenizerUnavailableError
    │   ├── MediaFetchUnavailableError a URL's host did not answer
    │   ├── MediaWorkerLostError       the process that prepared a medium was ended from outside
    │   ├── MediaBudgetExceededError   too much media in flight
    │   ├── MediaStoreFullError        no room for an upload
    │   ├── OverloadedError            as much waits for the engine as may wait
    │   └── ShuttingDownError
    ├── DeadlineExceededError          nothing was written when the call's deadline was near
    ├── ReaderStalledError             the client reads no more of its answer
    ├── SessionLimitExceededError      a session was idle for too long, or lasted too long
    └── StartupError                   the server cannot start; never reaches a client

`service/rpc/status.py` turns them into gRPC statuses by one table.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Self


class TriptychError(Exception):
    """Base of all. `metadata` goes into the `ErrorInfo` of the status."""

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata

    def renamed(self, rename: Callable[[str], str]) -> Self:
        """Return the same error with other names for the fields that it names."""
        error = copy.copy(self)
        field = self.metadata.get("field")
        if field is not None:
            error.metadata = {**self.metadata, "field": rename(field)}
            if self.message.startswith(field):
                error.message = rename(field) + self.message.removeprefix(field)
                error.args = (error.message,)
        return error

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what it says: the arguments of a subclass cannot be told from that."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    kind: type[TriptychError], args: tuple[Any, ...], state: dict[str, Any]
) -> TriptychError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InvalidRequestError(TriptychError):
    """A field of the request is wrong. `violations` pairs each field's path with what is wrong."""

    def __init__(self, field: str, problem: str, **metadata: str) -> None:
        super().__init__(f"{field}: {problem}", field=field, **metadata)
        self.violations: list[tuple[str, str]] = [(field, problem)]

    def renamed(self, rename: Callable[[str], str]) -> Self:
        """Return the same error with other names for the fields that it names."""
        error = super().renamed(rename)
        error.violations = [(rename(field), problem) for field, problem in self.violations]
        error.message = _sentence(error.violations)
        error.args = (error.message,)
        return error

    @classmethod
    def of_all(cls, violations: list[tuple[str, str]]) -> InvalidRequestError:
        """Make one error of several violations (at least one)."""
        error = cls(*violations[0])
        error.violations = violations
        error.message = _sentence(violations)
        error.args = (error.message,)
        return error


def _sentence(violations: list[tuple[str, str]]) -> str:
    return "; ".join(f"{field}: {problem}" for field, problem in violations)


class MediaUndecodableError(InvalidRequestError):
    """The bytes of a medium are no readable file of an allowed format."""


class LimitExceededError(InvalidRequestError):
    """Something is larger than the server allows.

    `actual` is None where it is only known to be more; `cure` says what else to send.
    """

    def __init__(
        self, field: str, limit: str, limit_value: float, actual: float | None, cure: str = ""
    ) -> None:
        got = "more" if actual is None else str(actual)
        super().__init__(
            field,
            f"{limit} is {limit_value}, got {got}" + (f"; {cure}" if cure else ""),
            limit=limit,
            limit_value=str(limit_value),
            actual=got,
        )


class ModalityUnsupportedError(InvalidRequestError):
    """The model does not take this kind of part."""


class PromptTooLongError(LimitExceededError):
    """The prompt does not fit the model's context."""


class TemplateRefusedError(InvalidRequestError):
    """The model's chat template refuses the conversation."""


class ModelNotFoundError(TriptychError):
    """No model of that name is served."""


class NotServedYetError(TriptychError):
    """The contract has it, this server version does not."""


class TaskUnsupportedError(TriptychError):
    """The model answers prompts and is asked for vectors, or the other way round."""


class MediaNotFoundError(TriptychError):
    """No medium of that id is stored for the caller, or no longer."""


class MediaSourceUnsupportedError(TriptychError):
    """The server was started without that source of media."""


class MediaSourceForbiddenError(TriptychError):
    """A URL's host or address, or a path, that the server does not allow."""


class MediaFetchFailedError(TriptychError):
    """A URL's host answered, but not with a medium."""


class UnavailableError(TriptychError):
    """The service cannot answer now; trying again later, or elsewhere, may work."""


class EngineUnavailableError(UnavailableError):
    """The engine is not ready, or died."""


class TokenizerUnavailableError(UnavailableError):
    """The tokenizer sidecar is away and will be back."""


class MediaFetchUnavailableError(UnavailableError):
    """A URL's host did not answer in time, or is in trouble itself."""


class MediaWorkerLostError(UnavailableError):
    """The process that prepared a medium was ended from outside."""


class MediaBudgetExceededError(UnavailableError):
    """The media of all running requests together would take more than the server has."""

    def __init__(self, field: str, limit: str, limit_value: float, actual: float) -> None:
        super().__init__(
            f"{field}: with the media of the requests that run now, {limit} would be {actual}; "
            f"the server's bound is {limit_value}; retry when they are done",
            field=field,
            limit=limit,
            limit_value=str(limit_value),
            actual=str(actual),
        )


class MediaStoreFullError(UnavailableError):
    """There is no room for an upload: what is stored is all in use, or the disk is full."""


class OverloadedError(UnavailableError):
    """As much waits for the engine as may wait; `limit` is the flag's name with underscores."""

    def __init__(self, limit: str, limit_value: int, actual: int) -> None:
        super().__init__(
            f"the server is overloaded: {limit} is {limit_value}, with this request it would be "
            f"{actual}; retry later, or on another replica",
            limit=limit,
            limit_value=str(limit_value),
            actual=str(actual),
        )


class ShuttingDownError(UnavailableError):
    """The server stops and takes no new requests."""


class DeadlineExceededError(TriptychError):
    """Nothing was written when the call's deadline was near; `stage` is where the time went."""

    def __init__(self, stage: str) -> None:
        super().__init__(
            f"nothing was written before the call's deadline, which is near: {stage}", stage=stage
        )


class ReaderStalledError(TriptychError):
    """The client has not read on for so long that its answer was given up."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(
            f"the client did not read its answer on for {timeout_s:g} s; the server ended it",
            reader_timeout_s=f"{timeout_s:g}",
        )


class SessionLimitExceededError(TriptychError):
    """A session was idle for too long, or lasted as long as one may."""

    def __init__(self, limit: str, limit_s: float) -> None:
        super().__init__(
            f"{limit} is {limit_s:g} and is reached; go on in a new session, opened with the "
            "conversation until now",
            limit=limit,
            limit_value=f"{limit_s:g}",
        )


class StartupError(TriptychError):
    """The server cannot start; the message says what to do."""
