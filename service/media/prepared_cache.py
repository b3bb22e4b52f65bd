"""Prepared media by their content, so that equal media are decoded and preprocessed once."""

from __future__ import annotations

from collections import OrderedDict

from service.media.tasks import Preparation


class PreparedCache:
    """The most recently used preparations, up to `limit_bytes` in all (0: none)."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._kept: OrderedDict[str, Preparation] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        """What is kept."""
        return self._size_bytes

    def get(self, digest: str) -> Preparation | None:
        """Return what was prepared of this content, and keep it longer."""
        preparation = self._kept.get(digest)
        if preparation is not None:
            self._kept.move_to_end(digest)
        return preparation

    def put(self, digest: str, preparation: Preparation) -> None:
        """Keep a preparation that is not kept yet; the least recently used go."""
        if preparation.size_bytes > self._limit_bytes:
            return
        self._kept[digest] = preparation
        self._size_bytes += preparation.size_bytes
        while self._size_bytes > self._limit_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._size_bytes -= oldest.size_bytes
