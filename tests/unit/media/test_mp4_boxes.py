"""The samples that an MP4 claims are counted before anything makes an index of them."""

from __future__ import annotations

import pytest

from service.errors import MediaUndecodableError
from service.media import mp4_boxes
from service.media.mp4_boxes import check_sample_counts
from service.media.video import decode_video
from tests.unit.media.files import AUDIO_RATE_HZ, encode_video, grey_frames, video_medium
from tests.unit.media.iso_boxes import box, numbers

MOST = 2_000_000
START = box(b"ftyp", b"isom" + bytes(4))


def check(data: bytes) -> None:
    check_sample_counts(video_medium(START + data))


def table(count: int) -> bytes:
    """Return a table of equal samples."""
    return box(b"stsz", numbers(0, 1, count))


def moov(*tables: bytes) -> bytes:
    body = b"".join(tables)
    for kind in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        body = box(kind, body)
    return body


def test_as_many_samples_as_are_taken() -> None:
    check(moov(table(MOST)))
    check(moov(table(MOST // 2), table(MOST // 2)))


@pytest.mark.parametrize(
    "data",
    [
        moov(table(MOST + 1)),
        moov(table(MOST), table(1)),
        moov(table(0xFFFF_FFFF)),
        moov(box(b"stz2", numbers(0, 4, MOST + 1))),
        box(b"moof", box(b"traf", box(b"trun", numbers(0, MOST + 1)))),
        box(b"moof", box(b"traf", box(b"trun", numbers(0, MOST)))) * 2,
        box(b"udta", table(MOST + 1)),
        (0).to_bytes(4) + b"moov" + table(MOST + 1),
        b"\x00\x00\x00\x01moov" + (8 << 32 | 200).to_bytes(8) + table(MOST + 1),
        box(b"free", b"") * 1000 + moov(table(MOST + 1)),
    ],
    ids=[
        "one",
        "two",
        "most",
        "compact",
        "fragment",
        "fragments",
        "odd place",
        "to the end",
        "64 bit",
        "late",
    ],
)
def test_more_are_refused_wherever_the_tables_lie(data: bytes) -> None:
    with pytest.raises(MediaUndecodableError, match="samples; 2000000 are the most"):
        check(data)


def test_packed_tables_are_refused() -> None:
    """Nobody has made such files since QuickTime 6, and what they unpack to is anything."""
    with pytest.raises(MediaUndecodableError, match="tables are compressed"):
        check(box(b"moov", box(b"cmov", bytes(20))))


def test_samples_themselves_are_not_searched() -> None:
    check(box(b"mdat", table(0xFFFF_FFFF)))


def test_a_table_across_two_pieces_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in the file the pieces happen to meet; and it counts once."""
    for size in range(32, 64):
        monkeypatch.setattr(mp4_boxes, "_CHUNK_BYTES", size)
        with pytest.raises(MediaUndecodableError, match=f"claim {MOST + 7} samples"):
            check(moov(table(MOST + 7)))
        check(moov(table(MOST - 7)))


def test_too_many_boxes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4_boxes, "_MOST_BOXES", 100)
    check(box(b"free", b"") * 99)
    with pytest.raises(MediaUndecodableError, match="more than 100 boxes"):
        check(box(b"free", b"") * 101)


def test_what_is_no_box_ends_the_search() -> None:
    """FFmpeg reads no further either."""
    check(b"\x00\x00\x00\x03" + table(0xFFFF_FFFF))


@pytest.mark.parametrize("movflags", ["", "frag_keyframe+empty_moov"])
def test_a_file_that_is_counted_is_decoded(movflags: str) -> None:
    """With one table of all samples, or one for each fragment."""
    data = encode_video(grey_frames(12), movflags=movflags)
    check_sample_counts(video_medium(data))
    assert decode_video(video_medium(data), AUDIO_RATE_HZ).total_frames == 12
