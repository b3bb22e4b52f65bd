"""The media of a session are got once, counted until it ends, and then gone."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from service.domain.conversation import (
    AudioPart,
    DataUri,
    HeldMedia,
    ImagePart,
    InlineData,
    MediaSource,
    Origin,
    ServerPath,
)
from service.domain.limits import MediaLimits
from service.errors import (
    InvalidRequestError,
    LimitExceededError,
    MediaBudgetExceededError,
    MediaSourceUnsupportedError,
)
from service.media.budget import ByteBudget
from service.media.session_media import SessionFiles, SessionFileSource
from service.media.sources.resolver import ResolvedMedia, SourceResolver
from service.media.sources.server_path import ServerPaths
from tests.unit.media.open_media import open_media, until

FIELD = "conversation.messages[0].parts[0].audio"
BUDGET_BYTES = 1000
LIMITS = MediaLimits(part_bytes=100, request_bytes=150)


@pytest.fixture
def budget() -> ByteBudget:
    return ByteBudget(BUDGET_BYTES)


@pytest.fixture
async def resolver(budget: ByteBudget, tmp_path) -> AsyncIterator[SourceResolver]:
    resolver = SourceResolver(budget, fetcher=None, paths=ServerPaths((tmp_path,)), store=None)
    yield resolver
    await resolver.aclose()


@pytest.fixture
def files(resolver: SourceResolver, budget: ByteBudget) -> Iterator[SessionFiles]:
    """Media that are all gone after the test."""
    files = SessionFiles(resolver, budget, LIMITS, "somebody")
    yield files
    files.close()
    assert (budget.reserved_bytes, open_media()) == (0, 0)


def sound(origin: Origin | None = None, **claims: object) -> AudioPart:
    return AudioPart(FIELD, MediaSource(origin or InlineData(b""), **claims))


async def content(resolver: SourceResolver, part: AudioPart | ImagePart) -> bytes:
    """Read what a request with this part would read."""
    resolved = await resolver.resolve(part.field, part.source, caller="somebody", max_bytes=100)
    with resolved.encoded as encoded:
        return os.pread(encoded.fd, 1000, 0)


async def test_what_is_kept_is_read_by_every_turn(
    files: SessionFiles, resolver: SourceResolver, tmp_path
) -> None:
    """Also when the file that it came from is no longer what it was."""
    path = tmp_path / "sound.wav"
    path.write_bytes(b"first")
    kept = await files.keep(sound(ServerPath(str(path))))
    path.write_bytes(b"other")
    assert [await content(resolver, kept), await content(resolver, kept)] == [b"first"] * 2


async def test_a_kept_part_is_kept_once(files: SessionFiles, budget: ByteBudget) -> None:
    kept = await files.keep(sound(InlineData(b"12345")))
    assert await files.keep(kept) is kept
    assert budget.reserved_bytes == 5


async def test_everything_but_the_bytes_stays_as_it_was(
    files: SessionFiles, resolver: SourceResolver
) -> None:
    """A data URI's own media type is a claim that later turns are held to as well."""
    part = dataclasses.replace(sound(DataUri("data:audio/wav;base64,YWJj")), start_s=1.5)
    kept = await files.keep(part)
    assert (kept.field, kept.start_s) == (FIELD, 1.5)
    again = await resolver.resolve(FIELD, kept.source, caller="somebody", max_bytes=100)
    again.encoded.close()
    assert again.claimed_mime_types == ("audio/wav",)


async def test_readers_of_one_medium_have_positions_of_their_own(
    files: SessionFiles, resolver: SourceResolver
) -> None:
    kept = await files.keep(sound(InlineData(b"12345")))
    medium: ResolvedMedia = kept.source.origin.medium
    with medium.encoded.reopen() as one, medium.encoded.reopen() as other:
        os.lseek(one.fd, 3, os.SEEK_SET)
        os.lseek(other.fd, 0, os.SEEK_SET)
        assert os.read(one.fd, 10) == b"45"


async def test_a_turn_that_reads_outlives_the_session(
    files: SessionFiles, resolver: SourceResolver
) -> None:
    kept = await files.keep(sound(InlineData(b"12345")))
    reading = await resolver.resolve(FIELD, kept.source, caller="somebody", max_bytes=100)
    files.close()
    with reading.encoded as encoded:
        assert os.pread(encoded.fd, 10, 0) == b"12345"


async def test_pieces_become_one_medium(files: SessionFiles, resolver: SourceResolver) -> None:
    recording = files.begin(sound(sha256=hashlib.sha256(b"one two").digest()))
    for piece in (b"one", b" ", b"two"):
        recording.write(piece)
    kept = recording.finish()
    assert isinstance(kept.source.origin, HeldMedia)
    assert await content(resolver, kept) == b"one two"


