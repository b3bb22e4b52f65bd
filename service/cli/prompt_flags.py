"""The flags that say what a model is asked, the same for every command that asks."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEDIA_FLAGS = ("--image", "--audio", "--video")


def add_prompt_flags(parser: argparse.ArgumentParser) -> None:
    """Add TEXT, media, --system, and --target."""
    parser.add_argument("text", metavar="TEXT", help="the question; - reads it from stdin")
    for flag in _MEDIA_FLAGS:
        parser.add_argument(
            flag,
            metavar="FILE",
            dest="media",
            default=[],
            action=_AppendMedium,
            help="a file here, or a URL that the server may fetch; goes before the text, in the "
            "order of the command line; may be repeated",
        )
    parser.add_argument("--target", default="localhost:50051", help="the server (%(default)s)")
    parser.add_argument("--system", help="instructions for the model")


class _AppendMedium(argparse.Action):
    """Keeps one list for all media flags, so that their order is kept."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        _option_string: str | None = None,
    ) -> None:
        # Not the option as typed, which may be an abbreviation.
        kind = self.option_strings[0].removeprefix("--")
        namespace.media = [*namespace.media, (kind, values)]
