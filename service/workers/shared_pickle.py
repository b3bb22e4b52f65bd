"""Objects with large arrays through shared memory: written once, mapped by the receiver, no copy.

The anonymous file holds, each at a multiple of 64 bytes: the buffers (of NumPy arrays and torch
tensors, pickle protocol 5's out-of-band data), the pickle, and a trailer with their places.
"""

from __future__ import annotations

import io
import os
import pickle
import struct
from itertools import accumulate
from typing import Any

import cloudpickle
import torch

_ALIGNMENT = 64
_COUNT = struct.Struct("<Q")


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # it has no types
    """Keeps tensors out of band; cloudpickle also takes the closures in vLLM's prompt updates."""

    def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401 - the pickle protocol's own types
        if isinstance(obj, torch.Tensor):
            values = obj.detach().cpu().contiguous()
            data: Any = values.view(-1).view(torch.uint8).numpy() if values.numel() else b""
            return _rebuild_tensor, (pickle.PickleBuffer(data), values.dtype, tuple(values.shape))
        return super().reducer_override(obj)


def _rebuild_tensor(data: Any, dtype: torch.dtype, shape: tuple[int, ...]) -> torch.Tensor:  # noqa: ANN401
    if 0 in shape:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(data, dtype=dtype).reshape(shape)


def dump(value: Any) -> int:  # noqa: ANN401 - any picklable object
    """Write a value to an anonymous file and return its descriptor, which the caller closes."""
    buffers: list[pickle.PickleBuffer] = []
    stream = io.BytesIO()
    _Pickler(stream, protocol=5, buffer_callback=buffers.append).dump(value)
    pieces = [*(buffer.raw() for buffer in buffers), stream.getbuffer()]
    sizes = [piece.nbytes for piece in pieces]
    trailer = b"".join(_COUNT.pack(number) for number in (*sizes, len(sizes)))
    fd = os.memfd_create("triptych-result", os.MFD_CLOEXEC)
    try:
        for piece in pieces:
            _write(fd, piece)
            _write(fd, memoryview(bytes(-piece.nbytes % _ALIGNMENT)))
        _write(fd, memoryview(trailer))
    except BaseException:
        os.close(fd)
        raise
    return fd


def load(fd: int) -> Any:  # noqa: ANN401 - what was dumped
    """Read a value; its arrays lie in the file's memory, which lives as long as any of them.

    Closes nothing. The mapping is private: writing to an array changes no other process's.
    """
    size = os.fstat(fd).st_size
    # Python's `mmap` would keep a descriptor as long as the mapping, and thousands of results may
    # be kept.
    mapped = torch.from_file(f"/proc/self/fd/{fd}", shared=False, size=size, dtype=torch.uint8)
    view = mapped.numpy().data
    (count,) = _COUNT.unpack(view[size - _COUNT.size :])
    table = view[size - _COUNT.size * (count + 1) : size - _COUNT.size]
    sizes = [number for (number,) in _COUNT.iter_unpack(table)]
    starts = accumulate((length + -length % _ALIGNMENT for length in sizes), initial=0)
    pieces = [view[start : start + length] for start, length in zip(starts, sizes, strict=False)]
    return pickle.loads(pieces[-1], buffers=pieces[:-1])  # noqa: S301 - our own process wrote it


def _write(fd: int, data: memoryview) -> None:
    rest = data.cast("B")
    while rest:
        rest = rest[os.write(fd, rest) :]
