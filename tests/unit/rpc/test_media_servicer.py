"""MediaService over a real socket, with a real store: uploads, questions, and every refusal."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from service.domain.conversation import AudioPart, ImagePart, InlineData, VideoPart
from service.errors import LimitExceededError
from service.media.store.media_store import MediaStore
from service.media.store.upload import Upload
from service.rpc.media_servicer import MediaServicer
from service.rpc.server import RpcServer, build_server
from service.rpc.serving import Serving
from tests.fakes.fake_prober import FakeProber
from tests.fakes.fake_way import FakeWay
from triptych.v1 import generation_service_pb2, generation_service_pb2_grpc, media_pb2
from triptych.v1 import media_service_pb2 as pb
from triptych.v1 import media_service_pb2_grpc as pb_grpc

NOW_S = 1_800_000_000.0
MAX_AGE_S = 600.0
MAX_MEDIUM_BYTES = 3 << 20
MIB = 1 << 20
DATA = b"a medium of no special format"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
INVALID = grpc.StatusCode.INVALID_ARGUMENT


class WatchedStore(MediaStore):
    """A store that tells when an upload has got bytes, and when it has ended."""

    def watch(self) -> None:
        self.got_bytes, self.ended = asyncio.Event(), asyncio.Event()

    async def begin(self, caller: str, mime_type: str, size_bytes: int, sha256: bytes) -> Upload:
        upload = await super().begin(caller, mime_type, size_bytes, sha256)
        write, abort = upload.write, upload.abort

        async def written(chunk: bytes) -> None:
            await write(chunk)
            self.got_bytes.set()

        async def aborted() -> None:
            # The cancellation of the call may reach the handler while it waits here.
            ending = asyncio.ensure_future(abort())
            ending.add_done_callback(lambda _: self.ended.set())
            await asyncio.shield(ending)

        upload.write, upload.abort = written, aborted
        return upload


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[WatchedStore]:
    store = await WatchedStore.start(
        tmp_path / "media",
        max_bytes=8 * MIB,
        max_age_s=MAX_AGE_S,
        max_medium_bytes=MAX_MEDIUM_BYTES,
        clock=lambda: NOW_S,
    )
    store.watch()
    yield store
    await store.close()


@pytest.fixture
async def server(serving: Serving, store: MediaStore, tmp_path: Path) -> AsyncIterator[RpcServer]:
    server = build_server(
        f"unix:{tmp_path}/rpc.sock",
        serving,
        max_message_bytes=2 * MIB,
        media_store=store,
        caller_header="x-caller",
    )
    await server.start()
    yield server
    await server.stop(0)


@pytest.fixture
def media(channel: grpc.aio.Channel) -> pb_grpc.MediaServiceStub:
    return pb_grpc.MediaServiceStub(channel)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def header(data: bytes = DATA, **fields: object) -> pb.UploadMediaRequest:
    declared = {"size_bytes": len(data), "sha256": sha256(data), **fields}
    return pb.UploadMediaRequest(header=pb.UploadHeader(**declared))


def chunk(data: bytes) -> pb.UploadMediaRequest:
    return pb.UploadMediaRequest(chunk=data)


def messages_of(data: bytes, chunk_bytes: int = MIB) -> Iterator[pb.UploadMediaRequest]:
    yield header(data)
    for start in range(0, len(data), chunk_bytes):
        yield chunk(data[start : start + chunk_bytes])


def detail(error: grpc.aio.AioRpcError, kind: type[Message]) -> Message:
    found = kind()
    assert any(packed.Unpack(found) for packed in rpc_status.from_call(error).details)
    return found


def wrong_fields(error: grpc.aio.AioRpcError) -> dict[str, str]:
    bad = detail(error, error_details_pb2.BadRequest)
    return {violation.field: violation.description for violation in bad.field_violations}


def info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    return detail(error, error_details_pb2.ErrorInfo)


def files_of(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "media").rglob("*") if path.is_file()]


async def find(media: pb_grpc.MediaServiceStub, *datas: bytes) -> pb.FindMissingMediaResponse:
    request = pb.FindMissingMediaRequest(sha256s=[sha256(data) for data in datas])
    return await media.FindMissingMedia(request)


@pytest.mark.parametrize("data", [b"x", DATA, bytes(MAX_MEDIUM_BYTES)])
async def test_an_upload_is_stored_before_a_model_is_loaded(
    media: pb_grpc.MediaServiceStub, store: MediaStore, data: bytes
) -> None:
    """In chunks of up to 1 MiB; the answer has the id and the time."""
    response = await media.UploadMedia(messages_of(data))
    assert response.expire_time.ToNanoseconds() == (NOW_S + MAX_AGE_S) * 1e9
    with await store.open("image", response.media_id, "") as stored:
        assert (stored.size_bytes, stored.sha256) == (len(data), sha256(data))


async def test_the_same_content_twice_gives_the_same_answer(
    media: pb_grpc.MediaServiceStub,
) -> None:
    """However it is cut."""
    first = await media.UploadMedia(messages_of(DATA))
    assert await media.UploadMedia(messages_of(DATA, chunk_bytes=1)) == first


async def test_what_is_missing_and_what_is_there_come_in_the_order_asked(
    media: pb_grpc.MediaServiceStub,
) -> None:
    """Repeated questions are answered repeatedly."""
    stored = await media.UploadMedia(messages_of(DATA))
    answer = await find(media, b"a", DATA, b"b", b"a")
    assert list(answer.sha256s) == [sha256(b"a"), sha256(b"b"), sha256(b"a")]
    assert list(answer.found) == [
        pb.StoredMedia(
            sha256=sha256(DATA), media_id=stored.media_id, expire_time=stored.expire_time
        )
    ]


async def test_callers_have_each_their_own(
    media: pb_grpc.MediaServiceStub, store: MediaStore
) -> None:
    """By the header that the operator named: for storing, asking and deleting."""
    alice, bob = (("x-caller", "alice"),), (("x-caller", "bob"),)
    question = pb.FindMissingMediaRequest(sha256s=[sha256(DATA)])
    stored = await media.UploadMedia(messages_of(DATA), metadata=alice)
    assert not (await media.FindMissingMedia(question, metadata=bob)).found
    assert not (await media.FindMissingMedia(question)).found
    await media.DeleteMedia(pb.DeleteMediaRequest(media_id=stored.media_id), metadata=bob)
    assert (await media.FindMissingMedia(question, metadata=alice)).found
    await media.DeleteMedia(pb.DeleteMediaRequest(media_id=stored.media_id), metadata=alice)
    assert not (await media.FindMissingMedia(question, metadata=alice)).found
    with pytest.raises(grpc.aio.AioRpcError, match="came 2 times") as refusal:
        await media.UploadMedia(messages_of(DATA), metadata=alice + bob)
    assert refusal.value.code() is INVALID


async def test_deleting_what_is_not_there_is_no_error(media: pb_grpc.MediaServiceStub) -> None:
    """So that a retry after a lost answer succeeds."""
    await media.DeleteMedia(pb.DeleteMediaRequest(media_id="gone"))


UPLOADS_REFUSED = {
    "nothing": ([], "header", "has no message"),
    "chunk first": ([chunk(DATA), header()], "header", "must come first"),
    "unset first": ([pb.UploadMediaRequest()], "header", "must come first"),
    "header twice": ([header(), header(), chunk(DATA)], "header", "came twice"),
    "unset later": ([header(), pb.UploadMediaRequest()], "chunk", "is not set"),
    "empty chunk": ([header(), chunk(b"")], "chunk", "got 0"),
    "chunk too large": (
        [header(bytes(MIB + 1)), chunk(bytes(MIB + 1))],
        "chunk",
        "1 to 1048576 bytes, got 1048577",
    ),
    "size unset": ([header(size_bytes=0)], "header.size_bytes", "at least 1, got 0"),
    "size negative": ([header(size_bytes=-1)], "header.size_bytes", "at least 1"),
    "hash unset": ([header(sha256=b"")], "header.sha256", "must be 32 bytes, got 0"),
    "hash too short": ([header(sha256=bytes(31))], "header.sha256", "got 31"),
    "too much": ([header(), chunk(DATA), chunk(b"x")], "header.size_bytes", "more came"),
    "too little": ([header(), chunk(DATA[:-1])], "header.size_bytes", "28 came"),
    "no chunk": ([header()], "header.size_bytes", "0 came"),
    "wrong hash": ([header(), chunk(DATA[::-1])], "header.sha256", "is not the SHA-256"),
    "wrong type": (
        [header(PNG, mime_type="image/jpeg"), chunk(PNG)],
        "header.mime_type",
        "the bytes are PNG",
    ),
    "unknown type": ([header(mime_type="image/png"), chunk(DATA)], "header.mime_type", "no format"),
}


@pytest.mark.parametrize(
    ("messages", "field", "problem"), UPLOADS_REFUSED.values(), ids=UPLOADS_REFUSED
)
async def test_a_wrong_upload_names_its_field_and_leaves_nothing(
    media: pb_grpc.MediaServiceStub,
    tmp_path: Path,
    messages: list[pb.UploadMediaRequest],
    field: str,
    problem: str,
) -> None:
    """As INVALID_FIELD; the next upload is served."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.UploadMedia(iter(messages))
    assert refusal.value.code() is INVALID
    assert info(refusal.value).reason == "INVALID_FIELD"
    assert list(wrong_fields(refusal.value)) == [field]
    assert problem in wrong_fields(refusal.value)[field]
    assert files_of(tmp_path) == []
    await media.UploadMedia(messages_of(DATA))


