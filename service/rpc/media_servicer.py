"""MediaService: media that are sent once and used often, and what a medium is.

Uploads, questions and deletions work as soon as the server listens; describing a medium takes
the loaded model. What is stored is the caller's own (service/rpc/caller.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from service.domain.media import MediaDescription
from service.domain.stored_medium import StoredMedium
from service.errors import InvalidRequestError, LimitExceededError, MediaSourceUnsupportedError
from service.ports import MediaStore, MediaUpload
from service.rpc.caller import caller_of
from service.rpc.conversations import to_media_part
from service.rpc.modalities import MODALITIES
from service.rpc.serving import Serving
from service.rpc.violations import Violations
from triptych.v1 import media_service_pb2 as pb
from triptych.v1 import media_service_pb2_grpc as pb_grpc

_MAX_CHUNK_BYTES = 1 << 20
_MAX_QUESTIONS = 1000
_SHA256_BYTES = 32
# How long a client may send nothing, and take in all: an upload holds a place that others want.
_IDLE_S = 30.0
_WHOLE_S = 900.0


class MediaServicer(pb_grpc.MediaServiceServicer):
    """Serves `store`; without one it says which flag gives one."""

    def __init__(
        self,
        serving: Serving,
        store: MediaStore | None,
        caller_header: str | None = None,
        *,
        idle_s: float = _IDLE_S,
        whole_s: float = _WHOLE_S,
    ) -> None:
        self._serving = serving
        self._store = store
        self._caller_header = caller_header
        self._idle_s = idle_s
        self._whole_s = whole_s

    async def UploadMedia(  # noqa: N802 - the contract's name
        self, request_iterator: AsyncIterator[pb.UploadMediaRequest], context: Any
    ) -> pb.UploadMediaResponse:
        """Store one medium, or nothing of it."""
        store = self._open_store()
        messages = _Messages(request_iterator, self._idle_s, self._whole_s)
        header = await messages.header()
        upload = await store.begin(
            caller_of(context, self._caller_header),
            header.mime_type,
            header.size_bytes,
            header.sha256,
        )
        try:
            await _receive(messages, upload)
            stored = await upload.commit()
        finally:
            await upload.abort()
        return pb.UploadMediaResponse(media_id=stored.media_id, expire_time=_expire_time(stored))

    async def FindMissingMedia(  # noqa: N802 - the contract's name
        self, request: pb.FindMissingMediaRequest, context: Any
    ) -> pb.FindMissingMediaResponse:
        """Tell what the caller has and what it has not."""
        store = self._open_store()
        _check_questions(request.sha256s)
        caller = caller_of(context, self._caller_header)
        answers = await store.find(caller, request.sha256s)
        return pb.FindMissingMediaResponse(
            sha256s=[
                sha256
                for sha256, found in zip(request.sha256s, answers, strict=True)
                if found is None
            ],
            found=[_to_stored_media(found) for found in answers if found is not None],
        )

    async def ProbeMedia(  # noqa: N802 - the contract's name
        self, request: pb.ProbeMediaRequest, context: Any
    ) -> pb.ProbeMediaResponse:
        """Describe one medium."""
        loaded = self._serving.loaded()
        kind = request.WhichOneof("part")
        if kind is None:
            raise InvalidRequestError("part", "is not set; set one of image, audio or video")
        violations = Violations()
        part = to_media_part(getattr(request, kind), kind, violations)
        violations.raise_if_any()
        caller = caller_of(context, self._caller_header)
        description, tokens = await loaded.prober.probe(part, caller)
        return _to_probe_response(description, tokens)

    async def DeleteMedia(  # noqa: N802 - the contract's name
        self, request: pb.DeleteMediaRequest, context: Any
    ) -> pb.DeleteMediaResponse:
        """Forget one medium of the caller."""
        store = self._open_store()
        if not request.media_id:
            raise InvalidRequestError("media_id", "is empty; give what UploadMedia gave")
        await store.delete(caller_of(context, self._caller_header), request.media_id)
        return pb.DeleteMediaResponse()

    def _open_store(self) -> MediaStore:
        self._serving.check_open()
        if self._store is None:
            raise MediaSourceUnsupportedError(
                "this server has no media store; send media inline, in source.data of a part, or "
                "start the server with --media-store DIR",
                source="media_id",
                flag="--media-store",
            )
        return self._store


class _Messages:
    """The messages of an upload in their order, and in time."""

    def __init__(
        self, messages: AsyncIterator[pb.UploadMediaRequest], idle_s: float, whole_s: float
    ) -> None:
        self._messages = aiter(messages)
        self._idle_s = idle_s
        self._whole_s = whole_s
        self._ends_at = asyncio.get_running_loop().time() + whole_s

    async def header(self) -> pb.UploadHeader:
        """Return the first message's header, checked."""
        first = await self._next()
        if first is None:
            raise InvalidRequestError("header", "is missing; the stream has no message")
        if first.WhichOneof("message") != "header":
            raise InvalidRequestError("header", "must come first, before any chunk")
        header = first.header
        violations = Violations()
        violations.check_range("header.size_bytes", header.size_bytes, 1)
        if len(header.sha256) != _SHA256_BYTES:
            violations.add("header.sha256", f"must be 32 bytes, got {len(header.sha256)}")
        violations.raise_if_any()
        return header

    async def chunk(self) -> bytes | None:
        """Return the next chunk; None at the end of the stream."""
        message = await self._next()
        if message is None:
            return None
        match message.WhichOneof("message"):
            case "header":
                raise InvalidRequestError("header", "came twice; after the first come only chunks")
            case None:
                raise InvalidRequestError("chunk", "is not set; after the header come only chunks")
        if not 1 <= len(message.chunk) <= _MAX_CHUNK_BYTES:
            raise InvalidRequestError(
                "chunk", f"must have 1 to {_MAX_CHUNK_BYTES} bytes, got {len(message.chunk)}"
            )
        return message.chunk

    async def _next(self) -> pb.UploadMediaRequest | None:
        left_s = self._ends_at - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(min(self._idle_s, left_s)):
                return await anext(self._messages, None)
        except TimeoutError:
            if left_s < self._idle_s:
                name, limit_s = "upload_seconds", self._whole_s
            else:
                name, limit_s = "upload_idle_seconds", self._idle_s
            raise LimitExceededError("chunk", name, limit_s, None) from None


