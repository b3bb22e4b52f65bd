"""Encoded media as open files: what every source gives, and what a worker process is handed.

The file is anonymous memory (memfd), or a file of the store, which nobody changes. So a worker gets
a descriptor and no copy, and what was hashed is what is decoded.
"""

from __future__ import annotations

import hashlib
import os
from types import TracebackType
from typing import Self

from service.errors import InvalidRequestError
from service.media.budget import Reservation
from service.media.limits import check_limit


class EncodedMedia:
    """An encoded file. Owns the descriptor `fd` and a reservation; `close` gives both back."""

    def __init__(
        self, fd: int, size_bytes: int, sha256: bytes, reservation: Reservation | None = None
    ) -> None:
        self.fd = fd
        self.size_bytes = size_bytes
        self.sha256 = sha256
        self._reservation = reservation

    def reopen(self) -> EncodedMedia:
        """Return the same file once more, with a position of its own; this one pays for both."""
        fd = os.open(f"/proc/self/fd/{self.fd}", os.O_RDONLY | os.O_CLOEXEC)
        return EncodedMedia(fd, self.size_bytes, self.sha256)

    def close(self) -> None:
        """Give the file back. Harmless a second time."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        if self._reservation is not None:
            self._reservation.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class EncodedWriter:
    """Collects a medium's bytes, within `max_bytes` and the budget; then `finish` or `close`."""

    def __init__(self, field: str, max_bytes: int, reservation: Reservation) -> None:
        self._field = field
        self._max_bytes = max_bytes
        self._reservation = reservation
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        self._fd = os.memfd_create("triptych-media", os.MFD_CLOEXEC)

    def expect(self, size_bytes: int) -> None:
        """Refuse a size that is known before the bytes come."""
        check_limit(self._field, "part_bytes", self._max_bytes, size_bytes)

    def write(self, chunk: bytes | memoryview) -> None:
        """Add bytes; raises LimitExceededError or MediaBudgetExceededError before it takes them."""
        self.expect(self._size_bytes + len(chunk))
        self._reservation.grow(len(chunk))
        self._size_bytes += len(chunk)
        self._hash.update(chunk)
        rest = memoryview(chunk)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def finish(self) -> EncodedMedia:
        """Return the medium, which owns everything from now on."""
        if not self._size_bytes:
            self.close()
            raise InvalidRequestError(self._field, "the medium is empty; it has 0 bytes")
        fd, self._fd = self._fd, -1
        return EncodedMedia(fd, self._size_bytes, self._hash.digest(), self._reservation)

    def close(self) -> None:
        """Drop everything. Harmless after `finish`."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
            self._reservation.close()
