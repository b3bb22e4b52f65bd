"""Messages between processes: whole, with their files, or not at all."""

from __future__ import annotations

import os

import pytest

from service.workers.channel import Channel


def test_messages_stay_whole_and_in_order() -> None:
    one, other = Channel.pair()
    for message in ("a", {"b": [1]}, None):
        one.send(message)
    assert [other.receive().message for _ in range(3)] == ["a", {"b": [1]}, None]


def test_a_file_travels_with_its_message() -> None:
    one, other = Channel.pair()
    reading, writing = os.pipe()
    one.send("here", [reading])
    os.close(reading)
    os.write(writing, b"content")
    (fd,) = other.receive().fds
    assert os.read(fd, 100) == b"content"
    for descriptor in (fd, writing):
        os.close(descriptor)


def test_the_end_of_the_other_side_is_told() -> None:
    one, other = Channel.pair()
    one.send("last words")
    one.close()
    assert other.receive().message == "last words"
    assert other.receive() is None
    with pytest.raises(OSError, match="Broken pipe"):
        other.send("anybody?")


def test_what_is_too_large_for_a_message_is_refused_by_the_sender() -> None:
    """It would arrive cut off."""
    one, other = Channel.pair()
    with pytest.raises(ValueError, match="too large"):
        one.send("x" * (1 << 18))
    one.send("fits")
    assert other.receive().message == "fits"
