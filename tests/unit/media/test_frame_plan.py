"""Which packets are decoded, by the example of frame_plan.py."""

from __future__ import annotations

import pytest

from service.media.frame_plan import PacketTable, plan_packets

STORED = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8, 12, 10, 11, 15]
KEYS = (0, 9, 15)


def table_of(times: list[int], keys: tuple[int, ...]) -> PacketTable:
    table = PacketTable()
    for time in times:
        table.add(time, is_key=time in keys)
    return table


@pytest.mark.parametrize(
    ("wanted", "planned"),
    [
        ({0}, [range(1)]),
        ({2}, [range(4)]),
        ({3}, [range(2)]),
        ({7}, [range(9)]),
        ({9}, [range(7, 8)]),
        ({12}, [range(7, 11)]),
        ({1, 12}, [range(3), range(7, 11)]),
        ({1, 8}, [range(10)]),
        ({0, 15}, [range(1), range(13, 14)]),
        ({11, 15}, [range(7, 14)]),
        (set(STORED), [range(14)]),
    ],
)
def test_no_more_is_decoded_than_the_wanted_need(wanted: set[int], planned: list[range]) -> None:
    assert plan_packets(table_of(STORED, KEYS), wanted) == planned


def test_what_is_not_shown_begins_no_group() -> None:
    """Such a key frame may have been trimmed away; what follows needs what came before."""
    table = PacketTable()
    for time, is_key in ((0, True), (1, False), (None, True), (3, False)):
        table.add(time, is_key=is_key)

    assert plan_packets(table, {3}) == [range(4)]
    assert table.shown() == [0, 1, 3]


def test_a_file_without_key_frames_is_decoded_from_its_beginning() -> None:
    assert plan_packets(table_of([0, 1, 2, 3], ()), {2}) == [range(3)]