async def test_all_that_is_wrong_in_a_header_is_told_at_once(
    media: pb_grpc.MediaServiceStub,
) -> None:
    """Size and hash."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.UploadMedia(iter([pb.UploadMediaRequest(header=pb.UploadHeader())]))
    assert list(wrong_fields(refusal.value)) == ["header.size_bytes", "header.sha256"]


async def test_too_large_a_medium_is_refused_by_its_header(
    media: pb_grpc.MediaServiceStub, tmp_path: Path
) -> None:
    """With the limit's name, its value and what was declared."""
    too_large = header(size_bytes=MAX_MEDIUM_BYTES + 1)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.UploadMedia(iter([too_large]))
    assert refusal.value.code() is INVALID
    assert info(refusal.value).reason == "LIMIT_EXCEEDED"
    assert dict(info(refusal.value).metadata) == {
        "field": "header.size_bytes",
        "limit": "part_bytes",
        "limit_value": str(MAX_MEDIUM_BYTES),
        "actual": str(MAX_MEDIUM_BYTES + 1),
    }
    assert files_of(tmp_path) == []


async def test_too_many_uploads_at_once_are_told_to_retry(
    media: pb_grpc.MediaServiceStub, store: MediaStore
) -> None:
    """As RESOURCE_EXHAUSTED with the time to wait."""
    uploads = [await store.begin("", "", 10, sha256(DATA)) for _ in range(32)]
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.UploadMedia(messages_of(DATA))
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert info(refusal.value).reason == "MEDIA_BUDGET_EXCEEDED"
    assert detail(refusal.value, error_details_pb2.RetryInfo).retry_delay.seconds >= 1
    for upload in uploads:
        await upload.abort()
    await media.UploadMedia(messages_of(DATA))


