"""A decoder keeps to the thread that calls it: a worker has one processor, and may start none."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.unit.media.files import SAMPLE_NAMES, decode_bytes, encode_video, gradient, sample


class ThreadCounter(threading.Thread):
    """Looks how many threads the process has, again and again, until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._is_stopped = threading.Event()
        self._has_looked = threading.Event()

    def run(self) -> None:
        while not self._is_stopped.is_set():
            self.most = max(self.most, threads())
            self._has_looked.set()

    def begin(self) -> int:
        """Return how many there are with this one."""
        self.start()
        self._has_looked.wait()
        return self.most

    def stop(self) -> None:
        self._is_stopped.set()
        self.join()


def threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_no_thread_is_started(name: str) -> None:
    known = sample(name)
    data = known.data
    if name == "mp4-h264":
        # As large as what is worth a thread to FFmpeg.
        data = encode_video([gradient(640, 360)] * 5)
    counter = ThreadCounter()
    before = counter.begin()
    for _ in range(5):
        decode_bytes(known.part, data)
    # What outlives its decoder would be seen too.
    after = threads()
    counter.stop()
    # Threads of the encoders may end meanwhile.
    assert counter.most <= before
    assert after <= before
