"""Every hostile file by name, for the decoders' own tests and for a whole server's."""

from __future__ import annotations

import functools

from tests.unit.media.files import SAMPLE_NAMES, sample
from tests.unit.media.hostile import DECODED, INVALID, UNDECODABLE, HostileFile
from tests.unit.media.hostile_pictures import PICTURES
from tests.unit.media.hostile_sounds import SOUNDS
from tests.unit.media.hostile_videos import VIDEOS

_BUILDERS = {**PICTURES, **SOUNDS, **VIDEOS}
# How much of each format's sample is there.
_TENTHS = range(1, 10)


def hostile_names() -> list[str]:
    """Return the names, without building a file."""
    cut = [f"{tenth}/10 of {name}" for name in SAMPLE_NAMES for tenth in _TENTHS]
    return [*_BUILDERS, *cut]


@functools.cache
def hostile_file(name: str) -> HostileFile:
    """Build one of them."""
    if name in _BUILDERS:
        return _BUILDERS[name]()
    tenth, _, known = name.partition("/10 of ")
    whole = sample(known)
    data = whole.data[: len(whole.data) * int(tenth) // 10]
    options = {"pcm": whole.part.pcm} if known == "pcm" else {}
    # Of what also streams, the whole pieces are taken.
    return HostileFile(whole.modality, data, (DECODED, UNDECODABLE, INVALID), options)


def hostile_files() -> dict[str, HostileFile]:
    """Return all of them; some have a few megabytes."""
    return {name: hostile_file(name) for name in hostile_names()}
