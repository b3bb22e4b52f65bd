"""Decodes hostile files one after the other, each in a process of its own that measures itself.

Run as a program, so that the process that forks is small: `python -m
tests.unit.media.measured_decoding`. Prints one line of JSON for each file.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
import sys
import time
from dataclasses import asdict, dataclass

from service.domain.limits import MediaLimits
from service.errors import InvalidRequestError, LimitExceededError, MediaUndecodableError
from service.media.decoding import decode, describe
from tests.unit.media.files import AUDIO_RATE_HZ, FIELD
from tests.unit.media.hostile import DECODED, INVALID, UNDECODABLE, HostileFile
from tests.unit.media.hostile_files import hostile_file, hostile_names

# A hang is a failure that must not hang the tests.
_DEADLINE_S = 60


@dataclass(frozen=True)
class Measured:
    """What became of a file; `peak_bytes` is what its process had beyond the one it came from."""

    outcome: str
    description_outcome: str
    problem: str
    peak_bytes: int
    seconds: float


def outcome_of(file: HostileFile, *, describing: bool = False) -> tuple[str, str]:
    """Return what becomes of a file, and what is said of it; anything but our errors is raised."""
    data, size_bytes, part = io.BytesIO(file.data), len(file.data), file.part
    try:
        if describing:
            describe(part, data, size_bytes, MediaLimits())
        else:
            decode(
                part, data, size_bytes, MediaLimits(), audio_rate_hz=AUDIO_RATE_HZ, digest="digest"
            )
    except InvalidRequestError as error:
        is_about_the_part = error.metadata["field"] == FIELD
        if isinstance(error, LimitExceededError) and is_about_the_part:
            return error.metadata["limit"], error.message
        if isinstance(error, MediaUndecodableError) and is_about_the_part:
            return UNDECODABLE, error.message
        if error.metadata["field"].startswith(f"{FIELD}."):
            return INVALID, error.message
        raise
    return DECODED, ""


def measure(file: HostileFile) -> Measured:
    """Describe and decode in this process, which has done nothing else."""
    before_bytes, start_s = _peak_bytes(), time.process_time()
    described, _ = outcome_of(file, describing=True)
    outcome, problem = outcome_of(file)
    seconds = time.process_time() - start_s
    return Measured(outcome, described, problem, _peak_bytes() - before_bytes, seconds)


def measure_apart(file: HostileFile) -> Measured:
    """Measure in a forked process; its death is an outcome too."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(_DEADLINE_S)
        try:
            told = json.dumps(asdict(measure(file)))
        except BaseException as error:  # noqa: BLE001 - told to the tests, whatever it is
            told = json.dumps(asdict(Measured(repr(error)[:500], "", "", 0, 0.0)))
        os.write(writer, told.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if status or not told:
        return Measured(f"ended by signal {os.WTERMSIG(status)}", "", "", 0, 0.0)
    return Measured(**json.loads(told))


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    for name in sys.argv[1:] or hostile_names():
        print(json.dumps({"name": name} | asdict(measure_apart(hostile_file(name)))), flush=True)
