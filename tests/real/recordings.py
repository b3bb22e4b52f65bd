"""Real speech of which it is known what was said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.real.packages import package

_SAID_BY_JFK = (
    "And so, my fellow Americans: ask not what your country can do for you; "
    "ask what you can do for your country."
)


@dataclass(frozen=True)
class Recording:
    """A sound file and its words."""

    path: Path
    said: str


def jfk(file: str) -> Recording:
    """Return the clip in one of its forms, by its file's name; raises FetchError."""
    return Recording(package("jfk").fetch() / file, _SAID_BY_JFK)


def librivox() -> list[Recording]:
    """Return the five sentences; raises FetchError."""
    folder = package("librivox").fetch()
    # A line of the package's own: `<s> he was not an ill disposed young man </s> (name)`.
    lines = re.findall(r"<s> (.*) </s> \((.*)\)", (folder / "transcription").read_text())
    return [Recording(folder / f"{name}.wav", said) for said, name in lines]