async def test_pieces_are_held_to_their_claims(
    files: SessionFiles, resolver: SourceResolver
) -> None:
    recording = files.begin(sound(sha256=hashlib.sha256(b"other").digest()))
    recording.write(b"one")
    with pytest.raises(InvalidRequestError) as refusal:
        recording.finish()
    assert refusal.value.violations[0][0] == f"{FIELD}.source.sha256"
    typed = files.begin(sound(mime_type="audio/flac"))
    typed.write(b"one")
    again = await resolver.resolve(FIELD, typed.finish().source, caller="somebody", max_bytes=100)
    again.encoded.close()
    assert again.claimed_mime_types == ("audio/flac",)


async def test_a_medium_without_a_piece_is_refused(files: SessionFiles) -> None:
    with pytest.raises(InvalidRequestError, match="0 bytes"):
        files.begin(sound()).finish()


async def test_pieces_count_while_they_come(files: SessionFiles, budget: ByteBudget) -> None:
    """The fixture sees that they no longer do when the session ends in the middle."""
    recording = files.begin(sound())
    recording.write(b"x" * 60)
    recording.write(b"x" * 40)
    assert budget.reserved_bytes == 100
    with pytest.raises(LimitExceededError) as refusal:
        recording.write(b"x")
    assert refusal.value.metadata["limit"] == "part_bytes"


async def test_all_media_of_a_session_count_as_those_of_one_request(files: SessionFiles) -> None:
    await files.keep(sound(InlineData(b"x" * 100)))
    with pytest.raises(LimitExceededError) as refusal:
        await files.keep(sound(InlineData(b"x" * 51)))
    assert refusal.value.metadata["limit"] == "request_bytes"
    with pytest.raises(LimitExceededError) as refusal:
        files.begin(sound()).write(b"x" * 51)
    assert refusal.value.metadata["limit"] == "request_bytes"
    files.begin(sound()).write(b"x" * 50)


async def test_what_is_fetched_and_too_much_is_let_go(
    files: SessionFiles, budget: ByteBudget, tmp_path
) -> None:
    """Its size is known only when it is here."""
    (tmp_path / "sound.wav").write_bytes(b"x" * 100)
    await files.keep(sound(ServerPath(str(tmp_path / "sound.wav"))))
    with pytest.raises(LimitExceededError):
        await files.keep(sound(ServerPath(str(tmp_path / "sound.wav"))))
    assert budget.reserved_bytes == 100


async def test_sessions_share_the_bytes_in_flight(resolver: SourceResolver) -> None:
    scarce = ByteBudget(10)
    first, second = (SessionFiles(resolver, scarce, LIMITS, "somebody") for _ in range(2))
    first.begin(sound()).write(b"x" * 8)
    with pytest.raises(MediaBudgetExceededError):
        second.begin(sound()).write(b"x" * 3)
    first.close()
    second.begin(sound()).write(b"x" * 3)
    second.close()
    assert scarce.reserved_bytes == 0


async def test_a_source_that_is_off_is_off_in_sessions_too(budget: ByteBudget) -> None:
    resolver = SourceResolver(budget, fetcher=None, paths=None, store=None)
    files = SessionFiles(resolver, budget, LIMITS, "somebody")
    with pytest.raises(MediaSourceUnsupportedError):
        await files.keep(sound(ServerPath("/sound.wav")))
    files.close()
    await resolver.aclose()


async def test_what_comes_after_the_end_is_not_kept(files: SessionFiles) -> None:
    files.close()
    with pytest.raises(RuntimeError, match="after the end"):
        await files.keep(sound(InlineData(b"12345")))


async def test_a_session_may_have_lower_limits_than_the_server(
    resolver: SourceResolver, budget: ByteBudget
) -> None:
    """But no higher ones."""
    source = SessionFileSource(resolver, budget, LIMITS)
    files = source.open("somebody", {"part_bytes": 4, "request_bytes": 1000})
    with pytest.raises(LimitExceededError):
        await files.keep(sound(InlineData(b"12345")))
    files.close()
    files = source.open("somebody", {"part_bytes": 1000})
    with pytest.raises(LimitExceededError):
        await files.keep(sound(InlineData(b"x" * 101)))
    files.close()


async def test_giving_up_while_a_medium_is_got_leaves_nothing(
    files: SessionFiles, budget: ByteBudget, tmp_path
) -> None:
    (tmp_path / "sound.wav").write_bytes(b"x" * 100)
    keeping = asyncio.create_task(files.keep(sound(ServerPath(str(tmp_path / "sound.wav")))))
    await asyncio.sleep(0)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await until(lambda: (budget.reserved_bytes, open_media()) == (0, 0))
