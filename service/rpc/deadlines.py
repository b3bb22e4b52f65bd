"""When a call must have been answered, as its client says."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

from service.domain.events import GenerationRequest

if TYPE_CHECKING:
    from triptych.v1 import generation_service_pb2 as pb


def with_deadline(
    request: GenerationRequest, options: pb.OutputOptions, context: Any
) -> GenerationRequest:
    """Return the request with its call's deadline, unless its client lets that be gRPC's."""
    left_s = context.time_remaining()
    if left_s is None:
        return request
    if options.HasField("finish_before_deadline") and not options.finish_before_deadline:
        return request
    return dataclasses.replace(request, deadline=asyncio.get_running_loop().time() + left_s)
