"""Which packets of a video must be decoded to see a few of its frames.

A frame refers to others. These lie in its group, which a key frame begins; and for frames that are
stored behind a key frame but shown before it (an "open" group: H.264's recovery points, H.265's
CRA with its RASL pictures, ITU-T H.265, 8.3.2), also in the group before.

    stored:  K0 P3 B1 B2 P6 B4 B5 | K9 B7 B8 P12 B10 B11 | K15 ...      (numbers: order of showing)

To see frame 2, the first four packets are enough; to see frame 7, those from K0 to B7 are needed;
to see frame 12, those from K9 to P12. Tested by tests/unit/media/test_frame_plan.py.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection
from dataclasses import dataclass, field

# No time: FFmpeg's AV_NOPTS_VALUE.
NOT_SHOWN = -(1 << 63)


@dataclass(slots=True)
class PacketTable:
    """A video's packets in the order of the file, which is that of decoding.

    `times` are when their frames are shown, in the stream's time base; NOT_SHOWN of those that none
    is shown of. `keys` are the numbers of packets that a decoder can begin with, as the file says.
    """

    times: array[int] = field(default_factory=lambda: array("q"))
    keys: list[int] = field(default_factory=list)

    def add(self, time: int | None, *, is_key: bool) -> None:
        """Add the next packet; `time` is None when no frame is shown of it."""
        if is_key and time is not None:
            self.keys.append(len(self.times))
        self.times.append(NOT_SHOWN if time is None else time)

    def shown(self) -> list[int]:
        """Return the times of all frames in the order in which they are shown."""
        return sorted(time for time in self.times if time != NOT_SHOWN)


def plan_packets(table: PacketTable, wanted: Collection[int]) -> list[range]:
    """Return the numbers of packets to decode, those that follow on another in one range.

    `wanted` are times of frames. Before each range the decoder begins anew.
    """
    begins = [0, *(key for key in table.keys if key > 0)]
    ends = [*begins[1:], len(table.times)]
    needed = [0] * len(begins)
    for group in reversed(range(len(begins))):
        begin, end = begins[group], ends[group]
        seen = [number for number in range(begin, end) if table.times[number] in wanted]
        if seen:
            needed[group] = max(needed[group], seen[-1] + 1)
        if group and any(table.times[number] < table.times[begin] for number in seen):
            needed[group - 1] = begin
    return _joined([range(begin, end) for begin, end in zip(begins, needed, strict=True) if end])


def _joined(ranges: list[range]) -> list[range]:
    joined: list[range] = []
    for one in ranges:
        if joined and joined[-1].stop == one.start:
            joined[-1] = range(joined[-1].start, one.stop)
        else:
            joined.append(one)
    return joined