async def _receive(messages: _Messages, upload: MediaUpload) -> None:
    while (chunk := await messages.chunk()) is not None:
        await upload.write(chunk)


def _check_questions(sha256s: Any) -> None:
    violations = Violations()
    if not 1 <= len(sha256s) <= _MAX_QUESTIONS:
        violations.add("sha256s", f"must have 1 to {_MAX_QUESTIONS} values, got {len(sha256s)}")
        violations.raise_if_any()
    for index, sha256 in enumerate(sha256s):
        if len(sha256) != _SHA256_BYTES:
            violations.add(f"sha256s[{index}]", f"must be 32 bytes, got {len(sha256)}")
    violations.raise_if_any()


def _to_stored_media(stored: StoredMedium) -> pb.StoredMedia:
    return pb.StoredMedia(
        sha256=stored.sha256, media_id=stored.media_id, expire_time=_expire_time(stored)
    )


def _expire_time(stored: StoredMedium) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromNanoseconds(round(stored.expires_at_s * 1e9))
    return timestamp


def _to_probe_response(description: MediaDescription, tokens: int | None) -> pb.ProbeMediaResponse:
    return pb.ProbeMediaResponse(
        modality=MODALITIES[description.modality],
        mime_type=description.mime_type,
        size_bytes=description.size_bytes,
        width=description.width,
        height=description.height,
        duration_s=description.duration_s,
        frames=description.frames,
        channels=description.channels,
        sample_rate_hz=description.sample_rate_hz,
        tokens=tokens,
        sampled_frames=description.sampled_frames,
    )
