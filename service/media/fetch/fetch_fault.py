"""Why a fetch failed, before it is known for which field of which request.

One fetch can serve several requests, and each of them must name its own field. Messages say nothing
that the remote host wrote and no address of our network.
"""

from __future__ import annotations

from collections.abc import Callable

from service.errors import (
    LimitExceededError,
    MediaBudgetExceededError,
    MediaFetchFailedError,
    MediaFetchUnavailableError,
    MediaSourceForbiddenError,
    TriptychError,
)


class FetchFault(Exception):  # noqa: N818 - the error is what `for_field` makes of it
    """A failure without its field."""

    def __init__(self, make_error: Callable[[str], TriptychError]) -> None:
        super().__init__(str(make_error("…")))
        self._make_error = make_error

    def for_field(self, field: str) -> TriptychError:
        """Return the error for a part whose field is `field`."""
        return self._make_error(field)

    @classmethod
    def failed(cls, problem: str, **metadata: str) -> FetchFault:
        """The host answered, but not with a medium."""
        return cls(lambda field: _about_url(MediaFetchFailedError, field, problem, metadata))

    @classmethod
    def unavailable(cls, problem: str, **metadata: str) -> FetchFault:
        """The host did not answer; it may later."""
        return cls(lambda field: _about_url(MediaFetchUnavailableError, field, problem, metadata))

    @classmethod
    def forbidden(cls, problem: str, **metadata: str) -> FetchFault:
        """The server does not go there."""
        return cls(lambda field: _about_url(MediaSourceForbiddenError, field, problem, metadata))

    @classmethod
    def over_limit(cls, error: LimitExceededError | MediaBudgetExceededError) -> FetchFault:
        """The same limit, whoever asked."""
        limit = error.metadata["limit"]
        value, actual = int(error.metadata["limit_value"]), int(error.metadata["actual"])
        return cls(lambda field: type(error)(field, limit, value, actual))


def _about_url(
    kind: type[TriptychError], part_field: str, problem: str, metadata: dict[str, str]
) -> TriptychError:
    field = f"{part_field}.source.url"
    return kind(f"{field}: {problem}", field=field, source="url", **metadata)