async def test_a_store_without_room_is_told_to_retry(
    media: pb_grpc.MediaServiceStub, store: MediaStore
) -> None:
    """As RESOURCE_EXHAUSTED with the time to wait."""
    uploads = []
    for caller in "abc":
        upload = await store.begin(caller, "", MAX_MEDIUM_BYTES, bytes(32))
        uploads.append(upload)
        await upload.write(bytes(5 * MIB // 2))
    with pytest.raises(grpc.aio.AioRpcError, match="has no room") as refusal:
        await media.UploadMedia(messages_of(bytes(MIB)))
    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert info(refusal.value).reason == "MEDIA_BUDGET_EXCEEDED"
    assert detail(refusal.value, error_details_pb2.RetryInfo).retry_delay.seconds >= 1
    for upload in uploads:
        await upload.abort()


@pytest.mark.parametrize("sent", [DATA[:10], DATA], ids=["in the middle", "after the last byte"])
async def test_cancelling_leaves_nothing(
    media: pb_grpc.MediaServiceStub, store: WatchedStore, tmp_path: Path, sent: bytes
) -> None:
    """Also when all bytes were there, and only the end of the stream was not."""
    call = media.UploadMedia()
    await call.write(header())
    await call.write(chunk(sent))
    await asyncio.wait_for(store.got_bytes.wait(), 30)
    call.cancel()
    await asyncio.wait_for(store.ended.wait(), 30)
    assert files_of(tmp_path) == []
    assert not (await find(media, DATA)).found


async def test_a_client_that_is_gone_leaves_nothing(
    server: RpcServer, store: WatchedStore, tmp_path: Path
) -> None:
    """Its connection breaks in the middle."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = pb_grpc.MediaServiceStub(channel).UploadMedia()
        await call.write(header())
        await call.write(chunk(DATA))
        await asyncio.wait_for(store.got_bytes.wait(), 30)
    await asyncio.wait_for(store.ended.wait(), 30)
    assert files_of(tmp_path) == []


class StillContext:
    """The context of a call that nobody cancels."""

    def peer_identities(self) -> None:
        return None


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ({"idle_s": 0.01, "whole_s": 60}, "upload_idle_seconds"),
        ({"idle_s": 60, "whole_s": 0.01}, "upload_seconds"),
    ],
)
async def test_a_client_that_sends_nothing_more_is_cut_off(
    serving: Serving, store: MediaStore, tmp_path: Path, limits: dict[str, float], limit: str
) -> None:
    """After the time without a message, or of the whole upload."""
    servicer = MediaServicer(serving, store, **limits)
    stalled = asyncio.Event()

    async def messages() -> AsyncIterator[pb.UploadMediaRequest]:
        yield header()
        yield chunk(DATA[:5])
        await stalled.wait()

    with pytest.raises(LimitExceededError) as refusal:
        await servicer.UploadMedia(messages(), StillContext())
    assert refusal.value.metadata["limit"] == limit
    assert refusal.value.metadata["limit_value"] == "0.01"
    assert files_of(tmp_path) == []


@pytest.mark.parametrize(
    ("sha256s", "field"),
    [
        ([], "sha256s"),
        ([bytes(32)] * 1001, "sha256s"),
        ([bytes(32), b"short"], "sha256s[1]"),
        ([b""], "sha256s[0]"),
    ],
)
async def test_a_wrong_question_names_its_field(
    media: pb_grpc.MediaServiceStub, sha256s: list[bytes], field: str
) -> None:
    """None, too many, or one that is no hash."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.FindMissingMedia(pb.FindMissingMediaRequest(sha256s=sha256s))
    assert refusal.value.code() is INVALID
    assert list(wrong_fields(refusal.value)) == [field]


async def test_a_thousand_may_be_asked_for(media: pb_grpc.MediaServiceStub) -> None:
    """The bound can be reached."""
    sha256s = [sha256(bytes([index % 256, index // 256])) for index in range(1000)]
    answer = await media.FindMissingMedia(pb.FindMissingMediaRequest(sha256s=sha256s))
    assert list(answer.sha256s) == sha256s


async def test_deleting_nothing_names_the_field(media: pb_grpc.MediaServiceStub) -> None:
    """An empty id is a mistake."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.DeleteMedia(pb.DeleteMediaRequest())
    assert list(wrong_fields(refusal.value)) == ["media_id"]


async def test_a_server_without_a_store_names_the_flag(tmp_path: Path, serving: Serving) -> None:
    """And what to do instead."""
    server = build_server(f"unix:{tmp_path}/bare.sock", serving, max_message_bytes=MIB)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        media = pb_grpc.MediaServiceStub(channel)
        for call in (
            media.UploadMedia(messages_of(DATA)),
            media.FindMissingMedia(pb.FindMissingMediaRequest(sha256s=[bytes(32)])),
            media.DeleteMedia(pb.DeleteMediaRequest(media_id="x")),
        ):
            with pytest.raises(grpc.aio.AioRpcError, match=r"source\.data") as refusal:
                await call
            assert refusal.value.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert info(refusal.value).reason == "MEDIA_SOURCE_UNSUPPORTED"
            assert info(refusal.value).metadata["flag"] == "--media-store"
    await server.stop(0)


async def test_a_stopping_server_takes_no_uploads(
    media: pb_grpc.MediaServiceStub, serving: Serving
) -> None:
    """Another replica may."""
    serving.close()
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.UploadMedia(messages_of(DATA))
    assert info(refusal.value).reason == "SHUTTING_DOWN"


def serve(serving: Serving, prober: FakeProber) -> None:
    serving.open(FakeWay().loaded(prober=prober))


async def test_a_probe_describes_the_part(
    media: pb_grpc.MediaServiceStub, serving: Serving, prober: FakeProber
) -> None:
    """Every field of the answer; the prober gets the part and the caller."""
    serve(serving, prober)
    source = media_pb2.MediaSource(data=DATA)
    request = pb.ProbeMediaRequest(image=media_pb2.ImagePart(source=source, max_pixels=9))
    answer = await media.ProbeMedia(request, metadata=(("x-caller", "alice"),))
    assert answer == pb.ProbeMediaResponse(
        modality=media_pb2.MODALITY_IMAGE,
        mime_type="image/fake",
        size_bytes=5,
        width=640,
        height=480,
        duration_s=2.5,
        frames=75,
        channels=2,
        sample_rate_hz=44_100,
        tokens=7,
        sampled_frames=4,
    )
    ((part, caller),) = prober.asked
    assert isinstance(part, ImagePart)
    assert (part.field, part.max_pixels) == ("image", 9)
    assert part.source.origin == InlineData(DATA)
    assert caller == "header\nalice"


@pytest.mark.parametrize(("kind", "part"), [("audio", AudioPart), ("video", VideoPart)])
async def test_a_kind_that_the_model_does_not_take_has_no_tokens(
    media: pb_grpc.MediaServiceStub, serving: Serving, prober: FakeProber, kind: str, part: type
) -> None:
    """It is described all the same."""
    serve(serving, prober)
    source = {"source": {"media_id": "m"}}
    answer = await media.ProbeMedia(pb.ProbeMediaRequest(**{kind: source}))
    assert not answer.HasField("tokens")
    assert answer.modality == media_pb2.Modality.Value(f"MODALITY_{kind.upper()}")
    assert isinstance(prober.asked[0][0], part)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.ProbeMediaRequest(), "part"),
        (pb.ProbeMediaRequest(image=media_pb2.ImagePart()), "image"),
        (
            pb.ProbeMediaRequest(
                video=media_pb2.VideoPart(source=media_pb2.MediaSource(data=b"x"), fps=-1)
            ),
            "video.fps",
        ),
    ],
)
async def test_a_wrong_probe_names_its_field(
    media: pb_grpc.MediaServiceStub,
    serving: Serving,
    prober: FakeProber,
    request_: pb.ProbeMediaRequest,
    field: str,
) -> None:
    """Starting with the part's kind; the prober is not asked."""
    serve(serving, prober)
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.ProbeMedia(request_)
    assert refusal.value.code() is INVALID
    assert list(wrong_fields(refusal.value)) == [field]
    assert prober.asked == []


async def test_a_probe_before_the_model_is_loaded_is_told_to_retry(
    media: pb_grpc.MediaServiceStub,
) -> None:
    """How many tokens it takes is the model's to say."""
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await media.ProbeMedia(pb.ProbeMediaRequest())
    assert info(refusal.value).reason == "ENGINE_UNAVAILABLE"


class KeepsRequests:
    """Keeps what it is to answer, and answers nothing."""

    def __init__(self) -> None:
        self.requests: list[object] = []

    async def generate(self, request: object) -> AsyncIterator[object]:
        self.requests.append(request)
        for nothing in ():
            yield nothing


async def test_generating_knows_the_caller_too(
    channel: grpc.aio.Channel, serving: Serving, prober: FakeProber
) -> None:
    """So that it may use what the same caller has uploaded."""
    generator = KeepsRequests()
    serving.open(FakeWay().loaded(generator=generator, prober=prober))
    stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
    prompt = generation_service_pb2.GenerateRequest(text="hi")
    async for _ in stub.Generate(prompt, metadata=(("x-caller", "alice"),)):
        pass
    await stub.GenerateUnary(generation_service_pb2.GenerateUnaryRequest(request=prompt))
    assert [request.caller for request in generator.requests] == ["header\nalice", ""]
